"""An order as the strategy holds it: one object from the intent to the end, in every world the same.

Only the `desk` changes it. Nobody else may, the strategy least of all.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import msgspec

from krakenwire.model.market import OrderSide
from krakenwire.trading.intents import BotOrderType, Intent
from krakenwire.trading.portfolio import EXACT

__all__ = ["ENDED", "Fill", "Order", "OrderEnd", "OrderState"]

OrderState = Literal["intent", "sent", "open", "partly_filled", "filled", "canceled", "expired", "refused", "unknown"]
OrderEnd = Literal["filled", "canceled", "expired", "refused"]

ENDED: Final = frozenset({"filled", "canceled", "expired", "refused"})
"""States that nothing follows."""

_ZERO: Final = Decimal(0)


class Order:
    """One order.

    Attributes:
        intent: what was wanted at first.
        id: its `cl_ord_id`, for ever.
        qty: base units; of an amended order the new quantity, what is filled counted in.
        limit: quote units; None for an order at the market.
        filled, left: base units.
        state: of `OrderState`.
        reason: why it ended, was refused, or could not be changed.
        venue_id: the venue's own id, empty until it has one.
        decided_ns: when the strategy last asked for something about it.
        mid: of the book then; None where there was none.
        canceling: whether its cancel was asked for and not answered.
        price_ticks, qty_lots: `limit` and `qty` as whole numbers; 0 ticks without a limit.
        place: of its symbol among those of the run.
        wanted: the limit and the quantity of an amend that was asked for and not answered.
        held, unit: what is held for it, and for each base unit of it that is not filled.
        handle: what a broker keeps with it.
        of_target: whether `target_position` placed it.
    """

    __slots__ = (
        "_cost",
        "_fees",
        "_unsummed",
        "canceling",
        "decided_ns",
        "exec_ids",
        "filled",
        "handle",
        "held",
        "id",
        "intent",
        "limit",
        "mid",
        "of_target",
        "place",
        "price_ticks",
        "qty",
        "qty_lots",
        "reason",
        "side",
        "state",
        "symbol",
        "tag",
        "unit",
        "venue_id",
        "wanted",
    )

    def __init__(self, intent: Intent, mid: Decimal | None = None) -> None:
        self.intent = intent
        self.id = intent.id
        self.symbol = intent.symbol
        self.side: OrderSide = intent.side
        self.qty = intent.qty
        self.limit = intent.limit
        self.tag = intent.tag
        self.decided_ns = intent.created_ns
        self.mid = mid
        self.filled = self.held = self.unit = self._cost = self._fees = _ZERO
        self._unsummed: list[tuple[Decimal, Decimal, Decimal]] | None = None
        self.state: OrderState = "intent"
        self.reason = self.venue_id = ""
        self.canceling = self.of_target = False
        self.wanted: tuple[Decimal | None, Decimal] | None = None
        self.place = self.price_ticks = self.qty_lots = 0
        self.handle: object = None
        self.exec_ids: set[str] | None = None

    @property
    def left(self) -> Decimal:
        """What is not filled, base units."""
        return self.qty - self.filled

    @property
    def cost(self) -> Decimal:
        """What its fills came to, quote units, without fees."""
        self._sum()
        return self._cost

    @property
    def fees(self) -> Decimal:
        """What its fills have cost on top, quote units."""
        self._sum()
        return self._fees

    def take_fill(self, price: Decimal, qty: Decimal, fee: Decimal) -> None:
        """Count a fill; sums that nobody has asked for are put off. Called by the desk."""
        self.filled = EXACT.add(self.filled, qty) if self.filled else qty
        if self._unsummed is None:
            self._unsummed = []
        self._unsummed.append((price, qty, fee))

    def restore(self, filled: Decimal, cost: Decimal) -> None:
        """Count what it had filled in an earlier life of the bot, and what that came to."""
        self.filled, self._cost = filled, cost

    def _sum(self) -> None:
        for price, qty, fee in self._unsummed or ():
            self._cost = EXACT.fma(price, qty, self._cost)
            self._fees = EXACT.add(self._fees, fee)
        self._unsummed = None

    @property
    def avg_price(self) -> Decimal | None:
        """The average price of its fills, None before the first."""
        return self.cost / self.filled if self.filled else None

    @property
    def order_type(self) -> BotOrderType:
        """One of `BotOrderType`."""
        return self.intent.order_type

    @property
    def created_ns(self) -> int:
        """When the strategy wanted it, by its clock."""
        return self.intent.created_ns

    @property
    def is_open(self) -> bool:
        """Whether it may still fill: so of one whose state is unknown, too."""
        return self.state not in ENDED

    def __repr__(self) -> str:
        at = "market" if self.limit is None else f"{self.limit:f}"
        return f"<Order {self.id} {self.side} {self.left:f} of {self.qty:f} {self.symbol} at {at}: {self.state}>"


class Fill(msgspec.Struct, frozen=True):
    """One fill of an order of ours.

    Args:
        order: as it stands after the fill.
        price: quote units.
        qty: base units.
        fee: quote units.
        maker: whether our order was the one that rested.
        time_ns: when it happened at the venue.
        exec_id: unique.
        position: of the base asset after it.
    """

    order: Order
    symbol: str
    side: OrderSide
    price: Decimal
    qty: Decimal
    fee: Decimal
    maker: bool
    time_ns: int
    exec_id: str
    position: Decimal

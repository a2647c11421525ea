"""One order of one account, from its acceptance to its end, and the fills it had.

Prices are ticks, quantities lots, money ledger units. The engine knows only
what rests or is being matched; waiting triggers, scheduled starts and what is
over are known here alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from krakenwire.model import OrderSide
from krakenwire.model.orders import (
    Conditional,
    OrderType,
    PriceType,
    SelfTradePrevention,
    TimeInForce,
    TriggerReference,
)

if TYPE_CHECKING:
    from krakenwire.venue.trading.accounts import Account
    from krakenwire.venue.trading.desk import Desk

__all__ = ["AccountOrder", "Fill", "OrderPhase", "Terms", "Trigger"]

OrderPhase = Literal["scheduled", "untriggered", "live", "filled", "canceled", "expired"]
"""Where an order stands: the first three are open, the others final."""


class Fill(NamedTuple):
    """One trade of one order.

    Args:
        number: of the fill; `trade_id` numbers the public trade.
        exact: price times quantity in ticks times lots; `cost` what was posted of it, in ledger units.
        fee: ledger units of `fee_asset`.
        entry: number of the first ledger entry that it causes.
    """

    number: int
    order: AccountOrder
    trade_id: int
    price: int
    qty: int
    exact: int
    cost: int
    fee: int
    fee_asset: str
    is_maker: bool
    time_ns: int
    entry: int


class Terms(NamedTuple):
    """What an order asked for once: as placed (`number` 0), or after the amendment of that number."""

    number: int
    time_ns: int
    qty: int
    remaining: int
    price: int | None
    display: int | None
    trigger_price: int | None
    post_only: bool


class Trigger:
    """What a stop, take-profit or trailing order waits for.

    Attributes:
        asked, price_type: as asked for: ticks, or with ``pct`` hundredths of a percent.
        price: ticks at which it fires now; of a trailing order it moves.
        distance: how far a trailing order keeps from the peak in ticks, 0 for the others.
        distance_bp: the same in hundredths of a percent of the peak, 0 if in ticks.
        rises: whether it fires when the reference has risen to `price`, not when it has fallen.
        peak: the best reference seen, of a trailing order.
        fired_ns, fired_at: when, and at which reference; 0 before.
    """

    __slots__ = (
        "asked",
        "distance",
        "distance_bp",
        "fired_at",
        "fired_ns",
        "peak",
        "price",
        "price_type",
        "reference",
        "rises",
    )

    def __init__(
        self,
        asked: int,
        price_type: PriceType,
        reference: TriggerReference,
        price: int,
        rises: bool,
        distance: int = 0,
        distance_bp: int = 0,
    ) -> None:
        self.asked, self.price_type, self.reference = asked, price_type, reference
        self.price, self.rises = price, rises
        self.distance, self.distance_bp = distance, distance_bp
        self.peak = 0
        self.fired_ns = self.fired_at = 0

    @property
    def trails(self) -> bool:
        """Whether it follows the market."""
        return bool(self.distance or self.distance_bp)

    def follow(self, reference: int) -> bool:
        """Let a trailing trigger follow the reference price; return whether its price moved."""
        better = reference < self.peak if self.rises else reference > self.peak
        if self.peak and not better:
            return False
        self.peak = reference
        distance = self.distance or -(-reference * self.distance_bp // 10_000)
        before, self.price = self.price, max(1, reference + distance if self.rises else reference - distance)
        return self.price != before

    def reached(self, reference: int) -> bool:
        """Return whether it fires at a reference price."""
        return reference >= self.price if self.rises else 0 < reference <= self.price


class AccountOrder:
    """An order and how it stands.

    Attributes:
        number, order_id: in its engine, and as text.
        desk: the market it is for.
        qty, filled: lots, `filled` of `qty`; price: limit in ticks, None to trade at any.
        cash: ledger units that a market buy may spend in all, 0 when it names a quantity.
        exact, fee: totals so far: ticks times lots, ledger units of `fee_asset`.
        hold, hold_fee: ledger units of `hold_asset` held for it now: for the trade, and for its fee.
        fee_rate: the taker's rate when it was placed, in millionths: what is held for fees is made of it.
        limit_distance: ticks from the trigger to the limit of a trailing-stop-limit order, signed; None for others.
        parent_id: the order whose fill placed this one.
        leverage: of a margin order, 0 for any other; `liquidates`: placed by the venue itself to close a position.
        reason: why it was canceled.
        changed_ns: when it was placed or last amended; its age costs rate points.
        amends: what it asked for before and after each amendment, empty without any.
    """

    __slots__ = (
        "account",
        "amended",
        "amends",
        "cash",
        "changed_ns",
        "cl_ord_id",
        "closed_ns",
        "conditional",
        "desk",
        "display",
        "effective_ns",
        "exact",
        "expire_ns",
        "fee",
        "fee_in_base",
        "fee_rate",
        "filled",
        "fills",
        "hold",
        "hold_fee",
        "leverage",
        "limit_distance",
        "liquidates",
        "number",
        "opened_ns",
        "order_id",
        "order_type",
        "parent_id",
        "phase",
        "post_only",
        "price",
        "qty",
        "reason",
        "reduce_only",
        "resting",
        "sender_sub_id",
        "side",
        "stp_type",
        "time_in_force",
        "trigger",
        "userref",
    )

    def __init__(
        self, account: Account, desk: Desk, side: OrderSide, order_type: OrderType, qty: int, price: int | None
    ) -> None:
        self.account, self.desk, self.side, self.order_type = account, desk, side, order_type
        self.qty, self.price = qty, price
        self.number, self.order_id = 0, ""
        self.phase: OrderPhase = "live"
        self.resting = False
        self.filled = self.exact = self.fee = self.cash = 0
        self.hold = self.hold_fee = self.fee_rate = 0
        self.display: int | None = None
        self.limit_distance: int | None = None
        self.leverage = 0
        self.time_in_force: TimeInForce = "gtc"
        self.post_only = self.reduce_only = self.fee_in_base = self.amended = self.liquidates = False
        self.stp_type: SelfTradePrevention = "cancel_newest"
        self.cl_ord_id: str | None = None
        self.userref: int | None = None
        self.sender_sub_id: str | None = None
        self.conditional: Conditional | None = None
        self.trigger: Trigger | None = None
        self.effective_ns = self.expire_ns = self.opened_ns = self.changed_ns = self.closed_ns = 0
        self.parent_id: str | None = None
        self.reason = ""
        self.fills: list[int] = []
        self.amends: list[Terms] = []

    def __repr__(self) -> str:
        return f"AccountOrder({self.order_id} {self.side} {self.qty} {self.symbol} {self.phase})"

    @property
    def symbol(self) -> str:
        """The v2 symbol."""
        return self.desk.symbol

    def terms(self, number: int, time_ns: int) -> Terms:
        """Return what it asks for now, noted as of an amendment and a time."""
        trigger = None if self.trigger is None else self.trigger.price
        return Terms(number, time_ns, self.qty, self.remaining, self.price, self.display, trigger, self.post_only)

    @property
    def remaining(self) -> int:
        """Lots that have not traded."""
        return self.qty - self.filled

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.phase in ("live", "untriggered", "scheduled")

    @property
    def fee_asset(self) -> str:
        """What its fees are charged in."""
        return self.desk.terms.base if self.fee_in_base else self.desk.terms.quote

    @property
    def hold_asset(self) -> str:
        """What is held for it."""
        return self.desk.terms.quote if self.side == "buy" else self.desk.terms.base

"""Positions that a strategy wants, and the orders on the way there: asked again, nothing is done twice.

A target counts what its own earlier orders may still fill. Where those stand in
the way - the other side, another limit, too much - they are canceled first,
and the rest is ordered when they are known to be over, because until then they may fill.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Protocol

import msgspec

from krakenwire.model.market import OrderSide
from krakenwire.trading.desk import Desk
from krakenwire.trading.orders import Order

__all__ = ["Target", "Targets"]

_ZERO: Final = Decimal(0)


class Place(Protocol):
    """Places an order: `Actions.place`."""

    def __call__(
        self, side: OrderSide, symbol: str, qty: Decimal, limit: Decimal | None, *, post_only: bool, tag: str
    ) -> Order:
        """Return the order."""
        ...


class Target(msgspec.Struct, frozen=True):
    """Where a position is to be.

    Args:
        qty: base units.
        limit: of its orders; None for the market.
        post_only, tag: of its orders.
    """

    qty: Decimal
    limit: Decimal | None
    post_only: bool
    tag: str


class Targets:
    """The targets of one bot.

    Args:
        desk: knows positions and open orders.
        place: places an order.
    """

    def __init__(self, desk: Desk, place: Place) -> None:
        self._desk, self._place = desk, place
        self._waiting: dict[str, Target] = {}

    def bring(self, symbol: str, target: Target) -> Order | None:
        """Bring a position to a target; return the order on its way there, None where there is none yet, or no need."""
        self._waiting.pop(symbol, None)
        working = [order for order in self._desk.open.values() if order.of_target and order.symbol == symbol]
        missing = target.qty - self._desk.position(symbol)
        gap = missing - sum(map(_signed_left, working), _ZERO)
        stays = all(
            order.limit == target.limit and _signed_left(order) * missing > 0 and not order.canceling
            for order in working
        )
        if working and not (stays and gap * missing >= 0):
            self._waiting[symbol] = target
            for order in working:
                self._desk.cancel(order)
            return None
        return self._order(symbol, target, gap) or (working[-1] if working else None)

    def order_ended(self, order: Order) -> None:
        """Go on where the end of an order was waited for."""
        target = self._waiting.get(order.symbol)
        if target is not None:
            self.bring(order.symbol, target)

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._waiting.clear()

    def _order(self, symbol: str, target: Target, gap: Decimal) -> Order | None:
        market = self._desk.market(symbol)
        qty = market.round_qty(abs(gap))
        price = target.limit or market.last_mid() or _ZERO
        if not qty or qty < market.listing.qty_min or price * qty < market.listing.cost_min:
            return None
        side: OrderSide = "buy" if gap > 0 else "sell"
        order = self._place(side, symbol, qty, target.limit, post_only=target.post_only, tag=target.tag)
        order.of_target = True
        return order


def _signed_left(order: Order) -> Decimal:
    return order.left if order.side == "buy" else -order.left

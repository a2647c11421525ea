"""Conditional closes: the order that each fill of its order places, on the other side.

Source: v2 reference, section 8.2.
"""

from __future__ import annotations

from decimal import Decimal

from krakenwire.model.orders import AddOrder, Conditional, Trigger
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.prices import TRAILING

__all__ = ["closing_order"]


def closing_order(parent: AccountOrder, close: Conditional, qty: int, price: int) -> AddOrder:
    """Return the closing order of a fill: its size, the other side.

    Args:
        parent: the order that was filled.
        close: what it says.
        qty: lots of the fill.
        price: ticks of the fill; relative prices start from it.
    """
    instrument = parent.desk.terms.instrument
    at = Decimal(price).scaleb(-instrument.price_precision)

    def absolute(value: Decimal | None, kind: str) -> Decimal | None:
        if value is None or kind == "static":
            return value
        moved = at + value if kind == "quote" else at + at * value / 100
        return moved.quantize(instrument.price_increment)

    trails = close.order_type in TRAILING
    trigger = None
    if close.trigger_price is not None:
        kind = close.trigger_price_type if trails else "static"
        value = close.trigger_price if trails else absolute(close.trigger_price, close.trigger_price_type)
        assert value is not None
        trigger = Trigger(price=value, price_type=kind)
    return AddOrder(
        symbol=parent.symbol,
        side="sell" if parent.side == "buy" else "buy",
        order_type=close.order_type,
        order_qty=Decimal(qty).scaleb(-instrument.qty_precision),
        limit_price=close.limit_price if trails else absolute(close.limit_price, close.limit_price_type),
        limit_price_type=close.limit_price_type if trails else "static",
        triggers=trigger,
        order_userref=parent.userref,
        leverage=parent.leverage or None,
        reduce_only=bool(parent.leverage),
    )

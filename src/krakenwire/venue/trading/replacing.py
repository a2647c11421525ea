"""Cancel and replace: the request that an edited order would have been placed with.

Source: v2 reference, section 8.4.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.orders import AddOrder, EditOrder, PriceType, Trigger
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.refusals import INVALID, Refusal

__all__ = ["request_of"]


def request_of(order: AccountOrder, edit: EditOrder) -> AddOrder:
    """Return the new order: what the edit names is new, the rest is as it was.

    Raises:
        Refusal: more has traded than the new order asks for.
    """
    instrument = order.desk.terms.instrument
    edit = _placed(order, edit)

    qty = scaled_to_decimal(order.remaining, instrument.qty_precision)
    if edit.order_qty is not None:
        filled = scaled_to_decimal(order.filled, instrument.qty_precision)
        if edit.order_qty <= filled:
            raise Refusal(f"{INVALID}:volume")
        qty = edit.order_qty - filled
    display = None if order.display is None else scaled_to_decimal(order.display, instrument.qty_precision)
    return AddOrder(
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        order_qty=qty,
        limit_price=edit.limit_price if edit.limit_price is not None else _limit(order),
        limit_price_type=edit.limit_price_type if edit.limit_price is not None else _limit_type(order),
        triggers=edit.triggers or _trigger(order),
        time_in_force=order.time_in_force,
        expire_time_ns=order.expire_ns or None,
        display_qty=edit.display_qty if edit.display_qty is not None else display,
        post_only=order.post_only if edit.post_only is None else edit.post_only,
        reduce_only=order.reduce_only if edit.reduce_only is None else edit.reduce_only,
        fee_preference=edit.fee_preference or ("base" if order.fee_in_base else "quote"),
        stp_type=order.stp_type,
        order_userref=order.userref if edit.order_userref is None else edit.order_userref,
        deadline_ns=edit.deadline_ns,
        sender_sub_id=order.sender_sub_id,
    )


def _placed(order: AccountOrder, edit: EditOrder) -> EditOrder:
    """An edit whose price is named by its place: of the trigger where the order has one, else the limit."""
    if edit.price is None:
        return edit
    if order.trigger is None:
        return structs.replace(edit, limit_price=edit.price, limit_price_type=edit.price_type)
    reference = order.trigger.reference
    return structs.replace(edit, triggers=Trigger(price=edit.price, price_type=edit.price_type, reference=reference))


def _limit(order: AccountOrder) -> Decimal | None:
    decimals = order.desk.terms.instrument.price_precision
    ticks = order.price if order.limit_distance is None else order.limit_distance
    return None if ticks is None else scaled_to_decimal(ticks, decimals)


def _limit_type(order: AccountOrder) -> PriceType:
    return "static" if order.limit_distance is None else "quote"


def _trigger(order: AccountOrder) -> Trigger | None:
    trigger = order.trigger
    if trigger is None:
        return None
    decimals = 2 if trigger.price_type == "pct" else order.desk.terms.instrument.price_precision
    asked = scaled_to_decimal(trigger.asked, decimals)
    return Trigger(price=asked, price_type=trigger.price_type, reference=trigger.reference)

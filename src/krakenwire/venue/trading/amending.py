"""Changes of open orders in place: quantities, prices and triggers, with the money they need.

Source: v2 reference, section 8.3.
"""

from __future__ import annotations

from typing import Final

from krakenwire.model.orders import AmendOrder
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.desk import Desk
from krakenwire.venue.trading.needs import need
from krakenwire.venue.trading.prices import SLICES, TRAILING, lots_of, price_of, ticks_of
from krakenwire.venue.trading.refusals import INVALID, NO_FUNDS, USER_REQUESTED, Refusal
from krakenwire.venue.trading.reports import Reports

__all__ = ["amend", "amend_resting", "hold_at"]

NOTHING: Final = "EOrder:No amendable parameters specified"


def hold_at(order: AccountOrder, price: int, now_ns: int) -> bool:
    """Hold what an order needs if it is to pay this price; return False if it is not there."""
    order.fee_rate = order.desk.rates(order.account, now_ns)[0]
    return order.desk.hold(order, *need(order, price, order.remaining))


def amend(order: AccountOrder, request: AmendOrder, reports: Reports, now_ns: int) -> None:
    """Carry out an amendment.

    Raises:
        Refusal: it cannot be; nothing has changed.
    """
    desk = order.desk
    instrument = desk.terms.instrument
    if order.conditional is not None:
        raise Refusal(INVALID)
    qty = lots_of(request.order_qty, instrument.qty_precision) if request.order_qty is not None else order.qty
    price = _new_price(order, request)
    display = _new_display(order, request, max(qty - order.filled, 0))
    asked = (request.order_qty, request.limit_price, request.trigger_price, request.display_qty)
    if all(value is None for value in asked):
        raise Refusal(NOTHING)
    if qty <= order.filled:
        _cut(desk, order, reports, now_ns)
    elif order.resting:
        amend_resting(order, qty, price, display, request.post_only, now_ns)
    else:
        _amend_waiting(order, qty, price, request, reports, now_ns)


def _new_price(order: AccountOrder, request: AmendOrder) -> int | None:
    if request.limit_price is None:
        return order.price
    decimals = order.desk.terms.instrument.price_precision
    if order.limit_distance is not None and order.price is None:
        return None
    if order.price is None:
        raise Refusal(f"{INVALID}:price")
    return price_of(request.limit_price, request.limit_price_type or "static", decimals, order.desk.reference("last"))


def _new_display(order: AccountOrder, request: AmendOrder, remaining: int) -> int | None:
    if request.display_qty is None:
        return order.display
    if order.display is None:
        raise Refusal(f"{INVALID}:displayvol")
    display = lots_of(request.display_qty, order.desk.terms.instrument.qty_precision, f"{INVALID}:displayvol")
    if display * SLICES < remaining:
        raise Refusal(f"{INVALID}:displayvol")
    return display


def _cut(desk: Desk, order: AccountOrder, reports: Reports, now_ns: int) -> None:
    """Less than has traded: the order is what it has traded, the rest is canceled."""
    order.qty, order.amended, order.changed_ns = max(order.filled, 0), True, now_ns
    reports.amended(order, USER_REQUESTED, now_ns)
    desk.cancel(order, USER_REQUESTED, now_ns)


def amend_resting(
    order: AccountOrder, qty: int, price: int | None, display: int | None, post_only: bool, now_ns: int
) -> None:
    """Change an order in the book and what is held for it.

    Args:
        order: resting.
        qty: lots in all, more than have traded.
        price: ticks.
        display: lots that it shows, of an iceberg.
        post_only: refuse a new price that would take.
        now_ns: the time.

    Raises:
        Refusal: the money is not there, or the engine refuses; nothing has changed.
    """
    desk = order.desk
    assert price is not None
    remaining = qty - order.filled
    before = order.hold, order.hold_fee
    needed = need(order, price, remaining)
    if sum(needed) > sum(before) and not desk.hold(order, *needed):
        raise Refusal(NO_FUNDS)
    changed_qty = remaining if remaining != order.remaining else None
    changed_price = price if price != order.price else None
    changed_display = display if display != order.display else None
    if (changed_qty, changed_price, changed_display) == (None, None, None):
        return  # as it is already: the venue takes that for an amendment, too
    reason = desk.amend(order, now_ns, changed_qty, changed_price, changed_display, post_only)
    if reason:
        desk.hold(order, *before)
        raise Refusal("EOrder:Post only order" if reason == "post only" else INVALID)
    if order.is_open:
        assert order.price is not None
        desk.hold(order, *need(order, order.price, order.remaining))


def _amend_waiting(
    order: AccountOrder, qty: int, price: int | None, request: AmendOrder, reports: Reports, now_ns: int
) -> None:
    """An order that waits, for its time or its trigger: everything may change, no place is lost."""
    desk, trigger = order.desk, order.trigger
    new_trigger = _new_trigger_price(order, request)
    before = order.qty, order.price
    order.qty = qty
    order.price = price
    at = price or new_trigger or (trigger.price if trigger else 0)
    if not hold_at(order, at, now_ns):
        order.qty, order.price = before
        raise Refusal(NO_FUNDS)
    if request.limit_price is not None and price is None:
        order.limit_distance = ticks_of(request.limit_price, desk.terms.instrument.price_precision)
    if new_trigger and trigger is not None:
        trigger.price = trigger.asked = new_trigger
        if order.phase == "untriggered":
            desk.waiting.add(order)
    order.amended, order.changed_ns = True, now_ns
    reports.amended(order, USER_REQUESTED, now_ns)


def _new_trigger_price(order: AccountOrder, request: AmendOrder) -> int:
    if request.trigger_price is None:
        return 0
    if order.trigger is None or order.order_type in TRAILING:
        raise Refusal(f"{INVALID}:price")
    reference = order.desk.reference(order.trigger.reference)
    decimals = order.desk.terms.instrument.price_precision
    return price_of(request.trigger_price, request.trigger_price_type, decimals, reference)

"""What an order must be like before anything is done about it: types, prices, sizes, times, texts.

Makes the order that the exchange goes on with, or says why not in the
venue's own words. Touches no account's money. Source: v2 reference, sections
3.3, 8.1, 8.2 and 12.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from krakenwire.model.orders import AddOrder, OrderType
from krakenwire.venue.trading.account_order import AccountOrder
from krakenwire.venue.trading.accounts import Account
from krakenwire.venue.trading.desk import Desk
from krakenwire.venue.trading.prices import SLICES, TRAILING, lots_of, price_of, ticks_of, trigger_of
from krakenwire.venue.trading.refusals import INVALID, INVALID_PRICE, Refusal

__all__ = ["check_deadline", "check_mode", "check_price", "check_size", "draft"]

_SECOND: Final = 1_000_000_000
_MONTH_NS: Final = 31 * 86_400 * _SECOND
PRICE_BAND: Final = 10
"""A price that would trade at once may be this many times away from the best one at most."""

_LIMITED: Final[tuple[OrderType, ...]] = (
    "limit",
    "iceberg",
    "stop-loss-limit",
    "take-profit-limit",
    "trailing-stop-limit",
)
_TRIGGERED: Final[tuple[OrderType, ...]] = (
    "stop-loss",
    "stop-loss-limit",
    "take-profit",
    "take-profit-limit",
    "trailing-stop",
    "trailing-stop-limit",
)

ELAPSED: Final = "EService:Deadline elapsed"
MINIMUM: Final = f"{INVALID}:volume minimum not met"
COST: Final = "EOrder:Cost minimum not met"


def check_mode(mode: str, order_type: OrderType, post_only: bool) -> None:
    """Refuse what a trading mode or an instrument's status does not allow."""
    if mode == "online":
        return
    if mode == "post_only" and order_type in ("limit", "iceberg") and post_only:
        return
    if mode == "limit_only" and order_type in _LIMITED:
        return
    known = mode in ("post_only", "limit_only", "cancel_only")
    raise Refusal(f"EService:Market in {mode} mode" if known else "EService:Unavailable")


def check_deadline(deadline_ns: int | None, now_ns: int) -> None:
    """Refuse what comes after its deadline."""
    if deadline_ns is not None and deadline_ns < now_ns:
        raise Refusal(ELAPSED)


def draft(request: AddOrder, account: Account, desk: Desk, now_ns: int) -> AccountOrder:
    """Return the order that a request asks for, not yet numbered, held or counted.

    Raises:
        Refusal: it cannot be.
    """
    kind, instrument = request.order_type, desk.terms.instrument
    _check_combination(request)
    price = _price(request, desk)
    cash = 0
    if request.cash_order_qty is not None:
        cash = lots_of(request.cash_order_qty, desk.terms.quote_decimals)
        qty = desk.lots_for_cash(account, cash, request.stp_type)
    else:
        assert request.order_qty is not None
        qty = lots_of(request.order_qty, instrument.qty_precision)
    order = AccountOrder(account, desk, request.side, kind, qty, price)
    order.cash = cash
    order.fee_in_base = request.fee_preference == "base"
    order.time_in_force, order.post_only, order.reduce_only = (
        request.time_in_force,
        request.post_only,
        request.reduce_only,
    )
    order.stp_type, order.sender_sub_id = request.stp_type, request.sender_sub_id
    order.cl_ord_id, order.userref = request.cl_ord_id, request.order_userref
    order.conditional = request.conditional
    order.opened_ns = order.changed_ns = now_ns
    _set_display(order, request)
    _set_times(order, request, now_ns)
    _set_trigger(order, request)
    return order


def check_size(order: AccountOrder) -> None:
    """Refuse an order below the minimums of its instrument."""
    terms = order.desk.terms
    instrument = terms.instrument
    if order.qty < instrument.qty_min.scaleb(instrument.qty_precision):
        raise Refusal(MINIMUM)
    price = order.price or (order.trigger.price if order.trigger else _price_there(order))
    if price and price * order.qty < instrument.cost_min.scaleb(terms.exact_decimals):
        raise Refusal(COST)


def _price_there(order: AccountOrder) -> int:
    """What a market order will trade at, about; 0 when nothing tells."""
    quote = order.desk.market.quote
    return (quote.ask if order.side == "buy" else quote.bid) or order.desk.market.last_price


def check_price(order: AccountOrder) -> None:
    """Refuse a price that is far through the other side: a typing error, not an order."""
    if order.price is None or order.trigger is not None:
        return
    quote = order.desk.market.quote
    far = (
        quote.ask and order.price > quote.ask * PRICE_BAND
        if order.side == "buy"
        else order.price * PRICE_BAND < quote.bid
    )
    if far:
        raise Refusal(INVALID_PRICE)


# -- inside ---------------------------------------------------------------------


def _check_combination(request: AddOrder) -> None:
    """Refuse what contradicts itself, whatever the market."""
    for wrong, argument in _CONTRADICTIONS:
        if wrong(request):
            raise Refusal(f"{INVALID}:{argument}" if argument else INVALID)


def _size_missing(request: AddOrder) -> bool:
    return (request.order_qty is None) == (request.cash_order_qty is None)


def _cash_elsewhere(request: AddOrder) -> bool:
    plain = request.order_type == "market" and request.side == "buy" and not (request.margin or request.leverage)
    return request.cash_order_qty is not None and not plain


_CONTRADICTIONS: Final[tuple[tuple[Callable[[AddOrder], bool], str], ...]] = (
    (_size_missing, "volume"),
    (_cash_elsewhere, "volume"),
    (lambda asked: (asked.limit_price is None) == (asked.order_type in _LIMITED), "price"),
    (lambda asked: (asked.triggers is None) == (asked.order_type in _TRIGGERED), "price"),
    (lambda asked: (asked.display_qty is None) == (asked.order_type == "iceberg"), "displayvol"),
    (lambda asked: asked.post_only and asked.order_type not in _LIMITED, "oflags"),
    (lambda asked: asked.post_only and asked.time_in_force in ("ioc", "fok"), "timeinforce"),
    (lambda asked: asked.time_in_force == "fok" and asked.order_type != "limit", "timeinforce"),
    (lambda asked: (asked.time_in_force == "gtd") != (asked.expire_time_ns is not None), "expiretm"),
    (lambda asked: asked.order_type == "iceberg" and asked.time_in_force not in ("gtc", "gtd"), "timeinforce"),
    (lambda asked: asked.cl_ord_id is not None and asked.order_userref is not None, ""),
    (lambda asked: asked.conditional is not None and asked.cl_ord_id is not None, "cl_ord_id"),
    (lambda asked: asked.margin and asked.leverage is not None, "leverage"),
    (lambda asked: asked.conditional is not None and asked.time_in_force in ("ioc", "fok"), "close"),
)
"""What contradicts itself, and the argument that the refusal names."""


def _price(request: AddOrder, desk: Desk) -> int | None:
    if request.limit_price is None:
        return None
    decimals = desk.terms.instrument.price_precision
    if request.order_type in TRAILING and request.limit_price_type != "static":
        return None
    return price_of(request.limit_price, request.limit_price_type, decimals, desk.reference("last"))


def _set_display(order: AccountOrder, request: AddOrder) -> None:
    if request.display_qty is None:
        return
    text = f"{INVALID}:displayvol"
    order.display = lots_of(request.display_qty, order.desk.terms.instrument.qty_precision, text)
    if order.display > order.qty or order.display * SLICES < order.qty:
        raise Refusal(text)


def _set_times(order: AccountOrder, request: AddOrder, now_ns: int) -> None:
    order.effective_ns = request.effective_time_ns or 0
    order.expire_ns = request.expire_time_ns or 0
    if order.effective_ns and not now_ns <= order.effective_ns <= now_ns + _MONTH_NS:
        raise Refusal(f"{INVALID}:starttm")
    if order.expire_ns and not max(now_ns, order.effective_ns) < order.expire_ns <= now_ns + _MONTH_NS:
        raise Refusal(f"{INVALID}:expiretm")


def _set_trigger(order: AccountOrder, request: AddOrder) -> None:
    if request.triggers is None:
        return
    instrument = order.desk.terms.instrument
    if request.triggers.reference == "index" and not instrument.has_index:
        raise Refusal(f"{INVALID}:Index unavailable")
    reference = order.desk.reference(request.triggers.reference)
    order.trigger = trigger_of(request.triggers, order.side, order.order_type, instrument.price_precision, reference)
    if request.order_type == "trailing-stop-limit" and order.price is None:
        order.limit_distance = _distance(request, instrument.price_precision, order.trigger.price)


def _distance(request: AddOrder, decimals: int, trigger_price: int) -> int:
    """Ticks between the trigger and the limit; 0 is allowed."""
    assert request.limit_price is not None
    if request.limit_price == 0:
        return 0
    if request.limit_price_type == "pct":
        return int(request.limit_price * trigger_price / 100)
    distance = ticks_of(abs(request.limit_price), decimals)
    return distance if request.limit_price > 0 else -distance

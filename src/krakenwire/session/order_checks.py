"""Requests about orders before they are sent: refused here in the venue's words where the venue would refuse them.

Saves the round trip and the rate cost of a request that cannot be. What
passes can still be refused: funds, trading modes, prices relative to the
market and the state of orders are the venue's to judge. The rules for one
order are in `order_rules`. Source: v2 reference, sections 8 and 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from krakenwire import limits
from krakenwire.errors import OrderCheckError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    EditOrder,
    Instrument,
    TradingRequest,
    Trigger,
)
from krakenwire.protocol.v2 import venue_values as words
from krakenwire.session.order_rules import (
    CONSISTENCY,
    FLAT_FORM,
    FORM,
    INVALID,
    INVALID_PRICE,
    SIZES,
    TERMS,
    TICK,
    TIMES,
    Rule,
    beyond,
    off_step,
    unfit_id,
    unfit_userref,
    wrong_price,
)

__all__ = ["check_request"]

_PLAIN_DIGITS: Final = 18
"""How many digits before or behind the point are written out in an error."""

_NEAREST_NS, _FARTHEST_NS = (ms * 1_000_000 for ms in limits.DEADLINE_MS)


def check_request(
    request: TradingRequest, instrument: Instrument | None = None, *, now_ns: int | None = None, version: int = 2
) -> None:
    """Refuse a request that the venue would refuse.

    Args:
        request: about to be sent.
        instrument: of its symbol; without it increments and minimums are left to the venue.
        now_ns: Unix time in nanoseconds; without it deadlines, starts and expiries are left to the venue.
        version: 2, or 1 for v1 and REST, where any limit price may be relative to the market.

    Raises:
        OrderCheckError: with the venue's words, as v2 has them, and what would have been taken.
    """
    _CHECKS[request.__class__](request, _Context(instrument, now_ns, FORM if version == 2 else FLAT_FORM))


class _Context(NamedTuple):
    """What a request is checked against."""

    instrument: Instrument | None
    now_ns: int | None
    form: tuple[Rule, ...]


def _fail(error: str, what: str, expected: str, found: object = None) -> None:
    raise OrderCheckError(error, what, expected=expected, found=found)


def _apply(rules: Iterable[Rule], order: object, *context: Any) -> None:
    """Refuse an order by the first rule that it breaks."""
    for rule in rules:
        if rule.broken(order, *context):
            expected = rule.expected.format(i=context[0] if context else None)
            _fail(rule.error, rule.what, expected, _shown(getattr(order, rule.what)))


def _shown(value: object) -> object:
    """A value as a person would write it."""
    if isinstance(value, Trigger):
        unit = {"pct": "%", "quote": " from the reference"}.get(value.price_type, "")
        return f"{_shown(value.price)}{unit}"
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _PLAIN_DIGITS:
        return f"{value:f}"
    return value


def _deadline(deadline_ns: int | None, now_ns: int | None) -> None:
    if deadline_ns is None or now_ns is None:
        return
    ahead_ns = deadline_ns - now_ns
    if ahead_ns < 0:
        _fail("EService:Deadline elapsed", "deadline_ns", "one ahead", deadline_ns)
    if not _NEAREST_NS <= ahead_ns <= _FARTHEST_NS:
        nearest, farthest = limits.DEADLINE_MS
        _fail(f"{INVALID}:deadline", "deadline_ns", f"{nearest} to {farthest} ms ahead", deadline_ns)


def _symbol(symbol: str | None) -> None:
    if not symbol:
        _fail("Symbol(s) not found", "symbol", "BASE/QUOTE such as BTC/USD", symbol)


# -- new orders ----------------------------------------------------------------------


def _add(order: AddOrder, context: _Context) -> None:
    _symbol(order.symbol)
    _deadline(order.deadline_ns, context.now_ns)
    _apply(context.form, order)
    _in_the_market(order, context)


def _in_the_market(order: AddOrder, context: _Context) -> None:
    _apply(CONSISTENCY, order)
    if context.instrument is not None:
        _apply(TERMS, order, context.instrument)
    if context.now_ns is not None:
        _apply(TIMES, order, context.now_ns)
    if context.instrument is not None:
        _apply(SIZES, order, context.instrument)


def _batch_add(batch: BatchAdd, context: _Context) -> None:
    _symbol(batch.symbol)
    fewest, most = limits.BATCH_ADD_ORDERS
    if not fewest <= len(batch.orders) <= most:
        _fail(
            f"{INVALID}:orders" if batch.orders else "Orders(s) not found",
            "orders",
            f"{fewest} to {most}",
            len(batch.orders),
        )
    _deadline(batch.deadline_ns, context.now_ns)
    for order in batch.orders:
        if order.symbol != batch.symbol:
            _fail(INVALID, "symbol", f"{batch.symbol} in every order", order.symbol)
        _apply(context.form, order)
    for order in batch.orders:
        _in_the_market(order, context)


# -- changes -------------------------------------------------------------------------

_NO_CHANGE: Final = "EOrder:No amendable parameters specified"

_AMEND: Final = (
    Rule(INVALID, "order_id", "order_id or cl_ord_id", lambda a: a.order_id is not None and a.cl_ord_id is not None),
    Rule(
        "Order_id(s) not found", "order_id", "order_id or cl_ord_id", lambda a: not a.order_id and a.cl_ord_id is None
    ),
    Rule(
        f"{INVALID}:price",
        "limit_price_type",
        "one of the venue's words",
        lambda a: a.limit_price_type not in (None, *words.PRICE_TYPES),
    ),
    Rule(f"{INVALID}:cl_ord_id", "cl_ord_id", "the form of one", lambda a: unfit_id(a.cl_ord_id)),
    Rule(f"{INVALID}:volume", "order_qty", "a finite number of zero or more", lambda a: beyond(a.order_qty)),
    Rule(f"{INVALID}:price", "limit_price", "a finite number", lambda a: beyond(a.limit_price, signed=True)),
    Rule(f"{INVALID}:price", "trigger_price", "a finite number", lambda a: beyond(a.trigger_price, signed=True)),
    Rule(
        f"{INVALID}:price",
        "trigger_price_type",
        "one of the venue's words",
        lambda a: a.trigger_price_type not in words.PRICE_TYPES,
    ),
    Rule(f"{INVALID}:displayvol", "display_qty", "a finite number of zero or more", lambda a: beyond(a.display_qty)),
)

_AMEND_TERMS: Final = (
    Rule(
        f"{INVALID}:volume",
        "order_qty",
        "a multiple of {i.qty_increment} above zero",
        lambda a, i: a.order_qty == 0 or off_step(a.order_qty, i.qty_increment),
    ),
    Rule(
        TICK,
        "limit_price",
        "a multiple of {i.price_increment}",
        lambda a, i: a.limit_price_type in (None, "static") and off_step(a.limit_price, i.price_increment),
    ),
    Rule(
        INVALID_PRICE,
        "limit_price",
        "one above zero",
        lambda a, i: wrong_price(a.limit_price, a.limit_price_type, i.price_increment) == INVALID_PRICE,
    ),
    Rule(
        f"{INVALID}:displayvol",
        "display_qty",
        "a multiple of {i.qty_increment} above zero",
        lambda a, i: a.display_qty == 0 or off_step(a.display_qty, i.qty_increment),
    ),
    *(
        Rule(
            error,
            "trigger_price",
            "a multiple of {i.price_increment} above zero",
            lambda a, i, error=error: wrong_price(a.trigger_price, a.trigger_price_type, i.price_increment) == error,
        )
        for error in (TICK, INVALID_PRICE)
    ),
)


def _amend(amend: AmendOrder, context: _Context) -> None:
    _apply(_AMEND, amend)
    _deadline(amend.deadline_ns, context.now_ns)
    if context.instrument is not None:
        _apply(_AMEND_TERMS, amend, context.instrument)
    if all(value is None for value in (amend.order_qty, amend.limit_price, amend.trigger_price, amend.display_qty)):
        _fail(_NO_CHANGE, "amend_order", "something to change")


_EDIT: Final = (
    Rule("Order_id(s) not found", "order_id", "the order to replace", lambda e: not e.order_id),
    Rule("Symbol(s) not found", "symbol", "the order's symbol", lambda e: not e.symbol),
    Rule(f"{INVALID}:volume", "order_qty", "a finite number of zero or more", lambda e: beyond(e.order_qty)),
    Rule(f"{INVALID}:price", "limit_price", "a finite number", lambda e: beyond(e.limit_price, signed=True)),
    Rule(f"{INVALID}:price", "price", "a finite number", lambda e: beyond(e.price, signed=True)),
    Rule(
        f"{INVALID}:price",
        "triggers",
        "a finite price",
        lambda e: e.triggers is not None and beyond(e.triggers.price, signed=True),
    ),
    Rule(f"{INVALID}:displayvol", "display_qty", "a finite number of zero or more", lambda e: beyond(e.display_qty)),
    Rule(
        f"{INVALID}:oflags",
        "fee_preference",
        "one of the venue's words",
        lambda e: e.fee_preference not in (None, *words.FEE_PREFERENCES),
    ),
    Rule(f"{INVALID}:userref", "order_userref", "32 bits, signed", lambda e: unfit_userref(e.order_userref)),
)

_EDIT_TERMS: Final = (
    *(
        Rule(
            error,
            member,
            "a multiple of {i.price_increment} above zero",
            lambda e, i, error=error, member=member: (
                wrong_price(getattr(e, member), getattr(e, f"{member}_type"), i.price_increment) == error
            ),
        )
        for member in ("limit_price", "price")
        for error in (TICK, INVALID_PRICE)
    ),
    Rule(
        f"{INVALID}:volume",
        "order_qty",
        "a multiple of {i.qty_increment} above zero",
        lambda e, i: e.order_qty == 0 or off_step(e.order_qty, i.qty_increment),
    ),
    Rule(
        f"{INVALID}:displayvol",
        "display_qty",
        "a multiple of {i.qty_increment} above zero",
        lambda e, i: e.display_qty == 0 or off_step(e.display_qty, i.qty_increment),
    ),
)


def _edit(edit: EditOrder, context: _Context) -> None:
    _apply(_EDIT, edit)
    _deadline(edit.deadline_ns, context.now_ns)
    if context.instrument is not None:
        _apply(_EDIT_TERMS, edit, context.instrument)


# -- ends ----------------------------------------------------------------------------


def _cancel(cancel: CancelOrders, _context: _Context) -> None:
    count = len(cancel.order_ids) + len(cancel.cl_ord_ids) + len(cancel.order_userrefs)
    if not count:
        _fail("Order_id(s) not found", "order_ids", "at least one id")
    if count > limits.VENUE_CANCELS_PER_REQUEST_MAX:
        _fail(INVALID, "order_ids", f"at most {limits.VENUE_CANCELS_PER_REQUEST_MAX}", count)
    for userref in cancel.order_userrefs:
        if unfit_userref(userref):
            _fail(f"{INVALID}:userref", "order_userrefs", "32 bits, signed", userref)


def _batch_cancel(batch: BatchCancel, _context: _Context) -> None:
    count, (fewest, most) = len(batch.order_ids) + len(batch.cl_ord_ids), limits.BATCH_CANCEL_ORDERS
    if not count:
        _fail("Orders(s) not found", "order_ids", f"{fewest} to {most} ids")
    if not fewest <= count <= most:
        _fail(f"{INVALID}:orders", "order_ids", f"{fewest} to {most} ids", count)


def _cancel_all(_request: CancelAll, _context: _Context) -> None:
    """There is nothing to get wrong."""


def _cancel_all_after(request: CancelAllAfter, _context: _Context) -> None:
    if not 0 <= request.timeout_s < limits.CANCEL_AFTER_S_MAX:
        expected = f"seconds below {limits.CANCEL_AFTER_S_MAX}"
        _fail(f"{INVALID}:Invalid timeout argument", "timeout_s", expected, request.timeout_s)


_CHECKS: Final[Mapping[type[TradingRequest], Callable[[Any, _Context], None]]] = {
    AddOrder: _add,
    AmendOrder: _amend,
    EditOrder: _edit,
    CancelOrders: _cancel,
    CancelAll: _cancel_all,
    CancelAllAfter: _cancel_all_after,
    BatchAdd: _batch_add,
    BatchCancel: _batch_cancel,
}

"""From what a user writes to a request: numbers, symbols and times in any usual form, floats refused.

The names are the venue's own. Nothing is judged here but the form: the rules of
orders are in `session.order_checks`. Next: `trading`, the methods that take these.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypedDict, Unpack

from krakenwire.client.clock import now_ns
from krakenwire.errors import UsageError
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelOrders,
    Conditional,
    EditOrder,
    FeePreference,
    OrderSide,
    OrderType,
    PriceType,
    SelfTradePrevention,
    TimeInForce,
    Trigger,
    TriggerReference,
)
from krakenwire.protocol.symbols import to_v2

__all__ = [
    "AmendOptions",
    "EditOptions",
    "Number",
    "OrderOptions",
    "When",
    "amendment",
    "batch",
    "batch_cancellation",
    "cancellation",
    "edition",
    "order",
]

Number = Decimal | int | str
"""A price or quantity, exact: a float is refused."""

When = datetime | timedelta | int
"""A time: a `datetime` with a zone, a `timedelta` from now, or nanoseconds since 1970 UTC."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class OrderOptions(TypedDict, total=False):
    """What an order can have besides symbol, side, type, quantity and limit price. Absent leaves the venue's default.

    Args:
        cash_order_qty: quote units a market buy may spend, instead of a quantity.
        limit_price_type: ``static``, ``pct`` or ``quote``.
        trigger_price, trigger_price_type, trigger_reference: of stop, take-profit and trailing orders.
        time_in_force: ``gtc``, ``gtd``, ``ioc``, ``fok``; `expire_time` goes with ``gtd``.
        effective_time: when it starts. deadline: after it the venue refuses the order.
        display_qty: what an iceberg shows.
        conditional: the closing order that its fills place.
        validate: check only.
        sender_sub_id: whose of the account it is, for self-trade prevention.
    """

    cash_order_qty: Number
    limit_price_type: PriceType
    trigger_price: Number
    trigger_price_type: PriceType
    trigger_reference: TriggerReference
    time_in_force: TimeInForce
    expire_time: When
    effective_time: When
    deadline: When
    display_qty: Number
    post_only: bool
    reduce_only: bool
    margin: bool
    leverage: int
    fee_preference: FeePreference
    stp_type: SelfTradePrevention
    cl_ord_id: str
    order_userref: int
    conditional: Conditional
    validate: bool
    sender_sub_id: str


class AmendOptions(TypedDict, total=False):
    """What can be amended; `order_qty` is the new total, what has traded included."""

    order_qty: Number
    limit_price: Number
    limit_price_type: PriceType
    trigger_price: Number
    trigger_price_type: PriceType
    display_qty: Number
    post_only: bool
    deadline: When
    symbol: str


class EditOptions(TypedDict, total=False):
    """What can be edited."""

    order_qty: Number
    limit_price: Number
    trigger_price: Number
    trigger_price_type: PriceType
    trigger_reference: TriggerReference
    display_qty: Number
    post_only: bool
    reduce_only: bool
    fee_preference: FeePreference
    order_userref: int
    deadline: When
    validate: bool


_NUMBERS: Final = ("order_qty", "limit_price", "cash_order_qty", "display_qty")
_TIMES: Final = {"expire_time": "expire_time_ns", "effective_time": "effective_time_ns", "deadline": "deadline_ns"}
_TRIGGER: Final = {"trigger_price": "price", "trigger_price_type": "price_type", "trigger_reference": "reference"}


def exact(name: str, value: object) -> Decimal:
    """Return a number as it was meant, to the last digit.

    Raises:
        UsageError: a float, or not a finite number.
    """
    if isinstance(value, float):
        raise UsageError(name, expected="a str, an int or a Decimal", found=value, hint=f"Write {str(value)!r}.")
    try:
        number = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise UsageError(name, expected="a number", found=value)
    return number


def time_ns(name: str, when: When) -> int:
    """Return a time in nanoseconds since 1970 UTC.

    Raises:
        UsageError: a `datetime` without a zone, or no time at all.
    """
    if isinstance(when, timedelta):
        return now_ns() + _microseconds(when) * 1000
    if isinstance(when, datetime):
        if when.tzinfo is None:
            raise UsageError(name, expected="a datetime with a zone", found=when, hint="datetime.now(UTC) has one.")
        return _microseconds(when - _EPOCH) * 1000
    if isinstance(when, int) and not isinstance(when, bool):
        return when
    raise UsageError(name, expected="a datetime, a timedelta or nanoseconds", found=when)


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _members(options: dict[str, Any], allowed: Iterable[str]) -> dict[str, Any]:
    """The members of a request that options mean."""
    names = frozenset(allowed)
    members: dict[str, Any] = {}
    for name, value in options.items():
        if name not in names:
            raise UsageError("option of an order", expected="one of " + ", ".join(sorted(names)), found=name)
        if value is None:
            continue
        if name in _TIMES:
            members[_TIMES[name]] = time_ns(name, value)
        elif name in _NUMBERS or name == "trigger_price":
            members[name] = exact(name, value)
        else:
            members[name] = value
    return members


def _with_trigger(members: dict[str, Any]) -> dict[str, Any]:
    """Put what is about the trigger into one member."""
    given = {inner: members.pop(name) for name, inner in _TRIGGER.items() if name in members}
    if given and "price" not in given:
        raise UsageError("the trigger of an order", expected="trigger_price", found=", ".join(given))
    return members | {"triggers": Trigger(**given)} if given else members


def order(
    symbol: str,
    side: OrderSide,
    order_type: OrderType = "limit",
    order_qty: Number | None = None,
    limit_price: Number | None = None,
    **options: Unpack[OrderOptions],
) -> AddOrder:
    """Return a new order, for `Kraken.send` or a batch.

    Raises:
        UsageError: a float, a number or time that is none, an option that does not exist.
        SymbolError: a spelling that names no instrument.
    """
    given: dict[str, Any] = {"order_qty": order_qty, "limit_price": limit_price, **options}
    members = _members(given, ("order_qty", "limit_price", *OrderOptions.__annotations__))
    if order_type == "trailing-stop-limit":
        members.setdefault("limit_price_type", "quote")
    return AddOrder(symbol=to_v2(symbol), side=side, order_type=order_type, **_with_trigger(members))


def amendment(order_id: str | None, cl_ord_id: str | None, options: AmendOptions) -> AmendOrder:
    """Return a change of an order.

    Raises:
        UsageError, SymbolError: as `order`.
    """
    members = _members({**options}, AmendOptions.__annotations__)
    if "symbol" in members:
        members["symbol"] = to_v2(members["symbol"])
    return AmendOrder(order_id=order_id, cl_ord_id=cl_ord_id, **members)


def edition(order_id: str, symbol: str, options: EditOptions) -> EditOrder:
    """Return the replacement of an order.

    Raises:
        UsageError, SymbolError: as `order`.
    """
    members = _with_trigger(_members({**options}, EditOptions.__annotations__))
    return EditOrder(order_id=order_id, symbol=to_v2(symbol), **members)


def cancellation(order_ids: tuple[str, ...], cl_ord_ids: Iterable[str], order_userrefs: Iterable[int]) -> CancelOrders:
    """Return an end to some orders.

    Raises:
        UsageError: none is named.
    """
    request = CancelOrders(order_ids=order_ids, cl_ord_ids=_several(cl_ord_ids), order_userrefs=tuple(order_userrefs))
    if request == CancelOrders():
        raise UsageError("a cancellation", expected="at least one order", hint="cancel_all() ends them all.")
    return request


def batch(orders: Iterable[AddOrder], deadline: When | None, validate: bool) -> BatchAdd:
    """Return several orders of one symbol as one request.

    Raises:
        UsageError: none, or of several symbols.
    """
    placed = tuple(orders)
    symbols = {placed_order.symbol for placed_order in placed}
    if len(symbols) != 1:
        raise UsageError("a batch", expected="orders of one symbol", found=", ".join(sorted(symbols)) or "none")
    deadline_ns = None if deadline is None else time_ns("deadline", deadline)
    return BatchAdd(symbol=symbols.pop(), orders=placed, deadline_ns=deadline_ns, validate=validate)


def batch_cancellation(order_ids: tuple[str, ...], cl_ord_ids: Iterable[str]) -> BatchCancel:
    """Return an end to several orders that is answered with one count.

    Raises:
        UsageError: none is named.
    """
    request = BatchCancel(order_ids=order_ids, cl_ord_ids=_several(cl_ord_ids))
    if request == BatchCancel():
        raise UsageError("a cancellation", expected="at least one order", hint="cancel_all() ends them all.")
    return request


def _several(texts: Iterable[str]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else tuple(texts)

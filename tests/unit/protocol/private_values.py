"""Values of the private half for tests: requests, answers, events, as hypothesis makes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    BatchCancel,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    OrderType,
    PriceType,
    TradingRequest,
    Trigger,
)
from krakenwire.model.numbers import scaled_to_decimal

NOW_NS = 1_800_000_000_123_456_789
SECOND_NS = 1_000_000_000

ORDER_TYPES: tuple[OrderType, ...] = get_args(OrderType)
LIMITED = ("limit", "iceberg", "stop-loss-limit", "take-profit-limit", "trailing-stop-limit")
TRIGGERED = ORDER_TYPES[3:9]

symbols = st.from_regex(r"[A-Z0-9]{1,6}/[A-Z]{3,5}", fullmatch=True)
numbers = st.builds(scaled_to_decimal, st.integers(0, 10**17), st.integers(0, 10))
signed = st.builds(scaled_to_decimal, st.integers(-(10**12), 10**12), st.integers(0, 10))
price_types: st.SearchStrategy[PriceType] = st.sampled_from(get_args(PriceType))
userrefs = st.integers(-(1 << 31), (1 << 31) - 1)
client_ids = (
    st.uuids().map(str) | st.uuids().map(lambda uuid: uuid.hex) | st.from_regex(r"[ -~]{1,18}\Z", fullmatch=True)
)
tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=43)
order_ids = st.from_regex(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}", fullmatch=True)

deadlines = st.integers(1_000, 60_000).map(lambda ms: NOW_NS // 1_000_000 * 1_000_000 + ms * 1_000_000)
expiries = st.integers(1, 31 * 86_400).map(lambda s: (NOW_NS // SECOND_NS + s) * SECOND_NS)
starts = st.integers(-10_000, 10_000_000).map(lambda s: (NOW_NS // SECOND_NS + s) * SECOND_NS)
triggers = st.builds(Trigger, price=signed, price_type=price_types, reference=st.sampled_from(("last", "index")))


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


@st.composite
def closes(draw: st.DrawFn) -> Conditional:
    order_type = draw(st.sampled_from(("limit", *TRIGGERED)))
    trailing = order_type == "trailing-stop-limit"
    return Conditional(
        order_type=order_type,
        limit_price=draw(signed if order_type in LIMITED else maybe(signed)),
        limit_price_type=draw(price_types) if trailing else "static",
        trigger_price=draw(signed if order_type in TRIGGERED else maybe(signed)),
        trigger_price_type=draw(price_types),
    )


@st.composite
def orders(draw: st.DrawFn, symbol: str | None = None, alone: bool = True) -> AddOrder:
    """Orders that v2 takes as they are: what their type needs is there."""
    order_type = draw(st.sampled_from(ORDER_TYPES))
    time_in_force = draw(st.sampled_from(("gtc", "gtd", "ioc", "fok")))
    in_cash, named = draw(st.booleans()), draw(st.sampled_from(("cl_ord_id", "order_userref", "")))
    return AddOrder(
        symbol=draw(symbols) if symbol is None else symbol,
        side=draw(st.sampled_from(("buy", "sell"))),
        order_type=order_type,
        order_qty=None if in_cash else draw(numbers),
        cash_order_qty=draw(numbers) if in_cash else None,
        limit_price=draw(signed if order_type in LIMITED else maybe(signed)),
        limit_price_type=draw(price_types) if order_type == "trailing-stop-limit" else "static",
        triggers=draw(triggers if order_type in TRIGGERED else maybe(triggers)),
        time_in_force=time_in_force,
        expire_time_ns=draw(expiries) if time_in_force == "gtd" else None,
        effective_time_ns=draw(maybe(starts)),
        deadline_ns=draw(maybe(deadlines)) if alone else None,
        display_qty=draw(numbers if order_type == "iceberg" else maybe(numbers)),
        post_only=draw(st.booleans()),
        reduce_only=draw(st.booleans()),
        margin=draw(st.booleans()),
        fee_preference=draw(maybe(st.sampled_from(("base", "quote")))),
        stp_type=draw(st.sampled_from(("cancel_newest", "cancel_oldest", "cancel_both"))),
        cl_ord_id=draw(client_ids) if named == "cl_ord_id" else None,
        order_userref=draw(userrefs) if named == "order_userref" else None,
        conditional=draw(maybe(closes())),
        validate=draw(st.booleans()) if alone else False,
        sender_sub_id=draw(maybe(client_ids)),
    )


@st.composite
def batches(draw: st.DrawFn) -> BatchAdd:
    symbol = draw(symbols)
    rows = draw(st.lists(orders(symbol=symbol, alone=False), min_size=2, max_size=3))
    return BatchAdd(symbol=symbol, orders=tuple(rows), deadline_ns=draw(maybe(deadlines)), validate=draw(st.booleans()))


amends = st.builds(
    AmendOrder,
    order_id=st.none(),
    cl_ord_id=client_ids,
    order_qty=maybe(numbers),
    limit_price=maybe(signed),
    limit_price_type=maybe(price_types),
    trigger_price=maybe(signed),
    trigger_price_type=price_types,
    display_qty=maybe(numbers),
    post_only=st.booleans(),
    deadline_ns=maybe(deadlines),
    symbol=maybe(symbols),
) | st.builds(AmendOrder, order_id=order_ids, order_qty=numbers)

edits = st.builds(
    EditOrder,
    order_id=order_ids,
    symbol=symbols,
    order_qty=maybe(numbers),
    limit_price=maybe(signed),
    limit_price_type=st.just("static"),
    triggers=maybe(triggers),
    display_qty=maybe(numbers),
    post_only=maybe(st.booleans()),
    reduce_only=maybe(st.booleans()),
    fee_preference=maybe(st.sampled_from(("base", "quote"))),
    order_userref=maybe(userrefs),
    deadline_ns=maybe(deadlines),
    validate=st.booleans(),
)

id_lists = st.lists(order_ids, min_size=1, max_size=3).map(tuple)
cancels = st.builds(
    CancelOrders,
    order_ids=id_lists,
    cl_ord_ids=st.lists(client_ids, max_size=3).map(tuple),
    order_userrefs=st.lists(userrefs, max_size=3).map(tuple),
) | st.builds(CancelOrders, order_userrefs=st.lists(userrefs, min_size=1, max_size=3).map(tuple))

batch_cancels = st.builds(
    BatchCancel, order_ids=id_lists, cl_ord_ids=st.lists(client_ids, min_size=1, max_size=3).map(tuple)
)

requests: st.SearchStrategy[TradingRequest] = (
    orders()
    | batches()
    | amends
    | edits
    | cancels
    | batch_cancels
    | st.just(CancelAll())
    | st.builds(CancelAllAfter, timeout_s=st.integers(0, 86_399))
)


def digits(value: object) -> object:
    """A value with its numbers as texts, so that equal means equal digits."""
    plain = msgspec.to_builtins(value, builtin_types=(Decimal,))
    return _digits(plain)


def _digits(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {name: _digits(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_digits(item) for item in value]
    return value

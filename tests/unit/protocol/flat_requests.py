"""Requests that v1 and REST can say, as hypothesis makes them: prices by their places, whole seconds, real pairs."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

from hypothesis import strategies as st
from tests.unit.protocol.private_values import (
    LIMITED,
    ORDER_TYPES,
    TRIGGERED,
    client_ids,
    deadlines,
    expiries,
    maybe,
    numbers,
    order_ids,
    price_types,
    starts,
    userrefs,
)

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
    PriceType,
    SelfTradePrevention,
    Trigger,
)

pairs = st.sampled_from(("BTC/USD", "DOGE/EUR", "ETH/BTC", "SOL/USDT", "TSLAx/USD"))
sub_pairs = maybe(pairs)


@st.composite
def prices(draw: st.DrawFn) -> tuple[Decimal, PriceType]:
    """A price and its kind; only one that is relative may be below zero."""
    kind = draw(price_types)
    value = draw(numbers)
    return (-value if kind != "static" and draw(st.booleans()) else value), kind


@st.composite
def closes(draw: st.DrawFn) -> Conditional:
    order_type = draw(st.sampled_from(("limit", *TRIGGERED)))
    limit, trigger = draw(prices()), draw(prices())
    return Conditional(
        order_type=order_type,
        limit_price=limit[0] if order_type in LIMITED else None,
        limit_price_type=limit[1] if order_type in LIMITED else "static",
        trigger_price=trigger[0] if order_type in TRIGGERED else None,
        trigger_price_type=trigger[1] if order_type in TRIGGERED else "static",
    )


@st.composite
def flat_orders(draw: st.DrawFn, symbol: str | None = None, alone: bool = True, v1: bool = False) -> AddOrder:
    order_type = draw(st.sampled_from([kind for kind in ORDER_TYPES if not (v1 and kind == "iceberg")]))
    time_in_force = draw(st.sampled_from(("gtc", "gtd", "ioc") if v1 else ("gtc", "gtd", "ioc", "fok")))
    in_cash, named = draw(st.booleans()), draw(st.sampled_from(("cl_ord_id", "order_userref", "")))
    limit, trigger = draw(prices()), draw(prices())
    reference = "last" if v1 else draw(st.sampled_from(("last", "index")))
    display = numbers if order_type == "iceberg" else maybe(numbers)
    return AddOrder(
        symbol=draw(pairs) if symbol is None else symbol,
        side=draw(st.sampled_from(("buy", "sell"))),
        order_type=order_type,
        order_qty=None if in_cash else draw(numbers),
        cash_order_qty=draw(numbers) if in_cash else None,
        limit_price=limit[0] if order_type in LIMITED else None,
        limit_price_type=limit[1] if order_type in LIMITED else "static",
        triggers=Trigger(price=trigger[0], price_type=trigger[1], reference=reference)  # type: ignore[arg-type]  # words
        if order_type in TRIGGERED
        else None,
        time_in_force=time_in_force,
        expire_time_ns=draw(expiries if time_in_force == "gtd" else maybe(expiries)),
        effective_time_ns=draw(maybe(starts)),
        deadline_ns=draw(maybe(deadlines)) if alone else None,
        display_qty=None if v1 else draw(display),
        post_only=draw(st.booleans()),
        reduce_only=draw(st.booleans()),
        margin=draw(st.booleans()),
        leverage=draw(maybe(st.integers(1, 50))),
        fee_preference=draw(maybe(st.sampled_from(("base", "quote")))),
        stp_type=draw(st.sampled_from(get_args(SelfTradePrevention))),
        cl_ord_id=draw(client_ids) if named == "cl_ord_id" else None,
        order_userref=draw(userrefs) if named == "order_userref" else None,
        conditional=draw(maybe(closes())),
        validate=draw(st.booleans()) if alone else False,
        sender_sub_id=draw(maybe(client_ids)),
    )


@st.composite
def flat_batches(draw: st.DrawFn) -> BatchAdd:
    symbol = draw(pairs)
    rows = draw(st.lists(flat_orders(symbol=symbol, alone=False), min_size=2, max_size=3))
    return BatchAdd(symbol=symbol, orders=tuple(rows), deadline_ns=draw(maybe(deadlines)), validate=draw(st.booleans()))


@st.composite
def flat_amends(draw: st.DrawFn) -> AmendOrder:
    limit, trigger = draw(maybe(prices())), draw(maybe(prices()))
    by_client = draw(st.booleans())
    return AmendOrder(
        order_id=None if by_client else draw(order_ids),
        cl_ord_id=draw(client_ids) if by_client else None,
        order_qty=draw(maybe(numbers)),
        limit_price=None if limit is None else limit[0],
        limit_price_type=None if limit is None else limit[1],
        trigger_price=None if trigger is None else trigger[0],
        trigger_price_type="static" if trigger is None else trigger[1],
        display_qty=draw(maybe(numbers)),
        post_only=draw(st.booleans()),
        deadline_ns=draw(maybe(deadlines)),
        symbol=draw(sub_pairs),
    )


@st.composite
def flat_edits(draw: st.DrawFn, v1: bool = False) -> EditOrder:
    first = draw(maybe(prices()))
    second = None if first is None else draw(maybe(prices()))
    post_only = draw(maybe(st.booleans()))
    return EditOrder(
        order_id=draw(order_ids | userrefs.map(str)),
        symbol=draw(pairs),
        order_qty=draw(maybe(numbers)),
        price=None if first is None else first[0],
        price_type="static" if first is None else first[1],
        limit_price=None if second is None else second[0],
        limit_price_type="static" if second is None else second[1],
        display_qty=None if v1 else draw(maybe(numbers)),
        post_only=post_only,
        fee_preference=None if post_only is None else draw(maybe(st.sampled_from(("base", "quote")))),
        order_userref=draw(maybe(userrefs)),
        deadline_ns=None if v1 else draw(maybe(deadlines)),
        validate=draw(st.booleans()),
    )


ids = st.lists(order_ids, min_size=1, max_size=3).map(tuple)
timers = st.builds(CancelAllAfter, timeout_s=st.integers(0, 86_399))

v1_requests = (
    flat_orders(v1=True)
    | flat_amends()
    | flat_edits(v1=True)
    | st.builds(CancelOrders, order_ids=ids, cl_ord_ids=st.lists(client_ids, max_size=3).map(tuple))
    | st.builds(CancelOrders, cl_ord_ids=st.lists(client_ids, min_size=1, max_size=3).map(tuple))
    | st.just(CancelAll())
    | timers
)

rest_requests = (
    flat_orders()
    | flat_batches()
    | flat_amends()
    | flat_edits()
    | st.builds(CancelOrders, order_ids=ids)
    | st.builds(CancelOrders, cl_ord_ids=st.tuples(client_ids))
    | st.builds(BatchCancel, order_ids=ids, cl_ord_ids=st.lists(client_ids, max_size=3).map(tuple))
    | st.just(CancelAll())
    | timers
)

"""Values of the private half for tests: requests, answers, events, as hypothesis makes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    Answer,
    BalanceChange,
    BalanceChanges,
    Balances,
    BatchAdd,
    BatchAdded,
    BatchCancel,
    BatchCanceled,
    CancelAll,
    CancelAllAfter,
    Canceled,
    CancelOrders,
    Conditional,
    Contingent,
    Edited,
    EditOrder,
    ExecType,
    Execution,
    Executions,
    Fee,
    OrderRefused,
    OrderStatus,
    OrderType,
    PriceType,
    TimerSet,
    TradingRequest,
    Trigger,
    TriggerState,
    Wallet,
    WalletBalance,
)
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.orders import METHODS

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


# -- what the venue says -----------------------------------------------------------

micros = st.integers(0, 4_000_000_000_000_000).map(lambda us: us * 1000)
seconds = st.integers(0, 4_000_000_000).map(lambda s: s * SECOND_NS)
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
sequences = st.integers(1, 2**53)

trigger_states = st.builds(
    TriggerState,
    reference=st.sampled_from(("last", "index")),
    price=maybe(signed),
    price_type=price_types,
    actual_price=maybe(numbers),
    peak_price=maybe(numbers),
    last_price=maybe(numbers),
    status=st.sampled_from(("untriggered", "triggered")),
    time_ns=maybe(micros),
)
contingents = st.builds(
    Contingent,
    order_type=st.sampled_from(ORDER_TYPES),
    trigger_price=maybe(signed),
    trigger_price_type=maybe(price_types),
    limit_price=maybe(signed),
    limit_price_type=maybe(price_types),
)
executions = st.builds(
    Execution,
    order_id=words,
    exec_type=st.sampled_from(get_args(ExecType)),
    order_status=st.sampled_from(get_args(OrderStatus)),
    time_ns=micros,
    symbol=maybe(words),
    side=maybe(st.sampled_from(("buy", "sell"))),
    order_type=maybe(st.sampled_from(ORDER_TYPES)),
    limit_price=maybe(signed),
    limit_price_type=maybe(price_types),
    time_in_force=maybe(st.sampled_from(("gtc", "gtd", "ioc", "fok"))),
    **dict.fromkeys(("effective_time_ns", "expire_time_ns"), maybe(micros)),
    **dict.fromkeys(("post_only", "reduce_only", "margin", "margin_borrow", "liquidated", "amended"), st.booleans()),
    fee_preference=maybe(st.sampled_from(("base", "quote"))),
    triggers=maybe(trigger_states),
    contingent=maybe(contingents),
    order_userref=maybe(userrefs),
    **dict.fromkeys(("cl_ord_id", "sender_sub_id", "ord_ref_id", "exec_id", "reason"), maybe(words)),
    **dict.fromkeys(
        (
            *("order_qty", "cash_order_qty", "display_qty", "display_qty_remain", "cum_qty", "cum_cost"),
            *("avg_price", "fee_usd_equiv", "last_qty", "last_price", "cost"),
        ),
        maybe(numbers),
    ),
    trade_id=maybe(st.integers(0, 2**63)),
    liquidity_ind=maybe(st.sampled_from(("m", "t"))),
    fees=st.lists(st.builds(Fee, asset=words, qty=numbers), max_size=2).map(tuple),
    position_status=maybe(st.sampled_from(("opened", "closing", "closed"))),
    ratecount=maybe(st.integers(0, 200)),
)
"""Reports with any members at all, but for the leverage that v2 does not tell."""

execution_messages = st.builds(
    Executions,
    kind=st.sampled_from(("snapshot", "update")),
    executions=st.lists(executions, max_size=3).map(tuple),
    sequence=sequences,
)
balance_snapshots = st.builds(
    Balances,
    balances=st.lists(
        st.builds(
            WalletBalance,
            asset=words,
            balance=signed,
            wallets=st.lists(st.builds(Wallet, type=words, id=words, balance=signed), max_size=2).map(tuple),
            asset_class=words,
        ),
        max_size=3,
    ).map(tuple),
    sequence=sequences,
)
balance_updates = st.builds(
    BalanceChanges,
    changes=st.lists(
        st.builds(
            BalanceChange,
            time_ns=micros,
            **dict.fromkeys(("amount", "fee", "balance"), signed),
            **dict.fromkeys(
                ("ledger_id", "ref_id", "type", "asset", "category", "asset_class", "wallet_type", "wallet_id"), words
            ),
            subtype=maybe(words),
        ),
        max_size=3,
    ).map(tuple),
    sequence=sequences,
)

some_words = st.lists(words, max_size=2).map(tuple)
refused = st.builds(OrderRefused, words)
added = st.builds(
    Added,
    order_id=order_ids,
    cl_ord_id=maybe(words),
    order_userref=maybe(userrefs),
    warnings=some_words,
) | st.just(Added(order_id=""))
answers: st.SearchStrategy[tuple[str, Answer]] = st.one_of(
    st.tuples(st.sampled_from(tuple(METHODS.values())), refused),
    st.tuples(st.just("add_order"), added),
    st.tuples(
        st.just("amend_order"),
        st.builds(Amended, amend_id=words, order_id=maybe(order_ids), cl_ord_id=maybe(words), warnings=some_words),
    ),
    st.tuples(
        st.just("edit_order"),
        st.builds(Edited, order_id=words, original_order_id=words, warnings=some_words),
    ),
    st.tuples(
        st.just("cancel_order"),
        st.builds(Canceled, order_id=maybe(order_ids), cl_ord_id=maybe(words), order_userref=maybe(userrefs)),
    ),
    st.tuples(st.just("cancel_all"), st.builds(AllCanceled, st.integers(0, 10**6))),
    st.tuples(st.just("cancel_all_orders_after"), st.builds(TimerSet, current_ns=seconds, trigger_ns=maybe(seconds))),
    st.tuples(st.just("batch_add"), st.builds(BatchAdded, st.lists(added | refused, max_size=3).map(tuple))),
    st.tuples(st.just("batch_cancel"), st.builds(BatchCanceled, st.integers(0, 50))),
)
"""A method with one of its answers, as far as v2 tells them."""

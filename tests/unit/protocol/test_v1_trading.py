"""The client's requests come to the venue as they were meant, and the venue's statuses and entries back."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.protocol.flat_requests import flat_orders, v1_requests
from tests.unit.protocol.private_values import (
    NOW_NS,
    answers,
    digits,
    maybe,
    micros,
    order_ids,
    sequences,
    tokens,
    userrefs,
)

from krakenwire.errors import DecodeError, UsageError
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    AmendOrder,
    Answer,
    BatchAdd,
    BatchCancel,
    Canceled,
    CancelOrders,
    Contingent,
    Edited,
    EditOrder,
    Execution,
    Executions,
    Fee,
    OrderRecord,
    OrderRefused,
    Subscribed,
    Subscription,
    TimerSet,
    TradeRecord,
    TradingReply,
    TradingRequest,
    Trigger,
    TriggerState,
    Unknown,
    Unsubscribed,
)
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.records import order_record
from krakenwire.protocol.descriptions import PairTexts
from krakenwire.protocol.v1 import ClientCodec, private_frames
from krakenwire.protocol.v1.trading import (
    encode_request,
    subscribe_open_orders,
    subscribe_own_trades,
    unsubscribe_private,
)
from krakenwire.protocol.v1.venue import PrivateSubscribe, PrivateUnsubscribe, TradingCall, parse_request

CODEC = ClientCodec()
PAIR = PairTexts(
    rest_key="XXBTZUSD", altname="XBTUSD", wsname="XBT/USD", price_decimals=1, cost_decimals=5, v1_decimals=5
)
EVENTS = {
    "add_order": "addOrder",
    "amend_order": "amendOrder",
    "edit_order": "editOrder",
    "cancel_order": "cancelOrder",
    "cancel_all": "cancelAll",
    "cancel_all_orders_after": "cancelAllOrdersAfter",
}
ORDER = AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal(1), limit_price=Decimal(7))


def replaced(request: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(request, **changes)


# -- requests --------------------------------------------------------------------


@given(v1_requests, tokens, st.integers(0, 2**64 - 1))
def test_a_request_comes_to_the_venue_as_it_was_meant(request_: TradingRequest, token: str, req_id: int) -> None:
    call = parse_request(encode_request(request_, token, req_id), NOW_NS)
    assert isinstance(call, TradingCall), call
    assert digits(call.request) == digits(request_)
    assert (call.token, call.req_id) == (token, req_id)


@given(flat_orders(v1=True))
def test_every_scalar_of_an_order_is_a_string(order: AddOrder) -> None:
    message = json.loads(encode_request(order, "t", 1))
    assert all(isinstance(value, str) for name, value in message.items() if name != "reqid")


def test_the_documented_order_is_written_as_documented() -> None:
    order = replaced(ORDER, order_qty=Decimal("10.123"), limit_price=Decimal(9000))
    assert encode_request(order, "t", 3) == (
        '{"event":"addOrder","ordertype":"limit","pair":"XBT/USD","price":"9000","reqid":3,"token":"t",'
        '"type":"buy","volume":"10.123"}'
    )


def test_userrefs_are_canceled_among_the_ids() -> None:
    asked = CancelOrders(order_ids=("O1",), cl_ord_ids=("c",), order_userrefs=(7, -8))
    assert json.loads(encode_request(asked, "t", 1))["txid"] == ["O1", "7", "-8"]


@pytest.mark.parametrize(
    ("edit", "prices"),
    [
        (EditOrder(order_id="O1", symbol="BTC/USD", price=Decimal(7)), ("7", None)),
        (EditOrder(order_id="O1", symbol="BTC/USD", triggers=Trigger(price=Decimal(7))), ("7", None)),
        (
            EditOrder(
                order_id="O1",
                symbol="BTC/USD",
                triggers=Trigger(price=Decimal(-7), price_type="pct"),
                limit_price=Decimal(6),
            ),
            ("-7%", "6"),
        ),
        (EditOrder(order_id="O1", symbol="BTC/USD", price=Decimal(5), limit_price=Decimal(6)), ("5", "6")),
    ],
)
def test_the_prices_of_an_edit_have_places(edit: EditOrder, prices: tuple[str, str | None]) -> None:
    message = json.loads(encode_request(edit, "t", 1))
    assert (message.get("price"), message.get("price2")) == prices


EDIT = EditOrder(order_id="O1", symbol="BTC/USD")


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (BatchAdd(symbol="BTC/USD", orders=(ORDER, ORDER)), "a batch"),
        (BatchCancel(order_ids=("O1", "O2")), "a batch"),
        (replaced(ORDER, order_type="iceberg", display_qty=Decimal(1)), "displayvol"),
        (replaced(ORDER, time_in_force="fok"), "fok"),
        (
            replaced(
                ORDER,
                order_type="stop-loss",
                limit_price=None,
                triggers=Trigger(price=Decimal(7), reference="index"),
            ),
            "trigger of an order",
        ),
        (replaced(ORDER, symbol="nonsense"), "the symbol"),
        (replaced(ORDER, limit_price=Decimal(-7)), "a number of an order"),
        (replaced(ORDER, limit_price=Decimal("NaN")), "a number of an order"),
        (replaced(ORDER, order_qty=Decimal(-7)), "a number of an order"),
        (replaced(ORDER, order_qty=None), "the quantity"),
        (replaced(ORDER, cash_order_qty=Decimal(1)), "the quantity"),
        (replaced(ORDER, limit_price=None), "the limit price of a limit order"),
        (replaced(ORDER, order_type="market"), "the limit price of a market order"),
        (replaced(ORDER, triggers=Trigger(price=Decimal(7))), "the trigger of a limit order"),
        (replaced(ORDER, order_type="stop-loss", limit_price=None), "the trigger of a stop-loss order"),
        (replaced(EDIT, symbol=None), "the symbol of the order"),
        (replaced(EDIT, deadline_ns=1), "deadline of an edit"),
        (replaced(EDIT, display_qty=Decimal(1)), "displayvol of an edit"),
        (replaced(EDIT, reduce_only=True), "reduce_only"),
        (replaced(EDIT, fee_preference="base"), "post_only of an edit"),
        (replaced(EDIT, triggers=Trigger(price=Decimal(7), reference="index")), "the trigger of an edit"),
        (replaced(EDIT, triggers=Trigger(price=Decimal(7)), price=Decimal(7)), "the trigger of an edit"),
        (replaced(EDIT, limit_price=Decimal(7)), "the limit price of an edit"),
        (AmendOrder(order_id="O1", symbol="nonsense"), "the symbol"),
    ],
)
def test_what_v1_cannot_say_is_a_usage_error(request_: TradingRequest, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        encode_request(request_, "t", 1)


def test_private_channels_are_asked_for_and_let_go() -> None:
    orders = parse_request(subscribe_open_orders("t", 5, ratecounter=True))
    assert isinstance(orders, PrivateSubscribe)
    assert (orders.channel, orders.token, orders.req_id, orders.ratecounter) == ("openOrders", "t", 5, True)
    trades = parse_request(subscribe_own_trades("t", 6, snapshot=False, consolidate_taker=False))
    assert isinstance(trades, PrivateSubscribe)
    assert (trades.channel, trades.snapshot, trades.consolidate_taker) == ("ownTrades", False, False)
    ended = parse_request(unsubscribe_private("ownTrades", "t", 7))
    assert isinstance(ended, PrivateUnsubscribe)
    assert (ended.channel, ended.token, ended.req_id) == ("ownTrades", "t", 7)


# -- replies ---------------------------------------------------------------------


def decoded(frame: str) -> Any:
    (event,) = CODEC.decode(frame)
    return event


@given(answers, maybe(st.integers(0, 2**64 - 1)))
def test_an_answer_comes_back_as_it_was_given(of_method: tuple[str, Answer], req_id: int | None) -> None:
    method, answer = of_method
    if method not in EVENTS:
        return
    reply = decoded(private_frames.answered(EVENTS[method], answer, req_id))
    assert reply == TradingReply(method=method, answer=as_told(answer), req_id=req_id)


def as_told(answer: Answer) -> Answer:
    """What v1 tells of an answer: no warnings, no userref, no name of what was canceled."""
    if isinstance(answer, Canceled):
        return Canceled()
    if isinstance(answer, Added):
        return replaced(answer, order_userref=None, warnings=(), cl_ord_id=answer.cl_ord_id or None)  # type: ignore[no-any-return]
    if hasattr(answer, "warnings"):
        known = {"cl_ord_id": answer.cl_ord_id or None} if hasattr(answer, "cl_ord_id") else {}
        return replaced(answer, warnings=(), **known)  # type: ignore[no-any-return]
    return answer


@pytest.mark.parametrize(
    ("members", "answer"),
    [
        ('"event":"cancelAllStatus","status":"ok","count":"2"', AllCanceled(2)),
        ('"event":"addOrderStatus","status":"ok","txid":null,"descr":""', Added(order_id="")),
        ('"event":"addOrderStatus","status":"ok","txid":"O1","new":[1]', Added(order_id="O1")),
        ('"event":"editOrderStatus","status":"ok","txid":"O2"', Edited(order_id="O2", original_order_id="")),
        (
            '"event":"cancelAllOrdersAfterStatus","status":"ok","currentTime":"1970-01-01T00:00:01Z"',
            TimerSet(current_ns=10**9, trigger_ns=None),
        ),
        ('"event":"addOrderStatus","errorMessage":"EOrder:Invalid price"', OrderRefused("EOrder:Invalid price")),
        ('"event":"addOrderStatus","status":"error","errorMessage":"Reqid ...","reqid":"a"', OrderRefused("Reqid ...")),
    ],
)
def test_statuses_are_read_as_far_as_they_go(members: str, answer: Answer) -> None:
    reply = decoded(f"{{{members}}}")
    assert isinstance(reply, TradingReply)
    assert (reply.answer, reply.req_id) == (answer, None)


@pytest.mark.parametrize(
    "members",
    [
        '"event":"cancelAllStatus","status":"ok"',
        '"event":"cancelAllStatus","status":"ok","count":"many"',
        '"event":"addOrderStatus","status":"ok","txid":7',
        '"event":"cancelAllOrdersAfterStatus","status":"ok"',
        '"event":"cancelAllOrdersAfterStatus","status":"ok","currentTime":"now"',
    ],
)
def test_a_yes_without_what_it_is_about_is_a_decode_error(members: str) -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(f"{{{members}}}")


def test_a_status_that_says_neither_yes_nor_no_is_unknown() -> None:
    assert isinstance(decoded('{"event":"cancelOrderStatus","status":"maybe"}'), Unknown)


def test_private_subscriptions_are_confirmed_and_ended() -> None:
    asked = PrivateSubscribe(event="subscribe", channel="openOrders", token="t", req_id=3)
    assert decoded(private_frames.private_subscribed(asked, 125)) == Subscribed(
        subscription=Subscription(channel="openOrders"), req_id=3, maxratecount=125
    )
    ended = PrivateUnsubscribe(event="unsubscribe", channel="ownTrades", token="t")
    assert decoded(private_frames.private_unsubscribed(ended)) == Unsubscribed(
        subscription=Subscription(channel="ownTrades")
    )


# -- feeds -----------------------------------------------------------------------

volumes = st.builds(scaled_to_decimal, st.integers(0, 10**16), st.just(8))
money = st.builds(scaled_to_decimal, st.integers(0, 10**14), st.just(5))
positive = st.builds(scaled_to_decimal, st.integers(1, 10**14), st.just(5))
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12).filter("None".__ne__)
moments = micros.filter(bool)


@st.composite
def records(draw: st.DrawFn) -> OrderRecord:
    """Orders as v1 can tell them."""
    order_type: Any = draw(st.sampled_from(("limit", "iceberg", "market", "stop-loss", "take-profit-limit")))
    waits = order_type in ("stop-loss", "take-profit-limit")
    kind: Any = draw(st.sampled_from(("static", "quote")))
    trigger = TriggerState(
        reference=draw(st.sampled_from(("last", "index"))),
        price=draw(positive),
        price_type=kind,
        actual_price=draw(maybe(positive)),
    )
    close = Contingent(order_type="limit", limit_price=draw(positive), limit_price_type="static")
    return OrderRecord(
        order_id=draw(order_ids),
        status=draw(st.sampled_from(("pending", "open", "closed", "canceled", "expired"))),
        symbol="BTC/USD",
        side=draw(st.sampled_from(("buy", "sell"))),
        order_type=order_type,
        order_qty=draw(volumes),
        open_time_ns=draw(moments),
        in_quote=draw(st.booleans()),
        limit_price=draw(positive) if order_type in ("limit", "iceberg", "take-profit-limit") else None,
        triggers=trigger if waits else None,
        conditional=draw(maybe(st.just(close))),
        time_in_force=draw(st.sampled_from(("gtc", "gtd", "ioc"))),
        start_time_ns=draw(maybe(moments)),
        expire_time_ns=draw(maybe(moments)),
        updated_ns=draw(maybe(moments)),
        cum_qty=draw(volumes),
        cum_cost=draw(money),
        fee=draw(money),
        avg_price=draw(money),
        stop_price=(waits and trigger.actual_price) or Decimal(0),
        display_qty=draw(maybe(volumes)),
        display_qty_remain=draw(maybe(volumes)),
        post_only=draw(st.booleans()),
        leverage=draw(maybe(st.integers(2, 10))),
        fee_preference=draw(st.sampled_from(("base", "quote"))),
        amended=draw(st.booleans()),
        reason=draw(maybe(texts)),
        order_userref=draw(maybe(userrefs.filter(bool))),
        cl_ord_id=draw(maybe(texts)),
        sender_sub_id=draw(maybe(texts)),
        ref_id=draw(maybe(texts)),
    )


STANDS = {"pending": "pending_new", "closed": "filled", "canceled": "canceled", "expired": "expired"}


@given(st.lists(records(), max_size=3), sequences, maybe(st.integers(0, 200)))
def test_whole_entries_come_back_as_events(rows: list[OrderRecord], sequence: int, ratecount: int | None) -> None:
    entries = [private_frames.order_entry(record, PAIR, ratecount) for record in rows]
    event = decoded(private_frames.with_sequence(private_frames.open_orders_body(entries), sequence))
    assert isinstance(event, Executions)
    assert (event.source, event.sequence, event.kind) == (
        "openOrders",
        sequence,
        "snapshot" if sequence == 1 else "update",
    )
    assert event.executions == tuple(event_of(record, ratecount, sequence == 1) for record in rows)


def event_of(record: OrderRecord, ratecount: int | None, in_snapshot: bool) -> Execution:
    """The event that tells what a record does; in a snapshot an amended order is an open one."""
    happened = "amended" if record.amended and not in_snapshot else "new"
    open_words: Any = (happened, "partially_filled" if record.cum_qty else "new")
    exec_type, status = open_words if record.status == "open" else (STANDS[record.status],) * 2
    return Execution(
        order_id=record.order_id,
        exec_type=exec_type,
        order_status=status,
        time_ns=record.updated_ns or record.open_time_ns,
        symbol="BTC/USD",
        side=record.side,
        order_type=record.order_type,
        order_qty=None if record.in_quote else record.order_qty,
        cash_order_qty=record.order_qty if record.in_quote else None,
        limit_price=record.limit_price,
        limit_price_type=None if record.limit_price is None else "static",
        time_in_force=record.time_in_force,
        display_qty=record.display_qty,
        display_qty_remain=record.display_qty_remain,
        effective_time_ns=record.start_time_ns,
        expire_time_ns=record.expire_time_ns,
        post_only=record.post_only,
        margin=record.leverage is not None,
        leverage=record.leverage,
        fee_preference=record.fee_preference,
        triggers=record.triggers,
        contingent=record.conditional,
        cl_ord_id=record.cl_ord_id,
        order_userref=record.order_userref,
        sender_sub_id=record.sender_sub_id,
        ord_ref_id=record.ref_id,
        cum_qty=record.cum_qty,
        cum_cost=record.cum_cost,
        cum_fee=record.fee,
        avg_price=record.avg_price,
        amended=record.amended,
        reason=record.reason,
        ratecount=ratecount,
    )


@pytest.mark.parametrize(
    ("exec_type", "read_as"),
    [
        ("new", "new"),
        ("trade", "status"),
        ("filled", "filled"),
        ("canceled", "canceled"),
        ("expired", "expired"),
    ],
)
@given(numbers_=st.tuples(volumes, money, money, money), time_ns=moments)
def test_short_entries_come_back_as_events(
    exec_type: Any, read_as: str, numbers_: tuple[Decimal, ...], time_ns: int
) -> None:
    names = ("cum_qty", "cum_cost", "cum_fee", "avg_price")
    totals: Any = {} if exec_type == "new" else dict(zip(names, numbers_, strict=True))
    reason = {"reason": "User requested"} if exec_type == "canceled" else {}
    told = Execution(
        order_id="O1", exec_type=exec_type, order_status="new", time_ns=time_ns, order_userref=7, **totals, **reason
    )
    entry = private_frames.change_entry(told, PAIR)
    assert entry is not None
    (event,) = decoded(private_frames.with_sequence(private_frames.open_orders_body([entry]), 5)).executions
    ended = read_as in ("filled", "canceled", "expired")
    status = read_as if ended else "partially_filled" if totals.get("cum_qty") else "new"
    when = time_ns if ended else 0
    assert event == replaced(told, exec_type=read_as, order_status=status, time_ns=when)


def test_where_a_trigger_stands_now_is_told_alone() -> None:
    told = Execution(
        order_id="O1",
        exec_type="status",
        order_status="new",
        time_ns=1_000,
        triggers=TriggerState(actual_price=Decimal(95)),
    )
    entry = private_frames.change_entry(told, PAIR)
    assert entry is not None
    (event,) = decoded(private_frames.with_sequence(private_frames.open_orders_body([entry]), 5)).executions
    assert event == told


@given(
    st.builds(
        TradeRecord,
        exec_id=texts,
        order_id=texts,
        symbol=st.just("BTC/USD"),
        time_ns=moments,
        side=st.sampled_from(("buy", "sell")),
        order_type=st.sampled_from(("limit", "market", "stop-loss")),
        qty=volumes,
        **dict.fromkeys(("price", "cost", "fee", "margin"), money),
        order_userref=maybe(userrefs.filter(bool)),
        cl_ord_id=maybe(texts),
    ),
    sequences,
    st.booleans(),
)
def test_fills_come_back_as_events(record: TradeRecord, sequence: int, live: bool) -> None:
    body = private_frames.own_trades_body([private_frames.trade_entry(record, PAIR, live=live)])
    event = decoded(private_frames.with_sequence(body, sequence))
    assert (event.source, event.sequence) == ("ownTrades", sequence)
    assert event.executions == (
        Execution(
            order_id=record.order_id,
            exec_type="trade",
            order_status="partially_filled",
            time_ns=record.time_ns,
            symbol="BTC/USD",
            side=record.side,
            order_type=record.order_type,
            margin=bool(record.margin),
            exec_id=record.exec_id,
            last_qty=record.qty,
            last_price=record.price,
            cost=record.cost,
            fees=(Fee(asset="USD", qty=record.fee),),
            order_userref=record.order_userref if live else None,
            cl_ord_id=record.cl_ord_id if live else None,
        ),
    )


def entry_event(**members: Any) -> Execution:
    (event,) = decoded(json.dumps([[{"O1": members}], "openOrders", {"sequence": 2}])).executions
    assert isinstance(event, Execution)
    return event


@pytest.mark.parametrize(("sequence", "exec_type"), [(1, "new"), (2, "amended")])
def test_an_amended_order_of_a_snapshot_is_an_open_one(sequence: int, exec_type: str) -> None:
    descr = {"pair": "XBT/USD", "type": "buy", "ordertype": "limit", "price": "7"}
    entry = {"status": "open", "amended": True, "vol_exec": "0.5", "descr": descr}
    (event,) = decoded(json.dumps([[{"O1": entry}], "openOrders", {"sequence": sequence}])).executions
    assert (event.exec_type, event.order_status, event.amended) == (exec_type, "partially_filled", True)


@pytest.mark.parametrize(
    ("misc", "liquidated"), [("liquidation", True), ("partial,liquidation", True), ("partial", False), ("", False)]
)
def test_an_order_of_the_venue_itself_is_told_as_that(misc: str, liquidated: bool) -> None:
    event = entry_event(status="open", misc=misc)
    assert event.liquidated is liquidated


def test_a_new_order_of_the_venue_itself_has_it_in_its_entry() -> None:
    descr = {"pair": "XBT/USD", "type": "sell", "ordertype": "market", "price": "0"}
    event = entry_event(status="pending", misc="liquidation", descr=descr, vol="1", opentm="1")
    record = order_record(event)
    assert (record.misc, record.liquidated) == (("liquidation",), True)


def test_a_limit_that_has_become_absolute_is_told_as_that() -> None:
    descr = {"pair": "XBT/USD", "type": "sell", "ordertype": "trailing-stop-limit", "price": "+1.0", "price2": "+0.5"}
    waiting = entry_event(status="open", descr=descr, limitprice="0.00000")
    assert (waiting.limit_price, waiting.limit_price_type) == (Decimal("0.5"), "quote")
    fired = entry_event(status="open", descr=descr, limitprice="24.75000")
    assert (fired.limit_price, fired.limit_price_type) == (Decimal("24.75000"), "static")


def test_what_is_not_set_comes_as_null_or_empty_or_zero() -> None:
    descr = {
        "pair": "XBT/USD",
        "type": "buy",
        "ordertype": "limit",
        "price": "7",
        "price2": "0.00000",
        "leverage": "0:1",
    }
    for nothing in (None, "", "0.000000"):
        event = entry_event(
            status="open", descr=descr | {"leverage": "0:1"}, starttm=nothing, expiretm=nothing, opentm=nothing
        )
        assert (event.effective_time_ns, event.expire_time_ns, event.time_ns) == (None, None, 0)
    event = entry_event(
        status="open", descr=descr | {"leverage": "none"}, refid="", cl_ord_id=None, vol="", userref=0, cancel_reason=""
    )
    assert (event.ord_ref_id, event.cl_ord_id, event.order_qty, event.order_userref) == (None, None, None, None)
    assert (event.leverage, event.reason, event.limit_price, event.triggers) == (None, None, Decimal(7), None)


def test_new_words_and_members_are_passed_over() -> None:
    event = entry_event(
        status="frozen",
        vol_exec="1",
        timeinforce="DAY",
        trigger="moon",
        new=[1],
        descr={"pair": "XBT/USD", "type": "swap", "ordertype": "magic", "price": "7", "wing": 1},
        contingent={"ordertype": "magic"},
    )
    assert (event.exec_type, event.order_status, event.side, event.order_type) == (
        "status",
        "partially_filled",
        None,
        None,
    )
    assert (event.time_in_force, event.contingent, event.limit_price) == (None, None, Decimal(7))


@pytest.mark.parametrize(
    ("price", "value", "kind"), [("+5.0000%", "5", "pct"), ("-1.5%", "-1.5", "pct"), ("+10.0", "10", "quote")]
)
def test_a_relative_price_has_a_sign(price: str, value: str, kind: str) -> None:
    event = entry_event(status="open", descr={"pair": "XBT/USD", "ordertype": "trailing-stop", "price": price})
    assert event.triggers is not None
    assert (event.triggers.price, event.triggers.price_type) == (Decimal(value), kind)


def test_mutated_messages_are_events_or_decode_errors() -> None:
    chance = random.Random(9)
    whole = json.loads(
        private_frames.order_entry(
            OrderRecord(
                order_id="O1",
                status="open",
                symbol="BTC/USD",
                side="buy",
                order_type="stop-loss-limit",
                order_qty=Decimal(1),
                limit_price=Decimal(7),
                triggers=TriggerState(price=Decimal(8)),
                open_time_ns=NOW_NS,
            ),
            PAIR,
        )
    )["O1"]
    fill = {"ordertxid": "O1", "pair": "XBT/USD", "time": "1.5", "price": "1", "cost": "1", "fee": "1", "vol": "1"}
    spare: tuple[Any, ...] = (None, True, -1, 1.5, 10**30, "", "x", "+5%", "-", [], {}, "9" * 400, "1e999", {"a": 1})
    outcomes = set()
    for _ in range(4_000):
        entry, name = chance.choice(((whole, "openOrders"), (fill, "ownTrades")))
        changed = dict(entry)
        for member in chance.sample(sorted(changed), k=2):
            changed[member] = chance.choice(spare)
        tail = {"sequence": 3} if chance.random() < 0.9 else chance.choice(spare)
        rows: Any = [{"O1": changed}] if chance.random() < 0.9 else chance.choice(spare)
        text = json.dumps([rows, name, tail])
        if chance.random() < 0.2:
            cut = chance.randrange(len(text))
            text = text[:cut] + chance.choice('{}[]",:x\\') + text[cut + 1 :]
        try:
            (event,) = CODEC.decode(text)
            outcomes.add(type(event))
        except DecodeError:
            outcomes.add(DecodeError)
    assert {Executions, DecodeError} <= outcomes

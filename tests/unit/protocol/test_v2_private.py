"""Executions, balances and answers on v2: what the venue writes the client reads; what is new does no harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from tests.unit.protocol.private_values import (
    answers,
    balance_snapshots,
    balance_updates,
    digits,
    execution_messages,
)

from krakenwire import _native
from krakenwire.errors import DecodeError
from krakenwire.model import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    BalanceChanges,
    Balances,
    BatchAdded,
    BatchCanceled,
    Canceled,
    Edited,
    Event,
    Execution,
    Executions,
    OrderRefused,
    Subscribed,
    Subscription,
    TimerSet,
    TradingReply,
    TriggerState,
    Unsubscribed,
)
from krakenwire.protocol.v2 import ClientCodec, encode_private
from krakenwire.protocol.v2.encode_answers import answered
from krakenwire.protocol.v2.venue import PrivateSubscribe, PrivateUnsubscribe
from krakenwire.session.feed import Feed

TIME = "2031-02-03T04:05:06.789012Z"
TIME_NS = 1_927_857_906_789_012_000
TIMES = f'"time_in":"{TIME}","time_out":"{TIME}"'

BODIES: dict[type, Callable[[Any], str]] = {
    Executions: encode_private.executions_body,
    Balances: encode_private.balances_body,
    BalanceChanges: encode_private.balance_changes_body,
}


def written(event: Any) -> str:
    return encode_private.with_sequence(BODIES[type(event)](event), event.sequence)


def read(frame: str) -> tuple[Any, int]:
    """The one event of a frame, and how many new members and words were seen."""
    codec = ClientCodec()
    (event,) = codec.decode(frame)
    return event, codec.unknown_members


def report(members: str) -> str:
    return f'{{"channel":"executions","type":"update","data":[{{{members}}}],"sequence":3}}'


def row(**members: Any) -> str:
    least = {"order_id": "O1", "exec_type": "new", "order_status": "new", "timestamp": TIME}
    return json.dumps(least | members)[1:-1]


def execution(**members: Any) -> Execution:
    event, _ = read(report(row(**members)))
    assert isinstance(event, Executions)
    return event.executions[0]


# -- both ways ---------------------------------------------------------------------


@given(execution_messages | balance_snapshots | balance_updates)
def test_the_client_reads_what_the_venue_says_of_an_account(event: Event) -> None:
    found, new = read(written(event))
    assert (found, new) == (event, 0)
    assert digits(found) == digits(event)


@given(answers)
def test_the_client_reads_what_the_venue_answers(case: tuple[str, Answer]) -> None:
    method, answer = case
    reply = TradingReply(method=method, answer=answer, req_id=7, time_in_ns=TIME_NS, time_out_ns=TIME_NS + 1000)
    frame = answered(method, answer, 7, TIME_NS, TIME_NS + 1000)
    assert ClientCodec().decode(frame) == (reply,)
    assert list(json.loads(frame)) == sorted(json.loads(frame), key=lambda name: (name.startswith("time_"), name))


def test_a_body_is_made_once_for_all_connections() -> None:
    body = encode_private.executions_body(Executions(kind="snapshot", executions=(), sequence=0))
    assert [read(encode_private.with_sequence(body, n))[0].sequence for n in (1, 9_007_199_254_740_993)] == [
        1,
        9_007_199_254_740_993,
    ]


@pytest.mark.parametrize(
    "native", [False, pytest.param(True, marks=pytest.mark.skipif(not _native.ENABLED, reason="no compiled twins"))]
)
def test_a_feed_hands_private_messages_on_as_they_are(native: bool) -> None:
    codec = ClientCodec()
    feed = Feed(codec, native=native)
    frame = report(row(last_qty=1.5))
    assert feed.feed(frame.encode()) == ClientCodec().decode(frame)
    reply = answered("cancel_all", AllCanceled(3), None, TIME_NS, TIME_NS)
    assert feed.feed(reply.encode()) == ClientCodec().decode(reply)


# -- what the venue may say otherwise -------------------------------------------------


def test_new_members_are_left_out_and_counted_wherever_they_stand() -> None:
    frame = (
        '{"channel":"executions","type":"update","epoch":5,"data":[{"order_id":"O1","exec_type":"trade","mood":"good",'
        f'"order_status":"filled","timestamp":"{TIME}","triggers":{{"price":1.50,"depth":3}},'
        '"fees":[{"asset":"USD","qty":0.10,"rate":4}]}],"sequence":3}'
    )
    event, new = read(frame)
    assert new == 4
    assert event.executions[0].triggers == TriggerState(price=Decimal("1.50"))
    assert digits(event.executions[0].fees) == [{"asset": "USD", "qty": "0.10"}]


@pytest.mark.parametrize(
    ("members", "exec_type", "order_status", "new"),
    [
        ({"exec_type": "suspended"}, "status", "new", 1),
        ({"exec_type": "filled", "order_status": "done"}, "filled", "filled", 1),
        ({"exec_type": "trade", "order_status": "done", "cum_qty": 1}, "trade", "partially_filled", 1),
        ({"exec_type": "amended", "order_status": "done"}, "amended", "new", 1),
        ({"exec_type": "amended", "order_status": "done", "cum_qty": 0.5}, "amended", "partially_filled", 1),
        ({"exec_type": "suspended", "order_status": "frozen", "cum_qty": 0.0}, "status", "new", 2),
    ],
)
def test_a_new_word_for_what_happened_is_a_change_and_a_new_status_follows_from_the_rest(
    members: dict[str, Any], exec_type: str, order_status: str, new: int
) -> None:
    event, counted = read(report(row(**members)))
    assert (event.executions[0].exec_type, event.executions[0].order_status) == (exec_type, order_status)
    assert counted == new


def test_other_new_words_are_as_if_they_were_not_there() -> None:
    words = {
        "side": "short",
        "order_type": "twap",
        "limit_price_type": "ticks",
        "time_in_force": "DAY",
        "fee_ccy_pref": "none",
        "liquidity_ind": "a",
        "position_status": "new",
        "triggers": {"reference": "mark", "price_type": "ticks", "status": "armed"},
        "contingent": {"order_type": "twap"},
    }
    event, counted = read(report(row(**words)))
    assert counted == 11
    assert event.executions[0] == Execution(
        order_id="O1", exec_type="new", order_status="new", time_ns=TIME_NS, triggers=TriggerState()
    )


def test_deprecated_members_and_those_of_partners_are_known() -> None:
    partners = {"ext_ord_id": "u", "ext_exec_id": "v", "user": "AA", "no_mpp": True}
    event, counted = read(report(row(**{"stop_price": 0.0, "trigger": "last", "triggered_price": 1.5, **partners})))
    assert counted == 0
    assert event.executions[0] == execution()
    assert execution(cancel_reason="old").reason == "old"
    assert execution(cancel_reason="old", reason="new").reason == "new"


@pytest.mark.parametrize(("text", "word"), [("GTC", "gtc"), ("GTD", "gtd"), ("IOC", "ioc"), ("fok", "fok")])
def test_times_in_force_come_in_either_case(text: str, word: str) -> None:
    assert execution(time_in_force=text).time_in_force == word


def test_numbers_may_have_an_exponent_and_order_of_members_is_free() -> None:
    members = f'"timestamp":"{TIME}","last_qty":5.1e-05,"order_status":"new","exec_type":"trade","order_id":"O1"'
    frame = f'{{"sequence":3,"data":[{{{members}}}],"type":"update","channel":"executions"}}'
    (found,) = read(frame)[0].executions
    assert found.last_qty == Decimal("0.000051")


@pytest.mark.parametrize(
    "frame",
    [
        '{"channel":"executions","type":"update","data":[]}',
        '{"channel":"executions","data":[],"sequence":1}',
        '{"channel":"executions","type":7,"data":[],"sequence":1}',
        '{"channel":"executions","type":"update","data":{},"sequence":1}',
        report('"order_id":"O1","exec_type":"new","order_status":"new"'),
        report(row(timestamp="soon")),
        report(row(last_qty="NaN")),
        report(row(last_qty=True)),
        report(row(fees={})),
        report(row(triggers=[])),
        report(row(triggers={"price": "x"})),
        report(row(order_userref=1.5)),
        report(row(contingent={})),
        '{"channel":"balances","type":"snapshot","data":[{"asset":"USD"}],"sequence":1}',
        '{"channel":"balances","type":"update","data":[{"asset":"USD","balance":1}],"sequence":1}',
        '{"method":"add_order","success":true}',
        '{"method":"add_order","success":true,"result":[]}',
        '{"method":"add_order","success":true,"result":{"order_id":7}}',
        '{"method":"batch_add","success":true,"result":{"orders":[]}}',
        '{"method":"cancel_all","success":true,"result":{}}',
        '{"method":"batch_cancel","success":true,"result":{}}',
        '{"method":"batch_cancel","success":true}',
        '{"method":"cancel_all_orders_after","success":true,"result":{"triggerTime":"0"}}',
        '{"method":"cancel_all_orders_after","success":true,"result":{"currentTime":"soon"}}',
    ],
)
def test_what_cannot_be_understood_is_a_decode_error(frame: str) -> None:
    with pytest.raises(DecodeError):
        ClientCodec().decode(frame)


# -- replies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "method", "answer"),
    [
        (
            '{"error":"EOrder:Insufficient funds","method":"add_order","req_id":3,"success":false}',
            "add_order",
            OrderRefused("EOrder:Insufficient funds"),
        ),
        (
            '{"method":"add_order","req_id":3,"result":{"order_id":"","news":[1]},"success":true,"trace":7}',
            "add_order",
            Added(order_id=""),
        ),
        (
            (
                '{"method":"batch_add","req_id":3,"result":[{"order_id":"O1","order_userref":1},'
                '{"error":"EOrder:Insufficient funds"}],"success":false}'
            ),
            "batch_add",
            BatchAdded((Added(order_id="O1", order_userref=1), OrderRefused("EOrder:Insufficient funds"))),
        ),
        (
            '{"method":"batch_add","req_id":3,"result":[{"validation":"Validated Successfully"}],"success":true}',
            "batch_add",
            BatchAdded((Added(order_id=""),)),
        ),
        (
            '{"error":"Limit_price(s) not found","method":"batch_add","req_id":3,"success":false}',
            "batch_add",
            OrderRefused("Limit_price(s) not found"),
        ),
        ('{"method":"batch_add","req_id":3,"success":false}', "batch_add", OrderRefused("")),
        ('{"method":"batch_cancel","req_id":3,"result":{"count":3},"success":true}', "batch_cancel", BatchCanceled(3)),
        ('{"method":"batch_cancel","orders_cancelled":2,"req_id":3,"success":true}', "batch_cancel", BatchCanceled(2)),
        (
            (
                '{"method":"cancel_all_orders_after","req_id":3,"result":{"currentTime":"2031-02-03T04:05:06Z"},'
                '"success":true}'
            ),
            "cancel_all_orders_after",
            TimerSet(current_ns=TIME_NS // 10**9 * 10**9, trigger_ns=None),
        ),
        (
            (
                '{"method":"cancel_all_orders_after","req_id":3,"result":{"currentTime":"2031-02-03T04:05:06Z",'
                '"triggerTime":0},"success":true}'
            ),
            "cancel_all_orders_after",
            TimerSet(current_ns=TIME_NS // 10**9 * 10**9, trigger_ns=None),
        ),
        (
            '{"method":"cancel_order","req_id":3,"result":{"order_userref":7,"count":2},"success":true}',
            "cancel_order",
            Canceled(order_userref=7, count=2),
        ),
    ],
)
def test_a_reply_says_what_became_of_a_request(frame: str, method: str, answer: Answer) -> None:
    assert ClientCodec().decode(frame) == (TradingReply(method=method, answer=answer, req_id=3),)


def test_an_outcome_is_not_lost_for_a_time_that_cannot_be_read() -> None:
    frame = f'{{"method":"cancel_all","result":{{"count":1}},"success":true,"time_in":"{TIME}","time_out":"soon"}}'
    assert ClientCodec().decode(frame) == (
        TradingReply(method="cancel_all", answer=AllCanceled(1), time_in_ns=TIME_NS),
    )


@pytest.mark.parametrize(
    ("method", "answer", "text"),
    [
        (
            "add_order",
            Added(order_id="O1", cl_ord_id='say "x"', warnings=("a",)),
            '"result":{"cl_ord_id":"say \\"x\\"","order_id":"O1","warnings":["a","b"]},"success":true',
        ),
        (
            "add_order",
            Added(order_id="", cl_ord_id="x", order_userref=7, descr="buy"),
            '"result":{"order_id":"","warnings":["b"]},"success":true',
        ),
        ("amend_order", Amended(amend_id="T1"), '"result":{"amend_id":"T1","warnings":["b"]},"success":true'),
        (
            "edit_order",
            Edited(order_id="O2", original_order_id="O1"),
            '"result":{"order_id":"O2","original_order_id":"O1","warnings":["b"]},"success":true',
        ),
        (
            "batch_add",
            BatchAdded((Added(order_id="O1"), OrderRefused("no"), Added(order_id="", order_userref=7))),
            '"result":[{"order_id":"O1"},{"error":"no"},{"validation":"Validated Successfully"}],"success":false',
        ),
        ("cancel_order", Canceled(order_userref=7, count=2), '"result":{"order_userref":7},"success":true'),
        (
            "cancel_all_orders_after",
            TimerSet(current_ns=TIME_NS, trigger_ns=None),
            '"result":{"currentTime":"2031-02-03T04:05:06Z","triggerTime":"0"},"success":true',
        ),
    ],
)
def test_an_answer_tells_what_was_asked_and_nothing_else(method: str, answer: Answer, text: str) -> None:
    frame = answered(method, answer, None, TIME_NS, TIME_NS, warnings=("b",))
    assert frame == f'{{"method":"{method}",{text},{TIMES}}}'


def test_subscriptions_are_confirmed_with_what_is_in_force() -> None:
    request = PrivateSubscribe(channel="executions", token="t", snap_trades=True, req_id=3)
    event, _ = read(encode_private.executions_subscribed(request, 125, TIME_NS, TIME_NS))
    assert event == Subscribed(
        subscription=Subscription(channel="executions", snapshot=True),
        req_id=3,
        warnings=encode_private.EXECUTIONS_WARNINGS,
        maxratecount=125,
    )
    balances = PrivateSubscribe(channel="balances", token="t", snapshot=False)
    frame = encode_private.balances_subscribed(balances, TIME_NS, TIME_NS)
    result = '{"channel":"balances","snapshot":false}'
    assert frame == f'{{"method":"subscribe","result":{result},"success":true,{TIMES}}}'
    frame = encode_private.unsubscribed(PrivateUnsubscribe(channel="balances", token="t"), TIME_NS, TIME_NS)
    assert read(frame)[0] == Unsubscribed(subscription=Subscription(channel="balances"))
    assert "token" not in frame

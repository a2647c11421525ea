"""What a version 1 venue tells an account: answers of every kind, whole and short entries, bodies and sequences."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.protocol.private_values import NOW_NS, SECOND_NS

from krakenwire.errors import DecodeError
from krakenwire.model import (
    Added,
    AllCanceled,
    Amended,
    Answer,
    Canceled,
    Contingent,
    Edited,
    Execution,
    Fee,
    OrderRecord,
    OrderRefused,
    TimerSet,
    TradeRecord,
    TriggerState,
    order_record,
    trade_record,
)
from krakenwire.protocol.descriptions import PairTexts
from krakenwire.protocol.v1 import private_frames as wire
from krakenwire.protocol.v1.venue import PrivateSubscribe, PrivateUnsubscribe

PAIR = PairTexts(
    rest_key="XXBTZUSD", altname="XBTUSD", wsname="XBT/USD", price_decimals=1, cost_decimals=5, v1_decimals=5
)
TIME_NS = 1_700_000_000 * SECOND_NS + 123_456_789
ORDER = OrderRecord(
    order_id="O1",
    status="pending",
    symbol="BTC/USD",
    side="buy",
    order_type="limit",
    order_qty=Decimal("1.5"),
    limit_price=Decimal(9000),
    open_time_ns=TIME_NS,
)


def event(exec_type: Any, **members: Any) -> Execution:
    status = {"trade": "partially_filled", "status": "new", "iceberg_refill": "new"}.get(exec_type, exec_type)
    return Execution(order_id="O1", exec_type=exec_type, order_status=status, time_ns=TIME_NS, **members)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "answer", "text"),
    [
        ("addOrder", Added(order_id="O1", cl_ord_id="c", descr="words"),
         '{"cl_ord_id":"c","descr":"words","event":"addOrderStatus","reqid":4,"status":"ok","txid":"O1"}'),
        ("addOrder", Added(order_id="", descr="words"),
         '{"descr":"words","event":"addOrderStatus","reqid":4,"status":"ok"}'),
        ("addOrder", OrderRefused("EOrder:Insufficient funds"),
         '{"errorMessage":"EOrder:Insufficient funds","event":"addOrderStatus","reqid":4,"status":"error"}'),
        ("editOrder", Edited(order_id="O2", original_order_id="O1", descr="words"),
         '{"descr":"words","event":"editOrderStatus","originaltxid":"O1","reqid":4,"status":"ok","txid":"O2"}'),
        ("amendOrder", Amended(amend_id="T1", order_id="O1"),
         '{"amend_id":"T1","event":"amendOrderStatus","reqid":4,"status":"ok","txid":"O1"}'),
        ("amendOrder", Amended(amend_id="T1", cl_ord_id="c"),
         '{"amend_id":"T1","cl_ord_id":"c","event":"amendOrderStatus","reqid":4,"status":"ok"}'),
        ("cancelOrder", Canceled(order_id="O1", cl_ord_id="c", count=2),
         '{"event":"cancelOrderStatus","reqid":4,"status":"ok"}'),
        ("cancelAll", AllCanceled(0), '{"count":0,"event":"cancelAllStatus","reqid":4,"status":"ok"}'),
        ("cancelAllOrdersAfter", TimerSet(current_ns=0, trigger_ns=60 * SECOND_NS),
         ('{"currentTime":"1970-01-01T00:00:00Z","event":"cancelAllOrdersAfterStatus","reqid":4,"status":"ok",'
         '"triggerTime":"1970-01-01T00:01:00Z"}')),
        ("cancelAllOrdersAfter", TimerSet(current_ns=0, trigger_ns=None),
         ('{"currentTime":"1970-01-01T00:00:00Z","event":"cancelAllOrdersAfterStatus","reqid":4,"status":"ok",'
         '"triggerTime":"0"}')),
    ],
)  # fmt: skip
def test_each_answer_is_a_status(name: str, answer: Answer, text: str) -> None:
    assert wire.answered(name, answer, 4) == text
    assert wire.answered(name, answer) == text.replace('"reqid":4,', "")


def test_private_subscriptions_are_confirmed_and_ended() -> None:
    orders = PrivateSubscribe(event="subscribe", channel="openOrders", token="t", req_id=0)
    assert wire.private_subscribed(orders, 125) == (
        '{"channelName":"openOrders","event":"subscriptionStatus","reqid":0,"status":"subscribed",'
        '"subscription":{"maxratecount":125,"name":"openOrders"}}'
    )
    trades = PrivateSubscribe(event="subscribe", channel="ownTrades", token="t")
    assert wire.private_subscribed(trades, 125) == (
        '{"channelName":"ownTrades","event":"subscriptionStatus","status":"subscribed",'
        '"subscription":{"name":"ownTrades"}}'
    )
    ended = PrivateUnsubscribe(event="unsubscribe", channel="openOrders", token="t")
    assert wire.private_unsubscribed(ended) == (
        '{"channelName":"openOrders","event":"subscriptionStatus","status":"unsubscribed",'
        '"subscription":{"name":"openOrders"}}'
    )


def test_a_message_is_its_entries_and_a_sequence_of_the_connection() -> None:
    assert wire.with_sequence(wire.open_orders_body([]), 1) == '[[],"openOrders",{"sequence":1}]'
    assert wire.with_sequence(wire.own_trades_body(['{"T1":{}}', '{"T2":{}}']), 7) == (
        '[[{"T1":{}},{"T2":{}}],"ownTrades",{"sequence":7}]'
    )


def test_a_plain_order_has_the_members_that_every_order_has() -> None:
    assert wire.order_entry(ORDER, PAIR) == (
        '{"O1":{"avg_price":"0.00000","cost":"0.00000","descr":{"close":null,"leverage":null,'
        '"order":"buy 1.50000000 XBT/USD @ limit 9000.00000","ordertype":"limit","pair":"XBT/USD",'
        '"price":"9000.00000","price2":"0.00000","type":"buy"},"expiretm":null,"fee":"0.00000",'
        '"limitprice":"0.00000","misc":"","oflags":"fciq","opentm":"1700000000.123456","refid":null,'
        '"starttm":null,"status":"pending","stopprice":"0.00000","timeinforce":"GTC","userref":0,'
        '"vol":"1.50000000","vol_exec":"0.00000000"}}'
    )


def test_what_is_special_about_an_order_is_told() -> None:
    special = OrderRecord(
        order_id="O1",
        status="open",
        symbol="BTC/USD",
        side="sell",
        order_type="trailing-stop",
        order_qty=Decimal(2),
        open_time_ns=TIME_NS,
        in_quote=True,
        triggers=TriggerState(reference="index", price=Decimal(5), price_type="pct"),
        conditional=Contingent(order_type="stop-loss-limit", trigger_price=Decimal(7), limit_price=Decimal(6)),
        time_in_force="gtd",
        start_time_ns=TIME_NS,
        expire_time_ns=TIME_NS + SECOND_NS,
        updated_ns=TIME_NS,
        stop_price=Decimal(95),
        display_qty=Decimal(1),
        display_qty_remain=Decimal("0.5"),
        post_only=True,
        leverage=3,
        fee_preference="base",
        misc=("stopped", "partial"),
        reason="User requested",
        amended=True,
        order_userref=7,
        cl_ord_id="c",
        sender_sub_id="desk",
        ref_id="O0",
    )
    (entry,) = json.loads(wire.order_entry(special, PAIR, ratecount=4)).values()
    assert list(entry) == sorted(entry)
    told = {name: entry[name] for name in ("expiretm", "starttm", "lastupdated", "oflags", "misc", "refid", "trigger")}
    assert told == {
        "expiretm": "1700000001.123456",
        "starttm": "1700000000.123456",
        "lastupdated": "1700000000.123456",
        "oflags": "fcib,post,viqc",
        "misc": "stopped,partial",
        "refid": "O0",
        "trigger": "index",
    }
    assert (entry["descr"]["leverage"], entry["descr"]["price"]) == ("3:1", "+5.0000%")
    assert entry["descr"]["close"] == "close position @ stop loss 7.00000 -> limit 6.00000"
    assert entry["contingent"] == {"ordertype": "stop-loss-limit", "price": "7.00000", "price2": "6.00000"}
    assert (entry["display_volume"], entry["display_volume_remain"]) == ("1.00000000", "0.50000000")
    assert (entry["amended"], entry["cancel_reason"], entry["cl_ord_id"]) == (True, "User requested", "c")
    assert (entry["sender_sub_id"], entry["userref"], entry["ratecount"]) == ("desk", 7, 4)


TOTALS = {
    "cum_qty": Decimal("0.01"),
    "cum_cost": Decimal("19.6768"),
    "cum_fee": Decimal("0.031485"),
    "avg_price": Decimal("1967.68"),
}
TOLD = '"vol_exec":"0.01000000","cost":"19.67680","fee":"0.03149","avg_price":"1967.68000"'


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (event("new"), '{"status":"open","userref":0}'),
        (event("new", order_userref=-3, cl_ord_id="c"), '{"status":"open","userref":-3,"cl_ord_id":"c"}'),
        (event("trade", **TOTALS), f'{{{TOLD},"userref":0}}'),
        (event("filled", **TOTALS), f'{{"lastupdated":"1700000000.123456","status":"closed",{TOLD},"userref":0}}'),
        (event("expired", **TOTALS), f'{{"lastupdated":"1700000000.123456","status":"expired",{TOLD},"userref":0}}'),
        (
            event("canceled", reason="User requested", **TOTALS),
            (
                f'{{"lastupdated":"1700000000.123456","status":"canceled",{TOLD},"userref":0,'
                '"cancel_reason":"User requested"}'
            ),
        ),
        (
            event("status", triggers=TriggerState(actual_price=Decimal(95))),
            '{"lastupdated":"1700000000.123456","stopprice":"95.00000","userref":0}',
        ),
        (
            event("iceberg_refill", display_qty_remain=Decimal(1)),
            '{"display_volume_remain":"1.00000000","userref":0}',
        ),
    ],
)
def test_changes_are_told_in_short(told: Execution, text: str) -> None:
    assert wire.change_entry(told, PAIR) == f'{{"O1":{text}}}'
    assert wire.change_entry(told, PAIR, ratecount=9) == f'{{"O1":{text[:-1]},"ratecount":9}}}}'


@pytest.mark.parametrize("exec_type", ["pending_new", "amended", "restated", "status", "iceberg_refill"])
def test_what_needs_a_whole_entry_or_says_nothing_has_no_short_one(exec_type: str) -> None:
    assert wire.change_entry(event(exec_type), PAIR) is None


def test_only_a_fill_that_has_just_happened_names_its_userref() -> None:
    fill = TradeRecord(
        exec_id="T1",
        order_id="O1",
        symbol="BTC/USD",
        time_ns=TIME_NS,
        side="sell",
        order_type="market",
        price=Decimal("1967.68"),
        cost=Decimal("19.6768"),
        fee=Decimal("0.03148"),
        qty=Decimal("0.01"),
        order_userref=0,
        cl_ord_id="c",
    )
    past = (
        '{"T1":{"cost":"19.67680","fee":"0.03148","margin":"0.00000","ordertxid":"O1","ordertype":"market",'
        '"pair":"XBT/USD","postxid":"TKH2SE-M7IF5-CFI7LT","price":"1967.68000","time":"1700000000.123456",'
        '"type":"sell","vol":"0.01000000"}}'
    )
    assert wire.trade_entry(fill, PAIR, live=False) == past
    live = past.replace('{"T1":{', '{"T1":{"cl_ord_id":"c",').replace(',"vol"', ',"userref":0,"vol"')
    assert wire.trade_entry(fill, PAIR, live=True) == live


def test_records_are_made_of_the_events_that_tell_everything() -> None:
    placed = Execution(
        order_id="O1",
        exec_type="pending_new",
        order_status="pending_new",
        time_ns=TIME_NS,
        symbol="BTC/USD",
        side="buy",
        order_type="trailing-stop",
        order_qty=Decimal("1.5"),
        triggers=TriggerState(price=Decimal(5), price_type="pct", actual_price=Decimal(95), peak_price=Decimal(100)),
        time_in_force="ioc",
        fee_preference="base",
        cum_qty=Decimal(0),
        order_userref=7,
        ord_ref_id="O0",
    )
    record = order_record(placed)
    assert (record.status, record.open_time_ns, record.order_qty) == ("pending", TIME_NS, Decimal("1.5"))
    assert (record.stop_price, record.time_in_force, record.fee_preference) == (Decimal(95), "ioc", "base")
    assert (record.order_userref, record.ref_id, record.in_quote) == (7, "O0", False)
    in_quote = order_record(Execution(**(members(placed) | {"cash_order_qty": Decimal(50), "order_type": "market"})))
    assert (in_quote.in_quote, in_quote.order_qty) == (True, Decimal(50))
    fill = trade_record(
        Execution(
            order_id="O1",
            exec_type="trade",
            order_status="partially_filled",
            time_ns=NOW_NS,
            symbol="BTC/USD",
            side="buy",
            order_type="limit",
            exec_id="T1",
            trade_id=9,
            last_price=Decimal(10),
            last_qty=Decimal(2),
            liquidity_ind="m",
            fees=(Fee(asset="USD", qty=Decimal("0.5")),),
        )
    )
    assert (fill.cost, fill.fee, fill.maker, fill.trade_id) == (Decimal(20), Decimal("0.5"), True, 9)


@pytest.mark.parametrize("missing", ["symbol", "side", "order_type", "exec_id", "last_price", "last_qty"])
def test_a_record_of_an_event_that_lacks_what_it_needs_is_a_decode_error(missing: str) -> None:
    told: dict[str, Any] = {"symbol": "BTC/USD", "side": "buy", "order_type": "limit", "exec_id": "T1"}
    told |= {"last_price": Decimal(10), "last_qty": Decimal(2), missing: None}
    event_ = Execution(order_id="O1", exec_type="trade", order_status="filled", time_ns=NOW_NS, **told)
    with pytest.raises(DecodeError, match=f"trade without {missing}"):
        trade_record(event_)
    if missing in ("symbol", "side", "order_type"):
        with pytest.raises(DecodeError, match=f"trade without {missing}"):
            order_record(event_)


def members(event_: Execution) -> dict[str, Any]:
    return {name: getattr(event_, name) for name in event_.__struct_fields__}

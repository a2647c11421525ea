"""What REST tells of an account: members as clients need them, and records that come back as they were."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.protocol.private_values import maybe, order_ids, seconds, userrefs
from tests.unit.protocol.test_v1_trading import money, positive, texts, volumes

from krakenwire.errors import DecodeError, VenueRefusal
from krakenwire.model import (
    AmendRecord,
    AssetBalance,
    Contingent,
    LedgerRecord,
    OrderRecord,
    TradeRecord,
    TriggerState,
)
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.protocol import rest_entries as wire
from krakenwire.protocol.descriptions import PairTexts
from krakenwire.protocol.rest import error_text, result_text
from krakenwire.protocol.rest_records import (
    Page,
    read_balance,
    read_balance_ex,
    read_closed_orders,
    read_ledgers,
    read_open_orders,
    read_query_ledgers,
    read_query_orders,
    read_query_trades,
    read_trades_history,
)

PAIR = PairTexts(
    rest_key="XXBTZUSD", altname="XBTUSD", wsname="XBT/USD", price_decimals=1, cost_decimals=5, v1_decimals=5
)
TIME_NS = 1_688_666_559_897_456_789

ticks = st.builds(scaled_to_decimal, st.integers(1, 10**10), st.just(1))
times = st.integers(1, 40_000_000_000_000).map(lambda units: units * 100_000)
"""Times of four decimals, as REST tells them."""
ends = maybe(seconds.filter(bool))
sides = st.sampled_from(("buy", "sell"))
id_lists = st.lists(order_ids, max_size=3).map(tuple)


@st.composite
def records(draw: st.DrawFn) -> OrderRecord:
    """Orders as REST can tell them: without their conditional close, which is there in words only."""
    order_type: Any = draw(st.sampled_from(("limit", "iceberg", "market", "trailing-stop", "stop-loss-limit")))
    waits = order_type in ("trailing-stop", "stop-loss-limit")
    status: Any = draw(st.sampled_from(("pending", "open", "closed", "canceled", "expired")))
    closed = status in ("closed", "canceled", "expired")
    kind: Any = "quote" if order_type == "trailing-stop" else "static"
    reference = draw(st.sampled_from(("last", "index")))
    return OrderRecord(
        order_id=draw(order_ids),
        status=status,
        symbol="BTC/USD",
        side=draw(sides),
        order_type=order_type,
        order_qty=draw(volumes),
        open_time_ns=draw(times),
        close_time_ns=draw(times) if closed else None,
        reason=draw(maybe(texts)) if closed else None,
        in_quote=draw(st.booleans()),
        limit_price=draw(ticks) if order_type in ("limit", "iceberg", "stop-loss-limit") else None,
        triggers=TriggerState(reference=reference, price=draw(ticks), price_type=kind) if waits else None,
        time_in_force=draw(st.sampled_from(("gtc", "gtd", "ioc", "fok"))),
        start_time_ns=draw(ends),
        expire_time_ns=draw(ends),
        cum_qty=draw(volumes),
        cum_cost=draw(money),
        fee=draw(money),
        avg_price=draw(money),
        stop_price=draw(positive),
        actual_limit_price=draw(positive),
        display_qty=draw(maybe(volumes)),
        post_only=draw(st.booleans()),
        reduce_only=draw(st.booleans()),
        leverage=draw(maybe(st.integers(2, 10))),
        fee_preference=draw(st.sampled_from(("base", "quote"))),
        misc=draw(st.sampled_from(((), ("stopped",), ("touched", "partial")))),
        amended=draw(st.booleans()),
        exec_ids=draw(id_lists),
        order_userref=draw(maybe(userrefs.filter(bool))),
        cl_ord_id=draw(maybe(texts)),
        sender_sub_id=draw(maybe(texts)),
        ref_id=draw(maybe(order_ids)),
    )


fills = st.builds(
    TradeRecord,
    exec_id=order_ids,
    order_id=order_ids,
    symbol=st.just("BTC/USD"),
    time_ns=times,
    side=sides,
    order_type=st.sampled_from(("limit", "market", "settle-position")),
    qty=volumes,
    **dict.fromkeys(("price", "cost", "fee", "margin"), money),
    leverage=maybe(st.integers(2, 10)),
    misc=st.sampled_from(((), ("closing",))),
    trade_id=st.integers(0, 2**53),
    maker=st.booleans(),
    position_id=maybe(order_ids),
    ledger_ids=id_lists,
)
entries = st.builds(
    LedgerRecord,
    ledger_id=order_ids,
    ref_id=order_ids,
    time_ns=times,
    type=st.sampled_from(("trade", "deposit", "rollover")),
    subtype=st.sampled_from(("", "spotfromfutures")),
    asset=st.sampled_from(("BTC", "USD", "DOGE", "SOL", "TSLAx")),
    amount=money.map(lambda value: -value) | money,
    fee=money,
    balance=money,
)


def unique(values: st.SearchStrategy[Any], name: str) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, max_size=4, unique_by=lambda value: getattr(value, name))


@given(unique(records(), "order_id"), st.integers(0, 10**6))
def test_orders_come_back_as_they_were(rows: list[OrderRecord], count: int) -> None:
    told = [(row, PAIR) for row in rows]
    assert read_open_orders(result_text(wire.open_orders_result(told, trades=True))) == tuple(rows)
    assert read_query_orders(result_text(wire.query_orders_result(told, trades=True))) == tuple(rows)
    assert read_closed_orders(result_text(wire.closed_orders_result(told, count, trades=True))) == Page(
        tuple(rows), count
    )
    brief = read_open_orders(result_text(wire.open_orders_result(told)))
    assert brief == tuple(msgspec.structs.replace(row, exec_ids=()) for row in rows)


@given(unique(fills, "exec_id"), st.integers(0, 10**6))
def test_fills_come_back_as_they_were(rows: list[TradeRecord], count: int) -> None:
    told = [(row, PAIR) for row in rows]
    assert read_trades_history(result_text(wire.trades_result(told, count, ledgers=True))) == Page(tuple(rows), count)
    brief = read_query_trades(result_text(wire.query_trades_result(told)))
    assert brief == tuple(msgspec.structs.replace(row, ledger_ids=()) for row in rows)


@given(unique(entries, "ledger_id"), st.integers(0, 10**6))
def test_ledger_entries_come_back_as_they_were(rows: list[LedgerRecord], count: int) -> None:
    assert read_ledgers(result_text(wire.ledgers_result(rows, count))) == Page(tuple(rows), count)
    assert read_query_ledgers(result_text(wire.query_ledgers_result(rows))) == tuple(rows)


def test_balances_come_back_with_the_digits_they_had() -> None:
    rows = (
        AssetBalance(asset="BTC", balance=Decimal("1.5000000000"), held=Decimal("0.5000000000")),
        AssetBalance(asset="USD", balance=Decimal("0.0000")),
    )
    plain = result_text(wire.balance_result(rows))
    assert plain == '{"error":[],"result":{"XXBT":"1.5000000000","ZUSD":"0.0000"}}'
    assert read_balance(plain) == tuple(msgspec.structs.replace(row, held=Decimal(0)) for row in rows)
    extended = result_text(wire.balance_ex_result(rows))
    assert extended == (
        '{"error":[],"result":{"XXBT":{"balance":"1.5000000000","hold_trade":"0.5000000000"},'
        '"ZUSD":{"balance":"0.0000","hold_trade":"0"}}}'
    )
    assert read_balance_ex(extended) == rows


ORDER = OrderRecord(
    order_id="O1",
    status="open",
    symbol="BTC/USD",
    side="buy",
    order_type="limit",
    order_qty=Decimal("1.25"),
    limit_price=Decimal(30010),
    open_time_ns=TIME_NS,
    cum_qty=Decimal("0.375"),
    cum_cost=Decimal("11253.75"),
    avg_price=Decimal(30010),
)


def test_a_plain_order_has_the_members_that_clients_need() -> None:
    assert json.dumps(json.loads(result_text(wire.order_entry(ORDER, PAIR)))["result"]) == json.dumps(
        {
            "refid": None,
            "userref": 0,
            "cl_ord_id": None,
            "status": "open",
            "opentm": 1688666559.8974,
            "starttm": 0,
            "expiretm": 0,
            "descr": {
                "pair": "XBTUSD",
                "type": "buy",
                "ordertype": "limit",
                "price": "30010.0",
                "price2": "0",
                "leverage": "none",
                "order": "buy 1.25000000 XBTUSD @ limit 30010.0",
                "close": "",
            },
            "vol": "1.25000000",
            "vol_exec": "0.37500000",
            "cost": "11253.75000",
            "fee": "0.00000",
            "price": "30010.00000",
            "stopprice": "0.00000",
            "limitprice": "0.00000",
            "misc": "",
            "oflags": "fciq",
            "timeinforce": "GTC",
        }
    )


def test_what_is_special_about_an_order_stands_where_clients_look() -> None:
    special = msgspec.structs.replace(
        ORDER,
        status="canceled",
        reason="User requested",
        close_time_ns=TIME_NS + 10**9,
        triggers=TriggerState(reference="index", price=Decimal(29000)),
        order_type="stop-loss-limit",
        conditional=Contingent(order_type="take-profit", trigger_price=Decimal(31000)),
        leverage=3,
        exec_ids=("T1",),
        order_userref=-5,
        ref_id="O0",
    )
    entry = json.loads(result_text(wire.order_entry(special, PAIR, trades=True)))["result"]
    order = list(entry)
    assert order[order.index("status") : order.index("starttm")] == ["status", "reason", "opentm", "closetm"]
    assert (entry["reason"], entry["closetm"]) == ("User requested", 1688666560.8974)
    descr = entry["descr"]
    assert (descr["price"], descr["price2"], descr["leverage"]) == ("29000.0", "30010.0", "3:1")
    assert descr["close"] == "close position @ take profit 31000.0"
    assert (entry["trigger"], entry["trades"], entry["userref"], entry["refid"]) == ("index", ["T1"], -5, "O0")


def test_an_order_that_ended_without_a_reason_says_so() -> None:
    ended = msgspec.structs.replace(ORDER, status="closed", close_time_ns=TIME_NS)
    assert wire.order_entry(ended, PAIR)["reason"] is None
    assert "reason" not in wire.order_entry(ORDER, PAIR)


def test_a_fill_names_its_pair_by_the_rest_id() -> None:
    fill = TradeRecord(
        exec_id="T1",
        order_id="O1",
        symbol="BTC/USD",
        time_ns=TIME_NS,
        side="buy",
        order_type="limit",
        price=Decimal(30010),
        cost=Decimal("600.2"),
        fee=Decimal("0.96032"),
        qty=Decimal("0.02"),
        trade_id=9,
        maker=True,
    )
    assert result_text(wire.trades_result([(fill, PAIR)], 1)) == (
        '{"error":[],"result":{"trades":{"T1":{"ordertxid":"O1","postxid":"TKH2SE-M7IF5-CFI7LT","pair":"XXBTZUSD",'
        '"time":1688666559.8974,"type":"buy","ordertype":"limit","price":"30010.00000","cost":"600.20000",'
        '"fee":"0.96032","vol":"0.02000000","margin":"0.00000","leverage":"0","misc":"","trade_id":9,"maker":true}},'
        '"count":1}}'
    )


def test_a_ledger_entry_names_its_asset_by_the_rest_id() -> None:
    entry = LedgerRecord(
        ledger_id="L1",
        ref_id="T1",
        time_ns=TIME_NS // 10**9 * 10**9,
        type="trade",
        asset="USD",
        amount=Decimal("-24.5000"),
        fee=Decimal("0.0490"),
        balance=Decimal("459567.9171"),
    )
    assert result_text(wire.ledgers_result([entry], 1)) == (
        '{"error":[],"result":{"ledger":{"L1":{"refid":"T1","time":1688666559.0,"type":"trade","subtype":"",'
        '"aclass":"currency","asset":"ZUSD","amount":"-24.5000","fee":"0.0490","balance":"459567.9171"}},"count":1}}'
    )


def test_amendments_are_told_oldest_first_with_what_they_have() -> None:
    amends = (
        AmendRecord(
            amend_id="T1",
            amend_type="original",
            order_qty=Decimal("0.01"),
            remaining_qty=Decimal("0.01"),
            limit_price=Decimal("61032.8"),
            time_ns=TIME_NS,
        ),
        AmendRecord(
            amend_id="T2",
            amend_type="user",
            order_qty=Decimal("0.02"),
            remaining_qty=Decimal("0.01"),
            display_qty=Decimal("0.005"),
            trigger_price=Decimal(60000),
            reason="User requested",
            post_only=True,
            time_ns=TIME_NS,
        ),
    )
    assert result_text(wire.amends_result(amends, PAIR)) == (
        '{"error":[],"result":{"amends":[{"amend_id":"T1","amend_type":"original","order_qty":"0.01000000",'
        '"remaining_qty":"0.01000000","limit_price":"61032.8","timestamp":1688666559897456789},'
        '{"amend_id":"T2","amend_type":"user","order_qty":"0.02000000","display_qty":"0.00500000",'
        '"remaining_qty":"0.01000000","trigger_price":"60000.0","reason":"User requested","post_only":true,'
        '"timestamp":1688666559897456789}],"count":2}}'
    )


def test_old_and_new_habits_of_the_service_are_read() -> None:
    (order,) = read_open_orders(
        '{"error":[],"result":{"open":{"O1":{"refid":"None","userref":null,"status":"open","opentm":1588.25,'
        '"starttm":0,"expiretm":0,"descr":{"pair":"XBTUSD","type":"buy","ordertype":"market","price":"0",'
        '"price2":"0","leverage":"none","order":"","close":"","aclass":"forex"},"vol":"1.25","misc":"",'
        '"oflags":"nompp","new":[1]}}}}'
    )
    assert (order.ref_id, order.order_userref, order.limit_price) == (None, None, None)
    assert (order.open_time_ns, order.fee_preference) == (1_588_250_000_000, "quote")


@pytest.mark.parametrize("time", ["1e41", "1e5000", "1e-5000"])
def test_a_short_number_that_stands_for_a_long_text_is_never_spelled_out(time: str) -> None:
    entry = '{"refid":"R","time":%s,"type":"trade","asset":"XXBT","amount":"1","fee":"0","balance":"1"}'
    with pytest.raises(DecodeError, match=r"not a number|out of range"):
        read_query_ledgers('{"error":[],"result":{"L1":' + entry % time + "}}")


@pytest.mark.parametrize(
    "read",
    [read_open_orders, read_closed_orders, read_query_orders, read_trades_history, read_query_trades, read_ledgers,
     read_query_ledgers, read_balance, read_balance_ex],
)  # fmt: skip
def test_a_refusal_is_raised_in_the_words_of_the_service(read: Any) -> None:
    with pytest.raises(VenueRefusal) as refusal:
        read(error_text("EGeneral:Permission denied"))
    assert refusal.value.error == "EGeneral:Permission denied"
    with pytest.raises(DecodeError):
        read("[]")


def test_mutated_answers_are_records_or_decode_errors() -> None:
    chance = random.Random(6)
    texts_ = (
        result_text(wire.open_orders_result([(ORDER, PAIR)])),
        result_text(wire.ledgers_result([], 1)),
    )
    outcomes = set()
    for _ in range(3_000):
        text = chance.choice(texts_)
        for _ in range(chance.randint(1, 2)):
            cut = chance.randrange(len(text))
            text = text[:cut] + chance.choice('{}[]",:x0-.e\\') + text[cut + 1 :]
        for read in (read_open_orders, read_ledgers):
            try:
                outcomes.add(type(read(text)))
            except (DecodeError, VenueRefusal) as error:
                outcomes.add(type(error))
    assert {tuple, Page, DecodeError} <= outcomes

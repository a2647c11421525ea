"""REST calls about orders: bodies of both kinds, requests as they were meant, refusals, answers and back."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.protocol.flat_requests import rest_requests
from tests.unit.protocol.private_values import NOW_NS, SECOND_NS, digits

from krakenwire.errors import DecodeError, UsageError, VenueRefusal
from krakenwire.limits import REQUEST_BYTES_MAX
from krakenwire.model import (
    Added,
    AddOrder,
    AllCanceled,
    Amended,
    AmendOrder,
    Answer,
    BatchAdd,
    BatchAdded,
    BatchCancel,
    BatchCanceled,
    CancelAll,
    CancelAllAfter,
    Canceled,
    CancelOrders,
    Conditional,
    Edited,
    EditOrder,
    OrderRecord,
    OrderRefused,
    TimerSet,
    TradingReply,
    TradingRequest,
    Trigger,
)
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.descriptions import PairTexts
from krakenwire.protocol.flat_values import Declined
from krakenwire.protocol.rest import error_text, result_text
from krakenwire.protocol.rest_body import form_body, items, parameters, rows
from krakenwire.protocol.rest_client import rest_call, rest_reply, rest_result
from krakenwire.protocol.rest_trading import REST_TRADING, rest_answer, rest_edited, rest_request

PAIR = PairTexts(
    rest_key="XXBTZUSD", altname="XBTUSD", wsname="XBT/USD", price_decimals=1, cost_decimals=5, v1_decimals=5
)
LIMIT = {"ordertype": "limit", "type": "buy", "pair": "XBTUSD", "volume": "1.5", "price": "9000"}
ROW = {"ordertype": "limit", "type": "buy", "volume": "1.5", "price": "9000"}
ORDER = AddOrder(symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal("1.5"), limit_price=Decimal(9000))


def changed(**changes: Any) -> AddOrder:
    return AddOrder(**{name: getattr(ORDER, name) for name in ORDER.__struct_fields__} | changes)


def ahead(ms: int) -> str:
    return rfc3339_from_ns(NOW_NS + ms * 1_000_000, 9)


def asked(method: str, **params: Any) -> Any:
    """The request of a JSON body."""
    return rest_request(method, parameters(json.dumps({"nonce": 1, **params}).encode()), NOW_NS)


def invalid(name: str) -> str:
    return f"EGeneral:Invalid arguments:{name}"


# -- bodies ----------------------------------------------------------------------


def test_a_form_is_unescaped() -> None:
    body = b"nonce=1&pair=XBT%2FUSD&close%5Bprice%5D=%2B5%25&cl_ord_id=a+b&empty=&flag&bad=%zz&price=1&price=2"
    assert parameters(body) == {
        "nonce": "1",
        "pair": "XBT/USD",
        "close[price]": "+5%",
        "cl_ord_id": "a b",
        "empty": "",
        "flag": "",
        "bad": "%zz",
        "price": "2",
    }


def test_json_is_flattened_to_the_names_of_a_form() -> None:
    body = (
        b' {"nonce":"7","price":9000.10,"validate":true,"userref":-5,"leverage":null,"close":{"price":"+5%"},'
        b'"orders":[{"price":1,"close":{"ordertype":"limit"}},{"close[price2]":2}],"txid":["O1",7]}'
    )
    assert parameters(body) == {
        "nonce": "7",
        "price": "9000.10",
        "validate": "true",
        "userref": "-5",
        "close[price]": "+5%",
        "orders[0][price]": "1",
        "orders[0][close][ordertype]": "limit",
        "orders[1][close[price2]]": "2",
        "txid[0]": "O1",
        "txid[1]": "7",
    }


def test_lists_and_tables_keep_their_order() -> None:
    many = {f"orders[{index}]": str(index) for index in range(12)}
    assert items(dict(reversed(many.items())), "orders") == tuple(map(str, range(12)))
    assert items({"txid": " O1, O2 ,,"}, "txid") == ("O1", "O2")
    assert items({"txid[]": "O1"}, "txid") == ("O1",)
    assert items({"txids[0]": "O1"}, "txid") == ()
    tables = {"orders[1][close][price]": "3", "orders[0][price]": "1", "orders[1][close[price2]]": "4", "orders": "x"}
    assert rows(tables, "orders") == ({"price": "1"}, {"close[price]": "3", "close[price2]": "4"})


def test_a_list_without_places_in_a_form_keeps_all_its_items() -> None:
    body = parameters(b"orders%5B%5D=O1&nonce=1&orders[]=O2&cl_ord_ids[]=c&orders[]=O3")
    assert items(body, "orders") == ("O1", "O2", "O3")
    assert rest_request("CancelOrderBatch", body, NOW_NS) == BatchCancel(
        order_ids=("O1", "O2", "O3"), cl_ord_ids=("c",)
    )


def test_of_a_plain_name_given_twice_the_last_counts() -> None:
    assert parameters(b"txid=O1&nonce=1&txid=O2") == {"txid": "O2", "nonce": "1"}
    assert parameters(b'{"txid":"O1","txid":"O2"}') == {"txid": "O2"}


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: not name.endswith("[]")), st.text(), max_size=5))
def test_a_form_comes_back_as_it_was_said(params: dict[str, str]) -> None:
    readable = {_encodable(name): _encodable(text) for name, text in params.items()}
    assert parameters(form_body(readable)) == readable


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"a":1',
        b'{"a":[[[[[[1]]]]]]}',
        b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"a":"\xff"}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b"a=" + b"x" * REQUEST_BYTES_MAX,
        b"&".join(b"a%d=1" % index for index in range(2_001)),
    ],
    ids=range(8),
)
def test_a_body_that_cannot_be_read_is_declined(body: bytes) -> None:
    with pytest.raises(Declined, match="EGeneral:Invalid arguments"):
        parameters(body)


# -- requests --------------------------------------------------------------------


@given(rest_requests)
def test_a_request_comes_to_the_service_as_it_was_meant(request_: TradingRequest) -> None:
    call = rest_call(request_)
    assert call.method in REST_TRADING
    assert digits(rest_request(call.method, parameters(form_body(call.params)), NOW_NS)) == digits(request_)


def test_each_call_takes_json_too() -> None:
    close = {"ordertype": "stop-loss-limit", "price": "#5%", "price2": "#10"}
    conditional = Conditional(
        order_type="stop-loss-limit",
        trigger_price=Decimal(-5),
        trigger_price_type="pct",
        limit_price=Decimal(-10),
        limit_price_type="quote",
    )
    with_close = AddOrder(
        **{name: getattr(ORDER, name) for name in ORDER.__struct_fields__} | {"conditional": conditional}
    )
    assert asked("AddOrder", **LIMIT | {"volume": 1.5, "price": 9000, "close": close}) == with_close
    assert asked("AddOrderBatch", pair="XXBTZUSD", orders=[ROW, ROW | {"close": close}], validate=True) == BatchAdd(
        symbol="BTC/USD", orders=(ORDER, with_close), validate=True
    )
    assert asked("AmendOrder", txid="O1", order_qty=2, limit_price="+1%") == AmendOrder(
        order_id="O1", order_qty=Decimal(2), limit_price=Decimal(1), limit_price_type="pct"
    )
    assert asked("EditOrder", txid="O1", pair="XBT/USD", price=7, oflags="") == EditOrder(
        order_id="O1", symbol="BTC/USD", price=Decimal(7), post_only=False
    )
    assert asked("CancelOrder", txid=7) == CancelOrders(order_ids=("7",))
    assert asked("CancelOrder", txid=["O1", 7]) == CancelOrders(order_ids=("O1", "7"))
    assert asked("CancelOrderBatch", orders=["O1", 7], cl_ord_ids=["c"]) == BatchCancel(
        order_ids=("O1", "7"), cl_ord_ids=("c",)
    )
    assert asked("CancelAll") == CancelAll()
    assert asked("CancelAllOrdersAfter", timeout=60) == CancelAllAfter(timeout_s=60)


def test_a_form_may_name_several_orders_at_once() -> None:
    assert rest_request("CancelOrder", {"txid": "O1,O2"}, NOW_NS) == CancelOrders(order_ids=("O1", "O2"))
    assert rest_request("CancelOrder", {"txid": "", "cl_ord_id": "c"}, NOW_NS) == CancelOrders(cl_ord_ids=("c",))


@pytest.mark.parametrize("pair", ["XBTUSD", "XXBTZUSD", "XBT/USD", "BTC/USD", "xbtusd"])
def test_pairs_come_in_any_spelling(pair: str) -> None:
    assert rest_request("AddOrder", LIMIT | {"pair": pair}, NOW_NS) == ORDER


def test_a_pair_that_is_none_is_passed_on() -> None:
    request = rest_request("AddOrder", LIMIT | {"pair": "no pair"}, NOW_NS)
    assert isinstance(request, AddOrder)
    assert request.symbol == "no pair"


def test_what_a_call_does_not_have_is_passed_over() -> None:
    assert rest_request("AddOrder", LIMIT | {"nonce": "1", "otp": "2", "asset_class": "x"}, NOW_NS) == ORDER


def test_only_rest_has_icebergs_index_triggers_and_fill_or_kill() -> None:
    iceberg: Any = asked("AddOrder", **LIMIT | {"ordertype": "iceberg", "displayvol": "0.1"})
    assert iceberg.display_qty == Decimal("0.1")
    stop: Any = asked("AddOrder", **LIMIT | {"ordertype": "stop-loss", "trigger": "index"})
    assert stop.triggers == Trigger(price=Decimal(9000), reference="index")
    kill: Any = asked("AddOrder", **LIMIT | {"timeinforce": "FOK", "stptype": "cancel-both"})
    assert (kill.time_in_force, kill.stp_type) == ("fok", "cancel_both")


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("AddOrder", LIMIT | {"pair": ""}, invalid("pair")),
        ("AddOrder", LIMIT | {"price": ""}, invalid("price")),
        ("AddOrder", LIMIT | {"volume": "x"}, invalid("volume")),
        ("AddOrder", LIMIT | {"trigger": "moon", "ordertype": "stop-loss"}, invalid("trigger")),
        ("AddOrder", LIMIT | {"stptype": "cancel_newest"}, invalid("stptype")),
        ("AddOrder", LIMIT | {"cl_ord_id": "x" * 19}, invalid("cl_ord_id")),
        ("AddOrder", LIMIT | {"cl_ord_id": "x", "userref": "1"}, "EGeneral:Invalid arguments"),
        ("AddOrder", LIMIT | {"deadline": ahead(-1)}, "EService:Deadline elapsed"),
        ("AddOrder", LIMIT | {"deadline": ahead(61_000)}, invalid("deadline")),
        ("AddOrder", LIMIT | {"close": {"ordertype": "limit"}}, invalid("close[price]")),
        ("AddOrder", LIMIT | {"close": {"price": "7"}}, invalid("close[ordertype]")),
        ("AddOrderBatch", {"orders": [ROW, ROW]}, invalid("pair")),
        ("AddOrderBatch", {"pair": "XBTUSD"}, invalid("orders")),
        ("AddOrderBatch", {"pair": "XBTUSD", "orders": [ROW]}, invalid("orders")),
        ("AddOrderBatch", {"pair": "XBTUSD", "orders": [ROW] * 16}, invalid("orders")),
        ("AddOrderBatch", {"pair": "XBTUSD", "orders": [ROW, ROW | {"type": "x"}]}, invalid("type")),
        ("AmendOrder", {}, invalid("txid")),
        ("AmendOrder", {"txid": "O1", "cl_ord_id": "c"}, "EGeneral:Invalid arguments"),
        ("AmendOrder", {"txid": "O1", "order_qty": "-1"}, invalid("volume")),
        ("AmendOrder", {"txid": "O1", "limit_price": "#1"}, invalid("price")),
        ("EditOrder", {"pair": "XBTUSD"}, invalid("txid")),
        ("EditOrder", {"txid": "O1"}, invalid("pair")),
        ("CancelOrder", {}, invalid("txid")),
        ("CancelOrder", {"txid": ","}, invalid("txid")),
        ("CancelOrder", {"txid": ",".join(["O1"] * 1_001)}, invalid("txid")),
        ("CancelOrderBatch", {}, invalid("orders")),
        ("CancelOrderBatch", {"orders": ["O1"] * 50, "cl_ord_ids": ["c"]}, invalid("orders")),
        ("CancelAllOrdersAfter", {}, invalid("timeout")),
        ("CancelAllOrdersAfter", {"timeout": "soon"}, invalid("timeout")),
        ("CancelAllOrdersAfter", {"timeout": 86_400}, invalid("Invalid timeout argument")),
    ],
)
def test_a_wrong_call_is_declined(method: str, params: dict[str, Any], error: str) -> None:
    with pytest.raises(Declined) as declined:
        asked(method, **params)
    assert str(declined.value) == error


def test_mutated_bodies_are_requests_or_declined() -> None:
    chance = random.Random(5)
    spare: tuple[Any, ...] = (
        None,
        True,
        -1,
        1.5,
        10**30,
        "",
        "x",
        "+5%",
        "#",
        [],
        ["O1", 7],
        {},
        {"price": 1},
        "9" * 300,
    )
    outcomes = set()
    for _ in range(4_000):
        method = chance.choice(REST_TRADING)
        full: dict[str, Any] = LIMIT | {
            "orders": [ROW, ROW],
            "txid": "O1",
            "timeout": 5,
            "close": {"ordertype": "limit"},
        }
        for name in chance.sample(sorted(full), k=2):
            full[name] = chance.choice(spare)
        body = json.dumps(full).encode()
        if chance.random() < 0.2:
            cut = chance.randrange(len(body))
            body = body[:cut] + chance.choice((b"{", b'"', b"\xff", b"%", b"&", b"[")) + body[cut + 1 :]
        try:
            outcomes.add(type(rest_request(method, parameters(body), NOW_NS)))
        except Declined:
            outcomes.add(Declined)
    assert {Declined, AddOrder, BatchAdd, CancelOrders, EditOrder} <= outcomes


# -- answers ---------------------------------------------------------------------

ADDED = Added(order_id="O1", descr="buy", close="close position")

ANSWERS: list[tuple[TradingRequest, tuple[Answer, ...], str]] = [
    (ORDER, (ADDED,), '{"descr":{"order":"buy","close":"close position"},"txid":["O1"]}'),
    (ORDER, (Added(order_id="", descr="buy"),), '{"descr":{"order":"buy"}}'),
    (
        BatchAdd(symbol="BTC/USD", orders=(ORDER, ORDER)),
        (BatchAdded((Added(order_id="O1", descr="buy"), OrderRefused("EOrder:Insufficient funds"))),),
        '{"orders":[{"descr":{"order":"buy"},"txid":"O1"},{"error":"EOrder:Insufficient funds"}]}',
    ),
    (AmendOrder(order_id="O1"), (Amended(amend_id="T1"),), '{"amend_id":"T1"}'),
    (CancelAll(), (AllCanceled(0),), '{"count":0}'),
    (BatchCancel(order_ids=("O1", "O2")), (BatchCanceled(2),), '{"count":2}'),
    (CancelOrders(order_ids=("O1",)), (Canceled(count=3),), '{"count":3}'),
    (
        CancelAllAfter(timeout_s=60),
        (TimerSet(current_ns=0, trigger_ns=60 * SECOND_NS),),
        '{"currentTime":"1970-01-01T00:00:00Z","triggerTime":"1970-01-01T00:01:00Z"}',
    ),
    (
        CancelAllAfter(timeout_s=0),
        (TimerSet(current_ns=0, trigger_ns=None),),
        '{"currentTime":"1970-01-01T00:00:00Z","triggerTime":"0"}',
    ),
]


@pytest.mark.parametrize(("request_", "given_", "text"), ANSWERS, ids=range(len(ANSWERS)))
def test_answers_are_results_and_come_back(request_: TradingRequest, given_: tuple[Answer, ...], text: str) -> None:
    body = result_text(rest_answer(given_))
    assert body == f'{{"error":[],"result":{text}}}'
    (answer,) = given_
    reply = rest_reply(request_, body.encode())
    assert reply.answer == answer
    assert (reply.req_id, reply.time_in_ns) == (None, None)


def test_one_of_several_cancellations_is_enough() -> None:
    some = (OrderRefused("EOrder:Unknown order"), Canceled(order_id="O2"), Canceled(order_id="O3", count=2))
    assert rest_answer(some) == {"count": 3}


def test_a_refusal_of_all_is_the_first() -> None:
    refused = (OrderRefused("EOrder:Unknown order"), OrderRefused("EOrder:Invalid order"))
    with pytest.raises(Declined, match="EOrder:Unknown order"):
        rest_answer(refused)
    reply = rest_reply(ORDER, error_text("EOrder:Unknown order"))
    assert reply == TradingReply(method="add_order", answer=OrderRefused("EOrder:Unknown order"))


def test_an_edit_tells_the_new_order() -> None:
    record = OrderRecord(
        order_id="O2",
        status="open",
        symbol="BTC/USD",
        side="buy",
        order_type="limit",
        order_qty=Decimal("0.0003"),
        limit_price=Decimal(19500),
        open_time_ns=1,
    )
    answer = Edited(order_id="O2", original_order_id="O1", descr="buy 0.00030000 XBTUSD @ limit 19500.0")
    body = result_text(rest_edited(answer, record, PAIR))
    assert body == (
        '{"error":[],"result":{"status":"ok","txid":"O2","originaltxid":"O1","volume":"0.00030000",'
        '"price":"19500.0","price2":"0","orders_cancelled":1,'
        '"descr":{"order":"buy 0.00030000 XBTUSD @ limit 19500.0"}}}'
    )
    assert rest_reply(EditOrder(order_id="O1", symbol="BTC/USD"), body).answer == answer
    checked = rest_edited(Edited(order_id="", original_order_id="O1"), record, PAIR)
    assert isinstance(checked, dict)
    assert "txid" not in checked
    assert checked["orders_cancelled"] == 0


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (CancelAll(), '{"error":[],"result":{}}'),
        (CancelAll(), '{"error":[]}'),
        (CancelAllAfter(timeout_s=1), '{"error":[],"result":{}}'),
        (CancelAllAfter(timeout_s=1), '{"error":[],"result":{"currentTime":"now"}}'),
        (ORDER, '{"error":[],"result":{"txid":7}}'),
        (ORDER, "<html>"),
        (ORDER, "[" * 100_000),
        (ORDER, '{"error":"no list"}'),
    ],
    ids=range(8),
)
def test_a_yes_without_what_it_is_about_is_a_decode_error(request_: TradingRequest, body: str) -> None:
    with pytest.raises(DecodeError):
        rest_reply(request_, body)


def test_warnings_are_no_refusals() -> None:
    assert rest_result('{"error":["WGeneral:Old"],"result":{"count":1}}', dict[str, int]) == {"count": 1}
    with pytest.raises(VenueRefusal, match="EAPI:Invalid key"):
        rest_result('{"error":["EAPI:Invalid key"]}', dict[str, int], "Balance")


def test_several_of_the_same_batch_row_may_tell_their_error_as_a_list() -> None:
    batch = BatchAdd(symbol="BTC/USD", orders=(ORDER, ORDER))
    body = '{"error":[],"result":{"orders":[{"error":["EOrder:Invalid price"]},{"txid":"O2"}]}}'
    assert rest_reply(batch, body).answer == BatchAdded((OrderRefused("EOrder:Invalid price"), Added(order_id="O2")))


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (CancelOrders(order_ids=("O1",), cl_ord_ids=("c",)), "a cancellation on REST"),
        (CancelOrders(cl_ord_ids=("c", "d")), "a cancellation on REST"),
        (CancelOrders(), "a cancellation on REST"),
        (BatchAdd(symbol="ETH/USD", orders=(ORDER, ORDER)), "an order of a batch"),
        (BatchAdd(symbol="BTC/USD", orders=(ORDER, changed(validate=True))), "an order of a batch"),
        (BatchAdd(symbol="BTC/USD", orders=(ORDER, changed(deadline_ns=1))), "an order of a batch"),
        (changed(symbol="nonsense"), "the symbol"),
    ],
)
def test_what_rest_cannot_say_is_a_usage_error(request_: TradingRequest, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        rest_call(request_)

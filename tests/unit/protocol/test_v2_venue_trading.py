"""What the venue takes and refuses of private v2 requests: one row per text, deprecated members, mutated frames."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.protocol.private_values import NOW_NS

from krakenwire.limits import VENUE_CANCELS_PER_REQUEST_MAX
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    BatchAdd,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    Trigger,
)
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.v2.trading import encode_request
from krakenwire.protocol.v2.venue import (
    PRIVATE_METHODS,
    PrivateSubscribe,
    PrivateUnsubscribe,
    Refusal,
    TradingCall,
    parse_request,
)

LIMIT = {"order_type": "limit", "side": "buy", "symbol": "A/B", "order_qty": 1.5, "limit_price": 7, "token": "t"}
STOP = {
    "order_type": "stop-loss",
    "side": "sell",
    "symbol": "A/B",
    "order_qty": 1.5,
    "triggers": {"price": 7},
    "token": "t",
}
AMEND = {"order_id": "O1", "order_qty": 2, "token": "t"}
EDIT = {"order_id": "O1", "symbol": "A/B", "token": "t"}
ROW = {"order_type": "limit", "side": "buy", "order_qty": 1.5, "limit_price": 7}
BATCH = {"symbol": "A/B", "orders": [ROW, ROW], "token": "t"}
PLAIN: dict[str, dict[str, Any]] = {
    "add_order": LIMIT,
    "amend_order": AMEND,
    "edit_order": EDIT,
    "cancel_order": {"order_id": ["O1"], "token": "t"},
    "cancel_all": {"token": "t"},
    "cancel_all_orders_after": {"timeout": 60, "token": "t"},
    "batch_add": BATCH,
    "batch_cancel": {"orders": ["O1", "O2"], "token": "t"},
}
"""The least that each method takes."""


def ahead(ms: int) -> str:
    return rfc3339_from_ns(NOW_NS + ms * 1_000_000, 9)


def frame(method: str, params: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"method": method, "params": params, "req_id": 3})


def parsed(method: str, params: dict[str, Any]) -> Any:
    return parse_request(frame(method, params), NOW_NS)


def taken(method: str, params: dict[str, Any]) -> TradingCall:
    call = parsed(method, params)
    assert isinstance(call, TradingCall), call
    return call


def without(params: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in names}


def field(name: str, method: str = "add_order") -> str:
    return f"Unsupported field: '{name}' for the given msg type: {method}"


def invalid(name: str) -> str:
    return f"EGeneral:Invalid arguments:{name}"


def test_the_least_of_each_method_is_taken() -> None:
    assert set(PLAIN) == set(PRIVATE_METHODS)
    for method, params in PLAIN.items():
        call = taken(method, params)
        assert (call.method, call.token, call.req_id, call.warnings) == (method, "t", 3, ())


@pytest.mark.parametrize("method", PRIVATE_METHODS)
def test_every_method_needs_a_token_and_knows_its_members(method: str) -> None:
    for params in (without(PLAIN[method], "token"), PLAIN[method] | {"token": ""}):
        assert parsed(method, params) == Refusal(error="Token(s) not found", method=method, req_id=3)
    assert parsed(method, PLAIN[method] | {"token": 7}).error == "Token field must be a string"
    assert parsed(method, PLAIN[method] | {"leverage": 3}).error == field("leverage", method)
    outside = msgspec.json.encode({"method": method, "params": PLAIN[method], "token": "t"})
    assert parse_request(outside, NOW_NS) == Refusal(error=field("token", method), method=method)
    assert parse_request(f'{{"method":"{method}"}}') == Refusal(error="Params(s) not found", method=method)
    assert parse_request(f'{{"method":"{method}","params":[]}}') == Refusal(
        error="Params field must be an object", method=method
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"limit_price": "7"}, "Limit_price field must be a number_float"),
        ({"order_qty": "1.5"}, "Order_qty field must be a number_float"),
        ({"cash_order_qty": "1"}, "Cash_order_qty field must be a number_float"),
        ({"order_qty": True}, "Order_qty field must be a number_float"),
        ({"order_qty": None}, "Order_qty field must be a number_float"),
        ({"order_qty": [1]}, "Order_qty field must be a number_float"),
        ({"post_only": 1}, "Post_only field must be a boolean"),
        ({"symbol": ["A/B"]}, "Symbol field must be a string"),
        ({"order_userref": 1.5}, "Order_userref field must be an integer"),
        ({"order_userref": "7"}, "Order_userref field must be an integer"),
        ({"triggers": 7}, "Triggers field must be an object"),
        ({"triggers": {"price": "7"}}, "Price field must be a number_float"),
        ({"triggers": {"trigger_price": 7}}, field("trigger_price")),
        ({"triggers": {}}, "Price(s) not found"),
        ({"conditional": []}, "Conditional field must be an object"),
        ({"conditional": {"price": 7}}, field("price")),
        ({"conditional": {"trigger_price": 7}}, "Order_type(s) not found"),
        ({"conditional": {"order_type": "market"}}, invalid("ordertype")),
        ({"conditional": {"order_type": "limit"}}, "Limit_price(s) not found"),
        ({"conditional": {"order_type": "stop-loss"}}, "Trigger_price(s) not found"),
        ({"conditional": {"order_type": "stop-loss", "trigger_price": 7, "trigger_price_type": "x"}},
         invalid("price")),
        ({"orders": []}, field("orders")),
        ({"order_id": "O1"}, field("order_id")),
        ({"order_type": "stop"}, invalid("ordertype")),
        ({"side": "hold"}, invalid("type")),
        ({"time_in_force": "day"}, invalid("timeinforce")),
        ({"stp_type": "cancel-newest"}, invalid("stptype")),
        ({"fee_preference": "fciq"}, invalid("oflags")),
        ({"limit_price_type": "dollars"}, invalid("price")),
        ({"limit_price_type": "quote"}, invalid("price")),
        ({"triggers": {"price": 7, "price_type": "abs"}}, invalid("price")),
        ({"triggers": {"price": 7, "reference": "mark"}}, invalid("trigger")),
        ({"order_qty": -1}, invalid("volume")),
        ({"order_qty": 10**18}, invalid("volume")),
        ({"limit_price": -(10**19)}, invalid("price")),
        ({"cl_ord_id": "x", "order_userref": 7}, "EGeneral:Invalid arguments"),
        ({"cash_order_qty": 7}, "EGeneral:Invalid arguments"),
        ({"cl_ord_id": ""}, invalid("cl_ord_id")),
        ({"cl_ord_id": "n" * 19}, invalid("cl_ord_id")),
        ({"cl_ord_id": "é"}, invalid("cl_ord_id")),
        ({"cl_ord_id": "a\n"}, invalid("cl_ord_id")),
        ({"cl_ord_id": "6d1b345e-2821-40e2-ad83-4ecb18a0687g"}, invalid("cl_ord_id")),
        ({"sender_sub_id": "n" * 40}, invalid("sender_sub_id")),
        ({"order_userref": 1 << 31}, invalid("userref")),
        ({"order_userref": -(1 << 31) - 1}, invalid("userref")),
        ({"deadline": "soon"}, invalid("deadline")),
        ({"deadline": ahead(-1)}, "EService:Deadline elapsed"),
        ({"deadline": ahead(499)}, invalid("deadline")),
        ({"deadline": ahead(60_001)}, invalid("deadline")),
        ({"effective_time": "now"}, invalid("starttm")),
        ({"time_in_force": "gtd"}, "Expire_time(s) not found"),
        ({"time_in_force": "gtd", "expire_time": "soon"}, invalid("expiretm")),
        ({"display_qty": -1}, invalid("displayvol")),
        ({"order_type": "iceberg"}, "Display_qty(s) not found"),
        ({"order_type": "take-profit-limit"}, "Triggers(s) not found"),
        ({"trigger": "index"}, "Price(s) not found"),
    ],
)  # fmt: skip
def test_a_wrong_order_is_refused_alone_and_in_a_batch(changes: dict[str, Any], error: str) -> None:
    assert parsed("add_order", LIMIT | changes) == Refusal(error=error, method="add_order", req_id=3)
    if not {"symbol", "deadline"} & set(changes):
        batch = BATCH | {"orders": [ROW, ROW | changes]}
        in_batch = error.replace("msg type: add_order", "msg type: batch_add")
        if "orders" in changes or "order_id" in changes:
            in_batch = field(next(iter(changes)), "batch_add")
        assert parsed("batch_add", batch) == Refusal(error=in_batch, method="batch_add", req_id=3)


@pytest.mark.parametrize("number", ["1e999", "9" * 65, "0." + "0" * 70 + "1", "1e41"])
def test_a_number_beyond_any_bound_is_no_number(number: str) -> None:
    text = frame("add_order", LIMIT).decode().replace("1.5", number)
    assert parse_request(text, NOW_NS) == Refusal(
        error="Order_qty field must be a number_float", method="add_order", req_id=3
    )


@pytest.mark.parametrize("name", ["order_type", "side", "symbol", "order_qty", "limit_price"])
def test_what_an_order_lacks_is_named(name: str) -> None:
    assert parsed("add_order", without(LIMIT, name)).error == f"{name.capitalize()}(s) not found"


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("amend_order", without(AMEND, "order_id"), "Order_id(s) not found"),
        ("amend_order", AMEND | {"cl_ord_id": "x"}, "EGeneral:Invalid arguments"),
        ("amend_order", {"cl_ord_id": "n" * 19, "token": "t"}, invalid("cl_ord_id")),
        ("amend_order", AMEND | {"order_id": ["O1"]}, "Order_id field must be a string"),
        ("amend_order", AMEND | {"limit_price": "7"}, "Limit_price field must be a number_float"),
        ("amend_order", AMEND | {"triggers": {"price": 7}}, field("triggers", "amend_order")),
        ("amend_order", AMEND | {"limit_price_type": "x"}, invalid("price")),
        ("amend_order", AMEND | {"deadline": ahead(100)}, invalid("deadline")),
        ("edit_order", without(EDIT, "order_id"), "Order_id(s) not found"),
        ("edit_order", without(EDIT, "symbol"), "Symbol(s) not found"),
        ("edit_order", EDIT | {"cl_ord_id": "x"}, field("cl_ord_id", "edit_order")),
        ("edit_order", EDIT | {"order_type": "limit"}, field("order_type", "edit_order")),
        ("cancel_order", {"token": "t"}, "Order_id(s) not found"),
        ("cancel_order", {"order_id": [], "cl_ord_id": [], "token": "t"}, "Order_id(s) not found"),
        ("cancel_order", {"order_id": "O1", "token": "t"}, "Order_id field must be an array"),
        ("cancel_order", {"order_id": [7], "token": "t"}, "Order_id field must be an array of strings"),
        ("cancel_order", {"order_userref": ["7"], "token": "t"}, "Order_userref field must be an array of integers"),
        ("cancel_order", {"order_userref": [1 << 31], "token": "t"}, invalid("userref")),
        (
            "cancel_order",
            {"order_id": ["O1"] * (VENUE_CANCELS_PER_REQUEST_MAX + 1), "token": "t"},
            "EGeneral:Invalid arguments",
        ),
        ("cancel_all", {"token": "t", "symbol": "A/B"}, field("symbol", "cancel_all")),
        ("cancel_all_orders_after", {"token": "t"}, "Timeout(s) not found"),
        ("cancel_all_orders_after", {"timeout": 1.5, "token": "t"}, "Timeout field must be an integer"),
        ("cancel_all_orders_after", {"timeout": "60", "token": "t"}, "Timeout field must be an integer"),
        ("cancel_all_orders_after", {"timeout": -1, "token": "t"}, invalid("Invalid timeout argument")),
        ("cancel_all_orders_after", {"timeout": 86_400, "token": "t"}, invalid("Invalid timeout argument")),
        ("batch_add", without(BATCH, "symbol"), "Symbol(s) not found"),
        ("batch_add", without(BATCH, "orders"), "Orders(s) not found"),
        ("batch_add", BATCH | {"orders": []}, "Orders(s) not found"),
        ("batch_add", BATCH | {"orders": [ROW]}, invalid("orders")),
        ("batch_add", BATCH | {"orders": [ROW] * 16}, invalid("orders")),
        ("batch_add", BATCH | {"orders": [ROW, 7]}, "Orders field must be an array of objects"),
        ("batch_add", BATCH | {"orders": [ROW, ROW | {"symbol": "A/B"}]}, field("symbol", "batch_add")),
        ("batch_add", BATCH | {"orders": [ROW, without(ROW, "limit_price")]}, "Limit_price(s) not found"),
        ("batch_add", BATCH | {"deadline": ahead(61_000)}, invalid("deadline")),
        ("batch_cancel", {"token": "t"}, "Orders(s) not found"),
        ("batch_cancel", {"orders": ["O1"], "token": "t"}, invalid("orders")),
        ("batch_cancel", {"orders": ["O1"] * 51, "token": "t"}, invalid("orders")),
        ("batch_cancel", {"orders": ["O1"] * 50, "cl_ord_id": ["x"], "token": "t"}, invalid("orders")),
        ("batch_cancel", {"orders": [1, 2], "token": "t"}, "Orders field must be an array of strings"),
        ("subscribe", {"channel": "executions"}, "Token(s) not found"),
        ("subscribe", {"channel": "balances", "token": ""}, "Token(s) not found"),
        ("subscribe", {"channel": "executions", "token": "t", "snap_trades": 1}, "Snap_trades field must be a boolean"),
        ("subscribe", {"channel": "executions", "token": "t", "symbol": ["A/B"]}, field("symbol", "subscribe")),
        ("subscribe", {"channel": "balances", "token": "t", "users": "me"}, invalid("users")),
        ("unsubscribe", {"channel": "executions"}, "Token(s) not found"),
        ("unsubscribe", {"channel": "balances", "token": "t", "depth": 10}, field("depth", "unsubscribe")),
    ],
)
def test_a_wrong_request_is_refused(method: str, params: dict[str, Any], error: str) -> None:
    refusal = parsed(method, params)
    assert isinstance(refusal, Refusal)
    assert (refusal.error, refusal.method, refusal.req_id) == (error, method, 3)


def test_deadlines_at_both_ends_are_taken() -> None:
    for ms in (500, 60_000):
        for method in ("add_order", "amend_order", "edit_order", "batch_add"):
            request: Any = taken(method, PLAIN[method] | {"deadline": ahead(ms)}).request
            assert request.deadline_ns == NOW_NS + ms * 1_000_000


@pytest.mark.parametrize(
    "name", ["6d1b345e-2821-40e2-ad83-4ecb18a06876", "6D1B345E282140E2AD834ECB18A06876", "n" * 18, "Bot-7 ", "x"]
)
def test_the_three_forms_of_a_clients_own_id_are_taken(name: str) -> None:
    assert taken("add_order", LIMIT | {"cl_ord_id": name}).request.cl_ord_id == name  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["GTC", "gtc", "IOC", "Fok"])
def test_a_time_in_force_may_be_written_either_way(text: str) -> None:
    request = taken("add_order", LIMIT | {"time_in_force": text}).request
    assert isinstance(request, AddOrder)
    assert request.time_in_force == text.lower()


@pytest.mark.parametrize(
    ("text", "qty"), [("28440", "28440"), ("5.1e-05", "0.000051"), ("0", "0"), ("1E+3", "1000"), ("-0.0", "-0.0")]
)
def test_numbers_may_have_any_json_form(text: str, qty: str) -> None:
    call = parse_request(frame("add_order", LIMIT).decode().replace("1.5", text), NOW_NS)
    assert isinstance(call, TradingCall)
    assert isinstance(call.request, AddOrder)
    assert f"{call.request.order_qty:f}" == qty


def test_a_trailing_stop_limit_prices_its_limit_as_a_distance_unless_it_says_otherwise() -> None:
    trailing = STOP | {"order_type": "trailing-stop-limit", "limit_price": 0}
    request = taken("add_order", trailing).request
    assert isinstance(request, AddOrder)
    assert request.limit_price_type == "quote"
    said = taken("add_order", trailing | {"limit_price_type": "static"}).request
    assert isinstance(said, AddOrder)
    assert said.limit_price_type == "static"
    amend = taken("amend_order", AMEND).request
    assert isinstance(amend, AmendOrder)
    assert amend.limit_price_type is None


def test_deprecated_members_mean_the_new_ones_and_are_warned_of() -> None:
    old = without(STOP, "triggers") | {"stop_price": 7.50, "trigger": "index", "no_mpp": True}
    call = taken("add_order", old)
    assert isinstance(call.request, AddOrder)
    assert call.request.triggers == Trigger(price=Decimal("7.5"), reference="index")
    assert call.warnings == (
        "stop_price is deprecated, use triggers.price",
        "trigger is deprecated use triggers.reference",
        "no_mpp is deprecated",
    )
    both = taken("add_order", STOP | {"stop_price": 9}).request
    assert isinstance(both, AddOrder)
    assert both.triggers == Trigger(price=Decimal(7))

    closing = taken("add_order", LIMIT | {"conditional": {"order_type": "stop-loss", "stop_price": 5}})
    assert isinstance(closing.request, AddOrder)
    assert closing.request.conditional == Conditional(order_type="stop-loss", trigger_price=Decimal(5))
    assert closing.warnings == ("stop_price is deprecated, use trigger_price",)

    edit = taken("edit_order", EDIT | {"price": 5.25, "no_mpp": False})
    assert isinstance(edit.request, EditOrder)
    assert edit.request.limit_price == Decimal("5.25")
    assert edit.warnings == ("no_mpp is deprecated", "price is deprecated, use limit_price")

    batch = taken("batch_add", BATCH | {"orders": [ROW | {"no_mpp": True}, ROW | {"no_mpp": True}]})
    assert isinstance(batch.request, BatchAdd)
    assert batch.warnings == ("no_mpp is deprecated",)


def test_a_subscription_of_a_private_channel_has_its_defaults() -> None:
    assert parsed("subscribe", {"channel": "executions", "token": "t"}) == PrivateSubscribe(
        channel="executions", token="t", req_id=3
    )
    assert parsed("subscribe", {"channel": "balances", "token": "t"}) == PrivateSubscribe(
        channel="balances", token="t", req_id=3
    )


@pytest.mark.parametrize(
    ("params", "begins"),
    [
        ({"snapshot": False}, (False, False, False)),
        ({"snapshot": False, "snapshot_trades": True}, (False, True, True)),
        ({"snapshot": False, "snap_orders": True}, (True, False, True)),
        ({"snap_trades": False, "snapshot_trades": True}, (True, False, True)),
        ({"snap_orders": False}, (False, False, False)),
        ({"users": "all"}, (True, False, False)),
    ],
)
def test_what_executions_begin_with_may_be_said_the_old_way(
    params: dict[str, Any], begins: tuple[bool, bool, bool]
) -> None:
    request = parsed("subscribe", {"channel": "executions", "token": "t"} | params)
    assert isinstance(request, PrivateSubscribe)
    assert (request.snap_orders, request.snap_trades, request.snapshot) == begins


def test_the_switch_may_be_disarmed_and_lists_may_be_mixed() -> None:
    assert taken("cancel_all_orders_after", {"timeout": 0, "token": "t"}).request == CancelAllAfter(timeout_s=0)
    mixed = {"order_id": ["O1"], "cl_ord_id": ["x", "y"], "order_userref": [7], "token": "t"}
    assert taken("cancel_order", mixed).request == CancelOrders(
        order_ids=("O1",), cl_ord_ids=("x", "y"), order_userrefs=(7,)
    )


# -- anything at all ---------------------------------------------------------------

SEEDS = (
    *(frame(method, params) for method, params in PLAIN.items()),
    frame("add_order", STOP | {"conditional": {"order_type": "limit", "limit_price": 5}, "cl_ord_id": "x"}),
    frame("subscribe", {"channel": "executions", "token": "t", "snap_trades": True}),
    frame("unsubscribe", {"channel": "balances", "token": "t"}),
    encode_request(AmendOrder(cl_ord_id="x", limit_price=Decimal("1.50")), "t", 1).encode(),
)
PIECES = (
    *(b"null", b"true", b"-1", b"1e999", b"1e-999", b"9" * 400, b"0.1", b'"x"', b'""', b"[]", b"{}", b"[[]]"),
    *(b'{"a":1}', b"\xff", b"\\ud800", b"NaN", b"\x00", b",", b"}", b'"method":7,', b'"symbol":"A/B",'),
)
_WELL_MADE = TradingCall | PrivateSubscribe | PrivateUnsubscribe


def mutated(rng: random.Random) -> bytes:
    text = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 3)):
        at, length = rng.randrange(len(text) + 1), rng.choice((0, 1, 1, 3, 8))
        text[at : at + length] = rng.choice(PIECES) if rng.random() < 0.5 else rng.randbytes(rng.randint(0, 2))
    return bytes(text)


def test_mutated_frames_give_calls_or_refusals(nightly: bool) -> None:
    rng = random.Random(20310203)
    outcomes: Counter[str] = Counter()
    for _ in range(500_000 if nightly else 20_000):
        request = parse_request(mutated(rng), NOW_NS)
        if isinstance(request, Refusal):
            assert request.error
            outcomes["malformed" if request.error == "Malformed request" else "refused"] += 1
        else:
            assert isinstance(request, _WELL_MADE)
            outcomes["taken"] += 1
    assert min(outcomes[kind] for kind in ("malformed", "refused", "taken")) > 100


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(SEEDS), st.data())
def test_a_value_of_any_type_in_any_place_gives_a_call_or_a_refusal(seed: bytes, data: st.DataObject) -> None:
    value = msgspec.json.decode(seed)
    place = value
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(_VALUES)
    request = parse_request(msgspec.json.encode(value), NOW_NS)
    assert isinstance(request, Refusal | _WELL_MADE)

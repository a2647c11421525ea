"""What the venue takes and refuses of private v1 requests: one row per text, lenient scalars, relative prices, fuzz."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.protocol.private_values import NOW_NS

from krakenwire.limits import VENUE_CANCELS_PER_REQUEST_MAX
from krakenwire.model import (
    AddOrder,
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Conditional,
    EditOrder,
    Trigger,
)
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.protocol.v1.venue import (
    PrivateRequest,
    PrivateSubscribe,
    PrivateUnsubscribe,
    Refusal,
    TradingCall,
    parse_request,
    refuse_private,
)

SECOND_NS = 1_000_000_000
NOW_S = NOW_NS // SECOND_NS

LIMIT = {"ordertype": "limit", "type": "buy", "pair": "XBT/USD", "volume": "1.5", "price": "9000", "token": "t"}
PLAIN: dict[str, dict[str, Any]] = {
    "addOrder": LIMIT,
    "editOrder": {"orderid": "O1", "pair": "XBT/USD", "token": "t"},
    "amendOrder": {"txid": "O1", "token": "t"},
    "cancelOrder": {"txid": ["O1"], "token": "t"},
    "cancelAll": {"token": "t"},
    "cancelAllOrdersAfter": {"timeout": 60, "token": "t"},
}
"""The least that each request takes."""


def frame(event: str, members: dict[str, Any]) -> str:
    return json.dumps({"event": event, "reqid": 3, **members})


def parsed(event: str, members: dict[str, Any]) -> Any:
    return parse_request(frame(event, members), NOW_NS)


def taken(event: str, members: dict[str, Any]) -> Any:
    call = parsed(event, members)
    assert isinstance(call, TradingCall), call
    return call.request


def order(**members: Any) -> AddOrder:
    request = taken("addOrder", LIMIT | members)
    assert isinstance(request, AddOrder)
    return request


def ahead(ms: int) -> str:
    return rfc3339_from_ns(NOW_NS + ms * 1_000_000, 9)


def invalid(name: str) -> str:
    return f"EGeneral:Invalid arguments:{name}"


def test_the_least_of_each_request_is_taken() -> None:
    expected = {
        "addOrder": AddOrder(
            symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal("1.5"), limit_price=Decimal(9000)
        ),
        "editOrder": EditOrder(order_id="O1", symbol="BTC/USD"),
        "amendOrder": AmendOrder(order_id="O1"),
        "cancelOrder": CancelOrders(order_ids=("O1",)),
        "cancelAll": CancelAll(),
        "cancelAllOrdersAfter": CancelAllAfter(timeout_s=60),
    }
    for event, members in PLAIN.items():
        call = parsed(event, members)
        assert call == TradingCall(event=event, req_id=3, request=expected[event], token="t")


def test_scalars_may_be_strings_numbers_or_booleans() -> None:
    as_text = order(volume="2", price="0.10", userref="7", leverage="5", validate="true", reduce_only="false")
    as_number = order(volume=2, price=0.1, userref=7, leverage=5, validate=True, reduce_only=False)
    assert as_text == as_number
    assert as_text.validate
    assert not as_text.reduce_only
    assert (as_text.order_userref, as_text.leverage) == (7, 5)
    assert parsed("cancelAllOrdersAfter", {"timeout": "60", "token": "t"}).request == CancelAllAfter(timeout_s=60)


def test_a_number_keeps_the_digits_it_was_written_with() -> None:
    text = frame("addOrder", LIMIT).replace('"9000"', "9000.1000000000000000001")
    call: Any = parse_request(text, NOW_NS)
    assert f"{call.request.limit_price:f}" == "9000.1000000000000000001"


def test_null_and_empty_members_count_as_absent() -> None:
    nothing = dict.fromkeys(("price2", "oflags", "starttm", "expiretm", "timeinforce", "userref", "leverage"), "")
    assert order(**nothing) == order(cl_ord_id=None) == order()


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [
        ("XBT/USD", "BTC/USD"),
        ("BTC/USD", "BTC/USD"),
        ("XDG/XBT", "DOGE/BTC"),
        ("XBTUSD", "XBTUSD"),
        ("xbt/usd", "xbt/usd"),
        ("no pair", "no pair"),
    ],
)
def test_pairs_have_their_v2_spelling_and_what_is_none_is_passed_on(pair: str, symbol: str) -> None:
    assert order(pair=pair).symbol == symbol
    assert taken("editOrder", PLAIN["editOrder"] | {"pair": pair}).symbol == symbol
    assert taken("amendOrder", PLAIN["amendOrder"] | {"pair": pair}).symbol == symbol


@pytest.mark.parametrize(
    ("order_type", "side", "price", "value", "kind"),
    [
        ("limit", "buy", "+5", 5, "quote"),
        ("limit", "buy", "-1.5%", "-1.5", "pct"),
        ("limit", "buy", "#5", -5, "quote"),
        ("limit", "sell", "#5%", 5, "pct"),
        ("stop-loss", "buy", "#5", 5, "quote"),
        ("stop-loss", "sell", "#5", -5, "quote"),
        ("take-profit", "buy", "#5", -5, "quote"),
        ("take-profit", "sell", "#5", 5, "quote"),
        ("trailing-stop", "sell", "+5%", 5, "pct"),
        ("stop-loss", "sell", "25000", 25000, "static"),
    ],
)
def test_prices_may_be_relative(order_type: str, side: str, price: str, value: Any, kind: str) -> None:
    request = order(ordertype=order_type, type=side, price=price)
    if order_type == "limit":
        assert (request.limit_price, request.limit_price_type) == (Decimal(value), kind)
    else:
        assert request.triggers is not None
        assert (request.triggers.price, request.triggers.price_type) == (Decimal(value), kind)
        assert request.limit_price is None


@pytest.mark.parametrize(("side", "value"), [("buy", 10), ("sell", -10)])
def test_the_second_price_is_the_limit_behind_a_trigger(side: str, value: int) -> None:
    request = order(ordertype="stop-loss-limit", type=side, price="100", price2="#10")
    assert request.triggers == Trigger(price=Decimal(100))
    assert (request.limit_price, request.limit_price_type) == (Decimal(value), "quote")


def test_a_market_order_has_no_use_for_prices() -> None:
    request = order(ordertype="market", price="0", price2="0")
    assert (request.limit_price, request.triggers) == (None, None)


def test_order_flags_are_told_apart() -> None:
    request = order(oflags="fcib, post,nompp")
    assert (request.fee_preference, request.post_only, request.order_qty) == ("base", True, Decimal("1.5"))
    in_quote = order(ordertype="market", oflags="viqc,fciq")
    assert (in_quote.order_qty, in_quote.cash_order_qty, in_quote.fee_preference) == (None, Decimal("1.5"), "quote")


def test_times_count_from_now_or_from_1970() -> None:
    request = order(starttm="+30", expiretm=NOW_S + 60, timeinforce="GTD")
    assert (request.effective_time_ns, request.expire_time_ns) == ((NOW_S + 30) * SECOND_NS, (NOW_S + 60) * SECOND_NS)
    assert order(starttm="0", expiretm="0.000000") == order()


def test_an_order_that_ends_is_good_till_then_unless_it_says_otherwise() -> None:
    assert order(expiretm="+60").time_in_force == "gtd"
    assert order(expiretm="+60", timeinforce="GTC").time_in_force == "gtc"
    assert order(timeinforce="ioc").time_in_force == "ioc"


def test_a_conditional_close_has_flat_keys() -> None:
    close = {"close[ordertype]": "stop-loss-limit", "close[price]": "#5%", "close[price2]": "8000"}
    assert order(**close).conditional == Conditional(
        order_type="stop-loss-limit",
        trigger_price=Decimal(-5),
        trigger_price_type="pct",
        limit_price=Decimal(8000),
    )


def test_the_rest_of_an_order_is_read() -> None:
    request = order(
        margin=True,
        cl_ord_id="bot-1",
        sender_sub_id="desk",
        stp_type="cancel_both",
        deadline=ahead(5_000),
    )
    assert (request.margin, request.cl_ord_id, request.sender_sub_id) == (True, "bot-1", "desk")
    assert (request.stp_type, request.deadline_ns) == ("cancel_both", NOW_NS + 5_000_000_000)


@pytest.mark.parametrize(("text", "value"), [("none", None), ("0", None), ("2:1", 2), ("5", 5)])
def test_leverage_is_a_number_or_a_ratio(text: str, value: int | None) -> None:
    assert order(leverage=text).leverage == value


def test_changes_name_what_they_change() -> None:
    amend = taken(
        "amendOrder",
        {
            "cl_ord_id": "c",
            "volume": 2,
            "display_volume": 1,
            "limit_price": "-5",
            "trigger_price": "7",
            "post_only": True,
            "token": "t",
        },
    )
    assert amend == AmendOrder(
        cl_ord_id="c",
        order_qty=Decimal(2),
        display_qty=Decimal(1),
        limit_price=Decimal(-5),
        limit_price_type="quote",
        trigger_price=Decimal(7),
        post_only=True,
    )
    changes = {"volume": "2", "price": "9", "price2": "+1%", "oflags": "post", "newuserref": "666", "validate": "1"}
    assert taken("editOrder", PLAIN["editOrder"] | changes) == EditOrder(
        order_id="O1",
        symbol="BTC/USD",
        order_qty=Decimal(2),
        price=Decimal(9),
        limit_price=Decimal(1),
        limit_price_type="pct",
        post_only=True,
        order_userref=666,
        validate=True,
    )


def test_cancellations_take_ids_and_userrefs() -> None:
    request = taken("cancelOrder", {"txid": ["O1", 7, "-8"], "cl_ord_id": ["c"], "token": "t"})
    assert request == CancelOrders(order_ids=("O1", "7", "-8"), cl_ord_ids=("c",))


@pytest.mark.parametrize(
    ("event", "changes", "error"),
    [
        *((event, {"token": None}, "Token(s) not found") for event in PLAIN),
        ("addOrder", {"token": 7}, "Token(s) not found"),
        ("addOrder", {"refid": "O1"}, "Unsupported field: 'refid' for the given msg type: add order"),
        ("editOrder", {"leverage": "5"}, "Unsupported field: 'leverage' for the given msg type: edit order"),
        ("amendOrder", {"price": "5"}, "Unsupported field: 'price' for the given msg type: amend order"),
        ("cancelOrder", {"orderid": "5"}, "Unsupported field: 'orderid' for the given msg type: cancel order"),
        ("cancelAll", {"pair": "5"}, "Unsupported field: 'pair' for the given msg type: cancel all"),
        ("addOrder", {"pair": None}, invalid("pair")),
        ("addOrder", {"volume": None}, invalid("volume")),
        ("addOrder", {"price": None}, invalid("price")),
        ("addOrder", {"type": None}, invalid("type")),
        ("addOrder", {"ordertype": None}, invalid("ordertype")),
        ("addOrder", {"ordertype": "stop"}, invalid("ordertype")),
        ("addOrder", {"ordertype": "iceberg"}, invalid("displayvol")),
        ("addOrder", {"ordertype": "stop-loss-limit"}, invalid("price2")),
        ("addOrder", {"type": "hold"}, invalid("type")),
        ("addOrder", {"volume": "-1"}, invalid("volume")),
        ("addOrder", {"volume": "one"}, invalid("volume")),
        ("addOrder", {"volume": "1" + "0" * 18}, invalid("volume")),
        ("addOrder", {"volume": ["1"]}, invalid("volume")),
        ("addOrder", {"price": "5%"}, invalid("price")),
        ("addOrder", {"price": "+-5"}, invalid("price")),
        ("addOrder", {"price": "+5%%"}, invalid("price")),
        ("addOrder", {"price": "+"}, invalid("price")),
        ("addOrder", {"price": "1e99999"}, invalid("price")),
        ("addOrder", {"ordertype": "trailing-stop", "price": "#5"}, invalid("price")),
        ("addOrder", {"leverage": "five"}, invalid("leverage")),
        ("addOrder", {"oflags": "pots"}, invalid("oflags")),
        ("addOrder", {"oflags": "fcib,fciq"}, invalid("oflags")),
        ("addOrder", {"starttm": "soon"}, invalid("starttm")),
        ("addOrder", {"expiretm": "-5"}, invalid("expiretm")),
        ("addOrder", {"timeinforce": "GTD"}, invalid("expiretm")),
        ("addOrder", {"timeinforce": "day"}, invalid("timeinforce")),
        ("addOrder", {"timeinforce": "FOK"}, invalid("timeinforce")),
        ("addOrder", {"deadline": "soon"}, invalid("deadline")),
        ("addOrder", {"deadline": ahead(499)}, invalid("deadline")),
        ("addOrder", {"deadline": ahead(-1)}, "EService:Deadline elapsed"),
        ("addOrder", {"userref": "1.5"}, invalid("userref")),
        ("addOrder", {"userref": 1 << 31}, invalid("userref")),
        ("addOrder", {"userref": 10**400}, invalid("userref")),
        ("addOrder", {"userref": 1, "cl_ord_id": "c"}, "EGeneral:Invalid arguments"),
        ("addOrder", {"cl_ord_id": "c" * 19}, invalid("cl_ord_id")),
        ("addOrder", {"stp_type": "newest"}, invalid("stptype")),
        ("addOrder", {"validate": "maybe"}, invalid("validate")),
        ("addOrder", {"close[price]": "5"}, invalid("close[ordertype]")),
        ("addOrder", {"close[ordertype]": "market"}, invalid("close[ordertype]")),
        ("addOrder", {"close[ordertype]": "limit"}, invalid("close[price]")),
        ("addOrder", {"close": {"ordertype": "limit"}}, "Unsupported field: 'close' for the given msg type: add order"),
        ("editOrder", {"orderid": None}, invalid("orderid")),
        ("editOrder", {"pair": None}, invalid("pair")),
        ("editOrder", {"price": "#5"}, invalid("price")),
        ("editOrder", {"oflags": "viqc"}, invalid("oflags")),
        ("amendOrder", {"txid": None}, invalid("txid")),
        ("amendOrder", {"cl_ord_id": "c"}, "EGeneral:Invalid arguments"),
        ("amendOrder", {"limit_price": "#5"}, invalid("price")),
        ("amendOrder", {"volume": "x"}, invalid("volume")),
        ("amendOrder", {"display_volume": "x"}, invalid("displayvol")),
        ("cancelOrder", {"txid": None}, invalid("txid")),
        ("cancelOrder", {"txid": []}, invalid("txid")),
        ("cancelOrder", {"txid": "O1"}, invalid("txid")),
        ("cancelOrder", {"txid": [True]}, invalid("txid")),
        ("cancelOrder", {"txid": [""]}, invalid("txid")),
        ("cancelOrder", {"txid": ["O1"] * (VENUE_CANCELS_PER_REQUEST_MAX + 1)}, invalid("txid")),
        ("cancelAllOrdersAfter", {"timeout": None}, invalid("timeout")),
        ("cancelAllOrdersAfter", {"timeout": 1.5}, invalid("timeout")),
        ("cancelAllOrdersAfter", {"timeout": -1}, invalid("Invalid timeout argument")),
        ("cancelAllOrdersAfter", {"timeout": 86_400}, invalid("Invalid timeout argument")),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused(event: str, changes: dict[str, Any], error: str) -> None:
    members = PLAIN[event] | changes
    refusal = parsed(event, members)
    assert isinstance(refusal, Refusal), refusal
    (answer,) = map(json.loads, refusal.frames)
    of_gateway = not error.startswith("E")
    pair = {"pair": members["pair"]} if of_gateway and isinstance(members.get("pair"), str) else {}
    assert answer == {"errorMessage": error, "event": f"{event}Status", "reqid": 3, "status": "error"} | pair
    assert refusal.private == PrivateRequest(event=event, req_id=3)


def test_private_channels_are_asked_for_with_booleans_or_their_texts() -> None:
    asked: Any = parse_request(
        '{"event":"subscribe","reqid":1,"subscription":{"name":"openOrders","ratecounter":"true","token":"t"}}'
    )
    assert isinstance(asked, PrivateSubscribe)
    assert (asked.channel, asked.token, asked.ratecounter, asked.req_id) == ("openOrders", "t", True, 1)
    trades: Any = parse_request(
        '{"event":"subscribe","subscription":{"name":"ownTrades","snapshot":false,"consolidate_taker":"false",'
        '"rebased":true,"token":"t"}}'
    )
    assert (trades.snapshot, trades.consolidate_taker, trades.rebased, trades.ratecounter) == (
        False,
        False,
        True,
        False,
    )
    ended = parse_request('{"event":"unsubscribe","subscription":{"name":"ownTrades","token":"t"}}')
    assert isinstance(ended, PrivateUnsubscribe)
    assert (ended.channel, ended.token, ended.event) == ("ownTrades", "t", "unsubscribe")


@pytest.mark.parametrize(
    ("subscription", "error"),
    [
        ('{"name":"ownTrades"}', "Token(s) not found"),
        ('{"name":"ownTrades","token":7}', "Token(s) not found"),
        ('{"name":"ownTrades","snapshot":"no","token":"t"}', "Malformed request"),
    ],
)
def test_a_wrong_private_subscription_is_refused(subscription: str, error: str) -> None:
    refusal = parse_request(f'{{"event":"subscribe","subscription":{subscription}}}')
    assert isinstance(refusal, Refusal)
    assert refusal.frames == (
        f'{{"errorMessage":"{error}","event":"subscriptionStatus","status":"error","subscription":{subscription}}}',
    )
    assert refusal.private is not None


def test_a_refusal_of_the_gateway_has_the_shape_of_the_request() -> None:
    call: Any = parsed("cancelOrder", PLAIN["cancelOrder"])
    assert refuse_private(call, "EOrder:Unknown order") == (
        '{"errorMessage":"EOrder:Unknown order","event":"cancelOrderStatus","reqid":3,"status":"error"}'
    )


def test_mutated_frames_are_taken_or_refused_but_never_raise() -> None:
    chance = random.Random(4)
    spare = (None, True, -1, 1.5, 10**30, "", "x", "+5%", "#", [], ["O1", 7], {}, {"price": 1}, "9" * 300, "\u0660")
    outcomes = set()
    for _ in range(4_000):
        event = chance.choice(tuple(PLAIN))
        full = LIMIT | {
            "price2": "#1",
            "oflags": "post",
            "starttm": "+5",
            "close[ordertype]": "limit",
            "close[price]": "#5",
        }
        members = dict(full if event == "addOrder" else PLAIN[event])
        for name in chance.sample(sorted(members), k=min(2, len(members))):
            members[name] = chance.choice(spare)
        text = frame(event, members)
        if chance.random() < 0.2:
            cut = chance.randrange(len(text))
            text = text[:cut] + chance.choice('{}[]",:x\\') + text[cut + 1 :]
        outcomes.add(type(parse_request(text, NOW_NS)))
    assert {TradingCall, Refusal} <= outcomes

"""What a version 1 venue understands, and every documented refusal word for word."""

from __future__ import annotations

import json

import pytest

from krakenwire.limits import REQUEST_BYTES_MAX, VENUE_PAIRS_PER_REQUEST_MAX
from krakenwire.protocol.v1.venue import (
    Ping,
    Refusal,
    Subscribe,
    Unsubscribe,
    UnsubscribeId,
    parse_request,
    refuse_id,
    refuse_pair,
)

REQID = "Reqid field must be a positive integer less than 18446744073709551616"


def ask(subscription: str, pair: str = '"pair":["XBT/USD"],', more: str = "") -> str:
    return f'{{"event":"subscribe",{pair}"subscription":{subscription}{more}}}'


def told(error: str, subscription: str, reqid: str = "") -> str:
    return (
        f'{{"errorMessage":"{error}","event":"subscriptionStatus","pair":"XBT/USD",{reqid}'
        f'"status":"error","subscription":{subscription}}}'
    )


TABLE = {
    "not JSON": ("{", '{"errorMessage":"Malformed request","event":"error"}'),
    "not an object": ("[1]", '{"errorMessage":"Malformed request","event":"error"}'),
    "no event": (
        '{"reqid":1}',
        '{"errorMessage":"Event(s) not found","event":"subscriptionStatus","reqid":1,"status":"error"}',
    ),
    "no event, no reqid": (
        "{}",
        '{"errorMessage":"Event(s) not found","event":"subscriptionStatus","status":"error"}',
    ),
    "unknown event": (
        '{"event":"ping ","reqid":1}',
        '{"errorMessage":"Unsupported event","event":"subscriptionStatus","reqid":1,"status":"error"}',
    ),
    "event is no text": (
        '{"event":["ping"]}',
        '{"errorMessage":"Unsupported event","event":"subscriptionStatus","status":"error"}',
    ),
    "bad reqid": (
        '{"event":"ping","reqid":"a"}',
        f'{{"errorMessage":"{REQID}","event":"pingStatus","reqid":"a","status":"error"}}',
    ),
    "reqid too big": (
        '{"event":"ping","reqid":18446744073709551616}',
        f'{{"errorMessage":"{REQID}","event":"pingStatus","reqid":18446744073709551616,"status":"error"}}',
    ),
    "negative reqid of a subscribe": (
        ask('{"name":"book"}', more=',"reqid":-1'),
        f'{{"errorMessage":"{REQID}","event":"subscriptionStatus","reqid":-1,"status":"error"}}',
    ),
    "bad reqid of an order": (
        '{"event":"addOrder","reqid":1.5}',
        f'{{"errorMessage":"{REQID}","event":"addOrderStatus","reqid":1.5,"status":"error"}}',
    ),
    "pair on a private channel": (
        ask('{"name":"openOrders"}'),
        told("Pair field unsupported for this subscription type", '{"name":"openOrders"}'),
    ),
    "no subscription": (
        '{"event":"subscribe","pair":["XBT/USD"]}',
        (
            '{"errorMessage":"Subscription field must be an object","event":"subscriptionStatus","pair":"XBT/USD",'
            '"status":"error"}'
        ),
    ),
    "subscription is text": (ask('"book"'), told("Subscription field must be an object", '"book"')),
    "no name": (
        ask('{"depth":10}', more=',"reqid":1'),
        told("Malformed request", '{"depth":10}', reqid='"reqid":1,'),
    ),
    "unknown name": (ask('{"name":"fake"}'), told("Subscription name invalid", '{"name":"fake"}')),
    "name is no text": (ask('{"name":["book"]}'), told("Subscription name invalid", '{"name":["book"]}')),
    "unknown field": (
        ask('{"name":"book"}', more=',"error":1'),
        told("Unsupported field: 'error' for the given msg type: subscribe", '{"name":"book"}'),
    ),
    "unknown subscription field": (
        ask('{"name":"book","deep":1}'),
        told("Subscription object unsupported field", '{"deep":1,"name":"book"}'),
    ),
    "depth not listed": (
        ask('{"name":"book","depth":42}'),
        told("Subscription depth not supported", '{"depth":42,"name":"book"}'),
    ),
    "depth is text": (
        ask('{"name":"book","depth":"10"}'),
        told("Subscription book depth must be an integer", '{"depth":"10","name":"book"}'),
    ),
    "interval not listed": (
        ask('{"name":"ohlc","interval":20}'),
        told("Subscription ohlc interval not supported", '{"interval":20,"name":"ohlc"}'),
    ),
    "interval is a fraction": (
        ask('{"name":"ohlc","interval":1.5}'),
        told("Subscription ohlc interval must be an integer", '{"interval":1.5,"name":"ohlc"}'),
    ),
    "interval on trade": (
        ask('{"name":"trade","interval":1}'),
        told("Subscription trade doesn't require interval", '{"interval":1,"name":"trade"}'),
    ),
    "depth on spread": (
        ask('{"name":"spread","depth":10}'),
        told("Subscription spread doesn't require depth", '{"depth":10,"name":"spread"}'),
    ),
    "interval on book": (
        ask('{"name":"book","interval":1}'),
        told("Subscription book doesn't require interval", '{"interval":1,"name":"book"}'),
    ),
    "depth on everything": (
        ask('{"name":"*","depth":10}'),
        told("Subscription * doesn't require depth", '{"depth":10,"name":"*"}'),
    ),
    "pair is text": (
        ask('{"name":"trade"}', pair='"pair":"XBT/USD",'),
        told("Pair field must be an array", '{"name":"trade"}'),
    ),
    "no pair": (
        ask('{"name":"trade"}', pair=""),
        (
            '{"errorMessage":"Pair(s) not found","event":"subscriptionStatus","status":"error",'
            '"subscription":{"name":"trade"}}'
        ),
    ),
    "no pair in the list": (
        ask('{"name":"trade"}', pair='"pair":[],'),
        (
            '{"errorMessage":"Pair(s) not found","event":"subscriptionStatus","status":"error",'
            '"subscription":{"name":"trade"}}'
        ),
    ),
    "pair that is no text": (
        ask('{"name":"trade"}', pair='"pair":["XBT/USD",5],'),
        told("Malformed request", '{"name":"trade"}'),
    ),
    "channelID is text": (
        '{"event":"unsubscribe","channelID":"7"}',
        '{"errorMessage":"Malformed request","event":"subscriptionStatus","status":"error"}',
    ),
}


@pytest.mark.parametrize(("request_text", "reply"), TABLE.values(), ids=TABLE.keys())
def test_a_refusal_has_the_documented_text_and_shape(request_text: str, reply: str) -> None:
    assert parse_request(request_text) == Refusal((reply,))
    assert parse_request(request_text.encode()) == Refusal((reply,))


def test_a_refused_list_is_answered_pair_by_pair_in_order() -> None:
    refused = parse_request(ask('{"name":"fake"}', pair='"pair":["XBT/USD","ETH/USD","A"],'))
    assert isinstance(refused, Refusal)
    assert [json.loads(frame)["pair"] for frame in refused.frames] == ["XBT/USD", "ETH/USD", "A"]


def test_defaults_are_filled_in_for_subscribe_only() -> None:
    book, ohlc = parse_request(ask('{"name":"book"}')), parse_request(ask('{"name":"ohlc"}'))
    assert isinstance(book, Subscribe)
    assert isinstance(ohlc, Subscribe)
    assert (book.depth, book.interval, ohlc.depth, ohlc.interval) == (10, None, None, 1)
    ended = parse_request(ask('{"name":"book"}').replace("subscribe", "unsubscribe"))
    assert isinstance(ended, Unsubscribe)
    assert ended.depth is None


def test_null_members_count_as_absent() -> None:
    request = parse_request(ask('{"name":"trade","depth":null,"interval":null}', more=',"reqid":null'))
    assert isinstance(request, Subscribe)
    assert (request.channel, request.req_id) == ("trade", None)


def test_requests_in_any_key_order_and_the_full_range_of_reqid() -> None:
    request = parse_request('{"subscription":{"depth":25,"name":"book"},"reqid":18446744073709551615,'
                            '"pair":["XBT/USD","FOO"],"event":"subscribe"}')  # fmt: skip
    assert isinstance(request, Subscribe)
    assert (request.pairs, request.depth, request.req_id) == (("XBT/USD", "FOO"), 25, 2**64 - 1)


def test_ping_with_and_without_reqid() -> None:
    assert parse_request('{"event":"ping"}') == Ping(None)
    assert parse_request('{"event":"ping","reqid":0}') == Ping(0)


def test_unsubscribe_by_channel_id() -> None:
    assert parse_request('{"event":"unsubscribe","channelID":10001,"reqid":2}') == UnsubscribeId(10001, 2)


def test_refusals_of_the_gateway_echo_the_request() -> None:
    request = parse_request(ask('{"name":"book","depth":25}', more=',"reqid":9'))
    assert isinstance(request, Subscribe)
    assert refuse_pair(request, "XBT/FOO", "Currency pair not supported XBT/FOO") == (
        '{"errorMessage":"Currency pair not supported XBT/FOO","event":"subscriptionStatus","pair":"XBT/FOO",'
        '"reqid":9,"status":"error","subscription":{"depth":25,"name":"book"}}'
    )
    assert refuse_id(UnsubscribeId(5, None), "Subscription Not Found") == (
        '{"channelID":5,"errorMessage":"Subscription Not Found","event":"subscriptionStatus","status":"error"}'
    )


@pytest.mark.parametrize(
    "frame",
    [
        "[" * 60_000,
        '{"event":' * 6_000,
        '{"event":"subscribe","subscription":' + "[" * 900 + "]" * 900 + "}",
        '{"event":"ping","reqid":' + "[" * 900 + "]" * 900 + "}",
        b"\xff\xfe",
        "\ud800",
        '{"event":"ping","reqid":' + "9" * 5000 + "}",
        '{"event":"ping"' + " " * REQUEST_BYTES_MAX + "}",
    ],
    ids=range(8),
)
def test_hostile_requests_are_refused_in_few_bytes(frame: str | bytes) -> None:
    refused = parse_request(frame)
    assert isinstance(refused, Refusal)
    assert sum(map(len, refused.frames)) < 4_000


def test_a_small_request_cannot_cause_a_flood() -> None:
    many = json.dumps(["A/B"] * (VENUE_PAIRS_PER_REQUEST_MAX + 1))
    long = json.dumps({"name": "fake", "token": "x" * 20_000})
    for frame in (ask('{"name":"fake"}', pair=f'"pair":{many},'), ask(long, pair='"pair":["A/B","C/D"],')):
        refused = parse_request(frame)
        assert isinstance(refused, Refusal)
        assert sum(map(len, refused.frames)) < len(frame)

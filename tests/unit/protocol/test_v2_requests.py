"""What the client codec asks for, as text and as what replies are due."""

from __future__ import annotations

import itertools
import json

import pytest

from krakenwire.errors import UsageError
from krakenwire.limits import SYMBOLS_PER_REQUEST
from krakenwire.model import Subscription
from krakenwire.protocol.v2 import ClientCodec
from krakenwire.protocol.v2.venue import PingRequest, SubscribeRequest, UnsubscribeRequest, parse_request


def test_subscriptions_with_the_same_parameters_share_a_request() -> None:
    subs = [
        Subscription(channel="book", symbol="BTC/USD", depth=10),
        Subscription(channel="trade", symbol="BTC/USD"),
        Subscription(channel="book", symbol="ETH/USD", depth=10),
        Subscription(channel="book", symbol="SOL/USD", depth=100),
    ]
    requests = ClientCodec().subscribe(subs, itertools.count(7))
    assert [request.frame for request in requests] == [
        '{"method":"subscribe","params":{"channel":"book","depth":10,"symbol":["BTC/USD","ETH/USD"]},"req_id":7}',
        '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":8}',
        '{"method":"subscribe","params":{"channel":"book","depth":100,"symbol":["SOL/USD"]},"req_id":9}',
    ]
    assert [request.subscriptions for request in requests] == [(subs[0], subs[2]), (subs[1],), (subs[3],)]
    assert [request.req_id for request in requests] == [7, 8, 9]


def test_a_long_list_is_cut() -> None:
    subs = [Subscription(channel="trade", symbol=f"A{n}/USD") for n in range(2 * SYMBOLS_PER_REQUEST + 1)]
    requests = ClientCodec().subscribe(subs, itertools.count(1))
    assert [len(request.subscriptions) for request in requests] == [SYMBOLS_PER_REQUEST, SYMBOLS_PER_REQUEST, 1]
    assert tuple(itertools.chain.from_iterable(request.subscriptions for request in requests)) == tuple(subs)


def test_each_channel_is_asked_for_with_its_own_parameters() -> None:
    subs = [
        Subscription(channel="ticker", symbol="A/B", event_trigger="bbo", snapshot=False),
        Subscription(channel="level3", symbol="A/B", depth=100),
        Subscription(channel="ohlc", symbol="A/B", interval=60),
        Subscription(channel="instrument"),
        Subscription(channel="status"),
    ]
    asked = [json.loads(r.frame)["params"] for r in ClientCodec().subscribe(subs, itertools.count(), token="t0")]
    assert asked == [
        {"channel": "ticker", "event_trigger": "bbo", "snapshot": False, "symbol": ["A/B"]},
        {"channel": "level3", "depth": 100, "symbol": ["A/B"], "token": "t0"},
        {"channel": "ohlc", "interval": 60, "symbol": ["A/B"]},
        {"channel": "instrument"},
    ]


def test_unsubscribing_names_what_tells_subscriptions_apart() -> None:
    subs = [
        Subscription(channel="ticker", symbol="A/B", event_trigger="bbo", snapshot=False),
        Subscription(channel="book", symbol="A/B", depth=25, snapshot=True),
        Subscription(channel="level3", symbol="A/B", depth=100),
        Subscription(channel="ohlc", symbol="A/B", interval=60),
        Subscription(channel="trade", symbol="A/B", snapshot=True),
        Subscription(channel="instrument", snapshot=True),
    ]
    asked = [json.loads(r.frame) for r in ClientCodec().unsubscribe(subs, itertools.count(), token="t0")]
    assert {frame["method"] for frame in asked} == {"unsubscribe"}
    assert [frame["params"] for frame in asked] == [
        {"channel": "ticker", "event_trigger": "bbo", "symbol": ["A/B"]},
        {"channel": "book", "depth": 25, "symbol": ["A/B"]},
        {"channel": "level3", "depth": 100, "symbol": ["A/B"], "token": "t0"},
        {"channel": "ohlc", "interval": 60, "symbol": ["A/B"]},
        {"channel": "trade", "symbol": ["A/B"]},
        {"channel": "instrument"},
    ]


def test_a_channel_that_v2_does_not_have_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"no such channel on API version 2: expected one of ticker, .*found spread"):
        ClientCodec().subscribe([Subscription(channel="spread", symbol="A/B")], itertools.count())


def test_a_venue_understands_every_request_of_the_client() -> None:
    codec, ids = ClientCodec(), itertools.count(1)
    subs = [
        Subscription(channel="ticker", symbol="A/B", event_trigger="bbo"),
        Subscription(channel="book", symbol="A/B", depth=1000, snapshot=False),
        Subscription(channel="level3", symbol="A/B", depth=100),
        Subscription(channel="ohlc", symbol="A/B", interval=21600),
        Subscription(channel="trade", symbol="A/B", snapshot=True),
        Subscription(channel="instrument"),
    ]
    for request, sub in zip(codec.subscribe(subs, ids, token="t"), subs, strict=True):
        understood = parse_request(request.frame)
        assert isinstance(understood, SubscribeRequest)
        assert (understood.channel, understood.req_id) == (sub.channel, request.req_id)
        assert (understood.depth, understood.interval, understood.event_trigger) == (
            *(sub.depth, sub.interval, sub.event_trigger),
        )
        assert understood.snapshot is (sub.snapshot is not False)
    for request in codec.unsubscribe(subs, ids, token="t"):
        assert isinstance(parse_request(request.frame), UnsubscribeRequest)
    assert parse_request(codec.ping(12)) == PingRequest(req_id=12)

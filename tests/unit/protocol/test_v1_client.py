"""What version 1 frames become, and what requests look like."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count

import pytest

from krakenwire.errors import DecodeError, UsageError
from krakenwire.model import (
    BookUpdate,
    Candles,
    Event,
    Heartbeat,
    Level,
    Pong,
    Refused,
    Spread,
    Status,
    Subscribed,
    Subscription,
    Ticker,
    Trades,
    Unknown,
    Unsubscribed,
)
from krakenwire.protocol.v1 import ClientCodec

CODEC = ClientCodec()
TICKER = (
    '[7,{"a":["201.50000",3,"3.70000000"],"b":["201.40000",0,"0.25000000"],"c":["201.00000","0.50000000"],'
    '"v":["10.00000000","40.00000000"],"p":["200.12345","199.00000"],"t":[5,21],"l":["198.00000","190.00000"],'
    '"h":["202.00000","210.00000"],"o":["199.50000","300.00000"]},"ticker","XBT/USD"]'
)


def one(frame: str | bytes | object) -> Event:
    text = frame if isinstance(frame, str | bytes) else json.dumps(frame)
    (event,) = CODEC.decode(text)
    return event


def status(**members: object) -> dict[str, object]:
    return {"event": "subscriptionStatus"} | members


def book(*containers: object, name: str = "book-10", pair: str = "XBT/USD") -> object:
    return [336, *containers, name, pair]


# -- objects ---------------------------------------------------------------------


def test_system_status_keeps_an_unsigned_64_bit_connection_id() -> None:
    event = one({"event": "systemStatus", "version": "1.9.6", "status": "online", "connectionID": 2**64 - 1})
    assert event == Status(system="online", version="1.9.6", connection_id=2**64 - 1)


def test_system_status_without_connection_id_is_a_later_change_of_mode() -> None:
    assert one({"event": "systemStatus", "status": "post_only"}) == Status(system="post_only")


@pytest.mark.parametrize("frame", ['{"event":"heartbeat"}', b'{"event":"heartbeat"}', ' {"event": "heartbeat"}'])
def test_heartbeat_is_told_from_text_bytes_and_other_spacing(frame: str | bytes) -> None:
    assert one(frame) == Heartbeat()


def test_pong_carries_the_reqid_if_there_was_one() -> None:
    assert one({"event": "pong", "reqid": 42}) == Pong(req_id=42)
    assert one({"event": "pong"}) == Pong()


@pytest.mark.parametrize(
    ("channel_name", "pair", "expected"),
    [
        ("ticker", "XBT/USD", Subscription(channel="ticker", symbol="BTC/USD")),
        ("book-25", "XDG/USD", Subscription(channel="book", symbol="DOGE/USD", depth=25)),
        ("ohlc-5", "ETH/XBT", Subscription(channel="ohlc", symbol="ETH/BTC", interval=5)),
    ],
)
def test_subscription_status_confirms_with_the_parameters_of_the_channel_name(
    channel_name: str, pair: str, expected: Subscription
) -> None:
    base = {"channelID": 9, "channelName": channel_name, "pair": pair, "reqid": 2**64 - 1}
    assert one(status(status="subscribed", **base)) == Subscribed(subscription=expected, req_id=2**64 - 1)
    assert one(status(status="unsubscribed", **base)) == Unsubscribed(subscription=expected, req_id=2**64 - 1)


def test_unsolicited_unsubscribed_has_no_req_id() -> None:
    event = one(status(status="unsubscribed", channelID=9, channelName="trade", pair="XBT/USD"))
    assert event == Unsubscribed(subscription=Subscription(channel="trade", symbol="BTC/USD"))


def test_subscription_error_names_symbol_channel_and_request() -> None:
    subscription = {"depth": 42, "name": "book"}
    event = one(
        status(status="error", errorMessage="no such depth", pair="XBT/USD", reqid=3, subscription=subscription)
    )
    assert isinstance(event, Refused)
    assert (event.method, event.error, event.symbol) == ("subscribe", "no such depth", "BTC/USD")
    assert (event.req_id, event.channel_name) == (3, "book")


def test_a_refused_spelling_that_is_no_symbol_stays_as_the_venue_wrote_it() -> None:
    event = one(status(status="error", errorMessage="x", pair="??", subscription={"name": "book"}))
    assert isinstance(event, Refused)
    assert event.symbol == "??"


def test_no_token_of_an_echoed_request_leaves_the_codec() -> None:
    event = one(status(status="error", errorMessage="x", subscription={"name": "ownTrades", "token": "s3cret"}))
    assert "s3cret" not in repr(event)


@pytest.mark.parametrize(
    ("frame", "method", "req_id"),
    [
        ({"errorMessage": "Exceeded msg rate", "event": "error", "reqid": 42}, "request", 42),
        ({"Error": "Exceeded msg rate"}, "request", None),
        (status(errorMessage="Exceeded msg rate", status="error", subscription={"name": "book"}), "subscribe", None),
        ({"errorMessage": "Malformed request", "event": "error"}, "request", None),
        ({"errorMessage": "bad", "event": "pingStatus", "reqid": "a", "status": "error"}, "ping", None),
        (status(errorMessage="Subscription Not Found", status="error", reqid=1), "unsubscribe", 1),
        (status(errorMessage="Unsupported event", status="error", reqid=1), "request", 1),
    ],
)
def test_every_shape_of_refusal_is_a_refusal(frame: dict[str, object], method: str, req_id: int | None) -> None:
    event = one(frame)
    assert isinstance(event, Refused)
    assert (event.method, event.req_id) == (method, req_id)
    assert event.error == frame.get("errorMessage", frame.get("Error"))


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "brandNew"},
        {"something": "else"},
        status(status="ok"),
        [5, {}, "brandNew", "XBT/USD"],
        [5, [], "ohlc", "XBT/USD"],
    ],
)
def test_well_formed_frames_we_do_not_know_are_unknown_events(frame: object) -> None:
    assert isinstance(one(frame), Unknown)


# -- channels --------------------------------------------------------------------


def test_ticker_uses_the_24_hour_figures_and_derives_the_change() -> None:
    event = one(TICKER)
    assert event == Ticker(
        symbol="BTC/USD",
        kind="update",
        bid=Decimal("201.40000"),
        bid_qty=Decimal("0.25000000"),
        ask=Decimal("201.50000"),
        ask_qty=Decimal("3.70000000"),
        last=Decimal("201.00000"),
        last_qty=Decimal("0.50000000"),
        volume=Decimal("40.00000000"),
        vwap=Decimal("199.00000"),
        low=Decimal("190.00000"),
        high=Decimal("210.00000"),
        change=Decimal("-99.00000"),
        change_pct=Decimal("-33.00"),
        trades=21,
    )


@pytest.mark.parametrize(
    ("last", "opened", "pct"),
    [
        ("100.005", "100", "0.00"),
        ("100.015", "100", "0.02"),
        ("2", "3", "-33.33"),
        ("1e20", "3e-9", None),
        ("5", "0", ""),
    ],
)
def test_change_percent_is_exact_to_two_decimals(last: str, opened: str, pct: str | None) -> None:
    message = json.loads(TICKER)
    message[1]["c"][0], message[1]["o"][1] = last, opened
    event = one(message)
    assert isinstance(event, Ticker)
    if pct == "":
        assert event.change_pct is None
    elif pct is None:
        assert event.change_pct is not None
        assert abs(event.change_pct * Decimal(opened) - (Decimal(last) - Decimal(opened)) * 100) < Decimal(1)
    else:
        assert event.change_pct == Decimal(pct)


def test_candle_begins_one_interval_before_its_end() -> None:
    row = ["1699797181.803577", "1699797300.000000", "4.0", "5.0", "3.0", "4.5", "4.1", "0.01000000", 2]
    event = one([343, row, "ohlc-5", "XBT/USD"])
    assert isinstance(event, Candles)
    (candle,) = event.candles
    assert (candle.begin_ns, candle.end_ns) == (1699797000 * 10**9, 1699797300 * 10**9)
    assert (event.interval, candle.trades, candle.high) == (5, 2, Decimal("5.0"))


def test_candle_count_may_be_text() -> None:
    row = ["1699797181.803577", "1699797300.000000", "4.0", "5.0", "3.0", "4.5", "4.1", "0.01000000", "17"]
    event = one([343, row, "ohlc-5", "XBT/USD"])
    assert isinstance(event, Candles)
    assert event.candles[0].trades == 17


def test_trades_keep_order_and_spell_side_and_type_out() -> None:
    rows = [
        ["354.04000000", "0.28245396", "1618678150.826417", "s", "m", ""],
        ["353.81000000", "1.71754604", "1618678150.827816", "b", "l", ""],
    ]
    event = one([993, rows, "trade", "XMR/USD"])
    assert isinstance(event, Trades)
    assert [(t.side, t.ord_type, t.time_ns) for t in event.trades] == [
        ("sell", "market", 1618678150826417000),
        ("buy", "limit", 1618678150827816000),
    ]
    assert {t.trade_id for t in event.trades} == {None}


def test_spread_is_bid_ask_time_bid_volume_ask_volume() -> None:
    event = one([341, ["1.5", "1.6", "1699797184.943422", "21.0", "0.5"], "spread", "XBT/USD"])
    assert event == Spread(
        symbol="BTC/USD",
        bid=Decimal("1.5"),
        bid_qty=Decimal("21.0"),
        ask=Decimal("1.6"),
        ask_qty=Decimal("0.5"),
        time_ns=1699797184943422000,
    )


def test_book_snapshot_has_no_checksum_and_the_depth_of_its_name() -> None:
    sides = {"as": [["2.0", "1.0", "1690246067.832139"]], "bs": [["1.0", "3.0", "1690246068.000001"]]}
    event = one(book(sides, name="book-25", pair="XDG/USD"))
    assert isinstance(event, BookUpdate)
    assert (event.symbol, event.kind, event.checksum, event.depth) == ("DOGE/USD", "snapshot", None, 25)
    assert event.asks == (Level(Decimal("2.0"), Decimal("1.0")),)
    assert event.time_ns == 1690246068000001000


def test_a_missing_side_of_a_snapshot_is_empty() -> None:
    event = one(book({"as": [["2.0", "1.0", "1690246067.832139"]]}))
    assert isinstance(event, BookUpdate)
    assert (event.kind, event.bids) == ("snapshot", ())
    empty = one(book({"as": [], "bs": []}))
    assert isinstance(empty, BookUpdate)
    assert (empty.kind, empty.time_ns) == ("snapshot", None)


def test_update_of_one_side_keeps_wire_text_times_and_flags() -> None:
    levels = [["0.10", "0.00000000", "1690246089.570206"], ["0.09", "4000.00", "1690246086.478591", "r"]]
    event = one(book({"b": levels, "c": "2498018751"}))
    assert isinstance(event, BookUpdate)
    assert [list(level) for level in event.wire_bids] == levels
    assert (event.kind, event.checksum, event.time_ns) == ("update", 2498018751, 1690246089570206000)
    assert not event.wire_asks


def test_update_of_both_sides_has_five_elements_and_its_checksum_in_the_last_container() -> None:
    asks, bids = [["2.0", "1.0", "1618678145.920470"]], [["1.9", "0.0", "1618678145.920708"]]
    event = one(book({"a": asks}, {"b": bids, "c": "17"}))
    assert isinstance(event, BookUpdate)
    assert ([list(x) for x in event.wire_asks], [list(x) for x in event.wire_bids]) == (asks, bids)
    assert (event.checksum, event.time_ns) == (17, 1618678145920708000)


def test_repeated_prices_are_kept_in_order() -> None:
    levels = [["1.0", "6.0", "1690256620.206768"], ["1.0", "7.0", "1690256620.206783"]]
    event = one(book({"b": levels, "c": "69619317"}))
    assert isinstance(event, BookUpdate)
    assert [level[1] for level in event.wire_bids] == ["6.0", "7.0"]


def test_book_frames_are_the_same_from_bytes_text_and_other_spacing() -> None:
    message = book({"a": [["2.0", "1.0", "1618678145.920470"]], "c": "17"})
    spaced = json.dumps(message, indent=30)
    events = [one(json.dumps(message)), one(json.dumps(message).encode()), one(spaced), one(spaced + " " * 100)]
    assert all(event == events[0] for event in events)


# -- what cannot be --------------------------------------------------------------

MALFORMED = [
    "",
    "{",
    "5",
    "null",
    '"text"',
    "[]",
    "[1,2]",
    '[1,2,3,"XBT/USD"]',
    '[1,"ticker","XBT/USD"]',
    '[1,{},"ticker","XBT/USD"]',
    '[1,[[]],"trade","XBT/USD"]',
    '[1,[["1","1","1.0","x","l",""]],"trade","XBT/USD"]',
    '[1,[["1","NaN","1.0","b","l",""]],"trade","XBT/USD"]',
    '[1,["1","1","soon","1","1"],"spread","XBT/USD"]',
    '[1,[1,2,3,4,5],"spread","XBT/USD"]',
    '[1,{},"book-10","XBT/USD"]',
    '[1,{"a":[],"as":[]},"book-10","XBT/USD"]',
    '[1,{"a":[["1","1"]],"c":"1"},"book-10","XBT/USD"]',
    '[1,{"a":[["1","1","1618678145.920470"]],"c":"4294967296"},"book-10","XBT/USD"]',
    '[1,{"a":[["1","1","1618678145.920470"]],"c":7},"book-10","XBT/USD"]',
    '[1,{"a":[["1","1","yesterday"]],"c":"7"},"book-10","XBT/USD"]',
    '[1,{"a":[[1,2,3]],"c":"7"},"book-10","XBT/USD"]',
    '[1,{"a":[["1","1","1618678145.920470"]],"c":"7"},"book-10","?"]',
    '[1,["1.0","2.0","1","1","1","1","1","1","many"],"ohlc-1","XBT/USD"]',
    '{"event":5}',
    '{"event":"systemStatus"}',
    '{"event":"systemStatus","status":"online","connectionID":"7"}',
    '{"event":"pong","reqid":"7"}',
    '{"event":"subscriptionStatus","status":"subscribed","channelName":"ticker"}',
    '{"event":"subscriptionStatus","status":"error"}',
    '{"event":"error"}',
    '{"Error":5}',
    '{"event":"systemStatus","status":"online","connectionID":' + "9" * 5000 + "}",
    "[" * 100_000,
    '{"event":' * 100_000,
    "\ud800",
]


@pytest.mark.parametrize("frame", MALFORMED, ids=[text[:60] for text in map(ascii, MALFORMED)])
def test_malformed_frames_are_decode_errors(frame: str) -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(frame)


def test_bytes_that_are_no_text_are_a_decode_error() -> None:
    with pytest.raises(DecodeError):
        CODEC.decode(b'{"event":"\xff"}')


# -- requests --------------------------------------------------------------------


def test_subscriptions_are_grouped_by_channel_and_parameters() -> None:
    subs = [
        Subscription(channel="book", symbol="BTC/USD"),
        Subscription(channel="ticker", symbol="BTC/USD"),
        Subscription(channel="book", symbol="DOGE/USD", depth=10),
        Subscription(channel="book", symbol="ETH/USD", depth=100),
        Subscription(channel="ohlc", symbol="ETH/BTC"),
        Subscription(channel="status"),
    ]
    requests = CODEC.subscribe(subs, count(5))
    assert [request.frame for request in requests] == [
        '{"event":"subscribe","pair":["XBT/USD","XDG/USD"],"reqid":5,"subscription":{"name":"book","depth":10}}',
        '{"event":"subscribe","pair":["XBT/USD"],"reqid":6,"subscription":{"name":"ticker"}}',
        '{"event":"subscribe","pair":["ETH/USD"],"reqid":7,"subscription":{"name":"book","depth":100}}',
        '{"event":"subscribe","pair":["ETH/XBT"],"reqid":8,"subscription":{"name":"ohlc","interval":1}}',
    ]
    assert [request.req_id for request in requests] == [5, 6, 7, 8]
    assert [sub.symbol for sub in requests[0].subscriptions] == ["BTC/USD", "DOGE/USD"]


def test_a_long_list_is_cut_into_several_requests() -> None:
    subs = [Subscription(channel="trade", symbol=f"A{n}/USD") for n in range(250)]
    assert [len(request.subscriptions) for request in CODEC.subscribe(subs, count(1))] == [100, 100, 50]


def test_unsubscribe_repeats_the_parameters() -> None:
    (request,) = CODEC.unsubscribe([Subscription(channel="book", symbol="BTC/USD", depth=25)], count(1))
    assert request.frame == (
        '{"event":"unsubscribe","pair":["XBT/USD"],"reqid":1,"subscription":{"name":"book","depth":25}}'
    )


def test_ping_text() -> None:
    assert CODEC.ping(7) == '{"event":"ping","reqid":7}'


@pytest.mark.parametrize(
    "sub",
    [
        Subscription(channel="instrument"),
        Subscription(channel="level3", symbol="BTC/USD"),
        Subscription(channel="ticker", symbol="BTC/USD", event_trigger="bbo"),
        Subscription(channel="book", symbol="BTC/USD", depth=11),
    ],
)
def test_what_version_1_does_not_have_is_a_usage_error(sub: Subscription) -> None:
    with pytest.raises(UsageError):
        CODEC.subscribe([sub], count(1))

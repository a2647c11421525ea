"""What the client codec makes of server frames: events, with their digits, or a typed error."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from krakenwire.errors import DecodeError
from krakenwire.model import (
    BookUpdate,
    Candles,
    Event,
    Heartbeat,
    Instruments,
    Level3Update,
    Pong,
    Refused,
    Status,
    Subscribed,
    Subscription,
    Ticker,
    Trades,
    Unknown,
    Unsubscribed,
)
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.protocol.v2 import ClientCodec

TIME = "2031-02-03T04:05:06.789012Z"
TIME_NS = ns_from_rfc3339(TIME)
TIMES = f'"time_in":"{TIME}","time_out":"{TIME}"'


def decode(frame: str) -> Event:
    """The one event of a frame, the same from text and bytes."""
    events = ClientCodec().decode(frame.encode())
    assert ClientCodec().decode(frame) == events
    (event,) = events
    return event


def book(row: str, kind: str = "update") -> BookUpdate:
    event = decode(f'{{"channel":"book","type":"{kind}","data":[{row}]}}')
    assert isinstance(event, BookUpdate)
    return event


# -- market data ---------------------------------------------------------------


def test_a_book_keeps_the_digits_of_the_wire() -> None:
    update = book(
        '{"symbol":"A/B","bids":[{"price":7.10,"qty":0.00000000},{"price":7,"qty":5.1e-05}],'
        f'"asks":[{{"price":7.20,"qty":1.50000000}}],"checksum":4294967295,"timestamp":"{TIME}"}}'
    )
    assert list(update.wire_bids) == [("7.10", "0.00000000"), ("7", "5.1e-05")]
    assert list(update.wire_asks) == [("7.20", "1.50000000")]
    assert (update.symbol, update.kind, update.checksum, update.time_ns) == ("A/B", "update", 4294967295, TIME_NS)
    assert (update.verified, update.book, update.depth) == (False, None, None)
    assert update.bids[1].qty == Decimal("0.000051")


def test_a_book_without_a_time_and_with_empty_sides_is_a_book() -> None:
    snapshot = book('{"symbol":"A/B","bids":[],"asks":[],"checksum":0}', "snapshot")
    assert (list(snapshot.wire_bids), list(snapshot.wire_asks), snapshot.time_ns) == ([], [], None)


def test_each_row_of_a_book_message_is_an_event() -> None:
    row = '{{"symbol":"{}","bids":[{{"price":1.0,"qty":2.0}}],"asks":[],"checksum":1}}'
    rows = ",".join(row.format(symbol) for symbol in ("A/B", "C/D", "A/B"))
    events = ClientCodec().decode(f'{{"channel":"book","type":"update","data":[{rows}]}}')
    assert [event.symbol for event in events] == ["A/B", "C/D", "A/B"]


def test_members_may_come_in_any_order() -> None:
    frame = (
        '{"data":[{"checksum":5,"asks":[{"qty":2.00,"price":1.0}],"symbol":"A/B","bids":[]}],'
        '"type":"snapshot","channel":"book"}'
    )
    event = decode(frame)
    assert isinstance(event, BookUpdate)
    assert list(event.wire_asks) == [("1.0", "2.00")]


TICKER = (
    '"symbol":"A/B","bid":1.50,"bid_qty":2,"ask":1.60,"ask_qty":0.30,"last":1.55,"volume":1e3,'
    '"vwap":1.52,"low":1.40,"high":1.70'
)


def test_a_ticker_is_exact_with_and_without_its_optional_members() -> None:
    bare = decode(f'{{"channel":"ticker","type":"snapshot","data":[{{{TICKER}}}]}}')
    assert isinstance(bare, Ticker)
    assert (bare.kind, bare.bid, bare.bid_qty, bare.volume) == ("snapshot", Decimal("1.50"), Decimal(2), Decimal(1000))
    assert (bare.change, bare.change_pct, bare.trades, bare.time_ns) == (None, None, None, None)
    more = f'"change":-0.10,"change_pct":-3.60,"volume_usd":9.5,"trades":12,"timestamp":"{TIME}"'
    full = decode(f'{{"channel":"ticker","type":"update","data":[{{{TICKER},{more}}}]}}')
    assert isinstance(full, Ticker)
    assert str(full.change_pct) == "-3.60"
    assert (full.change, full.trades, full.time_ns) == (Decimal("-0.10"), 12, TIME_NS)


def trade_row(symbol: str, trade_id: int) -> str:
    return (
        f'{{"symbol":"{symbol}","side":"sell","price":1.50,"qty":5.1e-05,"ord_type":"market",'
        f'"trade_id":{trade_id},"timestamp":"{TIME}"}}'
    )


def test_trades_of_several_symbols_give_one_event_per_symbol() -> None:
    rows = ",".join((trade_row("A/B", 1), trade_row("C/D", 7), trade_row("A/B", 2)))
    events = ClientCodec().decode(f'{{"channel":"trade","type":"update","data":[{rows}]}}')
    assert [(event.symbol, [t.trade_id for t in event.trades]) for event in events if isinstance(event, Trades)] == [
        ("A/B", [1, 2]),
        ("C/D", [7]),
    ]
    assert len(events) == 2
    first = events[0]
    assert isinstance(first, Trades)
    assert (first.trades[0].qty, first.trades[0].time_ns) == (Decimal("0.000051"), TIME_NS)
    assert (first.trades[0].side, first.trades[0].ord_type) == ("sell", "market")


def candle_row(symbol: str, interval: int) -> str:
    return (
        f'{{"symbol":"{symbol}","open":1.0,"high":2.0,"low":0.5,"close":1.5,"trades":3,"volume":4.25,"vwap":1.2,'
        f'"interval_begin":"2031-02-03T04:00:00.000000000Z","interval":{interval},"timestamp":"{TIME}"}}'
    )


def test_candles_know_their_interval_and_its_end() -> None:
    rows = ",".join((candle_row("A/B", 5), candle_row("A/B", 60), candle_row("A/B", 5)))
    events = ClientCodec().decode(
        f'{{"channel":"ohlc","type":"snapshot","timestamp":"2031-02-03T04:05:06.789012345Z","data":[{rows}]}}'
    )
    assert [(e.symbol, e.interval, len(e.candles)) for e in events if isinstance(e, Candles)] == [
        ("A/B", 5, 2),
        ("A/B", 60, 1),
    ]
    first = events[0]
    assert isinstance(first, Candles)
    candle = first.candles[0]
    assert candle.begin_ns == ns_from_rfc3339("2031-02-03T04:00:00Z")
    assert candle.end_ns - candle.begin_ns == 5 * 60 * 10**9
    assert (candle.open, candle.volume, candle.trades, candle.closed) == (Decimal("1.0"), Decimal("4.25"), 3, False)


def test_level3_orders_keep_their_digits_and_nanoseconds() -> None:
    event = decode(
        '{"channel":"level3","type":"update","data":[{"checksum":9,"timestamp":"2031-02-03T04:05:06.789012345Z",'
        '"symbol":"A/B","bids":[{"event":"delete","order_id":"O1","limit_price":1.50,"order_qty":1e-05,'
        '"timestamp":"2031-02-03T04:05:06.000000001Z"}],"asks":[]}]}'
    )
    assert isinstance(event, Level3Update)
    (order,) = event.bids
    assert (order.event, order.order_id, order.price_text, order.qty_text) == ("delete", "O1", "1.50", "1e-05")
    assert (order.time_ns % 1000, event.time_ns, event.checksum) == (1, TIME_NS + 345, 9)


def test_instruments_are_decoded_with_old_and_new_members() -> None:
    event = decode(
        '{"channel":"instrument","type":"snapshot","data":{"assets":[{"id":"B","status":"enabled","precision":4,'
        '"precision_display":2,"borrowable":true,"collateral_value":1.00,"class":"currency","margin_rate":0.025000}],'
        '"pairs":[{"symbol":"A/B","base":"A","quote":"B","status":"online","qty_precision":8,"qty_increment":1e-08,'
        '"price_precision":5,"cost_precision":5,"marginable":false,"has_index":true,"cost_min":"0.50",'
        '"tick_size":0.00001,"qty_min":0.50000000}]}}'
    )
    assert isinstance(event, Instruments)
    assert (event.symbol, event.assets[0].margin_rate) == (None, Decimal("0.025"))
    (pair,) = event.pairs
    assert (pair.price_increment, pair.qty_increment, pair.cost_min) == (
        *(Decimal("0.00001"), Decimal("1E-8"), Decimal("0.5")),
    )


# -- administration ----------------------------------------------------------------


def test_a_status_holds_unsigned_64_bit_ids_and_may_lack_them() -> None:
    known = decode(
        '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2",'
        '"connection_id":18446744073709551615,"upcoming_maintenance":[],"emergency":[]}]}'
    )
    assert known == Status(system="online", version="2.0.10", api_version="v2", connection_id=2**64 - 1)
    assert decode('{"data":[{"system":"maintenance"}],"type":"update","channel":"status"}') == Status(
        system="maintenance"
    )


def test_a_heartbeat_is_a_heartbeat() -> None:
    assert decode('{"channel":"heartbeat"}') == Heartbeat()


def test_a_pong_tells_its_times() -> None:
    pong = decode(f'{{"method":"pong","req_id":18446744073709551615,{TIMES}}}')
    assert pong == Pong(req_id=2**64 - 1, time_in_ns=TIME_NS, time_out_ns=TIME_NS)
    assert decode('{"method":"pong"}') == Pong()


def test_a_confirmation_holds_the_effective_parameters() -> None:
    frame = (
        '{"method":"subscribe","req_id":0,"result":{"channel":"ohlc","interval":5,"snapshot":true,"symbol":"A/B",'
        f'"warnings":["old","older"]}},"success":true,{TIMES}}}'
    )
    wanted = Subscription(channel="ohlc", symbol="A/B", interval=5, snapshot=True)
    assert decode(frame) == Subscribed(subscription=wanted, req_id=0, warnings=("old", "older"))


def test_the_end_of_a_subscription_is_confirmed() -> None:
    frame = f'{{"method":"unsubscribe","result":{{"channel":"book","depth":10,"symbol":"A/B"}},"success":true,{TIMES}}}'
    assert decode(frame) == Unsubscribed(subscription=Subscription(channel="book", symbol="A/B", depth=10))


def test_a_refusal_is_an_event_whatever_its_method() -> None:
    refused = decode(f'{{"error":"Malformed request","method":"error","success":false,{TIMES}}}')
    assert refused == Refused(method="error", error="Malformed request")
    named = decode(
        f'{{"error":"Already subscribed","method":"subscribe","req_id":2,"success":false,"symbol":"A/B",{TIMES}}}'
    )
    assert named == Refused(method="subscribe", error="Already subscribed", symbol="A/B", req_id=2)


def test_a_refused_symbol_in_an_old_spelling_is_explained() -> None:
    event = decode(
        '{"error":"Currency pair not supported XBT/FOO","method":"subscribe","success":false,"symbol":"XBT/FOO"}'
    )
    assert isinstance(event, Refused)
    assert event.hint == "you wrote XBT/FOO, v2 calls it BTC/FOO"


def test_a_reply_that_names_a_channel_is_a_reply() -> None:
    frame = (
        '{"channel":"executions","error":"ESession:Invalid session","method":"subscribe","status":"error",'
        f'"success":false,{TIMES}}}'
    )
    assert decode(frame) == Refused(method="subscribe", error="ESession:Invalid session", channel_name="executions")
    on_heartbeat = decode('{"channel":"heartbeat","error":"no","method":"subscribe","success":false}')
    assert on_heartbeat == Refused(method="subscribe", error="no", channel_name="heartbeat")


# -- what we do not know ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        ('{"channel":"weather","type":"update","data":[{"x":1.5}]}', "weather"),
        ('{"channel":"executions","type":"digest","data":[],"sequence":1}', "executions digest"),
        ('{"method":"add_order"}', "add_order"),
        ('{"method":"move_order","result":{"order_id":"O1"},"success":true}', "move_order"),
        ('{"method":"subscribe"}', "subscribe"),
        ('{"channel":"book","type":"digest","data":[]}', "book digest"),
        ('{"Error":"Exceeded msg rate"}', "neither channel nor method"),
        ("{}", "neither channel nor method"),
    ],
)
def test_what_we_do_not_know_is_passed_on_as_unknown(frame: str, what: str) -> None:
    assert decode(frame) == Unknown(what=what, frame=frame)


def test_new_members_are_left_out_and_counted() -> None:
    codec = ClientCodec()
    frame = (
        '{"channel":"book","sequence":4,"type":"update","data":[{"symbol":"A/B","venue":{"x":[1]},"bids":'
        '[{"price":1.50,"qty":2.0,"orders":3},{"price":1.40,"qty":2.0,"orders":3}],"asks":[],"checksum":7}]}'
    )
    (event,) = codec.decode(frame)
    assert isinstance(event, BookUpdate)
    assert list(event.wire_bids) == [("1.50", "2.0"), ("1.40", "2.0")]
    assert codec.unknown_members == 4


def test_no_rows_give_no_events() -> None:
    for channel in ("book", "ticker", "trade", "ohlc", "level3", "status"):
        assert ClientCodec().decode(f'{{"channel":"{channel}","type":"update","data":[]}}') == ()


# -- what cannot be decoded --------------------------------------------------------------

ROW = '{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[],"asks":[],"checksum":1}]}'


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"Proxy restarting, please reconnect",
        b"\xff\xfe\x00",
        b'{"channel":"book","type":"\xff"}',
        b"[]",
        b"null",
        b"[336]",
        b"{" * 10_000,
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"9" * 5_000,
        b'{"channel":"status","type":"update","data":[{"system":"online","connection_id":' + b"9" * 5_000 + b"}]}",
        "\ud800",
        '{"channel":5}',
        '{"method":5}',
        '{"method":"pong","req_id":"1"}',
        '{"method":"pong","time_in":"yesterday"}',
        '{"method":"subscribe","success":true}',
        '{"method":"subscribe","success":true,"result":[]}',
        '{"method":"subscribe","success":true,"result":{"channel":"book","depth":"10"}}',
        '{"method":"subscribe","success":"yes"}',
        ROW[:-1],
        ROW.replace('"checksum":1', '"checksum":"1"'),
        ROW.replace(',"checksum":1', ""),
        ROW.replace('"bids":[]', '"bids":null'),
        ROW.replace('"bids":[]', '"bids":[[1,2]]'),
        ROW.replace('"A/B"', "7"),
        ROW.replace('"data"', '"rows"'),
        ROW.replace('"update"', "1"),
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace("1.50", "true") + "]}",
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace("1.50", '"NaN"') + "]}",
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace("1.50", "1e999") + "]}",
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace("1.50", "1" * 70) + "]}",
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace('"sell"', '"hold"') + "]}",
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace(TIME, "soon") + "]}",
        '{"channel":"trade","type":"update","data":[' + trade_row("A/B", 1).replace("5.1e-05", "null") + "]}",
        '{"channel":"ohlc","type":"update","data":[' + candle_row("A/B", 0) + "]}",
        '{"channel":"ohlc","type":"update","data":[' + candle_row("A/B", 1).replace("2.0", "[1]") + "]}",
        '{"channel":"ticker","type":"update","data":[{"symbol":"A/B"}]}',
        '{"channel":"instrument","type":"update","data":[]}',
    ],
)
def test_a_frame_that_cannot_be_right_is_a_decode_error(frame: bytes | str) -> None:
    with pytest.raises(DecodeError) as raised:
        ClientCodec().decode(frame)
    assert len(str(raised.value)) < 2_000


def test_bad_digits_of_a_level_are_an_error_when_they_are_read() -> None:
    frame = ROW.replace('"bids":[]', '"bids":[{"price":true,"qty":null}]')
    (update,) = ClientCodec().decode(frame)
    assert isinstance(update, BookUpdate)
    with pytest.raises(DecodeError, match="not a number"):
        _ = update.bids


# -- recordings --------------------------------------------------------------------------


def test_every_recorded_frame_of_the_public_feed_is_understood(shared: Path) -> None:
    counted: dict[str, int] = {}
    codec = ClientCodec()
    for name in ("public", "level3", "errors"):
        rows = json.loads((shared / f"protocol/vectors/v2-{name}-recorded.json").read_text())["frames"]
        for row in rows:
            if row["from"] == "server":
                for event in codec.decode(row["raw"]):
                    counted[event.channel] = counted.get(event.channel, 0) + 1
    assert "unknown" not in counted
    assert codec.unknown_members == 0
    assert counted == {
        "status": 4,
        "heartbeat": 1,
        "pong": 2,
        "subscribed": 9,
        "unsubscribed": 1,
        "refused": 8,
        "reply": 5,
        "ticker": 4,
        "trade": 4,
        "ohlc": 2,
        "instrument": 1,
        "level3": 2,
    }


def test_a_text_frame_of_the_proxy_is_a_decode_error() -> None:
    with pytest.raises(DecodeError, match="JSON is malformed"):
        ClientCodec().decode("CloudFlare WebSocket proxy restarting")

"""What the venue writes, the client reads back exactly; and anything else is an event or a typed error."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from krakenwire.errors import DecodeError
from krakenwire.limits import BOOK_DEPTHS, OHLC_INTERVALS
from krakenwire.model import BookUpdate, Candles, Pong, Spread, Status, Subscribed, Subscription, Ticker, Trades
from krakenwire.model.times import ns_from_unix_text, unix_text_from_ns
from krakenwire.protocol.v1 import ClientCodec, venue

CODEC = ClientCodec()
V1 = venue.V1Texts(price_decimals=1, qty_decimals=8, v1_price_decimals=5)

ticks = st.integers(1, 10**9)
lots = st.integers(0, 10**16)
times = st.integers(1_600_000_000_000_000, 1_900_000_000_000_000).map(lambda us: us * 1000)
quotes = st.tuples(ticks, lots).map(lambda level: (V1.price(level[0]), V1.qty(level[1])))
both_prices = st.tuples(ticks, ticks).map(lambda pair: (V1.price(pair[0]), V1.price(pair[1])))
both_volumes = st.tuples(lots, lots).map(lambda pair: (V1.qty(pair[0]), V1.qty(pair[1])))
levels = st.lists(
    st.tuples(quotes, times, st.booleans()).map(
        lambda level: (*level[0], unix_text_from_ns(level[1]), *(("r",) if level[2] else ()))
    ),
    max_size=12,
)
ids = st.integers(0, 2**31 - 1)
reqids = st.none() | st.integers(0, 2**64 - 1)
pairs = st.sampled_from([("XBT/USD", "BTC/USD"), ("XDG/EUR", "DOGE/EUR"), ("ETH/XBT", "ETH/BTC")])


def test_texts_carry_the_decimals_of_the_pair() -> None:
    assert V1.price(648202) == "64820.20000"
    assert V1.qty(5) == "0.00000005"
    assert venue.V1Texts(7, 8, 9).price(921500) == "0.092150000"


@given(ids, st.sampled_from(BOOK_DEPTHS), pairs, levels, levels, st.integers(0, 2**32 - 1))
def test_book_updates_come_back_as_written(
    number: int,
    depth: int,
    pair: tuple[str, str],
    asks: list[tuple[str, ...]],
    bids: list[tuple[str, ...]],
    checksum: int,
) -> None:
    if not asks and not bids:
        return
    frame = venue.book_update(number, pair[0], depth, asks, bids, checksum)
    (event,) = CODEC.decode(frame)
    assert isinstance(event, BookUpdate)
    assert (event.symbol, event.kind, event.depth, event.checksum) == (pair[1], "update", depth, checksum)
    assert list(event.wire_asks) == asks
    assert list(event.wire_bids) == bids
    assert event.time_ns == max(ns_from_unix_text(level[2]) for level in asks + bids)
    assert len(json.loads(frame)) == (5 if asks and bids else 4)


@given(ids, st.sampled_from(BOOK_DEPTHS), pairs, levels, levels)
def test_book_snapshots_come_back_as_written(
    number: int, depth: int, pair: tuple[str, str], asks: list[tuple[str, ...]], bids: list[tuple[str, ...]]
) -> None:
    (event,) = CODEC.decode(venue.book_snapshot(number, pair[0], depth, asks, bids).encode())
    assert isinstance(event, BookUpdate)
    assert (event.symbol, event.kind, event.depth, event.checksum) == (pair[1], "snapshot", depth, None)
    assert (list(event.wire_asks), list(event.wire_bids)) == (asks, bids)


@given(
    pairs,
    quotes,
    quotes,
    quotes,
    both_volumes,
    both_prices,
    st.tuples(lots, lots),
    both_prices,
    both_prices,
    both_prices,
)
def test_tickers_come_back_as_written(
    pair: tuple[str, str],
    ask: tuple[str, str],
    bid: tuple[str, str],
    last: tuple[str, str],
    volume: tuple[str, str],
    vwap: tuple[str, str],
    trades: tuple[int, int],
    low: tuple[str, str],
    high: tuple[str, str],
    opened: tuple[str, str],
) -> None:
    texts = venue.TickerTexts(ask, bid, last, volume, vwap, trades, low, high, opened)
    (event,) = CODEC.decode(venue.ticker(1, pair[0], texts))
    assert isinstance(event, Ticker)
    assert (event.symbol, event.trades) == (pair[1], trades[1])
    assert (event.ask, event.ask_qty, event.bid, event.bid_qty) == tuple(map(Decimal, ask + bid))
    assert (event.last, event.last_qty) == tuple(map(Decimal, last))
    assert (event.volume, event.vwap, event.low, event.high) == tuple(
        Decimal(both[1]) for both in (volume, vwap, low, high)
    )
    assert event.change == Decimal(last[0]) - Decimal(opened[1])


@given(pairs, st.lists(st.tuples(quotes, times, st.sampled_from("bs"), st.sampled_from("ml")), max_size=5))
def test_trades_come_back_as_written(
    pair: tuple[str, str], written: list[tuple[tuple[str, str], int, str, str]]
) -> None:
    rows = [(*quote, unix_text_from_ns(time_ns), side, kind) for quote, time_ns, side, kind in written]
    (event,) = CODEC.decode(venue.trades(1, pair[0], rows))
    assert isinstance(event, Trades)
    assert [(t.price, t.qty, t.time_ns, t.side[0], t.ord_type[0]) for t in event.trades] == [
        (Decimal(quote[0]), Decimal(quote[1]), time_ns, side, kind) for quote, time_ns, side, kind in written
    ]


@given(pairs, quotes, quotes, times)
def test_spreads_come_back_as_written(
    pair: tuple[str, str], bid: tuple[str, str], ask: tuple[str, str], time_ns: int
) -> None:
    (event,) = CODEC.decode(venue.spread(1, pair[0], bid=bid, ask=ask, time=unix_text_from_ns(time_ns)))
    assert event == Spread(
        symbol=pair[1],
        bid=Decimal(bid[0]),
        bid_qty=Decimal(bid[1]),
        ask=Decimal(ask[0]),
        ask_qty=Decimal(ask[1]),
        time_ns=time_ns,
    )


@given(pairs, st.sampled_from(OHLC_INTERVALS), times, both_prices, both_prices, quotes, st.integers(0, 10**6))
def test_candles_come_back_as_written(
    pair: tuple[str, str],
    interval: int,
    time_ns: int,
    first: tuple[str, str],
    second: tuple[str, str],
    last: tuple[str, str],
    trades: int,
) -> None:
    text = unix_text_from_ns(time_ns)
    (event,) = CODEC.decode(venue.ohlc(1, pair[0], interval, (text, text, *first, *second, *last), trades))
    assert isinstance(event, Candles)
    (candle,) = event.candles
    assert (candle.open, candle.high, candle.low, candle.close) == tuple(map(Decimal, first + second))
    assert (candle.vwap, candle.volume, candle.trades) == (*map(Decimal, last), trades)
    assert (candle.end_ns, candle.end_ns - candle.begin_ns) == (time_ns, interval * 60 * 10**9)


@given(ids, reqids, st.sampled_from([("book", 25, None), ("ohlc", None, 240), ("spread", None, None)]))
def test_statuses_and_requests_meet(
    number: int, reqid: int | None, channel: tuple[str, int | None, int | None]
) -> None:
    name, depth, interval = channel
    (event,) = CODEC.decode(venue.subscribed(number, name, "XBT/USD", reqid, depth, interval))
    wanted = Subscription(channel=name, symbol="BTC/USD", depth=depth, interval=interval)
    assert event == Subscribed(subscription=wanted, req_id=reqid)
    (request,) = CODEC.subscribe([wanted], count(reqid or 0))
    parsed = venue.parse_request(request.frame)
    assert isinstance(parsed, venue.Subscribe)
    assert (parsed.pairs, parsed.channel, parsed.depth, parsed.interval) == (("XBT/USD",), name, depth, interval)
    assert parsed.req_id == (reqid or 0)


@given(st.integers(0, 2**53 - 1), reqids)
def test_system_messages_come_back_as_written(connection_id: int, reqid: int | None) -> None:
    assert CODEC.decode(venue.system_status("post_only", "1.9.6", connection_id)) == (
        Status(system="post_only", version="1.9.6", connection_id=connection_id),
    )
    assert CODEC.decode(venue.pong(reqid)) == (Pong(req_id=reqid),)


# -- anything at all --------------------------------------------------------------

GOOD = [
    '[1,{"a":[["2.0","1.0","1618678145.920470"]]},{"b":[["1.9","0.0","1618678145.920708","r"]],"c":"17"},"book-10","A/B"]',
    '[1,{"as":[["2.0","1.0","1618678145.920470"]],"bs":[]},"book-25","XBT/USD"]',
    '[1,[["354.0","0.2","1618678150.826417","s","m",""]],"trade","XMR/USD"]',
    '[1,["1.5","1.6","1699797184.943422","21.0","0.5"],"spread","XBT/USD"]',
    '[1,["1699797181.8","1699797240.0","4.0","5.0","3.0","4.5","4.1","0.01",2],"ohlc-1","XBT/USD"]',
    (
        '{"channelID":1,"channelName":"book-10","event":"subscriptionStatus","pair":"XBT/USD","reqid":3,'
        '"status":"subscribed","subscription":{"depth":10,"name":"book"}}'
    ),
    '{"errorMessage":"x","event":"subscriptionStatus","pair":"XBT/USD","status":"error","subscription":{"name":"a"}}',
    '{"event":"systemStatus","version":"1.9.6","status":"online","connectionID":7,"emergency":[]}',
]
WORDS = st.sampled_from(
    ["event", "a", "b", "as", "c", "book-10", "ticker", "XBT/USD", "subscriptionStatus", "1.5", "status"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)


def judge(frame: bytes | str) -> None:
    """The oracle: events or a typed error from the client, a request or a refusal from the venue."""
    try:
        for event in CODEC.decode(frame):
            if isinstance(event, BookUpdate):
                _ = event.bids, event.asks
            repr(event)
    except DecodeError:
        pass
    venue.parse_request(frame)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_or_text_give_events_or_a_typed_error(frame: bytes | str) -> None:
    judge(frame)


@given(JSON)
def test_any_json_gives_events_or_a_typed_error(value: object) -> None:
    judge(json.dumps(value))


@given(st.sampled_from(["ticker", "trade", "spread", "ohlc-1", "book-10", "ohlc"]), st.lists(JSON, max_size=3))
def test_any_payload_of_a_known_channel_gives_events_or_a_typed_error(name: str, payloads: list[object]) -> None:
    judge(json.dumps([1, *payloads, name, "XBT/USD"]))


@given(st.sampled_from(["subscribe", "unsubscribe", "ping", "addOrder"]), JSON, JSON, JSON)
def test_any_request_members_give_a_request_or_a_refusal(event: str, pair: object, sub: object, reqid: object) -> None:
    judge(json.dumps({"event": event, "pair": pair, "subscription": sub, "reqid": reqid}))


def test_damaged_frames_give_events_or_a_typed_error(nightly: bool) -> None:
    chance = random.Random(20260917)
    for _ in range(200_000 if nightly else 3_000):
        data = bytearray(chance.choice(GOOD).encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(data) + 1)
            junk = bytes(chance.choices(b'[]{}",:0159.e-ab\\\xff', k=chance.randint(0, 3)))
            data[at : at + chance.randint(0, 12)] = junk
        judge(bytes(data))

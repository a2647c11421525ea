"""What the venue writes the client reads: every event survives both ways, digits included."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenwire.model import (
    Asset,
    BookUpdate,
    Candle,
    Candles,
    Event,
    Heartbeat,
    Instrument,
    Instruments,
    Level3Order,
    Level3Update,
    Pong,
    Refused,
    Status,
    Subscribed,
    Subscription,
    Ticker,
    Trade,
    Trades,
    Unsubscribed,
)
from krakenwire.model.numbers import fixed_text, scaled_to_decimal
from krakenwire.protocol.v2 import ClientCodec, encode

TIME_NS = 1_800_000_000_123_456_000

decimals = st.integers(0, 10)
units = st.integers(0, 10**18)
texts = st.builds(fixed_text, units, decimals)
numbers = st.builds(scaled_to_decimal, units, decimals)
signed = st.builds(scaled_to_decimal, st.integers(-(10**12), 10**12), decimals)
symbols = st.from_regex(r"[A-Z0-9]{1,6}/[A-Z]{3,5}", fullmatch=True) | st.just("TSLAx/USD")
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
kinds = st.sampled_from(("snapshot", "update"))
ids64 = st.integers(0, 2**64 - 1)
ids32 = st.integers(0, 2**32 - 1)
micros = st.integers(0, 4_000_000_000_000_000).map(lambda us: us * 1000)
nanos = st.integers(0, 4_000_000_000_000_000_000)

statuses = st.builds(
    Status, system=words, version=st.none() | words, api_version=st.none() | words, connection_id=st.none() | ids64
)
tickers = st.builds(
    Ticker,
    symbol=symbols,
    kind=kinds,
    **dict.fromkeys(("bid", "bid_qty", "ask", "ask_qty", "last", "volume", "vwap", "low", "high"), numbers),
    change=st.none() | signed,
    change_pct=st.none() | signed,
    trades=st.none() | ids32,
    time_ns=st.none() | micros,
)
levels = st.lists(st.tuples(texts, texts), max_size=4)
books = st.builds(BookUpdate, symbols, kinds, levels, levels, ids32, st.none() | micros)
orders = st.builds(
    Level3Order,
    order_id=words,
    price_text=texts,
    qty_text=texts,
    time_ns=nanos,
    event=st.sampled_from((None, "add", "modify", "delete")),
)
sides = st.lists(orders, max_size=3).map(tuple)
level3s = st.builds(
    Level3Update, symbol=symbols, kind=kinds, bids=sides, asks=sides, checksum=ids32, time_ns=st.none() | nanos
)
subscriptions = st.builds(
    Subscription,
    channel=words,
    symbol=st.none() | symbols,
    depth=st.none() | ids32,
    interval=st.none() | ids32,
    event_trigger=st.none() | words,
    snapshot=st.none() | st.booleans(),
).filter(lambda sub: sub.channel != "level3")
pongs = st.builds(Pong, req_id=st.none() | ids64, time_in_ns=st.none() | micros, time_out_ns=st.none() | micros)


@st.composite
def trades(draw: st.DrawFn) -> Trades:
    symbol = draw(symbols)
    trade = st.builds(
        Trade,
        symbol=st.just(symbol),
        side=st.sampled_from(("buy", "sell")),
        price=numbers,
        qty=numbers,
        ord_type=words,
        time_ns=micros,
        trade_id=ids64,
    )
    return Trades(symbol=symbol, kind=draw(kinds), trades=tuple(draw(st.lists(trade, min_size=1, max_size=4))))


@st.composite
def candles(draw: st.DrawFn) -> Candles:
    symbol, interval = draw(symbols), draw(st.sampled_from((1, 60, 21600)))
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        begin_ns = draw(micros)
        prices = [draw(numbers) for _ in range(6)]
        rows.append(
            Candle(
                symbol=symbol,
                interval=interval,
                begin_ns=begin_ns,
                end_ns=begin_ns + interval * 60 * 10**9,
                trades=draw(ids32),
                **dict(zip(("open", "high", "low", "close", "vwap", "volume"), prices, strict=True)),
            )
        )
    return Candles(symbol=symbol, interval=interval, kind=draw(kinds), candles=tuple(rows))


instruments = st.builds(
    Instruments,
    kind=kinds,
    assets=st.lists(
        st.builds(
            Asset,
            id=words,
            status=words,
            precision=ids32,
            precision_display=ids32,
            borrowable=st.booleans(),
            collateral_value=st.none() | numbers,
            margin_rate=st.none() | numbers,
        ),
        max_size=2,
    ).map(tuple),
    pairs=st.lists(
        st.builds(
            Instrument,
            **dict.fromkeys(("symbol", "base", "quote", "status"), words),
            **dict.fromkeys(("price_precision", "qty_precision", "cost_precision"), ids32),
            **dict.fromkeys(("price_increment", "qty_increment", "qty_min"), numbers),
            **dict.fromkeys(("cost_min", "margin_initial"), st.none() | numbers),
            **dict.fromkeys(("position_limit_long", "position_limit_short"), st.none() | ids32),
            **dict.fromkeys(("marginable", "has_index"), st.booleans()),
        ),
        max_size=2,
    ).map(tuple),
)


def assert_survives(event: Event, frame: str) -> None:
    codec = ClientCodec()
    assert codec.decode(frame) == (event,)
    assert codec.decode(frame.encode()) == (event,)
    assert codec.unknown_members == 0


@pytest.mark.parametrize(
    ("events", "write"),
    [
        (statuses, encode.status),
        (tickers, encode.ticker),
        (books, encode.book),
        (level3s, encode.level3),
        (trades(), encode.trades),
        (candles(), lambda event: encode.ohlc(event, TIME_NS)),
        (instruments, encode.instruments),
        (pongs, encode.pong),
        (
            st.builds(
                Subscribed,
                subscription=subscriptions,
                req_id=st.none() | ids64,
                warnings=st.lists(words, max_size=2).map(tuple),
            ),
            lambda event: encode.subscribed(event, TIME_NS, TIME_NS),
        ),
        (
            st.builds(
                Unsubscribed,
                subscription=subscriptions.filter(lambda sub: sub.snapshot is None),
                req_id=st.none() | ids64,
            ),
            lambda event: encode.unsubscribed(event, TIME_NS, TIME_NS),
        ),
        (
            st.builds(
                Refused,
                method=words.filter(lambda word: word != "pong"),
                error=words,
                symbol=st.none() | symbols,
                req_id=st.none() | ids64,
                channel_name=st.none() | words,
            ),
            lambda event: encode.refused(event, TIME_NS, TIME_NS),
        ),
        (st.just(Heartbeat()), lambda _: encode.HEARTBEAT),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_event_survives_the_wire(events: st.SearchStrategy[Event], write: Callable[[Event], str]) -> None:
    @given(events)
    def survives(event: Event) -> None:
        assert_survives(event, write(event))

    survives()


@given(books)
def test_the_text_of_levels_survives_the_wire(event: BookUpdate) -> None:
    (read,) = ClientCodec().decode(encode.book(event))
    assert isinstance(read, BookUpdate)
    assert (list(read.wire_bids), list(read.wire_asks)) == (list(event.wire_bids), list(event.wire_asks))


@given(numbers)
def test_a_number_is_written_with_all_its_zeros_and_no_exponent(number: Decimal) -> None:
    trade = Trade(symbol="A/B", side="buy", price=number, qty=number, ord_type="limit", time_ns=0, trade_id=1)
    frame = encode.trades(Trades(symbol="A/B", kind="update", trades=(trade,)))
    text = frame.partition('"price":')[2].partition(",")[0]
    assert Decimal(text) == number
    assert Decimal(text).as_tuple() == number.as_tuple()
    assert "E" not in text

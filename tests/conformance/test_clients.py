"""One suite over three client styles and two versions: what works in one works in all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.conformance.styles import QUICK, STYLES, Blocking, Reader, Style, items, symbols_until, take_until

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import (
    KrakenwireError,
    SlowConsumer,
    StaleData,
    StreamEnded,
    SymbolError,
    UsageError,
    VenueRefusal,
    WaitTimeout,
)
from krakenwire.model import (
    Candle,
    ChecksumFailed,
    Gap,
    Instruments,
    RawFrame,
    Refused,
    Resynced,
    Spread,
    Status,
    Ticker,
    Trade,
)
from krakenwire.testing import local_kraken
from krakenwire.testing.proxy import FaultProxy

SYMBOLS = ["BTC/USD", "ETH/USD", "XRP/USD", "DOGE/USD"]

Make = Callable[..., Style]


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=SYMBOLS, rate=100) as running:
        yield running


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(params=STYLES)
def make(request: pytest.FixtureRequest, version: int) -> Iterator[Make]:
    made: list[Style] = []

    def make(on: str, **settings: Any) -> Style:
        made.append(STYLES[request.param](on, version=version, **settings))
        return made[-1]

    yield make
    for style in made:
        style.close()


@pytest.fixture
def client(make: Make, venue: LocalVenue) -> Style:
    return make(venue.ws_v2)


@pytest.fixture
def proxy(venue: LocalVenue) -> Iterator[FaultProxy]:
    with FaultProxy(venue.port) as proxy:
        yield proxy


# -- what comes ------------------------------------------------------------------


def test_the_status_comes_first(client: Style) -> None:
    status = client.stream("status").next()
    assert isinstance(status, Status)
    assert status.system == "online"


def test_trades_are_exact_and_in_order(client: Style) -> None:
    trades = client.stream("trade", "BTC/USD", "ETH/USD")
    found = [trades.next() for _ in range(20)]
    assert all(isinstance(trade, Trade) and trade.qty > 0 for trade in found)
    assert {trade.symbol for trade in found} <= {"BTC/USD", "ETH/USD"}
    for symbol in ("BTC/USD", "ETH/USD"):
        times = [trade.time_ns for trade in found if trade.symbol == symbol]
        assert times == sorted(times)


def test_tickers_hold_together(client: Style) -> None:
    tickers = client.stream("ticker", "BTC/USD", "XRP/USD")
    for _ in range(4):
        ticker = tickers.next()
        assert isinstance(ticker, Ticker)
        assert Decimal(0) < ticker.bid < ticker.ask
        assert ticker.low <= ticker.last <= ticker.high


@pytest.mark.parametrize("depth", [10, 25, 1000])
def test_books_are_verified_and_never_deeper_than_asked(client: Style, depth: int, version: int) -> None:
    books = client.stream("book", "BTC/USD", depth=depth)
    first = books.next()
    book = first if version == 2 else take_until(books, lambda book: book.verified)
    assert book.verified
    assert book.depth == depth
    assert 0 < len(book.bids) <= depth
    assert 0 < len(book.asks) <= depth
    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_books_of_every_symbol_stay_verified(client: Style) -> None:
    books = client.stream("book", *SYMBOLS, policy="block")
    assert symbols_until(books, set(SYMBOLS)) == set(SYMBOLS)
    for _ in range(200):
        books.next()
    counters = client.counters
    assert counters.verified >= 200 - len(SYMBOLS)
    assert (counters.checksum_failures, counters.resyncs, counters.gaps) == (0, 0, 0)


def test_candles_have_their_interval(client: Style) -> None:
    candles = client.stream("ohlc", "BTC/USD", interval=5)
    candle = candles.next()
    assert isinstance(candle, Candle)
    assert candle.interval == 5
    assert candle.end_ns - candle.begin_ns == 5 * 60 * 10**9
    assert candle.low <= candle.open <= candle.high


def test_spreads_come_on_both_versions(client: Style) -> None:
    spreads = client.stream("spread", "BTC/USD")
    for _ in range(3):
        spread = spreads.next()
        assert isinstance(spread, Spread)
        assert spread.bid < spread.ask


def test_instruments_come_on_version_2_and_are_refused_on_version_1(client: Style, version: int) -> None:
    if version == 1:
        with pytest.raises(UsageError, match="version 2"):
            client.stream("instrument")
        return
    instruments = client.stream("instrument").next()
    assert isinstance(instruments, Instruments)
    assert {pair.symbol for pair in instruments.pairs} >= set(SYMBOLS)


def test_level3_is_verified_with_a_token_and_explained_without(make: Make, venue: LocalVenue, version: int) -> None:
    plain = make(venue.ws_v2)
    with pytest.raises(UsageError, match="credentials" if version == 2 else "version 2"):
        plain.stream("level3", "BTC/USD")
    if version == 2:
        book = make(venue.ws_v2, token=lambda: venue.token().reveal()).stream("level3", "BTC/USD").next()
        assert book.verified
        assert book.bids[0].order_id


def test_frames_come_as_they_are(client: Style, version: int) -> None:
    frames = client.stream("raw")
    client.stream("ticker", "BTC/USD")
    reply = '"event":"subscriptionStatus","pair":"XBT/USD"' if version == 1 else '"method":"subscribe"'
    found = take_until(frames, lambda frame: reply in frame.frame)
    assert isinstance(found, RawFrame)
    assert found.received_ns > 0


def test_any_spelling_of_a_symbol_gives_v2_symbols(client: Style) -> None:
    trades = client.stream("trade", "XBT/USD", "XETHZUSD", "XDGUSD")
    assert symbols_until(trades, {"BTC/USD"}) <= {"BTC/USD", "ETH/USD", "DOGE/USD"}


def test_many_channels_share_one_connection(client: Style) -> None:
    streams = [client.stream(channel, *SYMBOLS) for channel in ("trade", "ticker", "book", "ohlc", "spread")]
    for stream in streams:
        assert stream.next().symbol in SYMBOLS
    assert client.counters.attempts == 1


def test_two_streams_of_one_symbol_both_get_everything(client: Style) -> None:
    first, second = client.stream("trade", "BTC/USD"), client.stream("trade", "BTC/USD")
    # The first may have taken something before the second was opened.
    expected = [second.next() for _ in range(5)]
    start = take_until(first, lambda trade: trade == expected[0])
    assert [start, *(first.next() for _ in range(4))] == expected


def test_a_ping_takes_time_and_comes_back(client: Style) -> None:
    assert 0 < client.ping() < 5


def test_a_book_can_be_read_beside_its_stream(client: Style) -> None:
    client.stream("book", "BTC/USD").next()
    assert client.book("XBT/USD").symbol == "BTC/USD"
    with pytest.raises(UsageError, match="open stream"):
        client.book("ETH/USD")


# -- asking for more and for less ----------------------------------------------------


def test_symbols_are_added_and_removed_at_run_time(client: Style) -> None:
    books = client.stream("book", "BTC/USD")
    assert books.next().symbol == "BTC/USD"
    books.add("ETH/USD")
    assert symbols_until(books, {"BTC/USD", "ETH/USD"}) == {"BTC/USD", "ETH/USD"}
    books.remove("BTC/USD")
    alone = 0  # what waited of the other still comes
    for book in items(books):
        alone = alone + 1 if book.symbol == "ETH/USD" else 0
        if alone == 50:
            break
    assert alone == 50


def test_a_closed_stream_is_unsubscribed_and_the_others_go_on(client: Style) -> None:
    books, trades = client.stream("book", "BTC/USD"), client.stream("trade", "BTC/USD")
    events = client.stream("events")
    books.next()
    books.close()
    take_until(events, lambda event: event.channel == "unsubscribed")
    with pytest.raises(StreamEnded):
        books.next()
    assert trades.next().symbol == "BTC/USD"


def test_one_wrong_symbol_is_reported_and_the_others_come(client: Style) -> None:
    trades = client.stream("trade", "BTC/USD", "NOT/HERE", notices=True)
    refusal = take_until(trades, lambda item: isinstance(item, Refused))
    assert refusal.symbol == "NOT/HERE"
    assert take_until(trades, lambda item: isinstance(item, Trade)).symbol == "BTC/USD"
    assert set(trades.refused) == {"NOT/HERE"}


def test_nothing_but_wrong_symbols_ends_the_stream_with_the_venues_words(client: Style) -> None:
    trades = client.stream("trade", "NOT/HERE")
    with pytest.raises(VenueRefusal) as caught:
        trades.next()
    assert "NOT/HERE" in str(caught.value)
    assert caught.value.error
    assert client.stream("trade", "BTC/USD").next().symbol == "BTC/USD"


@pytest.mark.parametrize("symbol", ["", "BTC//USD", "BTC USD", "*"])
def test_what_cannot_be_a_symbol_is_refused_at_once(client: Style, symbol: str) -> None:
    with pytest.raises(SymbolError):
        client.stream("trade", symbol)


@pytest.mark.parametrize(
    ("channel", "symbols", "parameters"),
    [
        ("book", ["BTC/USD"], {"depth": 11}),
        ("ohlc", ["BTC/USD"], {"interval": 2}),
        ("ticker", ["BTC/USD"], {"event_trigger": "moon"}),
        ("trade", [], {}),
        ("trade", ["BTC/USD"], {"depth": 10}),
        ("futures", ["BTC/USD"], {}),
        ("trade", ["BTC/USD"], {"policy": "hope"}),
        ("trade", ["BTC/USD"], {"policy": "conflate"}),
        ("trade", ["BTC/USD"], {"queue": 0}),
    ],
)
def test_what_cannot_be_had_is_refused_at_once(
    client: Style, channel: str, symbols: list[str], parameters: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        client.stream(channel, *symbols, **parameters)
    assert client.counters.attempts <= 1


# -- waiting -----------------------------------------------------------------------


def test_a_time_out_leaves_the_stream_usable(client: Style) -> None:
    status = client.stream("status")
    status.next()
    start = time.monotonic()
    for _ in range(3):
        with pytest.raises(WaitTimeout):
            status.next(0.05)
    assert time.monotonic() - start < 3
    assert client.stream("trade", "BTC/USD").next()


def test_closing_the_client_ends_whoever_waits(make: Make, venue: LocalVenue) -> None:
    client = make(venue.ws_v2)
    if isinstance(client, Blocking):
        stream = client.stream("status")
        stream.next()
        client.close()
        with pytest.raises(StreamEnded):
            stream.next()
        return
    stream = client.stream("status")
    stream.next()
    ended: list[KrakenwireError] = []

    def wait() -> None:
        try:
            stream.next(30)
        except KrakenwireError as error:
            ended.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    client.close()
    waiter.join(10)
    assert [type(error) for error in ended] == [StreamEnded]


def test_closing_twice_is_harmless_and_nothing_opens_after_it(client: Style) -> None:
    client.stream("status").next()
    client.close()
    client.close()
    with pytest.raises(StreamEnded):
        client.stream("trade", "BTC/USD").next()


# -- slow consumers ------------------------------------------------------------------


def test_a_slow_consumer_that_drops_is_told_how_many(make: Make, venue: LocalVenue) -> None:
    client = make(venue.ws_v2)
    slow = client.stream("book", *SYMBOLS, policy="drop", queue=5)
    quick = client.stream("trade", *SYMBOLS, policy="drop")
    slow.next()
    for _ in range(30):
        quick.next()
    gap = take_until(slow, lambda item: isinstance(item, Gap))
    assert gap.reason == "slow consumer"
    assert 0 < gap.dropped <= slow.dropped


def test_a_slow_consumer_that_conflates_gets_the_present_book(make: Make, venue: LocalVenue) -> None:
    client = make(venue.ws_v2)
    slow, quick = client.stream("book", *SYMBOLS, policy="conflate"), client.stream("trade", *SYMBOLS)
    symbols_until(slow, set(SYMBOLS))
    for _ in range(30):
        quick.next()
    newest = {symbol: client.book(symbol).time_ns for symbol in SYMBOLS}
    for _ in range(len(SYMBOLS)):
        book = slow.next()
        time_ns = newest.pop(book.symbol)
        assert time_ns is None or book.time_ns >= time_ns
        assert book.state == "live"
    assert client.counters.gaps == 0


def test_a_slow_consumer_that_blocks_loses_nothing(make: Make, venue: LocalVenue) -> None:
    client = make(venue.ws_v2, queue=20)
    books = client.stream("book", *SYMBOLS, policy="block")
    verified: dict[str, list[int]] = {}
    for _ in range(60):
        book = books.next()
        verified.setdefault(book.symbol, []).append(book.verified_count)
        time.sleep(0.02)  # the venue sends several times as many
    for counts in verified.values():
        assert counts == list(range(counts[0], counts[0] + len(counts)))
    assert (client.counters.gaps, client.counters.reconnects) == (0, 0)


def test_in_one_thread_a_full_stream_ends_rather_than_keep_another_waiting(venue: LocalVenue, version: int) -> None:
    client = Blocking(venue.ws_v2, version=version)
    try:
        full = client.stream("book", *SYMBOLS, policy="block", queue=3)
        trades = client.stream("trade", *SYMBOLS)
        for _ in range(20):
            trades.next()
        with pytest.raises(SlowConsumer):
            take_until(full, lambda _: False, limit=1000)
    finally:
        client.close()


# -- when it breaks --------------------------------------------------------------------


def test_after_a_cut_everything_comes_back_with_gap_and_resynced(make: Make, proxy: FaultProxy) -> None:
    client = make(proxy.url, **QUICK)
    books = client.stream("book", "BTC/USD", "ETH/USD", policy="block", notices=True)
    trades = client.stream("trade", "BTC/USD", notices=True)
    symbols_until(books, {"BTC/USD", "ETH/USD"})
    take_until(trades, lambda item: isinstance(item, Trade))
    assert proxy.cut() == 1
    notices = _notices_until_resynced(books, {"BTC/USD", "ETH/USD"})
    for symbol in ("BTC/USD", "ETH/USD"):
        assert [type(notice) for notice in notices if notice.symbol == symbol] == [Gap, Resynced]
    assert symbols_until(books, {"BTC/USD", "ETH/USD"})
    assert take_until(trades, lambda item: isinstance(item, Gap)).reason == "disconnected"
    take_until(trades, lambda item: isinstance(item, Resynced))
    take_until(trades, lambda item: isinstance(item, Trade))
    assert client.counters.reconnects == 1


def _notices_until_resynced(reader: Reader, symbols: set[str]) -> list[Any]:
    notices: list[Any] = []
    while symbols - {notice.symbol for notice in notices if isinstance(notice, Resynced)}:
        item = reader.next(15.0)
        if isinstance(item, Gap | Resynced | ChecksumFailed):
            notices.append(item)
    return notices


CHECKSUM_OF_BTC = {
    1: rb'("c":"\d*)(\d)("\},"book-10","XBT/USD")',
    2: rb'("type":"update","data":\[\{"symbol":"BTC/USD","bids":[^]]*\],"asks":[^]]*\],"checksum":\d*)(\d)(,)',
}


def test_a_corrupt_book_is_renewed_alone_and_harms_no_other(make: Make, proxy: FaultProxy, version: int) -> None:
    client = make(proxy.url, **QUICK)
    books = client.stream("book", "BTC/USD", "ETH/USD", policy="block", notices=True)
    symbols_until(books, {"BTC/USD", "ETH/USD"})
    proxy.tamper(CHECKSUM_OF_BTC[version], lambda found: found[1] + b"%d" % ((int(found[2]) + 1) % 10) + found[3])
    notices = _notices_until_resynced(books, {"BTC/USD"})
    assert {notice.symbol for notice in notices} == {"BTC/USD"}
    assert {type(notice) for notice in notices} == {ChecksumFailed, Gap, Resynced}
    assert [notice.reason for notice in notices if isinstance(notice, Gap)] == ["checksum"]
    assert symbols_until(books, {"BTC/USD", "ETH/USD"})
    counters = client.counters
    assert (counters.checksum_failures, counters.gaps, counters.reconnects) == (1, 1, 0)


def test_a_stale_book_cannot_be_read(make: Make, proxy: FaultProxy) -> None:
    client = make(proxy.url, **QUICK)
    books, events = client.stream("book", "BTC/USD"), client.stream("events")
    books.next()
    proxy.refuse()
    proxy.cut()
    take_until(events, lambda event: event.channel == "disconnected")
    with pytest.raises((StaleData, UsageError)):
        _ = client.book("BTC/USD").best_bid
    proxy.refuse(False)
    assert take_until(books, lambda book: book.state == "live")

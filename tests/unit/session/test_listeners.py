"""Callbacks: what a listener is called with, in what order, and what passes by the session on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.session.fake import HEARTBEAT, SECOND, Book, Driver, ticker, trades

from krakenwire import _native
from krakenwire.errors import ConnectionLost
from krakenwire.model import BookUpdate, ChecksumFailed, Event, Gap, Resynced, Ticker, Trades
from krakenwire.session import Listener

BTC, ETH = "BTC/USD", "ETH/USD"
TWINS = [
    pytest.param(False, id="pure"),
    pytest.param(True, id="native", marks=pytest.mark.skipif(not _native.ENABLED, reason="no compiled twins")),
]


def no_error(error: Exception) -> None:
    raise AssertionError("no callback raises in this test") from error


class Called:
    """A listener that keeps what it is called with."""

    def __init__(self, drive: Driver, kind: str, *symbols: str, batch: bool = False, **how: Any) -> None:
        assert drive.hub is not None
        self.events: list[Event] = []
        self.batches: list[list[Event]] = []
        callback: dict[str, Callable[[Any], object]] = {
            "on_batch" if batch else "on_event": self.batches.append if batch else self.events.append
        }
        how.setdefault("on_error", no_error)
        self.listener: Listener = drive.hub.open_listener(kind, symbols, now_ns=drive.now_ns, **callback, **how)
        drive.accept()

    def channels(self) -> list[str]:
        return [event.channel for event in self.events]


@pytest.fixture(params=TWINS)
def drive(request: pytest.FixtureRequest) -> Driver:
    return Driver(hub=True, native=request.param).open()


def test_listener_is_called_with_each_event_of_its_own_symbols(drive: Driver) -> None:
    called = Called(drive, "books", BTC, depth=10)
    book, other = Book(BTC), Book(ETH)
    drive.read(book.snapshot(), HEARTBEAT, book.update(1), other.snapshot(), ticker(BTC))
    assert called.channels() == ["book", "book"]
    assert all(isinstance(event, BookUpdate) and event.verified for event in called.events)


def test_book_in_an_event_is_the_live_one(drive: Driver) -> None:
    called = Called(drive, "books", BTC, depth=10)
    book = Book(BTC)
    drive.read(book.snapshot(), book.update(2_0000_0000))
    first, second = called.events
    assert isinstance(first, BookUpdate)
    assert isinstance(second, BookUpdate)
    assert first.book is second.book is drive.session.book(BTC)
    assert str(second.book.best_bid_qty) == "2.00000000"  # type: ignore[union-attr]


def test_wrong_checksum_reaches_the_listener_with_its_gap_and_its_end(drive: Driver) -> None:
    called = Called(drive, "books", BTC, depth=10)
    book = Book(BTC)
    drive.read(book.snapshot(), book.update(1), book.update(2, spoiled=True), book.update(3))
    drive.accept()
    drive.accept()
    drive.read(book.snapshot(), book.update(4))
    order = [event.__class__ for event in called.events]
    assert order == [BookUpdate] * 3 + [ChecksumFailed, Gap, Resynced] + [BookUpdate] * 2
    last = called.events[-1]
    assert isinstance(last, BookUpdate)
    assert last.verified


def test_missing_trades_are_a_gap_wherever_they_are_missing(drive: Driver) -> None:
    called = Called(drive, "trades", BTC)
    drive.read(trades(BTC, 5, kind="snapshot"), trades(BTC, 6), trades(BTC, 7, 8), trades(BTC, 10), trades(BTC, 11))
    assert [event.__class__ for event in called.events] == [Trades, Trades, Trades, Gap, Trades, Trades]
    assert drive.session.counters.gaps == 1


def test_repeated_trades_are_handed_out_once(drive: Driver) -> None:
    called = Called(drive, "trades", BTC)
    drive.read(trades(BTC, 5), trades(BTC, 6), trades(BTC, 6), trades(BTC, 5, 6, 7), trades(BTC, 8))
    ids = [trade.trade_id for event in called.events if isinstance(event, Trades) for trade in event.trades]
    assert ids == [5, 6, 7, 8]
    assert drive.session.counters.duplicates == 3


def test_batch_is_all_events_of_one_read_in_order(drive: Driver) -> None:
    called = Called(drive, "trades", BTC, ETH, batch=True)
    drive.read(trades(BTC, 1), trades(ETH, 1), trades(BTC, 2))
    drive.read(trades(ETH, 2))
    drive.read(HEARTBEAT)
    assert [[event.symbol for event in batch] for batch in called.batches] == [[BTC, ETH, BTC], [ETH]]


def test_batch_given_to_a_callback_stays_as_it_is(drive: Driver) -> None:
    called = Called(drive, "ticker", BTC, batch=True)
    drive.read(ticker(BTC, bid="1.0"))
    drive.read(ticker(BTC, bid="2.0"))
    assert [len(batch) for batch in called.batches] == [1, 1]


def test_callback_that_raises_is_reported_and_the_feed_goes_on(drive: Driver) -> None:
    reported: list[Exception] = []
    calls: list[Event] = []

    def fail(event: Event) -> None:
        calls.append(event)
        raise RuntimeError("mine")

    assert drive.hub is not None
    drive.hub.open_listener("ticker", [BTC], now_ns=0, on_event=fail, on_error=reported.append)
    drive.accept()
    healthy = Called(drive, "ticker", BTC)
    drive.read(*[ticker(BTC, bid=f"{price}.0") for price in range(1, 6)])
    assert len(calls) == len(reported) == len(healthy.events) == 5
    assert {str(error) for error in reported} == {"mine"}
    assert drive.session.state == "open"


def test_closed_listener_is_called_no_more_and_its_subscription_ends(drive: Driver) -> None:
    called = Called(drive, "ticker", BTC)
    drive.read(ticker(BTC), ticker(BTC))
    assert drive.hub is not None
    drive.hub.close_stream(called.listener, drive.now_ns)
    assert [request["method"] for request in drive.take_sent()] == ["unsubscribe"]
    drive.read(ticker(BTC))
    assert len(called.events) == 2


def test_callback_may_close_its_own_listener(drive: Driver) -> None:
    assert drive.hub is not None
    calls: list[Event] = []

    def once(event: Event) -> None:
        calls.append(event)
        if len(calls) == 3:
            drive.hub.close_stream(listener, drive.now_ns)  # type: ignore[union-attr]

    listener = drive.hub.open_listener("ticker", [BTC], now_ns=0, on_event=once, on_error=no_error)
    drive.accept()
    drive.read(*[ticker(BTC)] * 6)
    assert len(calls) == 3


def test_stream_and_listener_of_one_symbol_both_get_everything(drive: Driver) -> None:
    called = Called(drive, "ticker", BTC)
    assert drive.hub is not None
    stream = drive.hub.open_stream("ticker", [BTC], now_ns=0)
    drive.read(ticker(BTC, bid="1.0"), ticker(BTC, bid="2.0"))
    assert len(called.events) == len(stream) == 2


def test_later_stream_begins_with_the_latest_ticker(drive: Driver) -> None:
    Called(drive, "ticker", BTC)
    drive.read(ticker(BTC, bid="1.0"), ticker(BTC, bid="2.0"))
    assert drive.hub is not None
    late = drive.hub.open_stream("ticker", [BTC], now_ns=0)
    item = late.take()
    assert isinstance(item, Ticker)
    assert str(item.bid) == "2.0"


def test_who_wants_everything_gets_it_while_it_is_wanted(drive: Driver) -> None:
    called = Called(drive, "ticker", BTC)
    assert drive.hub is not None
    drive.read(ticker(BTC))
    everything, raw = (drive.hub.open_stream(kind, now_ns=0) for kind in ("events", "raw"))
    drive.read(ticker(BTC), HEARTBEAT)
    assert [len(everything), len(raw)] == [2, 2]
    for stream in (everything, raw):
        drive.hub.close_stream(stream, 0)
    drive.read(ticker(BTC))
    assert len(called.events) == 3


def test_frames_behind_the_end_of_a_connection_change_nothing(drive: Driver) -> None:
    called = Called(drive, "books", BTC, depth=10)
    book = Book(BTC)
    drive.read(book.snapshot(), book.update(1))
    drive.read(book.update(2), "no JSON", book.snapshot(), book.update(3))
    assert drive.session.state == "closing"
    assert len([event for event in called.events if isinstance(event, BookUpdate)]) == 3
    found = drive.session.book(BTC)
    assert found is not None
    assert found.state == "resyncing"
    assert drive.session.counters.frames_ignored == 2


def test_cut_connection_is_a_gap_and_the_next_one_ends_it(drive: Driver) -> None:
    called = Called(drive, "books", BTC, depth=10)
    book = Book(BTC)
    drive.read(book.snapshot(), book.update(1))
    drive.cut(ConnectionLost("ws://127.0.0.1:1/v2", "gone", code=1006))
    drive.wait(10.0)
    drive.open()
    drive.accept()
    drive.read(book.snapshot(), book.update(2))
    assert [event.__class__ for event in called.events] == [
        BookUpdate,
        BookUpdate,
        Gap,
        Resynced,
        BookUpdate,
        BookUpdate,
    ]


def test_calm_data_counts_as_life_of_its_subscription_and_connection(drive: Driver) -> None:
    Called(drive, "books", BTC, depth=10)
    book = Book(BTC)
    drive.read(book.snapshot())
    for step in range(40):
        drive.wait(5.0)
        drive.read(book.update(step + 1))
    assert drive.session.counters.silence == 0
    assert drive.session.state == "open"
    drive.wait(125.0, heartbeats=True)
    assert drive.session.counters.silence == 1


@pytest.mark.skipif(not _native.ENABLED, reason="no compiled twins")
def test_twins_tell_and_count_the_same() -> None:
    def run(native: bool) -> tuple[list[str], object, int]:
        drive = Driver(hub=True, native=native).open()
        called = [
            Called(drive, "books", BTC, ETH, depth=10),
            Called(drive, "trades", BTC),
            Called(drive, "ticker", BTC),
        ]
        books = [Book(BTC), Book(ETH, 2000)]
        drive.read(*[book.snapshot() for book in books], trades(BTC, 1, 2, kind="snapshot"), HEARTBEAT)
        for step in range(50):
            drive.now_ns += SECOND // 4
            drive.read(
                books[step % 2].update(step + 1, spoiled=step == 20),
                ticker(BTC, bid=f"{step}.5"),
                trades(BTC, 3 + step + (step > 30)),
                HEARTBEAT,
            )
            drive.accept()
            if step == 25:
                drive.read(books[0].snapshot())
        told = [repr(event) for each in called for event in each.events]
        return told, drive.session.counters, drive.session._connection.liveness.heard_ns

    assert run(native=False) == run(native=True)


@pytest.mark.skipif(not _native.ENABLED, reason="no compiled twins")
def test_plain_data_of_calm_subscriptions_passes_by_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Driver(hub=True, native=True).open()
    called = Called(drive, "books", BTC, depth=10)
    book = Book(BTC)
    drive.read(book.snapshot(), book.update(1))
    monkeypatch.setattr(drive.session._intake, "rows", {})
    monkeypatch.setattr(drive.session, "_rows", {BookUpdate: None})
    drive.read(book.update(2), book.update(3))
    assert [event.verified for event in called.events if isinstance(event, BookUpdate)] == [True] * 4

"""What may be missing is announced, healed and counted, one subscription at a time."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.session.fake import SECOND, URL, Book, Driver, asked, candles, refused, ticker, trades

from krakenwire.errors import ConnectionLost, StaleData
from krakenwire.model import BookUpdate, Candles, ChecksumFailed, Gap, Resynced, Spread, Subscription, Trades

BTC, ETH = "BTC/USD", "ETH/USD"
MINUTE = 60 * SECOND
THREE = 1_767_322_800 * SECOND
"""2026-01-02 03:00."""


def sub(channel: str, symbol: str = BTC, **parameters: object) -> Subscription:
    return Subscription(channel=channel, symbol=symbol, **parameters)  # type: ignore[arg-type]


def opened(*subs: Subscription, **config: object) -> Driver:
    driver = Driver(**config).open()  # type: ignore[arg-type]
    driver.subscribe(*subs)
    driver.accept()
    return driver


def reopened(driver: Driver) -> Driver:
    """Cut, wait, open again and let everything be accepted."""
    driver.cut(ConnectionLost(URL, "reset"))
    driver.wait(20)
    driver.open()
    driver.accept()
    return driver


def gaps(driver: Driver) -> list[tuple[str, str | None, str]]:
    return [(event.channel_name, event.symbol, event.reason) for event in driver.events if isinstance(event, Gap)]


# -- disconnected --------------------------------------------------------------


def test_a_cut_is_a_gap_for_every_confirmed_subscription_since_the_last_frame() -> None:
    driver = opened(sub("trade"), sub("ohlc", interval=5), sub("ticker", ETH))
    driver.wait(3)
    driver.frame(ticker(ETH))
    driver.wait(2)
    events = driver.cut(ConnectionLost(URL, "reset"))
    found = [event for event in events if isinstance(event, Gap)]
    assert [(gap.channel_name, gap.symbol, gap.interval, gap.reason) for gap in found] == [
        ("trade", BTC, None, "disconnected"),
        ("ohlc", BTC, 5, "disconnected"),
        ("ticker", ETH, None, "disconnected"),
    ]
    assert {gap.since_ns for gap in found} == {3 * SECOND}


def test_a_subscription_in_flight_has_no_gap_yet() -> None:
    driver = Driver().open()
    driver.subscribe(sub("trade"))
    driver.cut(ConnectionLost(URL, "reset"))
    assert gaps(driver) == []


def test_trades_are_resynced_by_the_reply_and_books_by_their_snapshot() -> None:
    driver = opened(sub("trade"), sub("book"))
    book = Book(BTC)
    driver.frame(book.snapshot())
    reopened(driver)
    assert [event.channel_name for event in driver.events if isinstance(event, Resynced)] == ["trade"]
    events = driver.frame(book.snapshot())
    assert [event.channel for event in events] == ["resynced", "book"]
    resynced = events[0]
    assert isinstance(resynced, Resynced)
    assert (resynced.channel_name, resynced.symbol, resynced.down_ns) == ("book", BTC, 20 * SECOND)


def test_a_second_cut_before_the_snapshot_is_the_same_gap() -> None:
    driver = opened(sub("book"))
    driver.frame(Book(BTC).snapshot())
    reopened(driver)
    reopened(driver)
    assert gaps(driver) == [("book", BTC, "disconnected")]
    driver.frame(Book(BTC).snapshot())
    assert [event.down_ns for event in driver.events if isinstance(event, Resynced)] == [40 * SECOND]


def test_a_book_is_not_readable_while_the_connection_is_down() -> None:
    driver = opened(sub("book"))
    driver.frame(Book(BTC).snapshot())
    book = driver.session.book(BTC)
    assert book is not None
    assert book.best_bid == Decimal("100.0")
    driver.cut(ConnectionLost(URL, "reset"))
    with pytest.raises(StaleData):
        _ = book.best_bid


def test_a_book_is_not_readable_from_the_moment_the_connection_is_given_up() -> None:
    driver = opened(sub("book"))
    driver.frame(Book(BTC).snapshot())
    driver.wait(10)
    assert (driver.session.state, driver.closes) == ("closing", [1001])
    book = driver.session.book(BTC)
    assert book is not None
    assert book.state == "resyncing"


# -- checksums -------------------------------------------------------------------


def test_a_wrong_checksum_renews_that_book_alone() -> None:
    driver = opened(sub("book", BTC), sub("book", ETH))
    books = {symbol: Book(symbol) for symbol in (BTC, ETH)}
    driver.frame(*(book.snapshot() for book in books.values()))
    driver.take_sent()
    events = driver.frame(books[BTC].update(1, spoiled=True))
    assert [event.channel for event in events] == ["book", "checksum_failed", "gap"]
    assert isinstance(events[1], ChecksumFailed)
    assert gaps(driver) == [("book", BTC, "checksum")]
    assert asked(driver.sent, "unsubscribe") == [("book", BTC)]
    (update,) = driver.frame(books[ETH].update(2))
    assert isinstance(update, BookUpdate)
    assert update.verified
    assert asked(driver.accept_all(), "unsubscribe") == [("book", BTC)]
    assert asked(driver.accept_all(), "subscribe") == [("book", BTC)]
    events = driver.frame(books[BTC].snapshot())
    assert [event.channel for event in events] == ["resynced", "book"]
    assert (driver.session.counters.checksum_failures, driver.session.counters.resyncs) == (1, 1)


def test_updates_of_a_book_that_failed_give_no_event() -> None:
    driver = opened(sub("book"))
    book = Book(BTC)
    driver.frame(book.snapshot(), book.update(1, spoiled=True))
    assert driver.frame(book.update(2)) == []


def test_a_snapshot_with_a_wrong_checksum_keeps_the_gap_open_and_asks_again() -> None:
    driver = opened(sub("book"))
    book = Book(BTC)
    driver.frame(book.snapshot(), book.update(1, spoiled=True))
    driver.accept()
    driver.accept()
    driver.frame(book.snapshot(spoiled=True))
    assert gaps(driver) == [("book", BTC, "checksum")]
    assert asked(driver.take_sent(), "unsubscribe") == [("book", BTC)]
    assert driver.of("resynced") == []


def test_a_book_that_fails_again_and_again_is_renewed_no_faster_than_the_limit() -> None:
    driver = opened(sub("book"), resyncs_per_minute=4)
    book = Book(BTC)
    renewals = 0
    driver.frame(book.snapshot())
    for _ in range(1200):
        driver.frame(book.update(7, spoiled=True), book.snapshot())
        renewals += len(asked(driver.accept_all(), "unsubscribe"))
        driver.accept()
        driver.wait(0.1, heartbeats=True)
    assert 4 <= renewals <= 12
    assert driver.session.state == "open"


def test_a_level_that_is_no_number_renews_that_book_alone() -> None:
    driver = opened(sub("book", BTC), sub("trade", BTC))
    book = Book(BTC)
    driver.frame(book.snapshot())
    driver.take_sent()
    driver.frame(book.update(3).replace('"price":100.0', '"price":-100.0'))
    assert gaps(driver) == [("book", BTC, "malformed")]
    assert asked(driver.take_sent(), "unsubscribe") == [("book", BTC)]
    assert driver.session.state == "open"


def test_a_renewal_that_still_waits_for_its_turn_is_dropped_when_a_snapshot_heals_the_book() -> None:
    driver = opened(sub("book"), resyncs_per_minute=1)
    book = Book(BTC)
    driver.frame(book.snapshot(), book.update(1, spoiled=True))
    driver.accept()
    driver.accept()
    driver.frame(book.snapshot(), book.update(2, spoiled=True), book.snapshot())
    assert [event.channel for event in driver.events[-2:]] == ["resynced", "book"]
    driver.wait(100, heartbeats=True)
    assert asked(driver.take_sent(), "unsubscribe") == []


def test_a_cut_during_a_change_of_depth_is_a_gap() -> None:
    driver = opened(sub("book", depth=10))
    driver.frame(Book(BTC).snapshot())
    driver.subscribe(sub("book", depth=25))
    driver.cut(ConnectionLost(URL, "reset"))
    assert gaps(driver) == [("book", BTC, "disconnected")]


# -- silence ---------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["book", "ticker"])
def test_a_subscription_that_falls_silent_while_others_speak_is_renewed(channel: str) -> None:
    driver = opened(sub(channel))
    frame = Book(BTC).snapshot() if channel == "book" else ticker(BTC)
    driver.frame(frame)
    driver.wait(121, heartbeats=True)
    assert gaps(driver) == [(channel, BTC, "silence")]
    assert asked(driver.accept_all(), "unsubscribe") == [(channel, BTC)]
    assert asked(driver.accept_all(), "subscribe") == [(channel, BTC)]
    driver.frame(frame)
    assert [event.channel for event in driver.events[-2:]] == ["resynced", channel]
    assert (driver.session.counters.silence, driver.closes) == (1, [])


def test_what_still_comes_while_the_old_subscription_ends_closes_no_gap() -> None:
    driver = opened(sub("ticker"))
    driver.frame(ticker(BTC))
    driver.wait(121, heartbeats=True)
    assert [event.channel for event in driver.frame(ticker(BTC))] == ["ticker"]
    driver.accept()
    driver.accept()
    assert [event.channel for event in driver.frame(ticker(BTC))] == ["resynced", "ticker"]


def test_a_symbol_that_stays_quiet_is_renewed_less_and_less_often() -> None:
    driver = opened(sub("book"))
    book = Book(BTC)
    driver.frame(book.snapshot())
    for _ in range(3600):
        driver.wait(1, heartbeats=True)
        if asked(driver.accept_all(), "subscribe"):
            driver.frame(book.snapshot())
    assert 3 <= driver.session.counters.silence <= 5


def test_after_an_update_the_patience_is_the_usual_one_again() -> None:
    driver = opened(sub("book"))
    book = Book(BTC)
    driver.frame(book.snapshot())
    driver.wait(121, heartbeats=True)
    driver.accept()
    driver.accept()
    driver.frame(book.snapshot(), book.update(3))
    driver.wait(119, heartbeats=True)
    assert len(gaps(driver)) == 1
    driver.wait(2, heartbeats=True)
    assert len(gaps(driver)) == 2


def test_trades_may_be_silent_for_ever() -> None:
    driver = opened(sub("trade"))
    driver.wait(2000, heartbeats=True)
    assert (gaps(driver), driver.closes) == ([], [])


def test_a_confirmed_book_without_a_snapshot_is_renewed() -> None:
    driver = opened(sub("book"))
    driver.wait(16, heartbeats=True)
    assert gaps(driver) == [("book", BTC, "snapshot timeout")]
    assert asked(driver.accept_all(), "unsubscribe") == [("book", BTC)]
    driver.accept()
    driver.frame(Book(BTC).snapshot())
    assert [event.channel for event in driver.events[-2:]] == ["resynced", "book"]


# -- trades ------------------------------------------------------------------------


def test_a_jump_of_trade_ids_is_a_gap_with_its_number() -> None:
    driver = opened(sub("trade"))
    driver.frame(trades(BTC, 1, 2))
    events = driver.frame(trades(BTC, 5, 6))
    gap = events[0]
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.dropped) == ("trade ids", 2)
    assert events[1].channel == "trade"


def test_a_jump_within_one_frame_is_seen_too() -> None:
    driver = opened(sub("trade"))
    driver.frame(trades(BTC, 1, 2, 5))
    assert [event.dropped for event in driver.events if isinstance(event, Gap)] == [2]


def test_a_trade_that_comes_twice_is_given_once() -> None:
    driver = opened(sub("trade"))
    driver.frame(trades(BTC, 1, 2))
    (event,) = driver.frame(trades(BTC, 2, 3))
    assert isinstance(event, Trades)
    assert [trade.trade_id for trade in event.trades] == [3]
    assert driver.frame(trades(BTC, 3)) == []
    assert driver.session.counters.duplicates == 2


def test_a_snapshot_after_a_cut_fills_what_it_can_and_repeats_nothing() -> None:
    driver = opened(sub("trade", snapshot=True))
    driver.frame(trades(BTC, 1, 2, kind="snapshot"))
    reopened(driver)
    events = driver.frame(trades(BTC, 1, 2, 3, 4, kind="snapshot"))
    assert [trade.trade_id for event in events if isinstance(event, Trades) for trade in event.trades] == [3, 4]
    assert gaps(driver) == [("trade", BTC, "disconnected")]


def test_trades_missed_during_a_cut_are_numbered() -> None:
    driver = opened(sub("trade"))
    driver.frame(trades(BTC, 1))
    reopened(driver)
    driver.frame(trades(BTC, 11))
    assert gaps(driver)[-1] == ("trade", BTC, "trade ids")
    assert [event.dropped for event in driver.events if isinstance(event, Gap)] == [0, 9]


def test_a_venue_that_begins_a_new_numbering_is_believed() -> None:
    driver = opened(sub("trade"))
    driver.frame(trades(BTC, 500))
    reopened(driver)
    (event,) = driver.frame(trades(BTC, 1))
    assert isinstance(event, Trades)
    (event,) = driver.frame(trades(BTC, 2))
    assert isinstance(event, Trades)


def test_version_1_has_no_trade_ids_and_no_gaps_from_them() -> None:
    driver = Driver(version=1).open()
    driver.subscribe(sub("trade"))
    driver.accept()
    frame = '[1,[["100.00000","0.10000000","1767323045.000006","b","l",""]],"trade","XBT/USD"]'
    assert [event.channel for event in driver.frame(frame, frame)] == ["trade", "trade"]
    assert gaps(driver) == []


# -- candles -----------------------------------------------------------------------


def rows(driver: Driver) -> list[tuple[int, str, bool]]:
    """Minute, closing price, closed - of every candle so far."""
    found = [candle for event in driver.events if isinstance(event, Candles) for candle in event.candles]
    return [((candle.begin_ns - THREE) // MINUTE, str(candle.close), candle.closed) for candle in found]


def test_all_candles_of_a_snapshot_but_the_last_are_closed() -> None:
    driver = opened(sub("ohlc", interval=1))
    driver.frame(candles(BTC, (1, "101.0"), (2, "102.0"), kind="snapshot"))
    assert rows(driver) == [(1, "101.0", True), (2, "102.0", False)]


def test_a_later_candle_closes_the_one_before_which_comes_again_first() -> None:
    driver = opened(sub("ohlc", interval=1))
    driver.frame(candles(BTC, (2, "102.0")), candles(BTC, (2, "102.5")), candles(BTC, (3, "103.0")))
    assert rows(driver) == [(2, "102.0", False), (2, "102.5", False), (2, "102.5", True), (3, "103.0", False)]


def test_across_a_gap_a_candle_is_closed_only_by_a_snapshot_that_shows_its_end() -> None:
    driver = opened(sub("ohlc", interval=1))
    driver.frame(candles(BTC, (1, "101.0"), (2, "102.0"), kind="snapshot"))
    reopened(driver)
    driver.events.clear()
    driver.frame(candles(BTC, (1, "101.0"), (2, "102.9"), (3, "103.0"), (4, "104.0"), kind="snapshot"))
    assert rows(driver) == [(2, "102.9", True), (3, "103.0", True), (4, "104.0", False)]


def test_across_a_gap_without_a_snapshot_nothing_is_invented() -> None:
    driver = opened(sub("ohlc", interval=1))
    driver.frame(candles(BTC, (2, "102.0")))
    reopened(driver)
    driver.events.clear()
    driver.frame(candles(BTC, (4, "104.0")), candles(BTC, (5, "105.0")))
    assert rows(driver) == [(4, "104.0", False), (4, "104.0", True), (5, "105.0", False)]


def test_the_same_candle_after_a_gap_goes_on() -> None:
    driver = opened(sub("ohlc", interval=1))
    driver.frame(candles(BTC, (2, "102.0")))
    reopened(driver)
    driver.events.clear()
    driver.frame(candles(BTC, (2, "102.7")), candles(BTC, (3, "103.0")))
    assert rows(driver) == [(2, "102.7", False), (2, "102.7", True), (3, "103.0", False)]


def test_a_late_row_of_an_older_candle_is_closed() -> None:
    driver = opened(sub("ohlc", interval=1))
    driver.frame(candles(BTC, (3, "103.0")), candles(BTC, (2, "102.0")), candles(BTC, (3, "103.1")))
    assert rows(driver) == [(3, "103.0", False), (2, "102.0", True), (3, "103.1", False)]


# -- spread on version 2 -------------------------------------------------------------


def spreads(driver: Driver) -> list[tuple[str, str]]:
    return [(str(event.bid), str(event.ask)) for event in driver.events if isinstance(event, Spread)]


def test_a_spread_alone_is_served_by_a_ticker_that_follows_the_best_prices() -> None:
    driver = Driver().open()
    driver.subscribe(sub("spread"))
    (request,) = driver.take_sent()
    assert request["params"] == {"channel": "ticker", "symbol": [BTC], "event_trigger": "bbo"}
    driver.frame(ticker(BTC), ticker(BTC), ticker(BTC, bid="100.5"))
    assert spreads(driver) == [("100.0", "101.0"), ("100.5", "101.0")]
    assert driver.of("ticker") == []


def test_a_spread_shares_the_book_that_is_wanted_anyway() -> None:
    driver = opened(sub("book", depth=100), sub("spread"))
    book = Book(BTC)
    driver.frame(book.snapshot(), book.update(9))
    assert len(driver.of("book")) == len(spreads(driver)) == 2
    assert set(driver.session.confirmed) == {("book", BTC, None), ("spread", BTC, None)}


def test_a_spread_beside_a_ticker_of_trades_takes_a_small_book() -> None:
    driver = Driver().open()
    driver.subscribe(sub("ticker"), sub("spread"))
    assert asked(driver.accept_all(), "subscribe") == [("ticker", BTC), ("book", BTC)]
    driver.frame(ticker(BTC), Book(BTC).snapshot())
    assert [event.channel for event in driver.events if event.channel in ("ticker", "book", "spread")] == [
        "ticker",
        "spread",
    ]


def test_a_spread_beside_a_ticker_of_best_prices_shares_it() -> None:
    driver = opened(sub("ticker", event_trigger="bbo"), sub("spread"))
    driver.frame(ticker(BTC))
    assert [event.channel for event in driver.events[-2:]] == ["ticker", "spread"]


def test_a_book_that_comes_later_takes_over_the_spread() -> None:
    driver = opened(sub("spread"))
    driver.frame(ticker(BTC))
    driver.subscribe(sub("book"))
    requests = driver.accept_all()
    assert asked(requests, "unsubscribe") == [("ticker", BTC)]
    assert asked(requests, "subscribe") == [("book", BTC)]
    driver.frame(Book(BTC).snapshot())
    assert len(spreads(driver)) == 2


def test_the_book_goes_when_only_the_spread_needs_it_no_more() -> None:
    driver = opened(sub("book"), sub("spread"))
    driver.frame(Book(BTC).snapshot())
    driver.unsubscribe(sub("book"))
    requests = driver.accept_all()
    assert asked(requests, "unsubscribe") == [("book", BTC)]
    assert asked(requests, "subscribe") == [("ticker", BTC)]
    driver.unsubscribe(sub("spread"))
    assert asked(driver.accept_all(), "unsubscribe") == [("ticker", BTC)]
    assert driver.session.wanted == {}


def test_an_unverified_book_gives_no_spread_and_its_gap_is_the_spread_s_too() -> None:
    driver = opened(sub("spread"), sub("ticker"))
    book = Book(BTC)
    driver.frame(book.snapshot())
    before = len(spreads(driver))
    driver.frame(book.update(1, spoiled=True))
    assert len(spreads(driver)) == before
    assert gaps(driver) == [("spread", BTC, "checksum")]
    assert driver.of("checksum_failed") == []


def test_a_spread_that_changes_its_source_in_a_gap_is_told_of_both_its_ends() -> None:
    driver = opened(sub("spread"))
    driver.frame(ticker(BTC))
    driver.cut(ConnectionLost(URL, "reset"))
    driver.subscribe(sub("book"))
    driver.wait(20)
    driver.open()
    driver.accept()
    driver.frame(Book(BTC).snapshot())
    found = [(type(event), event.channel_name) for event in driver.events if isinstance(event, Gap | Resynced)]
    assert found == [(Gap, "spread"), (Resynced, "spread")]


def test_a_refused_source_is_a_refused_spread() -> None:
    driver = Driver().open()
    driver.subscribe(sub("spread", "NOPE/USD"))
    driver.take_sent()
    (event,) = driver.frame(refused("Currency pair not supported NOPE/USD", symbol="NOPE/USD"))
    assert (event.channel, event.channel_name) == ("refused", "spread")  # type: ignore[union-attr]
    assert ("spread", "NOPE/USD", None) in driver.session.failed


def test_an_empty_side_gives_no_spread() -> None:
    driver = opened(sub("spread"), sub("ticker"))
    book = Book(BTC)
    book.bids.clear()
    driver.frame(book.snapshot())
    assert spreads(driver) == []


def test_version_1_has_a_spread_of_its_own() -> None:
    driver = Driver(version=1).open()
    driver.subscribe(sub("spread"))
    driver.accept()
    driver.frame('[1,["100.00000","101.00000","1767323045.000006","1.00000000","2.00000000"],"spread","XBT/USD"]')
    assert spreads(driver) == [("100.00000", "101.00000")]

"""Consumers of one session: what each gets, in what order, and what a slow one costs whom."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.session.fake import (
    HEARTBEAT,
    INSTRUMENTS,
    SECOND,
    URL,
    Book,
    Driver,
    asked,
    candles,
    refused,
    status,
    ticker,
    trades,
)

from krakenwire.errors import (
    ConnectionLost,
    SlowConsumer,
    StaleData,
    SymbolError,
    TlsError,
    UsageError,
    VenueRefusal,
)
from krakenwire.model import (
    BookReading,
    Candle,
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
from krakenwire.session import Mailbox, Policy, Stream, StreamItem

BTC, ETH = "BTC/USD", "ETH/USD"


def driver(**config: object) -> Driver:
    return Driver(hub=True, **config).open()  # type: ignore[arg-type]


def stream(drive: Driver, kind: str, *symbols: str, **how: object) -> Stream:
    """Open a stream and let the venue accept what it needs."""
    assert drive.hub is not None
    opened = drive.hub.open_stream(kind, symbols, now_ns=drive.now_ns, **how)  # type: ignore[arg-type]
    drive.accept()
    return opened


def taken(opened: Stream) -> list[StreamItem]:
    """Take everything that waits."""
    return list(iter(opened.take, None))


def ids(opened: Stream) -> list[int | None]:
    return [item.trade_id for item in taken(opened) if isinstance(item, Trade)]


def cut(drive: Driver) -> None:
    drive.cut(ConnectionLost(URL, "reset"))
    drive.wait(20)
    drive.open()
    drive.accept()


# -- what each kind yields -------------------------------------------------------


def test_each_kind_yields_items_of_its_own() -> None:
    drive = driver()
    opened = {
        "trades": stream(drive, "trades", BTC),
        "ticker": stream(drive, "ticker", BTC, event_trigger="bbo"),
        "books": stream(drive, "books", BTC),
        "ohlc": stream(drive, "ohlc", BTC, interval=5),
        "spread": stream(drive, "spread", BTC),
        "instruments": stream(drive, "instruments"),
        "status": stream(drive, "status"),
        "raw": stream(drive, "raw"),
    }
    frames = (
        trades(BTC, 1, 2),
        ticker(BTC),
        Book(BTC).snapshot(),
        candles(BTC, (5, "100.0"), (10, "101.0"), interval=5, kind="snapshot"),
        INSTRUMENTS,
        status(),
        HEARTBEAT,
    )
    drive.frame(*frames)
    items = {kind: taken(one) for kind, one in opened.items()}
    assert [item.__class__ for item in items["trades"]] == [Trade, Trade]
    assert [item.__class__ for item in items["ticker"]] == [Ticker]
    assert [item.state for item in items["books"]] == ["live"]  # type: ignore[union-attr]
    assert [item.__class__ for item in items["ohlc"]] == [Candle, Candle]
    assert [item.__class__ for item in items["spread"]] == [Spread]
    assert [item.__class__ for item in items["instruments"]] == [Instruments]
    assert [item.__class__ for item in items["status"]] == [Status]
    assert [item.frame for item in items["raw"] if isinstance(item, RawFrame)] == list(frames)


def test_the_events_stream_gets_everything() -> None:
    drive = driver()
    events = stream(drive, "events")
    stream(drive, "trades", BTC)
    drive.frame(trades(BTC, 1), HEARTBEAT)
    cut(drive)
    channels = [item.channel for item in taken(events)]  # type: ignore[union-attr]
    assert channels == [
        "subscribed",
        "trade",
        "heartbeat",
        "gap",
        "disconnected",
        "connected",
        "subscribed",
        "resynced",
    ]


def test_streams_get_their_own_symbols_only() -> None:
    drive = driver()
    both, one = stream(drive, "trades", BTC, ETH), stream(drive, "trades", ETH)
    drive.frame(trades(BTC, 1), trades(ETH, 7))
    assert (ids(both), ids(one)) == ([1, 7], [7])


def test_candles_of_two_intervals_do_not_mix() -> None:
    drive = driver()
    one, five = stream(drive, "ohlc", BTC, interval=1), stream(drive, "ohlc", BTC, interval=5)
    drive.frame(candles(BTC, (1, "1.0"), interval=1), candles(BTC, (5, "5.0"), interval=5))
    assert [[item.interval for item in taken(each)] for each in (one, five)] == [[1], [5]]  # type: ignore[union-attr]


@pytest.mark.parametrize("spelling", ["BTC/USD", "XBT/USD", "xbtusd", "XXBTZUSD"])
def test_any_spelling_of_a_symbol_will_do(spelling: str) -> None:
    drive = driver()
    opened = stream(drive, "trades", spelling)
    assert list(opened.subscriptions) == [BTC]


def test_one_text_is_one_symbol() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = drive.hub.open_stream("trades", BTC, now_ns=0)
    assert list(opened.subscriptions) == [BTC]


@pytest.mark.parametrize(
    ("kind", "symbols", "how", "error"),
    [
        ("weather", [BTC], {}, UsageError),
        ("trades", [], {}, UsageError),
        ("status", [BTC], {}, UsageError),
        ("instruments", [BTC], {}, UsageError),
        ("books", [BTC], {"depth": 11}, UsageError),
        ("trades", [BTC], {"depth": 10}, UsageError),
        ("ohlc", [BTC], {"interval": 2}, UsageError),
        ("raw", [], {"depth": 10}, UsageError),
        ("trades", [BTC], {"policy": "conflate"}, UsageError),
        ("trades", [BTC], {"policy": "hope"}, UsageError),
        ("trades", [BTC], {"capacity": 0}, UsageError),
        ("trades", ["nothing at all"], {}, SymbolError),
    ],
)
def test_what_cannot_be_is_refused_at_once(kind: str, symbols: list[str], how: dict[str, object], error: type) -> None:
    drive = driver()
    assert drive.hub is not None
    with pytest.raises(error):
        drive.hub.open_stream(kind, symbols, now_ns=0, **how)  # type: ignore[arg-type]
    assert (drive.hub.streams, drive.take_sent(), drive.session.wanted) == ((), [], {})


# -- sharing -----------------------------------------------------------------------


def test_a_subscription_lives_as_long_as_a_stream_needs_it() -> None:
    drive = driver()
    assert drive.hub is not None
    first, second = stream(drive, "trades", BTC), stream(drive, "trades", BTC)
    drive.hub.close_stream(first, drive.now_ns)
    assert drive.take_sent() == []
    drive.frame(trades(BTC, 1))
    assert (taken(first), ids(second)) == ([], [1])
    drive.hub.close_stream(second, drive.now_ns)
    assert asked(drive.take_sent(), "unsubscribe") == [("trade", BTC)]
    drive.hub.close_stream(second, drive.now_ns)
    assert drive.take_sent() == []


def test_symbols_come_and_go_at_run_time() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = stream(drive, "books", BTC, depth=25)
    drive.hub.add_symbols(opened, ["XETHZUSD", BTC], drive.now_ns)
    (request,) = drive.accept_all()
    assert request["params"] == {"channel": "book", "symbol": [ETH], "depth": 25}
    drive.hub.remove_symbols(opened, [BTC], drive.now_ns)
    assert asked(drive.accept_all(), "unsubscribe") == [("book", BTC)]
    drive.frame(Book(BTC).snapshot(), Book(ETH).snapshot())
    assert [item.symbol for item in taken(opened)] == [ETH]


def test_symbols_cannot_be_added_to_a_stream_that_has_none() -> None:
    drive = driver()
    assert drive.hub is not None
    with pytest.raises(UsageError):
        drive.hub.add_symbols(stream(drive, "status"), [BTC], 0)


def test_two_streams_cannot_want_one_book_in_two_depths() -> None:
    drive = driver()
    first = stream(drive, "books", BTC, depth=10)
    with pytest.raises(UsageError, match="10, as another open stream"):
        stream(drive, "books", BTC, depth=100)
    assert drive.hub is not None
    drive.hub.close_stream(first, drive.now_ns)
    drive.accept()
    stream(drive, "books", BTC, depth=100)
    assert drive.session.wanted["book", BTC, None].depth == 100


def test_a_later_stream_begins_with_what_is_known() -> None:
    drive = driver()
    stream(drive, "books", BTC)
    stream(drive, "ticker", BTC)
    stream(drive, "status")
    drive.frame(Book(BTC).snapshot(), ticker(BTC), status("post_only"))
    assert [item.symbol for item in taken(stream(drive, "books", BTC))] == [BTC]
    assert [item.__class__ for item in taken(stream(drive, "ticker", BTC))] == [Ticker]
    assert [item.system for item in taken(stream(drive, "status")) if isinstance(item, Status)] == ["post_only"]


def test_a_later_stream_does_not_begin_with_what_is_from_before_a_gap() -> None:
    drive = driver()
    stream(drive, "books", BTC)
    stream(drive, "ticker", BTC)
    drive.frame(Book(BTC).snapshot(), ticker(BTC))
    drive.cut(ConnectionLost(URL, "reset"))
    assert taken(stream(drive, "books", BTC)) == []
    assert taken(stream(drive, "ticker", BTC)) == []


def test_a_later_stream_of_instruments_gets_the_whole_list_too() -> None:
    drive = driver()
    stream(drive, "instruments")
    drive.frame(INSTRUMENTS)
    assert drive.hub is not None
    second = drive.hub.open_stream("instruments", now_ns=drive.now_ns)
    assert asked(drive.accept_all(), "unsubscribe") == [("instrument", None)]
    assert asked(drive.accept_all(), "subscribe") == [("instrument", None)]
    drive.frame(INSTRUMENTS)
    assert len(taken(second)) == 1


# -- gaps and refusals ----------------------------------------------------------------


def test_a_stream_with_notices_tells_its_gaps_in_their_place() -> None:
    drive = driver()
    opened = stream(drive, "trades", BTC, notices=True)
    drive.frame(trades(BTC, 1))
    cut(drive)
    drive.frame(trades(BTC, 2))
    assert [item.__class__ for item in taken(opened)] == [Trade, Gap, Resynced, Trade]
    assert opened.gaps == 1


def test_a_stream_without_notices_only_counts_them() -> None:
    drive = driver()
    opened = stream(drive, "trades", BTC)
    drive.frame(trades(BTC, 1))
    cut(drive)
    drive.frame(trades(BTC, 3))
    assert ids(opened) == [1, 3]
    assert opened.gaps == 2


def test_a_partial_refusal_leaves_the_others_going() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = drive.hub.open_stream("trades", [BTC, "NOPE/USD"], now_ns=0, notices=True)
    (request,) = drive.take_sent()
    error = "Currency pair not supported NOPE/USD"
    drive.frame(refused(error, symbol="NOPE/USD", req_id=request["req_id"]))  # type: ignore[arg-type]
    drive.frame(trades(BTC, 1))
    assert [item.__class__ for item in taken(opened)] == [Refused, Trade]
    assert (list(opened.refused), opened.ended) == (["NOPE/USD"], False)


def test_a_stream_all_of_whose_symbols_are_refused_ends_with_the_venue_s_words() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = drive.hub.open_stream("trades", ["NO/USD", "NOPE/USD"], now_ns=0)
    drive.take_sent()
    for symbol in ("NO/USD", "NOPE/USD"):
        drive.frame(refused(f"Currency pair not supported {symbol}", symbol=symbol))
    assert opened.ended
    assert isinstance(opened.error, VenueRefusal)
    assert opened.error.symbol == "NOPE/USD"
    assert opened.error.hint
    assert (drive.hub.streams, drive.session.wanted) == ((), {})


def test_a_stream_for_what_was_refused_already_ends_at_once() -> None:
    drive = driver()
    assert drive.hub is not None
    keeper = drive.hub.open_stream("trades", [BTC, "NOPE/USD"], now_ns=0)
    drive.take_sent()
    drive.frame(refused("Currency pair not supported NOPE/USD", symbol="NOPE/USD"))
    late = drive.hub.open_stream("trades", ["NOPE/USD"], now_ns=0)
    assert isinstance(late.error, VenueRefusal)
    assert not keeper.ended
    assert drive.hub.streams == (keeper,)


def test_a_refusal_is_forgotten_once_the_venue_confirms() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = drive.hub.open_stream("trades", [BTC, ETH], now_ns=0)
    (request,) = drive.take_sent()
    drive.frame(refused("Try later", symbol=ETH, req_id=request["req_id"]))  # type: ignore[arg-type]
    assert list(opened.refused) == [ETH]
    cut(drive)
    assert opened.refused == {}


def test_a_venue_that_does_not_answer_ends_no_stream() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = drive.hub.open_stream("trades", [BTC], now_ns=0)
    drive.take_sent()
    drive.wait(40, heartbeats=True)
    assert list(opened.refused) == [BTC]
    assert not opened.ended


def test_the_session_s_failure_ends_every_stream_after_what_waits() -> None:
    drive = driver()
    assert drive.hub is not None
    opened, events = stream(drive, "trades", BTC), stream(drive, "events")
    drive.frame(trades(BTC, 1))
    failure = TlsError(URL, "expired")
    drive.cut(failure)
    assert (opened.ended, opened.error, events.error) == (True, failure, failure)
    assert ids(opened) == [1]
    late = drive.hub.open_stream("trades", [BTC], now_ns=drive.now_ns)
    assert late.error is failure


def test_a_stopped_session_ends_streams_without_an_error() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = stream(drive, "trades", BTC)
    drive.hub.stop(drive.now_ns)
    drive.cut(None)
    assert (opened.ended, opened.error) == (True, None)


def test_a_stream_can_be_ended_with_an_error_and_still_be_emptied() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = stream(drive, "trades", BTC, capacity=1)
    drive.frame(trades(BTC, 1))
    assert drive.hub.blocked
    error = SlowConsumer("the stream of trades", 1, "items")
    drive.hub.end_stream(opened, error, drive.now_ns)
    assert (drive.hub.blocked, opened.error, ids(opened)) == (False, error, [1])
    assert asked(drive.take_sent(), "unsubscribe") == [("trade", BTC)]


# -- books ------------------------------------------------------------------------------


def readings(opened: Stream) -> list[Decimal | None]:
    return [item.best_bid_qty for item in taken(opened)]  # type: ignore[union-attr]


def test_a_queue_of_books_holds_a_copy_for_each_change() -> None:
    drive = driver()
    opened = stream(drive, "books", BTC)
    book = Book(BTC)
    drive.frame(book.snapshot(), book.update(2_0000_0000), book.update(1_0000_0000))
    assert readings(opened) == [Decimal(5), Decimal(2), Decimal(1)]


def test_a_conflated_book_is_the_live_one() -> None:
    drive = driver()
    opened = stream(drive, "books", BTC, policy="conflate")
    book = Book(BTC)
    drive.frame(book.snapshot(), book.update(2_0000_0000))
    (item,) = taken(opened)
    drive.frame(book.update(1_0000_0000))
    assert item.best_bid_qty == Decimal(1)  # type: ignore[union-attr]


def test_a_conflated_book_can_be_a_copy_on_request() -> None:
    drive = driver()
    opened = stream(drive, "books", BTC, policy="conflate", freeze=True)
    book = Book(BTC)
    drive.frame(book.snapshot())
    (item,) = taken(opened)
    drive.frame(book.update(1_0000_0000))
    assert item.best_bid_qty == Decimal(5)  # type: ignore[union-attr]


def test_a_book_that_failed_is_not_handed_out() -> None:
    drive = driver()
    opened = stream(drive, "books", BTC, policy="conflate")
    book = Book(BTC)
    drive.frame(book.snapshot(), book.update(1, spoiled=True))
    assert taken(opened) == []
    drive.accept()
    drive.accept()
    drive.frame(book.snapshot())
    assert readings(opened) == [Decimal("0.00000001")]


def test_a_held_live_book_cannot_be_read_after_its_checksum_failed() -> None:
    drive = driver()
    opened = stream(drive, "books", BTC, policy="conflate")
    book = Book(BTC)
    drive.frame(book.snapshot())
    held: BookReading = opened.take()  # type: ignore[assignment]
    drive.frame(book.update(1, spoiled=True))
    with pytest.raises(StaleData):
        _ = held.best_bid


# -- slow consumers -----------------------------------------------------------------------


def test_block_makes_the_connection_wait_and_loses_nothing() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = stream(drive, "trades", BTC, capacity=3)
    drive.frame(trades(BTC, 1, 2))
    assert not drive.hub.blocked
    drive.frame(trades(BTC, 3, 4, 5))
    assert drive.hub.blocked
    assert ids(opened) == [1, 2, 3, 4, 5]
    assert not drive.hub.blocked


def test_a_blocked_hub_does_not_hold_the_silence_against_the_venue() -> None:
    drive = driver()
    opened = stream(drive, "trades", BTC, capacity=1)
    drive.frame(trades(BTC, 1))
    drive.wait(200)
    assert (drive.session.state, drive.closes) == ("open", [])
    taken(opened)
    drive.wait(5)
    assert drive.closes == []
    drive.wait(15)
    assert drive.closes == [1001]


def test_drop_gives_up_the_oldest_and_says_how_many() -> None:
    drive = driver()
    assert drive.hub is not None
    opened = stream(drive, "trades", BTC, policy="drop", capacity=3)
    drive.frame(trades(BTC, *range(1, 8)))
    assert not drive.hub.blocked
    assert len(opened) == 4
    gap = opened.take()
    assert isinstance(gap, Gap)
    assert (gap.channel_name, gap.symbol, gap.reason, gap.dropped) == ("trade", BTC, "slow consumer", 4)
    assert ids(opened) == [5, 6, 7]
    assert (opened.dropped, len(opened)) == (4, 0)


def test_a_gap_of_several_symbols_names_none() -> None:
    drive = driver()
    opened = stream(drive, "trades", BTC, ETH, policy="drop", capacity=1)
    drive.frame(trades(BTC, 1), trades(ETH, 1), trades(BTC, 2))
    gap = opened.take()
    assert isinstance(gap, Gap)
    assert (gap.symbol, gap.dropped) == (None, 2)


def test_conflate_keeps_the_newest_of_each_symbol_in_the_order_they_first_came() -> None:
    drive = driver()
    opened = stream(drive, "ticker", BTC, ETH, policy=Policy.CONFLATE, capacity=1)
    drive.frame(ticker(BTC, bid="1.0"), ticker(ETH, bid="2.0"), ticker(BTC, bid="3.0"))
    assert [(item.symbol, str(item.bid)) for item in taken(opened)] == [(BTC, "3.0"), (ETH, "2.0")]  # type: ignore[union-attr]


def test_one_slow_consumer_costs_the_others_nothing() -> None:
    drive = driver()
    slow = stream(drive, "trades", BTC, policy="drop", capacity=2)
    fast = stream(drive, "trades", BTC)
    for number in range(1, 1001):
        drive.frame(trades(BTC, number))
        assert ids(fast) == [number]
        assert len(slow) <= 3
    assert slow.dropped == 998


def test_conflate_never_mixes_what_was_before_a_gap_with_what_came_after() -> None:
    drive = driver()
    opened = stream(drive, "ticker", BTC, policy="conflate", notices=True)
    drive.frame(ticker(BTC, bid="1.0"), ticker(BTC, bid="2.0"))
    cut(drive)
    drive.frame(ticker(BTC, bid="3.0"), ticker(BTC, bid="4.0"))
    items = taken(opened)
    assert [str(item.bid) if isinstance(item, Ticker) else type(item).__name__ for item in items] == [
        "2.0",
        "Gap",
        "Resynced",
        "4.0",
    ]


def test_conflate_stays_small_over_many_gaps_and_ends_on_the_last_word() -> None:
    drive = driver()
    opened = stream(drive, "ticker", BTC, policy="conflate", notices=True)
    for number in range(20):
        drive.frame(ticker(BTC, bid=f"{number}.0"))
        cut(drive)
        assert len(opened) <= 4
    names = [item.bid if isinstance(item, Ticker) else type(item).__name__ for item in taken(opened)]
    assert names == [Decimal("19.0"), "Gap"]


@pytest.mark.parametrize("policy", list(Policy))
def test_an_empty_mailbox_gives_nothing(policy: Policy) -> None:
    mailbox: Mailbox[Status] = Mailbox(policy, 3, "status")
    assert (mailbox.take(), len(mailbox), mailbox.full) == (None, 0, False)
    mailbox.put(Status(system="online"), ("status", None, None))
    mailbox.clear()
    assert (mailbox.take(), len(mailbox)) == (None, 0)


def test_a_stream_opened_while_the_connection_is_down_is_subscribed_when_it_is_back() -> None:
    drive = driver()
    drive.cut(ConnectionLost(URL, "reset"))
    opened = stream(drive, "trades", BTC)
    drive.wait(20)
    drive.open()
    drive.accept()
    drive.frame(trades(BTC, 1))
    assert ids(opened) == [1]
    assert drive.now_ns >= SECOND

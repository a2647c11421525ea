"""The thread of a strategy: what comes first, what is passed over, what ends it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.apps.bot_world import LISTING, MS, SECOND, START, SYMBOL, World, level, snapshot, trade

from krakenwire.bot import Strategy
from krakenwire.model import Gap
from krakenwire.model.rows import Listing
from krakenwire.trading.run_records import NoteRow
from krakenwire.trading.run_status import RunStatus

ETH = Listing(symbol="ETH/USD", price_decimals=1, qty_decimals=8, depth=10)


class Told(Strategy):
    """Keeps what it is told."""

    symbols = (SYMBOL,)

    def on_start(self) -> None:
        self.told: list[Any] = []

    def on_book(self, book: Any) -> None:
        self.told.append(("book", book.symbol, book.best_bid))

    def on_trade(self, trade: Any) -> None:
        self.told.append(("trade", trade.price))


def told(world: World) -> list[Any]:
    strategy = world.strategy
    assert isinstance(strategy, Told)
    return strategy.told


def test_the_market_reaches_the_strategy_in_order() -> None:
    world = World(Told)
    world.put(snapshot(), trade("100.0"))
    world.put(level("99.5"))
    result = world.run()
    assert told(world) == [
        ("book", SYMBOL, Decimal(99)),
        ("trade", Decimal(100)),
        ("book", SYMBOL, Decimal("99.5")),
    ]
    assert (result.error, [note.text for note in result.notes]) == (None, ["over"])


def test_a_pretended_order_is_filled_by_the_market_that_comes() -> None:
    class Buyer(Told):
        def on_book(self, book: Any) -> None:
            if not self.orders and not self.portfolio.position(SYMBOL):
                self.buy(SYMBOL, 1, "100.5")

    world = World(Buyer)
    world.put(snapshot())
    result = world.run(
        lambda: world.put(snapshot(ask="100.5")),
    )
    assert [(fill.price, fill.maker) for fill in result.fills] == [(Decimal("100.5"), True)]


def test_urgent_calls_come_before_the_market_that_waited_longer() -> None:
    world = World(Told)
    world.put(snapshot())
    world.inbox.post(lambda: told(world).append("urgent"))
    world.run()
    assert [each if each == "urgent" else each[0] for each in told(world)] == ["urgent", "book"]


def test_an_urgent_call_that_comes_while_a_callback_runs_waits_for_that_callback_only() -> None:
    class Slow(Told):
        def on_trade(self, trade: Any) -> None:
            super().on_trade(trade)
            if len(self.told) == 1:
                world.inbox.post(lambda: self.told.append("fill"))

    world = World(Slow)
    world.put(*(trade(f"{price}.0") for price in (100, 101, 102)))
    world.run()
    assert told(world) == [("trade", Decimal(100)), "fill", ("trade", Decimal(101)), ("trade", Decimal(102))]


def test_urgent_calls_do_not_wait_for_rows_that_call_nobody() -> None:
    class Idle(Told):
        on_book = Strategy.on_book
        on_trade = Strategy.on_trade

    world = World(Idle)
    seen: list[Decimal | None] = []
    world.engine.at(START, "first")
    world.put(snapshot(), *(level("99.5", f"{qty}.0") for qty in range(1, 2_000)))
    run = world.engine.run

    def spied(rows: Any, objects: Any) -> None:
        run(rows, objects)
        if not seen:
            world.inbox.post(lambda: seen.append(world.engine.book(SYMBOL).best_bid_qty))

    world.engine.run = spied  # type: ignore[method-assign]  # the moment after the first slice
    world.run()
    assert seen[0] is not None
    assert seen[0] < 1_000


@pytest.mark.parametrize("late_ms", [50, 5_000])
def test_a_strategy_that_is_behind_is_called_for_the_newest_state_of_each_book_and_every_trade(late_ms: int) -> None:
    class Both(Told):
        symbols = (SYMBOL, ETH.symbol)

    world = World(Both, LISTING, ETH)
    world.put(snapshot(), snapshot(symbol=ETH.symbol), level("99.1"), trade("100.0"), level("99.2"), trade("101.0"))
    world.now_ns += late_ms * MS
    result = world.run()
    notes = [(note.symbol, note.count) for note in result.notes if note.kind == "conflated"]
    trades = [each for each in told(world) if each[0] == "trade"]
    books = [each[1:] for each in told(world) if each[0] == "book"]
    assert trades == [("trade", Decimal(100)), ("trade", Decimal(101))]
    if late_ms == 50:
        assert (len(books), notes) == (4, [])
    else:
        assert (books, notes) == ([(ETH.symbol, Decimal(99)), (SYMBOL, Decimal("99.2"))], [(SYMBOL, 2)])
    assert world.engine.book(SYMBOL).best_bid == Decimal("99.2")


def test_more_than_may_wait_is_dropped_told_as_a_gap_and_asked_for_anew() -> None:
    asked: list[tuple[str, ...]] = []
    world = World(Told, events_max=3)
    world.inbox.on_dropped = asked.append
    world.put(snapshot(), level("99.1"))
    world.put(level("99.2"), level("99.3"))
    world.put(trade())
    result = world.run(lambda: world.put(snapshot("98.0")))
    dropped = [(note.symbol, note.count) for note in result.notes if note.kind == "dropped"]
    assert told(world) == [
        ("book", SYMBOL, Decimal(99)),
        ("book", SYMBOL, Decimal("99.1")),
        ("book", SYMBOL, Decimal(98)),
    ]
    assert (dropped, asked, world.inbox.dropped) == ([(SYMBOL, 2), (SYMBOL, 1)], [(SYMBOL,)], 3)
    assert "gap" in [note.kind for note in result.notes]


def test_a_timer_fires_by_the_clock_where_the_market_is_silent() -> None:
    class Ticking(Told):
        def on_start(self) -> None:
            super().on_start()
            self.every(1, "beat")

        def on_timer(self, name: str) -> None:
            self.told.append((name, self.clock.now_ns - START))

    world = World(Ticking)

    def later() -> None:
        world.now_ns += 1_500 * MS

    world.run(later, later)
    assert told(world) == [("beat", SECOND), ("beat", 2 * SECOND), ("beat", 3 * SECOND)]


def test_a_stop_ends_a_run_between_two_callbacks_and_cancels_what_is_open() -> None:
    class Quoter(Told):
        def on_trade(self, trade: Any) -> None:
            super().on_trade(trade)
            self.buy(SYMBOL, 1, "98.0")
            world.runner.request_stop("enough")

    world = World(Quoter)
    world.put(snapshot())
    world.put(trade("100.0"), trade("101.0"))
    result = world.run()
    assert [each for each in told(world) if each[0] == "trade"] == [("trade", Decimal(100))]
    assert [row.state for row in result.orders] == ["intent", "sent", "open", "canceled"]


def test_an_interrupt_after_a_stop_ends_a_strategy_that_does_not_return_and_calls_it_no_more() -> None:
    class Stuck(Told):
        def on_trade(self, trade: Any) -> None:
            world.runner.request_stop("once")
            raise KeyboardInterrupt

        def on_stop(self) -> None:
            self.told.append("stopped")

    world = World(Stuck)
    world.put(trade())
    world.run()
    assert told(world) == []


def test_what_breaks_the_run_cancels_its_orders_and_is_told() -> None:
    class Buyer(Told):
        def on_book(self, book: Any) -> None:
            self.buy(SYMBOL, 1, "98.0")

    def breaks() -> None:
        raise OSError("disk full")

    world = World(Buyer)
    world.put(snapshot())
    with pytest.raises(OSError, match="disk full"):
        world.run(breaks)
    assert [row.state for row in world.engine.log.rows() if hasattr(row, "state")][-1] == "canceled"


def test_rows_are_handed_on_as_they_come_and_are_all_in_the_result() -> None:
    handed: list[Any] = []
    world = World(Told, on_rows=handed.extend)
    world.put(snapshot())
    result = world.run(lambda: handed.append("first step"))
    assert handed.index("first step") > 0
    handed.remove("first step")
    assert handed == result.all_rows()


def test_a_status_tells_how_it_stands_and_how_the_feed_is() -> None:
    told_status: list[RunStatus] = []

    class Quoter(Told):
        def on_book(self, book: Any) -> None:
            if not self.orders:
                self.buy(SYMBOL, 1, "98.0", tag="quote")

    world = World(Quoter, on_status=told_status.append)
    world.put(snapshot(), Gap(channel_name="book", symbol=SYMBOL, reason="silence"), snapshot("99.0"))
    world.run(lambda: None)
    first, last = told_status[0], told_status[-1]
    assert [(order.limit, order.tag) for order in first.orders] == [(Decimal("98.0"), "quote")]
    assert (first.feeds[0].live, first.feeds[0].bid, first.feeds[0].gaps) == (True, Decimal("99.0"), 1)
    assert (first.state, last.state, last.stop, last.orders) == ("running", "ended", "over", ())


class Heard:
    """A feed that was heard of."""

    def __init__(self) -> None:
        self.heard_ns = START
        self.counts: dict[str, int] = {}


def test_a_quiet_book_of_a_live_connection_is_not_old_and_one_that_is_not_live_is() -> None:
    feed = Heard()
    world = World(Told, feed=feed)
    ages: list[int | None] = []

    def look(heard_s: int) -> None:
        world.now_ns = START + 60 * SECOND
        feed.heard_ns = START + heard_s * SECOND
        ages.append(world.engine.desk.book_age_ns(SYMBOL))

    world.put(snapshot(), at_ns=START)
    world.run(
        lambda: look(59),
        lambda: look(10),
        lambda: world.put(Gap(channel_name="book", symbol=SYMBOL, reason="silence")),
        lambda: look(59),
    )
    assert ages == [1 * SECOND, 50 * SECOND, 60 * SECOND]


def test_the_clock_is_compared_with_the_quickest_of_the_latest_trades() -> None:
    world = World(Told)
    world.now_ns += 20 * SECOND
    world.put(trade(time_ns=START), at_ns=START + 9 * SECOND)
    world.put(trade(time_ns=START), at_ns=START + 2 * SECOND)
    seen: list[int | None] = []
    world.run(
        lambda: seen.append(world.engine.desk.clock_skew_ns),
        lambda: world.put(trade(time_ns=START), at_ns=START + 5 * SECOND),
        lambda: seen.append(world.engine.desk.clock_skew_ns),
    )
    assert seen == [None, 2 * SECOND]


def test_a_number_that_fits_no_step_is_a_gap_of_its_symbol_and_no_end() -> None:
    world = World(Told)
    world.put(snapshot())
    world.put(level("99.123"))
    world.put(snapshot("98.0"))
    result = world.run()
    assert [note.kind for note in result.notes if isinstance(note, NoteRow)][:2] == ["error", "gap"]
    assert world.engine.book(SYMBOL).best_bid == Decimal(98)

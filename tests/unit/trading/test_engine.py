"""A strategy's life: what it is called for, what ends it, and that its market's time is the only time there is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest
from tests.unit.trading.markets import LISTING, NO_DELAY, SECOND, START, Tape, run

from krakenwire.bot import Strategy, parameter
from krakenwire.errors import ConfigError, RiskRefusal, StrategyError, SymbolError, UsageError
from krakenwire.model.feed import Gap
from krakenwire.model.market import Candle as VenueCandle
from krakenwire.model.market import Candles, Ticker
from krakenwire.model.rows import ASK, BID, BUY, SELL, SNAPSHOT, Listing
from krakenwire.trading.candles import CandleSeries
from krakenwire.trading.engine import Engine, EngineSettings
from krakenwire.trading.ports import AllowAll
from krakenwire.trading.simulator import Simulator

SYMBOL = "BTC/USD"


class Told(Strategy):
    """Keeps all that it is told."""

    symbols = (SYMBOL,)
    told: ClassVar[list[Any]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.told = []


def quiet() -> Tape:
    """A book that shows 99 and 101 from the first second on."""
    return Tape().book(1, {99: 1}, {101: 1})


# -- what it hears ------------------------------------------------------------------


def test_a_strategy_without_callbacks_runs_and_does_nothing() -> None:
    class Idle(Strategy):
        symbols = (SYMBOL,)

    result = run(Idle, quiet().level(5, BID, 98, 1))
    assert (result.decisions, result.orders, result.error) == ([], [], None)
    assert result.summary()["net_profit"] == 0


def test_books_come_as_one_object_that_is_always_the_latest() -> None:
    class Books(Told):
        def on_book(self, book):  # type: ignore[no-untyped-def]
            assert book is self.book(SYMBOL)
            self.told.append((book.best_bid, book.best_ask))

    run(Books, quiet().level(2, BID, 100, 1).level(3, ASK, 101, 0))
    assert Books.told == [(Decimal(99), Decimal(101)), (Decimal(100), Decimal(101)), (Decimal(100), None)]


def test_where_the_data_has_trades_only_a_book_is_made_of_each() -> None:
    class Books(Told):
        def on_book(self, book):  # type: ignore[no-untyped-def]
            self.told.append((book.best_bid, book.best_ask))
            if len(self.told) == 1:
                self.buy(SYMBOL, 1)

    trades = Tape(msgspec.structs.replace(LISTING, depth=0)).trade(1, BUY, 100).trade(2, SELL, 90)
    result = run(Books, trades)
    assert Books.told == [(Decimal("99.9"), Decimal("100.1")), (Decimal("89.9"), Decimal("90.1"))]
    assert [(fill.price, fill.maker) for fill in result.fills] == [(Decimal("100.1"), False)]


def test_trades_come_one_by_one_and_those_of_a_snapshot_are_no_news() -> None:
    class Trades(Told):
        def on_trade(self, trade):  # type: ignore[no-untyped-def]
            self.told.append((trade.side, trade.price, trade.qty, trade.time_ns))

    run(Trades, quiet().trade(2, BUY, 101, 0.5, flags=SNAPSHOT).trade(3, SELL, 99, 0.25))
    assert Trades.told == [("sell", Decimal(99), Decimal("0.25"), START + 3 * SECOND)]


def test_a_gap_is_told_and_the_book_cannot_be_read_in_it() -> None:
    class Gaps(Told):
        def on_gap(self, gap):  # type: ignore[no-untyped-def]
            self.told.append((gap.symbol, self.book(SYMBOL).live))

    result = run(Gaps, quiet().gap(2).level(3, BID, 100, 1))
    assert Gaps.told == [(SYMBOL, False)]
    assert [note.kind for note in result.notes] == ["gap"]


def test_a_ticker_is_told_as_it_came() -> None:
    fields = dict.fromkeys(("bid", "bid_qty", "ask", "ask_qty", "last", "volume", "vwap", "low", "high"), Decimal(1))
    ticker = Ticker(symbol=SYMBOL, kind="update", **fields)

    class Tickers(Told):
        def on_ticker(self, ticker):  # type: ignore[no-untyped-def]
            self.told.append(ticker)

    run(Tickers, quiet().event(2, ticker))
    assert Tickers.told == [ticker]


def test_timers_fire_at_multiples_of_their_period_and_once_at_a_time() -> None:
    class Timers(Told):
        def on_start(self):  # type: ignore[no-untyped-def]
            self.every(2, "every")
            self.at(datetime.fromtimestamp(START / SECOND + 3.5, UTC), "once")

        def on_timer(self, name):  # type: ignore[no-untyped-def]
            self.told.append((name, (self.clock.now_ns - START) / SECOND))
            assert int(self.clock.now.timestamp() * 10) == self.clock.now_ns // (SECOND // 10)

    run(Timers, quiet().level(7, BID, 98, 1))
    assert Timers.told == [("every", 2), ("once", 3.5), ("every", 4), ("every", 6)]


# -- candles -------------------------------------------------------------------------


class Candled(Told):
    candles = ("10s",)

    def on_candle(self, candle):  # type: ignore[no-untyped-def]
        if candle.closed:
            self.told.append(((candle.end_ns - START) // SECOND, *map(float, _ohlcv(candle)), candle.trades))
            history = self.history(SYMBOL, "10s")
            assert history.close[-1] == float(candle.close)
            assert history.time_ns[-1] == candle.begin_ns


def _ohlcv(candle: Any) -> tuple[Decimal, ...]:
    return candle.open, candle.high, candle.low, candle.close, candle.volume


def test_candles_are_closed_by_time_and_flat_where_nothing_traded() -> None:
    class Mine(Candled):
        pass

    tape = quiet().trade(11, BUY, 101, 1).trade(12, SELL, 99, 2).trade(13, SELL, 100, 1).trade(32, BUY, 103, 1)
    run(Mine, tape.level(41, BID, 98, 1))
    assert Mine.told == [
        (20, 101, 101, 99, 100, 4, 3),
        (30, 100, 100, 100, 100, 0, 0),
        (40, 103, 103, 103, 103, 1, 1),
    ]


def test_the_forming_candle_is_told_only_to_who_asks_for_it() -> None:
    class Forming(Told):
        candles = ("10s",)
        candle_updates = True

        def on_candle(self, candle):  # type: ignore[no-untyped-def]
            self.told.append((candle.closed, float(candle.close), float(candle.vwap)))

    run(Forming, quiet().trade(11, BUY, 102, 1).trade(12, BUY, 100, 3).level(21, BID, 98, 1))
    assert Forming.told == [(False, 102, 102), (False, 100, 100.5), (True, 100, 100.5)]


def test_candles_of_the_venue_are_used_where_no_trade_is_on_the_tape() -> None:
    class Mine(Told):
        def on_candle(self, candle):  # type: ignore[no-untyped-def]
            self.told.append((candle.close, candle.closed, len(self.history(SYMBOL))))

    begin = START - START % (60 * SECOND)
    tape = Tape()
    for minute, close in enumerate((100, 101, 101)):
        prices = dict.fromkeys(("open", "high", "low", "close", "vwap", "volume"), Decimal(close))
        at = begin + minute * 60 * SECOND
        candle = VenueCandle(
            symbol=SYMBOL, interval=1, begin_ns=at, end_ns=at + 60 * SECOND, trades=1, closed=minute < 2, **prices
        )
        tape.event(60 * minute, Candles(symbol=SYMBOL, interval=1, kind="update", candles=(candle,)))
    run(Mine, tape)
    assert Mine.told == [(Decimal(100), True, 1), (Decimal(101), True, 2)]


def test_a_candle_nobody_calls_closed_is_closed_by_its_end_or_by_the_next() -> None:
    listing = Listing(symbol=SYMBOL, price_decimals=0)
    prices = dict.fromkeys(("open", "high", "low", "close", "vwap", "volume"), Decimal(1))
    at = START - START % (60 * SECOND)

    def told(minute: int, seconds: int) -> list[int]:
        begin = at + minute * 60 * SECOND
        candle = VenueCandle(symbol=SYMBOL, interval=1, begin_ns=begin, end_ns=begin + 60 * SECOND, trades=1, **prices)
        return [(each.begin_ns - at) // (60 * SECOND) for each in series.take(candle, at + seconds * SECOND)]

    series = CandleSeries(listing, "1m", 10)
    assert [told(0, 20), told(0, 50), told(1, 70)] == [[], [], [0]]
    assert told(1, 120) == [1]
    assert told(1, 121) == []
    assert told(3, 200) == []
    assert told(4, 300) == [3, 4]


def test_a_history_is_kept_from_its_first_call_and_is_a_view() -> None:
    class Late(Told):
        def on_start(self):  # type: ignore[no-untyped-def]
            self.history(SYMBOL, "1s")

        def on_stop(self):  # type: ignore[no-untyped-def]
            history = self.history(SYMBOL, "1s")
            self.told.append((len(history), history.close.tolist(), history.close.base is not None))

    run(Late, quiet().trade(1.5, BUY, 101).trade(3.5, BUY, 103).level(4.5, BID, 98, 1))
    assert Late.told == [(3, [101, 101, 103], True)]


# -- what ends it ---------------------------------------------------------------------


class Raises(Told):
    def on_book(self, book):  # type: ignore[no-untyped-def]
        self.told.append(self.clock.now_ns)
        self.buy(SYMBOL, 1, 50)
        raise ValueError("no\nidea")

    def on_stop(self):  # type: ignore[no-untyped-def]
        self.told.append("stopped")


def _line(text: str) -> int:
    with open(__file__, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


def test_an_error_is_shown_with_its_line_and_ends_the_run_with_its_orders_canceled() -> None:
    class Mine(Raises):
        pass

    result = run(Mine, quiet().level(2, BID, 98, 1))
    place = f"{__file__}:{_line('raise ValueError(')}"
    assert isinstance(result.error, StrategyError)
    assert str(result.error) == f"Mine.on_book failed at {place}: ValueError: no idea"
    assert Mine.told == [START + SECOND, "stopped"]
    assert result.orders[-1].state == "canceled"
    assert result.summary()["orders_by_state"] == {"canceled": 1}
    assert [note.kind for note in result.notes] == ["error", "stop"]


def test_by_setting_a_strategy_goes_on_after_its_errors() -> None:
    class Mine(Raises):
        pass

    result = run(Mine, quiet().level(2, BID, 98, 1).level(3, BID, 97, 1), on_error="continue")
    assert Mine.told == [START + SECOND, START + 2 * SECOND, START + 3 * SECOND, "stopped"]
    assert [note.kind for note in result.notes] == ["error"] * 3
    assert result.error is not None


@pytest.mark.parametrize("callback", ["on_start", "on_trade", "on_timer", "on_fill", "on_order", "on_gap", "on_stop"])
def test_an_error_of_any_callback_names_it(callback: str) -> None:
    def fails(self: Strategy, *_: object) -> None:
        raise KeyError("here")

    def on_start(self: Strategy) -> None:
        self.every(1)

    def on_book(self: Strategy, book: object) -> None:
        self.buy(SYMBOL, "0.1", 101)

    members = {"symbols": (SYMBOL,), "on_start": on_start, "on_book": on_book, callback: fails}
    result = run(type("Any", (Strategy,), members), quiet().level(2, BID, 98, 1).trade(2.5, BUY, 101).gap(3))
    assert result.error is not None
    assert result.error.strategy == "Any"
    assert result.error.reason == "KeyError: 'here'"
    assert result.error.place == f"{__file__}:{_line('raise KeyError(')}"


def test_reading_a_book_that_is_not_live_is_the_strategys_error() -> None:
    class Early(Told):
        def on_start(self):  # type: ignore[no-untyped-def]
            self.told.append(self.book(SYMBOL).bid_ticks)

    result = run(Early, quiet())
    assert result.error is not None
    assert "StaleData" in result.error.reason


def test_an_error_of_ours_is_never_taken_for_the_strategys() -> None:
    class Broken(AllowAll):
        def observe_equity(self, *_: object) -> None:
            raise ZeroDivisionError

    class Idle(Strategy):
        symbols = (SYMBOL,)

    with pytest.raises(ZeroDivisionError):
        run(Idle, quiet().level(3, BID, 98, 1), risk=Broken())


def test_a_limit_that_stops_the_bot_ends_the_run() -> None:
    class Stops(AllowAll):
        def check(self, *_: object) -> Any:
            return RiskRefusal("daily_loss_max", limit=1, found=2, stops=True)

    class Mine(Told):
        def on_book(self, book):  # type: ignore[no-untyped-def]
            self.told.append(self.buy(SYMBOL, 1, 99).state)

    result = run(Mine, quiet().level(2, BID, 98, 1), risk=Stops())
    assert Mine.told == ["refused"]
    assert [note.kind for note in result.notes] == ["risk", "stop"]


# -- state, time, and the rest ---------------------------------------------------------


class Kept:
    def __init__(self, state: bytes) -> None:
        self.state, self.saves = state, 0

    def load(self) -> bytes:
        return self.state

    def save(self, state: bytes) -> None:
        self.state = state
        self.saves += 1


def test_the_state_is_there_at_the_start_and_saved_when_it_has_changed() -> None:
    class Counts(Strategy):
        symbols = (SYMBOL,)

        def on_book(self, book):  # type: ignore[no-untyped-def]
            self.state["books"] += 1  # type: ignore[operator]

    data, kept = quiet().level(5, BID, 98, 1).data(), Kept(b'{"books":41}')
    simulator = Simulator(data.listings, NO_DELAY, now_ns=START)
    engine = Engine(Counts(), simulator, EngineSettings(balances={}), state=kept)
    engine.use_simulated_broker(NO_DELAY)
    engine.start()
    engine.run(data.rows)
    engine.finish()
    assert msgspec.json.decode(kept.state) == {"books": 43}
    assert kept.saves == 2


def test_a_slow_callback_is_noted_where_there_is_a_stopwatch() -> None:
    class Mine(Strategy):
        symbols = (SYMBOL,)

        def on_book(self, book):  # type: ignore[no-untyped-def]
            pass

    data, ticks = quiet().level(2, BID, 98, 1).data(), iter((0, 60_000_000, 100_000_000, 101_000_000))
    simulator = Simulator(data.listings, NO_DELAY, now_ns=START)
    engine = Engine(Mine(), simulator, EngineSettings(balances={}), stopwatch=lambda: next(ticks))
    engine.start()
    engine.run(data.rows)
    assert engine.slowest_ns == {"on_book": 60_000_000}
    assert [row.text for row in engine.log.rows() if getattr(row, "kind", "") == "slow"] == ["on_book took 60 ms"]


def test_equity_is_sampled_each_second_at_mids_and_at_fills() -> None:
    class Buys(Strategy):
        symbols = (SYMBOL,)

        def on_start(self):  # type: ignore[no-untyped-def]
            self.at(START + 2 * SECOND + SECOND // 2, "buy")

        def on_timer(self, name):  # type: ignore[no-untyped-def]
            self.buy(SYMBOL, "0.5")

    result = run(Buys, quiet().level(3.5, BID, 100, 1).level(4.5, BID, 100, 2))
    seen = [((row.time_ns - START) / SECOND, row.equity) for row in result.equity]
    paid = Decimal("0.5") * 101 * Decimal("1.002")
    held = [10_000 - paid + Decimal("0.5") * mid for mid in (Decimal(100), Decimal("100.5"))]
    assert [at for at, _ in seen] == [1, 2, 2.5, 3, 4, 4.5]
    assert [equity for _, equity in seen] == [10_000, 10_000, held[0], held[0], held[1], held[1]]


def test_equity_waits_for_a_price_of_what_is_there_from_the_start() -> None:
    class Idle(Strategy):
        symbols = (SYMBOL,)

    tape = Tape().trade(0.5, BUY, 100).book(1.5, {99: 1}, {101: 1}).level(2.5, BID, 99, 2)
    result = run(Idle, tape, balances={"BTC": Decimal(2), "USD": Decimal(1)})
    assert result.summary()["equity_start"] == 201
    assert result.summary()["net_profit"] == 0


@pytest.mark.parametrize(
    ("members", "config", "named"),
    [
        ({}, {}, "symbols"),
        ({"symbols": ("ETH/USD",)}, {}, "ETH/USD"),
        ({"symbols": (SYMBOL,)}, {"balances": {"XRP": Decimal(1)}}, "XRP"),
        ({"symbols": (SYMBOL,)}, {"balances": {"USD": Decimal(-1)}}, "balances.USD"),
        ({"symbols": (SYMBOL,), "on_candle": print, "candles": ("7 parsecs",)}, {}, "candles"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(members: dict[str, Any], config: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        run(type("Mine", (Strategy,), members), quiet(), **config)


def test_an_order_outside_of_a_run_says_where_it_belongs() -> None:
    class Hasty(Strategy):
        symbols = (SYMBOL,)

        def __init__(self) -> None:
            super().__init__()
            self.buy(SYMBOL, 1)

    with pytest.raises(UsageError, match="Use on_start"):
        Hasty()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda bot: bot.buy(SYMBOL, 0.1), "qty: expected an exact number"),
        (lambda bot: bot.buy(SYMBOL, "x"), "qty: expected a number"),
        (lambda bot: bot.buy("ETH/USD", 1), "one of the strategy's symbols"),
        (lambda bot: bot.buy(SYMBOL, 1, 99, stop=1, take_profit=2), "stop and take_profit"),
        (lambda bot: bot.buy(SYMBOL, 1, post_only=True), "post_only"),
        (lambda bot: bot.buy(SYMBOL, 1, 99, tif="day"), "tif"),
        (lambda bot: bot.buy(SYMBOL, 1, 99, expire_s=0), "expire_s"),
        (lambda bot: bot.every(0), "seconds"),
        (lambda bot: bot.at(datetime(2026, 1, 1), "x"), "a time with its zone"),  # noqa: DTZ001 - that is the mistake
        (lambda bot: bot.portfolio.position("ETH/USD"), "one of the strategy's symbols"),
    ],
)
def test_a_mistake_of_the_strategy_is_its_error(call: Any, error: str) -> None:
    class Mistaken(Strategy):
        symbols = (SYMBOL,)

        def on_start(self):  # type: ignore[no-untyped-def]
            call(self)

    result = run(Mistaken, quiet())
    assert result.error is not None
    assert error in result.error.reason


def test_symbols_of_the_data_that_the_strategy_does_not_name_are_left_out() -> None:
    class Mine(Told):
        symbols = ("ETH/USD",)

        def on_book(self, book):  # type: ignore[no-untyped-def]
            self.told.append(book.symbol)
            with pytest.raises(SymbolError):
                self.book(SYMBOL)

    ether = Listing(symbol="ETH/USD", price_decimals=1, depth=10)
    result = run(Mine, Tape(LISTING, ether).book(1, {99: 1}, {101: 1}, 0).book(2, {9: 1}, {10: 1}, 1))
    assert Mine.told == ["ETH/USD"]
    assert result.equity[-1].mids == {"ETH/USD": Decimal("9.5")}


def test_channels_follow_from_the_callbacks() -> None:
    class Books(Strategy):
        def on_book(self, book):  # type: ignore[no-untyped-def]
            pass

    class Tickers(Strategy):
        def on_ticker(self, ticker):  # type: ignore[no-untyped-def]
            pass

    class Told(Tickers):
        channels = ("trade",)

    assert Books.wanted_channels() == ("book", "trade")
    assert Tickers.wanted_channels() == ("book", "trade", "ticker")
    assert Told.wanted_channels() == ("trade",)


def test_parameters_are_shown_in_the_head_as_json_has_them() -> None:
    class Mine(Strategy):
        symbols = (SYMBOL,)
        fast: int = parameter(3)
        size: Decimal = parameter(Decimal("0.1"))

    assert run(Mine, quiet(), parameters={"fast": "7"}).head.parameters == {"fast": 7, "size": "0.1"}


def test_a_gap_of_trades_alone_is_told_and_leaves_the_book_readable() -> None:
    class Mine(Told):
        def on_gap(self, gap):  # type: ignore[no-untyped-def]
            self.told.append((gap.channel_name, gap.reason, self.book(SYMBOL).live))

    missed = Gap(channel_name="trade", symbol=SYMBOL, reason="trade ids")
    result = run(Mine, Tape().book(0, {99: 1}, {100: 1}).event(1, missed))
    assert Mine.told == [("trade", "trade ids", True)]
    assert [note.kind for note in result.notes] == ["gap"]


def test_on_a_tape_of_candles_alone_an_order_is_refused_not_filled_by_guess() -> None:
    class Buys(Told):
        def on_candle(self, candle):  # type: ignore[no-untyped-def]
            self.told.append(self.buy(SYMBOL, 1))

    prices = dict.fromkeys(("open", "high", "low", "close", "vwap", "volume"), Decimal(100))
    candle = VenueCandle(
        symbol=SYMBOL, interval=1, begin_ns=START, end_ns=START + 60 * SECOND, trades=1, closed=True, **prices
    )
    event = Candles(symbol=SYMBOL, interval=1, kind="update", candles=(candle,))
    result = run(Buys, Tape().event(60, event).event(61, event))
    assert [order.state for order in Buys.told] == ["refused"]
    assert (result.fills, result.orders[-1].state) == ([], "refused")

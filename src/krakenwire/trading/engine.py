"""Runs one strategy over rows of a market: the same composition in all four worlds.

    rows ──▶ simulator ──▶ callbacks of the strategy ──▶ actions ──▶ desk ──▶ a broker
                 └─ falls due: reports, timers, candles, samples of equity

Books go from the simulator straight to the strategy. What a strategy raises is
caught once: the first error is kept, and by setting the run ends or goes on. It
reads no clock: time is the market's. Next: `market_feed` for what a strategy
hears, `desk` for its orders; `apps.backtest` feeds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.errors import ConfigError, RiskRefusal, StrategyError, UsageError
from krakenwire.limits import BOT_SAMPLE_S
from krakenwire.model.rows import Rows
from krakenwire.trading.actions import Actions, ids_from
from krakenwire.trading.callbacks import Callbacks, OnError
from krakenwire.trading.clock import Clock
from krakenwire.trading.desk import Desk, FeeRates
from krakenwire.trading.history import History
from krakenwire.trading.market_feed import CandlesFrom, MarketFeed
from krakenwire.trading.markets import SymbolMarket
from krakenwire.trading.orders import Fill, Order
from krakenwire.trading.portfolio import Portfolio
from krakenwire.trading.ports import AllowAll, Broker, Journal, RiskCheck, StateStore, Stopwatch
from krakenwire.trading.run_result import RunLog
from krakenwire.trading.sim_broker import SimBroker
from krakenwire.trading.simulator import FillModel, SimBook, Simulator
from krakenwire.trading.strategy import Strategy
from krakenwire.trading.targets import Targets
from krakenwire.trading.timers import Timers

__all__ = ["Engine", "EngineSettings"]

_SECOND: Final = 1_000_000_000


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is told besides its strategy.

    Args:
        balances: by asset, at the start.
        quote: the asset that equity is counted in.
        fees: what an order may cost at most; held with it.
        margin: whether it may be sold what is not there.
        on_error: what happens when the strategy raises.
        candles_from: whether candles are built of trades or are the venue's own.
        sample_ns: how often equity is sampled.
    """

    balances: dict[str, Decimal]
    quote: str = "USD"
    fees: FeeRates = FeeRates()
    margin: bool = False
    on_error: OnError = "stop"
    candles_from: CandlesFrom = "trades"
    sample_ns: int = BOT_SAMPLE_S * _SECOND


class Engine:
    """One strategy at work.

    Args:
        strategy: it is attached to this engine.
        simulator: the market; its callbacks are taken.
        settings: of the run.
        risk: the user's limits.
        journal: where intents are written down before they are sent.
        new_id: makes the ids of orders; counts from ``b1`` where nothing is given.
        state: keeps the strategy's state.
        stopwatch: measures callbacks; None where time is not real.

    Attributes:
        desk, portfolio, actions, targets, clock, timers, log, risk: its parts.
        stopped: why the run has ended early, empty while it has not.

    Raises:
        ConfigError: symbols without a listing, or balances that nothing prices.
    """

    def __init__(
        self,
        strategy: Strategy,
        simulator: Simulator,
        settings: EngineSettings,
        *,
        risk: RiskCheck | None = None,
        journal: Journal | None = None,
        new_id: Callable[[], str] | None = None,
        state: StateStore | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        self._strategy, self._simulator, self._settings = strategy, simulator, settings
        self.risk: RiskCheck = AllowAll() if risk is None else risk
        self._state, self._saved = state, b"{}"
        self._begun = False
        self._markets = _markets(strategy, simulator)
        self._symbols = tuple(market.listing.symbol for market in self._markets)
        self.log = RunLog()
        self.clock = Clock(simulator)
        self.portfolio = Portfolio(settings.balances, settings.quote, self._markets)
        self.desk = Desk(
            simulator,
            self._markets,
            self.portfolio,
            self.log,
            risk=self.risk,
            journal=journal,
            fees=settings.fees,
            margin=settings.margin,
        )
        self.actions = Actions(self.desk, ids_from("b") if new_id is None else new_id)
        self.targets = Targets(self.desk, self.actions.place)
        self.timers = Timers(simulator)
        self.stopped = ""
        self._muted = False
        self._callbacks = Callbacks(
            strategy, self.clock, self.log, on_error=settings.on_error, stop=self.stop, stopwatch=stopwatch
        )
        self._feed = MarketFeed(
            simulator,
            self.desk.markets,
            type(strategy),
            self._callbacks,
            self.timers,
            self.log,
            settings.candles_from,
        )
        self._on_order, self._on_fill = self._callbacks.of("on_order"), self._callbacks.of("on_fill")
        self._on_timer = self._callbacks.of("on_timer")
        self.desk.on_order, self.desk.on_fill, self.desk.on_stop = self._order, self._fill, self._risk_stops

    @property
    def simulator(self) -> Simulator:
        """The market."""
        return self._simulator

    @property
    def between(self) -> Callable[[], None]:
        """What is called after each callback that is measured: for what must not wait for the rest of the rows."""
        return self._callbacks.between

    @between.setter
    def between(self, call: Callable[[], None]) -> None:
        self._callbacks.between = call

    def hears(self, callback: str) -> bool:
        """Return whether the strategy has a callback of that name."""
        return self._strategy.overrides(callback)

    def mute(self) -> None:
        """Call the strategy no more, `on_stop` included."""
        self._feed.stop()
        self._muted = True

    @property
    def error(self) -> StrategyError | None:
        """The first error of the strategy."""
        return self._callbacks.error

    @property
    def slowest_ns(self) -> dict[str, int]:
        """The longest call of each callback that was measured."""
        return self._callbacks.slowest_ns

    def use_simulated_broker(self, model: FillModel) -> None:
        """Let the simulator fill orders: the worlds where they are pretended."""
        self.desk.broker = SimBroker(self._simulator, self.desk, self._markets, model)

    def use_broker(self, broker: Broker) -> None:
        """Let a broker carry orders elsewhere."""
        self.desk.broker = broker

    # -- a life -------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: the strategy's state, its `on_start`, the first sample of equity."""
        if self._state is not None and (saved := self._state.load()):
            self._strategy.state = msgspec.json.decode(saved, type=dict[str, object])
            self._saved = saved
        self._strategy.attach(self)
        self._feed.start()
        self._sample()
        self.timers.every(self._settings.sample_ns, self._sample)
        if self._callbacks.open:
            self._begin()
        else:
            self._feed.hush()

    def run(self, rows: Rows, objects: Sequence[object] = ()) -> None:
        """Run over rows of the market; ends early when the run has to stop.

        Args:
            rows: whole frames, their times never falling.
            objects: what rows of events point to.
        """
        self._feed.take(rows, objects)
        row = 0
        while not self.stopped:
            try:
                self._simulator.run(rows, row)
            except Exception as error:  # noqa: BLE001 - books go straight to the strategy, whose code may raise anything
                self._callbacks.failed(error)
                row = self._simulator.next_row
            else:
                return

    def advance(self, now_ns: int) -> None:
        """Let time pass without rows; ends early when the run has to stop."""
        while not self.stopped:
            try:
                self._simulator.advance(now_ns)
            except Exception as error:  # noqa: BLE001 - as above
                self._callbacks.failed(error)
            else:
                return

    def pause(self) -> None:
        """Call the strategy no more, until `go_on`; time and market go on, and its orders stay."""
        self._callbacks.open = False
        self._feed.hush()

    def go_on(self) -> None:
        """Call the strategy again after `pause`; its `on_start` where it was never called."""
        if self.stopped or self._callbacks.open:
            return
        self._callbacks.open = True
        self._feed.listen()
        self._begin()

    def stop(self, reason: str) -> None:
        """End the run as soon as the callback that is running returns. `finish` is still to be called."""
        if not self.stopped:
            self.stopped = reason
            self.log.note(self.clock.now_ns, "stop", reason)
            self._simulator.stop()

    def finish(self, settle_ns: int | None = None) -> None:
        """End: the strategy's `on_stop`, open orders canceled, the last sample of equity.

        Args:
            settle_ns: how long pretended cancels take to be heard of; None where the market is not pretended.
        """
        self._feed.stop()
        if not self._muted:
            self._callbacks.open = self._begun
            self._callbacks.call(self._strategy.on_stop)
        self._callbacks.open = False
        self.targets.forget()
        self.desk.cancel_all()
        if settle_ns is not None:
            self._simulator.advance(self._simulator.now_ns + settle_ns)
        self._sample()

    # -- asked by the strategy ----------------------------------------------------------

    def book(self, symbol: str) -> SimBook:
        """Return the book of a symbol."""
        return self._simulator.books[self.desk.market(symbol).place]

    def history(self, symbol: str, interval: str) -> History:
        """Return the latest closed candles of a symbol."""
        return self._feed.history(self.desk.market(symbol), interval)

    def every(self, period_ns: int, name: str) -> None:
        """Call `on_timer` at each multiple of a period."""
        if period_ns <= 0:
            raise UsageError("seconds", expected="more than 0", found=period_ns / _SECOND)
        self.timers.every(period_ns, lambda: self._timer(name))

    def at(self, time_ns: int, name: str) -> None:
        """Call `on_timer` once."""
        self.timers.at(time_ns, lambda: self._timer(name))

    # -- told ---------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._callbacks.call(self._strategy.on_start)

    def _timer(self, name: str) -> None:
        if self._on_timer is not None:
            self._callbacks.call(self._on_timer, name)

    def _order(self, order: Order) -> None:
        if order.of_target and not order.is_open:
            self._callbacks.call(self.targets.order_ended, order)
        if self._on_order is not None:
            self._callbacks.call(self._on_order, order)

    def _fill(self, fill: Fill) -> None:
        self._sample()
        if self._on_fill is not None:
            self._callbacks.call(self._on_fill, fill)

    def _risk_stops(self, refusal: RiskRefusal) -> None:
        self._callbacks.open = False
        self.stop(str(refusal))

    def _sample(self) -> None:
        """Note what everything is worth, once all that was there at the start has a price."""
        portfolio, now_ns = self.portfolio, self._simulator.now_ns
        if not portfolio.price_start():
            return
        equity = portfolio.equity
        mids = tuple(map(SymbolMarket.last_mid, self._markets))
        self.log.equity(now_ns, equity, portfolio.cash, portfolio.positions, self._symbols, mids)
        refusal = self.risk.observe_equity(now_ns, equity)
        if refusal is not None:
            self._risk_stops(refusal)
        if self._state is not None:
            self._save(self._state)

    def _save(self, store: StateStore) -> None:
        state = msgspec.json.encode(self._strategy.state)
        if state != self._saved:
            self._saved = state
            store.save(state)


def _markets(strategy: Strategy, simulator: Simulator) -> tuple[SymbolMarket, ...]:
    """The symbols of a run, each with its place in the rows, in the strategy's order: every world has that one."""
    places = [listing.symbol for listing in simulator.listings]
    if not strategy.symbols:
        raise ConfigError(f"{type(strategy).__name__}.symbols", expected="at least one symbol, such as BTC/USD")
    missing = [symbol for symbol in strategy.symbols if symbol not in places]
    if missing:
        raise ConfigError(missing[0], expected="a symbol that the market data has: " + ", ".join(places))
    found = [places.index(symbol) for symbol in dict.fromkeys(strategy.symbols)]
    return tuple(SymbolMarket(place, simulator.listings[place], simulator.books[place]) for place in found)

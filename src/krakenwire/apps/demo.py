"""The demo: a local Kraken, a client over a real WebSocket, a price alert and some orders, for a few seconds.

A background thread receives and judges, the caller's thread draws what
`DemoState` holds. It shows nothing itself; the drawing is in `krakenwire.cli.demo`.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Generator
from decimal import Decimal
from typing import Final

import msgspec

from krakenwire.apps.demo_act import Act, ActCounters, ActLine
from krakenwire.apps.kraken_threaded import Kraken
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.apps.watcher import Notice, Tick, notice_of
from krakenwire.client import ClientCounters
from krakenwire.model import BookUpdate, Event, Fill, Ticker, Trade, Trades
from krakenwire.watch import Alert, Crosses, Engine, Rule

__all__ = ["SYMBOLS", "Demo", "Step", "SymbolState"]

SYMBOLS: Final = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD")

_WATCHED: Final = "BTC/USD"
_TICK_S: Final = 0.1
_TRADES_KEPT: Final = 8
_STEPS_WAITING: Final = 10_000
_TIGHTENINGS: Final = 10
"""Parts of the run after each of which the alert's levels are drawn closer, as long as none was crossed."""

_NS: Final = 1_000_000_000

Step = Trade | Alert | ActLine | Notice | Tick


class SymbolState(msgspec.Struct):
    """What is known of one symbol, for the view."""

    last: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    change_pct: Decimal | None = None
    books_verified: int = 0


class _Levels:
    """Two levels around the present price that the moving market is to cross.

    They stand four spreads from the mid at first. Each time a part of the run passes without a
    crossing they are set anew around the mid of that moment, closer: two spreads, one, a tick,
    and at last a quarter of one, which any change of the mid crosses. The market is not arranged.
    """

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._distances: list[Decimal] = []

    def begin(self, bid: Decimal, ask: Decimal) -> None:
        """Set the first levels."""
        spread = ask - bid
        tick = Decimal(1).scaleb(int(ask.as_tuple().exponent))
        self._distances = [spread * 4, spread * 2, spread, tick, tick / 4]
        self._set(bid, ask)

    def tighten(self, bid: Decimal, ask: Decimal) -> None:
        """Set closer levels around the present mid."""
        if len(self._distances) > 1:
            del self._distances[0]
        self._set(bid, ask)

    @property
    def text(self) -> str:
        """The rules in force, in words."""
        if self.engine is None:
            return ""
        return f"{_WATCHED} mid " + " or ".join(rule.condition.text for rule in self.engine.rules)

    def _set(self, bid: Decimal, ask: Decimal) -> None:
        mid, distance = (bid + ask) / 2, self._distances[0]
        levels = [Crosses((mid + way * distance).normalize()) for way in (1, -1)]
        self.engine = Engine([Rule(symbol=_WATCHED, condition=level, price="mid", one_shot=True) for level in levels])


class Demo:
    """One run of the demo.

    Args:
        seconds: how long.
        version: API version, 1 or 2.
        seed: of the market: the same seed gives the same market.

    Attributes:
        url: the address the client is connected to.
        symbols: the state of each symbol.
        trades: the latest trades, newest last.
        alerts: all alerts so far.
        act: what the account has done so far.
        events: events received.
        counters: the client's.
    """

    def __init__(self, *, seconds: float, version: int = 2, seed: int = 1) -> None:
        self.seconds, self.version = seconds, version
        self.url = ""
        self.symbols = {symbol: SymbolState() for symbol in SYMBOLS}
        self.trades: deque[Trade] = deque(maxlen=_TRADES_KEPT)
        self.alerts: list[Alert] = []
        self.act: list[ActLine] = []
        self.events = 0
        self.counters = ClientCounters()
        self._seed = seed
        self._levels = _Levels()
        self._acting: Act | None = None
        self._fills: deque[Fill] = deque()
        self._tighten_ns: int | None = None
        self._steps: queue.Queue[Step] = queue.Queue(_STEPS_WAITING)

    @property
    def waiting_for(self) -> str:
        """The alert rule in force, in words; empty before the first price."""
        return self._levels.text

    @property
    def traded(self) -> ActCounters:
        """What the account has done, counted."""
        return ActCounters() if self._acting is None else self._acting.counters

    def run(self) -> Generator[Step, None, None]:
        """Run, and yield trades, alerts, orders and notices as they come, and a `Tick` now and then.

        Raises:
            MissingExtraError: the local Kraken's server is not installed.
            TransportError: the connection could not be made.
        """
        with LocalVenue(seed=self._seed) as venue:
            self.url = venue.ws_v1 if self.version == 1 else venue.ws_v2
            credentials = (venue.key, venue.secret)
            with Kraken(
                self.url, version=self.version, credentials=credentials, on_event=self._feed, on_fill=self._fills.append
            ) as kraken:
                kraken.subscribe_books(*SYMBOLS, depth=10)
                kraken.subscribe_trades(*SYMBOLS)
                kraken.subscribe_ticker(*SYMBOLS)
                begin_ns, length_ns = time.monotonic_ns(), int(self.seconds * _NS)
                self._acting = Act(kraken, _WATCHED, begin_ns, length_ns)
                kraken.subscribe_executions()
                while time.monotonic_ns() < begin_ns + length_ns and kraken.is_alive:
                    self.counters = kraken.counters
                    self._go_on()
                    try:
                        yield self._steps.get(timeout=_TICK_S)
                    except queue.Empty:
                        yield Tick()
                self.counters = kraken.counters

    def _go_on(self) -> None:
        """Have the account do the next thing if it is time."""
        watched = self.symbols[_WATCHED]
        assert self._acting is not None
        line = self._acting.step(watched.bid, watched.ask, time.monotonic_ns())
        if line is not None:
            self._show(line)
        while self._fills:  # after what has led to them
            self._show(self._acting.filled(self._fills.popleft()))

    def _show(self, line: ActLine) -> None:
        self.act.append(line)
        self._tell(line)

    # -- in the client's thread ------------------------------------------------------

    def _feed(self, event: Event) -> None:
        now_ns = time.time_ns()
        self.events += 1
        if isinstance(event, BookUpdate) and event.book is not None and event.book.state == "live":
            self._take_book(event, now_ns)
        elif isinstance(event, Ticker):
            self.symbols[event.symbol].last = event.last
            self.symbols[event.symbol].change_pct = event.change_pct
        elif isinstance(event, Trades) and event.kind == "update":
            self._take_trades(event)
        else:
            self._tell(notice_of(event))
        engine = self._levels.engine
        for alert in () if engine is None else engine.feed(event, now_ns):
            self.alerts.append(alert)
            self._tell(alert)

    def _take_trades(self, event: Trades) -> None:
        for trade in event.trades:
            self.symbols[trade.symbol].last = trade.price
            self.trades.append(trade)
            self._tell(trade)

    def _take_book(self, update: BookUpdate, now_ns: int) -> None:
        book, symbol = update.book, self.symbols[update.symbol]
        assert book is not None, "the caller has looked"
        symbol.bid, symbol.ask = book.best_bid, book.best_ask
        symbol.books_verified += update.verified
        if update.symbol == _WATCHED and symbol.bid is not None and symbol.ask is not None:
            self._aim(symbol.bid, symbol.ask, now_ns)

    def _aim(self, bid: Decimal, ask: Decimal, now_ns: int) -> None:
        if self._tighten_ns is None:
            self._levels.begin(bid, ask)
        elif self.alerts or now_ns < self._tighten_ns:
            return
        else:
            self._levels.tighten(bid, ask)
        self._tighten_ns = now_ns + int(self.seconds * _NS) // _TIGHTENINGS

    def _tell(self, step: Step | None) -> None:
        if step is None:
            return
        try:
            self._steps.put_nowait(step)
        except queue.Full:
            return  # whoever draws is busy; what it missed is in the state

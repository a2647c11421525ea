"""The threaded client: callbacks from a background thread, or queues to empty from your own.

One thread reads the sockets, keeps the books and calls back; everything else
may be called from any thread. A callback that raises is reported and the feed
goes on; one that takes long makes the connection wait. Next: `background`, the
thread, and `threaded_account`, what concerns orders.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import EllipsisType, TracebackType
from typing import Final, Generic, Self, TypeVar, Unpack, cast

from krakenwire.client.background import Background, Callback
from krakenwire.client.core import ClientCounters, Core
from krakenwire.client.environments import LocalVenue
from krakenwire.client.options import Options, Settings
from krakenwire.client.outlet import Outlet
from krakenwire.client.taps import How, Parameters, PolicyName, Tap, kind_of
from krakenwire.client.threaded_account import AccountHalf
from krakenwire.errors import ConfigError, StreamEnded
from krakenwire.model import (
    BalanceChange,
    BookReading,
    Candle,
    Event,
    Execution,
    Fill,
    Instruments,
    Latency,
    Level3Reading,
    OrderState,
    RawFrame,
    Spread,
    Status,
    Ticker,
    Trade,
    WalletBalance,
)
from krakenwire.protocol.symbols import to_v2
from krakenwire.session.streams import StreamItem

__all__ = ["Kraken", "Queue"]

_ItemT = TypeVar("_ItemT")
_STOP_TIMEOUT_S: Final = 10.0
_EXECUTIONS: Final = ("executions", "orders", "fills")


class Kraken(AccountHalf):
    """A client that works in a background thread.

    Subscribe before or after `start`; use it as a context manager, or `stop` it.
    Callbacks come one at a time, in the order of the wire. A book is passed
    live: read it in the callback, keep ``book.freeze()``.

    Args:
        on: ``live``, ``beta``, ``local`` (a venue in this process), or an address.
        version: API version, 1 or 2.
        on_trade, on_ticker, on_book, on_level3, on_candle, on_spread, on_instruments:
            called with each item of what is subscribed.
        on_execution: called with every row the venue tells of the account's orders.
        on_order, on_fill: called with each order as it changes, and with each fill, once.
        on_balance: called with the account's balances, then with its ledger entries.
        on_status: called with the venue's trading mode.
        on_event: called with everything that happens on the connections.
        on_frame: called with every frame as it came.
        on_error: called with the error of a callback, and with the failure that ended the client.
        daemon: whether the thread ends with the main thread, without `stop`.
        **settings: see `krakenwire.client.Settings`.

    Raises:
        UsageError: an argument that cannot be.
    """

    def __init__(
        self,
        on: str = "live",
        *,
        version: int = 2,
        on_trade: Callable[[Trade], object] | None = None,
        on_ticker: Callable[[Ticker], object] | None = None,
        on_book: Callable[[BookReading], object] | None = None,
        on_level3: Callable[[Level3Reading], object] | None = None,
        on_candle: Callable[[Candle], object] | None = None,
        on_spread: Callable[[Spread], object] | None = None,
        on_instruments: Callable[[Instruments], object] | None = None,
        on_execution: Callable[[Execution], object] | None = None,
        on_order: Callable[[OrderState], object] | None = None,
        on_fill: Callable[[Fill], object] | None = None,
        on_balance: Callable[[WalletBalance | BalanceChange], object] | None = None,
        on_status: Callable[[Status], object] | None = None,
        on_event: Callable[[Event], object] | None = None,
        on_frame: Callable[[RawFrame], object] | None = None,
        on_error: Callable[[Exception], object] | None = None,
        daemon: bool = False,
        **settings: Unpack[Settings],
    ) -> None:
        core = Core(Options.checked(on, version, settings), self._start_local if on == "local" else None)
        callbacks: dict[str, Callback | None] = {
            "trades": on_trade,
            "ticker": on_ticker,
            "books": on_book,
            "level3": on_level3,
            "ohlc": on_candle,
            "spread": on_spread,
            "instruments": on_instruments,
            "executions": on_execution,
            "orders": on_order,
            "fills": on_fill,
            "balances": on_balance,
            "status": on_status,
            "events": on_event,
            "raw": on_frame,
        }
        super().__init__(core, Background(core, callbacks, on_error, daemon))

    def _start_local(self) -> LocalVenue:
        """Start the embedded venue; `krakenwire.threaded.Kraken` can, this room has none."""
        raise ConfigError("on='local'", expected="a client with a venue", hint="Import Kraken from krakenwire.threaded")

    # -- life --------------------------------------------------------------------

    def start(self) -> Self:
        """Start the background thread; return at once.

        Raises:
            UsageError: it was started before, or the environment cannot be.
        """
        self._background.start()
        return self

    def stop(self, timeout: float | None = _STOP_TIMEOUT_S) -> None:
        """End connections, queues and the thread; from a callback it returns at once.

        Raises:
            WaitTimeout: a callback did not return within `timeout` seconds.
        """
        self._background.stop(timeout)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread; return whether it has ended.

        Raises:
            KrakenwireError: the failure that ended it.
        """
        return self._background.join(timeout)

    @property
    def is_alive(self) -> bool:
        """Whether the background thread runs."""
        return self._background.is_alive

    def __enter__(self) -> Self:
        return self if self._background.started else self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Kraken({self._core.options.on!r}, version={self._core.options.version})"

    # -- callbacks ---------------------------------------------------------------

    def subscribe_trades(self, *symbols: str, snapshot: bool | None = None) -> None:
        """Have `on_trade` called with every trade of some symbols."""
        self._subscribe("trades", symbols, {}, snapshot)

    def subscribe_ticker(self, *symbols: str, event_trigger: str | None = None) -> None:
        """Have `on_ticker` called; `event_trigger` is ``trades`` or ``bbo``."""
        self._subscribe("ticker", symbols, {"event_trigger": event_trigger})

    def subscribe_books(self, *symbols: str, depth: int = 10) -> None:
        """Have `on_book` called with the live book after each verified change."""
        self._subscribe("books", symbols, {"depth": depth})

    def subscribe_level3(self, *symbols: str, depth: int = 10) -> None:
        """Have `on_level3` called; version 2, needs the setting ``token``."""
        self._subscribe("level3", symbols, {"depth": depth})

    def subscribe_ohlc(self, *symbols: str, interval: int = 1, snapshot: bool | None = None) -> None:
        """Have `on_candle` called with candles of `interval` minutes."""
        self._subscribe("ohlc", symbols, {"interval": interval}, snapshot)

    def subscribe_spreads(self, *symbols: str) -> None:
        """Have `on_spread` called whenever the best bid or ask changes."""
        self._subscribe("spread", symbols, {})

    def subscribe_instruments(self) -> None:
        """Have `on_instruments` called with the reference data and its changes; version 2."""
        self._subscribe("instruments", (), {})

    def subscribe_executions(self) -> None:
        """Have `on_execution`, `on_order` and `on_fill` called, those that are given. Asks REST the first time."""
        self._core.account.open()
        for kind in _EXECUTIONS:
            if self._background.callbacks[kind] is not None:
                self._subscribe(kind, (), {})

    def subscribe_balances(self) -> None:
        """Have `on_balance` called with the account's ledger entries; version 2. Asks REST the first time."""
        self._core.account.open()
        self._subscribe("balances", (), {})

    def unsubscribe_trades(self, *symbols: str) -> None:
        """Undo `subscribe_trades`; without symbols, for all of them."""
        self._unsubscribe("trades", symbols)

    def unsubscribe_ticker(self, *symbols: str) -> None:
        """Undo `subscribe_ticker`; without symbols, for all of them."""
        self._unsubscribe("ticker", symbols)

    def unsubscribe_books(self, *symbols: str) -> None:
        """Undo `subscribe_books`; without symbols, for all of them."""
        self._unsubscribe("books", symbols)

    def unsubscribe_level3(self, *symbols: str) -> None:
        """Undo `subscribe_level3`; without symbols, for all of them."""
        self._unsubscribe("level3", symbols)

    def unsubscribe_ohlc(self, *symbols: str) -> None:
        """Undo `subscribe_ohlc`; without symbols, for all of them and every interval."""
        self._unsubscribe("ohlc", symbols)

    def unsubscribe_spreads(self, *symbols: str) -> None:
        """Undo `subscribe_spreads`; without symbols, for all of them."""
        self._unsubscribe("spread", symbols)

    def unsubscribe_instruments(self) -> None:
        """Undo `subscribe_instruments`."""
        self._unsubscribe("instruments", ())

    def unsubscribe_executions(self) -> None:
        """Undo `subscribe_executions`."""
        for kind in _EXECUTIONS:
            self._unsubscribe(kind, ())

    def unsubscribe_balances(self) -> None:
        """Undo `subscribe_balances`."""
        self._unsubscribe("balances", ())

    def _subscribe(
        self, kind: str, symbols: tuple[str, ...], parameters: Parameters, snapshot: bool | None = None
    ) -> None:
        with self._changed:
            alike = [tap for tap in self._background.called if tap.kind == kind and tap.parameters == parameters]
            called = {name for tap in alike for name in tap.symbols}
            fresh = [name for name in map(to_v2, symbols) if name not in called]
            if symbols and not fresh:
                return
            tap = self._core.tap(kind, fresh, parameters, {"policy": "block", "snapshot": snapshot}, freeze=False)
            self._background.called.append(tap)
        self._pump.wake()

    def _unsubscribe(self, kind: str, symbols: tuple[str, ...]) -> None:
        with self._changed:
            for tap in [tap for tap in self._background.called if tap.kind == kind]:
                tap.remove(symbols)
                if not symbols or not tap.symbols:
                    tap.close()
                    self._background.called.remove(tap)
        self._pump.wake()

    # -- queues and views ----------------------------------------------------------

    def queue(
        self,
        channel: str,
        *symbols: str,
        policy: PolicyName = "drop",
        queue: int | None = None,
        timeout: float | None = None,
        snapshot: bool | None = None,
        notices: bool = False,
        **parameters: Unpack[Parameters],
    ) -> Queue[StreamItem]:
        """Open a queue of items for a thread of yours; books in it are copies that stay as they are.

        Args:
            channel: ``trade``, ``ticker``, ``book``, ``level3``, ``ohlc``, ``spread``, ``instrument``,
                ``status``, ``events`` or ``raw``.
            *symbols: any spelling; none for the last four.
            policy: what happens when you are slow: ``drop`` drops the oldest and puts a `Gap`
                with their number in their place; ``conflate`` keeps the latest; ``block`` stops the reading.
            queue: items that may wait before the policy decides.
            timeout: seconds `Queue.get` waits by default; None for ever.
            snapshot: whether a snapshot is wanted first.
            notices: also put in `Gap`, `Resynced`, `Refused` and `ChecksumFailed`.
            **parameters: ``depth``, ``interval``, ``event_trigger``, where the channel has them.

        Raises:
            UsageError: an argument that cannot be.
        """
        kind = kind_of(channel)
        with self._changed:
            capacity = self._core.options.queue if queue is None else queue
            how: How = {"policy": policy, "queue": capacity, "snapshot": snapshot, "notices": notices}
            tap = self._core.tap(kind, symbols, parameters, how, freeze=True)
        self._pump.wake()
        return Queue(self._background, tap, timeout)

    def ping(self, timeout: float | None = 10.0) -> float:
        """Send a ping and return the seconds until its answer.

        Raises:
            WaitTimeout: no answer within `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.queue("events", queue=1000) as events:
            sent = False
            while True:
                if not sent:
                    with self._changed:
                        sent = self._core.ping()
                    self._pump.wake()
                event = events.get(None if deadline is None else max(0.0, deadline - time.monotonic()))
                if isinstance(event, Latency):
                    return event.round_trip_ns / 1e9

    def book(self, symbol: str) -> BookReading:
        """Return a copy of the present book of a symbol.

        Raises:
            UsageError: it is not subscribed.
            StaleData: it is not live now.
        """
        with self._changed:
            return self._core.book(symbol).freeze()

    @property
    def counters(self) -> ClientCounters:
        """What was received, renewed, dropped and passed over, so far."""
        with self._changed:
            return self._core.counters


class Queue(Outlet, Generic[_ItemT]):
    """Items for threads of yours; made by `Kraken.queue`, safe to share."""

    def __init__(self, background: Background, tap: Tap, timeout: float | None) -> None:
        super().__init__(tap, timeout, background.changed)
        self._background = background

    def get(self, timeout: float | EllipsisType | None = ...) -> _ItemT:
        """Return the next item.

        Args:
            timeout: seconds to wait, None for ever; the queue's own by default.

        Raises:
            WaitTimeout: nothing came in time; the queue can still be used.
            StreamEnded: it was closed, or the client stopped.
            KrakenwireError: what ended it.
        """
        return cast("_ItemT", self._background.take(self._tap, self._timeout if timeout is ... else timeout))

    def __iter__(self) -> Iterator[_ItemT]:
        return self

    def __next__(self) -> _ItemT:
        try:
            return self.get()
        except StreamEnded:
            raise StopIteration from None

    def _change(self, change: Callable[[], None]) -> None:
        self._background.change(change)

"""The threaded client: callbacks from a background thread, or queues to empty from your own.

One thread reads the sockets, keeps the books and calls back; everything else
may be called from any thread. A callback that raises is reported and the feed
goes on; one that takes long makes the connection wait. Next: `pump`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, Unpack, cast

from krakenwire.client.account import Reply, SwitchView
from krakenwire.client.core import ClientCounters, Core
from krakenwire.client.environments import LocalVenue
from krakenwire.client.options import Options, Settings
from krakenwire.client.outlet import Outlet
from krakenwire.client.pump import Pump
from krakenwire.client.taps import How, Parameters, PolicyName, Tap, kind_of
from krakenwire.client.trading import Trading
from krakenwire.errors import ConfigError, InternalError, KrakenwireError, StreamEnded, UsageError, WaitTimeout
from krakenwire.limits import SWITCH_TIMEOUT_S
from krakenwire.model import (
    BalanceChange,
    BookReading,
    CancelAllAfter,
    Candle,
    Event,
    Execution,
    Fill,
    Instruments,
    Latency,
    Level3Reading,
    OrderState,
    Outcome,
    RawFrame,
    Spread,
    Status,
    Ticker,
    Trade,
    TradingRequest,
    WalletBalance,
)
from krakenwire.protocol.symbols import to_v2
from krakenwire.session.account import AccountState
from krakenwire.session.streams import StreamItem

if TYPE_CHECKING:
    from krakenwire.client.loop_pump import LoopPump
    from krakenwire.client.rest import RestClient

__all__ = ["Kraken", "Queue"]

_ItemT = TypeVar("_ItemT")
_AnswerT = TypeVar("_AnswerT")
_STOP_TIMEOUT_S: Final = 10.0
_WIDE: Final = ("status", "events", "raw")
_EXECUTIONS: Final = ("executions", "orders", "fills")
_log = logging.getLogger("krakenwire.threaded")


class Kraken(Trading):
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
        self._core = Core(Options.checked(on, version, settings), self._start_local if on == "local" else None)
        self._changed = threading.Condition(threading.RLock())
        self._pump = self._new_pump()
        self._callbacks: dict[str, Callable[[Any], object] | None] = {
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
        self._on_error = on_error
        self._called: list[Tap] = []
        self._outcomes: deque[tuple[Callable[[Outcome], object], Outcome]] = deque()
        self._waiting = 0
        self._stopping = False
        self._finished = False
        self._failure: KrakenwireError | None = None
        self._thread = threading.Thread(target=self._run, name="krakenwire", daemon=daemon)

    def _start_local(self) -> LocalVenue:
        """Start the embedded venue; `krakenwire.threaded.Kraken` can, this room has none."""
        raise ConfigError("on='local'", expected="a client with a venue", hint="Import Kraken from krakenwire.threaded")

    def _new_pump(self) -> Pump | LoopPump:
        if self._core.options.transport == "websocket-client":
            return Pump(self._core, self._changed, self._deliver)
        from krakenwire.client.loop_pump import LoopPump  # asyncio and picows: only for those who want them

        return LoopPump(self._core, self._changed, self._deliver, each=lambda: bool(self._called))

    # -- life --------------------------------------------------------------------

    def start(self) -> Self:
        """Start the background thread; return at once.

        Raises:
            UsageError: it was started before, or the environment cannot be.
        """
        if self._thread.ident is not None or self._finished:
            raise UsageError("this client", expected="to be started once", hint="Make a new one")
        with self._changed:
            self._core.line()
            for kind in _WIDE:
                if self._callbacks[kind] is not None:
                    self._called.append(self._core.tap(kind, (), {}, {}))
        self._thread.start()
        return self

    def stop(self, timeout: float | None = _STOP_TIMEOUT_S) -> None:
        """End connections, queues and the thread; from a callback it returns at once.

        Raises:
            WaitTimeout: a callback did not return within `timeout` seconds.
        """
        self._stopping = True
        self._pump.wake()
        if self._thread.ident is None:
            self._finish()
        elif self._thread is not threading.current_thread():
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise WaitTimeout("", "a callback did not return within the time allowed")

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread; return whether it has ended.

        Raises:
            KrakenwireError: the failure that ended it.
        """
        if self._thread.ident is not None:
            self._thread.join(timeout)
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        return self._finished

    @property
    def is_alive(self) -> bool:
        """Whether the background thread runs."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        return self.start() if self._thread.ident is None else self

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
            if self._callbacks[kind] is not None:
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
            alike = [tap for tap in self._called if tap.kind == kind and tap.parameters == parameters]
            called = {name for tap in alike for name in tap.symbols}
            fresh = [name for name in map(to_v2, symbols) if name not in called]
            if symbols and not fresh:
                return
            tap = self._core.tap(kind, fresh, parameters, {"policy": "block", "snapshot": snapshot}, freeze=False)
            self._called.append(tap)
        self._pump.wake()

    def _unsubscribe(self, kind: str, symbols: tuple[str, ...]) -> None:
        with self._changed:
            for tap in [tap for tap in self._called if tap.kind == kind]:
                tap.remove(symbols)
                if not symbols or not tap.symbols:
                    tap.close()
                    self._called.remove(tap)
        self._pump.wake()

    # -- the account -------------------------------------------------------------

    def send(self, request: TradingRequest, *, timeout: float | None = None) -> Outcome:
        """Send a request about orders and wait for its outcome; see `krakenwire.client.trading.Trading.send`.

        Not for callbacks, which would wait for themselves: they have `send_later`.
        """
        self._core.account.prepare(request)
        reply = self._asked(request, timeout, None)
        return self._awaited(lambda: reply.outcome)

    def send_later(
        self, request: TradingRequest, on_outcome: Callable[[Outcome], object], *, timeout: float | None = None
    ) -> None:
        """Send a request about orders; return at once. For any thread, callbacks included.

        Args:
            request: as for `send`.
            on_outcome: called in the background thread with the outcome.
            timeout: as for `send`.

        Raises:
            UsageError: it may not or cannot be sent; nothing was.
        """
        self._core.account.prepare(request)
        self._asked(request, timeout, lambda outcome: self._outcomes.append((on_outcome, outcome)))

    def open_orders(self, timeout: float | None = 10.0) -> dict[str, OrderState]:
        """Return the open orders by id, as the venue tells them.

        Raises:
            WaitTimeout: the venue has not told them within `timeout` seconds.
            KrakenwireError: there is no account, or no way to know.
        """
        return self._stands("executions", timeout, lambda state: dict(state.open_orders))

    def fills(self, timeout: float | None = 10.0) -> list[Fill]:
        """Return the account's fills as far as they were told: the last 50 before this client, then all; each once."""
        return self._stands("executions", timeout, lambda state: list(state.fills.values()))

    def balances(self, timeout: float | None = 10.0) -> dict[str, Decimal]:
        """Return the balances by asset, what is held for open orders included; on version 1 REST is asked."""
        if self._core.options.version == 1:
            return dict(self._core.account.open().balances())
        return self._stands("balances", timeout, lambda state: dict(state.balances))

    @contextmanager
    def dead_mans_switch(
        self, timeout_s: int = SWITCH_TIMEOUT_S, *, renew_s: float | None = None, owner_s: float | None = None
    ) -> Iterator[SwitchView]:
        """Have every order of the account canceled if this client goes silent; use it in a ``with`` statement.

        It is armed when the statement is entered and renewed while the client works in the background.
        Leaving the statement disarms it; leaving it by an error does not: it is renewed no more, and fires.

        Args:
            timeout_s: after so long without a renewal the venue cancels everything.
            renew_s: between renewals; a third of `timeout_s` by default.
            owner_s: renew only while you call `alive` on it at least this often.

        Raises:
            VenueRefusal: the venue does not take it.
        """
        account = self._core.account
        account.prepare(CancelAllAfter(timeout_s=timeout_s))
        self._refuse_in_callback("dead_mans_switch", needed=True)
        with self._changed:
            arming = account.arm(timeout_s, renew_s, owner_s)
        self._pump.wake()
        try:
            self._awaited(lambda: arming.ready or None)
            if arming.failure is not None:
                raise arming.failure
            yield SwitchView(arming, self._changed)
        finally:
            with self._changed:
                account.let_go()
        self.cancel_all_after(0)

    @property
    def rest(self) -> RestClient:
        """The account's REST client: histories, positions, figures. Asks REST the first time."""
        return self._core.account.open()

    def _asked(
        self, request: TradingRequest, timeout: float | None, on_outcome: Callable[[Outcome], object] | None
    ) -> Reply:
        self._refuse_in_callback("send", needed=on_outcome is None)
        with self._changed:
            reply = self._core.account.ask(request, timeout, on_outcome)
        self._pump.wake()
        return reply

    def _awaited(self, look: Callable[[], _AnswerT | None], timeout: float | None = None, what: str = "") -> _AnswerT:
        """Return what `look` finds once it finds something."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while (found := look()) is None:
                if self._finished:
                    raise self._failure or StreamEnded("this client")
                self._sleep(deadline, self._core.account.line().url, what)
            return found

    def _stands(self, channel: str, timeout: float | None, show: Callable[[AccountState], _AnswerT]) -> _AnswerT:
        """Show how the account stands, once it is known; what ended unseen is asked of REST."""
        account = self._core.account
        account.open()
        self._refuse_in_callback(channel, needed=True)
        with self._changed:
            standing = account.standing(channel)
        self._pump.wake()
        self._awaited(lambda: standing.ready or None, timeout, channel)
        if standing.failure is not None:
            raise standing.failure
        with self._changed:
            return show(account.state)

    def _refuse_in_callback(self, what: str, *, needed: bool) -> None:
        """Refuse to wait where waiting never ends."""
        if needed and threading.current_thread() is self._thread:
            hint = "The callback would wait for itself; send_later does not wait"
            raise UsageError(f"{what} in a callback", expected="another thread", hint=hint)
        if self._thread.ident is None:
            raise UsageError(what, expected="a started client", hint="Call start(), or use a with statement")

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
        return Queue(self, tap, timeout)

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

    # -- in the background thread ----------------------------------------------------

    def _run(self) -> None:
        try:
            while not (self._stopping or self._core.all_down()):
                self._pump.turn(None)
        except Exception as bug:  # noqa: BLE001 - handed to whoever joins; a thread must not end in silence
            self._failure = InternalError(f"the background thread ended: {type(bug).__name__}: {bug}")
            self._failure.__cause__ = bug
        finally:
            self._finish()

    def _finish(self) -> None:
        if self._finished:
            return
        with self._changed:
            self._failure = self._failure or self._core.failure()
            self._core.stop()
        self._pump.close()
        self._core.close_venue()
        with self._changed:
            self._finished = True
            self._changed.notify_all()
        if self._failure is not None and not self._told(self._failure):
            _log.error("the client ended: %s", self._failure)

    def _deliver(self) -> None:
        """Wake the threads that wait at queues, and call back with what has come."""
        if self._waiting:
            with self._changed:
                self._changed.notify_all()
        while self._outcomes:
            on_outcome, outcome = self._outcomes.popleft()
            self._call(on_outcome, outcome)
        for tap in tuple(self._called):
            callback = self._callbacks[tap.kind]
            while not self._stopping:
                with self._changed:
                    item = tap.take()
                if item is None:
                    break
                if callback is not None:
                    self._call(callback, item)

    def _call(self, callback: Callable[[Any], object], item: object) -> None:
        try:
            callback(item)
        except Exception as error:  # noqa: BLE001 - a user's callback may raise anything
            if not self._told(error):
                _log.error("the callback %s failed", getattr(callback, "__name__", callback), exc_info=error)

    def _told(self, error: Exception) -> bool:
        """Pass an error to `on_error`; return whether there is one."""
        if self._on_error is None:
            return False
        try:
            self._on_error(error)
        except Exception as second:  # noqa: BLE001 - as above; there is nobody left to tell but the log
            _log.exception("on_error itself failed", exc_info=second)
        return True

    # -- for queues --------------------------------------------------------------------

    def _get(self, tap: Tap, timeout: float | None) -> StreamItem:
        if threading.current_thread() is self._thread:
            raise UsageError(
                "Queue.get in a callback", expected="another thread", hint="The callback would wait for itself"
            )
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            full = tap.full
            while (item := tap.take()) is None:
                if tap.ended or self._finished:
                    raise tap.error or self._failure or StreamEnded(f"the queue of {tap.kind}")
                self._wait(tap, deadline)
        if full:
            self._pump.wake()  # there is room now: it can read again
        return item

    def _wait(self, tap: Tap, deadline: float | None) -> None:
        self._sleep(deadline, tap.url, tap.kind)

    def _sleep(self, deadline: float | None, url: str, what: str) -> None:
        """Wait until something has come."""
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise WaitTimeout(url, f"no {what} within the time allowed")
        self._waiting += 1
        try:
            self._changed.wait(left)
        finally:
            self._waiting -= 1

    def _change(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
        self._pump.wake()


class Queue(Outlet, Generic[_ItemT]):
    """Items for threads of yours; made by `Kraken.queue`, safe to share."""

    def __init__(self, kraken: Kraken, tap: Tap, timeout: float | None) -> None:
        super().__init__(tap, timeout, kraken._changed)
        self._kraken = kraken

    def get(self, timeout: float | EllipsisType | None = ...) -> _ItemT:
        """Return the next item.

        Args:
            timeout: seconds to wait, None for ever; the queue's own by default.

        Raises:
            WaitTimeout: nothing came in time; the queue can still be used.
            StreamEnded: it was closed, or the client stopped.
            KrakenwireError: what ended it.
        """
        return cast("_ItemT", self._kraken._get(self._tap, self._timeout if timeout is ... else timeout))

    def __iter__(self) -> Iterator[_ItemT]:
        return self

    def __next__(self) -> _ItemT:
        try:
            return self.get()
        except StreamEnded:
            raise StopIteration from None

    def _change(self, change: Callable[[], None]) -> None:
        self._kraken._change(change)

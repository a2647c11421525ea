"""The blocking client: a `for` loop over market data, by default with everything in the caller's thread.

Sockets are then read and timers kept while you wait for the next item, and only
then; a loop body that takes long makes the connection wait, and the venue with
it. With another `transport` they live in a background thread, and only what you
take is yours. For work beside the feed see `threaded`, for many tasks `aio`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack, cast

from krakenwire.client.account import SwitchView
from krakenwire.client.core import ClientCounters, Core
from krakenwire.client.environments import LocalVenue
from krakenwire.client.options import Options, Settings
from krakenwire.client.outlet import Outlet
from krakenwire.client.pump import Pump
from krakenwire.client.taps import How, Parameters, Tap, kind_of
from krakenwire.client.trading import Trading
from krakenwire.errors import ConfigError, StreamEnded, WaitTimeout
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
from krakenwire.session.account import AccountState
from krakenwire.session.streams import StreamItem

if TYPE_CHECKING:
    from krakenwire.client.loop_thread import LoopThread
    from krakenwire.client.rest import RestClient

__all__ = ["Kraken", "Stream"]

_ItemT = TypeVar("_ItemT")


class Kraken(Trading):
    """A client that works while you wait.

    Nothing happens before the first stream is opened, or the ``with`` statement
    is entered; close it, or use it as a context manager.

    Args:
        on: ``live``, ``beta``, ``local`` (a venue in this process), or an address.
        version: API version, 1 or 2.
        **settings: see `krakenwire.client.Settings`.

    Raises:
        UsageError: an argument that cannot be.
    """

    def __init__(self, on: str = "live", *, version: int = 2, **settings: Unpack[Settings]) -> None:
        self._core = Core(Options.checked(on, version, settings), self._start_local if on == "local" else None)
        self._pump = _pump(self._core)

    def _start_local(self) -> LocalVenue:
        """Start the embedded venue; `krakenwire.Kraken` can, this room has none."""
        raise ConfigError(
            "on='local'", expected="a client with an embedded venue", hint="Import Kraken from krakenwire"
        )

    def __enter__(self) -> Self:
        self._core.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Kraken({self._core.options.on!r}, version={self._core.options.version})"

    def close(self) -> None:
        """End the connections and all streams. Harmless when it is closed already."""
        with self._pump.lock:
            self._core.stop()
        self._pump.close()
        self._core.close_venue()

    # -- market data -----------------------------------------------------------

    def trades(self, *symbols: str, **how: Unpack[How]) -> Stream[Trade]:
        """Stream every public trade, in order. A slow consumer makes the connection wait."""
        return self._open("trades", symbols, {}, how)

    def ticker(self, *symbols: str, event_trigger: str | None = None, **how: Unpack[How]) -> Stream[Ticker]:
        """Stream the best prices and the last 24 hours; a slow consumer gets the latest.

        Args:
            *symbols: any spelling, such as ``BTC/USD`` or ``XBTUSD``.
            event_trigger: ``trades`` or ``bbo``: what makes the venue send one; version 2.
            **how: see `krakenwire.client.How`.
        """
        return self._open("ticker", symbols, {"event_trigger": event_trigger}, how)

    def books(self, *symbols: str, depth: int = 10, **how: Unpack[How]) -> Stream[BookReading]:
        """Stream verified order books; a slow consumer gets each symbol's present book.

        The books are live: the same object changes with the next message. Keep
        ``book.freeze()``, or ask for ``policy="block"`` to get a copy for each change.

        Args:
            *symbols: any spelling.
            depth: price levels a side: 10, 25, 100, 500 or 1000.
            **how: see `krakenwire.client.How`.
        """
        return self._open("books", symbols, {"depth": depth}, how)

    def level3(self, *symbols: str, depth: int = 10, **how: Unpack[How]) -> Stream[Level3Reading]:
        """Stream verified books of single orders; version 2, needs the setting ``token``.

        Args:
            *symbols: any spelling.
            depth: price levels a side: 10, 100 or 1000.
            **how: see `krakenwire.client.How`.
        """
        return self._open("level3", symbols, {"depth": depth}, how)

    def ohlc(self, *symbols: str, interval: int = 1, **how: Unpack[How]) -> Stream[Candle]:
        """Stream candles; one with ``closed=True`` follows when the next has begun.

        Args:
            *symbols: any spelling.
            interval: minutes: 1, 5, 15, 30, 60, 240, 1440, 10080 or 21600.
            **how: see `krakenwire.client.How`.
        """
        return self._open("ohlc", symbols, {"interval": interval}, how)

    def spreads(self, *symbols: str, **how: Unpack[How]) -> Stream[Spread]:
        """Stream the best bid and ask whenever they change; a slow consumer gets the latest."""
        return self._open("spread", symbols, {}, how)

    def instruments(self, **how: Unpack[How]) -> Stream[Instruments]:
        """Stream the reference data of all assets and instruments, then its changes; version 2."""
        return self._open("instruments", (), {}, how)

    # -- the account -------------------------------------------------------------

    def executions(self, **how: Unpack[How]) -> Stream[Execution]:
        """Stream every row the venue tells of the account's orders, those of snapshots after a reconnect included."""
        self._core.account.open()
        return self._open("executions", (), {}, how)

    def order_changes(self, **how: Unpack[How]) -> Stream[OrderState]:
        """Stream the account's orders as they change, each with all that is known of it."""
        self._core.account.open()
        return self._open("orders", (), {}, how)

    def new_fills(self, **how: Unpack[How]) -> Stream[Fill]:
        """Stream the account's fills, each once, also those that a reconnect has brought to light."""
        self._core.account.open()
        return self._open("fills", (), {}, how)

    def balance_changes(self, **how: Unpack[How]) -> Stream[WalletBalance | BalanceChange]:
        """Stream the account's balances, then its ledger entries; version 2."""
        self._core.account.open()
        return self._open("balances", (), {}, how)

    def send(self, request: TradingRequest, *, timeout: float | None = None) -> Outcome:
        """Send a request about orders and return its outcome; see `krakenwire.client.trading.Trading.send`."""
        account = self._core.account
        account.prepare(request)
        with self._pump.lock:
            reply = account.ask(request, timeout)
        self._pump.nudge()
        with self._pump.lock:
            while reply.outcome is None:
                self._pump.wait(reply, None)
            return reply.outcome

    def open_orders(self, timeout: float | None = 10.0) -> dict[str, OrderState]:
        """Return the open orders by id, as the venue tells them.

        Raises:
            WaitTimeout: the venue has not told them within `timeout` seconds.
            KrakenwireError: there is no account, or no way to know.
        """
        with self._standing("executions", timeout) as state:
            return dict(state.open_orders)

    def fills(self, timeout: float | None = 10.0) -> list[Fill]:
        """Return the account's fills as far as they were told: the last 50 before this client, then all; each once."""
        with self._standing("executions", timeout) as state:
            return list(state.fills.values())

    def balances(self, timeout: float | None = 10.0) -> dict[str, Decimal]:
        """Return the balances by asset, what is held for open orders included; on version 1 REST is asked."""
        if self._core.options.version == 1:
            return dict(self._core.account.open().balances())
        with self._standing("balances", timeout) as state:
            return dict(state.balances)

    @contextmanager
    def dead_mans_switch(
        self, timeout_s: int = SWITCH_TIMEOUT_S, *, renew_s: float | None = None, owner_s: float | None = None
    ) -> Iterator[SwitchView]:
        """Have every order of the account canceled if this client goes silent; use it in a ``with`` statement.

        It is armed when the statement is entered and renewed while the client works,
        which with the transport ``websocket-client`` is while you wait for something.
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
        with self._pump.lock:
            arming = account.arm(timeout_s, renew_s, owner_s)
        self._pump.nudge()
        try:
            with self._pump.lock:
                while not arming.ready:
                    self._pump.wait(arming, None)
            if arming.failure is not None:
                raise arming.failure
            yield SwitchView(arming, self._pump.lock)
        finally:
            with self._pump.lock:
                account.let_go()
        self.cancel_all_after(0)

    @property
    def rest(self) -> RestClient:
        """The account's REST client: histories, positions, figures. Asks REST the first time."""
        return self._core.account.open()

    @contextmanager
    def _standing(self, channel: str, timeout: float | None) -> Iterator[AccountState]:
        """Show how the account stands, once it is known; what ended unseen is asked of REST."""
        account = self._core.account
        account.open()
        deadline = _deadline(timeout)
        with self._pump.lock:
            standing = account.standing(channel)
        self._pump.nudge()
        with self._pump.lock:
            while not standing.ready:
                left = _left(deadline)
                if left is not None and left <= 0:
                    raise WaitTimeout(account.line().url, f"no {channel} within the time allowed")
                self._pump.wait(standing, left)
            if standing.failure is not None:
                raise standing.failure
            yield account.state

    # -- the connection itself ---------------------------------------------------

    def status(self, **how: Unpack[How]) -> Stream[Status]:
        """Stream the venue's trading mode, the present one first."""
        return self._open("status", (), {}, how)

    def events(self, **how: Unpack[How]) -> Stream[Event]:
        """Stream everything that happens on all streams and connections of this client, in order."""
        return self._open("events", (), {}, how)

    def frames(self, **how: Unpack[How]) -> Stream[RawFrame]:
        """Stream the frames exactly as they come."""
        return self._open("raw", (), {}, how)

    def stream(
        self, channel: str, *symbols: str, how: How | None = None, **parameters: Unpack[Parameters]
    ) -> Stream[StreamItem]:
        """Open a stream of a channel known only at run time.

        Args:
            channel: ``trade``, ``ticker``, ``book``, ``level3``, ``ohlc``, ``spread``,
                ``instrument``, ``status``, ``events`` or ``raw``.
            *symbols: any spelling; none for the last four.
            how: see `krakenwire.client.How`.
            **parameters: ``depth``, ``interval``, ``event_trigger``, where the channel has them.
        """
        return self._open(kind_of(channel), symbols, parameters, how or {})

    def subscribe(self, channel: str, *symbols: str, **parameters: Unpack[Parameters]) -> None:
        """Subscribe without a stream of its own: for `frames` and `events`, or to keep a `book`.

        Args:
            channel: as for `stream`.
            *symbols: any spelling.
            **parameters: as for `stream`.
        """
        with self._pump.lock:
            self._core.subscribe(channel, symbols, parameters)
        self._pump.nudge()

    def unsubscribe(self, channel: str, *symbols: str) -> None:
        """Undo `subscribe` for some symbols, or for all of a channel."""
        with self._pump.lock:
            self._core.unsubscribe(channel, symbols)
        self._pump.nudge()

    def ping(self, timeout: float | None = 10.0) -> float:
        """Send a ping and return the seconds until its answer.

        Raises:
            WaitTimeout: no answer within `timeout` seconds.
        """
        deadline = _deadline(timeout)
        with self.events(policy="drop", queue=1000) as events:
            while not self._pinged():
                events.next(_left(deadline))  # the events of connecting
            while True:
                event = events.next(_left(deadline))
                if isinstance(event, Latency):
                    return event.round_trip_ns / 1e9

    def book(self, symbol: str) -> BookReading:
        """Return the live book of a symbol that is streamed; reading it while it is not live raises `StaleData`.

        With a transport in a background thread it is a copy of the present book.
        """
        with self._pump.lock:
            return self._pump.shown(self._core.book(symbol))

    def level3_book(self, symbol: str) -> Level3Reading:
        """Return the live level3 book of a symbol that is streamed, as `book` does."""
        with self._pump.lock:
            return self._pump.shown(self._core.level3_book(symbol))

    @property
    def counters(self) -> ClientCounters:
        """What was received, renewed, dropped and passed over, so far."""
        with self._pump.lock:
            return self._core.counters

    def _pinged(self) -> bool:
        with self._pump.lock:
            sent = self._core.ping()
        self._pump.nudge()
        return sent

    def _open(self, kind: str, symbols: tuple[str, ...], parameters: Parameters, how: How) -> Stream[Any]:
        with self._pump.lock:
            tap = self._core.tap(kind, symbols, parameters, how)
        self._pump.nudge()
        return Stream(self._pump, tap, how.get("timeout"))


class Stream(Outlet, Generic[_ItemT]):
    """Items as they come. Several can be used in turn on one client; what one receives meanwhile waits.

    Iteration ends when the stream or its client is closed, and raises the
    error that ended it otherwise.
    """

    def __init__(self, pump: Pump | LoopThread, tap: Tap, timeout: float | None) -> None:
        super().__init__(tap, timeout, pump.lock)
        self._pump = pump

    def __iter__(self) -> Iterator[_ItemT]:
        return self

    def __next__(self) -> _ItemT:
        try:
            return self.next()
        except StreamEnded:
            raise StopIteration from None

    def next(self, timeout: float | EllipsisType | None = ...) -> _ItemT:
        """Return the next item.

        Args:
            timeout: seconds to wait, None for ever; the stream's own by default.

        Raises:
            WaitTimeout: nothing came in time; the stream can still be used.
            StreamEnded: it was closed.
            KrakenwireError: what ended it: no connection, a refusal of all its symbols, a consumer too slow.
        """
        deadline = _deadline(self._timeout if timeout is ... else timeout)
        with self._pump.lock:
            while (item := self._pump.take(self._tap)) is None:
                if self._tap.ended:
                    raise self._tap.error or StreamEnded(f"the stream of {self._tap.kind}")
                left = _left(deadline)
                self._pump.wait(self._tap, left)
                if left is not None and left <= 0 and not self._tap.ready:
                    raise WaitTimeout(self._tap.url, f"no {self._tap.kind} within the time allowed")
        return cast("_ItemT", item)

    def _change(self, change: Callable[[], None]) -> None:
        with self._pump.lock:
            change()
        self._pump.nudge()


def _pump(core: Core) -> Pump | LoopThread:
    if core.options.transport == "websocket-client":
        return Pump(core)
    from krakenwire.client.loop_thread import LoopThread  # asyncio and picows: only for those who want them

    return LoopThread(core)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())

"""The asyncio client: `async for` over market data, many tasks on one connection.

Frames are taken in by the event loop whether anyone waits or not; a consumer
that falls behind under the policy ``block`` stops the reading. Everything
belongs to the loop the client was entered in. For one loop without asyncio see `blocking`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from decimal import Decimal
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, Unpack, cast

from krakenwire.client.account import Account, SwitchView
from krakenwire.client.aio_pump import AioPump
from krakenwire.client.aio_trading import Trading
from krakenwire.client.core import ClientCounters, Core
from krakenwire.client.environments import LocalVenue
from krakenwire.client.errands import ask_beside
from krakenwire.client.options import LOOP_TRANSPORTS, Options, Settings
from krakenwire.client.outlet import Outlet
from krakenwire.client.taps import How, Parameters, Tap, kind_of
from krakenwire.errors import ConfigError, StreamEnded, UsageError, WaitTimeout
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
    from krakenwire.client.rest import RestClient

__all__ = ["Kraken", "Listener", "Stream", "run"]

_ItemT = TypeVar("_ItemT")
_AnswerT = TypeVar("_AnswerT")
_TAKES_AT_ONCE: Final = 100
"""Items one task may take before others get their turn."""


class Kraken(Trading):
    """A client in an event loop; use it in an ``async with`` statement.

    Args:
        on: ``live``, ``beta``, ``local`` (a venue in this process), or an address.
        version: API version, 1 or 2.
        **settings: see `krakenwire.client.Settings`.

    Raises:
        UsageError: an argument that cannot be.
    """

    def __init__(self, on: str = "live", *, version: int = 2, **settings: Unpack[Settings]) -> None:
        options = Options.checked(on, version, settings, LOOP_TRANSPORTS)
        self._core = Core(options, self._start_local if on == "local" else None)
        self._pump: AioPump | None = None

    def _start_local(self) -> LocalVenue:
        """Start the embedded venue; `krakenwire.aio.Kraken` can, this room has none."""
        raise ConfigError("on='local'", expected="a client with a venue", hint="Import Kraken from krakenwire.aio")

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._core.open)
        except BaseException:
            await asyncio.to_thread(self._core.close_venue)
            raise
        self._pump = AioPump(self._core)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"Kraken({self._core.options.on!r}, version={self._core.options.version})"

    async def close(self) -> None:
        """End the connections and all streams. Harmless when it is closed already."""
        self._core.stop()
        if self._pump is not None:
            await self._pump.close()
        await asyncio.to_thread(self._core.close_venue)

    # -- market data -----------------------------------------------------------

    def trades(self, *symbols: str, **how: Unpack[How]) -> Stream[Trade]:
        """Stream every public trade, in order. A slow consumer stops the reading."""
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

    async def executions(self, **how: Unpack[How]) -> Stream[Execution]:
        """Stream every row the venue tells of the account's orders, those of snapshots after a reconnect included."""
        await self._account()
        return self._open("executions", (), {}, how)

    async def order_changes(self, **how: Unpack[How]) -> Stream[OrderState]:
        """Stream the account's orders as they change, each with all that is known of it."""
        await self._account()
        return self._open("orders", (), {}, how)

    async def new_fills(self, **how: Unpack[How]) -> Stream[Fill]:
        """Stream the account's fills, each once, also those that a reconnect has brought to light."""
        await self._account()
        return self._open("fills", (), {}, how)

    async def balance_changes(self, **how: Unpack[How]) -> Stream[WalletBalance | BalanceChange]:
        """Stream the account's balances, then its ledger entries; version 2."""
        await self._account()
        return self._open("balances", (), {}, how)

    async def send(self, request: TradingRequest, *, timeout: float | None = None) -> Outcome:  # noqa: ASYNC109 - as in the other styles
        """Send a request about orders and return its outcome; see `krakenwire.client.aio_trading.Trading.send`.

        Cancelling the wait does not take the request back.
        """
        pump = self._entered()
        await ask_beside("order", lambda: self._core.account.prepare(request))
        reply = self._core.account.ask(request, timeout)
        while reply.outcome is None:
            await pump.wait(reply)
        return reply.outcome

    async def open_orders(self, timeout: float | None = 10.0) -> dict[str, OrderState]:  # noqa: ASYNC109 - as in the other styles
        """Return the open orders by id, as the venue tells them.

        Raises:
            WaitTimeout: the venue has not told them within `timeout` seconds.
            KrakenwireError: there is no account, or no way to know.
        """
        return dict((await self._standing("executions", timeout)).open_orders)

    async def fills(self, timeout: float | None = 10.0) -> list[Fill]:  # noqa: ASYNC109 - as in the other styles
        """Return the account's fills as far as they were told: the last 50 before this client, then all; each once."""
        return list((await self._standing("executions", timeout)).fills.values())

    async def balances(self, timeout: float | None = 10.0) -> dict[str, Decimal]:  # noqa: ASYNC109 - as in the other styles
        """Return the balances by asset, what is held for open orders included; on version 1 REST is asked."""
        if self._core.options.version == 1:
            return dict(await self.ask_rest(lambda rest: rest.balances()))
        return dict((await self._standing("balances", timeout)).balances)

    @asynccontextmanager
    async def dead_mans_switch(
        self, timeout_s: int = SWITCH_TIMEOUT_S, *, renew_s: float | None = None, owner_s: float | None = None
    ) -> AsyncIterator[SwitchView]:
        """Have every order of the account canceled if this client goes silent; use it in a ``async with`` statement.

        It is armed when the statement is entered and renewed while the client works in the loop.
        Leaving the statement disarms it; leaving it by an error does not: it is renewed no more, and fires.

        Args:
            timeout_s: after so long without a renewal the venue cancels everything.
            renew_s: between renewals; a third of `timeout_s` by default.
            owner_s: renew only while you call `alive` on it at least this often.

        Raises:
            VenueRefusal: the venue does not take it.
        """
        account = await self._account()
        await ask_beside("order", lambda: account.prepare(CancelAllAfter(timeout_s=timeout_s)))
        pump = self._entered()
        arming = account.arm(timeout_s, renew_s, owner_s)
        try:
            while not arming.ready:
                await pump.wait(arming)
            if arming.failure is not None:
                raise arming.failure
            yield SwitchView(arming, nullcontext())
        finally:
            account.let_go()
        await self.cancel_all_after(0)

    async def ask_rest(self, question: Callable[[RestClient], _AnswerT]) -> _AnswerT:
        """Return what the account's REST client answers: histories, positions, figures.

        Args:
            question: called with the client in a thread beside the loop: ``lambda rest: rest.open_positions()``.
        """
        return await ask_beside("rest", lambda: question(self._core.account.open()))

    async def _account(self) -> Account:
        self._entered()
        await ask_beside("account", self._core.account.open)
        return self._core.account

    async def _standing(self, channel: str, timeout_s: float | None) -> AccountState:
        """Return how the account stands, once it is known; what ended unseen is asked of REST."""
        account = await self._account()
        pump = self._entered()
        standing = account.standing(channel)
        async with _within(timeout_s, account.line().url, channel):
            while not standing.ready:
                await pump.wait(standing)
        if standing.failure is not None:
            raise standing.failure
        return account.state

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

    def listen(
        self,
        callback: Callable[[Any], object],
        channel: str,
        *symbols: str,
        batch: bool = False,
        on_error: Callable[[Exception], object] | None = None,
        snapshot: bool | None = None,
        **parameters: Unpack[Parameters],
    ) -> Listener:
        """Have a function called with every event as it comes: the shortest way from the wire to you.

        Books are live in their events (`BookUpdate.book`); `Gap`, `Resynced`, `Refused` and
        `ChecksumFailed` of the subscription come in their place. The function must not wait:
        while it runs nothing else does.

        Args:
            callback: called with each event; with `batch`, with the list of all events of one read.
            channel: as for `stream`.
            *symbols: any spelling.
            batch: call once for each read from the socket.
            on_error: called with what the callback raises; by default the loop's exception handler is.
            snapshot: whether a snapshot is wanted first; None for the channel's default.
            **parameters: as for `stream`.

        Raises:
            UsageError: a channel, symbol or parameter that cannot be.
        """
        pump = self._entered()
        tap = self._core.listen(
            kind_of(channel),
            symbols,
            parameters,
            on_event=None if batch else callback,
            on_batch=callback if batch else None,
            on_error=on_error or _report,
            snapshot=snapshot,
        )
        pump.settle()
        return Listener(pump, tap)

    def subscribe(self, channel: str, *symbols: str, **parameters: Unpack[Parameters]) -> None:
        """Subscribe without a stream of its own: for `frames` and `events`, or to keep a `book`.

        Args:
            channel: as for `stream`.
            *symbols: any spelling.
            **parameters: as for `stream`.
        """
        pump = self._entered()
        self._core.subscribe(channel, symbols, parameters)
        pump.settle()

    def unsubscribe(self, channel: str, *symbols: str) -> None:
        """Undo `subscribe` for some symbols, or for all of a channel."""
        pump = self._entered()
        self._core.unsubscribe(channel, symbols)
        pump.settle()

    async def ping(self, timeout: float | None = 10.0) -> float:  # noqa: ASYNC109 - as in the other styles
        """Send a ping and return the seconds until its answer.

        Raises:
            WaitTimeout: no answer within `timeout` seconds.
        """
        async with _within(timeout, self._core.line().url, "pong"):
            with self.events(policy="drop", queue=1000) as events:
                while not self._core.ping():
                    await events.next(None)  # the events of connecting
                while True:
                    event = await events.next(None)
                    if isinstance(event, Latency):
                        return event.round_trip_ns / 1e9

    def book(self, symbol: str) -> BookReading:
        """Return the live book of a symbol that is streamed; reading it while it is not live raises `StaleData`."""
        return self._core.book(symbol)

    def level3_book(self, symbol: str) -> Level3Reading:
        """Return the live level3 book of a symbol that is streamed."""
        return self._core.level3_book(symbol)

    @property
    def counters(self) -> ClientCounters:
        """What was received, renewed, dropped and passed over, so far."""
        return self._core.counters

    @property
    def heard_ns(self) -> int:
        """When the connection of market data was last heard of, nanoseconds since 1970; 0 while it is not open.

        Heartbeats count: a book that is live and does not change is right as long as this is recent.
        """
        return self._core.heard_ns

    def _entered(self) -> AioPump:
        if self._pump is None:
            raise UsageError("this client", expected="use inside its `async with` statement")
        return self._pump

    def _open(self, kind: str, symbols: tuple[str, ...], parameters: Parameters, how: How) -> Stream[Any]:
        pump = self._entered()
        tap = self._core.tap(kind, symbols, parameters, how)
        pump.settle()
        return Stream(pump, tap, how.get("timeout"))


class Stream(Outlet, Generic[_ItemT]):
    """Items as they come, for one task at a time. Cancelling a wait loses nothing.

    Iteration ends when the stream or its client is closed, and raises the
    error that ended it otherwise.
    """

    def __init__(self, pump: AioPump, tap: Tap, timeout: float | None) -> None:
        super().__init__(tap, timeout)
        self._pump = pump
        self._taken = 0

    def __aiter__(self) -> AsyncIterator[_ItemT]:
        return self

    async def __anext__(self) -> _ItemT:
        try:
            return await self.next()
        except StreamEnded:
            raise StopAsyncIteration from None

    async def next(self, timeout: float | EllipsisType | None = ...) -> _ItemT:  # noqa: ASYNC109 - as in the other styles
        """Return the next item.

        Args:
            timeout: seconds to wait, None for ever; the stream's own by default.

        Raises:
            WaitTimeout: nothing came in time; the stream can still be used.
            StreamEnded: it was closed.
            KrakenwireError: what ended it: no connection, a refusal of all its symbols.
        """
        self._taken += 1
        if self._taken % _TAKES_AT_ONCE == 0:
            await asyncio.sleep(0)
        while (item := self._tap.take()) is None:
            if self._tap.ended:
                raise self._tap.error or StreamEnded(f"the stream of {self._tap.kind}")
            async with _within(self._timeout if timeout is ... else timeout, self._tap.url, self._tap.kind):
                await self._pump.wait(self._tap)
        self._pump.relieve()
        return cast("_ItemT", item)

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self._pump.settle()


class Listener(Outlet):
    """A function that is called with events; made by `Kraken.listen`. End it with `close`."""

    def __init__(self, pump: AioPump, tap: Tap) -> None:
        super().__init__(tap, None)
        self._pump = pump

    async def ended(self) -> None:
        """Wait until nothing more will come.

        Raises:
            KrakenwireError: what ended it: no connection, a refusal of all its symbols.
        """
        while not self._tap.ended:
            await self._pump.wait(self._tap)
        if self._tap.error is not None:
            raise self._tap.error

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self._pump.settle()


def _report(error: Exception) -> None:
    message = "a callback given to krakenwire.aio.Kraken.listen failed"
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})


@asynccontextmanager
async def _within(timeout_s: float | None, url: str, what: str) -> AsyncIterator[None]:
    """Turn the end of the time allowed into our error; another's cancellation or time-out passes."""
    try:
        async with asyncio.timeout(timeout_s) as scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise WaitTimeout(url, f"no {what} within the time allowed") from None


_ResultT = TypeVar("_ResultT")


def run(main: Coroutine[Any, Any, _ResultT], *, debug: bool | None = None) -> _ResultT:
    """Run a coroutine as `asyncio.run` does, on uvloop when it is installed; nothing global is changed.

    Args:
        main: the coroutine.
        debug: asyncio's debug mode.
    """
    with asyncio.Runner(debug=debug, loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

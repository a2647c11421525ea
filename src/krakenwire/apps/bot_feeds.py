"""The market data of a bot: one public connection in a thread of its own, which fills the inbox and waits for nobody.

It asks for what the strategy wants and for nothing else; there are no
credentials here and no private connection. A broken connection is renewed by
the client; what was missed meanwhile comes as gaps. Next: `bot_inbox`, `bot_runner`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import difflib
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Unpack

import msgspec

from krakenwire.aio import Kraken, Listener, run
from krakenwire.apps.bot_inbox import Inbox
from krakenwire.client import Settings
from krakenwire.client.clock import now_ns
from krakenwire.errors import ConfigError, KrakenwireError, StreamEnded, VenueRefusal, WaitTimeout
from krakenwire.limits import BOOK_DEPTHS, BOT_FEED_START_S, OHLC_INTERVALS
from krakenwire.model import BookUpdate, Event, Instruments, Refused
from krakenwire.model.rows import Listing
from krakenwire.tape.listings import listing_of
from krakenwire.trading.candles import interval_ns
from krakenwire.trading.strategy import Strategy

__all__ = ["BotFeeds", "Wants"]

_CHANNELS: Final = ("book", "trade", "ticker", "ohlc")
_MINUTE: Final = 60_000_000_000


class Wants(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy wants of the market.

    Args:
        symbols: v2 spelling.
        channels: of `book`, `trade`, `ticker`, `ohlc`.
        depth: levels a side that the venue has.
        intervals: minutes, of `ohlc`.
    """

    symbols: tuple[str, ...]
    channels: tuple[str, ...]
    depth: int
    intervals: tuple[int, ...] = ()

    @classmethod
    def of(cls, strategy: Strategy) -> Wants:
        """Return what a strategy wants.

        Raises:
            ConfigError: a channel, depth or interval that no venue has.
        """
        name, channels = type(strategy).__name__, strategy.wanted_channels()
        unknown = [channel for channel in channels if channel not in _CHANNELS]
        if unknown:
            raise ConfigError(f"{name}.channels", expected="some of " + ", ".join(_CHANNELS), found=unknown[0])
        depth = next((depth for depth in BOOK_DEPTHS if depth >= strategy.depth), None)
        if depth is None:
            raise ConfigError(f"{name}.depth", expected=f"at most {BOOK_DEPTHS[-1]}", found=strategy.depth)
        minutes = [interval_ns(text) // _MINUTE for text in strategy.candles] if "ohlc" in channels else []
        odd = [interval for interval in minutes if interval not in OHLC_INTERVALS]
        if odd:
            expected = "intervals that the venue has; without the channel ohlc any is built from trades"
            raise ConfigError(f"{name}.candles", expected=expected, found=", ".join(strategy.candles))
        return cls(symbols=tuple(strategy.symbols), channels=tuple(channels), depth=depth, intervals=tuple(minutes))


class BotFeeds:
    """Fills an inbox from a venue.

    Args:
        on: ``live``, ``beta``, ``local``, or an address.
        wants: what is asked for.
        inbox: takes it; told what is asked for anew where it had to drop something.
        **settings: of the client.

    Attributes:
        failure: why nothing will come any more, None while that is not so.
        on_down: called, by the feed's thread, when that has happened.
    """

    def __init__(self, on: str, wants: Wants, inbox: Inbox, **settings: Unpack[Settings]) -> None:
        self._on, self._wants, self._inbox, self._settings = on, wants, inbox, settings
        self.failure: KrakenwireError | None = None
        self.on_down: Callable[[KrakenwireError], None] = _nobody
        inbox.on_dropped = self.ask_anew
        self._ready: concurrent.futures.Future[tuple[Listing, ...]] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="krakenwire bot feeds", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kraken: Kraken | None = None
        self._books: Listener | None = None
        self._pairs: dict[str, Listing] | None = None
        self._waited_for = set(wants.symbols) if "book" in wants.channels else set()
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()

    # -- asked by other threads -----------------------------------------------------------

    def start(self, timeout_s: float = BOT_FEED_START_S) -> tuple[Listing, ...]:
        """Connect, and wait until the instruments are known and every book is there.

        Returns:
            The strategy's instruments, in its order.

        Raises:
            ConfigError: an instrument that the venue does not have.
            VenueRefusal: it refuses a subscription.
            TransportError: no connection, or not all of it within `timeout_s`.
        """
        self._thread.start()
        try:
            return self._ready.result(timeout_s)
        except TimeoutError:
            missing = ", ".join(sorted(self._waited_for)) if self._pairs is not None else "the list of instruments"
            self.stop()
            raise WaitTimeout(self._on, f"the market data was not whole within {timeout_s:g} s: {missing}") from None
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the connection and the thread; harmless when it has ended."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it ended a moment ago: its loop is closed
                loop.call_soon_threadsafe(self._stopping.set)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def ask_anew(self, symbols: tuple[str, ...]) -> None:
        """Have the books told whole again."""
        loop = self._loop
        if symbols and loop is not None:
            with suppress(RuntimeError):  # as above
                loop.call_soon_threadsafe(self._listen_anew)

    @property
    def heard_ns(self) -> int:
        """When the connection was last known to be alive; 0 while it is not."""
        return 0 if self._kraken is None else self._kraken.heard_ns

    @property
    def counts(self) -> dict[str, int]:
        """Frames so far, and book messages whose checksum was right, and wrong."""
        if self._kraken is None:
            return {}
        counted = self._kraken.counters
        return {"frames": counted.frames, "verified": counted.verified, "failed": counted.checksum_failures}

    # -- the feed's thread -------------------------------------------------------------------

    def _run(self) -> None:
        try:
            run(self._main())
        except KrakenwireError as error:
            self._end(error)
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    def _end(self, error: KrakenwireError) -> None:
        self.failure = error
        if self._ready.done():
            self.on_down(error)
        else:
            self._ready.set_exception(error)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with Kraken(self._on, **self._settings) as kraken:
            self._kraken = kraken
            listeners = [kraken.listen(self._instruments, "instrument", batch=True)]
            if not await self._until(lambda: self._pairs is not None, listeners):
                return
            listings = tuple(self._listing(symbol) for symbol in self._wants.symbols)
            listeners += self._listen(kraken)
            if not await self._until(lambda: not self._waited_for, listeners):
                return
            self._ready.set_result(listings)
            await self._until(lambda: False, listeners)

    def _listen(self, kraken: Kraken) -> list[Listener]:
        wants = self._wants
        listeners = [
            kraken.listen(self._take, channel, *wants.symbols, batch=True)
            for channel in wants.channels
            if channel in ("trade", "ticker")
        ]
        if "ohlc" in wants.channels:
            listeners += [
                kraken.listen(self._take, "ohlc", *wants.symbols, batch=True, interval=interval)
                for interval in wants.intervals
            ]
        if "book" in wants.channels:
            self._books = kraken.listen(self._take, "book", *wants.symbols, batch=True, depth=wants.depth)
            listeners.append(self._books)
        return listeners

    def _listen_anew(self) -> None:
        if self._books is not None and self._kraken is not None:
            self._books.close()
            self._books = self._kraken.listen(
                self._take, "book", *self._wants.symbols, batch=True, depth=self._wants.depth
            )

    async def _until(self, done: Callable[[], bool], listeners: Sequence[Listener]) -> bool:
        """Wait until something is so; return False when it was stopped before.

        Raises:
            KrakenwireError: the feed has ended.
        """
        ends = [asyncio.ensure_future(listener.ended()) for listener in listeners]
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            while not done():
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait([*ends, stopping, news], return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                self._news.clear()
                for end in ends:
                    _raise_of(end)
                ends = [end for end in ends if not end.done()]
                if self.failure is not None:
                    raise self.failure
                if stopping.done():
                    return False
            return True
        finally:
            for task in (*ends, stopping):
                task.cancel()

    # -- what comes -----------------------------------------------------------------------

    def _instruments(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Refused):
                self._refuse(event)
            elif isinstance(event, Instruments) and self._pairs is None:
                self._pairs = {pair.symbol: listing_of(pair) for pair in event.pairs}
                self._news.set()
        self._inbox.put(now_ns(), 0, events)

    def _take(self, events: list[Event]) -> None:
        time_ns = now_ns()
        self._inbox.put(time_ns, 0, [event for event in events if not _is_wrong(event)])
        if not self._ready.done():
            self._look(events)

    def _look(self, events: Iterable[Event]) -> None:
        """While it starts: what has come, and what is refused."""
        for event in events:
            if isinstance(event, BookUpdate) and event.kind == "snapshot":
                self._waited_for.discard(event.symbol)
                self._news.set()
            elif isinstance(event, Refused):
                self._refuse(event)

    def _refuse(self, event: Refused) -> None:
        if not self._ready.done():
            self.failure = VenueRefusal(event.error, method=event.method, symbol=event.symbol, hint=event.hint)
            self._news.set()

    def _listing(self, symbol: str) -> Listing:
        assert self._pairs is not None
        listing = self._pairs.get(symbol)
        if listing is None:
            near = difflib.get_close_matches(symbol, self._pairs, 1)
            hint = f"Did you mean {near[0]}?" if near else ""
            raise ConfigError(symbol, expected=f"an instrument that {self._on} has", found="none", hint=hint)
        depth = self._wants.depth if "book" in self._wants.channels else 0
        return msgspec.structs.replace(listing, depth=depth)


def _nobody(_error: KrakenwireError) -> None:
    """Nobody listens."""


def _is_wrong(event: Event) -> bool:
    """Return whether it is a book message whose checksum differs; told now, because its book goes on to live again."""
    if not isinstance(event, BookUpdate) or event.verified or event.checksum is None:
        return False
    return event.book is not None and event.book.state != "live"


def _raise_of(end: asyncio.Future[None]) -> None:
    if end.done() and not end.cancelled() and (error := end.exception()) is not None:
        if isinstance(error, KrakenwireError):
            raise error
        raise StreamEnded("the market data") from error

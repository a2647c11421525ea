"""The three client styles, over every transport, behind one interface: one suite can run over all of them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Protocol, TypeVar

import krakenwire
import krakenwire.aio
import krakenwire.threaded
from krakenwire import _native
from krakenwire.client.core import CONFLATED, ClientCounters
from krakenwire.errors import StreamEnded
from krakenwire.model import BookReading, Refused

T = TypeVar("T")

QUICK = {"pause_s": 0.05, "pause_max_s": 0.2, "silence_s": 3.0}
"""Waits shorter than the defaults, so that a test of reconnecting takes no minutes."""


class Reader(Protocol):
    """One stream of any style."""

    def next(self, timeout: float | None = 10.0) -> Any: ...
    def add(self, *symbols: str) -> None: ...
    def remove(self, *symbols: str) -> None: ...
    def close(self) -> None: ...
    @property
    def refused(self) -> dict[str, Refused]: ...
    @property
    def dropped(self) -> int: ...


class Style(Protocol):
    """One client of any style."""

    def stream(self, channel: str, *symbols: str, **options: Any) -> Reader: ...
    def ping(self) -> float: ...
    def book(self, symbol: str) -> BookReading: ...
    @property
    def counters(self) -> ClientCounters: ...
    def close(self) -> None: ...


HOW = ("timeout", "policy", "queue", "snapshot", "notices")


def split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    how = {name: value for name, value in options.items() if name in HOW}
    return how, {name: value for name, value in options.items() if name not in HOW}


class Blocking:
    def __init__(self, on: str, **settings: Any) -> None:
        self.kraken = krakenwire.Kraken(on, **settings)

    def stream(self, channel: str, *symbols: str, **options: Any) -> Reader:
        how, parameters = split(options)
        return self.kraken.stream(channel, *symbols, how=how, **parameters)  # type: ignore[arg-type]

    def ping(self) -> float:
        return self.kraken.ping()

    def book(self, symbol: str) -> BookReading:
        return self.kraken.book(symbol)

    @property
    def counters(self) -> ClientCounters:
        return self.kraken.counters

    def close(self) -> None:
        self.kraken.close()


class ThreadedReader:
    def __init__(self, queue: Any) -> None:
        self.queue = queue

    def next(self, timeout: float | None = 10.0) -> Any:
        return self.queue.get(timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queue, name)


class Threaded:
    def __init__(self, on: str, **settings: Any) -> None:
        self.kraken = krakenwire.threaded.Kraken(on, **settings, on_error=lambda _: None)
        self.kraken.start()

    def stream(self, channel: str, *symbols: str, **options: Any) -> Reader:
        conflated = channel in CONFLATED or channel == "book"
        options.setdefault("policy", "conflate" if conflated else "block")
        return ThreadedReader(self.kraken.queue(channel, *symbols, **options))

    def ping(self) -> float:
        return self.kraken.ping()

    def book(self, symbol: str) -> BookReading:
        return self.kraken.book(symbol)

    @property
    def counters(self) -> ClientCounters:
        return self.kraken.counters

    def close(self) -> None:
        self.kraken.stop()


class Aio:
    """The asyncio client in a loop of its own, which goes on while the test does something else."""

    def __init__(self, on: str, **settings: Any) -> None:
        self.kraken = krakenwire.aio.Kraken(on, **settings)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self.run(self.kraken.__aenter__())
        except BaseException:
            self.end_loop()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def do(self, action: Callable[[], T]) -> T:
        async def act() -> T:
            return action()

        return self.run(act())

    def stream(self, channel: str, *symbols: str, **options: Any) -> Reader:
        if not self.thread.is_alive():
            raise StreamEnded("this client")
        how, parameters = split(options)
        stream = self.do(lambda: self.kraken.stream(channel, *symbols, how=how, **parameters))  # type: ignore[arg-type]
        return AioReader(self, stream)

    def ping(self) -> float:
        return self.run(self.kraken.ping())

    def book(self, symbol: str) -> BookReading:
        return self.do(lambda: self.kraken.book(symbol).freeze())

    @property
    def counters(self) -> ClientCounters:
        return self.do(lambda: self.kraken.counters)

    def close(self) -> None:
        if self.thread.is_alive():
            self.run(self.kraken.close())
            self.end_loop()

    def end_loop(self) -> None:
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


class AioReader:
    def __init__(self, style: Aio, stream: Any) -> None:
        self.style, self.stream = style, stream

    def next(self, timeout: float | None = 10.0) -> Any:
        async def next_frozen() -> Any:
            item = await self.stream.next(timeout)
            return item.freeze() if hasattr(item, "freeze") and item.state == "live" else item

        return self.style.run(next_frozen())

    def add(self, *symbols: str) -> None:
        self.style.do(lambda: self.stream.add(*symbols))

    def remove(self, *symbols: str) -> None:
        self.style.do(lambda: self.stream.remove(*symbols))

    def close(self) -> None:
        self.style.do(self.stream.close)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


PATIENCE_S = 60.0

STYLES: dict[str, Callable[..., Style]] = {
    "blocking": Blocking,
    "blocking-picows": partial(Blocking, transport="picows"),
    "threaded": Threaded,
    "threaded-picows": partial(Threaded, transport="picows"),
    "aio": partial(Aio, transport="picows"),
}
if _native.ENABLED:
    STYLES["blocking-native"] = partial(Blocking, transport="native")
    STYLES["threaded-native"] = partial(Threaded, transport="native")
    STYLES["aio-native"] = partial(Aio, transport="native")


def items(reader: Reader, limit: int = 20_000, timeout: float = 15.0) -> Iterator[Any]:
    """What comes, as long as anybody should wait for something in it."""
    end = time.monotonic() + PATIENCE_S
    for _ in range(limit):
        yield reader.next(timeout)
        if time.monotonic() > end:
            break


def take_until(reader: Reader, wanted: Callable[[Any], bool], limit: int = 20_000, timeout: float = 15.0) -> Any:
    """Return the first item that is wanted."""
    for item in items(reader, limit, timeout):
        if wanted(item):
            return item
    raise AssertionError("what was waited for did not come")


def symbols_until(reader: Reader, symbols: set[str]) -> set[str]:
    """Read until items of all these symbols have come; return the symbols seen."""
    seen: set[str] = set()
    for item in items(reader):
        seen.add(item.symbol)
        if symbols <= seen:
            return seen
    raise AssertionError(f"only {seen} came")

"""Echo round trip over loopback: our asyncio transport beside raw picows, both on uvloop where it is installed.

Idle-class spinners keep the cores awake, the server is a process of its own,
and both clients send the next message from inside the callback of the last one.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

import picows

from krakenwire import _native
from krakenwire.bench.children import serving, spinning
from krakenwire.bench.rows import Row, compared
from krakenwire.bench.timing import Job, take_turns
from krakenwire.client.aio import run
from krakenwire.client.attempt import Attempt
from krakenwire.client.transports import open_wire
from krakenwire.session.reading import Sink

__all__ = ["echo_rows"]

YARDSTICK = "raw picows on the same event loop"

_TEXT = '{"channel":"x","pad":"' + "x" * 226 + '"}'
_TIMEOUT_S = 30


class _Trips:
    """Times of the round trips of one connection.

    Args:
        count: how many to make.
    """

    def __init__(self, count: int) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count = count
        self._took: list[int] = []
        self.sent_ns = 0

    def back(self) -> bool:
        """Note one message; return whether to send another one."""
        self._took.append(time.perf_counter_ns() - self.sent_ns)
        if len(self._took) < self._count:
            return True
        if not self.done.done():
            self.done.set_result(None)
        return False

    def p50_ns(self) -> float:
        """Return the median, without the first tenth."""
        return statistics.median(self._took[self._count // 10 :])


def echo_rows(rounds: int, quick: bool) -> list[Row]:
    """Return the row of the round trip."""
    count = 200 if quick else 8_000
    with serving(1) as (_, port), spinning() as awake:
        url = f"ws://127.0.0.1:{port}/"
        cases = {
            "ours": lambda: Job(lambda: run(_ours(url, count)), 1),
            "picows": lambda: Job(lambda: run(_picows(url, count)), 1),
        }
        series = take_turns(cases, rounds, _microseconds)
    note = "" if awake else "the cores were not kept awake"
    return [compared("echo-p50", series["ours"], YARDSTICK, series["picows"], "us", note=note)]


def _microseconds(job: Job) -> float:
    nanoseconds = job.run()
    assert isinstance(nanoseconds, float | int)
    return nanoseconds / 1e3


class _BackSink:
    """Hands each message to a callable, where the transport is not a compiled one."""

    def __init__(self, on_frame: Callable[[bytes, bool], None]) -> None:
        self._on_frame = on_frame

    def feed(self, data: bytes, last: bool = True) -> None:
        self._on_frame(data, last)

    def finish(self) -> None:
        """Nothing waits for the end of a read."""


def _sink(on_frame: Callable[[bytes, bool], None]) -> Sink:
    """Return what the asyncio client's transport puts messages into."""
    if not _native.ENABLED:
        return _BackSink(on_frame)
    from krakenwire._native.sink import CallableSink

    return CallableSink(on_frame)


async def _ours(url: str, count: int) -> float:
    trips = _Trips(count)

    def on_frame(frame: bytes, last: bool) -> None:
        assert len(frame) == len(_TEXT)
        assert last
        if trips.back():
            trips.sent_ns = time.perf_counter_ns()
            wire.send(_TEXT)

    wire = await open_wire(Attempt(url, None, _TIMEOUT_S), lambda _: None, _sink(on_frame))
    trips.sent_ns = time.perf_counter_ns()
    wire.send(_TEXT)
    await asyncio.wait_for(trips.done, _TIMEOUT_S)
    wire.close()
    await wire.ended()
    return trips.p50_ns()


class _Listener(picows.WSListener):
    def __init__(self, trips: _Trips) -> None:
        self._trips = trips

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT and self._trips.back():
            self._trips.sent_ns = time.perf_counter_ns()
            transport.send(picows.WSMsgType.TEXT, _TEXT)


async def _picows(url: str, count: int) -> float:
    trips = _Trips(count)
    transport, _ = await picows.ws_connect(lambda: _Listener(trips), url)
    trips.sent_ns = time.perf_counter_ns()
    transport.send(picows.WSMsgType.TEXT, _TEXT)
    await asyncio.wait_for(trips.done, _TIMEOUT_S)
    transport.disconnect(graceful=False)
    await transport.wait_disconnected()
    return trips.p50_ns()

"""A loop that the user's own code holds up: what waits in the socket is read before anything is called silent."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from krakenwire import _native
from krakenwire.aio import Kraken
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.client.aio_pump import Pilot
from krakenwire.client.clock import now_ns
from krakenwire.client.transports import LoopTransport
from krakenwire.testing import local_kraken
from krakenwire.testing.proxy import FaultProxy

_MS = 1_000_000

NewLoop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD"], rate=200) as started:
        yield started


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> NewLoop:
    loop: NewLoop = asyncio.new_event_loop
    return loop if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop  # type: ignore[no-any-return]  # what it is


@pytest.fixture(params=["picows", "native"])
def transport(request: pytest.FixtureRequest) -> LoopTransport:
    if request.param == "native" and not _native.ENABLED:
        pytest.skip("the compiled twins are not in use")
    chosen: LoopTransport = request.param
    return chosen


class Hub:
    """Stands for a hub whose time comes once."""

    blocked = False

    def __init__(self, due_ns: int, order: list[str]) -> None:
        self.session = self
        self._due_ns: int | None = due_ns
        self._order = order
        self.over = asyncio.Event()

    def next_deadline_ns(self) -> int | None:
        return self._due_ns

    def hold(self, now_ns: int) -> None:
        self._order.append("hold")

    def poll(self, now_ns: int) -> None:
        self._due_ns = None
        self._order.append("judge")
        self.over.set()

    def flush(self) -> None: ...
    def take_effects(self) -> list[object]:
        return []


@pytest.mark.parametrize("late_s", [0.0, 0.3])
def test_what_came_before_the_time_is_read_before_the_time_is_acted_on(new_loop: NewLoop, late_s: float) -> None:
    order: list[str] = []
    ours, theirs = socket.socketpair()

    def read() -> None:
        order.append("read")
        ours.recv(1)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        hub: Any = Hub(now_ns() + 10 * _MS, order)
        line: Any = type("Line", (), {"hub": hub})()
        pilot = Pilot(line, loop, lambda: None, "picows")
        loop.add_reader(ours, read)

        def hold_up() -> None:
            theirs.send(b"x")
            time.sleep(late_s)

        loop.call_later(0.005, hold_up)
        pilot.settle()
        time.sleep(0.02)  # noqa: ASYNC251  # both times have come: they are acted on in one go
        await asyncio.wait_for(hub.over.wait(), 10)
        loop.remove_reader(ours)

    with ours, theirs, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
    assert [step for step in order if step != "hold"] == ["read", "judge"]


def test_code_that_holds_the_loop_up_is_not_taken_for_a_silent_venue(
    venue: LocalVenue, new_loop: NewLoop, transport: LoopTransport
) -> None:
    calls: list[str] = []

    def dawdle(event: Any) -> None:
        if event.channel == "book":
            calls.append(event.symbol)
            if len(calls) in (5, 6, 30):
                time.sleep(0.9)

    async def main() -> None:
        limits = {"silence_s": 0.3, "reply_timeout_s": 0.3, "snapshot_timeout_s": 0.3, "subscription_silence_s": 0.3}
        async with Kraken(venue.ws_v2, transport=transport, **limits) as kraken:  # type: ignore[arg-type]  # all floats
            kraken.listen(dawdle, "book", "BTC/USD", depth=10)
            async with asyncio.timeout(20):
                while len(calls) < 60:  # noqa: ASYNC110  # what is looked at is how the calls come
                    await asyncio.sleep(0.01)
            assert (kraken.counters.silence, kraken.counters.reconnects, kraken.counters.gaps) == (0, 0, 0)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


def test_a_venue_that_is_silent_is_found_out_in_a_loop_that_is_held_up(
    venue: LocalVenue, new_loop: NewLoop, transport: LoopTransport
) -> None:
    async def main() -> None:
        with FaultProxy(venue.port) as proxy:
            async with Kraken(proxy.url, transport=transport, silence_s=0.4, pause_s=0.01) as kraken:
                books = kraken.books("BTC/USD")
                await books.next(10)
                await asyncio.to_thread(proxy.stall)
                deadline = time.monotonic() + 10
                while not kraken.counters.silence:
                    assert time.monotonic() < deadline, "silence was never noticed"
                    time.sleep(0.3)  # noqa: ASYNC251  # this is what the test is about
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(proxy.stall, False)
                while not kraken.counters.reconnects:
                    await books.next(10)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())

"""Clients whose connections live in an event loop of a background thread: what the user's thread notices of it."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.threads import left_since, running

import krakenwire.threaded
from krakenwire import Kraken, _native
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.client import aio_pump, loop_pump
from krakenwire.client.aio_pump import Pilot
from krakenwire.client.loop_pump import LoopPump
from krakenwire.client.options import THREAD_TRANSPORTS, Transport
from krakenwire.errors import InternalError, StreamEnded
from krakenwire.testing import local_kraken
from krakenwire.testing.proxy import FaultProxy


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], rate=200) as started:
        yield started


@pytest.fixture(params=["picows", "native"])
def loop_transport(request: pytest.FixtureRequest) -> Transport:
    if request.param == "native" and not _native.ENABLED:
        pytest.skip("the compiled twins are not in use")
    chosen: Transport = request.param
    return chosen


@pytest.fixture(params=[name for name in THREAD_TRANSPORTS if name != "native" or _native.ENABLED])
def transport(request: pytest.FixtureRequest) -> Transport:
    chosen: Transport = request.param
    return chosen


def wait_for(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)


# -- blocking: the connection lives while nobody waits --------------------------------


def test_frames_are_read_while_the_user_is_busy(venue: LocalVenue, loop_transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=loop_transport, ping_interval_s=0.05) as kraken:
        trades = kraken.trades("BTC/USD", policy="drop", queue=5)
        next(trades)
        before = kraken.counters
        wait_for(lambda: kraken.counters.frames > before.frames + 100)
        wait_for(lambda: trades.dropped > 0)


def test_a_lost_connection_is_renewed_while_the_user_is_busy(venue: LocalVenue, loop_transport: Transport) -> None:
    with FaultProxy(venue.port) as proxy, Kraken(proxy.url, transport=loop_transport, pause_s=0.05) as kraken:
        books = kraken.books("BTC/USD")
        next(books)
        proxy.cut()
        wait_for(lambda: kraken.counters.reconnects == 1)
        verified = kraken.counters.verified
        wait_for(lambda: kraken.counters.verified > verified + 10)
        assert next(books).verified


def test_a_book_that_was_handed_out_stays_as_it_is(venue: LocalVenue, loop_transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=loop_transport) as kraken:
        books = kraken.books("BTC/USD")
        first, beside = next(books), kraken.book("BTC/USD")
        shown = [(book.time_ns, book.bids, book.asks) for book in (first, beside)]
        verified = kraken.counters.verified
        wait_for(lambda: kraken.counters.verified > verified + 20)
        assert [(book.time_ns, book.bids, book.asks) for book in (first, beside)] == shown
        newest = next(books)
        assert newest.time_ns is not None
        assert first.time_ns is not None
        assert newest.time_ns > first.time_ns


def test_a_full_queue_pauses_the_reading_and_that_is_no_silence(venue: LocalVenue, loop_transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=loop_transport, silence_s=1.0) as kraken:
        books = kraken.books("BTC/USD", "ETH/USD", policy="block", queue=5)
        next(books)
        line = kraken._core.lines[0]
        wait_for(lambda: line.hub.blocked)
        paused_at = time.monotonic()
        wait_for(lambda: time.monotonic() > paused_at + 1.5)
        counts: dict[str, list[int]] = {}
        for _ in range(200):
            book = books.next(10)
            counts.setdefault(book.symbol, []).append(book.verified_count)
        for numbers in counts.values():
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert (kraken.counters.silence, kraken.counters.reconnects, kraken.counters.gaps) == (0, 0, 0)


def test_an_interrupted_wait_leaves_the_client_usable(venue: LocalVenue, loop_transport: Transport) -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread alone")
    before = running()
    with Kraken(venue.ws_v2, transport=loop_transport) as kraken:
        status = kraken.status()
        next(status)
        threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            status.next(timeout=30)
        assert kraken.trades("BTC/USD").next(10).symbol == "BTC/USD"
    assert not left_since(before)


# -- the end ---------------------------------------------------------------------------


def test_closing_while_connecting_ends_thread_and_stream(loopback: Any, loop_transport: Transport) -> None:
    before = running()
    heard = threading.Event()

    async def never_answer(peer: Any) -> None:
        await peer.request()
        heard.set()
        await peer.until_gone()

    address = f"ws://127.0.0.1:{loopback.serve(never_answer)}"
    own = running() - before
    with Kraken(address, transport=loop_transport) as kraken:
        status = kraken.status()
        assert heard.wait(10)
    with pytest.raises(StreamEnded):
        status.next()
    assert not left_since(before | own)


def test_closing_before_the_first_step_ends_the_streams(loop_transport: Transport) -> None:
    for _ in range(30):
        with Kraken("ws://127.0.0.1:1", transport=loop_transport, retry_initial=True) as kraken:
            status = kraken.status()
        with pytest.raises(StreamEnded):
            status.next()


def test_stopping_right_after_starting_stops(loop_transport: Transport) -> None:
    before = running()
    for _ in range(30):
        kraken = krakenwire.threaded.Kraken("ws://127.0.0.1:1", transport=loop_transport, retry_initial=True)
        kraken.start()
        kraken.stop()
    assert not left_since(before)


def test_a_client_that_was_forgotten_takes_its_thread_along(venue: LocalVenue, loop_transport: Transport) -> None:
    before = running()
    trades = Kraken(venue.ws_v2, transport=loop_transport).trades("BTC/USD")
    gc.collect()
    assert trades.next(10).symbol == "BTC/USD"  # a stream keeps what it needs
    del trades
    gc.collect()
    assert not left_since(before)


def test_a_client_ended_by_a_failure_keeps_its_reason(loop_transport: Transport) -> None:
    with Kraken("ws://127.0.0.1:1", transport=loop_transport) as kraken:
        status = kraken.status()
        errors = []
        for _ in range(2):
            with pytest.raises(Exception, match="refused") as caught:
                next(status)
            errors.append(caught.value)
        assert errors[0] is errors[1]


SCRIPTS = {
    "a blocking client that nobody closed": """
kraken = krakenwire.Kraken(url, transport=transport)
print(next(kraken.trades("BTC/USD")).symbol)
""",
    "a daemon's thread": """
came = threading.Event()
kraken = krakenwire.threaded.Kraken(url, transport=transport, daemon=True, on_trade=lambda trade: came.set())
kraken.subscribe_trades("BTC/USD")
kraken.start()
assert came.wait(30)
print("BTC/USD")
""",
    "a thread that goes on when the main one has ended": """
def take(trade):
    if not threading.main_thread().is_alive():
        print(trade.symbol)
        kraken.stop()

kraken = krakenwire.threaded.Kraken(url, transport=transport, on_trade=take)
kraken.subscribe_trades("BTC/USD")
kraken.start()
""",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_process_ends_in_peace(script: str, venue: LocalVenue, loop_transport: Transport) -> None:
    names = f"url, transport = {venue.ws_v2!r}, {loop_transport!r}\n"
    source = "import threading\nimport krakenwire, krakenwire.threaded\n" + names + SCRIPTS[script]
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "BTC/USD\n", "")


# -- callbacks ---------------------------------------------------------------------------


def test_callbacks_of_all_channels_come_in_the_order_of_the_wire(venue: LocalVenue, transport: Transport) -> None:
    seen: list[tuple[str, str]] = []
    wanted = ("book", "trade", "ticker")

    def note_event(event: Any) -> None:
        if event.channel in wanted:
            seen.append(("event", event.channel))
            if len(seen) < 50:
                time.sleep(0.02)  # so that several messages are there at once

    def note(channel: str) -> Callable[[Any], None]:
        return lambda _: seen.append(("item", channel))

    with krakenwire.threaded.Kraken(
        venue.ws_v2,
        transport=transport,
        on_event=note_event,
        on_book=note("book"),
        on_trade=note("trade"),
        on_ticker=note("ticker"),
    ) as kraken:
        for subscribe in (kraken.subscribe_books, kraken.subscribe_trades, kraken.subscribe_ticker):
            subscribe("BTC/USD", "ETH/USD")
        wait_for(lambda: len(seen) > 500)
    latest = ""
    for what, channel in seen:
        assert what == "event" or channel == latest, "an item came without its event right before it"
        latest = channel


def test_a_long_callback_is_not_taken_for_a_silent_venue(venue: LocalVenue, transport: Transport) -> None:
    calls: list[str] = []

    def dawdle(book: Any) -> None:
        calls.append(book.symbol)
        if len(calls) == 3:
            time.sleep(2.5)

    with krakenwire.threaded.Kraken(venue.ws_v2, transport=transport, silence_s=1.0, on_book=dawdle) as kraken:
        kraken.subscribe_books("BTC/USD")
        wait_for(lambda: len(calls) > 20)
        assert (kraken.counters.silence, kraken.counters.reconnects) == (0, 0)


def test_other_threads_get_their_items_while_a_callback_waits_for_them(venue: LocalVenue, transport: Transport) -> None:
    served = threading.Event()
    came: list[bool] = []
    with krakenwire.threaded.Kraken(
        venue.ws_v2, transport=transport, on_status=lambda _: came.append(served.wait(10))
    ) as kraken:
        status = kraken.queue("status")
        assert status.get(10).system == "online"
        assert kraken.counters.frames
        served.set()
        wait_for(lambda: came)
    assert came == [True]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_exits_ends_the_thread(venue: LocalVenue, transport: Transport) -> None:
    kraken = krakenwire.threaded.Kraken(venue.ws_v2, transport=transport, on_status=lambda _: sys.exit())
    kraken.start()
    assert kraken.join(10)
    assert not kraken.is_alive


# -- bugs --------------------------------------------------------------------------------


def test_a_bug_in_the_thread_reaches_whoever_waits(
    venue: LocalVenue, loop_transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Pilot) -> None:
        raise ZeroDivisionError("nobody expected this")

    before = running()
    monkeypatch.setattr(Pilot, "_set_timer", fail)
    kraken = Kraken(venue.ws_v2, transport=loop_transport)
    with pytest.raises(InternalError):
        kraken.status().next(10)
    kraken.close()
    threaded = krakenwire.threaded.Kraken(venue.ws_v2, transport=loop_transport).start()
    with pytest.raises(InternalError, match="ZeroDivisionError"):
        threaded.join(10)
    assert not left_since(before)


def test_a_bug_while_connecting_ends_the_client_with_an_error(
    loop_transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("nobody expected this")

    monkeypatch.setattr(aio_pump, "open_wire", fail)
    with (
        Kraken("ws://127.0.0.1:1", transport=loop_transport) as kraken,
        pytest.raises(InternalError, match="ZeroDivisionError"),
    ):
        next(kraken.status())


# -- the loop ------------------------------------------------------------------------------


def test_the_loop_is_asyncios_own_whose_thread_the_interpreter_can_end(venue: LocalVenue) -> None:
    with krakenwire.threaded.Kraken(venue.ws_v2, transport="picows") as kraken:
        assert kraken.queue("book", "BTC/USD").get(10).verified
        assert isinstance(kraken._pump, loop_pump.LoopPump)
        assert type(kraken._pump._loop).__module__.startswith("asyncio.")


def test_a_pump_that_was_never_turned_closes_what_was_never_opened(venue: LocalVenue) -> None:
    kraken = krakenwire.threaded.Kraken(venue.ws_v2, transport="picows")
    trades = kraken.queue("trade", "BTC/USD")
    assert isinstance(kraken._pump, LoopPump)
    kraken.stop()
    with pytest.raises(StreamEnded):
        trades.get(1)


async def test_a_time_that_has_come_can_be_waited_for_twice() -> None:
    """uvloop's handle of such a time has none of a timer's methods."""
    uvloop = pytest.importorskip("uvloop")

    async def twice() -> int:
        hub: Any = type("Hub", (), {"next_deadline_ns": lambda _: 1})()
        line: Any = type("Line", (), {"hub": hub})()
        pilot = Pilot(line, asyncio.get_running_loop(), lambda: None, "picows")
        pilot._set_timer()
        pilot._set_timer()
        assert pilot._timer is not None
        pilot._timer.cancel()
        return 2

    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    assert await asyncio.to_thread(lambda: _run(runner, twice())) == 2


def _run(runner: asyncio.Runner, work: Any) -> Any:
    with runner:
        return runner.run(work)

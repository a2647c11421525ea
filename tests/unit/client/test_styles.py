"""What only one style has: the for loop, callbacks and threads, tasks and cancellation; and what none may show."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from tests.threads import left_since, running

import krakenwire.aio
import krakenwire.threaded
from krakenwire import Kraken, _native
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.client import environments, pump
from krakenwire.client.options import THREAD_TRANSPORTS, Transport
from krakenwire.errors import ConfigError, ConnectError, InternalError, StreamEnded, UsageError, WaitTimeout
from krakenwire.testing import local_kraken


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD", "XRP/USD"], rate=100) as running:
        yield running


@pytest.fixture(params=[name for name in THREAD_TRANSPORTS if name != "native" or _native.ENABLED])
def transport(request: pytest.FixtureRequest) -> Transport:
    """What carries the connections of a client in threads: in the user's own, or in a loop of the background's."""
    chosen: Transport = request.param
    return chosen


# -- blocking ----------------------------------------------------------------------


def test_three_lines_print_trades(venue: LocalVenue, transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=transport) as kraken:
        found = [trade.symbol for trade in islice(kraken.trades("BTC/USD", "XRP/USD"), 5)]
    assert set(found) <= {"BTC/USD", "XRP/USD"}


def test_local_brings_its_own_venue_and_takes_it_away(transport: Transport) -> None:
    before = running()
    with Kraken("local", transport=transport) as kraken:
        assert next(kraken.books("BTC/USD")).verified
    assert not left_since(before)


def test_a_client_needs_no_with_statement(venue: LocalVenue, transport: Transport) -> None:
    kraken = Kraken(venue.ws_v2, transport=transport)
    assert next(kraken.status()).system == "online"
    kraken.close()


def test_a_loop_ends_when_its_stream_is_closed(venue: LocalVenue, transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=transport) as kraken:
        books = kraken.books("BTC/USD", policy="block")
        seen = 0
        for _ in books:
            seen += 1
            if seen == 3:
                books.close()
    assert seen == 3


def test_a_slow_loop_body_is_not_taken_for_a_silent_venue(venue: LocalVenue, transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=transport, silence_s=1.0) as kraken:
        books = kraken.books("BTC/USD")
        next(books)
        time.sleep(2.5)
        next(books)
        books.next(timeout=5)
        assert (kraken.counters.reconnects, kraken.counters.silence) == (0, 0)


def test_frames_come_without_a_stream_of_data(venue: LocalVenue, transport: Transport) -> None:
    with Kraken(venue.ws_v2, transport=transport) as kraken:
        kraken.subscribe("ticker", "BTC/USD", "ETH/USD")
        frames = kraken.frames()
        while '"channel":"ticker"' not in next(frames).frame:
            pass
        events = kraken.events()
        kraken.unsubscribe("ticker", "ETH/USD")
        while next(events).channel != "unsubscribed":
            pass


def test_nothing_happens_in_the_constructor() -> None:
    before = running()
    for style in (Kraken, krakenwire.aio.Kraken, krakenwire.threaded.Kraken):
        style("local")
        style("ws://127.0.0.1:1")
    assert not running() - before


@pytest.mark.parametrize("style", [Kraken, krakenwire.aio.Kraken, krakenwire.threaded.Kraken])
@pytest.mark.parametrize(
    "wrong",
    [{"version": 3}, {"queue": 0}, {"silence_s": 0}, {"colour": "red"}, {"token": 5}, {"pause_s": 9, "pause_max_s": 1}],
)
def test_a_wrong_setting_is_refused_in_the_constructor(style: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        style("live", **wrong)


# -- threaded ------------------------------------------------------------------------


def test_callbacks_come_while_the_main_thread_does_its_own_work(venue: LocalVenue, transport: Transport) -> None:
    seen: dict[str, list[Any]] = {"trade": [], "ticker": [], "book": [], "candle": [], "spread": [], "status": []}
    threads: set[str] = set()

    def note(kind: str) -> Any:
        def take(item: Any) -> None:
            threads.add(threading.current_thread().name)
            seen[kind].append(item if kind != "book" else item.freeze())

        return take

    kraken = krakenwire.threaded.Kraken(
        venue.ws_v2,
        transport=transport,
        on_trade=note("trade"),
        on_ticker=note("ticker"),
        on_book=note("book"),
        on_candle=note("candle"),
        on_spread=note("spread"),
        on_status=note("status"),
    )
    kraken.subscribe_trades("BTC/USD", "BTC/USD")
    kraken.subscribe_books("BTC/USD")
    with kraken:
        kraken.subscribe_ticker("ETH/USD")
        kraken.subscribe_ohlc("BTC/USD")
        kraken.subscribe_spreads("BTC/USD")
        wait_for(lambda: all(seen.values()))
    assert threads == {"krakenwire"}
    counts = [book.verified_count for book in seen["book"]]
    assert counts == list(range(counts[0], counts[0] + len(counts))), "one call for each change of the book"
    assert not kraken.is_alive


def test_subscribing_twice_calls_back_once(venue: LocalVenue, transport: Transport) -> None:
    ids: list[int | None] = []
    with krakenwire.threaded.Kraken(
        venue.ws_v2, transport=transport, on_trade=lambda trade: ids.append(trade.trade_id)
    ) as kraken:
        kraken.subscribe_trades("BTC/USD", "ETH/USD")
        kraken.subscribe_trades("XBT/USD")
        wait_for(lambda: len(ids) >= 10)
    assert len(ids) == len(set(ids))


def test_unsubscribing_stops_the_calls(venue: LocalVenue, transport: Transport) -> None:
    symbols: list[str] = []
    with krakenwire.threaded.Kraken(
        venue.ws_v2, transport=transport, on_book=lambda book: symbols.append(book.symbol)
    ) as kraken:
        kraken.subscribe_books("BTC/USD", "ETH/USD")
        wait_for(lambda: {"BTC/USD", "ETH/USD"} <= set(symbols))
        events = kraken.queue("events")
        kraken.unsubscribe_books("BTC/USD")
        while events.get(10).channel != "unsubscribed":
            pass
        symbols.clear()
        wait_for(lambda: len(symbols) >= 5)
        assert set(symbols) == {"ETH/USD"}


def test_a_callback_that_raises_is_reported_and_the_feed_goes_on(venue: LocalVenue, transport: Transport) -> None:
    errors: list[Exception] = []
    books: list[str] = []

    def clumsy(book: Any) -> None:
        books.append(book.symbol)
        if len(books) == 2:
            raise ValueError("dropped it")

    with krakenwire.threaded.Kraken(venue.ws_v2, transport=transport, on_book=clumsy, on_error=errors.append) as kraken:
        kraken.subscribe_books("BTC/USD")
        wait_for(lambda: len(books) >= 5)
    assert [str(error) for error in errors] == ["dropped it"]


def test_without_on_error_the_log_has_it(
    venue: LocalVenue, caplog: pytest.LogCaptureFixture, transport: Transport
) -> None:
    def clumsy(_: Any) -> None:
        raise ValueError("dropped it")

    with krakenwire.threaded.Kraken(venue.ws_v2, transport=transport, on_status=clumsy):
        wait_for(lambda: "dropped it" in caplog.text)


def test_stopping_from_a_callback_does_not_wait_for_itself(venue: LocalVenue, transport: Transport) -> None:
    def last(_: Any) -> None:
        kraken.stop()
        kraken.stop()

    kraken = krakenwire.threaded.Kraken(venue.ws_v2, transport=transport, on_book=last)
    kraken.subscribe_books("BTC/USD")
    kraken.start()
    assert kraken.join(10)
    assert not kraken.is_alive


def test_a_failure_reaches_join_get_and_on_error(transport: Transport) -> None:
    errors: list[Exception] = []
    kraken = krakenwire.threaded.Kraken("ws://127.0.0.1:1", transport=transport, on_error=errors.append)
    trades = kraken.queue("trade", "BTC/USD")
    kraken.start()
    with pytest.raises(ConnectError):
        trades.get(10)
    with pytest.raises(ConnectError):
        kraken.join(10)
    kraken.stop()
    assert [type(error) for error in errors] == [ConnectError]


def test_a_queue_holds_copies_and_ends_when_the_client_stops(venue: LocalVenue, transport: Transport) -> None:
    with krakenwire.threaded.Kraken(venue.ws_v2, transport=transport) as kraken:
        queue = kraken.queue("book", "BTC/USD", policy="conflate")
        book = queue.get(10)
        before = (book.time_ns, book.bids)
        queue.get(10)
        assert (book.time_ns, book.bids) == before
        waiting = iter(queue)
        stopper = threading.Timer(0.2, kraken.stop)
        stopper.start()
        for _ in waiting:
            pass
        stopper.join()
    with pytest.raises(StreamEnded):
        queue.get()


def test_a_queue_in_a_callback_is_refused_rather_than_waited_for(venue: LocalVenue, transport: Transport) -> None:
    errors: list[Exception] = []
    kraken = krakenwire.threaded.Kraken(
        venue.ws_v2, transport=transport, on_status=lambda _: queue.get(), on_error=errors.append
    )
    queue = kraken.queue("trade", "BTC/USD")
    with kraken:
        wait_for(lambda: bool(errors))
    assert isinstance(errors[0], UsageError)


def test_a_callback_that_never_returns_is_told_by_stop(venue: LocalVenue, transport: Transport) -> None:
    stuck, release = threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        stuck.set()
        release.wait(30)

    kraken = krakenwire.threaded.Kraken(venue.ws_v2, transport=transport, on_status=hang).start()
    assert stuck.wait(10)
    with pytest.raises(WaitTimeout):
        kraken.stop(0.1)
    release.set()
    assert kraken.join(10)


def test_a_client_starts_once(venue: LocalVenue, transport: Transport) -> None:
    kraken = krakenwire.threaded.Kraken(venue.ws_v2, transport=transport).start()
    with pytest.raises(UsageError):
        kraken.start()
    kraken.stop()
    with pytest.raises(UsageError):
        kraken.start()


def wait_for(condition: Any, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)


# -- asyncio -------------------------------------------------------------------------


async def test_async_for_gives_verified_books(venue: LocalVenue) -> None:
    async with krakenwire.aio.Kraken(venue.ws_v2) as kraken:
        seen = 0
        async for book in kraken.books("BTC/USD", depth=10):
            assert book.verified
            seen += 1
            if seen == 5:
                break


async def test_many_tasks_share_one_connection(venue: LocalVenue) -> None:
    async with krakenwire.aio.Kraken(venue.ws_v2) as kraken:

        async def first(symbol: str) -> str:
            return (await kraken.books(symbol).next(timeout=10)).symbol

        found = await asyncio.gather(*(first(symbol) for symbol in ("BTC/USD", "ETH/USD", "XRP/USD")))
        assert found == ["BTC/USD", "ETH/USD", "XRP/USD"]
        assert kraken.counters.attempts == 1


async def test_cancelling_a_wait_loses_nothing(venue: LocalVenue) -> None:
    async with krakenwire.aio.Kraken(venue.ws_v2) as kraken:
        trades = kraken.trades("BTC/USD", "ETH/USD", "XRP/USD")
        ids: dict[str, list[int]] = {}
        cancelled = 0
        while sum(map(len, ids.values())) < 40:
            try:
                async with asyncio.timeout(0.01):
                    trade = await trades.next()
            except TimeoutError:
                cancelled += 1
                continue
            ids.setdefault(trade.symbol, []).append(trade.trade_id or 0)
    assert cancelled
    for numbers in ids.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_our_time_out_is_ours_and_anothers_is_theirs(venue: LocalVenue) -> None:
    async with krakenwire.aio.Kraken(venue.ws_v2) as kraken:
        status = kraken.status()
        await status.next()
        with pytest.raises(WaitTimeout):
            await status.next(timeout=0.02)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await status.next(timeout=10)


async def test_streams_need_the_async_with_statement() -> None:
    with pytest.raises(UsageError, match="async with"):
        krakenwire.aio.Kraken("live").trades("BTC/USD")


async def test_no_task_is_left_after_closing(venue: LocalVenue) -> None:
    before = asyncio.all_tasks()
    async with krakenwire.aio.Kraken(venue.ws_v2) as kraken:
        await kraken.books("BTC/USD").next(timeout=10)
    assert asyncio.all_tasks() == before


async def test_closing_while_connecting_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: accepted.append(writer), "127.0.0.1", 0)
    async with krakenwire.aio.Kraken(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as kraken:
        with pytest.raises(WaitTimeout):
            await kraken.status().next(timeout=0.1)
    assert asyncio.all_tasks() == before
    server.close()
    for writer in accepted:
        writer.transport.abort()
    await asyncio.sleep(0)


def test_run_uses_uvloop_and_changes_nothing_global(venue: LocalVenue) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> tuple[bool, bool]:
        async with krakenwire.aio.Kraken(venue.ws_v2) as kraken:
            book = await kraken.books("BTC/USD", depth=1000).next(timeout=10)
            return isinstance(asyncio.get_running_loop(), uvloop.Loop), book.verified

    async def loop_type() -> bool:
        return isinstance(asyncio.get_running_loop(), uvloop.Loop)

    assert krakenwire.aio.run(main()) == (True, True)
    assert asyncio.run(loop_type()) is False


# -- level3 and its token ------------------------------------------------------------


def test_level3_has_a_connection_of_its_own_where_the_venue_has(
    venue: LocalVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, level3 = f"ws://127.0.0.1:{venue.port}", f"ws://localhost:{venue.port}"
    apart = environments.environment(environments.Addresses(public, level3=level3))
    monkeypatch.setitem(environments._NAMED, "live", apart)
    with Kraken("live", token=venue.token()) as kraken:
        events = kraken.events()
        next(kraken.books("BTC/USD"))
        assert kraken.counters.attempts == 1
        orders = kraken.level3("BTC/USD")
        assert next(orders).verified
        assert kraken.counters.attempts == 2
        urls = set()
        while len(urls) < 2:
            event = next(events)
            if event.channel == "connected":
                urls.add(event.url)
    assert urls == {f"{public}/v2", f"{level3}/v2"}


def test_a_token_shows_nowhere(venue: LocalVenue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = venue.token().reveal()

    def broken() -> str:
        raise RuntimeError(token)

    with Kraken(venue.ws_v2, token=token) as kraken:
        next(kraken.level3("BTC/USD"))
        shown = [repr(kraken), repr(vars(kraken)), repr(kraken._core.options), repr(kraken.counters)]
    with Kraken(venue.ws_v2, token=broken) as kraken, pytest.raises(ConnectError) as caught:
        next(kraken.level3("BTC/USD"))
    shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__), caplog.text]
    with pytest.raises(ConfigError) as refused:
        Kraken("live", token=[token])  # type: ignore[arg-type]
    shown.append(str(refused.value))
    assert not [text for text in shown if token in text]


# -- threads that cannot be had, and bugs in them ------------------------------------


def test_a_client_works_where_no_thread_can_be_started(venue: LocalVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("krakenwire-"):
            raise RuntimeError("can't create new thread at interpreter shutdown")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Kraken(venue.ws_v2) as kraken:
        assert next(kraken.status()).system == "online"
    came = threading.Event()
    with krakenwire.threaded.Kraken(venue.ws_v2, on_status=lambda _: came.set()):
        assert came.wait(10)


def test_a_bug_while_connecting_ends_the_client_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("nobody expected this")

    monkeypatch.setattr(pump, "Wire", fail)
    with Kraken("ws://127.0.0.1:1") as kraken, pytest.raises(InternalError, match="ZeroDivisionError"):
        next(kraken.status())

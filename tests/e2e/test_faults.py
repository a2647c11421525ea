"""Connections that are cut, stalled, sliced and garbled: all comes back, every gap is told, the budget is kept."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conformance.styles import STYLES, Style, symbols_until, take_until
from tests.threads import left_since, running

from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import ConnectError, ConnectionBudgetError, SilenceError
from krakenwire.model import Connected, Disconnected, Gap, Resynced
from krakenwire.testing import local_kraken
from krakenwire.testing.proxy import FaultProxy

SYMBOLS = ["BTC/USD", "ETH/USD", "XRP/USD"]
SETTINGS = {
    "pause_s": 0.05,
    "pause_max_s": 0.2,
    "stable_s": 0.01,
    "silence_s": 1.5,
    "connect_timeout_s": 1.0,
    "reply_timeout_s": 2.0,
    "snapshot_timeout_s": 2.0,
    "malformed_max": 1000,
}

Make = Callable[..., Style]


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=SYMBOLS, rate=60) as running:
        yield running


@pytest.fixture
def proxy(venue: LocalVenue) -> Iterator[FaultProxy]:
    with FaultProxy(venue.port) as proxy:
        yield proxy


@pytest.fixture(params=[(style, version) for style in STYLES for version in (1, 2)], ids=lambda p: f"{p[0]}-v{p[1]}")
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    name, version = request.param
    made: list[Style] = []

    def make(on: str, **settings: Any) -> Style:
        made.append(STYLES[name](on, version=version, **{**SETTINGS, **settings}))
        return made[-1]

    yield make
    for style in made:
        style.close()


class Everything:
    """All data channels of all symbols on one client, with the events that tell how they fare."""

    def __init__(self, client: Style) -> None:
        self.client = client
        self.events = client.stream("events", policy="drop", queue=100_000)
        self.books = client.stream("book", *SYMBOLS, policy="conflate")
        self.streams = [client.stream(channel, *SYMBOLS) for channel in ("ticker", "ohlc")]
        self.open_gaps: set[tuple[str, str]] = set()
        self.gaps: set[tuple[str, str]] = set()
        self.subscriptions = {(channel, symbol) for channel in ("book", "ticker", "ohlc") for symbol in SYMBOLS}

    def all_live(self) -> None:
        """Return once every subscription has brought something on the present connection."""
        symbols_until(self.books, set(SYMBOLS))
        for stream in self.streams:
            symbols_until(stream, set(SYMBOLS))

    def until(self, wanted: Callable[[Any], bool]) -> Any:
        """Return the first event that is wanted; keep account of gaps on the way."""
        deadline = time.monotonic() + 30
        while True:
            assert time.monotonic() < deadline, f"not healed: {self.open_gaps}"
            event = self.events.next(15.0)
            if isinstance(event, Gap):
                self.open_gaps.add((event.channel_name, str(event.symbol)))
                self.gaps.add((event.channel_name, str(event.symbol)))
            elif isinstance(event, Resynced):
                self.open_gaps.remove((event.channel_name, str(event.symbol)))
            if wanted(event):
                return event

    def until_resynced(self) -> set[tuple[str, str]]:
        """Wait until every gap is closed; return the subscriptions that had one since last asked."""
        if self.open_gaps or not self.gaps:
            self.until(lambda event: isinstance(event, Resynced) and not self.open_gaps)
        gaps, self.gaps = self.gaps, set()
        return gaps


def test_every_cut_is_told_and_every_subscription_restored(make: Make, proxy: FaultProxy) -> None:
    everything = Everything(make(proxy.url))
    everything.all_live()
    for _ in range(4):
        assert proxy.cut() == 1
        assert everything.until_resynced() == everything.subscriptions
    everything.all_live()
    counters = everything.client.counters
    assert counters.reconnects == 4
    assert len(proxy.attempts) == counters.attempts == 5


def test_a_stall_is_found_as_silence_and_survived(make: Make, proxy: FaultProxy) -> None:
    everything = Everything(make(proxy.url))
    everything.all_live()
    proxy.stall()
    start = time.monotonic()
    lost = everything.until(lambda event: isinstance(event, Disconnected))
    assert isinstance(lost.error, SilenceError)
    assert time.monotonic() - start < SETTINGS["silence_s"] + 2
    proxy.stall(False)
    assert everything.until_resynced() == everything.subscriptions
    everything.all_live()


def test_garbled_bytes_never_get_through_as_a_verified_book(make: Make, proxy: FaultProxy) -> None:
    everything = Everything(make(proxy.url))
    everything.all_live()
    for _ in range(6):
        proxy.garble()
        for _ in range(10):
            book = everything.books.next(30.0)
            if book.state == "live" and book.verified:
                assert book.best_bid < book.best_ask
    proxy.cut()
    everything.until(lambda event: isinstance(event, Connected))
    everything.all_live()


def test_bytes_that_come_one_by_one_change_nothing(make: Make, proxy: FaultProxy) -> None:
    proxy.slice(3)
    everything = Everything(make(proxy.url, connect_timeout_s=10.0, silence_s=10.0))
    everything.all_live()
    assert take_until(everything.books, lambda book: book.verified)
    counters = everything.client.counters
    assert (counters.reconnects, counters.malformed, counters.checksum_failures) == (0, 0, 0)


def test_an_outage_is_met_with_pauses(make: Make, proxy: FaultProxy) -> None:
    everything = Everything(make(proxy.url, pause_s=0.3, pause_max_s=0.6))
    everything.all_live()
    proxy.refuse()
    proxy.cut()
    refused = 0
    while refused < 6:
        refused += isinstance(everything.until(lambda event: isinstance(event, Disconnected)).error, ConnectError)
    pauses = [later - earlier for earlier, later in zip(proxy.attempts[4:], proxy.attempts[5:], strict=False)]
    assert min(pauses) >= 0.29
    proxy.refuse(False)
    assert everything.until_resynced() == everything.subscriptions
    everything.all_live()


def test_the_budget_ends_it_with_an_error_when_asked_to(make: Make, proxy: FaultProxy) -> None:
    client = make(proxy.url, attempts_max=5, on_budget="fail")
    books = client.stream("book", "BTC/USD")
    books.next()
    proxy.refuse()
    proxy.cut()
    with pytest.raises(ConnectionBudgetError):
        take_until(books, lambda _: False)
    assert client.counters.attempts == 5
    assert 2 <= len(proxy.attempts) <= 5  # one that timed out before it was accepted is spent all the same


def test_a_connection_that_flaps_stays_within_the_budget(make: Make, proxy: FaultProxy) -> None:
    budget = {"attempts_max": 8, "attempts_window_s": 600.0, "on_budget": "fail"}
    client = make(
        proxy.url, **budget, pause_s=0.01, pause_max_s=0.02, retry_initial=True
    )  # its opening may be cut, too
    events = client.stream("events")

    def cut_on_opening(event: object) -> bool:
        if isinstance(event, Connected):
            proxy.cut()
        return False

    proxy.cut()  # a client in the background may have connected before anybody could be told
    with pytest.raises(ConnectionBudgetError):
        take_until(events, cut_on_opening)
    assert client.counters.attempts == 8
    assert 2 <= len(proxy.attempts) <= 8


def test_nothing_is_left_after_closing_in_the_middle_of_an_outage(make: Make, proxy: FaultProxy) -> None:
    before = running()
    client = make(proxy.url)
    events = client.stream("events")
    client.stream("book", *SYMBOLS).next()
    proxy.stall()
    proxy.cut()
    take_until(events, lambda event: isinstance(event, Disconnected))
    client.close()
    assert not left_since(before)
    proxy.stall(False)


PROGRAM = """
from krakenwire.threaded import Kraken
kraken = Kraken({url!r}, pause_s=0.05, on_trade=lambda trade: print("trade", flush=True))
kraken.subscribe_trades("BTC/USD")
kraken.start()
"""


def test_a_cut_is_survived_after_the_main_thread_has_ended(proxy: FaultProxy) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(url=f"{proxy.url}/v2")], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "trade\n"
        time.sleep(0.2)  # the main thread ends meanwhile
        assert proxy.cut() == 1
        deadline = time.monotonic() + 20
        while len(proxy.attempts) < 2:
            assert time.monotonic() < deadline, "it did not connect again"
            time.sleep(0.01)
        # a snapshot of fifty came before, another comes now
        for _ in range(60):
            assert program.stdout.readline() == "trade\n"
    finally:
        program.kill()
        program.communicate()

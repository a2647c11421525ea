"""A strategy on a live feed with pretended orders, and the proof that nothing of it can reach a real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.command import COMMAND, PATIENCE_S, one_line, run_here

from krakenwire import Kraken
from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.bot_feeds import BotFeeds, Wants
from krakenwire.apps.bot_inbox import Inbox
from krakenwire.apps.bot_paper import run_paper
from krakenwire.apps.bot_runner import Runner
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.bot import Strategy
from krakenwire.cli.exit_codes import CONNECTION, OK, USAGE
from krakenwire.errors import ConfigError
from krakenwire.model import BookUpdate
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import Kind
from krakenwire.testing import local_kraken
from krakenwire.trading.risk_limits import RiskLimits

SYMBOL = "BTC/USD"
RICH = BotConfig(balances={"USD": Decimal(100_000)})

BUYER = """
import json, os, sys
from pathlib import Path
from krakenwire.bot import Strategy

class Buyer(Strategy):
    symbols = ["BTC/USD"]

    def on_book(self, book):
        if not self.orders and not self.portfolio.position(book.symbol):
            self.buy(book.symbol, "0.001")

    def on_fill(self, fill):
        (Path(__file__).parent / "filled").write_text("")

    def on_stop(self):
        names = [name for name in sys.modules if name.startswith("krakenwire.")]
        (Path(__file__).parent / "modules.json").write_text(json.dumps(names))
"""

STUCK = """
    def on_order(self, order):
        (Path(__file__).parent / "stuck").write_text("")
        while True:
            pass

"""


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=[SYMBOL, "ETH/USD"], rate=300) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "buyer.py").write_text(BUYER)
    return tmp_path / "buyer.py"


def until(so: Callable[[], bool]) -> None:
    """Wait for something that another process or thread does."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)


# -- it cannot reach an order ----------------------------------------------------------


@pytest.fixture
def tape(venue: LocalVenue, tmp_path: Path) -> Path:
    """A few frames of the venue."""
    with Kraken(venue.ws_v2) as kraken, TapeWriter(tmp_path / "tape") as tape:
        frames = kraken.frames()
        opened = {"url": venue.ws_v2, "version": 2, "name": "public"}
        tape.write(time.time_ns(), 1, Kind.OPENED, json.dumps(opened))
        kraken.subscribe("book", SYMBOL)
        for _ in range(100):
            tape.write(time.time_ns(), 1, Kind.FRAME_IN, frames.next(timeout=PATIENCE_S).frame)
    return tmp_path / "tape"


@pytest.mark.parametrize("mode", ["backtest", "replay", "paper"])
def test_a_rehearsal_cannot_reach_an_order_even_with_keys_at_hand(
    venue: LocalVenue, file: Path, tape: Path, mode: str
) -> None:
    before = venue.connections()
    environment = os.environ | {"KRAKEN_API_KEY": venue.key, "KRAKEN_API_SECRET": venue.secret.reveal()}
    where = ("--on", venue.ws_v2) if mode == "paper" else ("--tape", str(tape))
    seen = []
    command = [*COMMAND, "bot", "run", str(file), "--mode", mode, *where, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as bot:
        if mode == "paper":
            until((file.parent / "filled").exists)
            seen = [each for each in venue.connections() if each not in before]
            bot.send_signal(signal.SIGTERM)
        out, errors = bot.communicate(timeout=PATIENCE_S)
    assert (bot.returncode, errors) == (OK, "")
    told = json.loads(out.splitlines()[-1])
    assert (told["mode"], told["fills"] >= 1, told["orders"] >= 1) == (mode, True, True)

    modules = set(json.loads((file.parent / "modules.json").read_text()))
    assert "krakenwire.trading.engine" in modules
    assert not modules & {f"krakenwire.apps.{name}" for name in ("live_broker", "live_book", "bot_start", "bot_live")}
    assert ("krakenwire.client.aio_trading" in modules) == (mode == "paper")  # the client's class has it as a parent

    assert len(seen) == (mode == "paper")
    for connection in seen:
        assert connection.accounts == ()
        assert all(each.split()[0] in ("instrument", "book", "trade") for each in connection.subscriptions)
    with Kraken(venue.ws_v2, credentials=(venue.key, venue.secret.reveal())) as kraken:
        assert (kraken.open_orders(), kraken.fills()) == ({}, [])
        assert kraken.rest.closed_orders().records == ()


def test_a_client_of_a_bot_on_paper_takes_no_credentials_from_anywhere(venue: LocalVenue) -> None:
    class Idle(Strategy):
        symbols = (SYMBOL,)

    feeds: list[Any] = []

    def look(runner: Runner) -> None:
        feeds.append(runner._feed)
        runner.request_stop("seen")

    run_paper(Idle, on=venue.ws_v2, on_begin=look, credentials=(venue.key, venue.secret.reveal()))
    with pytest.raises(ConfigError, match="no account"):
        feeds[0]._kraken._core.account.credentials()


# -- it runs ---------------------------------------------------------------------------------


def test_the_command_runs_on_paper_for_a_while_and_keeps_the_run(venue: LocalVenue, file: Path) -> None:
    out = file.parent / "run"
    code, told, errors = run_here(
        "bot", "run", str(file), "--on", venue.ws_v2, "--seconds", "1", "--out", str(out), "--json"
    )
    assert (code, errors) == (OK, "")
    sums = json.loads(told.splitlines()[-1])
    assert (sums["mode"], sums["source"], sums["run"], sums["fills"] > 0) == ("paper", venue.ws_v2, "run", True)
    assert (out / "report.html").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_bot_in_order_and_its_sums_are_told(
    venue: LocalVenue, file: Path, number: signal.Signals
) -> None:
    command = [*COMMAND, "bot", "run", str(file), "--on", venue.ws_v2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bot:
        until((file.parent / "filled").exists)
        bot.send_signal(number)
        out, errors = bot.communicate(timeout=PATIENCE_S)
    assert (bot.returncode, errors) == (OK, "")
    assert (file.parent / "modules.json").exists()
    sums = json.loads(out.splitlines()[-1])
    assert (sums["kind"], sums["strategy"], sums["source"]) == ("result", "Buyer", venue.ws_v2)


def test_a_second_signal_ends_a_strategy_that_does_not_return(venue: LocalVenue, tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(BUYER.replace("    def on_fill", STUCK + "    def on_fill"))
    command = [*COMMAND, "bot", "run", str(tmp_path / "stuck.py"), "--on", venue.ws_v2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bot:
        until((tmp_path / "stuck").exists)
        bot.send_signal(signal.SIGINT)
        time.sleep(0.3)  # a signal that comes at once is an echo of the first
        bot.send_signal(signal.SIGINT)
        out, _ = bot.communicate(timeout=PATIENCE_S)
    assert bot.returncode == OK
    assert json.loads(out.splitlines()[-1])["notes"]["stop"] == 1
    assert not (tmp_path / "modules.json").exists()


@pytest.mark.parametrize(
    ("symbol", "on", "code", "said"),
    [
        ("BTC/USX", None, USAGE, "Did you mean BTC/USD?"),
        (SYMBOL, "ws://127.0.0.1:9", CONNECTION, "connection was refused"),
        (SYMBOL, "nowhere", USAGE, "nowhere"),
    ],
)
def test_what_cannot_begin_says_why_in_one_line(
    venue: LocalVenue, file: Path, symbol: str, on: str | None, code: int, said: str
) -> None:
    file.write_text(BUYER.replace("BTC/USD", symbol))
    ended, _, errors = run_here("bot", "run", str(file), "--on", on or venue.ws_v2)
    assert ended == code
    assert said in one_line(errors)


def test_a_broken_connection_is_a_gap_and_the_run_goes_on(venue: LocalVenue) -> None:
    class Watching(Strategy):
        symbols = (SYMBOL,)

        def on_start(self) -> None:
            self.gaps = 0
            self.cut = False

        def on_book(self, book: Any) -> None:
            if not self.cut:
                self.cut = True
                venue.cut_connections()
            elif self.gaps:
                runners[0].request_stop("whole again")

        def on_gap(self, gap: Any) -> None:
            self.gaps += 1

    runners: list[Runner] = []
    result = run_paper(Watching, on=venue.ws_v2, config=RICH, on_begin=runners.append, pause_s=0.01)
    assert [note.kind for note in result.notes] == ["gap", "gap", "stop"], "of the book, and of trades"


def test_a_feed_that_is_down_for_good_ends_the_run_with_its_error() -> None:
    class Watching(Strategy):
        symbols = (SYMBOL,)

        def on_start(self) -> None:
            self.stopped = False

        def on_book(self, book: Any) -> None:
            if not self.stopped:
                self.stopped = True
                other.stop()

    with local_kraken(symbols=[SYMBOL]) as other:
        result = run_paper(Watching, on=other.ws_v2, attempts_max=2, on_budget="fail", pause_s=0.01)
    assert result.error is not None
    assert str(result.error) in [note.text for note in result.notes if note.kind == "stop"]


def test_a_quiet_book_of_a_live_connection_does_not_grow_old(venue: LocalVenue) -> None:
    ages: list[tuple[int, int]] = []

    class Quiet(Strategy):
        symbols = (SYMBOL,)

        def on_start(self) -> None:
            self.every(0.1, "look")

        def on_timer(self, name: str) -> None:
            book = self.book(SYMBOL)
            if book.live and not ages:
                venue.freeze()
            if book.live:
                told = self._engine.desk.book_age_ns(SYMBOL)  # what risk asks
                ages.append((self.clock.now_ns - book.time_ns, told or 0))
                if ages[-1][0] > 2_500_000_000:
                    runners[0].request_stop("quiet for long enough")

    runners: list[Runner] = []
    try:
        run_paper(Quiet, on=venue.ws_v2, on_begin=runners.append)
    finally:
        venue.resume()
    assert ages[-1][1] < ages[-1][0] - 500_000_000


# -- the feed by itself ------------------------------------------------------------------------


def test_books_that_were_dropped_are_asked_for_anew(venue: LocalVenue) -> None:
    class Idle(Strategy):
        symbols = (SYMBOL, "ETH/USD")

    inbox = Inbox()
    feeds = BotFeeds(venue.ws_v2, Wants.of(Idle()), inbox)
    listings = feeds.start()
    try:
        inbox.take()
        feeds.ask_anew((SYMBOL,))
        whole: set[str] = set()

        def told() -> bool:
            whole.update(
                event.symbol
                for batch in inbox.take()
                for event in batch.events
                if isinstance(event, BookUpdate) and event.kind == "snapshot"
            )
            return whole == {SYMBOL, "ETH/USD"}

        until(told)
        assert [(listing.symbol, listing.depth) for listing in listings] == [(SYMBOL, 10), ("ETH/USD", 10)]
    finally:
        feeds.stop()


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"depth": 2_000}, "depth: expected at most 1000"),
        ({"channels": ("book", "orders")}, "found orders"),
        ({"channels": ("ohlc",), "candles": ("7m",)}, "intervals that the venue has"),
    ],
)
def test_a_strategy_that_wants_what_no_venue_has_is_told_before_anything_is_asked(
    attributes: dict[str, Any], said: str
) -> None:
    strategy = type("Odd", (Strategy,), {"symbols": (SYMBOL,), **attributes})
    with pytest.raises(ConfigError, match=said):
        Wants.of(strategy())


def test_limits_of_risk_hold_on_paper(venue: LocalVenue) -> None:
    class Big(Strategy):
        symbols = (SYMBOL,)

        def on_book(self, book: Any) -> None:
            self.buy(SYMBOL, 1)
            runners[0].request_stop("tried")

    runners: list[Runner] = []
    config = BotConfig(balances={"USD": Decimal(10**7)}, limits=RiskLimits(order_notional_max=Decimal(10)))
    result = run_paper(Big, on=venue.ws_v2, config=config, on_begin=runners.append)
    assert any("order_notional_max" in note.text for note in result.notes if note.kind == "risk")
    assert result.fills == []

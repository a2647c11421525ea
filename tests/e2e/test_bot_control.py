"""A live bot from another terminal: stop, status, resume, flatten, whether it runs or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.bot_process import CONFIG, Bot, World, world
from tests.e2e.command import run_here
from tests.e2e.test_bot_live import RESTING, journal

from krakenwire.model import AddOrder
from krakenwire.storage.bot_folder import BotFolder
from krakenwire.trading.stops import StopLevel

BUYING = (
    RESTING.replace("* 9 / 10", "* 11 / 10")
    .replace("if not self.orders", "if not self.state.get('did')")
    .replace('tag="rest")', "tif='ioc')\n            self.state['did'] = 1")
)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("venue")) as here:
        yield here


@pytest.fixture
def here(venue: World, tmp_path: Path) -> World:
    venue.number += 1
    made = World(venue.venue, tmp_path, venue.number)
    made.strategy(RESTING)
    return made


@pytest.fixture
def bot(here: World) -> Iterator[Bot]:
    """A bot whose order rests."""
    with here.bot() as running:
        here.running(running)
        here.until(lambda: here.open_orders() == 1)
        yield running


def ask(here: World, action: str, *arguments: str) -> str:
    code, out, errors = run_here("bot", action, str(here.data), *arguments)
    assert (code, errors) == (0, "")
    return out.strip()


def status(here: World) -> dict[str, object]:
    found: dict[str, object] = json.loads(ask(here, "status", "--json"))
    return found


def test_a_stop_cancels_its_orders_and_holds_until_it_is_resumed(here: World, bot: Bot) -> None:
    assert ask(here, "stop", "--reason", "the news") == "stopped"
    assert here.open_orders() == 0
    assert status(here)["stop"] == "CANCEL_OWN by operator: the news"
    assert "CANCEL_OWN by operator: the news" in ask(here, "status")
    assert ask(here, "resume") == "resumed: orders pass"
    here.until(lambda: here.open_orders() == 1)
    assert status(here)["stop"] == ""
    assert bot.end() == 0


@pytest.mark.parametrize(("level", "resting"), [("paused", 1), ("cancel-all", 0)])
def test_each_level_of_a_stop_does_what_it_says(here: World, bot: Bot, level: str, resting: int) -> None:
    with here.rest() as rest:
        others = AddOrder(
            symbol="BTC/USD", side="buy", order_type="limit", order_qty=Decimal("0.001"), limit_price=Decimal(1000)
        )
        rest.send_order(others)
    ask(here, "stop", "--level", level)
    kept = 1 if level == "paused" else 0
    assert here.open_orders() == resting + kept
    assert bot.end() == 0
    assert here.open_orders() == resting, "an end in order cancels what is its own"
    assert (here.switch_ns() is None) == (level != "cancel-all"), "the hardest stop lets the switch run out"


def test_a_stop_of_a_bot_that_does_not_run_waits_for_its_start_and_so_does_a_resume(here: World, bot: Bot) -> None:
    assert bot.end() == 0
    assert ask(here, "stop") == "the bot is not running: the stop waits for its next start"
    assert "waiting for it: stop" in ask(here, "status")
    with here.bot() as stopped:
        assert stopped.says("stopped   CANCEL_OWN by operator"), stopped.lines
        here.running(stopped)
        assert status(here)["orders_sent"] == 0
        stopped.kill()
    assert "gone without a word" in ask(here, "status")
    assert ask(here, "resume") == "the bot is not running: its stop is lifted at its next start"
    with here.bot() as resumed:
        here.running(resumed)
        here.until(lambda: here.open_orders() == 1)
        assert resumed.end() == 0


@pytest.mark.parametrize("running", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_a_flatten_closes_the_position_that_the_bot_has_made(here: World, running: bool) -> None:
    here.strategy(BUYING)
    (here.path / "bot.toml").write_text(CONFIG.replace("[risk]", "[risk]\nprice_band_bps = 5000"))
    before = here.balances()["BTC"]
    with here.bot() as bot:
        here.running(bot)
        here.until(lambda: here.balances()["BTC"] == before + Decimal("0.001"))
        if running:
            assert ask(here, "flatten") == "stopped, its orders canceled, its position closed"
        assert bot.end() == 0
    if not running:
        assert "closes its position" in ask(here, "flatten")
        with here.bot() as bot:
            here.running(bot)
            assert bot.end() == 0
    assert here.balances()["BTC"] == before
    known = journal(here)
    assert known.positions == {"BTC/USD": Decimal(0)}
    assert known.stops.stop is not None
    assert known.stops.stop.level == StopLevel.CANCEL_OWN


def test_a_folder_that_is_no_bots_is_refused(tmp_path: Path) -> None:
    for action in ("stop", "resume", "flatten"):
        code, out, errors = run_here("bot", action, str(tmp_path))
        assert (code, out) == (2, "")
        assert "this is not the folder of a bot" in errors
    code, out, _ = run_here("bot", "status", str(tmp_path))
    assert code == 0
    assert "it has never said how it stands" in out


def test_a_request_that_cannot_be_read_is_a_stop(here: World, bot: Bot) -> None:
    (here.data / "control" / "1.json").write_text("{")
    here.until(lambda: "1.json cannot be read" in str(status(here)["stop"]))
    assert bot.end() == 0


def test_a_folder_says_nothing_of_a_key(here: World, bot: Bot) -> None:
    assert bot.end() == 0
    told = b"".join(path.read_bytes() for path in here.data.rglob("*") if path.is_file())
    for secret in (here.own.key, here.own.secret.reveal()):
        assert secret.encode() not in told
    with BotFolder(here.data) as folder:
        assert folder.journal.known.head is not None

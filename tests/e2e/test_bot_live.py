"""A live bot as a person runs it: its switches, its start, its ends, and what it says to bad input."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.bot_process import CONFIG, Bot, World, world
from tests.e2e.command import run_here

from krakenwire.model import CancelAll
from krakenwire.storage.bot_folder import BotFolder, read_status
from krakenwire.trading.recovery import Recovered
from krakenwire.trading.stops import StopLevel

RESTING = '''
from krakenwire.bot import Strategy


class Resting(Strategy):
    """Rests one order to buy, far below the market, and counts its lives."""

    symbols = ("BTC/USD",)

    def on_start(self):
        self.state["lives"] = self.state.get("lives", 0) + 1
        self.log(f"begins with {len(self.orders)} orders, life {self.state['lives']}")

    def on_book(self, book):
        if not self.orders:
            self.buy("BTC/USD", "0.001", self.round_price("BTC/USD", book.mid * 9 / 10), tag="rest")
'''
TAKING = '''
import time

from krakenwire.bot import Strategy


class Taking(Strategy):
    """Buys once at the market, and then hears nothing for a long time."""

    symbols = ("BTC/USD",)

    def on_book(self, book):
        self.buy("BTC/USD", "0.001")
        time.sleep(1000)
'''
LINGERING = (
    RESTING
    + """
    def on_stop(self):
        import sys, time
        print("it lingers", file=sys.stderr, flush=True)
        time.sleep(1000)
"""
)
FAILING = (
    RESTING.replace("class Resting", "class Failing")
    + """
    def on_order(self, order):
        if order.state == "open":
            raise ValueError("a mistake of the strategy")
"""
)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("venue")) as here:
        yield here


@pytest.fixture
def here(venue: World, tmp_path: Path) -> World:
    """The venue of the module, and a folder of the test's own."""
    venue.number += 1
    made = World(venue.venue, tmp_path, venue.number)
    made.strategy(RESTING)
    return made


@contextmanager
def resting(here: World) -> Iterator[Bot]:
    """A bot whose order rests at the venue."""
    with here.bot() as bot:
        here.running(bot)
        here.until(lambda: here.open_orders() == 1)
        yield bot


def journal(here: World) -> Recovered:
    with BotFolder(here.data) as folder:
        return folder.journal.known


# -- the switches ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "arguments", "missing"),
    [
        ("", ("--live", "--data", "bot"), "enabled = true under [live]"),
        ("[live]\nenabled = false\n", ("--live", "--data", "bot"), "enabled = true under [live]"),
        ("[live]\nenabled = true\n", ("--data", "bot"), "--live on the command line"),
        ("[live]\nenabled = true\n", ("--live",), "--data DIR"),
        ("[live]\nenable = true\n", ("--live", "--data", "bot"), "enabled"),
        ("[live]\nenabled = true\nswitch = 60\n", ("--live", "--data", "bot"), "switch_s"),
    ],
)
def test_it_begins_only_when_the_configuration_and_the_command_line_both_say_so(
    here: World, config: str, arguments: tuple[str, ...], missing: str
) -> None:
    file, settings = here.path / "strategy.py", here.path / "some.toml"
    settings.write_text(config)
    where = ("--mode", "live", "--on", here.venue.ws_v2, "--config", str(settings))
    code, out, errors = run_here("bot", "run", str(file), *where, *arguments)
    assert (code, out) == (2, "")
    assert missing in errors
    assert not (here.path / "bot").exists()


def test_a_local_kraken_of_its_own_is_no_venue_for_a_live_bot(here: World) -> None:
    here.arguments()
    file, config = str(here.path / "strategy.py"), str(here.path / "bot.toml")
    arguments = ("--mode", "live", "--live", "--on", "local", "--config", config, "--data", str(here.data))
    code, _, errors = run_here("bot", "run", file, *arguments)
    assert code == 2
    assert "outlives the bot" in errors


@pytest.mark.parametrize("mode", ["backtest", "replay", "paper"])
def test_the_switches_of_live_are_refused_in_every_other_mode(here: World, mode: str) -> None:
    file = str(here.path / "strategy.py")
    for arguments in (("--live",), ("--data", "bot"), ("--accept-config",), ("--key-file", "keys")):
        code, _, errors = run_here("bot", "run", file, "--mode", mode, *arguments)
        assert code == 2
        assert f"expected another mode than {mode}" in errors


# -- a life --------------------------------------------------------------------------------


def test_it_shows_what_is_at_stake_then_starts_by_recovery_and_leaves_no_order_behind(here: World) -> None:
    with resting(here) as bot:
        assert bot.end() == 0
        result = bot.result()
    shown = [line.split()[0] for line in bot.lines if line.startswith("  ")]
    assert shown == [
        *("account", "strategy", "symbols", "balances", "its", "position", "orders", "limits", "switch"),
    ]
    assert bot.lines[0] == f"live orders at {here.venue.ws_v2}, on this machine"
    phases = [line.split()[1] for line in bot.lines if line.startswith("krakenwire: ")]
    assert phases == ["recover", "arm", "snapshot", "reconcile", "audit", "trade"]
    assert (result["mode"], result["orders_by_state"], result["open_orders"]) == ("live", {"canceled": 1}, 0)
    assert here.open_orders() == 0
    assert here.switch_ns() is None, "the dead man's switch is disarmed"
    status = read_status(here.data)
    assert status is not None
    assert (status["state"], status["stop"], status["alarm"]) == ("ended", "", "")
    for secret in (here.own.key, here.own.secret.reveal()):
        assert secret not in "\n".join(bot.lines) + json.dumps(result)


def test_its_part_of_the_account_is_what_the_configuration_allows_and_what_its_fills_have_made_of_it(
    here: World,
) -> None:
    here.strategy(
        RESTING.replace("* 9 / 10", "* 11 / 10")
        .replace("if not self.orders", "if not self.state.get('did')")
        .replace('tag="rest")', "tif='ioc'); self.state['did'] = 1")
    )
    parts = []
    (here.path / "bot.toml").write_text(CONFIG.replace("[risk]", "[risk]\nprice_band_bps = 5000"))
    for _ in range(2):
        with here.bot() as bot:
            assert bot.says("orders pass"), bot.lines
            here.until(lambda: here.written("fill"))
            here.until(lambda: (read_status(here.data) or {}).get("state") == "running")
            assert bot.end() == 0
            status = read_status(here.data)
            assert status is not None
            parts.append(status["balances"])
    known = journal(here)
    assert len(known.exec_ids) >= 1
    assert parts[1] == {
        "USD": str(100_000 + known.totals["USD"]),
        "BTC": str(1 + known.totals["BTC"]),
    }


def test_a_second_signal_ends_it_at_once_and_leaves_the_switch_to_run_out(here: World) -> None:
    here.strategy(LINGERING)
    with resting(here) as bot:
        bot.process.send_signal(signal.SIGTERM)
        assert bot.says("it lingers"), bot.lines
        here.until(lambda: bot.insists() is not None)
    assert here.switch_ns() is not None, "the dead man's switch is left to run out"
    status = read_status(here.data)
    assert status is not None
    assert status["state"] == "ended"


def test_a_life_that_was_killed_hands_its_order_and_its_state_to_the_next(here: World) -> None:
    with resting(here) as bot:
        here.until(lambda: here.written("state"))
        bot.kill()
    with here.bot() as bot:
        assert bot.says("1 orders, 1 of them live, 0 unknown"), bot.lines
        here.until(lambda: "begins with 1 orders, life 2" in json.dumps(read_status(here.data)))
        assert bot.end() == 0
    known = journal(here)
    assert [order.step for order in known.orders.values()] == ["canceled"]
    assert known.state == {"lives": 2}


def test_fills_are_written_down_while_the_strategy_is_stuck(here: World) -> None:
    here.strategy(TAKING)
    before = here.balances()["BTC"]
    with here.bot() as bot:
        assert bot.says("orders pass"), bot.lines
        here.until(lambda: here.balances()["BTC"] == before + Decimal("0.001"))
        here.until(lambda: here.written("fill"))
        bot.kill()
    known = journal(here)
    assert known.positions == {"BTC/USD": Decimal("0.001")}
    assert [order.step for order in known.orders.values()] == ["filled"]


# -- what goes wrong -------------------------------------------------------------------------


def test_a_strategy_that_raises_is_shown_with_its_line_its_orders_are_canceled_and_it_stays_stopped(
    here: World,
) -> None:
    file = here.strategy(FAILING)
    with here.bot() as bot:
        assert bot.wait() == 1
        assert "a mistake of the strategy" in bot.result()["error"]
    line = FAILING[: FAILING.index("raise")].count("\n") + 1
    assert f"{file}:{line}" in bot.lines[-2]
    assert here.open_orders() == 0
    stop = journal(here).stops.stop
    assert stop is not None
    assert stop.level == StopLevel.CANCEL_OWN
    with here.bot() as bot:
        assert bot.says("stopped   CANCEL_OWN by bot: "), bot.lines
        here.running(bot)
        assert bot.end() == 0
        assert bot.result()["orders"] == 0


@pytest.mark.nightly
def test_a_strategy_that_raises_goes_on_where_the_configuration_says_so(here: World) -> None:
    here.strategy(FAILING)
    (here.path / "bot.toml").write_text(f'[bot]\non_error = "continue"\n{CONFIG}')
    with here.bot() as bot:
        assert bot.says("orders pass"), bot.lines
        here.until(lambda: "a mistake" in json.dumps(read_status(here.data)))
        assert here.open_orders() == 1
        assert bot.end() == 1
    assert journal(here).stops.stop is None
    assert here.open_orders() == 0


def test_a_limit_that_stops_the_bot_holds_over_a_restart(here: World) -> None:
    (here.path / "bot.toml").write_text(CONFIG.replace("daily_loss_max = 1000000", "daily_loss_max = 0"))
    here.strategy(TAKING.replace("time.sleep(1000)", "pass"))
    with here.bot() as bot:
        assert bot.wait() == 5, bot.lines
    assert here.open_orders() == 0
    with here.bot() as bot:
        assert bot.says("stopped   CANCEL_OWN by bot: refused by daily_loss_max"), bot.lines
        here.until(lambda: bot.process.poll() is not None or (read_status(here.data) or {}).get("state") == "running")
        assert bot.end() in {0, 5}, "5 where the price has fallen, so that the limit is broken again"
    assert here.open_orders() == 0


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="there is no other way to fill a disk without filling one")
def test_a_journal_that_takes_nothing_more_ends_the_bot_and_its_orders_and_leaves_the_switch_armed(here: World) -> None:
    with resting(here) as bot:
        size = (here.data / "journal").stat().st_size
        resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, size))
        with here.rest() as rest:
            rest.send_order(CancelAll())  # its strategy places another, which cannot be written down
        assert bot.wait() == 2, bot.lines
        assert "File too large" in bot.result()["error"]
    assert here.open_orders() == 0
    assert here.switch_ns() is not None
    with here.bot() as bot:
        here.running(bot)
        assert bot.end() == 0
    assert {order.step for order in journal(here).orders.values()} == {"canceled"}, "what it missed was told again"


def test_a_folder_in_use_or_of_another_account_or_damaged_or_with_other_settings_is_refused_with_the_way_out(
    here: World,
) -> None:
    with resting(here):
        with here.bot() as other:
            assert other.wait() == 2
            assert "another process runs the bot of this folder" in other.lines[-2]
            assert "krakenwire bot stop" in other.lines[-2]
        assert here.open_orders() == 1
    cases = [
        (here.with_settings("order_notional_max = 999"), "--accept-config"),
        (here.with_key("somebody", "c2VjcmV0"), "another account"),
        (here.damaged(), "go on from a backup of it"),
    ]
    for changed, said in cases:
        with changed as place, place.bot() as bot:
            assert bot.wait() == 2, bot.lines
            assert said in bot.lines[-2], bot.lines
            assert "Traceback" not in "\n".join(bot.lines)
    with here.bot() as bot:
        here.running(bot)  # what was refused has changed nothing
        assert bot.end() == 0


def test_a_changed_strategy_goes_on_when_a_person_says_that_it_is_meant(here: World) -> None:
    with resting(here) as bot:
        assert bot.end() == 0
    here.strategy(RESTING.replace("9 / 10", "8 / 10"))
    with here.bot() as bot:
        assert bot.wait() == 2
    with here.bot("--accept-config") as bot:
        here.running(bot)
        assert bot.end() == 0

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from tests.unit.trading.runs import SECOND, START_NS

from krakenwire.apps.bot_config import BotConfig
from krakenwire.apps.report import keep_run
from krakenwire.apps.sweep import grid_from, sweep
from krakenwire.apps.tape_backtests import TapeBacktests
from krakenwire.cli import bot_sweep
from krakenwire.cli.parsers import Parser
from krakenwire.errors import ConfigError, KrakenwireError
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.storage.run_folder import read_run
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import Kind
from krakenwire.trading.report.drift import drift

STRATEGY = """
from decimal import Decimal
from krakenwire.bot import Strategy, parameter


class Flip(Strategy):
    symbols = ["BTC/USD"]
    every_trades: int = parameter(10, low=2, high=1000)
    size: Decimal = parameter(Decimal("0.01"), low=Decimal(0))

    def on_start(self):
        self.seen = 0

    def on_trade(self, trade):
        self.seen += 1
        if self.every_trades == 13:
            raise ValueError("unlucky")
        if self.seen % self.every_trades == 0:
            self.target_position(trade.symbol, self.size if self.seen // self.every_trades % 2 else 0)
"""


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A strategy's file and a tape of 400 trades, one a second."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "flip.py").write_text(STRATEGY)
    chance, price = Random(4), 600_000
    with TapeWriter(folder / "tape") as writer:
        opened = {"url": "wss://test", "version": 2, "name": "public"}
        writer.write(START_NS, 0, Kind.OPENED, json.dumps(opened))
        for place in range(400):
            price += chance.randrange(-30, 31)
            now = START_NS + place * SECOND
            trade = {
                "symbol": "BTC/USD",
                "side": chance.choice(["buy", "sell"]),
                "price": price / 10,
                "qty": 0.05,
                "ord_type": "market",
                "trade_id": place + 1,
                "timestamp": rfc3339_from_ns(now),
            }
            writer.write(now, 0, Kind.FRAME_IN, json.dumps({"channel": "trade", "type": "update", "data": [trade]}))
    return str(folder / "flip.py"), str(folder / "tape")


def test_a_strategy_is_swept_over_a_tape_and_over_its_parts(market: tuple[str, str]) -> None:
    backtests = TapeBacktests(*market, BotConfig())
    found = sweep(backtests, {"every_trades": ["10", "20"], "size": ["0.01", "0.05"]}, splits=2, workers=1)
    assert found.done == 4 * 4
    assert [row.error for row in found.rows] == [""] * 4
    fills = {row.choice: row.figures.fills for row in found.rows if row.figures is not None}
    assert fills["10", "0.01"] > fills["20", "0.01"] > 0
    assert found.rows[0].figures is not None
    assert found.rows[0].figures.other_quote == 0
    assert found.walk_forward is not None
    assert len(found.walk_forward.splits) == 2


def test_a_backtest_is_kept_as_it_was_and_is_the_same_when_it_is_run_again(
    market: tuple[str, str], tmp_path: Path
) -> None:
    backtests = TapeBacktests(*market, BotConfig())
    first, second = (backtests.run(backtests.open(), {"every_trades": "5"}, None) for _ in range(2))
    assert len(first.fills) > 50
    assert drift(first, second).same
    keep_run(tmp_path, first)
    assert read_run(tmp_path) == first
    other = backtests.run(backtests.open(), {"every_trades": "5", "size": "0.005"}, None)
    found = drift(first, other)
    assert {total.cause for total in found.totals} == {"decision"}
    assert found.rest is not None
    assert abs(found.rest) < Decimal("0.000001")


def test_processes_sweep_to_the_same_rows(market: tuple[str, str]) -> None:
    backtests = TapeBacktests(*market, BotConfig())
    grid = {"every_trades": ["10", "20"]}
    assert sweep(backtests, grid, workers=2) == sweep(backtests, grid, workers=1)


def test_an_error_of_the_strategy_is_that_of_its_row(market: tuple[str, str]) -> None:
    found = sweep(TapeBacktests(*market, BotConfig()), {"every_trades": ["10", "13"]}, workers=1)
    assert "unlucky" in found.rows[-1].error
    assert found.rows[0].error == ""


@pytest.mark.parametrize("grid", ["every_trades=10,1", "every_trade=10", "size=much"])
def test_a_grid_that_the_strategy_does_not_take_is_refused_before_the_first_run(
    market: tuple[str, str], grid: str
) -> None:
    with pytest.raises(ConfigError):
        TapeBacktests(*market, BotConfig()).check(grid_from([grid]))


def test_a_folder_without_a_tape_ends_it_before_the_first_run(market: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(KrakenwireError, match=str(tmp_path)):
        sweep(TapeBacktests(market[0], str(tmp_path), BotConfig()), {"every_trades": ["10"]}, workers=1)


def test_the_command_sweeps_a_tape(market: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="krakenwire bot")
    bot_sweep.add_parser(parser.add_subparsers(dest="action"))
    file, tape = market
    argv = ["sweep", file, "--tape", tape, "--grid", "every_trades=10,20", "--workers", "1"]
    assert bot_sweep.run(parser.parse_args(argv)) == 0
    assert capsys.readouterr().out.startswith("2 runs; the best by return is every_trades=")

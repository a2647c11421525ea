"""`krakenwire bot run --mode backtest` as a person calls it: from a file to the sums, and what bad input gets."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.command import one_line, run, run_here

from krakenwire.apps.tape_import import import_files
from krakenwire.cli.exit_codes import FAILED, OK, USAGE
from krakenwire.storage.run_folder import read_run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "strategies"

BUYER = """
from krakenwire.bot import Strategy, parameter

class Buyer(Strategy):
    symbols = ["BTC/USD"]
    trades: int = parameter(2, low=1)

    def on_start(self):
        self.seen = 0

    def on_trade(self, trade):
        self.seen += 1
        if self.seen == self.trades:
            self.buy(trade.symbol, "0.5")
"""
CONFIG = "[latency]\nentry_ms = 0\nreport_ms = 0\n[fees]\ntaker_percent = 1\n[risk]\nlookalike_window_ms = 0\n"
TRADES = "1700000000,100.5,1\n1700000010,110.0,1\n1700000020,120.0,1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "buyer.py").write_text(BUYER)
    (tmp_path / "bot.toml").write_text(CONFIG)
    (tmp_path / "trades.csv").write_text(TRADES)
    return tmp_path


def backtest(folder: Path, *more: str, file: str = "buyer.py", tape: str = "trades.csv") -> tuple[int, str, str]:
    return run_here("bot", "run", str(folder / file), "--mode", "backtest", "--tape", str(folder / tape), *more)


def test_the_last_line_is_one_object_with_the_sums_of_the_run(folder: Path) -> None:
    files = ("--tape", "trades.csv", "--config", "bot.toml")
    done = run("bot", "run", "buyer.py", "--mode", "backtest", *files, "--json", cwd=folder)
    assert (done.returncode, done.stderr) == (OK, "")
    told = json.loads(done.stdout.splitlines()[-1], parse_float=Decimal)
    # One step beyond the last price, 110.1, and 1 % of it; marked at 120 in the end.
    assert (told["fills"], told["turnover"], told["fees"]) == (1, Decimal("55.05"), Decimal("0.5505"))
    assert told["net_profit"] == Decimal("0.5") * 120 - Decimal("55.05") - Decimal("0.5505")
    assert (told["strategy"], told["source"], told["parameters"]) == ("Buyer", "trades.csv", {"trades": 2})


CANDLED = """
from krakenwire.bot import Strategy

class Dips(Strategy):
    symbols = ["BTC/USD"]
    candles = ("1m",)

    def on_candle(self, candle):
        self.log(f"{candle.open} {candle.high} {candle.low} {candle.close} {candle.volume}")
        if not self.portfolio.position("BTC/USD"):
            self.buy("BTC/USD", "0.5", "98")
"""


IDLE = """
from krakenwire.bot import Strategy

class Idle(Strategy):
    symbols = ["BTC/USD"]

    def on_trade(self, told):
        pass
"""


def test_a_file_of_candles_is_traded_along_the_path_of_their_prices(folder: Path) -> None:
    (folder / "dips.py").write_text(CANDLED)
    (folder / "candles.csv").write_text("1700000040,100,103,99,101,4,9\n1700000100,101,102,97,98,4,9\n")
    code, out, err = backtest(
        folder,
        "--config",
        str(folder / "bot.toml"),
        "--out",
        str(folder / "run"),
        "--json",
        file="dips.py",
        tape="candles.csv",
    )
    assert (code, err) == (OK, "")
    assert json.loads(out.splitlines()[-1], parse_float=Decimal)["turnover"] == Decimal(49)
    notes = [row.text for row in read_run(folder / "run").notes if row.kind == "log"]
    assert notes == ["100 103 99 101 4.00000000"]


@pytest.mark.parametrize("callback", ["on_trade", "on_candle"])
def test_who_acts_on_trades_made_up_from_candles_is_told_that_they_are(folder: Path, callback: str) -> None:
    (folder / "dips.py").write_text(IDLE.replace("on_trade", callback))
    (folder / "candles.csv").write_text("1700000040,100,103,99,101,4,9\n1700000100,101,102,97,98,4,9\n")
    _, out, _ = backtest(folder, "--json", file="dips.py", tape="candles.csv")
    notes = json.loads(out.splitlines()[-1])["notes"]
    assert notes == ({"made up": 8} if callback == "on_trade" else {})


def test_a_tape_and_the_file_it_was_made_of_give_the_same_run(folder: Path) -> None:
    import_files([folder / "trades.csv"], "BTC/USD", folder / "tape")
    runs = [json.loads(backtest(folder, "--json", tape=tape)[1]) for tape in ("trades.csv", "tape")]
    assert {name for name in runs[0] if runs[0][name] != runs[1][name]} == {"source"}


def test_a_parameter_of_the_command_line_counts_more_than_the_files(folder: Path) -> None:
    (folder / "bot.toml").write_text(CONFIG + "[parameters]\ntrades = 3\n")
    config = ("--config", str(folder / "bot.toml"), "--json")
    assert json.loads(backtest(folder, *config)[1])["parameters"] == {"trades": 3}
    assert json.loads(backtest(folder, *config, "--set", "trades=1")[1])["parameters"] == {"trades": 1}


def test_a_run_is_kept_with_its_report_and_two_of_the_same_do_not_differ(folder: Path) -> None:
    for name in ("one", "two"):
        code, out, errors = backtest(folder, "--out", str(folder / name))
        assert (code, errors) == (OK, "")
        assert "net profit" in out
    assert (folder / "one" / "report.html").stat().st_size > 1000
    code, out, errors = run_here("bot", "drift", str(folder / "one"), str(folder / "two"))
    assert (code, errors) == (OK, ""), out
    code, out, errors = run_here("bot", "report", str(folder / "one"), "--out", str(folder / "page.html"))
    assert (code, out, errors) == (OK, f"{folder / 'page.html'}\n", "")


def test_what_a_limit_refused_is_summed_by_its_name(folder: Path) -> None:
    (folder / "bot.toml").write_text(CONFIG + "order_notional_max = 50\n")
    config = ("--config", str(folder / "bot.toml"))
    assert json.loads(backtest(folder, *config, "--json")[1])["refusals"] == {"order_notional_max": 1}
    assert "refused by order_notional_max: 1" in backtest(folder, *config)[1]


def test_a_file_without_a_trade_is_named(folder: Path) -> None:
    for content, said in (
        (b"", "at least one good row"),
        (b"1,\0", "a CSV file"),
        (b"1,x,1\n", "tape import --skip-bad"),
    ):
        (folder / "trades.csv").write_bytes(content)
        code, _, errors = backtest(folder)
        assert code == USAGE
        assert f"krakenwire: {folder / 'trades.csv'}" in one_line(errors)
        assert said in errors


CANDLES = """
from krakenwire.bot import Strategy

class Third(Strategy):
    symbols = ["BTC/USD"]
    candles = ["5m"]

    def on_candle(self, candle):
        self.log(f"{candle.close} {candle.closed} {len(self.history(candle.symbol, candle.interval))}")
        if candle.close == 120:
            self.buy(candle.symbol, "0.5")
"""
OHLC = "".join(f"{1_700_000_100 + 300 * place},100,130,90,{close},2,5\n" for place, close in enumerate((100, 120, 110)))


def test_a_tape_of_candles_calls_for_each_when_it_is_over_and_fills_no_order(folder: Path) -> None:
    (folder / "buyer.py").write_text(CANDLES)
    (folder / "candles.csv").write_text(OHLC)
    import_files([folder / "candles.csv"], "BTC/USD", folder / "tape")
    code, out, errors = backtest(folder, "--out", str(folder / "run"), "--json", tape="tape")
    assert (code, errors) == (OK, "")
    run = read_run(folder / "run")
    assert [note.text for note in run.notes if note.kind == "log"] == ["100 True 1", "120 True 2", "110 True 3"]
    assert [order.state for order in run.orders] == ["intent", "sent", "refused"]
    assert json.loads(out)["fills"] == 0


def test_candles_of_another_interval_than_the_strategy_waits_for_are_refused(folder: Path) -> None:
    (folder / "buyer.py").write_text(CANDLES.replace("5m", "1m"))
    (folder / "candles.csv").write_text(OHLC)
    import_files([folder / "candles.csv"], "BTC/USD", folder / "tape")
    code, _, errors = backtest(folder, tape="tape")
    assert code == USAGE
    assert "Third.candles: expected one of the intervals there are: 5m, found 1m" in one_line(errors)


def test_a_strategy_that_raises_is_shown_with_its_line_after_what_it_did(folder: Path) -> None:
    (folder / "buyer.py").write_text(BUYER.replace("self.buy(", "self.sell_everything("))
    code, out, errors = backtest(folder)
    line = 1 + BUYER[: BUYER.index("self.buy(")].count("\n")
    assert code == FAILED
    assert "net profit" in out
    assert f"Buyer.on_trade failed at {folder / 'buyer.py'}:{line}: AttributeError: 'Buyer' object has no" in one_line(
        errors
    )


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("import nothing_of_the_kind\n", FAILED, "buyer.py:1: ModuleNotFoundError"),
        ("x = (\n", FAILED, "buyer.py:1: SyntaxError"),
        ("x = 1\n", USAGE, "one class that derives from krakenwire.bot.Strategy, found none"),
        (BUYER + "class Other(Strategy): pass\n", USAGE, "Name one of several: FILE:CLASS"),
        (BUYER.replace('["BTC/USD"]', "[]"), USAGE, "Buyer.symbols: expected at least one symbol"),
        (BUYER.replace('["BTC/USD"]', '["BTC/USD", "ETH/USD"]'), USAGE, "expected a strategy of one symbol"),
        (BUYER.replace("low=1", "low=5"), USAGE, "trades: expected a whole number at least 5"),
    ],
)
def test_a_file_that_is_no_strategy_is_told_in_one_line(folder: Path, text: str, code: int, said: str) -> None:
    (folder / "buyer.py").write_text(text)
    found, _, errors = backtest(folder)
    assert found == code
    assert said in one_line(errors)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--set", "trade=1"), 'Did you mean "trades"?'),
        (("--set", "trades"), "--set: expected NAME=VALUE"),
        (("--set", "trades=many"), "trades: expected a whole number"),
        (("--config", "nowhere.toml"), "nowhere.toml: expected a readable file"),
        (("--tape", "nowhere"), "nowhere: expected the folder of a tape, or a CSV file"),
        (("--modus", "x"), "unknown argument --modus (did you mean --mode?)"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(folder: Path, more: tuple[str, ...], said: str) -> None:
    code, _, errors = backtest(folder, *more)
    assert code == USAGE
    assert said in one_line(errors)


def test_one_class_of_several_is_named_after_the_file(folder: Path) -> None:
    (folder / "buyer.py").write_text(BUYER + "class Other(Strategy):\n    symbols = ['BTC/USD']\n")
    assert json.loads(backtest(folder, "--json", file="buyer.py:Other")[1])["strategy"] == "Other"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py") if path.stem != "rebalancer"))
def test_an_example_runs_on_a_file_of_trades(name: str, tmp_path: Path) -> None:
    chance, price, lines = random.Random(5), 60_000.0, []
    for second in range(0, 4_000, 2):
        price += chance.gauss(0, 25)
        lines.append(f"{1_700_000_000 + second},{price:.1f},{chance.uniform(0.01, 0.5):.8f}\n")
    (tmp_path / "trades.csv").write_text("".join(lines))
    code, out, errors = run_here(
        "bot", "run", str(EXAMPLES / name), "--mode", "backtest", "--tape", str(tmp_path / "trades.csv"), "--json"
    )
    assert (code, errors) == (OK, "")
    told = json.loads(out)
    assert told["orders"] > 0
    assert told["error"] is None

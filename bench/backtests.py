"""`python -m bench.backtests`: the example strategies on real trades, and the result put into docs/backtests.md.

Imports the trade tapes of the shared reference material, runs what `RUNS` names
with the configuration that the page itself shows, and rewrites what stands between
the marks of the page and the pictures beside it: no figure there is typed by hand.
Pictures need Chromium; without it they stay as they are. The tapes are not ours
and are read where they lie: see `tests/conformance/test_real_tapes.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from bench.report import rewrite
from krakenwire.apps.backtest import read_market_of, run_backtest
from krakenwire.apps.bot_config import BotConfig, bot_config_from
from krakenwire.apps.report import keep_run
from krakenwire.apps.report_page import amount, percent
from krakenwire.apps.strategy_file import load_strategy
from krakenwire.apps.sweep import Sweep, grid_from, sweep
from krakenwire.apps.sweep_plots import SWEEP_COLUMNS, sweep_cells, sweep_page
from krakenwire.apps.tape_backtests import TapeBacktests
from krakenwire.apps.tape_import import ImportReport, import_files
from krakenwire.apps.tape_tools import merge
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.storage.tape_reader import Tape
from krakenwire.trading.run_result import RunResult

__all__ = ["FILES", "RUNS", "Plan", "config_of_page", "imported", "row_of", "run_plan"]

ROOT = Path(__file__).parents[1]
PAGE = "backtests.md"
EXAMPLES = ROOT / "examples" / "strategies"
QUOTES = "XBTUSD-spreads_2018-05-13on.csv.gz"
QUOTE_AGE_MAX_S = 3
BOTH = "both"
"""Bitcoin and ether of the same days, merged."""

FILES = {
    "bitcoin": ("trades/XBTUSD-trades_2018-05-13_2018-05-18.csv.gz", "BTC/USD"),
    "ether": ("trades/ETHUSD-trades_2018-05-13_2018-05-18.csv.gz", "ETH/USD"),
    "bitcoin-before": ("trades/XBTUSD-trades_2018-05-08_2018-05-11.csv.gz", "BTC/USD"),
    "ether-before": ("trades/ETHUSD-trades_2018-05-08_2018-05-11.csv.gz", "ETH/USD"),
    "tether": ("trades/USDTUSD-trades_2018-05-07_2018-06-24.csv.gz", "USDT/USD"),
    "bitcoin-cash": ("trades/BCHEUR.csv", "BCH/EUR"),
    "candles": ("ohlc/XBTUSD_60.csv.gz", "BTC/USD"),
}
"""By the name used here: the file under `data/real` of the shared material, and its symbol."""

GRID = ("fast=5,10,20,40", "slow=30,60,120,240")
SPLITS = 3


class Plan(msgspec.Struct, frozen=True):
    """One backtest of the page.

    Args:
        example: the strategy's file.
        tape: a name of `FILES`, or `BOTH`.
        parameters: other than its defaults.
    """

    example: str
    tape: str
    parameters: dict[str, str] = {}


RUNS = (
    Plan("price_alert_buyer", "bitcoin", {"below": "8000"}),
    Plan("ma_cross", "bitcoin"),
    Plan("ma_cross", "bitcoin", {"fast": "40", "slow": "240"}),
    Plan("grid", "bitcoin"),
    Plan("market_maker", "bitcoin", {"half_spread_bps": "30"}),
    Plan("rebalancer", BOTH),
    Plan("twap", "bitcoin"),
)


# -- what the page and its test both need ---------------------------------------------


def config_of_page(page: Path) -> BotConfig:
    """Return the configuration that the page shows."""
    text = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    return bot_config_from(tomllib.loads(text, parse_float=Decimal))


def imported(shared: Path, name: str, folder: Path) -> ImportReport:
    """Import one of `FILES` into a folder named after it."""
    file, symbol = FILES[name]
    return import_files([shared / "data" / "real" / file], symbol, folder / name)


def run_plan(plan: Plan, folder: Path, config: BotConfig) -> RunResult:
    """Run a backtest of the page on the tapes in a folder."""
    strategy = load_strategy(str(EXAMPLES / f"{plan.example}.py"), None)
    market = read_market_of(folder / plan.tape, tuple(strategy.symbols))
    return run_backtest(strategy, market, parameters=plan.parameters, config=config, run=plan.example)


def row_of(plan: Plan, result: RunResult) -> tuple[str, ...]:
    """Return a line of the page's table."""
    found = result.summary()
    return (
        f"`{plan.example}`",
        ", ".join(f"{name} {value}" for name, value in plan.parameters.items()) or "defaults",
        f"{found['fills']:,}",
        "-" if found["maker_share"] is None else percent(float(found["maker_share"])),
        amount(found["turnover"]),
        amount(found["fees"]),
        amount(found["net_profit"], sign=True),
        amount(found["max_drawdown"]),
        f"{sum(found['refusals'].values()):,}",
    )


# -- the page --------------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    """Write the page's figures and pictures anew."""
    parser = argparse.ArgumentParser(prog="python -m bench.backtests", description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="default: %(default)s")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="default: %(default)s")
    args = parser.parse_args(argv)
    if not (args.shared / "data" / "real" / "trades").is_dir():
        print(f"{args.shared}: the shared reference material with data/real/trades is not here", file=sys.stderr)
        return 2
    config = config_of_page(args.docs / PAGE)
    shared, docs = args.shared.resolve(), args.docs.resolve()
    with tempfile.TemporaryDirectory(prefix="krakenwire-") as folder, contextlib.chdir(folder):
        _write(shared, docs, Path(), config)
    return 0


def _write(shared: Path, docs: Path, folder: Path, config: BotConfig) -> None:
    page = docs / PAGE
    _put(page, "files", _table(_FILE_HEAD, (_file_row(name, imported(shared, name, folder)) for name in FILES)))
    merge([Tape(folder / "bitcoin"), Tape(folder / "ether")], folder / BOTH)
    results = [run_plan(plan, folder, config) for plan in RUNS]
    _put(page, "runs", _table(_RUN_HEAD, (row_of(*each) for each in zip(RUNS, results, strict=True))))
    _put(page, "quotes", _quotes(shared, _result_of("ma_cross", results)))
    backtests = TapeBacktests(str(EXAMPLES / "ma_cross.py"), str(folder / "bitcoin"), config)
    found = sweep(backtests, grid_from(GRID), splits=SPLITS)
    _put(page, "sweep", _sweep_text(found))
    keep_run(folder / "run", _result_of("market_maker", results))
    _picture(folder / "run" / "report.html", docs / "backtest-report.png", 2_570)
    (folder / "sweep.html").write_text(sweep_page("Sweep of ma_cross.py", found), encoding="utf-8")
    _picture(folder / "sweep.html", docs / "backtest-sweep.png", 1_230)


def _result_of(example: str, results: Sequence[RunResult]) -> RunResult:
    """Return the first result of an example."""
    return next(result for plan, result in zip(RUNS, results, strict=True) if plan.example == example)


def _put(page: Path, name: str, text: str) -> None:
    rewrite(page, f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n", text)


_FILE_HEAD = ("file", "symbol", "rows", "from, UTC", "to, UTC", "out of order", "sides")
_RUN_HEAD = (
    "strategy", "parameters", "fills", "maker", "turnover", "fees", "net profit", "deepest fall", "refused",
)  # fmt: skip


def _file_row(name: str, report: ImportReport) -> tuple[str, ...]:
    file, symbol = FILES[name]
    first, last = (rfc3339_from_ns(ns, 0)[:16].replace("T", " ") for ns in (report.start_ns, report.end_ns))
    return f"`{file}`", symbol, f"{report.rows:,}", first, last, f"{report.out_of_order:,}", report.sides or "-"


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sweep_text(found: Sweep) -> str:
    head = (*found.grid, *SWEEP_COLUMNS)
    best = _table(head, iter([sweep_cells(row) for row in (*found.rows[:3], found.rows[-1])]))
    walked = found.walk_forward
    assert walked is not None
    warnings = walked.warnings or ["No rule against overfitting was broken."]
    tried = _table(
        ("chosen on part", "chosen", "return there", "return on the next", "median of all", "rank"),
        (
            (
                f"{part}",
                ", ".join(f"{name} {value}" for name, value in zip(found.grid, split.chosen, strict=True)),
                percent(split.in_sample, sign=True),
                percent(split.out_of_sample, sign=True),
                percent(split.median, sign=True),
                f"{split.rank} of {split.choices}",
            )
            for part, split in enumerate(walked.splits, start=1)
        ),
    )
    return f"{best}\n{tried}\n{' '.join(warnings)}\n"


def _quotes(shared: Path, result: RunResult) -> str:
    """Compare taker fills with the quotes that were recorded of the same days."""
    with gzip.open(shared / "data" / "real" / "trades" / QUOTES, "rt") as file:
        quotes = sorted((float(row["time"]), float(row["bid"]), float(row["ask"])) for row in csv.DictReader(file))
    times = [time for time, _, _ in quotes]
    spread = statistics.median((ask - bid) / (ask + bid) * 20_000 for _, bid, ask in quotes)
    costs = []
    for fill in result.fills:
        time_s = fill.time_ns / 1e9
        time, bid, ask = quotes[bisect_right(times, time_s) - 1]
        if 0 <= time_s - time <= QUOTE_AGE_MAX_S:
            price = float(fill.price)
            costs.append((ask - price if fill.side == "buy" else price - bid) / price * 10_000)
    return (
        f"Of {len(quotes):,} recorded quotes the median spread is {spread:.1f} basis points. "
        f"{len(costs)} of the {len(result.fills)} fills of `ma_cross` have a quote at most {QUOTE_AGE_MAX_S} s old; "
        f"at that quote they would have cost {statistics.mean(costs):+.2f} basis points more on average, "
        f"{statistics.median(costs):+.2f} at the median.\n"
    )


def _picture(html: Path, png: Path, height: int) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        print(f"{png.name} stays as it is: there is no Chromium here", file=sys.stderr)
        return
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=8000"]
    options.append("--force-device-scale-factor=0.75")
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    size, out = f"--window-size=1200,{height}", f"--screenshot={png}"
    subprocess.run(
        [browser, *options, size, out, html.resolve().as_uri()], check=True, capture_output=True, timeout=120
    )


if __name__ == "__main__":
    raise SystemExit(main())

"""`krakenwire bot sweep`: a strategy tried with many parameters.

It reads the grid, shows how far the sweep is, and tells the result.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from krakenwire.cli.exit_codes import FAILED, INTERRUPTED, OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import notice, put, put_table
from krakenwire.storage.run_folder import save_page
from krakenwire.trading.report.walk_forward import METRICS

if TYPE_CHECKING:
    from krakenwire.apps.sweep import Backtests, Progress, Sweep

__all__ = ["add_parser", "run", "run_sweep"]

_ROWS: Final = 20
_PAGE: Final = "sweep.html"

_EPILOG: Final = """\
Every combination of the grid's values is one backtest. With --walk-forward K the time
is cut into K + 1 parts: the best parameters of each are tried on the next, and what
looks like overfitting is called so. Ctrl-C keeps what is done.

  krakenwire bot sweep cross.py --tape monday --grid fast=5,10,20 --grid slow=50,100
  krakenwire bot sweep cross.py --tape monday --grid fast=5,10,20 --walk-forward 3 --out sweep"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "sweep",
        help="try many parameters on all cores",
        description="Backtest a strategy with every combination of parameters, on all cores.",
        epilog=_EPILOG,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the strategy")
    parser.add_argument("--tape", metavar="DIR", required=True, help="the folder of the tape")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings, as for one backtest")
    parser.add_argument(
        "--grid", action="append", default=[], metavar="NAME=V,V", help="values of a parameter; once for each"
    )
    parser.add_argument("--metric", choices=[*METRICS], default="return", help="what the best is by (return)")
    parser.add_argument("--walk-forward", metavar="K", type=int, default=0, help="splits, for a test of overfitting")
    parser.add_argument("--workers", metavar="N", type=int, help="processes (one for each core)")
    parser.add_argument("--out", metavar="DIR", type=Path, help=f"also write {_PAGE}, with heat maps, to this folder")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run the sweep over a tape and print what it found."""
    from krakenwire.apps.bot_config import BotConfig, read_bot_config
    from krakenwire.apps.sweep import grid_from
    from krakenwire.apps.tape_backtests import TapeBacktests

    config = BotConfig() if args.config is None else read_bot_config(args.config)
    backtests = TapeBacktests(str(args.file), args.tape, config)
    backtests.check(grid_from(args.grid))
    return run_sweep(args, backtests)


def run_sweep(args: argparse.Namespace, backtests: Backtests) -> int:
    """Run a sweep of whatever backtests and print what it found.

    Args:
        args: as `add_parser` reads them.
        backtests: what runs one.
    """
    from krakenwire.apps.sweep import grid_from, sweep
    from krakenwire.apps.sweep_plots import sweep_page

    grid = grid_from(args.grid)
    with _progress() as progress:
        found = sweep(
            backtests,
            grid,
            metric=args.metric,
            splits=args.walk_forward,
            workers=args.workers,
            progress=progress,
        )
    if args.out is not None:
        save_page(args.out / _PAGE, sweep_page(f"Sweep of {args.file.name}", found))
        notice(f"the page is {args.out / _PAGE}")
    if args.json:
        put(msgspec.json.encode(found, order="deterministic").decode())
    else:
        _show(found)
    return INTERRUPTED if found.interrupted else OK if any(row.figures for row in found.rows) else FAILED


def _show(found: Sweep) -> None:
    from krakenwire.apps.sweep_plots import SWEEP_COLUMNS, sweep_cells, sweep_verdict

    put(sweep_verdict(found))
    columns = [*found.grid, *SWEEP_COLUMNS]
    put_table(columns, [sweep_cells(row) for row in found.rows[:_ROWS]], numbers=columns, wraps=SWEEP_COLUMNS[:1])
    if len(found.rows) > _ROWS:
        put(f"and {len(found.rows) - _ROWS:,} more: --json and --out have them")
    if found.walk_forward is not None:
        for warning in found.walk_forward.warnings or ["walk forward: no rule against overfitting was broken"]:
            put(warning)


@contextlib.contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty() or importlib.util.find_spec("rich") is None:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("runs", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

"""`krakenwire bot drift`: two runs side by side, trade by trade."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from krakenwire.cli.exit_codes import FAILED, OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import notice, put
from krakenwire.storage.run_folder import read_run, save_page
from krakenwire.trading.report.drift import CAUSES, Drift, drift

__all__ = ["add_parser", "run"]

_EPILOG = f"""\
RUN_A and RUN_B are folders that were written with --out: a backtest and a replay of
one tape, or paper and live of one day. Every difference has one cause:

{chr(10).join(f"  {cause:14}{meaning}" for cause, meaning in CAUSES.items())}

Ends with code 0 if nothing differs, with code 1 otherwise.

  krakenwire bot drift runs/backtest runs/replay
  krakenwire bot drift runs/paper runs/live --tolerance-ms 200 --out drift.html"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "drift",
        help="compare two runs trade by trade",
        description="Compare two runs trade by trade, with the cause of each difference.",
        epilog=_EPILOG,
    )
    parser.add_argument("run_a", metavar="RUN_A", type=Path, help="the folder of the run to measure against")
    parser.add_argument("run_b", metavar="RUN_B", type=Path, help="the folder of the other one")
    parser.add_argument("--json", action="store_true", help="print the comparison as one JSON object")
    parser.add_argument("--out", metavar="FILE", type=Path, help="also write it as an HTML page")
    parser.add_argument(
        "--tolerance-ms",
        metavar="MS",
        type=_milliseconds,
        help="times nearer than this are the same; by default 0 between rehearsals, 50 otherwise",
    )


def _milliseconds(text: str) -> int:
    value = float(text)
    if not 0 <= value <= 3_600_000:
        raise argparse.ArgumentTypeError(f"expected milliseconds from 0 to an hour, found {text}")
    return round(value * 1_000_000)


def run(args: argparse.Namespace) -> int:
    """Compare the runs and print what differs."""
    from krakenwire.apps.drift_report import drift_lines, drift_page

    a, b = read_run(args.run_a), read_run(args.run_b)
    found = drift(a, b, tolerance_ns=args.tolerance_ms)
    if args.out is not None:
        save_page(args.out, drift_page(a, b, found))
        notice(f"the page is {args.out}")
    if args.json:
        put(_json(found))
    else:
        for line in drift_lines(found):
            put(line)
    return OK if found.same else FAILED


def _json(found: Drift) -> str:
    return msgspec.json.encode({"same": found.same, **msgspec.to_builtins(found)}).decode()

"""`krakenwire bench`: how fast is it here, beside its yardsticks and other clients?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from krakenwire.bench.goals import SUITES
from krakenwire.cli.exit_codes import FAILED, OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.errors import UsageError

if TYPE_CHECKING:
    from krakenwire.bench.suites import Result

__all__ = ["add_parser", "run"]

_EPILOG = """\
Every figure is a median of rounds in which all cases take turns; only ratios
within one run count. Peers that are not installed are left out and said so:
pip install 'krakenwire[bench]' brings them. --check ends with code 1 when a
bound is missed. The whole run takes some minutes.

suites:
{suites}

  krakenwire bench
  krakenwire bench --only book --only v1 --json
  krakenwire bench --plot bench.svg"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    suites = "\n".join(f"  {name:<9} {what}" for name, what in SUITES.items())
    parser = subparsers.add_parser(
        "bench",
        help="measure krakenwire beside its yardsticks and other clients",
        description="Measure krakenwire on this machine beside its yardsticks and other clients.",
        epilog=_EPILOG.format(suites=suites),
    )
    parser.add_argument("--only", action="append", choices=list(SUITES), metavar="NAME", help="a suite; repeatable")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="rounds, at least 5 (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="few frames: shows that it works, measures nothing")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the result")
    parser.add_argument("--check", action="store_true", help="end with code 1 when a bound is missed")


def run(args: argparse.Namespace) -> int:
    """Measure, print, and judge if asked to."""
    import msgspec

    from krakenwire.bench.plot import draw
    from krakenwire.bench.rows import missed
    from krakenwire.bench.suites import run_suites
    from krakenwire.bench.timing import ROUNDS_MIN

    if args.rounds < ROUNDS_MIN:
        raise UsageError("--rounds", expected=f"{ROUNDS_MIN} or more", found=args.rounds)
    if args.plot is not None:
        _must_be_writable(args.plot)
    result = run_suites(args.only or (), rounds=args.rounds, quick=args.quick, progress=_progress)
    if args.json:
        print(msgspec.json.encode(result).decode(), flush=True)
    else:
        _show(result)
    if args.plot is not None:
        args.plot.write_text(draw(result), encoding="utf-8")
    return FAILED if args.check and missed(result.rows) else OK


def _must_be_writable(plot: Path) -> None:
    """Find out before minutes of measuring whether the drawing can be put where it is wanted."""
    if plot.suffix != ".svg":
        raise UsageError("--plot", expected="a name that ends with .svg", found=str(plot))
    try:
        plot.open("a").close()
    except OSError as error:
        raise UsageError("--plot", expected=f"a file that can be written ({error.strerror})", found=str(plot)) from None


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show(result: Result) -> None:
    from krakenwire.bench.table import notes, plain_table, verdict

    if not (sys.stdout.isatty() and _rich_table(result)):
        print("\n".join(plain_table(result)))
    print("\n".join(["", *notes(result.rows), *verdict(result)]))


def _rich_table(result: Result) -> bool:
    """Draw the table with rich; return False when it is not installed."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        return False
    from krakenwire.bench.table import COLUMNS, cells

    table = Table(*COLUMNS, box=None, header_style="bold")
    for row in result.rows:
        style = {True: None, None: "dim", False: "red"}[row.met]
        table.add_row(*cells(row), style=style)
    Console().print(table)
    return True

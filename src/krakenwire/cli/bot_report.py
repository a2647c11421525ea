"""`krakenwire bot report`: the page of a run that was kept, drawn anew."""

from __future__ import annotations

import argparse
from pathlib import Path

from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import put
from krakenwire.storage.run_folder import REPORT_FILE, save_page

__all__ = ["add_parser", "run"]

_EPILOG = """\
RUN is a folder that was written with --out. The page needs nothing else: open it
from the disk, or send it to somebody.

  krakenwire bot report runs/monday
  krakenwire bot report runs/monday --out monday.html"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="draw the report of a run",
        description="Draw the report of a run: figures, tables and plots on one HTML page.",
        epilog=_EPILOG,
    )
    parser.add_argument("run", metavar="RUN", type=Path, help="the folder of the run")
    parser.add_argument("--out", metavar="FILE", type=Path, help=f"where to; {REPORT_FILE} in the folder by default")


def run(args: argparse.Namespace) -> int:
    """Draw the page and say where it is."""
    from krakenwire.apps.report import report_of_folder

    place: Path = args.out or args.run / REPORT_FILE
    save_page(place, report_of_folder(args.run))
    put(str(place))
    return OK

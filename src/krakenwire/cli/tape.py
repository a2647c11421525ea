"""`krakenwire tape`: look at tapes, and make others of them. Each action is a module of its own."""

from __future__ import annotations

import argparse
import signal
from types import FrameType, ModuleType
from typing import Final

from krakenwire.cli import tape_cut, tape_export, tape_import, tape_info, tape_merge
from krakenwire.cli.parsers import Subparsers

__all__ = ["add_parser", "run"]

_ACTIONS: Final[dict[str, ModuleType]] = {
    "info": tape_info,
    "cut": tape_cut,
    "merge": tape_merge,
    "export": tape_export,
    "import": tape_import,
}

_EPILOG: Final = """\
No action changes the tape that it reads.

  krakenwire tape info tape
  krakenwire tape cut tape --from 2026-11-28T10:00:00Z --to 2026-11-28T11:00:00Z --out hour
  krakenwire tape merge monday tuesday --out days
  krakenwire tape export tape --to parquet --out columns
  krakenwire tape import XBTUSD.csv --symbol BTC/USD --out tape"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "tape",
        help="look at tapes, cut, merge, export and import them",
        description="Work with recorded tapes.",
        epilog=_EPILOG,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    for action in _ACTIONS.values():
        action.add_parser(actions)
    parser.commands = dict(actions.choices)


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        return int(_ACTIONS[args.action].run(args))
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number: int, _: FrameType | None) -> None:
    """End as Ctrl-C does, so that what is half made is removed; the code is the one of a shell."""
    raise SystemExit(128 + number)

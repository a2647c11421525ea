"""`krakenwire bot`: run a strategy, and look at what it did. Each action is a module of its own."""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import Final

from krakenwire.cli import bot_control, bot_drift, bot_report, bot_run, bot_sweep
from krakenwire.cli.parsers import Subparsers

__all__ = ["add_parser", "run"]

_ACTIONS: Final[dict[str, ModuleType]] = {
    "run": bot_run,
    "report": bot_report,
    "drift": bot_drift,
    "sweep": bot_sweep,
    "stop": bot_control,
    "status": bot_control,
    "resume": bot_control,
    "flatten": bot_control,
}
"""By name: modules with `add_parser(actions)`, which adds the parsers of their names, and `run(args) -> int`.

All are loaded by every command: what needs an optional part is imported in `run`.
"""

_EPILOG: Final = """\
  krakenwire bot run grid.py --mode backtest --tape tapes/monday --out runs/monday
  krakenwire bot report runs/monday
  krakenwire bot drift runs/monday runs/tuesday
  krakenwire bot sweep ma_cross.py --tape tapes/monday --grid fast=5,10,20 --grid slow=50,100"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "bot",
        help="run a strategy on recorded markets, and see what it did",
        description="Strategies: run one, and look at what it did.",
        epilog=_EPILOG,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    for module in dict.fromkeys(_ACTIONS.values()):
        module.add_parser(actions)
    parser.commands = dict(actions.choices)


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    return int(_ACTIONS[args.action].run(args))

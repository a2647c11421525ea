"""`krakenwire balance`: what the account has, and how much of it open orders hold."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from krakenwire.apps.orders import account_at
from krakenwire.cli.account import KEYS_TEXT, add_key_file, add_on, keys_at
from krakenwire.cli.exit_codes import OK
from krakenwire.cli.order_lines import balance_json
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import fixed, json_line, put, put_table

__all__ = ["add_parser", "run"]

_COLUMNS: Final = ("asset", "balance", "held", "available")

_EPILOG: Final = f"""\
It only reads. On a pipe, or with --json, it prints one JSON object with exact numbers;
there assets of which nothing is left are told too.

{KEYS_TEXT}

  krakenwire balance
  krakenwire balance --on local --json

exit codes: 0 well, 2 usage, 3 connection, 5 refused by the venue"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "balance", help="show what your account has", description="What your account has.", epilog=_EPILOG
    )
    add_on(parser, "live")
    add_key_file(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on a terminal too")


def run(args: argparse.Namespace) -> int:
    """Print the balances."""
    with account_at(args.on, keys_at(args.on, args.key_file)) as rest:
        balances = rest.balances_ex()
    if args.json or not sys.stdout.isatty():
        put(json_line({"on": args.on, "balances": [balance_json(row) for row in balances]}))
        return OK
    rows = [
        (row.asset, fixed(row.balance), fixed(row.held), fixed(row.balance - row.held))
        for row in balances
        if row.balance or row.held
    ]
    if rows:
        put_table(_COLUMNS, rows, numbers=_COLUMNS[1:])
    else:
        put("nothing")
    return OK

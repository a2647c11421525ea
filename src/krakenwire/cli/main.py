"""The command `krakenwire`: finds the subcommand, runs it, turns errors into one line and a code.

A user's mistake never shows a traceback. Each subcommand is a module with
`add_parser(subparsers) -> None` and `run(args) -> int`; see `venue`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from krakenwire import _native
from krakenwire.cli import balance, bench, bot, demo, order, record, replay, stream, tape, venue, verify, watch
from krakenwire.cli.exit_codes import INTERNAL, INTERRUPTED, OK, USAGE, exit_code_of
from krakenwire.cli.parsers import Parser
from krakenwire.cli.secrecy import refuse_secrets
from krakenwire.errors import ConfigError, KrakenwireError
from krakenwire.version import VERSION

__all__ = ["build_parser", "main"]

_COMMANDS: Final[dict[str, ModuleType]] = {
    "demo": demo,
    "watch": watch,
    "stream": stream,
    "order": order,
    "balance": balance,
    "record": record,
    "tape": tape,
    "bot": bot,
    "verify": verify,
    "venue": venue,
    "replay": replay,
    "bench": bench,
}

_DESCRIPTION: Final = """\
Kraken market data and orders over WebSocket API v1 and v2, with order books proven
by checksum, a price watcher, and a Kraken of your own to try things on."""

_EPILOG: Final = """\
first steps:
  krakenwire demo                                   see a living market, no network needed
  krakenwire stream trades BTC/USD --json           trades of the live service, one a line
  krakenwire watch BTC/USD --above 70000            be told when a price is reached
  krakenwire order add BTC/USD buy 0.01 --type market --on local    an order's whole life
  krakenwire record BTC/USD --channels book:100,trade   the feed on a tape, to verify and play again
  krakenwire bot run FILE --mode backtest --tape DIR    a strategy on a recorded day
  krakenwire venue --port 8080                      a local Kraken for any Kraken client

exit codes: 0 well, 1 not verified, 2 usage, 3 connection, 4 time-out,
            5 refused by the venue, 6 optional part missing, 7 unknown: an order
            was sent and may have been carried out, 70 bug, 130 interrupted

Not affiliated with Kraken."""


def version_text() -> str:
    """Return the version, whether the compiled twins are in use and if not why, and the Python under it."""
    pure = "pure: KRAKENWIRE_PURE" if _native.FORBIDDEN else "pure: not built"
    return f"krakenwire {VERSION} ({'native' if _native.ENABLED else pure}, Python {platform.python_version()})"


def build_parser() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(prog="krakenwire", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=version_text())
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in _COMMANDS.values():
        command.add_parser(subparsers)
    parser.commands = dict(subparsers.choices)
    return parser


def _complain(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"krakenwire: {text}", file=sys.stderr)


def _run(module: ModuleType, args: argparse.Namespace) -> int:
    try:
        code = int(module.run(args))
        sys.stdout.flush()
    except KrakenwireError as error:
        _complain(str(error))
        return exit_code_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as in `| head`: nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception:  # noqa: BLE001 - the last line of defence: report the bug with its evidence
        traceback.print_exc()
        _complain("this is a bug in krakenwire; please report the lines above")
        return INTERNAL
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: the arguments without the program's name; None for the process's own.
    """
    parser = build_parser()
    given = sys.argv[1:] if argv is None else argv
    try:
        refuse_secrets(given)
    except ConfigError as error:
        _complain(str(error))
        return USAGE
    args, extra = parser.parse_known_args(given)
    if extra:
        parser.chosen(args.command, getattr(args, "action", None)).refuse_extra(extra)
    if args.command is None:
        parser.print_help()
        return USAGE
    return _run(_COMMANDS[args.command], args)


if __name__ == "__main__":
    sys.exit(main())

"""`krakenwire tape merge`: several tapes as one."""

from __future__ import annotations

import argparse

import msgspec

from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import put
from krakenwire.cli.tape_words import bytes_text, progress_line

__all__ = ["add_parser", "run"]

_EPILOG = """\
Records are put in the order of their times, and numbered anew; each tape's
connections stay apart. Tapes may overlap; the same tape twice is refused."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the action."""
    parser = subparsers.add_parser(
        "merge", help="put several tapes onto one", description="Merge tapes by time.", epilog=_EPILOG
    )
    parser.add_argument("folders", metavar="DIR", nargs="+", help="the tapes")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder of the new tape")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Merge."""
    from krakenwire.apps.tape_tools import merge
    from krakenwire.storage.tape_reader import Tape

    with progress_line() as progress:
        info = merge([Tape(folder) for folder in args.folders], args.out, progress)
    if args.json:
        put(msgspec.json.encode(info).decode())
    else:
        put(f"{info.records:,} records, {info.frames:,} frames, {bytes_text(info.bytes)} on {args.out}")
    return OK

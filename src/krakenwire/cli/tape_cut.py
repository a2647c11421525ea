"""`krakenwire tape cut`: a part of a tape as a tape of its own."""

from __future__ import annotations

import argparse

import msgspec

from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import put
from krakenwire.cli.tape_words import bytes_text, time_on

__all__ = ["add_parser", "run"]

_EPILOG = """\
T is a time such as 2026-11-28T10:00:00Z, or a duration since the tape's beginning
such as 90 or 5m. The first is part of the cut, the last is not. Records keep their
times and numbers. Books begin with what they need from before: their last snapshot
and the updates since, so that 'krakenwire verify' can follow them."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the action."""
    parser = subparsers.add_parser(
        "cut",
        help="copy what lies between two times",
        description="Copy a part of a tape to another one.",
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="the tape")
    parser.add_argument("--from", dest="start", metavar="T", default="0", help="from this time on; the beginning")
    parser.add_argument("--to", dest="end", metavar="T", help="before this time; the end")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder of the new tape")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Cut."""
    from krakenwire.apps.tape_tools import cut
    from krakenwire.storage.tape_reader import Tape

    tape = Tape(args.folder)
    start_ns = time_on(tape.info, "--from", args.start)
    end_ns = tape.info.end_ns + 1 if args.end is None else time_on(tape.info, "--to", args.end)
    info = cut(tape, args.out, start_ns, end_ns)
    if args.json:
        put(msgspec.json.encode(info).decode())
    else:
        put(f"{info.records:,} records, {info.frames:,} frames, {bytes_text(info.bytes)} on {args.out}")
    return OK

"""`krakenwire tape info`: what is on a tape, when, and of what quality."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import msgspec

from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import put, put_table, summary
from krakenwire.cli.tape_words import bytes_text, progress_line
from krakenwire.model.times import rfc3339_from_ns

if TYPE_CHECKING:
    from krakenwire.apps.tape_tools import TapeReport

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Subparsers) -> None:
    """Add the action."""
    parser = subparsers.add_parser(
        "info",
        help="show what is on a tape",
        description="Show what is on a tape: when, which connections, frames by channel and symbol, and its quality.",
        epilog="All of the tape is read, and proven by its checksums on the way. --deep replays its books, too.",
    )
    parser.add_argument("folder", metavar="DIR", help="the tape")
    parser.add_argument("--deep", action="store_true", help="replay the books, and count their checksums")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Read the tape and print what it holds."""
    from krakenwire.apps.tape_tools import report_of
    from krakenwire.apps.verify import VerifyReport
    from krakenwire.apps.verify_tape import verify_tape
    from krakenwire.storage.tape_reader import Tape

    tape = Tape(args.folder)
    with progress_line() as progress:
        report = report_of(tape, progress)
        books: VerifyReport | None = verify_tape(tape) if args.deep else None
    connections = [
        {"connection": row.connection, "sequence": row.sequence, **msgspec.to_builtins(row.opened)}
        for row in tape.opened
    ]
    if args.json:
        facts = msgspec.to_builtins(report) | {"opened": connections, "books": msgspec.to_builtins(books)}
        put(msgspec.json.encode(facts).decode())
        return OK
    for line in _lines(report):
        put(line)
    for row in connections:
        put(f"connection {row['connection']}: version {row['version']} {row['name']} {row['url']}")
    put_table(
        ("frames of", "count"), [(name, f"{count:,}") for name, count in report.streams.items()], numbers=("count",)
    )
    if books is not None:
        put(f"books: {books.verdict}")
    return OK


def _lines(report: TapeReport) -> list[str]:
    info = report.info
    when = "empty"
    if info.records:
        seconds = (info.end_ns - info.start_ns) / 1e9
        when = f"{rfc3339_from_ns(info.start_ns)} to {rfc3339_from_ns(info.end_ns)}, {seconds:,.1f} s"
    size = f"{bytes_text(info.bytes)} on {bytes_text(info.stored_bytes)} of disk"
    lines = [when, f"{info.records:,} records, {info.frames:,} frames, {size}, {info.segments} segments"]
    trouble = summary(
        {**report.marks, "records lost": report.lost, "ends": report.disconnects, "bytes torn off": info.torn}
    )
    return [*lines, f"marks: {trouble or 'none'}"]

"""`krakenwire verify`: are the order books of a recording, or a tape, what their checksums say?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import msgspec

from krakenwire.apps.verify import SymbolReport, VerifyReport, verify_file
from krakenwire.cli.exit_codes import FAILED, OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.tape_words import progress_line

__all__ = ["add_parser", "run"]

_EPILOG = """\
FILE holds one raw text frame per line, as it came over the wire; gzip is fine,
and - reads standard input. Versions 1 and 2 are told apart frame by frame,
blank lines and requests of the client are passed over. A folder is read as a
tape of 'krakenwire record': every record is proven by its own checksum as well.

Ends with code 0 only if at least one checksum was verified, none failed and no
frame was malformed; with code 1 otherwise, with code 2 if FILE cannot be read.

  krakenwire verify recording.jsonl
  krakenwire verify recording.jsonl.gz --json
  krakenwire verify tape"""

_COLUMNS = ("verified", "failed", "snapshots", "updates", "unverifiable", "skipped")


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "verify",
        help="replay a recording and check every order book checksum",
        description="Replay recorded frames through the order books and check every checksum.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "file", metavar="FILE", help="one raw text frame per line, plain or gzip; - for stdin; or a tape"
    )
    parser.add_argument(
        "--depth", type=int, metavar="N", help="levels a side of books whose depth the frames do not tell"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Replay the file and print what it showed."""
    report = _verified(args.file, args.depth)
    if args.json:
        print(json.dumps(msgspec.to_builtins(report)))
        if not report.ok:
            print(f"krakenwire: {args.file}: {report.verdict}", file=sys.stderr)
    else:
        print("\n".join(_lines(report)))
    return OK if report.ok else FAILED


def _verified(path: str, depth: int | None) -> VerifyReport:
    if Path(path).is_dir():
        from krakenwire.apps.verify_tape import verify_tape  # for those who have the extra of tapes
        from krakenwire.storage.tape_reader import Tape

        with progress_line() as told:
            return verify_tape(Tape(path), depth=depth, progress=told)
    progress = _show_progress if sys.stderr.isatty() else None
    report = verify_file(path, depth=depth, progress=progress)
    if progress is not None:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return report


def _show_progress(lines: int, share: float | None) -> None:
    done = "" if share is None else f", {share:.0%}"
    print(f"\r\x1b[K{lines:,} lines{done}", end="", file=sys.stderr, flush=True)


def _lines(report: VerifyReport) -> list[str]:
    version = "" if report.version is None else f", version {report.version}"
    lines = [f"{report.frames:,} frames{version}: {report.verdict}"]
    others = {
        "malformed": report.malformed,
        "unknown": report.unknown,
        "left to the exact path": report.fallbacks,
        "client lines": report.client_lines,
        "blank lines": report.blank_lines,
    }
    shown = ", ".join(f"{name} {count:,}" for name, count in others.items() if count)
    return [*lines, *([shown] if shown else []), *_table(report.symbols)]


def _table(symbols: dict[str, SymbolReport]) -> list[str]:
    if not symbols:
        return []
    rows: list[tuple[str, ...]] = [("book", *_COLUMNS)]
    rows += [(name, *(f"{getattr(row, column):,}" for column in _COLUMNS)) for name, row in sorted(symbols.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]

"""`krakenwire tape export`: a tape's market as Parquet, CSV or arrays."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import put
from krakenwire.cli.tape_words import progress_line, time_on
from krakenwire.protocol.symbols import to_v2

if TYPE_CHECKING:
    from krakenwire.apps.tape_export import ExportReport

__all__ = ["add_parser", "run"]

_EPILOG = """\
FORMAT is one of
  parquet      trade, top, book (level changes) and candle (one minute, from the trades):
               channel=trade/symbol=BTC-USD/day=2026-11-28/part-00000.parquet
  csv          trade, top, candle (as Kraken's OHLCVT), time-and-sales (as Kraken sells it):
               trade/BTC-USD.csv
  hftbacktest  BTC-USD.npz, the event array of hftbacktest

Every book is made anew and its checksums compared on the way. The folder appears
when it is whole. T is a time such as 2026-11-28T10:00:00Z, or a duration since the
tape's beginning such as 90 or 5m.

  krakenwire tape export tape --to parquet --out columns
  krakenwire tape export tape --to csv --channels trade,candle --symbols BTC/USD --out csv"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the action."""
    parser = subparsers.add_parser(
        "export",
        help="write the market as Parquet, CSV or arrays for hftbacktest",
        description="Write a tape's market as columns.",
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="the tape")
    parser.add_argument("--to", metavar="FORMAT", required=True, help="parquet, csv or hftbacktest")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder that is not there yet")
    parser.add_argument("--channels", metavar="NAMES", help="only these, such as trade,top; all that FORMAT has")
    parser.add_argument("--symbols", metavar="NAMES", help="only these, such as BTC/USD,ETH/USD; all of the tape")
    parser.add_argument("--from", dest="start", metavar="T", help="from this time on; the beginning")
    parser.add_argument("--until", dest="end", metavar="T", help="before this time; the end")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier export")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def run(args: argparse.Namespace) -> int:
    """Export."""
    from krakenwire.apps.tape_export import export_tape
    from krakenwire.storage.tape_reader import Tape

    tape = Tape(args.folder)
    with progress_line() as progress:
        report = export_tape(
            tape,
            Path(args.out),
            args.to,
            channels=_names(args.channels),
            symbols=None if args.symbols is None else [to_v2(name) for name in _names(args.symbols) or ()],
            start_ns=None if args.start is None else time_on(tape.info, "--from", args.start),
            end_ns=None if args.end is None else time_on(tape.info, "--until", args.end),
            overwrite=args.overwrite,
            progress=progress,
        )
    put(msgspec.json.encode(report).decode() if args.json else "\n".join(_lines(report)))
    return OK


def _lines(report: ExportReport) -> list[str]:
    counters = report.counters
    rows = ", ".join(f"{count:,} of {channel}" for channel, count in report.rows.items()) or "none"
    lines = [f"{counters.frames:,} frames of {len(report.symbols)} symbols, {report.files} files in {report.out}"]
    lines.append(f"rows: {rows}")
    others = {
        "gaps": counters.gaps,
        "failed checksums": counters.failed,
        "malformed frames": counters.malformed,
        "book messages without a snapshot": counters.ignored,
        "events that another connection had told": counters.repeated,
        "trades that a snapshot repeated": report.repeated_trades,
    }
    shown = ", ".join(f"{name} {count:,}" for name, count in others.items() if count)
    return [*lines, *([shown] if shown else [])]

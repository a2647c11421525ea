"""`krakenwire tape import`: files of trades or candles become a tape."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import put
from krakenwire.model.times import rfc3339_from_ns

if TYPE_CHECKING:
    from krakenwire.apps.tape_import import ImportReport

__all__ = ["add_parser", "run"]

_EPILOG = """\
FILE is plain or gzip: Kraken's downloadable time-and-sales (time, price, volume) or
OHLCVT, or trades with a header that names time, price and volume, and perhaps side and
order type. Rows may be out of order. Where no file tells the side, the tick rule does:
a trade above the one before was bought, one below it sold.

  krakenwire tape import XBTUSD.csv --symbol BTC/USD --out tape
  krakenwire tape import XBTUSD_5.csv.gz --symbol BTC/USD --interval 5 --out candles
  krakenwire tape import XBTUSD_5.csv.gz --symbol BTC/USD --as-trades --out market

On a tape of candles alone no order fills. With --as-trades each candle becomes four
trades that tell its prices: open, the extreme against its direction, the other, close."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the action."""
    parser = subparsers.add_parser(
        "import",
        help="make a tape of files of trades or candles",
        description="Make a tape of files of trades or candles of one instrument.",
        epilog=_EPILOG,
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="of the same columns")
    parser.add_argument("--symbol", metavar="SYMBOL", required=True, help="such as BTC/USD")
    parser.add_argument("--out", metavar="DIR", required=True, help="folder of the new tape")
    parser.add_argument(
        "--format",
        dest="layout",
        choices=("auto", "trades", "time-and-sales", "ohlcvt"),
        default="auto",
        help="what the rows are; auto looks at the first one",
    )
    parser.add_argument("--interval", type=int, metavar="MINUTES", help="of candles; told by their beginnings")
    parser.add_argument(
        "--as-trades", action="store_true", help="write four trades a candle, which tell its prices, for backtests"
    )
    parser.add_argument("--drop-duplicates", action="store_true", help="leave out rows that repeat another wholly")
    parser.add_argument("--skip-bad", action="store_true", help="leave out bad rows, and say how many there were")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Import."""
    from krakenwire.apps.tape_import import import_files

    report = import_files(
        [Path(file) for file in args.files],
        args.symbol,
        Path(args.out),
        layout=args.layout,
        interval=args.interval,
        as_trades=args.as_trades,
        drop_duplicates=args.drop_duplicates,
        skip_bad=args.skip_bad,
        progress=_show if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    put(msgspec.json.encode(report).decode() if args.json else "\n".join(_lines(report)))
    return OK


def _show(what: str, share: float | None) -> None:
    done = "" if share is None else f", {share:.0%}"
    print(f"\r\x1b[K{what}{done}", end="", file=sys.stderr, flush=True)


def _lines(report: ImportReport) -> list[str]:
    start, end = (rfc3339_from_ns(time_ns, 0) for time_ns in (report.start_ns, report.end_ns))
    what = f"{report.kind} of {report.interval} minutes" if report.interval else report.kind
    lines = [f"{report.rows:,} {what} of {report.symbol}, {start} to {end}, on {report.out}"]
    others = {
        "out of order": report.out_of_order,
        "duplicates": report.duplicates,
        "dropped": report.dropped,
        "numbers rounded to 10 decimals": report.rounded,
        "bad rows left out": report.bad,
    }
    shown = [f"{name} {count:,}" for name, count in others.items() if count]
    shown += [f"sides by {report.sides}"] if report.sides == "tick rule" else []
    return [*lines, *([", ".join(shown)] if shown else []), *report.bad_shown]

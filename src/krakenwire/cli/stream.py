"""`krakenwire stream`: any channel of the feed, one line an item."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import Final

from krakenwire.apps.kraken import Kraken
from krakenwire.apps.streaming import CHANNEL_NAMES, channel_named, stream_frames, stream_items
from krakenwire.apps.watcher import Notice, Tick
from krakenwire.cli.exit_codes import OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import ends_on_signals, notice, put, summary
from krakenwire.cli.stream_lines import json_lines, plain_lines
from krakenwire.client import ClientCounters
from krakenwire.errors import ConfigError
from krakenwire.watch.values import duration_from

__all__ = ["add_parser", "run"]

_TOKEN_VARIABLE: Final = "KRAKEN_WS_TOKEN"  # noqa: S105 - the name of a variable, not a token

_EPILOG = f"""\
channels: {", ".join(CHANNEL_NAMES)}

On a pipe, or with --json, each item is one JSON object on a line with exact
numbers: every digit the venue sent, no exponent. With --raw the frames are
printed as they came, the venue's answers and heartbeats among them.
level3 needs an account: KRAKEN_API_KEY and KRAKEN_API_SECRET, or a WebSocket
token in the variable {_TOKEN_VARIABLE}. --on local has an account of its own.

  krakenwire stream trades BTC/USD ETH/USD --json
  krakenwire stream book BTC/USD --depth 25 --on local
  krakenwire stream ohlc BTC/USD --interval 5 --count 3
  krakenwire stream ticker BTC/USD --api 1 --raw > recording.jsonl

exit codes: 0 ended by --count, --seconds or Ctrl-C; 2 usage; 3 connection; 5 refused"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "stream",
        help="print a channel of the feed, one line an item",
        description="Print market data as it comes.",
        epilog=_EPILOG,
    )
    parser.add_argument("channel", metavar="CHANNEL", help="such as trades, ticker, book, ohlc")
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="such as BTC/USD; any spelling")
    parser.add_argument("--on", default="live", metavar="WHERE", help="live (default), beta, local, or an address")
    parser.add_argument("--api", type=int, choices=(1, 2), default=2, help="API version (default 2)")
    parser.add_argument("--depth", type=int, metavar="N", help="price levels a side, for book and level3")
    parser.add_argument("--interval", type=int, metavar="MINUTES", help="for ohlc")
    parser.add_argument(
        "--snapshot", action=argparse.BooleanOptionalAction, help="begin with the present state, where there is one"
    )
    parser.add_argument("--json", action="store_true", help="JSON lines on a terminal too")
    parser.add_argument("--raw", action="store_true", help="frames exactly as they came")
    parser.add_argument("--count", type=int, metavar="N", help="end after so many lines")
    parser.add_argument("--seconds", metavar="S", help="end after so long")


def run(args: argparse.Namespace) -> int:
    """Print items until told to stop."""
    channel = channel_named(args.channel)
    if args.raw and args.json:
        raise ConfigError("--raw and --json", expected="one of them")
    if args.count is not None and args.count < 1:
        raise ConfigError("--count", expected="at least 1", found=args.count)
    seconds_ns = None if args.seconds is None else duration_from("--seconds", args.seconds)
    token = os.environ.get(_TOKEN_VARIABLE) if channel == "level3" else None
    with Kraken(args.on, version=args.api, token=token or None) as kraken:
        try:
            with ends_on_signals():
                _print(_lines(kraken, channel, args), args.count, seconds_ns)
        finally:
            _tell(kraken.counters)
    return OK


def _lines(kraken: Kraken, channel: str, args: argparse.Namespace) -> Iterator[str | Notice | Tick]:
    parameters = {"depth": args.depth, "interval": args.interval, "snapshot": args.snapshot}
    if args.raw:
        yield from stream_frames(kraken, channel, args.symbols, **parameters)
        return
    lines = json_lines if args.json or not sys.stdout.isatty() else plain_lines
    for item in stream_items(kraken, channel, args.symbols, **parameters):
        if isinstance(item, Notice | Tick):
            yield item
        else:
            yield from lines(item)


def _print(lines: Iterator[str | Notice | Tick], count: int | None, seconds_ns: int | None) -> None:
    until_ns = None if seconds_ns is None else time.monotonic_ns() + seconds_ns
    printed = 0
    for line in lines:
        if isinstance(line, str):
            put(line)
            printed += 1
        elif isinstance(line, Notice):
            notice(line.text)
        if printed == count or (until_ns is not None and time.monotonic_ns() >= until_ns):
            return


def _tell(counters: ClientCounters) -> None:
    """Say what was not as it should be; say nothing when all was well."""
    trouble = {
        "gaps": counters.gaps,
        "reconnects": counters.reconnects,
        "resyncs": counters.resyncs,
        "checksum failures": counters.checksum_failures,
        "malformed": counters.malformed,
        "refused": counters.refused,
        "unknown": counters.unknown,
        "silences": counters.silence,
    }
    told = summary(trouble)
    if told:
        with contextlib.suppress(BrokenPipeError):
            notice(told)

"""`krakenwire watch`: be told when a price does what you wait for."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import time
import tomllib
from collections.abc import Generator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from krakenwire.apps.kraken import Kraken
from krakenwire.apps.notify import Notifier, targets_of
from krakenwire.apps.watcher import Notice, RecordingCounters, Tick, watch_live, watch_recording
from krakenwire.cli.exit_codes import OK, TIMEOUT
from krakenwire.cli.parsers import Parser, Subparsers
from krakenwire.cli.render import ends_on_signals, has_live_view, notice, summary
from krakenwire.cli.watch_view import View, view_for
from krakenwire.errors import ConfigError
from krakenwire.limits import RULES_FILE_BYTES_MAX
from krakenwire.watch import Alert, Engine, NotifyUrl, Rule, RulesFile, rule_from, rules_from
from krakenwire.watch.values import duration_from

__all__ = ["add_parser", "run"]

_EPILOG = """\
Each alert is printed first, then notified. On a terminal a live table shows
the prices; on a pipe each alert is one JSON object on a line, with the exact
price as a number. Notices about the connection go to stderr.

  krakenwire watch BTC/USD --above 70000 --below 60000
  krakenwire watch BTC/USD ETH/USD --move 2% --window 5m --notify mailto://...
  krakenwire watch --rules rules.toml --on local
  krakenwire watch BTC/USD --crosses 65000 --from recording.jsonl

exit codes: 0 ended, or with --once an alert fired; 4 no alert before --timeout,
            or with --once none in the recording; 2 usage; 3 connection; 5 refused"""

_CONDITIONS: Final = {
    "above": ("PRICE", "the price is above this"),
    "below": ("PRICE", "the price is below this"),
    "crosses": ("PRICE", "the price goes from one side of this to the other"),
    "move": ("PERCENT", "the price moves by this within --window, such as 2%%"),
    "spread_wider": ("AMOUNT", "best ask minus best bid is wider than this: 5, 0.2%%, 10bps"),
    "volume": ("QTY", "at least this much is traded within --window"),
    "no_data": ("TIME", "nothing is heard of the symbol for this long, such as 30s"),
}
_SETTINGS: Final = {
    "hysteresis": ("AMOUNT", "how far the price must leave a level before the rule fires again"),
    "window": ("TIME", "for --move and --volume, such as 5m"),
    "direction": ("WAY", "for --move: up, down or either"),
    "price": ("WHICH", "judge last (default), bid, ask or mid"),
    "cooldown": ("TIME", "least time between two alerts of one rule"),
}
_MEANT: Final = {
    "above": ("hysteresis", "price", "cooldown"),
    "below": ("hysteresis", "price", "cooldown"),
    "crosses": ("hysteresis", "price", "cooldown"),
    "move": ("window", "direction", "price", "cooldown"),
    "spread_wider": ("cooldown",),
    "volume": ("window", "cooldown"),
    "no_data": ("cooldown",),
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "watch",
        help="be told when a price does what you wait for",
        description="Compare the market with the values you give, and tell you.",
        epilog=_EPILOG,
    )
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="such as BTC/USD; any spelling")
    _add_rules(parser)
    source = parser.add_argument_group("where from")
    source.add_argument("--on", metavar="WHERE", help="live (default), beta, local, or an address")
    source.add_argument("--api", type=int, choices=(1, 2), default=2, help="API version (default 2)")
    source.add_argument(
        "--from", dest="recording", metavar="FILE", help="a recording, one raw frame per line; - is stdin"
    )
    _add_telling(parser)


def _add_rules(parser: Parser) -> None:
    conditions = parser.add_argument_group("conditions, each may be given more than once")
    for name, (metavar, text) in _CONDITIONS.items():
        conditions.add_argument(_flag(name), action="append", default=[], metavar=metavar, help=text)
    settings = parser.add_argument_group("settings of the conditions")
    for name, (metavar, text) in _SETTINGS.items():
        settings.add_argument(_flag(name), metavar=metavar, help=text)
    settings.add_argument("--one-shot", action="store_true", help="each rule is done after its first alert")
    settings.add_argument("--rules", metavar="FILE", help="rules for many symbols, TOML")


def _add_telling(parser: Parser) -> None:
    telling = parser.add_argument_group("when, and who is told")
    telling.add_argument("--once", action="store_true", help="end with the first alert")
    telling.add_argument("--timeout", metavar="TIME", help="end after this long, such as 90 or 5m")
    telling.add_argument("--json", action="store_true", help="JSON lines on a terminal too")
    telling.add_argument("--notify", action="append", default=[], metavar="URL", help="an apprise address; repeatable")
    telling.add_argument("--bell", action="store_true", help="ring the terminal's bell")
    telling.add_argument("--exec", metavar="CMD", help="run a command for each alert, without a shell")


def run(args: argparse.Namespace) -> int:
    """Watch until told to stop."""
    _check(args)
    read = _rules(args)
    engine = Engine(read.rules)
    patience_ns = None if args.timeout is None else duration_from("--timeout", args.timeout)
    urls = tuple(_notify_url(url) for url in args.notify)
    bell = sys.stderr if args.bell or read.bell else None
    targets = targets_of(read.rules, urls=urls, run=_command(args.exec), bell=bell)
    view = view_for(engine, json=args.json, live=args.recording is None and has_live_view())
    notifier = Notifier(targets, view.notice)
    counters = RecordingCounters()
    with ends_on_signals():
        try:
            with view, contextlib.closing(_steps(args, engine, counters)) as steps:
                _carry(steps, engine, view, notifier, args.once, patience_ns)
        finally:
            notifier.close()
    return _finish(args, engine, notifier, counters)


def _steps(
    args: argparse.Namespace, engine: Engine, counters: RecordingCounters
) -> Generator[Alert | Notice | Tick, None, None]:
    if args.recording is not None:
        yield from watch_recording(engine, args.recording, counters)
        return
    with Kraken(args.on or "live", version=args.api) as kraken:
        yield from watch_live(engine, kraken, version=args.api)


def _carry(
    steps: Iterator[Alert | Notice | Tick],
    engine: Engine,
    view: View,
    notifier: Notifier,
    once: bool,
    patience_ns: int | None,
) -> None:
    """Print and notify until the steps end, the time is up, or enough has been said."""
    until_ns = None if patience_ns is None else time.monotonic_ns() + patience_ns
    for step in steps:
        if isinstance(step, Alert):
            view.alert(step)
            notifier.tell(step)
            if once or engine.done:
                return
        elif isinstance(step, Notice):
            view.notice(step.text)
        else:
            view.refresh()
        if until_ns is not None and time.monotonic_ns() >= until_ns:
            return


def _finish(args: argparse.Namespace, engine: Engine, notifier: Notifier, recording: RecordingCounters) -> int:
    told, watched = notifier.counters, engine.counters
    counts = {
        "frames": recording.frames,
        "undecodable": recording.malformed,
        "alerts": watched.alerts,
        "in a cooldown": watched.suppressed,
        "gaps": watched.gaps,
        "values forgotten": engine.forgotten,
        "notifications sent": told.sent,
        "tried again": told.retried,
        "not delivered": told.failed + told.dropped + told.abandoned,
    }
    if not args.once or told.failed or told.dropped or told.abandoned:
        notice(summary(counts) or "no alerts")
    wanted_alert = args.once or args.timeout is not None
    return TIMEOUT if wanted_alert and not watched.alerts else OK


# -- arguments -------------------------------------------------------------------


def _check(args: argparse.Namespace) -> None:
    if args.recording is not None and args.on is not None:
        raise ConfigError("--from and --on", expected="one of them", hint="A recording needs no connection.")
    asked = [_flag(name) for name in _CONDITIONS if getattr(args, name)]
    if asked and not args.symbols:
        raise ConfigError("no symbol", expected="at least one, such as BTC/USD", found=" ".join(asked))
    if not asked and (args.symbols or args.rules is None):
        flags = ", ".join(_flag(name) for name in _CONDITIONS)
        raise ConfigError("nothing to watch for", expected=f"one of {flags}, or --rules FILE without symbols")


def _rules(args: argparse.Namespace) -> RulesFile:
    """The rules of the flags for each symbol, then those of the file."""
    given = {name: getattr(args, name) for name in _SETTINGS if getattr(args, name) is not None}
    asked = [(name, value) for name in _CONDITIONS for value in getattr(args, name)]
    for name in given:
        if asked and not any(name in _MEANT[kind] for kind, _ in asked):
            kinds = ", ".join(_flag(kind) for kind, meant in _MEANT.items() if name in meant)
            raise ConfigError(_flag(name), expected=f"beside it one of {kinds}", found="none of them")
        if not asked:
            raise ConfigError(_flag(name), expected="a condition beside it; a rules file has [defaults]")
    rules: list[Rule] = []
    for symbol in args.symbols:
        for kind, value in asked:
            fields = {name: text for name, text in given.items() if name in _MEANT[kind]}
            rules.append(rule_from({kind: value, **fields, "one_shot": args.one_shot}, symbol, _flag))
    read = RulesFile(()) if args.rules is None else _rules_of_file(Path(args.rules))
    return RulesFile((*rules, *read.rules), read.bell)


def _rules_of_file(path: Path) -> RulesFile:
    try:
        with path.open("rb") as file:
            raw = file.read(RULES_FILE_BYTES_MAX + 1)
        if len(raw) > RULES_FILE_BYTES_MAX:
            raise ConfigError(str(path), expected=f"at most {RULES_FILE_BYTES_MAX} bytes")
        return rules_from(tomllib.loads(raw.decode(), parse_float=Decimal), str(path))
    except OSError as error:
        raise ConfigError(str(path), expected="a rules file", found=error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        raise ConfigError(str(path), expected="TOML", found=str(error)) from error


def _notify_url(text: str) -> NotifyUrl:
    try:
        return NotifyUrl(text)
    except ConfigError as error:
        raise ConfigError("--notify", expected=error.expected) from None


def _command(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError("--exec", expected="a command with balanced quotes", found=text) from error
    if not words:
        raise ConfigError("--exec", expected="a command", found='""')
    return words


def _flag(name: str) -> str:
    return "SYMBOL" if name == "symbol" else "--" + name.replace("_", "-")

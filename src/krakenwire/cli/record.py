"""`krakenwire record`: put what comes over the wire on a tape, exactly as it comes."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from krakenwire.cli.exit_codes import FAILED, OK
from krakenwire.cli.parsers import Subparsers
from krakenwire.cli.render import LiveView, ends_on_signals, has_live_view, notice, put, summary
from krakenwire.cli.tape_words import bytes_text
from krakenwire.errors import TapeError
from krakenwire.model.times import rfc3339_from_ns
from krakenwire.watch.values import duration_from

if TYPE_CHECKING:
    from rich.console import RenderableType

    from krakenwire.apps.recording import Progress, Recording

__all__ = ["add_parser", "run"]

_TOKEN_VARIABLE: Final = "KRAKEN_WS_TOKEN"  # noqa: S105 - the name of a variable, not a token
_LINE_S: Final = 1.0
"""Between two lines of progress on a pipe."""

_EPILOG: Final = f"""\
The tape is a folder of its own: frames of both directions with the time they came,
compressed by the hour, whole up to the last complete frame after a crash. Into a
folder that holds a tape it goes on recording. Tokens and keys are taken out first.
CHANNELS are names with commas between them; book:DEPTH, level3:DEPTH and
ohlc:MINUTES take a number. level3 on another place than local wants a token in
the variable {_TOKEN_VARIABLE}.

  krakenwire record BTC/USD ETH/USD --channels book:100,trade,ticker
  krakenwire record BTC/USD --on local --seconds 60 --out tape
  krakenwire verify tape
  krakenwire tape info tape

exit codes: 0 everything is on the tape, 1 something was lost (it says what),
            2 usage, or the folder cannot be recorded to; 3 connection; 5 refused"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "record",
        help="record the feed onto a tape",
        description="Record frames exactly as they come over the wire.",
        epilog=_EPILOG,
    )
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="such as BTC/USD; any spelling")
    parser.add_argument("--channels", default="book:10,trade", metavar="CHANNELS", help="default book:10,trade")
    parser.add_argument("--on", default="live", metavar="WHERE", help="live (default), beta, local, or an address")
    parser.add_argument("--api", type=int, choices=(1, 2), default=2, help="API version (default 2)")
    parser.add_argument("--out", metavar="DIR", help="folder of the tape; by default one named after the time")
    parser.add_argument("--seconds", metavar="S", help="end after so long, such as 90 or 5m")
    parser.add_argument("--json", action="store_true", help="progress and result as JSON lines")


def run(args: argparse.Namespace) -> int:
    """Record until told to stop."""
    from krakenwire.apps.recording import Recording, wanted_from

    seconds = None if args.seconds is None else duration_from("--seconds", args.seconds) / 1e9
    folder = Path(args.out or time.strftime("tape-%Y%m%dT%H%M%SZ", time.gmtime()))
    token = os.environ.get(_TOKEN_VARIABLE) or None
    wanted = wanted_from(args.channels)
    recording = Recording(folder, args.symbols, wanted, on=args.on, version=args.api, token=token)
    view = _View(recording, as_json=args.json)
    try:
        with ends_on_signals(), view, recording:
            for progress in recording.steps(seconds):
                view.show(progress)
    except TapeError as error:
        notice(str(error))
    return _finish(recording, as_json=args.json)


class _View:
    """Progress: a live line on a terminal, JSON lines where they were asked for, nothing elsewhere."""

    def __init__(self, recording: Recording, *, as_json: bool) -> None:
        self._recording, self._as_json = recording, as_json
        self._progress: Progress | None = None
        self._told_s = time.monotonic()
        live = has_live_view() and not as_json
        self._view: LiveView | None = LiveView(self._draw) if live else None
        self._scope: AbstractContextManager[object] = self._view or nullcontext()

    def __enter__(self) -> None:
        self._scope.__enter__()

    def __exit__(self, *ending: object) -> None:
        self._scope.__exit__(None, None, None)

    def show(self, progress: Progress) -> None:
        self._progress = progress
        if self._view is not None:
            self._view.refresh()
        elif self._as_json and time.monotonic() - self._told_s >= _LINE_S:
            self._told_s = time.monotonic()
            put(msgspec.json.encode({"type": "progress", **_facts(progress)}).decode())

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        progress = self._progress
        if progress is None:
            return Text("connecting", "dim")
        account = progress.account
        trouble = summary(
            {
                "failed": progress.failed,
                "gaps": account.gaps,
                "silences": account.silences,
                "refused": account.refused,
                "lost": account.lost,
            }
        )
        line = Text.assemble(
            ("recording ", "bold"),
            f"{_clock(progress.seconds)}  {account.frames:,} frames  {progress.frames_s:,.0f}/s  ",
            f"{bytes_text(account.bytes)}  {account.segments} segments  {progress.verified:,} verified",
        )
        return Group(line, Text(trouble, "bold red") if trouble else Text(f"to {self._recording.folder}", "dim"))


def _finish(recording: Recording, *, as_json: bool) -> int:
    """Say what is on the tape, and what is not."""
    progress = recording.progress()
    account = progress.account
    if as_json:
        ending = {"type": "end", "tape": str(recording.folder), **_facts(progress), "lost_everything_after": None}
        if account.failure is not None and account.end_ns is not None:
            ending["lost_everything_after"] = rfc3339_from_ns(account.end_ns, 9)
        put(msgspec.json.encode(ending).decode())
    else:
        put(_statement(progress, recording.folder))
    return FAILED if account.lost or account.failure is not None else OK


def _statement(progress: Progress, folder: Path) -> str:
    account = progress.account
    parts = [
        f"{account.frames:,} frames ({bytes_text(account.bytes)}) in {_clock(progress.seconds)} on {folder}",
        f"{progress.verified:,} checksums verified, {progress.failed:,} failed",
    ]
    marked = summary({"gaps": account.gaps, "silences": account.silences, "refused": account.refused})
    if marked:
        parts.append(marked)
    if account.failure is not None:
        since = "the beginning" if account.end_ns is None else rfc3339_from_ns(account.end_ns)
        parts.append(f"the tape is whole, but everything after {since} is lost, {account.lost:,} records so far")
    elif account.lost and account.lost_from_ns is not None and account.lost_to_ns is not None:
        since, until = rfc3339_from_ns(account.lost_from_ns), rfc3339_from_ns(account.lost_to_ns)
        parts.append(f"the disk was too slow: {account.lost:,} frames are lost between {since} and {until}")
    else:
        parts.append("nothing lost")
    return "; ".join(parts)


def _facts(progress: Progress) -> dict[str, object]:
    facts: dict[str, object] = msgspec.to_builtins(progress)
    account = facts.pop("account")
    assert isinstance(account, dict)
    return facts | account


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"

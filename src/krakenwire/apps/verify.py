"""Replays recorded frames through codec, feed and books, and reports what the checksums say.

Reads frames from anywhere; `verify_file` adds the file. Never stops at a
failure: that book waits for its next snapshot, the rest goes on. Next:
`krakenwire.session.feed` for what it drives, `krakenwire.cli.verify` for the command.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from krakenwire.errors import DecodeError
from krakenwire.model import BookUpdate, ChecksumFailed, Event, Gap, Level3Update, Status, Unknown
from krakenwire.protocol.detect import origin_of
from krakenwire.protocol.v1.client import ClientCodec as V1Codec
from krakenwire.protocol.v2.client import ClientCodec as V2Codec
from krakenwire.session.feed import Feed
from krakenwire.storage import FrameFile, FrameLine

__all__ = [
    "Connection",
    "Failure",
    "Replay",
    "SymbolReport",
    "Undecodable",
    "VerifyReport",
    "verify_file",
    "verify_lines",
]

_PROGRESS_LINES = 5_000

Progress = Callable[[int, float | None], None]
"""Called now and then with the lines done and the share of the file read, where that is known."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The first book that did not match: the line, or record, the symbol, the venue's checksum and ours."""

    line: int
    symbol: str
    expected: int
    found: int


class Undecodable(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame that could not be decoded, and why."""

    line: int
    error: str


class SymbolReport(msgspec.Struct, kw_only=True):
    """Book messages of one symbol, counted as in `VerifyReport`."""

    verified: int = 0
    failed: int = 0
    snapshots: int = 0
    updates: int = 0
    unverifiable: int = 0
    skipped: int = 0


class VerifyReport(msgspec.Struct, kw_only=True):
    """What a replay showed.

    Args:
        frames: server frames read; `client_lines`, `blank_lines`: other lines, passed over.
        verified: book messages whose checksum was right; `failed`: wrong.
        snapshots: book messages by kind, and `updates`, whatever became of them.
        unverifiable: book messages that carry no checksum (v1 snapshots).
        skipped: updates of a book that had no snapshot yet, or failed before.
        malformed: frames, or levels of a book message, that cannot be decoded.
        unknown: frames of channels or methods we do not know.
        fallbacks: frames that the compiled pass left to the exact path; see `FeedCounters`.
        version: 1, 2, ``mixed``, or None when there was no frame.
        place: what a place is counted in: lines of a file, or records of a tape.
        symbols: the same for each book; level3 books have a key of their own.
    """

    frames: int = 0
    verified: int = 0
    failed: int = 0
    snapshots: int = 0
    updates: int = 0
    unverifiable: int = 0
    skipped: int = 0
    malformed: int = 0
    unknown: int = 0
    fallbacks: int = 0
    client_lines: int = 0
    blank_lines: int = 0
    version: Literal[1, 2, "mixed"] | None = None
    place: Literal["line", "record"] = "line"
    symbols: dict[str, SymbolReport] = {}
    first_failure: Failure | None = None
    first_malformed: Undecodable | None = None

    @property
    def ok(self) -> bool:
        """Whether something was verified and nothing failed."""
        return not self.failed and not self.malformed and self.verified > 0

    @property
    def verdict(self) -> str:
        """One sentence: what was shown, or why not."""
        if self.failed and self.first_failure is not None:
            first = self.first_failure
            return (
                f"{self.failed} of {self.verified + self.failed} checksums failed, first at {self.place} {first.line}: "
                f"{first.symbol}, the venue's is {first.expected}, ours {first.found}"
            )
        if self.malformed and self.first_malformed is not None:
            line, error = self.first_malformed.line, self.first_malformed.error
            return f"{self.malformed} of {self.frames} frames are malformed, first at {self.place} {line}: {error}"
        if self.verified:
            return f"all {self.verified} checksums verified"
        return f"nothing was verified: {self._why_nothing()}"

    def _why_nothing(self) -> str:
        if not self.frames:
            return "there is no server frame in it"
        if self.unverifiable:
            return "there are only version 1 snapshots, which carry no checksum"
        if self.skipped:
            return "there are book updates but no snapshot to start from"
        return f"none of the {self.frames} frames is a book message"


def verify_file(
    path: str | os.PathLike[str], *, depth: int | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Replay a file of one raw text frame per line.

    Args:
        path: the file, plain or gzip, or ``-`` for standard input.
        depth: levels a side of books whose depth the frames do not tell.
        progress: told now and then how far it is.

    Raises:
        ConfigError: the file cannot be read or is not such a file.
        UsageError: a depth the venue does not know.
    """
    replay = Replay(depth)
    with FrameFile(path) as file:
        for line in file:
            replay.take(line)
            if progress is not None and line.number % _PROGRESS_LINES == 0:
                progress(line.number, file.read_share)
    return replay.report


def verify_lines(lines: Iterable[bytes], *, depth: int | None = None) -> VerifyReport:
    """Replay frames, one an item; arguments as for `verify_file`.

    Raises:
        UsageError: a depth the venue does not know.
    """
    replay = Replay(depth)
    for number, text in enumerate(lines, 1):
        replay.take(FrameLine(number, text))
    return replay.report


class Connection:
    """Codec and feed of one recorded connection."""

    def __init__(self, version: Literal[1, 2], depth: int | None) -> None:
        self.version = version
        self.codec = V1Codec() if version == 1 else V2Codec()
        self.feed = Feed(self.codec, depth=depth)
        self.connection_id: int | None = None

    def take(self, frame: bytes) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
        """Return the events of a frame, and all its messages: a feed says nothing of the updates it ignores."""
        ignored = self.feed.ignored
        events = self.feed.feed(frame)
        if self.feed.ignored == ignored and not any(isinstance(event, Gap | Unknown) for event in events):
            return events, events
        told = {(event.channel, event.symbol): event for event in events}
        decoded = self.codec.decode(frame)
        return events, tuple(told.get((event.channel, event.symbol), event) for event in decoded)


class Replay:
    """Replays frames, each with a number that failures are told by.

    Args:
        depth: levels a side of books whose depth the frames do not tell.
        place: see `VerifyReport`.
    """

    def __init__(self, depth: int | None, place: Literal["line", "record"] = "line") -> None:
        self.report = VerifyReport(place=place)
        self._depth = depth
        self._connections: dict[Literal[1, 2], Connection] = {1: Connection(1, depth), 2: Connection(2, depth)}

    def take(self, line: FrameLine) -> None:
        """Replay one line, of whichever version and side it is."""
        report = self.report
        if not line.text:
            report.blank_lines += 1
            return
        origin = origin_of(line.text)
        if origin == "client":
            report.client_lines += 1
            return
        if origin == "unknown":
            report.frames += 1
            self._malformed(line, "neither a version 1 nor a version 2 frame")
            return
        version: Literal[1, 2] = 1 if origin == "v1" else 2
        for event in self.feed(self._connections[version], line):
            if isinstance(event, Status):
                self._new_connection(event, version)

    def feed(self, connection: Connection, line: FrameLine) -> tuple[Event, ...]:
        """Replay a frame that a connection brought; return its events."""
        report, version = self.report, connection.version
        report.frames += 1
        report.version = version if report.version in (None, version) else "mixed"
        fallbacks = connection.feed.fallbacks
        try:
            events, messages = connection.take(line.text)
        except DecodeError as error:
            self._malformed(line, str(error))
            return ()
        finally:
            report.fallbacks += connection.feed.fallbacks - fallbacks
        spoilt = {(event.channel_name, event.symbol) for event in events if isinstance(event, Gap)}
        for event in messages:
            if isinstance(event, BookUpdate | Level3Update):
                self._count(event, (event.channel, event.symbol) in spoilt)
        for event in events:
            self._note(event, line)
        return events

    def _count(self, event: BookUpdate | Level3Update, spoilt: bool) -> None:
        name = event.symbol if event.channel == "book" else f"{event.symbol} level3"
        symbol = self.report.symbols.setdefault(name, SymbolReport())
        for counts in (self.report, symbol):
            if event.kind == "snapshot":
                counts.snapshots += 1
            else:
                counts.updates += 1
            if event.verified:
                counts.verified += 1
            elif event.book is None:
                counts.skipped += not spoilt
            elif event.checksum is None:
                counts.unverifiable += 1
            else:
                counts.failed += 1

    def _note(self, event: Event, line: FrameLine) -> None:
        if isinstance(event, ChecksumFailed):
            if self.report.first_failure is None:
                self.report.first_failure = Failure(
                    line=line.number, symbol=event.symbol, expected=event.expected, found=event.found
                )
        elif isinstance(event, Gap):
            self._malformed(line, f"a level of {event.symbol} is not price and quantity")
        elif isinstance(event, Unknown):
            self.report.unknown += 1

    def _new_connection(self, status: Status, version: Literal[1, 2]) -> None:
        """A connection's first frame: what the one before knew does not count any more."""
        if status.connection_id in (None, self._connections[version].connection_id):
            return
        self._connections[version] = Connection(version, self._depth)
        self._connections[version].connection_id = status.connection_id

    def _malformed(self, line: FrameLine, error: str) -> None:
        self.report.malformed += 1
        if self.report.first_malformed is None:
            self.report.first_malformed = Undecodable(line=line.number, error=error)

"""What can be done with a tape besides recording and playing it: look at it, cut it, merge several.

No tape is changed: `cut` and `merge` write another one. Next: `krakenwire.cli.tape`.
"""

from __future__ import annotations

import heapq
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from krakenwire.errors import ConfigError, DecodeError, TapeError
from krakenwire.storage.new_tape import NewTape
from krakenwire.storage.tape_reader import Tape, TapeInfo
from krakenwire.tape.marks import Mark, mark_from
from krakenwire.tape.record import Kind, TapeRecord
from krakenwire.tape.sniff import Seen, seen

__all__ = ["TapeReport", "cut", "left_open", "merge", "report_of"]

_BOOKS = ("book", "level3")
_STATEFUL = (*_BOOKS, "instrument")
"""Channels whose frames mean nothing without those since their last snapshot."""

_PULSES = ("heartbeat", "pong")

Progress = Callable[[int, int], None]
"""Called now and then with the records done and how many there are."""

_PROGRESS_RECORDS = 50_000
_StreamKey = tuple[int, str, str]


class TapeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is on a tape, frame by frame.

    Args:
        info: as its indices say.
        streams: frames by channel and symbol as on the wire; requests, replies and pulses by their names.
        marks: remarks by name.
        lost: records that came and were not written, as marked.
        disconnects: connections that ended.
    """

    info: TapeInfo
    streams: dict[str, int]
    marks: dict[str, int]
    lost: int
    disconnects: int


def report_of(tape: Tape, progress: Progress | None = None) -> TapeReport:
    """Read all of a tape and count what is on it.

    Raises:
        TapeError, TapeDamaged: it cannot be read, or is not what was written.
    """
    streams: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    lost = disconnects = 0
    for record in _watched(tape, progress):
        if record.kind is Kind.FRAME_IN:
            streams[_name(seen(record.payload))] += 1
        elif record.kind is Kind.FRAME_OUT:
            streams["sent"] += 1
        elif record.kind is Kind.CLOSED:
            disconnects += 1
        elif record.kind is Kind.MARK:
            mark = _mark(tape, record)
            marks[mark.mark] += 1
            lost += mark.count if mark.mark == "lost" else 0
    return TapeReport(
        info=tape.info,
        streams=dict(sorted(streams.items())),
        marks=dict(sorted(marks.items())),
        lost=lost,
        disconnects=disconnects,
    )


def cut(tape: Tape, folder: str | os.PathLike[str], start_ns: int, end_ns: int) -> TapeInfo:
    """Copy what lies between two times, and of what lies before it as much as is needed to understand it.

    Records keep their times and numbers. Of the connections that are open at the
    start come their beginning, what was said about subscriptions, and the frames
    of each book since its last snapshot, so that every book is whole.

    Args:
        tape: to copy from.
        folder: of the new tape.
        start_ns: from this time on.
        end_ns: before this time.

    Raises:
        TapeError, TapeDamaged: the tape cannot be read; the folder is not empty, or cannot be written to.
        ConfigError: nothing lies between the times.
    """
    target = NewTape(folder)
    first = next(iter(tape.records(start_ns=start_ns, end_ns=end_ns)), None)
    if first is None:
        raise ConfigError("the times", expected="some of the tape between them", found="nothing")
    about = {**tape.info.about, "cut_from_ns": start_ns, "cut_to_ns": end_ns}
    context = _Context(tape, start_ns)
    # by number, not by time: a clock that was put back between two recordings makes later records the earlier ones
    parts = context.records(), tape.records(start_ns=start_ns, end_ns=end_ns)
    with target.written(about) as writer:
        writer.copy(heapq.merge(*parts, key=lambda record: record.sequence))
    return Tape(folder).info


def left_open(tape: Tape) -> list[int]:
    """Return the connections whose end is not on a tape, in order.

    Raises:
        TapeError, TapeDamaged: it cannot be read, or is not what was written.
    """
    opened: set[int] = set()
    if tape.opened and not _stopped(tape):
        for record in tape.records(kinds=(Kind.OPENED, Kind.CLOSED)):
            (opened.add if record.kind is Kind.OPENED else opened.discard)(record.connection)
    return sorted(opened)


def _stopped(tape: Tape) -> bool:
    """Whether its last recorder ended well, and every connection with it."""
    last = None
    for record in tape.records(start_ns=tape.info.end_ns):
        last = record
    return last is not None and last.kind is Kind.MARK and _mark(tape, last).mark == "stopped"


class _Context:
    """What a tape says before a time that has to be known after it."""

    def __init__(self, tape: Tape, before_ns: int) -> None:
        self._tape, self._before_ns = tape, before_ns
        self._open: set[int] = set()
        self._since: dict[_StreamKey, int] = {}
        """Number of each stream's last snapshot."""
        for record in tape.records(end_ns=before_ns, kinds=(Kind.OPENED, Kind.CLOSED, Kind.FRAME_IN)):
            self._note(record)

    def _note(self, record: TapeRecord) -> None:
        if record.kind is Kind.OPENED:
            self._open.add(record.connection)
        elif record.kind is Kind.CLOSED:
            self._open.discard(record.connection)
        else:
            what = seen(record.payload)
            if what.snapshot and _is_stateful(what):
                self._since[record.connection, what.channel, what.symbol] = record.sequence

    def records(self) -> Iterator[TapeRecord]:
        """Yield them."""
        for record in self._tape.records(end_ns=self._before_ns, connections=self._open or {-1}):
            if self._needed(record):
                yield record

    def _needed(self, record: TapeRecord) -> bool:
        if record.kind is not Kind.FRAME_IN:
            return record.kind in (Kind.OPENED, Kind.FRAME_OUT)
        what = seen(record.payload)
        if what.channel in _PULSES or what.event in _PULSES:
            return False
        if _is_stateful(what):
            since = self._since.get((record.connection, what.channel, what.symbol))
            return since is not None and record.sequence >= since
        return bool(what.event) or what.channel == "status"


def merge(tapes: Sequence[Tape], folder: str | os.PathLike[str], progress: Progress | None = None) -> TapeInfo:
    """Write the records of several tapes onto one, in the order of their times, with connections of their own.

    Args:
        tapes: to copy from; of records at the same time, those of the first tape come first.
        folder: of the new tape.
        progress: told how far it is.

    Raises:
        TapeError, TapeDamaged: a tape cannot be read, or is given twice; the folder cannot be written to.
    """
    _refuse_twice(tapes)
    target = NewTape(folder)
    offsets = list(itertools.accumulate((_connections_max(tape) + 1 for tape in tapes), initial=0))
    sources = [_renumbered(tape, offset) for tape, offset in zip(tapes, offsets, strict=False)]
    about = {"merged": [tape.info.about for tape in tapes]}
    total = sum(tape.info.records for tape in tapes)
    with target.written(about) as writer:
        rows = heapq.merge(*sources, key=lambda row: row[0])
        for done in itertools.count(_PROGRESS_RECORDS, _PROGRESS_RECORDS):
            chunk = list(itertools.islice(rows, _PROGRESS_RECORDS))
            if not chunk:
                break
            writer.write_many(chunk)
            if progress is not None:
                progress(min(done, total), total)
    return Tape(folder).info


# -- inside ------------------------------------------------------------------------


def _watched(tape: Tape, progress: Progress | None) -> Iterator[TapeRecord]:
    for done, record in enumerate(tape.records(), 1):
        yield record
        if progress is not None and done % _PROGRESS_RECORDS == 0:
            progress(done, tape.info.records)


def _name(what: Seen) -> str:
    return " ".join(filter(None, (what.channel, what.symbol, what.event))) or "unknown"


def _is_stateful(what: Seen) -> bool:
    return what.channel.partition("-")[0] in _STATEFUL


def _mark(tape: Tape, record: TapeRecord) -> Mark:
    try:
        return mark_from(record.payload)
    except DecodeError as error:
        raise TapeError(str(tape.folder), f"record {record.sequence} is no mark: {error}") from error


def _connections_max(tape: Tape) -> int:
    return max((int(block.connection.max()) for block in tape.blocks()), default=0)


def _renumbered(tape: Tape, offset: int) -> Iterator[tuple[int, int, int, bytes]]:
    for record in tape.records():
        connection = record.connection + offset if record.connection else 0
        yield record.time_ns, connection, record.kind, record.payload


def _refuse_twice(tapes: Sequence[Tape]) -> None:
    owner: dict[int, Tape] = {}
    for tape in tapes:
        sums = {segment.end_crc for segment in tape.segments if segment.entries}
        for crc in sums:
            if crc in owner:
                reason = f"it is the same tape as {owner[crc].folder}, or has a part of it"
                raise TapeError(str(tape.folder), reason, hint="Name each tape once")
            owner[crc] = tape

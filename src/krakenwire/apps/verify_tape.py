"""Replays a tape through codec, feed and books, each of its connections apart; see `verify` for the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from krakenwire.apps.verify import Connection, Replay, VerifyReport
from krakenwire.errors import DecodeError, TapeError
from krakenwire.storage.frames import FrameLine
from krakenwire.storage.tape_reader import Tape
from krakenwire.tape.marks import mark_from, opened_from
from krakenwire.tape.record import Kind, TapeRecord

__all__ = ["verify_tape"]

_PROGRESS_RECORDS = 50_000


def verify_tape(
    tape: Tape, *, depth: int | None = None, progress: Callable[[int, int], None] | None = None
) -> VerifyReport:
    """Replay a tape; places are numbers of records.

    Args:
        tape: to read.
        depth: levels a side of books whose depth the frames do not tell.
        progress: told now and then how many records are done, and how many there are.

    Raises:
        TapeError, TapeDamaged: it cannot be read, or is not what was written.
        UsageError: a depth the venue does not know.
    """
    replay = Replay(depth, "record")
    connections: dict[int, Connection] = {}
    for done, record in enumerate(tape.records(), 1):
        if record.kind is Kind.FRAME_IN:
            connection = connections.get(record.connection)
            line = FrameLine(record.sequence, record.payload)
            if connection is None:  # a tape that does not tell: then the frame has to
                replay.take(line)
            else:
                replay.feed(connection, line)
        elif record.kind is Kind.FRAME_OUT:
            replay.report.client_lines += 1
        elif record.kind is Kind.MARK:
            _lose(connections, record)
        elif record.kind is Kind.OPENED:
            connections[record.connection] = Connection(_version(tape, record), depth)
        if progress is not None and done % _PROGRESS_RECORDS == 0:
            progress(done, tape.info.records)
    return replay.report


def _lose(connections: dict[int, Connection], record: TapeRecord) -> None:
    """After a ``lost`` mark no book is known until its next snapshot: what is missing is no fault of the venue's."""
    if b'"lost"' in record.payload and mark_from(record.payload).mark == "lost":
        for number, connection in connections.items():
            if record.connection in (0, number):
                connection.feed.invalidate()


def _version(tape: Tape, record: TapeRecord) -> Literal[1, 2]:
    try:
        return opened_from(record.payload).version
    except DecodeError as error:
        raise TapeError(str(tape.folder), f"record {record.sequence} is no OPENED record: {error}") from error

"""Reads a tape: what is on it, its records in order, or whole blocks of them for speed.

Opening looks at every segment's ends and at all of the open one; the rest is
read, and proven, when it is asked for. Nothing in the folder is ever changed,
and it may be recorded to meanwhile: the tape is then what was whole at opening.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import msgspec

from krakenwire.errors import TapeDamaged, TapeError
from krakenwire.storage.tape_index import BlockEntry, OpenedEntry
from krakenwire.storage.tape_segment import CLOSED_SUFFIX, Closed, Raw, segment_paths
from krakenwire.tape.block import Block
from krakenwire.tape.record import TapeRecord

__all__ = ["Tape", "TapeInfo"]

_LOOKS: Final = 5
"""A folder that is being recorded to can change while it is listed."""


class TapeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a tape holds, as its indices say.

    Args:
        start_ns: lowest time, 0 on an empty tape.
        end_ns: highest time.
        records: of all kinds.
        frames: of both directions.
        bytes: payload of all records.
        stored_bytes: what it takes on the disk.
        segments: files.
        connections: how many it tells of.
        torn: bytes of unfinished records that crashes have left.
        versions: of the API, those it tells of.
        about: what it says about itself.
    """

    start_ns: int
    end_ns: int
    records: int
    frames: int
    bytes: int
    stored_bytes: int
    segments: int
    connections: int
    torn: int
    versions: tuple[int, ...]
    about: dict[str, object]


class Tape:
    """A tape, open for reading.

    Args:
        folder: where it is.

    Attributes:
        info: see `TapeInfo`.
        opened: its connections' beginnings, in order.
        next_sequence: the number that a further record would get.

    Raises:
        TapeError: there is none, or it is something else, or a segment is missing; also while reading.
        TapeDamaged: it is not what was written; also while reading.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._segments = _opened_segments(self.folder)
        self.opened: tuple[OpenedEntry, ...] = tuple(row for segment in self._segments for row in segment.opened)
        self.info = self._info()
        entries = [entry for segment in self._segments for entry in segment.entries]
        self.next_sequence = entries[-1].last_sequence + 1 if entries else 0

    def blocks(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        kinds: Collection[int] | None = None,
        connections: Collection[int] | None = None,
    ) -> Iterator[Block]:
        """Yield blocks of records, at least one record in each; arguments as for `records`."""

        def wanted(entry: BlockEntry) -> bool:
            early = start_ns is not None and entry.end_ns < start_ns
            late = end_ns is not None and entry.start_ns >= end_ns
            return not (early or late)

        for segment in self._segments:
            for block in segment.blocks(wanted):
                chosen = block.chosen(start_ns, end_ns, kinds, connections)
                if len(chosen):
                    yield chosen

    def records(
        self,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        kinds: Collection[int] | None = None,
        connections: Collection[int] | None = None,
    ) -> Iterator[TapeRecord]:
        """Yield records in their order.

        Args:
            start_ns: from this time on.
            end_ns: before this time.
            kinds: of these kinds only.
            connections: of these connections only.

        Raises:
            TapeError, TapeDamaged: what is read cannot be, or is not what was written.
        """
        for block in self.blocks(start_ns=start_ns, end_ns=end_ns, kinds=kinds, connections=connections):
            yield from block

    # -- inside ----------------------------------------------------------------------

    @property
    def segments(self) -> tuple[Closed | Raw, ...]:
        """Its segments, for a writer that goes on with it."""
        return tuple(self._segments)

    def _info(self) -> TapeInfo:
        entries = [entry for segment in self._segments for entry in segment.entries]
        first = self._segments[0].head
        return TapeInfo(
            start_ns=min((entry.start_ns for entry in entries), default=0),
            end_ns=max((entry.end_ns for entry in entries), default=0),
            records=sum(entry.records for entry in entries),
            frames=sum(entry.frames for entry in entries),
            bytes=sum(entry.raw_bytes for entry in entries),
            stored_bytes=sum(segment.stored_bytes for segment in self._segments),
            segments=len(self._segments),
            connections=len({row.connection for row in self.opened}),
            torn=sum(segment.torn for segment in self._segments),
            versions=tuple(sorted({row.opened.version for row in self.opened})),
            about={} if first is None else msgspec.json.decode(first.about, type=dict[str, object]),
        )


def _opened_segments(folder: Path) -> list[Closed | Raw]:
    """Open every segment; look again when one was closed, or appeared, while the folder was being listed."""
    problem: TapeError | None = None
    for _ in range(_LOOKS):
        paths = segment_paths(folder)
        if not paths:
            raise TapeError(str(folder), "there is no tape in this folder", hint="krakenwire record makes one")
        try:
            segments = [_segment(path) for path in paths.values()]
        except FileNotFoundError:
            problem = TapeError(str(folder), "its files change too fast to be read")
            continue
        problem = _contradiction(folder, list(paths), segments)
        if problem is None:
            return segments
    assert problem is not None
    raise problem


def _segment(path: Path) -> Closed | Raw:
    return Closed(path) if path.suffix == CLOSED_SUFFIX else Raw(path)


def _contradiction(folder: Path, numbers: list[int], segments: list[Closed | Raw]) -> TapeError | None:
    """Return what is wrong with the order of segments: one missing, one of another tape."""
    missing = next((number for number in range(numbers[-1] + 1) if number not in numbers), None)
    if missing is None and not segments[-1].last:
        missing = numbers[-1] + 1
    if missing is not None:
        hint = "Take it from a copy of the tape"
        return TapeError(str(folder), f"segment {missing:06d} is missing", hint=hint)
    crc = sequence = 0
    for number, segment in zip(numbers, segments, strict=True):
        head = segment.head
        if head is None:
            if number == numbers[-1]:
                break
            return TapeDamaged(str(segment.path), "the head is cut short", 0)
        if head.number != number or head.previous_crc != crc:
            before = f"segment {max(0, number - 1):06d}"
            reason = f"it does not follow {before}: one of them is of another tape, or not whole"
            return TapeError(str(segment.path), reason, hint="Take both from a copy of the tape")
        for entry in segment.entries:
            if entry.first_sequence < sequence:
                return TapeDamaged(str(segment.path), "its records are out of order", entry.offset)
            sequence = entry.last_sequence + 1
        crc = segment.end_crc
    return None

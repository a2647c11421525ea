"""One record of a tape, and how records lie in the open segment.

Every record carries checksums that go on from the record before it, one of its
head and one of its payload: a record out of place is found as surely as a
changed one, and an end that a crash has cut off is told from damage. What is
in a closed segment, see `block`; files are `krakenwire.storage`'s business.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from krakenwire.errors import TapeError
from krakenwire.limits import TAPE_PAYLOAD_BYTES_MAX

__all__ = ["FRAMES", "HEAD_BYTES", "Damage", "Kind", "Scan", "TapeRecord", "encode", "time_of"]


class Kind(IntEnum):
    """What a record is: a frame of either direction, the ends of a connection, or a remark about quality."""

    FRAME_IN = 1
    FRAME_OUT = 2
    OPENED = 3
    CLOSED = 4
    MARK = 5


FRAMES: Final = (Kind.FRAME_IN, Kind.FRAME_OUT)
_KINDS: Final = tuple(Kind)
_KIND_OF: Final = {int(kind): kind for kind in _KINDS}


class TapeRecord(NamedTuple):
    """One record.

    Args:
        time_ns: when it was received or sent, nanoseconds since 1970 UTC.
        sequence: its number on the tape; rising, and without holes on a tape as it was recorded.
        connection: which connection it belongs to; 0 for remarks about the whole tape.
        kind: what it is.
        payload: a frame's bytes exactly as on the wire; JSON of `marks` for the other kinds.
    """

    time_ns: int
    sequence: int
    connection: int
    kind: Kind
    payload: bytes


_FIELDS: Final = struct.Struct("<IqQIB")
"""Length of the payload, time, sequence, connection, kind."""

_SUMS: Final = struct.Struct("<II")
"""Checksum of the head, checksum of the payload; both go on from the record before."""

_HEAD: Final = struct.Struct("<IqQIBII")
HEAD_BYTES: Final = _HEAD.size
_FIELD_BYTES: Final = _FIELDS.size


class Damage(NamedTuple):
    """Where bytes are not what was written, and what is wrong with them."""

    offset: int
    reason: str


def encode(rows: Iterable[tuple[int, int, int, int, bytes]], crc: int) -> tuple[list[bytes], int]:
    """Return the bytes of records as they stand in an open segment, three parts each, and the checksum after them.

    Args:
        rows: time, sequence, connection, kind and payload of each.
        crc: the checksum after the record before.

    Raises:
        TapeError: a payload that is too long, or a kind that does not exist.
    """
    parts: list[bytes] = []
    crc32, fields, sums = zlib.crc32, _FIELDS.pack, _SUMS.pack
    for time_ns, sequence, connection, kind, payload in rows:
        if len(payload) > TAPE_PAYLOAD_BYTES_MAX or kind not in _KIND_OF:
            raise TapeError("record", f"{len(payload)} bytes of kind {kind}", hint="It cannot be on a tape")
        head = fields(len(payload), time_ns, sequence, connection, kind)
        head_crc = crc32(head, crc)
        crc = crc32(payload, head_crc)
        parts += (head, sums(head_crc, crc), payload)
    return parts, crc


def time_of(fields: bytes) -> int:
    """Return the time in the first of the three parts that `encode` makes of a record."""
    return int(_FIELDS.unpack(fields)[1])


class Scan:
    """Reads the records of an open segment's bytes, oldest first.

    Args:
        data: the segment's bytes, or its beginning.
        at: offset of the first record.
        crc: the checksum before it.

    Attributes:
        end: offset behind the last whole record.
        crc: the checksum there.
        damage: set when the rest is not what was written; None when a crash, or a writer at work, explains it.
    """

    def __init__(self, data: bytes, at: int, crc: int) -> None:
        self._data = data
        self.end, self.crc = at, crc
        self.damage: Damage | None = None

    def __iter__(self) -> Iterator[tuple[int, int, int, int, int, int]]:
        """Yield time, sequence, connection, kind, offset of the payload and its length of each whole record."""
        data, size, crc32, unpack = self._data, len(self._data), zlib.crc32, _HEAD.unpack_from
        view = memoryview(data)
        at, crc = self.end, self.crc
        while at + HEAD_BYTES <= size:
            length, time_ns, sequence, connection, kind, head_crc, payload_crc = unpack(data, at)
            if crc32(view[at : at + _FIELD_BYTES], crc) != head_crc or kind not in _KIND_OF:
                self._explain(at)
                return
            start = at + HEAD_BYTES
            stop = start + length
            if stop > size:
                return
            crc = crc32(view[start:stop], head_crc)
            if crc != payload_crc:
                if stop < size:
                    self.damage = Damage(at, "a record is not what was written")
                return
            at = self.end = stop
            self.crc = crc
            yield time_ns, sequence, connection, kind, start, length

    def _explain(self, at: int) -> None:
        """A machine that is lost can leave zeros behind the last record; anything else there is damage."""
        if self._data[at:].strip(b"\0"):
            self.damage = Damage(at, "there is no record")

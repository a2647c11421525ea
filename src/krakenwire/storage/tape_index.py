"""What stands at the two ends of a segment: its head, and the index of a closed one.

The head ties a segment to the one before it; the index says where each block
is and what it holds, so that a reader goes straight to a time. Neither is
trusted unless its checksum, its place and its neighbours agree.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

import msgspec

from krakenwire.errors import TapeDamaged, TapeError
from krakenwire.limits import TAPE_ABOUT_BYTES_MAX
from krakenwire.tape.marks import Opened

__all__ = [
    "BlockEntry",
    "OpenedEntry",
    "SegmentHead",
    "SegmentIndex",
    "head_bytes",
    "index_bytes",
    "read_head",
    "read_index",
]

_MAGIC: Final = b"krakenwire tape\n"
_END: Final = b"end tape"
_HEAD: Final = struct.Struct("<16sHHIQII")
"""Magic, format, form, number, first sequence, checksum of the records before, length of `about`.
Its checksum follows, then `about`, then the checksum of all of it."""

_CRC: Final = struct.Struct("<I")
_ABOUT_AT: Final = _HEAD.size + _CRC.size
_TRAILER: Final = struct.Struct("<QII8s")
_FORMAT: Final = 1
_FORMS: Final = {"raw": 0, "closed": 1}
_COPY: Final = "Take that file from a copy of the tape; times before and after it can still be read and cut out"


class SegmentHead(NamedTuple):
    """The head of a segment.

    Args:
        number: its place on the tape, from 0.
        first_sequence: no record of it is numbered lower.
        previous_crc: checksum of the last record of the segment before.
        about: JSON of what the tape says about itself.
        size: bytes of the head.
        crc: its checksum, which those of the records go on from.
    """

    number: int
    first_sequence: int
    previous_crc: int
    about: bytes
    size: int
    crc: int


class BlockEntry(msgspec.Struct, frozen=True, array_like=True):
    """Where a block is and what it holds; times are the lowest and the highest, not the first and the last."""

    offset: int
    stored: int
    records: int
    frames: int
    raw_bytes: int
    start_ns: int
    end_ns: int
    first_sequence: int
    last_sequence: int
    crc: int


class OpenedEntry(msgspec.Struct, frozen=True, array_like=True):
    """An `OPENED` record: its number, its connection, and what it says."""

    sequence: int
    connection: int
    opened: Opened


class SegmentIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The index of a closed segment.

    Args:
        blocks: in their order.
        opened: the connections that begin in it.
        end_crc: checksum of its last record in the open form, which the next segment repeats.
        torn: bytes that a crash had left of an unfinished record.
        last: whether the tape was closed with it; a tape may go on after it.
    """

    blocks: tuple[BlockEntry, ...]
    opened: tuple[OpenedEntry, ...]
    end_crc: int
    torn: int = 0
    last: bool = False


_INDEX = msgspec.json.Decoder(SegmentIndex)


def head_bytes(form: str, number: int, first_sequence: int, previous_crc: int, about: bytes) -> bytes:
    """Return the head of a segment, ``raw`` or ``closed``.

    Raises:
        TapeError: the tape says too much about itself.
    """
    if len(about) > TAPE_ABOUT_BYTES_MAX:
        raise TapeError("about", f"{len(about)} bytes are more than {TAPE_ABOUT_BYTES_MAX}")
    head = _HEAD.pack(_MAGIC, _FORMAT, _FORMS[form], number, first_sequence, previous_crc, len(about))
    head += _CRC.pack(zlib.crc32(head)) + about
    return head + _CRC.pack(zlib.crc32(head))


def read_head(path: str, data: bytes, form: str) -> SegmentHead | None:
    """Return the head that a segment begins with; None where a crash has cut it short, which only a raw one can be.

    Args:
        path: of the file, for errors.
        data: its beginning, at least as long as a head can be, or all of it.
        form: ``raw`` or ``closed``.

    Raises:
        TapeError: the file is something else, or of a later version.
        TapeDamaged: it is not what was written.
    """
    if not data.startswith(_MAGIC[: len(data)]):
        if form == "raw" and not data.strip(b"\0"):
            return None
        raise TapeError(path, "this is no segment of a tape", hint="Move it out of the folder")
    if len(data) < _ABOUT_AT:
        return _cut_short(path, form)
    _, version, found, number, first_sequence, previous_crc, length = _HEAD.unpack_from(data)
    size = _ABOUT_AT + length
    whole = _sum_is_right(data, _HEAD.size)
    if whole and version > _FORMAT:
        raise TapeError(path, f"its format is {version}", hint="A later version of krakenwire reads it")
    if whole and len(data) < size + _CRC.size:
        return _cut_short(path, form)
    if not whole or found != _FORMS[form] or not _sum_is_right(data, size):
        raise TapeDamaged(path, "the head is not what was written", 0, hint=_COPY)
    size += _CRC.size
    crc = zlib.crc32(data[: size - _CRC.size])
    return SegmentHead(number, first_sequence, previous_crc, data[_ABOUT_AT : size - _CRC.size], size, crc)


def _cut_short(path: str, form: str) -> SegmentHead | None:
    if form == "closed":
        raise TapeDamaged(path, "the head is cut short", 0, hint=_COPY)
    return None


def _sum_is_right(data: bytes, size: int) -> bool:
    return bool(_CRC.unpack_from(data, size)[0] == zlib.crc32(data[:size]))


def index_bytes(index: SegmentIndex, offset: int, crc: int) -> bytes:
    """Return what ends a closed segment: its index, where that begins, and the mark of a whole file."""
    body = msgspec.json.encode(index)
    return body + _TRAILER.pack(offset, len(body), zlib.crc32(body, crc), _END)


TRAILER_BYTES: Final = _TRAILER.size


def read_index(path: str, tail: bytes, size: int, head: SegmentHead) -> SegmentIndex:
    """Return the index of a closed segment.

    Args:
        path: of the file, for errors.
        tail: its end, at least the index.
        size: of the file.
        head: its head.

    Raises:
        TapeDamaged: it is not what was written, or does not fit the file.
    """
    damaged = TapeDamaged(path, "the index is not what was written", max(0, size - TRAILER_BYTES), hint=_COPY)
    if len(tail) < TRAILER_BYTES:
        raise damaged
    offset, length, crc, end = _TRAILER.unpack_from(tail, len(tail) - TRAILER_BYTES)
    if end != _END or offset + length + TRAILER_BYTES != size or length + TRAILER_BYTES > len(tail):
        raise damaged
    body = tail[len(tail) - TRAILER_BYTES - length : len(tail) - TRAILER_BYTES]
    if zlib.crc32(body, head.crc) != crc:
        raise damaged
    try:
        index = _INDEX.decode(body)
    except msgspec.DecodeError:
        raise damaged from None
    at = head.size
    for block in index.blocks:
        if block.offset != at:
            raise damaged
        at += block.stored
    if at != offset:
        raise damaged
    return index


def index_length(trailer: bytes) -> int:
    """Return how long the index before a trailer says it is."""
    return int(_TRAILER.unpack(trailer)[1])

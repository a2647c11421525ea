"""One segment of a tape on a disk: open (records one by one) or closed (compressed blocks and an index).

`Closed` and `Raw` read one, and look the same to a reader; `close_segment`
makes the one of the other. Reading never changes a file. Next: `tape_reader`,
`tape_writer`; the bytes are described in `tape_index`, `tape.record` and `tape.block`.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from krakenwire.errors import DecodeError, TapeDamaged, TapeError
from krakenwire.limits import TAPE_ABOUT_BYTES_MAX, TAPE_BLOCK_BYTES
from krakenwire.storage.tape_index import (
    TRAILER_BYTES,
    BlockEntry,
    OpenedEntry,
    SegmentHead,
    SegmentIndex,
    head_bytes,
    index_bytes,
    index_length,
    read_head,
    read_index,
)
from krakenwire.tape.block import Block, compressed, unpacked
from krakenwire.tape.marks import opened_from
from krakenwire.tape.record import FRAMES, Kind, Scan

__all__ = ["Closed", "Raw", "close_segment", "segment_paths", "sync_folder", "unreadable"]

CLOSED_SUFFIX: Final = ".tape"
RAW_SUFFIX: Final = ".raw"
_HEAD_BYTES: Final = TAPE_ABOUT_BYTES_MAX + 64
_HINT: Final = "Take that file from a copy of the tape; times before and after it can still be read and cut out"

Write = Callable[[int, memoryview], int]
"""How bytes get into a file; `os.write`, or a test's failing disk."""


def segment_paths(folder: Path) -> dict[int, Path]:
    """Return the segments of a folder by number; of one that is there in both forms, the closed one.

    Raises:
        TapeError: the folder cannot be read.
    """
    found: dict[int, Path] = {}
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise unreadable(folder, error) from error
    for suffix in (RAW_SUFFIX, CLOSED_SUFFIX):
        for name in names:
            stem = name.removesuffix(suffix)
            if name.endswith(suffix) and len(stem) == 6 and stem.isascii() and stem.isdecimal():
                found[int(stem)] = folder / name
    return dict(sorted(found.items()))


def unreadable(path: Path, error: OSError) -> TapeError:
    """Return our error for what the system says about a file."""
    if isinstance(error, FileExistsError):  # a folder was to be made, and there is none
        return TapeError(str(path), "it, or what it is to be in, is a file")
    return TapeError(str(path), error.strerror or str(error))


class Closed:
    """A closed segment; its blocks are read when they are asked for.

    Raises:
        TapeError, TapeDamaged: it cannot be read, or is not what was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.stored_bytes = os.fstat(file.fileno()).st_size
                self.head = _there(read_head(str(path), file.read(_HEAD_BYTES), "closed"))
                file.seek(max(0, self.stored_bytes - TRAILER_BYTES))
                trailer = file.read()
                length = index_length(trailer) if len(trailer) == TRAILER_BYTES else 0
                file.seek(max(0, self.stored_bytes - TRAILER_BYTES - length))
                self.index = read_index(str(path), file.read(), self.stored_bytes, self.head)
        except OSError as error:
            raise unreadable(path, error) from error
        self.opened = self.index.opened
        self.entries = self.index.blocks
        self.end_crc, self.torn, self.last = self.index.end_crc, self.index.torn, self.index.last

    def blocks(self, wanted: Callable[[BlockEntry], bool]) -> Iterator[Block]:
        """Yield those of the blocks that are wanted.

        Raises:
            TapeError, TapeDamaged: one cannot be read, or is not what was written.
        """
        try:
            with self.path.open("rb") as file:
                for entry in self.entries:
                    if wanted(entry):
                        file.seek(entry.offset)
                        yield self._block(entry, file.read(entry.stored))
        except OSError as error:
            raise unreadable(self.path, error) from error

    def _block(self, entry: BlockEntry, stored: bytes) -> Block:
        if zlib.crc32(stored, self.head.crc) != entry.crc:
            raise TapeDamaged(str(self.path), "a block is not what was written", entry.offset, hint=_HINT)
        try:
            return unpacked(stored, entry.records, entry.raw_bytes)
        except ValueError as error:
            raise TapeDamaged(str(self.path), f"a block cannot be read ({error})", entry.offset, hint=_HINT) from error


class Raw:
    """An open segment as it is now: what is whole of it. It is read at once, for it may be closed meanwhile.

    Raises:
        TapeError, TapeDamaged: it cannot be read, or is not what was written.
        FileNotFoundError: it was closed before it could be opened.
    """

    last = True

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unreadable(path, error) from error
        self.stored_bytes = len(data)
        self.head = read_head(str(path), data, "raw")
        self._blocks: list[tuple[BlockEntry, Block]] = []
        opened: list[OpenedEntry] = []
        self.torn, self.end_crc = len(data), 0
        if self.head is not None:
            scan = Scan(data, self.head.size, self.head.crc)
            for rows in _batches(scan):
                block = Block.of(data, rows)
                self._blocks.append((_entry(block), block))
                opened += _opened(path, block)
            if scan.damage is not None:
                raise TapeDamaged(str(path), scan.damage.reason, scan.damage.offset, hint=_HINT)
            self.torn, self.end_crc = len(data) - scan.end, scan.crc
        self.opened = tuple(opened)
        self.entries = tuple(entry for entry, _ in self._blocks)

    def blocks(self, wanted: Callable[[BlockEntry], bool]) -> Iterator[Block]:
        """Yield those of the blocks that are wanted."""
        for entry, block in self._blocks:
            if wanted(entry):
                yield block


def close_segment(raw: Path, *, last: bool, write: Write = os.write) -> Path | None:
    """Make the closed form of an open segment, and remove the open one; return its path, None if it held nothing.

    Args:
        raw: the open segment; nobody writes to it any more.
        last: whether the tape is closed with it.
        write: how bytes get into a file.

    Raises:
        TapeError, TapeDamaged: it cannot be read or written; then the open one is untouched.
        OSError: the closed form cannot be written; likewise.
    """
    source = Raw(raw)
    if source.head is None:
        return None
    final, temporary = raw.with_suffix(CLOSED_SUFFIX), raw.with_suffix(".tmp")
    try:
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        try:
            _write_closed(file, source, source.head, last, write)
            os.fsync(file)
        finally:
            os.close(file)
        temporary.replace(final)
        sync_folder(raw.parent)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    raw.unlink()
    return final


def _write_closed(file: int, source: Raw, raw_head: SegmentHead, last: bool, write: Write) -> None:
    head = head_bytes("closed", raw_head.number, raw_head.first_sequence, raw_head.previous_crc, raw_head.about)
    crc = zlib.crc32(head[:-4])
    write_all(file, head, write)
    at = len(head)
    entries: list[BlockEntry] = []
    for block in source.blocks(lambda _: True):
        stored = compressed(block)
        write_all(file, stored, write)
        entries.append(_entry(block, at, len(stored), zlib.crc32(stored, crc)))
        at += len(stored)
    index = SegmentIndex(
        blocks=tuple(entries), opened=source.opened, end_crc=source.end_crc, torn=source.torn, last=last
    )
    write_all(file, index_bytes(index, at, crc), write)


def write_all(file: int, data: bytes, write: Write) -> None:
    """Write all of some bytes. Raises: OSError: it cannot be done; some may have been written."""
    view = memoryview(data)
    while view:
        view = view[write(file, view) :]


def sync_folder(folder: Path) -> None:
    """Have the names of a folder survive a loss of power, where the system can do that."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


# -- inside ------------------------------------------------------------------------


def _there(head: SegmentHead | None) -> SegmentHead:
    assert head is not None, "only a raw segment may lack its head"
    return head


def _batches(scan: Scan) -> Iterator[list[tuple[int, int, int, int, int, int]]]:
    """Gather rows into blocks of about the size that they are stored in."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    size = 0
    for row in scan:
        rows.append(row)
        size += row[5]
        if size >= TAPE_BLOCK_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _entry(block: Block, offset: int = 0, stored: int = 0, crc: int = 0) -> BlockEntry:
    frames = sum(int((block.kind == kind).sum()) for kind in FRAMES)
    return BlockEntry(
        offset,
        stored,
        len(block),
        frames,
        int(block.length.sum()),
        int(block.time_ns.min()),
        int(block.time_ns.max()),
        int(block.sequence[0]),
        int(block.sequence[-1]),
        crc,
    )


def _opened(path: Path, block: Block) -> Iterator[OpenedEntry]:
    for record in block.chosen(kinds=(Kind.OPENED,)):
        try:
            yield OpenedEntry(record.sequence, record.connection, opened_from(record.payload))
        except DecodeError as error:
            raise TapeError(str(path), f"record {record.sequence} is no OPENED record: {error}") from error

"""A file that records are only ever added to, and that is whole again after a crash at any byte.

Each record carries its length and checksums that go on from the record
before, so a record out of place is found as surely as a changed one. What a
crash left unfinished at the end is cut off when the file is opened next, and
counted; damage anywhere else is an error and nothing is touched. What records
mean is their writer's business.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from krakenwire.errors import ConfigError, JournalBusy, JournalDamaged, JournalError
from krakenwire.limits import JOURNAL_RECORD_BYTES_MAX

try:
    import fcntl
except ImportError:  # not a POSIX system: then nothing keeps a second process away
    fcntl = None  # type: ignore[assignment]  # asked for before each use

__all__ = ["Journal"]

_MAGIC: Final = b"krakenwire log 1"
_LENGTH: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<III")
"""Length, checksum of the length, checksum of the record; both go on from the record before."""
_READ_BYTES: Final = 1 << 20


class Journal:
    """One journal, open for adding. A context manager; opening it makes the file if there is none.

    A record is there for good when `append` returns: safe from an end of this
    process in any case, and with `sync` from an end of the whole machine, too.

    Args:
        path: the file; its folder must exist.
        sync: wait for the disk after each record.

    Attributes:
        path: the file.
        count: records in it.
        cut_bytes: what an unfinished record at the end took and was cut off at opening, 0 if there was none.

    Raises:
        JournalBusy: another process has it open.
        JournalDamaged: it is not whole, and not because a crash cut the last record short.
        JournalError: it cannot be opened, read or written.
        ConfigError: the file is something else.
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = False) -> None:
        self.path = Path(path)
        self._sync = sync
        self.count = self.cut_bytes = 0
        self._file = self._open()
        try:
            self._end, self._crc = self._check()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def append(self, record: bytes) -> None:
        """Add one record.

        Raises:
            JournalError: it could not be written in full; then it is not in the journal at all.
        """
        self.extend((record,))

    def extend(self, records: Iterable[bytes], *, sync: bool | None = None) -> None:
        """Add some records with one write: all of them or none.

        Args:
            records: to add, in this order.
            sync: wait for the disk; None as the journal was opened. Waiting makes all that was added before safe, too.

        Raises:
            JournalError: as for `append`.
        """
        crc, count = self._crc, 0
        parts: list[bytes] = []
        for record in records:
            if len(record) > JOURNAL_RECORD_BYTES_MAX:
                raise JournalError(str(self.path), f"a record of {len(record)} bytes is too long")
            length_crc = zlib.crc32(_LENGTH.pack(len(record)), crc)
            crc = zlib.crc32(record, length_crc)
            parts += (_HEAD.pack(len(record), length_crc, crc), record)
            count += 1
        data = b"".join(parts)
        try:
            self._write(data, self._sync if sync is None else sync)
        except OSError as error:
            self._take_back()
            raise JournalError(str(self.path), error.strerror or str(error)) from error
        self._end += len(data)
        self._crc = crc
        self.count += count

    def __iter__(self) -> Iterator[bytes]:
        """Read every record there is now, oldest first. Cost: memory of one read, not of the file."""
        for record, _, _ in self._records(self._end):
            yield record

    def __len__(self) -> int:
        return self.count

    # -- inside --------------------------------------------------------------------

    def _open(self) -> int:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise JournalError(str(self.path), error.strerror or str(error)) from error
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                raise JournalBusy(str(self.path), "another process has it open") from None
        return file

    def _check(self) -> tuple[int, int]:
        """Look at the whole file, cut off what is unfinished, and return where it ends and the checksum there."""
        size = os.fstat(self._file).st_size
        start = os.pread(self._file, len(_MAGIC), 0)
        if not _MAGIC.startswith(start):
            raise ConfigError(str(self.path), expected="a journal of krakenwire", found="something else")
        if len(start) < len(_MAGIC):
            self._begin()
            return len(_MAGIC), 0
        end, crc = len(_MAGIC), 0
        for _, end, crc in self._records(size):  # noqa: B007 - the last ones are wanted
            self.count += 1
        self.cut_bytes = size - end
        if self.cut_bytes:
            os.ftruncate(self._file, end)
        return end, crc

    def _begin(self) -> None:
        os.ftruncate(self._file, 0)
        self._write(_MAGIC, self._sync)

    def _records(self, size: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield each record with where it ends and its checksum; stop before one that a crash cut short."""
        at, crc, held, held_at = len(_MAGIC), 0, b"", len(_MAGIC)

        def take(count: int) -> bytes:
            nonlocal held, held_at
            offset = at - held_at
            if offset + count > len(held):
                wanted = min(max(count, _READ_BYTES), size - at)
                held, held_at = os.pread(self._file, wanted, at), at
                offset = 0
            return held[offset : offset + count]

        while at < size:
            head = take(_HEAD.size)
            if len(head) < _HEAD.size:
                return
            start = at
            length, length_crc, record_crc = _HEAD.unpack(head)
            if zlib.crc32(head[: _LENGTH.size], crc) != length_crc:
                self._check_zeros(start, size)
                return
            at += _HEAD.size
            record = take(length)
            crc = zlib.crc32(record, length_crc)
            if len(record) < length or (crc != record_crc and at + length == size):
                return  # the last record: a crash came before all of it was written
            if crc != record_crc:
                raise JournalDamaged(str(self.path), "a record is not what was written", start)
            at += length
            yield record, at, crc

    def _check_zeros(self, start: int, size: int) -> None:
        """A machine that is lost can leave zeros behind the last record; anything else there is damage."""
        for at in range(start, size, _READ_BYTES):
            if os.pread(self._file, min(_READ_BYTES, size - at), at).strip(b"\0"):
                raise JournalDamaged(str(self.path), "there is no record", start)

    def _write(self, data: bytes, sync: bool) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        if sync:
            os.fsync(self._file)

    def _take_back(self) -> None:
        """Undo a write that failed half way; if even that fails the next opening cuts it off."""
        try:
            os.ftruncate(self._file, self._end)
        except OSError:
            return

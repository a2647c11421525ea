"""Writes a tape: records into an open segment, full segments closed and compressed beside the work.

What was flushed is there after an end of this process at any byte. A folder is
written by one writer at a time; one that holds a tape already is gone on with,
one that holds anything else is refused. Next: `tape_segment`, `tape_reader`.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from krakenwire.errors import KrakenwireError, TapeError
from krakenwire.limits import TAPE_FLUSH_BYTES, TAPE_FLUSH_MS, TAPE_SEGMENT_BYTES, TAPE_SEGMENT_S
from krakenwire.storage.tape_index import head_bytes
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_segment import (
    RAW_SUFFIX,
    Raw,
    Write,
    close_segment,
    segment_paths,
    sync_folder,
    unreadable,
    write_all,
)
from krakenwire.tape.record import Kind, TapeRecord, encode, time_of

try:
    import fcntl
except ImportError:  # not a POSIX system: then nothing keeps a second process away
    fcntl = None  # type: ignore[assignment]  # asked for before each use

__all__ = ["TapeWriter"]

_CHUNK: Final = 2_048
"""Records encoded at once: a segment overshoots by no more."""


class TapeWriter:
    """A tape, open for adding. A context manager; not safe to share between threads.

    Args:
        folder: made if it is not there.
        segment_bytes: raw records after which a segment is closed.
        segment_s: a segment never spans two of these.
        about: what the tape says about itself, JSON values.
        write: how bytes get into a file; tests give a disk that fails or is slow.

    Attributes:
        sequence: number of the next record.
        records: written to the disk by this writer.
        bytes: their payload.
        end_ns: time of the last one of them, None before the first.
        segments: begun by this writer.
        failed: why nothing more can be written, None while it can.

    Raises:
        TapeError: another writer has it open, the folder holds something else, or it cannot be written.
        TapeDamaged: the tape that is there is not whole.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        segment_bytes: int = TAPE_SEGMENT_BYTES,
        segment_s: int = TAPE_SEGMENT_S,
        about: Mapping[str, object] | None = None,
        write: Write = os.write,
    ) -> None:
        self.folder = Path(folder)
        self._segment_bytes, self._segment_ns = segment_bytes, segment_s * 1_000_000_000
        self._about = msgspec.json.encode(about or {})
        self._write = write
        self.records = self.bytes = self.segments = self.sequence = 0
        self.end_ns: int | None = None
        self.failed: TapeError | None = None
        self._parts: list[bytes] = []
        self._waiting_bytes = self._waiting_records = self._waiting_payload = 0
        self._waiting_since_ns = self._last_ns = 0
        self._slot: int | None = None
        self._file = -1
        self._number, self._crc, self._end = -1, 0, 0
        self._lock = _locked(self.folder)
        self._closer = _Closer()
        try:
            self._go_on()
            self._begin()
        except BaseException:
            self._closer.end()
            self._let_go()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def write(self, time_ns: int, connection: int, kind: int, payload: bytes | str) -> None:
        """Add a record; a mark is flushed at once, everything else with the next flush.

        Raises:
            TapeError: it cannot be written; see `flush`.
        """
        data = payload.encode() if isinstance(payload, str) else payload
        self._add([(time_ns, self.sequence, connection, kind, data)])

    def write_many(self, records: Iterable[tuple[int, int, int, bytes]]) -> None:
        """Add records: time, connection, kind and payload of each.

        Raises:
            TapeError: they cannot be written; see `flush`.
        """
        rest = iter(records)
        while chunk := list(itertools.islice(rest, _CHUNK)):
            numbers = itertools.count(self.sequence)
            self._add([(at, next(numbers), connection, kind, data) for at, connection, kind, data in chunk])

    def copy(self, records: Iterable[TapeRecord]) -> None:
        """Add records of another tape with the numbers they have there.

        Raises:
            TapeError: they cannot be written; see `flush`. A number that is not above the one before.
        """
        rest = iter(records)
        while chunk := list(itertools.islice(rest, _CHUNK)):
            numbers = [self.sequence - 1, *(record.sequence for record in chunk)]
            if any(one >= other for one, other in itertools.pairwise(numbers)):
                raise TapeError(str(self.folder), f"record {chunk[0].sequence} is there already, or out of order")
            self._add(chunk)

    def flush(self) -> None:
        """Hand what waits to the system: an end of this process does not lose it any more.

        Raises:
            TapeError: it cannot be written in full. Then nothing more can be written, and the tape is
                whole up to the last record that found room.
        """
        if self.failed is not None:
            raise self.failed
        if not self._parts:
            return
        data = b"".join(self._parts)
        try:
            write_all(self._file, data, self._write)
        except OSError as error:
            self._keep_whole_records()
            self.failed = unreadable(self.folder, error)
            raise self.failed from error
        self._end += len(data)
        self.records += self._waiting_records
        self.bytes += self._waiting_payload
        self.end_ns = self._last_ns
        self._forget()

    def close(self) -> None:
        """Flush, close the last segment, and let go of the folder; closing twice does nothing.

        Raises:
            TapeError: what waited cannot be written; the tape is closed, and whole, all the same.
        """
        if self._file < 0:
            return
        try:
            if self.failed is None:
                self.flush()
        finally:
            self._end_segment(last=True)
            self._closer.end()
            self._let_go()

    @property
    def waiting(self) -> int:
        """Records that are not on the disk yet."""
        return self._waiting_records

    @property
    def closing_failure(self) -> KrakenwireError | OSError | None:
        """Why a full segment is still uncompressed, None when none is; nothing is lost by that."""
        return self._closer.failure

    # -- adding ------------------------------------------------------------------------

    def _add(self, rows: Sequence[tuple[int, int, int, int, bytes]]) -> None:
        if self.failed is not None:
            raise self.failed
        if self._file < 0:
            raise TapeError(str(self.folder), "the tape is closed")
        first, last = rows[0], rows[-1]
        slot = first[0] // self._segment_ns
        if last[0] // self._segment_ns != slot and len(rows) > 1:
            for row in rows:
                self._add([row])
            return
        if self._slot is not None and (slot > self._slot or self._end + self._waiting_bytes >= self._segment_bytes):
            self._roll()
        self._slot = slot if self._slot is None else max(slot, self._slot)
        self._encode(rows)
        self._flush_if_due(marked=any(row[3] == Kind.MARK for row in rows))

    def _encode(self, rows: Sequence[tuple[int, int, int, int, bytes]]) -> None:
        parts, self._crc = encode(rows, self._crc)
        if not self._parts:
            self._waiting_since_ns = time.monotonic_ns()
        self._parts += parts
        self._waiting_bytes += sum(map(len, parts))
        self._waiting_payload += sum(len(row[4]) for row in rows)
        self._waiting_records += len(rows)
        self.sequence = rows[-1][1] + 1
        self._last_ns = rows[-1][0]

    def _flush_if_due(self, *, marked: bool) -> None:
        late = time.monotonic_ns() - self._waiting_since_ns >= TAPE_FLUSH_MS * 1_000_000
        if marked or late or self._waiting_bytes >= TAPE_FLUSH_BYTES:
            self.flush()

    def _forget(self) -> None:
        self._parts.clear()
        self._waiting_bytes = self._waiting_records = self._waiting_payload = 0

    def _keep_whole_records(self) -> None:
        """Cut off what a failed write has left of a record; if even that fails a reader passes over it."""
        with suppress(OSError):
            room = os.fstat(self._file).st_size - self._end
            for fields, sums, payload in zip(*[iter(self._parts)] * 3, strict=True):
                size = len(fields) + len(sums) + len(payload)
                if size > room:
                    break
                room -= size
                self._end += size
                self.records += 1
                self.bytes += len(payload)
                self.end_ns = time_of(fields)
            os.ftruncate(self._file, self._end)
        self._forget()

    # -- segments ------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Find where the tape that is there ends; have its open segments closed."""
        if not segment_paths(self.folder):
            foreign = next(
                (entry.name for entry in self.folder.iterdir() if entry.suffix not in (".tmp", ".new")), None
            )
            if foreign is not None:
                hint = "Choose an empty folder, or one that is not there yet"
                raise TapeError(str(self.folder), f"the folder holds no tape but {foreign}", hint=hint)
            return
        tape = Tape(self.folder)
        self.sequence = tape.next_sequence
        for segment in tape.segments:
            if isinstance(segment, Raw) and segment.head is None:
                segment.path.unlink()
                continue
            self._number += 1
            self._crc = segment.end_crc
            if isinstance(segment, Raw):
                self._closer.close(segment.path, last=False, write=self._write)

    def _begin(self) -> None:
        self._number += 1
        path = self.folder / f"{self._number:06d}{RAW_SUFFIX}"
        temporary = path.with_suffix(".new")
        head = head_bytes("raw", self._number, self.sequence, self._crc, self._about)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(temporary, flags, 0o600)
            write_all(self._file, head, self._write)
            os.fsync(self._file)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise unreadable(path, error) from error
        sync_folder(self.folder)
        self._path, self._end = path, len(head)
        self._crc = _head_crc(head)
        self.segments += 1

    def _roll(self) -> None:
        """Begin a new segment, and have the full one closed."""
        self.flush()
        full, file = self._path, self._file
        try:
            os.fsync(file)
            self._begin()
        except (TapeError, OSError) as error:
            self._file = file
            self.failed = error if isinstance(error, TapeError) else unreadable(full, error)
            raise self.failed from error
        os.close(file)
        self._closer.close(full, last=False, write=self._write)

    def _end_segment(self, *, last: bool) -> None:
        with suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1
        self._closer.close(self._path, last=last, write=self._write)

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        os.close(self._lock)


class _Closer:
    """Closes segments one after another in a thread of its own, which is started when it is needed."""

    def __init__(self) -> None:
        self.failure: KrakenwireError | OSError | None = None
        self._jobs: queue.SimpleQueue[tuple[Path, bool, Write] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def close(self, path: Path, *, last: bool, write: Write) -> None:
        """Have a segment closed; one that cannot be stays as it is, and says so in `failure`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="krakenwire tape", daemon=True)
            self._thread.start()
        self._jobs.put((path, last, write))

    def end(self) -> None:
        """Wait for what is under way."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            path, last, write = job
            try:
                close_segment(path, last=last, write=write)
            except (KrakenwireError, OSError) as error:
                self.failure = error


def _locked(folder: Path) -> int:
    """Make the folder if need be, and keep other writers out of it; return what holds the lock."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise unreadable(folder, error) from error
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            hint = "Wait for its end, or record into another folder"
            raise TapeError(str(folder), "another process is recording to it", hint=hint) from None
    return lock


def _head_crc(head: bytes) -> int:
    return int.from_bytes(head[-4:], "little")

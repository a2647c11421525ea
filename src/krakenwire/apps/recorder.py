"""Records connections of a client onto a tape: what passes is queued at once and written by a thread of its own.

The client is never held up. Where the disk cannot follow, what finds no room
is left out, counted, and marked on the tape in its place; where it is full,
the tape ends whole and the account of the recording says since when
everything is lost. Next: `krakenwire.cli.record`; the port is `session.witness`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from krakenwire.client.clock import now_ns
from krakenwire.errors import KrakenwireError, SilenceError, TapeError
from krakenwire.limits import TAPE_FLUSH_MS, TAPE_QUEUE_BYTES, TAPE_QUEUE_RECORDS
from krakenwire.model import ChecksumFailed, Disconnected, Event, Gap, Refused, Resynced
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import Closed, Mark, Opened
from krakenwire.tape.record import Kind
from krakenwire.tape.redact import redacted

__all__ = ["Account", "ConnectionWitness", "Recorder"]

_FLUSH_S: Final = TAPE_FLUSH_MS / 1_000
_GATHER_S: Final = 0.005
"""What comes meanwhile is written together: a busy feed wakes the writing thread seldom."""

_NORMAL: Final = 1000
"""Close code of a connection that was not needed any more."""

_Row = tuple[int, int, int, bytes]


class Account(msgspec.Struct, kw_only=True):
    """What a recording holds so far, and what it lacks.

    Args:
        frames: on the disk or on their way, of both directions.
        bytes: of those.
        written: records on the disk.
        connections: opened so far.
        gaps, resyncs, silences, checksum_failures, refused: as marked on the tape.
        redacted: frames that had a secret.
        lost: records that came and are not on the tape.
        lost_from_ns, lost_to_ns: about when the first and the last of them came.
        segments: of the tape, begun by this recording.
        end_ns: time of the last record on the disk.
        failure: why the recording ended before it was told to.
    """

    frames: int = 0
    bytes: int = 0
    written: int = 0
    connections: int = 0
    gaps: int = 0
    resyncs: int = 0
    silences: int = 0
    checksum_failures: int = 0
    refused: int = 0
    redacted: int = 0
    lost: int = 0
    lost_from_ns: int | None = None
    lost_to_ns: int | None = None
    segments: int = 0
    end_ns: int | None = None
    failure: str | None = None


class Recorder:
    """Puts what its witnesses see on a tape.

    The client's thread calls the witnesses, and only one of a client's threads does.

    Args:
        writer: of the tape; closed with the recorder.
        queue_records: that may wait for the disk.
        queue_bytes: of them.
        clock: nanoseconds now.
        connections: highest number of a connection that the tape has already.

    Attributes:
        account: see `Account`; a copy is safe to show.
        refusals: subscriptions that the venue refused.
        down: why no connection will be made any more, None while that is not so.
        lapses: ``lost`` marks so far: after each the tape's books are worth nothing until their next snapshots.
    """

    def __init__(
        self,
        writer: TapeWriter,
        *,
        queue_records: int = TAPE_QUEUE_RECORDS,
        queue_bytes: int = TAPE_QUEUE_BYTES,
        clock: Callable[[], int] = now_ns,
        connections: int = 0,
    ) -> None:
        self._writer, self.clock = writer, clock
        self._records_max, self._bytes_max = queue_records, queue_bytes
        self._connections = connections
        self.account = Account(segments=writer.segments)
        self.refusals: dict[tuple[str | None, str | None], Refused] = {}
        self.down: KrakenwireError | None = None
        self.lapses = 0
        self.failure: TapeError | None = None
        self._queue: deque[_Row] = deque()
        self._queued = self._queued_bytes = self._written_bytes = self._unmarked = 0
        self._unmarked_from_ns = 0
        self._bell = threading.Event()
        self._ending = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="krakenwire recorder", daemon=True)
        self._thread.start()

    def witness(self, name: str, url: str, version: Literal[1, 2]) -> ConnectionWitness:
        """Return who sees one connection of a client; to be its setting ``witness``."""
        return ConnectionWitness(self, Opened(url=url, version=version, name=name))

    def put(self, time_ns: int, connection: int, kind: Kind, payload: bytes) -> None:
        """Queue a record, or note that there is no room for it."""
        if self.failure is not None:
            self._lose(time_ns)
            return
        if kind <= Kind.FRAME_OUT:
            if self._no_room(len(payload)):
                self._lose(time_ns)
                return
            if self._unmarked:
                self._mark_lost(time_ns)
            self.account.frames += 1
            self.account.bytes += len(payload)
        self._enqueue((time_ns, connection, kind, payload))

    def _enqueue(self, row: _Row) -> None:
        self._queued += 1
        self._queued_bytes += len(row[3])
        self._queue.append(row)
        if not self._bell.is_set():
            self._bell.set()

    def mark(self, mark: Mark, time_ns: int, connection: int = 0) -> None:
        """Queue a remark."""
        self.put(time_ns, connection, Kind.MARK, mark.encode())

    def next_connection(self) -> int:
        """Return the number of a connection that was opened now."""
        self.account.connections += 1
        return self._connections + self.account.connections

    def close(self, reason: str = "") -> Account:
        """Write what waits, close the tape and return the account; the client has ended before.

        Args:
            reason: why the recording ends, which the tape tells.
        """
        if not self._closed:
            self._closed = True
            at_ns = self.clock()
            if self.failure is None:
                if self._unmarked:
                    self._mark_lost(at_ns)
                self.mark(Mark(mark="stopped", reason=reason), at_ns)
            self._ending.set()
            self._bell.set()
            self._thread.join()
            self._finish()
        return self.account

    def _finish(self) -> None:
        account = self.account
        try:
            self._writer.close()
        except TapeError as error:
            self._fail(error)
        self._tell()
        if self.failure is not None:
            account.lost += self._queued - account.written
            account.lost_from_ns = min(filter(None, (account.lost_from_ns, account.end_ns)), default=None)

    # -- losses ------------------------------------------------------------------------

    def _no_room(self, size: int) -> bool:
        if len(self._queue) >= self._records_max:
            return True
        return self._queued_bytes - self._written_bytes + size > self._bytes_max

    def _lose(self, time_ns: int) -> None:
        account = self.account
        account.lost += 1
        account.lost_from_ns = time_ns if account.lost_from_ns is None else account.lost_from_ns
        account.lost_to_ns = time_ns
        if not self._unmarked:
            self._unmarked_from_ns = time_ns
        self._unmarked += 1

    def _mark_lost(self, time_ns: int) -> None:
        mark = Mark(
            mark="lost",
            reason="the disk was too slow",
            count=self._unmarked,
            from_ns=self._unmarked_from_ns,
            to_ns=self.account.lost_to_ns,
        )
        self._unmarked = 0
        self.lapses += 1
        self._enqueue((time_ns, 0, Kind.MARK, mark.encode()))

    # -- the writing thread ----------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._queue or not self._ending.is_set():
                self._bell.wait(_FLUSH_S if self._writer.waiting else None)
                self._ending.wait(_GATHER_S)
                self._bell.clear()
                self._write()
            self._writer.flush()
            self._tell()
        except TapeError as error:
            self._fail(error)

    def _write(self) -> None:
        rows = [self._queue.popleft() for _ in range(len(self._queue))]
        if rows:
            self._writer.write_many(rows)
            self._written_bytes += sum(len(row[3]) for row in rows)
        else:
            self._writer.flush()
        self._tell()

    def _tell(self) -> None:
        account, writer = self.account, self._writer
        account.written, account.segments, account.end_ns = writer.records, writer.segments, writer.end_ns

    def _fail(self, error: TapeError) -> None:
        """Nothing more can be written: what is not on the disk is lost, and so is all that comes."""
        self.failure = error
        self.account.failure = str(error)
        self._tell()


class ConnectionWitness:
    """Sees one connection of a client for a recorder; see `krakenwire.session.witness`."""

    def __init__(self, recorder: Recorder, opened: Opened) -> None:
        self._recorder, self._opened = recorder, opened
        self._connection = 0
        self._open = False

    def received(self, frame: str | bytes, now_ns: int) -> None:
        """Record a frame that came."""
        self._frame(Kind.FRAME_IN, frame, now_ns)

    def sent(self, frame: str) -> None:
        """Record a frame that goes out."""
        self._frame(Kind.FRAME_OUT, frame, self._recorder.clock())

    def opened(self, now_ns: int) -> None:
        """Record the beginning of a connection."""
        self._connection, self._open = self._recorder.next_connection(), True
        self._recorder.put(now_ns, self._connection, Kind.OPENED, self._opened.encode())

    def closed(self, error: KrakenwireError | None, now_ns: int) -> None:
        """Record the end of a connection; an attempt that failed was none."""
        if not self._open:
            return
        self._open = False
        closed = Closed(code=_NORMAL) if error is None else Closed(reason=str(error), code=getattr(error, "code", None))
        self._recorder.put(now_ns, self._connection, Kind.CLOSED, closed.encode())

    def noted(self, event: Event, now_ns: int) -> None:
        """Mark what the session found out."""
        note = _NOTES.get(type(event))
        if note is not None:
            note(self, event, now_ns)

    # -- inside --------------------------------------------------------------------------

    def _frame(self, kind: Kind, frame: str | bytes, now_ns: int) -> None:
        data = frame.encode() if isinstance(frame, str) else frame
        clean = redacted(data)
        self._recorder.put(now_ns, self._connection, kind, clean)
        if clean is not data:
            self._recorder.account.redacted += 1
            self._recorder.mark(Mark(mark="redacted"), now_ns, self._connection)

    def _gap(self, event: Event, now_ns: int) -> None:
        assert isinstance(event, Gap)
        silent = event.reason == "silence"
        self._count("silences" if silent else "gaps")
        self._recorder.mark(
            Mark(
                mark="silence" if silent else "gap",
                symbol=event.symbol,
                channel=event.channel_name,
                reason=event.reason,
                from_ns=event.since_ns,
            ),
            now_ns,
            self._connection,
        )

    def _resynced(self, event: Event, now_ns: int) -> None:
        assert isinstance(event, Resynced)
        self._count("resyncs")
        mark = Mark(mark="resynced", symbol=event.symbol, channel=event.channel_name)
        self._recorder.mark(mark, now_ns, self._connection)

    def _checksum(self, event: Event, now_ns: int) -> None:
        assert isinstance(event, ChecksumFailed)
        self._count("checksum_failures")
        reason = f"the venue's is {event.expected}, ours {event.found}"
        mark = Mark(mark="checksum", symbol=event.symbol, channel=event.channel_name, reason=reason)
        self._recorder.mark(mark, now_ns, self._connection)

    def _refused(self, event: Event, now_ns: int) -> None:
        assert isinstance(event, Refused)
        self._count("refused")
        self._recorder.refusals[(event.channel_name, event.symbol)] = event
        mark = Mark(mark="refused", symbol=event.symbol, channel=event.channel_name, reason=event.error)
        self._recorder.mark(mark, now_ns, self._connection)

    def _disconnected(self, event: Event, now_ns: int) -> None:
        assert isinstance(event, Disconnected)
        if event.retry_in_s is None and event.error is not None:
            self._recorder.down = event.error
        if isinstance(event.error, SilenceError):
            self._count("silences")
            self._recorder.mark(Mark(mark="silence", reason=str(event.error)), now_ns, self._connection)

    def _count(self, name: str) -> None:
        account = self._recorder.account
        setattr(account, name, getattr(account, name) + 1)


_NOTES: Final[Mapping[type, Callable[[ConnectionWitness, Event, int], None]]] = {
    ChecksumFailed: ConnectionWitness._checksum,
    Disconnected: ConnectionWitness._disconnected,
    Gap: ConnectionWitness._gap,
    Refused: ConnectionWitness._refused,
    Resynced: ConnectionWitness._resynced,
}

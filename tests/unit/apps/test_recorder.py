"""The recorder on disks that are slow or full, and what it marks."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("zstandard")

from krakenwire.apps.recorder import Recorder
from krakenwire.errors import ConnectionLost, SilenceError
from krakenwire.model import ChecksumFailed, Disconnected, Event, Gap, Refused, Resynced
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import Closed, Mark, closed_from, mark_from
from krakenwire.tape.record import Kind, TapeRecord

NOW_NS = 1_700_000_000_000_000_000
URL = "ws://127.0.0.1/v2"


def records(folder: Path) -> list[TapeRecord]:
    return list(Tape(folder).records())


def marks(folder: Path) -> list[Mark]:
    return [mark_from(record.payload) for record in records(folder) if record.kind is Kind.MARK]


def test_a_connection_is_on_the_tape_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    recorder = Recorder(TapeWriter(tmp_path / "tape"), clock=lambda: NOW_NS + 5)
    witness = recorder.witness("public", URL, 2)
    witness.closed(None, NOW_NS)  # an attempt that failed
    witness.opened(NOW_NS + 1)
    witness.sent('{"method":"ping"}')
    witness.received(b'{"method":"pong"}', NOW_NS + 7)
    witness.closed(ConnectionLost(URL, "gone", code=1001), NOW_NS + 8)
    witness.opened(NOW_NS + 9)
    account = recorder.close("enough")
    found = records(tmp_path / "tape")
    assert [(record.time_ns - NOW_NS, record.connection, record.kind) for record in found] == [
        (1, 1, Kind.OPENED),
        (5, 1, Kind.FRAME_OUT),
        (7, 1, Kind.FRAME_IN),
        (8, 1, Kind.CLOSED),
        (9, 2, Kind.OPENED),
        (5, 0, Kind.MARK),
    ]
    assert [record.payload for record in found[1:3]] == [b'{"method":"ping"}', b'{"method":"pong"}']
    assert closed_from(found[3].payload) == Closed(reason=f"{URL}: gone (close code 1001)", code=1001)
    assert marks(tmp_path / "tape") == [Mark(mark="stopped", reason="enough")]
    assert (account.frames, account.connections, account.written, account.lost) == (2, 2, 6, 0)


@pytest.mark.parametrize(
    ("event", "mark"),
    [
        (
            Gap(channel_name="book", symbol="BTC/USD", reason="checksum", since_ns=3),
            Mark(mark="gap", channel="book", symbol="BTC/USD", reason="checksum", from_ns=3),
        ),
        (
            Gap(channel_name="trade", symbol="BTC/USD", reason="silence"),
            Mark(mark="silence", channel="trade", symbol="BTC/USD", reason="silence"),
        ),
        (
            Resynced(channel_name="book", symbol="BTC/USD"),
            Mark(mark="resynced", channel="book", symbol="BTC/USD"),
        ),
        (
            ChecksumFailed(symbol="BTC/USD", expected=1, found=2),
            Mark(mark="checksum", channel="book", symbol="BTC/USD", reason="the venue's is 1, ours 2"),
        ),
        (
            Refused(method="subscribe", error="no", symbol="X/Y", channel_name="book"),
            Mark(mark="refused", channel="book", symbol="X/Y", reason="no"),
        ),
        (
            Disconnected(url=URL, error=SilenceError(URL, "quiet"), retry_in_s=1.0),
            Mark(mark="silence", reason=f"{URL}: quiet"),
        ),
    ],
)
def test_what_the_session_finds_out_is_a_mark_in_its_place(tmp_path: Path, event: Event, mark: Mark) -> None:
    recorder = Recorder(TapeWriter(tmp_path / "tape"))
    witness = recorder.witness("public", URL, 2)
    witness.opened(NOW_NS)
    witness.noted(event, NOW_NS + 1)
    recorder.close()
    assert records(tmp_path / "tape")[1].connection == 1
    assert marks(tmp_path / "tape")[0] == mark


def test_a_token_never_reaches_the_disk_and_its_frame_says_that_it_had_one(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def write(file: int, data: memoryview) -> int:
        seen.append(bytes(data))
        return os.write(file, data)

    recorder = Recorder(TapeWriter(tmp_path / "tape", write=write))
    witness = recorder.witness("private", URL, 2)
    witness.opened(NOW_NS)
    witness.sent('{"method":"subscribe","params":{"channel":"executions","token":"CANARY0123456789"}}')
    witness.received(b'{"error":"bad","echo":{"token":"CANARY0123456789"}}', NOW_NS)
    assert recorder.close().redacted == 2
    assert b"CANARY" not in b"".join(seen)
    assert [mark.mark for mark in marks(tmp_path / "tape")] == ["redacted", "redacted", "stopped"]
    assert not any(b"CANARY" in record.payload for record in records(tmp_path / "tape"))


class SlowDisk:
    """A disk that takes nothing while it is shut."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()

    def __call__(self, file: int, data: memoryview) -> int:
        if not self.open.is_set():
            self.waiting.set()
            self.open.wait()
        return os.write(file, data)


def test_what_a_slow_disk_has_no_room_for_is_counted_and_marked_in_its_place(tmp_path: Path) -> None:
    disk = SlowDisk()
    recorder = Recorder(TapeWriter(tmp_path / "tape", write=disk), queue_records=10, clock=lambda: NOW_NS + 99)
    witness = recorder.witness("public", URL, 2)
    disk.open.clear()
    witness.noted(Gap(channel_name="book", symbol=None, reason="silence"), NOW_NS)  # is written at once
    disk.waiting.wait()
    for at in range(25):
        witness.received(b'{"n":%d}' % at, NOW_NS + at)
    assert (recorder.account.lost, recorder.account.frames) == (15, 10)
    disk.open.set()
    while recorder.account.written < 11:
        disk.waiting.wait(0.001)
    witness.received(b'{"n":25}', NOW_NS + 25)
    account = recorder.close()
    frames = [record for record in records(tmp_path / "tape") if record.kind is Kind.FRAME_IN]
    assert [record.payload for record in frames] == [b'{"n":%d}' % at for at in [*range(10), 25]]
    lost = Mark(mark="lost", reason="the disk was too slow", count=15, from_ns=NOW_NS + 10, to_ns=NOW_NS + 24)
    place = [record.kind for record in records(tmp_path / "tape")]
    assert place[-3:] == [Kind.MARK, Kind.FRAME_IN, Kind.MARK]
    assert marks(tmp_path / "tape")[1:] == [lost, Mark(mark="stopped")]
    assert (account.lost, account.lost_from_ns, account.lost_to_ns) == (15, NOW_NS + 10, NOW_NS + 24)


def full_after(room: int) -> Callable[[int, memoryview], int]:
    def write(file: int, data: memoryview) -> int:
        nonlocal room
        if room < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        room -= len(data)
        return os.write(file, data)

    return write


def test_a_full_disk_leaves_a_whole_tape_and_the_account_says_since_when_all_is_lost(tmp_path: Path) -> None:
    recorder = Recorder(TapeWriter(tmp_path / "tape", write=full_after(3_000)))
    witness = recorder.witness("public", URL, 2)
    witness.opened(NOW_NS)
    at = 0
    while recorder.failure is None:
        at += 1
        witness.received(b'{"n":%05d}' % at, NOW_NS + at)
    witness.received(b'{"late":1}', NOW_NS + at + 1)
    account = recorder.close()
    kept = records(tmp_path / "tape")
    assert account.failure is not None
    assert "No space left" in account.failure
    assert account.written == len(kept)
    assert account.lost == 1 + at + 1 - len(kept)
    assert account.end_ns == (kept[-1].time_ns if kept else None)
    assert [record.payload for record in kept[1:]] == [b'{"n":%05d}' % n for n in range(1, len(kept))]

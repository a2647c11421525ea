from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from krakenwire.errors import ConfigError, JournalBusy, JournalDamaged, JournalError
from krakenwire.storage import Journal

RECORDS = [b"", b"one", b"\0" * 20, bytes(range(256)), b"x" * 5_000, b"last"]


def filled(path: Path, records: list[bytes] = RECORDS) -> Path:
    with Journal(path) as journal:
        for record in records:
            journal.append(record)
    return path


def test_records_come_back_in_their_order_after_closing_and_opening(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    with Journal(path) as journal:
        assert list(journal) == RECORDS
        assert (journal.count, journal.cut_bytes) == (len(RECORDS), 0)
        journal.extend([b"more", b"and more"])
        assert list(journal) == [*RECORDS, b"more", b"and more"]
    with Journal(path, sync=True) as journal:
        assert len(journal) == len(RECORDS) + 2


def test_a_file_cut_at_any_byte_opens_with_every_whole_record_and_goes_on(tmp_path: Path) -> None:
    whole = filled(tmp_path / "journal").read_bytes()
    ends = [16]
    for record in RECORDS:
        ends.append(ends[-1] + 12 + len(record))
    assert ends[-1] == len(whole)
    for size in [*range(400), *range(len(whole) - 300, len(whole) + 1)]:
        path = tmp_path / "cut"
        path.write_bytes(whole[:size])
        with Journal(path) as journal:
            kept = sum(end <= size for end in ends[1:])
            assert list(journal) == RECORDS[:kept]
            assert journal.cut_bytes == (size - ends[kept] if size >= 16 else 0)
            journal.append(b"after")
        with Journal(path) as journal:
            assert list(journal) == [*RECORDS[:kept], b"after"]


def test_an_end_of_zeros_that_a_lost_machine_leaves_is_cut_off(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    with path.open("ab") as file:
        file.write(b"\0" * 5_000_000)
    with Journal(path) as journal:
        assert list(journal) == RECORDS
        assert journal.cut_bytes == 5_000_000


def test_any_changed_byte_but_of_the_last_record_is_damage_and_nothing_is_touched(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal")
    whole = path.read_bytes()
    random = Random(5)
    last = len(whole) - len(RECORDS[-1]) - 4  # its checksum changed is a record that a crash cut short
    for at in [*range(16, 330), *(random.randrange(330, last) for _ in range(200))]:
        changed = bytearray(whole)
        changed[at] ^= 1 << random.randrange(8)
        path.write_bytes(changed)
        with pytest.raises(JournalDamaged) as caught:
            Journal(path)
        assert caught.value.offset <= at
        assert path.read_bytes() == bytes(changed)


def test_a_record_that_is_missing_or_out_of_place_is_damage(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal", [b"aaaa", b"bbbb", b"cccc", b"dddd"])
    whole = path.read_bytes()
    head, parts = whole[:16], [whole[at : at + 16] for at in range(16, len(whole), 16)]
    for order in ((0, 2, 3), (1, 0, 2, 3), (0, 1, 1, 2, 3)):
        path.write_bytes(head + b"".join(parts[number] for number in order))
        with pytest.raises(JournalDamaged):
            Journal(path)


def test_a_second_writer_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"), pytest.raises(JournalBusy, match="another process"):
        Journal(tmp_path / "journal")
    with Journal(tmp_path / "journal") as journal:
        assert journal.count == 0


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("do not touch this file\n")
    with pytest.raises(ConfigError, match="a journal of krakenwire"):
        Journal(path)
    assert path.read_text() == "do not touch this file\n"


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file or directory"):
        Journal(tmp_path / "nowhere" / "journal")


def test_a_write_that_fails_half_way_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "journal")
    with Journal(path) as journal:
        write, calls = os.write, []

        def full_disk(file: int, data: bytes) -> int:
            calls.append(len(data))
            if len(calls) > 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(file, bytes(data[:5]))

        monkeypatch.setattr(os, "write", full_disk)
        with pytest.raises(JournalError, match="No space left"):
            journal.append(b"does not fit")
        monkeypatch.undo()
        assert list(journal) == RECORDS
        journal.append(b"fits again")
    with Journal(path) as journal:
        assert list(journal) == [*RECORDS, b"fits again"]
        assert journal.cut_bytes == 0


def test_a_record_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("krakenwire.storage.journal.JOURNAL_RECORD_BYTES_MAX", 10)
    with Journal(tmp_path / "journal") as journal:
        with pytest.raises(JournalError, match="11 bytes"):
            journal.extend([b"short", b"x" * 11])
        assert list(journal) == []


WRITER = """
import sys
from krakenwire.storage import Journal
journal = Journal(sys.argv[1])
number = journal.count
while True:
    journal.append(f"record {number}".encode() * (number % 50))
    number += 1
    print(number, flush=True)
"""


def test_nothing_that_was_told_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    path, told = tmp_path / "journal", 0
    for life in range(4):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(20 + 30 * life):
            told = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        told = max([told, *(int(line) for line in writer.stdout.read().split("\n") if line.strip())])
        writer.wait()
        writer.stdout.close()
        with Journal(path) as journal:
            records = list(journal)
            assert len(records) >= told
            assert records == [f"record {number}".encode() * (number % 50) for number in range(len(records))]

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("zstandard")

from krakenwire.errors import TapeDamaged, TapeError
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_segment import Raw
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import Mark, Opened
from krakenwire.tape.record import HEAD_BYTES, Kind, TapeRecord

START_NS = 1_700_000_000_000_000_000
OPENED = Opened(url="ws://127.0.0.1/v2", version=2, name="public").encode()

Rows = list[tuple[int, int, int, bytes]]


def rows_of(count: int, step_ns: int = 1_000_000) -> Rows:
    rows: Rows = [(START_NS, 1, Kind.OPENED, OPENED)]
    rows += [(START_NS + i * step_ns, 1, Kind.FRAME_IN, b'{"n":%d}' % i + b"x" * (i % 7)) for i in range(1, count)]
    return rows


def recorded(folder: Path, rows: Rows, **settings: int) -> Path:
    with TapeWriter(folder, **settings) as writer:
        for row in rows:
            writer.write(*row)
    return folder


def told(tape: Tape) -> Rows:
    return [(record.time_ns, record.connection, record.kind, record.payload) for record in tape.records()]


def open_segment(folder: Path, rows: Rows) -> bytes:
    """The bytes of a segment that was being written when its writer ended."""
    writer = TapeWriter(folder)
    writer.write_many(rows)
    writer.flush()
    data = (folder / "000000.raw").read_bytes()
    writer.close()
    return data


def test_records_come_back_as_they_were_written_with_their_numbers(tmp_path: Path) -> None:
    rows = [*rows_of(50), (START_NS, 2, Kind.FRAME_OUT, b""), (START_NS, 0, Kind.MARK, Mark(mark="stopped").encode())]
    with TapeWriter(tmp_path / "tape", about={"on": "local"}) as writer:
        for row in rows:
            writer.write(*row)
    tape = Tape(tmp_path / "tape")
    assert told(tape) == rows
    assert [record.sequence for record in tape.records()] == list(range(len(rows)))
    assert (tape.info.records, tape.info.frames, tape.info.connections) == (52, 50, 1)
    assert (tape.info.versions, tape.info.torn, tape.info.about) == ((2,), 0, {"on": "local"})
    assert tape.info.bytes == sum(len(row[3]) for row in rows)


def test_only_the_owner_may_read_a_tape(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "tape", rows_of(3))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600]


def test_a_tape_of_many_segments_is_one_tape_and_times_lead_to_its_records(tmp_path: Path) -> None:
    rows = rows_of(500)
    tape = Tape(recorded(tmp_path / "tape", rows, segment_bytes=2_500))
    assert tape.info.segments > 5
    assert told(tape) == rows
    start_ns, end_ns = START_NS + 100_000_000, START_NS + 103_000_000
    found = list(tape.records(start_ns=start_ns, end_ns=end_ns))
    assert [record.time_ns for record in found] == [START_NS + at * 1_000_000 for at in (100, 101, 102)]
    assert [record.kind for record in tape.records(kinds=(Kind.OPENED,))] == [Kind.OPENED]
    assert list(tape.records(connections=(7,))) == []


def test_a_new_hour_begins_a_new_segment(tmp_path: Path) -> None:
    tape = Tape(recorded(tmp_path / "tape", rows_of(6, step_ns=1_000_000_000_000)))
    assert tape.info.segments == 2
    assert told(tape) == rows_of(6, step_ns=1_000_000_000_000)


def test_writing_into_a_tape_goes_on_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "tape"
    for part in (rows_of(20)[:7], rows_of(20)[7:]):
        recorded(folder, part)
    tape = Tape(folder)
    assert told(tape) == rows_of(20)
    assert [record.sequence for record in tape.records()] == list(range(20))
    assert tape.info.segments == 2


def test_a_tape_can_be_read_while_it_is_recorded(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "tape", segment_bytes=1_500) as writer:
        for at, row in enumerate(rows_of(200)):
            writer.write(*row)
            if at % 20 == 0:
                writer.flush()
                assert told(Tape(tmp_path / "tape")) == rows_of(200)[: at + 1]


def test_a_mark_is_on_the_disk_at_once(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "tape") as writer:
        writer.write(START_NS, 1, Kind.MARK, Mark(mark="gap").encode())
        assert writer.waiting == 0
        assert len(told(Tape(tmp_path / "tape"))) == 1


def test_an_open_segment_cut_at_any_byte_reads_every_whole_record_and_goes_on(tmp_path: Path) -> None:
    rows = rows_of(12)
    whole = open_segment(tmp_path / "whole", rows)
    ends = [len(whole) - sum(HEAD_BYTES + len(row[3]) for row in rows)]
    for row in rows:
        ends.append(ends[-1] + HEAD_BYTES + len(row[3]))
    for size in range(len(whole) + 1):
        folder = tmp_path / f"cut{size}"
        folder.mkdir()
        (folder / "000000.raw").write_bytes(whole[:size])
        tape = Tape(folder)
        kept = sum(end <= size for end in ends[1:])
        assert told(tape) == rows[:kept]
        assert tape.info.torn == (size - ends[kept] if size >= ends[0] else size)
        assert (folder / "000000.raw").read_bytes() == whole[:size]
    for size in (0, 5, ends[0], ends[3] + 1, ends[4], len(whole) - 1):
        folder = tmp_path / f"cut{size}"
        kept = len(told(Tape(folder)))
        recorded(folder, [(START_NS, 1, Kind.FRAME_IN, b"after")])
        assert told(Tape(folder)) == [*rows[:kept], (START_NS, 1, Kind.FRAME_IN, b"after")]
        assert not list(folder.glob("*.raw"))


def test_zeros_that_a_lost_machine_leaves_behind_the_last_record_are_passed_over(tmp_path: Path) -> None:
    whole = open_segment(tmp_path / "whole", rows_of(5))
    (tmp_path / "tape").mkdir()
    (tmp_path / "tape" / "000000.raw").write_bytes(whole + bytes(4_096))
    tape = Tape(tmp_path / "tape")
    assert told(tape) == rows_of(5)
    assert tape.info.torn == 4_096


def found(folder: Path) -> bool:
    """Whether reading all of a tape says that it is damaged, and by its file."""
    try:
        list(Tape(folder).records())
    except TapeError as error:
        return "00000" in str(error)
    return False


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def test_every_flipped_bit_of_a_closed_tape_is_found(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "tape", rows_of(12))
    path = folder / "000000.tape"
    whole = path.read_bytes()
    for at in range(len(whole)):
        flip(path, at, at % 8)
        assert found(folder), at
        path.write_bytes(whole)
    assert not found(folder)


def test_a_flipped_bit_of_an_open_segment_is_found_or_takes_the_last_record_alone(tmp_path: Path) -> None:
    rows = rows_of(12)
    whole = open_segment(tmp_path / "whole", rows)
    folder = tmp_path / "tape"
    folder.mkdir()
    path = folder / "000000.raw"
    last = len(whole) - len(rows[-1][3]) - 4  # the payload, or the checksum it is proven by
    for at in range(len(whole)):
        path.write_bytes(whole)
        flip(path, at, at % 8)
        assert found(folder) == (at < last), at
        if at >= last:
            assert told(Tape(folder)) == rows[:-1]


def test_a_closed_segment_cut_at_any_byte_is_damage(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "tape", rows_of(6))
    path = folder / "000000.tape"
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert found(folder), size


def test_damage_names_the_file_the_place_and_a_way_out_and_nothing_is_touched(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "tape", rows_of(600), segment_bytes=5_000)
    paths = sorted(folder.iterdir())
    flip(paths[1], 150, 3)
    before = {path: path.read_bytes() for path in paths}
    with pytest.raises(TapeDamaged, match=r"000001\.tape: a block is not what was written at byte \d+\. .*copy"):
        list(Tape(folder).records())
    assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == before


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for part in range(3):
        recorded(tmp_path / "three", rows_of(12)[part * 4 : part * 4 + 4])
    return tmp_path / "three"


@pytest.mark.parametrize("number", [0, 1])
def test_a_missing_segment_is_named(three: Path, number: int) -> None:
    (three / f"00000{number}.tape").unlink()
    with pytest.raises(TapeError, match=f"segment 00000{number} is missing"):
        Tape(three)


def test_a_tape_that_was_still_open_at_its_last_closed_segment_misses_the_next(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "tape", segment_s=1) as writer:
        writer.write_many(rows_of(3, step_ns=1_000_000_000))
    (tmp_path / "tape" / "000002.tape").unlink()
    with pytest.raises(TapeError, match="segment 000002 is missing"):
        Tape(tmp_path / "tape")


def test_a_segment_of_another_tape_is_found(three: Path, tmp_path: Path) -> None:
    for part in range(3):
        recorded(tmp_path / "other", rows_of(13)[part * 4 + 1 : part * 4 + 5])
    (three / "000001.tape").write_bytes((tmp_path / "other" / "000001.tape").read_bytes())
    with pytest.raises(TapeError, match="does not follow segment 000000"):
        Tape(three)
    with pytest.raises(TapeError, match="does not follow"):
        TapeWriter(three)


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(TapeError, match=r"no tape but mine\.txt"):
        TapeWriter(tmp_path)
    with pytest.raises(TapeError, match="there is no tape"):
        Tape(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    (tmp_path / "000000.tape").write_text("not a tape at all")
    with pytest.raises(TapeError, match="no segment of a tape"):
        Tape(tmp_path)


def test_a_folder_that_is_not_there_is_no_tape(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="No such file"):
        Tape(tmp_path / "nowhere")


def test_a_second_writer_is_kept_out_until_the_first_has_closed(tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "tape"), pytest.raises(TapeError, match="another process is recording"):
        TapeWriter(tmp_path / "tape")
    TapeWriter(tmp_path / "tape").close()


def full_after(room: int) -> Callable[[int, memoryview], int]:
    """A disk with room for so many bytes."""

    def write(file: int, data: memoryview) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = os.write(file, data[:room])
        room -= done
        return done

    return write


def write_each(writer: TapeWriter, rows: Rows) -> None:
    for row in rows:
        writer.write(*row)
        writer.flush()


@pytest.mark.parametrize("room", [300, 1_000, 2_777])
def test_a_full_disk_ends_the_writing_and_leaves_a_whole_tape(tmp_path: Path, room: int) -> None:
    writer = TapeWriter(tmp_path / "tape", write=full_after(room), segment_bytes=2_000)
    with pytest.raises(TapeError, match="No space left"):
        write_each(writer, rows_of(1_000))
    kept = writer.records
    with pytest.raises(TapeError, match="No space left"):
        writer.write(START_NS, 1, Kind.FRAME_IN, b"late")
    writer.close()
    assert told(Tape(tmp_path / "tape")) == rows_of(1_000)[:kept]
    assert kept > 0
    recorded(tmp_path / "tape", [(START_NS, 1, Kind.FRAME_IN, b"after")])
    assert told(Tape(tmp_path / "tape")) == [*rows_of(1_000)[:kept], (START_NS, 1, Kind.FRAME_IN, b"after")]


def test_of_a_write_that_fails_half_way_the_whole_records_stay(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "tape", write=full_after(1_000))
    with pytest.raises(TapeError, match="No space left"):
        writer.write_many(rows_of(10_000))
    writer.close()
    kept = told(Tape(tmp_path / "tape"))
    assert len(kept) == writer.records > 10
    assert kept == rows_of(10_000)[: len(kept)]
    assert writer.end_ns == kept[-1][0]
    assert (tmp_path / "tape" / "000000.raw").stat().st_size > 1_000 - HEAD_BYTES - 20


def test_a_segment_that_cannot_be_compressed_stays_readable_as_it_is(tmp_path: Path) -> None:
    room = len(open_segment(tmp_path / "whole", rows_of(40)))
    with TapeWriter(tmp_path / "tape", write=full_after(room)) as writer:
        writer.write_many(rows_of(40))
    assert isinstance(writer.closing_failure, OSError)
    assert told(Tape(tmp_path / "tape")) == rows_of(40)
    assert [path.name for path in (tmp_path / "tape").iterdir()] == ["000000.raw"]


def test_records_of_another_tape_keep_their_numbers(tmp_path: Path) -> None:
    source = Tape(recorded(tmp_path / "tape", rows_of(30)))
    with TapeWriter(tmp_path / "copy") as writer:
        writer.copy(record for record in source.records() if record.sequence % 3)
        with pytest.raises(TapeError, match="is there already"):
            writer.copy([TapeRecord(START_NS, 4, 1, Kind.FRAME_IN, b"")])
    assert list(Tape(tmp_path / "copy").records()) == [row for row in source.records() if row.sequence % 3]


def test_blocks_hold_the_same_records_as_the_tape(tmp_path: Path) -> None:
    tape = Tape(recorded(tmp_path / "tape", rows_of(3_000)))
    assert [record for block in tape.blocks() for record in block] == list(tape.records())
    for block in tape.blocks(kinds=(Kind.FRAME_IN,)):
        at = Random(3).randrange(len(block))
        payload = block.data[int(block.offset[at]) : int(block.offset[at] + block.length[at])]
        assert payload == next(iter(block.part(at, at + 1))).payload


_CHILD = """
import sys
from krakenwire.storage.tape_writer import TapeWriter
with TapeWriter(sys.argv[1], segment_bytes=20_000) as writer:
    for at in range(10_000_000):
        writer.write(1_700_000_000_000_000_000 + at, 1, 1, b"%d" % at)
        if at % 100 == 0:
            writer.flush()
            print(at, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_all_that_it_flushed(tmp_path: Path) -> None:
    for turn in range(3):
        folder = tmp_path / f"tape{turn}"
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(folder)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        flushed = [int(child.stdout.readline()) for _ in range(30 + 45 * turn)][-1]
        child.send_signal(signal.SIGKILL)
        flushed = max([flushed, *(int(line) for line in child.stdout.read().splitlines()[:-1])])
        child.wait()
        child.stdout.close()
        payloads = [record.payload for record in Tape(folder).records()]
        assert payloads == [b"%d" % at for at in range(len(payloads))]
        assert len(payloads) > flushed
        recorded(folder, [(START_NS, 1, Kind.FRAME_IN, b"after")])
        assert [record.payload for record in Tape(folder).records()] == [*payloads, b"after"]


def test_a_raw_segment_left_beside_its_closed_form_is_passed_over(tmp_path: Path) -> None:
    raw = open_segment(tmp_path / "tape", rows_of(9))
    (tmp_path / "tape" / "000000.raw").write_bytes(raw)
    assert len(list(Raw(tmp_path / "tape" / "000000.raw").blocks(lambda _: True))) == 1
    assert told(Tape(tmp_path / "tape")) == rows_of(9)

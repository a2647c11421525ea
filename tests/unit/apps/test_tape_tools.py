from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("zstandard")

from krakenwire.apps.tape_tools import cut, merge, report_of
from krakenwire.errors import ConfigError, TapeDamaged, TapeError
from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.marks import Mark, Opened
from krakenwire.tape.record import Kind

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND

Row = tuple[int, int, Kind, bytes]


def opened(second: float, connection: int = 1) -> Row:
    payload = Opened(url="ws://127.0.0.1/v2", version=2, name="public").encode()
    return at(second, payload, connection, Kind.OPENED)


def at(second: float, payload: bytes, connection: int = 1, kind: Kind = Kind.FRAME_IN) -> Row:
    return START_NS + int(second * SECOND), connection, kind, payload


def book(kind: str, symbol: str, number: int) -> bytes:
    return b'{"channel":"book","type":"%b","data":[{"symbol":"%b","n":%d}]}' % (kind.encode(), symbol.encode(), number)


def tape_of(folder: Path, rows: list[Row]) -> Tape:
    with TapeWriter(folder) as writer:
        writer.write_many(rows)
    return Tape(folder)


def payloads(tape: Tape) -> list[bytes]:
    return [record.payload for record in tape.records() if record.kind is Kind.FRAME_IN]


def test_frames_are_counted_by_channel_and_symbol_and_marks_by_name(tmp_path: Path) -> None:
    rows = [
        opened(0),
        at(1, b'{"method":"ping"}', kind=Kind.FRAME_OUT),
        at(1, book("snapshot", "BTC/USD", 1)),
        at(2, book("update", "BTC/USD", 2)),
        at(3, Mark(mark="lost", count=7).encode(), 0, Kind.MARK),
        at(3, Mark(mark="gap").encode(), kind=Kind.MARK),
        at(4, b"{}", kind=Kind.CLOSED),
    ]
    report = report_of(tape_of(tmp_path / "tape", rows))
    assert report.streams == {"book BTC/USD": 2, "sent": 1}
    assert (report.marks, report.lost, report.disconnects) == ({"gap": 1, "lost": 1}, 7, 1)


def test_a_cut_brings_from_before_what_its_books_need_and_keeps_numbers(tmp_path: Path) -> None:
    status, reply = b'{"channel":"status","data":[]}', b'{"method":"subscribe","result":{},"success":true}'
    rows = [
        opened(0, 7),
        at(0, book("snapshot", "DOGE/USD", 0), 7),
        at(0, b"{}", 7, Kind.CLOSED),
        opened(0),
        at(0, status),
        at(0, reply),
        at(1, book("snapshot", "BTC/USD", 1)),
        at(1, book("snapshot", "ETH/USD", 2)),
        at(1, book("update", "BTC/USD", 3)),
        at(2, b'{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD"}]}'),
        at(2, b'{"channel":"heartbeat"}'),
        at(2, book("snapshot", "BTC/USD", 4)),
        at(3, book("update", "ETH/USD", 5)),
        at(5, book("update", "BTC/USD", 6)),
        at(6, book("update", "BTC/USD", 7)),
    ]
    source = tape_of(tmp_path / "tape", rows)
    cut(source, tmp_path / "cut", START_NS + 4 * SECOND, START_NS + 6 * SECOND)
    found = list(Tape(tmp_path / "cut").records())
    assert [record.sequence for record in found] == [3, 4, 5, 7, 11, 12, 13]
    by_number = {record.sequence: record for record in source.records()}
    assert all(by_number[record.sequence] == record for record in found)
    assert Tape(tmp_path / "cut").info.about["cut_from_ns"] == START_NS + 4 * SECOND


def test_a_cut_of_nothing_or_into_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    source = tape_of(tmp_path / "tape", [opened(0), at(1, b"{}")])
    with pytest.raises(ConfigError, match="found nothing"):
        cut(source, tmp_path / "cut", START_NS + 9 * SECOND, START_NS + 10 * SECOND)
    assert not (tmp_path / "cut").exists()
    with pytest.raises(TapeError, match="not empty"):
        cut(source, tmp_path / "tape", START_NS, START_NS + SECOND)


def test_a_cut_of_a_tape_whose_clock_was_put_back_keeps_its_order(tmp_path: Path) -> None:
    rows = [
        opened(100),
        at(101, book("snapshot", "BTC/USD", 1)),
        at(102, b"{}", kind=Kind.CLOSED),
        opened(50, 2),
        at(51, book("snapshot", "BTC/USD", 2), 2),
        at(60, book("update", "BTC/USD", 3), 2),
    ]
    source = tape_of(tmp_path / "tape", rows)
    cut(source, tmp_path / "cut", START_NS + 55 * SECOND, START_NS + 101 * SECOND)
    assert [record.sequence for record in Tape(tmp_path / "cut").records()] == [0, 3, 4, 5]


def test_what_cannot_be_read_to_its_end_leaves_no_part_of_a_tape(tmp_path: Path) -> None:
    chance = random.Random(1)  # bytes that cannot be compressed away
    with TapeWriter(tmp_path / "tape", segment_bytes=2_000) as writer:
        for second in range(40):
            writer.write_many([at(second, chance.randbytes(100))])
    path = tmp_path / "tape" / "000001.tape"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    source = Tape(tmp_path / "tape")
    with pytest.raises(TapeDamaged, match="000001"):
        cut(source, tmp_path / "cut", START_NS, START_NS + 60 * SECOND)
    with pytest.raises(TapeDamaged, match="000001"):
        merge([source], tmp_path / "merged")
    assert [each.name for each in tmp_path.iterdir()] == ["tape"]


def test_tapes_are_merged_by_time_with_their_connections_apart(tmp_path: Path) -> None:
    one = tape_of(tmp_path / "one", [opened(0), at(1, b"a"), at(5, b"d"), at(5, b"x", 0, Kind.MARK)])
    two = tape_of(tmp_path / "two", [opened(1), opened(2, 3), at(3, b"b", 3), at(4, b"c"), at(5, b"e")])
    info = merge([one, two], tmp_path / "both")
    both = Tape(tmp_path / "both")
    assert payloads(both) == [b"a", b"b", b"c", b"d", b"e"]
    connections = [record.connection for record in both.records()]
    assert connections == [1, 1, 3, 5, 5, 3, 1, 0, 3]
    assert [record.sequence for record in both.records()] == list(range(9))
    assert (info.records, info.connections) == (9, 3)


def test_the_same_tape_twice_is_refused_even_from_a_copy(tmp_path: Path) -> None:
    one = tape_of(tmp_path / "one", [opened(0), at(1, b"a")])
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "000000.tape").write_bytes((tmp_path / "one" / "000000.tape").read_bytes())
    for tapes in ([one, one], [one, Tape(tmp_path / "copy")]):
        with pytest.raises(TapeError, match="the same tape"):
            merge(tapes, tmp_path / "both")
    assert not (tmp_path / "both").exists()

"""Whatever is written to a tape, however it is flushed, rolled, cut off and gone on with, it comes back."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("zstandard")

from hypothesis import given, settings
from hypothesis import strategies as st

from krakenwire.storage.tape_reader import Tape
from krakenwire.storage.tape_writer import TapeWriter
from krakenwire.tape.record import HEAD_BYTES, Kind, Scan, encode
from krakenwire.tape.redact import redacted

ROW = st.tuples(
    st.integers(-(2**62), 2**62),
    st.integers(0, 2**32 - 1),
    st.sampled_from([Kind.FRAME_IN, Kind.FRAME_OUT, Kind.CLOSED, Kind.MARK]),
    st.binary(max_size=60),
)
PARTS = st.lists(st.lists(ROW, max_size=8), max_size=4)


@settings(max_examples=20, deadline=None)
@given(PARTS, st.integers(60, 400))
def test_a_tape_written_in_parts_is_read_whole(parts: list[list[tuple[int, int, Kind, bytes]]], size: int) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        for part in parts:
            with TapeWriter(folder, segment_bytes=size) as writer:
                for row in part:
                    writer.write(*row)
        rows = [row for part in parts for row in part]
        if parts:
            found = list(Tape(folder).records())
            assert [tuple(record)[:1] + tuple(record)[2:] for record in found] == rows
            assert [record.sequence for record in found] == list(range(len(rows)))
    finally:
        shutil.rmtree(folder)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, max_size=6), st.data())
def test_records_cut_anywhere_are_a_prefix_and_never_damage(
    rows: list[tuple[int, int, Kind, bytes]], data: st.DataObject
) -> None:
    parts, _ = encode(((at, n, connection, kind, text) for n, (at, connection, kind, text) in enumerate(rows)), 7)
    whole = b"".join(parts)
    cut = data.draw(st.integers(0, len(whole)))
    scan = Scan(whole[:cut], 0, 7)
    found = [(at, connection, kind, whole[start : start + size]) for at, _, connection, kind, start, size in scan]
    assert found == rows[: len(found)]
    assert scan.damage is None
    assert 0 <= cut - scan.end < HEAD_BYTES + 60


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b'{"token":"%b"}', b'["%b",{"api-key":"%b"}]', b"%b"]))
def test_redaction_takes_any_bytes(text: bytes, shape: bytes) -> None:
    redacted(shape.replace(b"%b", text))

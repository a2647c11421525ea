"""A tape that is made of something else is there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("zstandard")

from krakenwire.errors import TapeError
from krakenwire.storage.new_tape import NewTape
from krakenwire.storage.tape_reader import Tape
from krakenwire.tape.record import Kind


@pytest.mark.parametrize("there", [False, True])
def test_it_comes_into_its_place_when_it_is_whole(tmp_path: Path, there: bool) -> None:
    out = tmp_path / "parent" / "tape"
    if there:
        out.mkdir(parents=True)
    with NewTape(out).written({"made": "of this"}) as writer:
        writer.write(1, 1, Kind.FRAME_IN, b"{}")
        assert not (out / "000000.raw").exists()
    assert Tape(out).info.about == {"made": "of this"}
    assert [path.name for path in out.parent.iterdir()] == ["tape"]


def make(out: Path, ending: type[BaseException]) -> None:
    with NewTape(out).written({}) as writer:
        writer.write(1, 1, Kind.FRAME_IN, b"{}")
        raise ending


@pytest.mark.parametrize("ending", [KeyboardInterrupt, ValueError])
def test_whatever_ends_the_making_leaves_nothing(tmp_path: Path, ending: type[BaseException]) -> None:
    with pytest.raises(ending):
        make(tmp_path / "tape", ending)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "note").write_text("mine")
    for name, reason in (("file", "a file in its place"), ("folder", "not empty"), ("file/tape", "is a file")):
        with pytest.raises(TapeError, match=reason), NewTape(tmp_path / name).written({}):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_what_has_come_into_its_place_meanwhile_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "tape"
    making = NewTape(out).written({})
    making.__enter__().write(1, 1, Kind.FRAME_IN, b"{}")
    out.mkdir()
    (out / "note").write_text("theirs")
    with pytest.raises(TapeError, match="not empty"):
        making.__exit__(None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["tape"]
    assert (out / "note").read_text() == "theirs"

"""Reading frames from a file: lines, bounds, and files that are none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from krakenwire.errors import ConfigError
from krakenwire.storage import FrameFile


def read(path: Path, **options: int) -> list[tuple[int, bytes]]:
    with FrameFile(path, **options) as file:
        return [tuple(line) for line in file]


def test_lines_are_numbered_from_one_and_stripped(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n  two \nthree")
    assert read(path) == [(1, b"one"), (2, b""), (3, b"two"), (4, b"three")]


def test_a_gzip_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert read(path) == [(1, b"one"), (2, b"two")]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    assert read(path) == []


def test_a_line_of_the_limit_passes_and_one_byte_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"short\n" + b"x" * 10 + b"\n")
    assert read(path, line_bytes_max=10) == [(1, b"short"), (2, b"x" * 10)]
    with pytest.raises(ConfigError, match=r"line 2.*more than 9 bytes"):
        read(path, line_bytes_max=9)


def test_the_share_read_grows_to_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 99 + b"\n")
    with FrameFile(path) as file:
        assert file.read_share == 0.0
        assert len(list(file)) == 1
        assert file.read_share == 1.0


def test_a_gzip_file_that_ends_early_is_an_error_after_its_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(gzip.compress(b"".join(b"%d\n" % n for n in range(9_999)))[:-9])
    with FrameFile(path) as file, pytest.raises(ConfigError, match="gzip"):
        list(file)

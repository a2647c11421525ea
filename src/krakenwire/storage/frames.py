"""Reads a file of one raw text frame per line, plain or gzip.

Streams: a file of any size costs the memory of one line, and a line has a
bound. Says nothing about what a frame means; see `krakenwire.apps.verify`.
"""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple, Protocol, Self

from krakenwire.errors import ConfigError
from krakenwire.limits import FRAME_BYTES_MAX

__all__ = ["FrameFile", "FrameLine"]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_SHAPE: Final = "a text file with one frame a line, plain or gzip"


class FrameLine(NamedTuple):
    """One line: its number, counted from 1, and its text without blanks around it."""

    number: int
    text: bytes


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


class FrameFile:
    """A file of frames, open for reading. A context manager and an iterator of `FrameLine`.

    Args:
        path: the file, or ``-`` for standard input.
        line_bytes_max: longer lines are refused.
        shape: what the file should be, for errors.

    Raises:
        ConfigError: it cannot be read, or is not such a file; also while iterating.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, line_bytes_max: int = FRAME_BYTES_MAX, shape: str = _SHAPE
    ) -> None:
        self.path, self._shape = os.fspath(path), shape
        self._line_bytes_max = line_bytes_max
        try:
            # Closed by `close`: the object is itself the context manager.
            self._file: IO[bytes] = sys.stdin.buffer if self.path == "-" else Path(self.path).open("rb")  # noqa: SIM115
            start = self._peek(self._file)
        except OSError as error:
            raise self._unreadable(error) from error
        self._lines: _Lines = self._file
        if start.startswith(_GZIP_MAGIC):
            self._lines = gzip.GzipFile(fileobj=self._file)
        elif b"\0" in start:
            self.close()
            raise ConfigError(self.path, expected=self._shape, found="binary data")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[FrameLine]:
        number = 0
        while line := self._readline():
            number += 1
            if len(line.rstrip(b"\r\n")) > self._line_bytes_max:
                what = f"{self.path}, line {number}"
                raise ConfigError(
                    what, expected=self._shape, found=f"more than {self._line_bytes_max} bytes in one line"
                )
            yield FrameLine(number, line.removeprefix(_BOM).strip() if number == 1 else line.strip())

    @property
    def read_share(self) -> float | None:
        """How much of the file has been read, 0 to 1; None where the size is not known."""
        try:
            size = os.fstat(self._file.fileno()).st_size
            return min(1.0, self._file.tell() / size) if size else None
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Close the file, but not standard input."""
        if self.path != "-":
            self._file.close()

    def _peek(self, file: IO[bytes]) -> bytes:
        peek = getattr(file, "peek", None)
        return b"" if peek is None else peek(4096)[:4096]

    def _readline(self) -> bytes:
        try:
            return self._lines.readline(self._line_bytes_max + 2)
        except (OSError, EOFError, zlib.error) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> ConfigError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return ConfigError(self.path, expected=self._shape, found=reason)

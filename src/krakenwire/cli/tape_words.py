"""What the commands about tapes share: sizes, times, how far they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from krakenwire.errors import ConfigError, DecodeError
from krakenwire.model.times import ns_from_rfc3339
from krakenwire.watch.values import duration_from

if TYPE_CHECKING:
    from krakenwire.storage.tape_reader import TapeInfo

__all__ = ["bytes_text", "progress_line", "time_on"]

_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def bytes_text(count: int) -> str:
    """Return a size for people, such as ``1.4 MB``."""
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{count} B" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"


def time_on(info: TapeInfo, flag: str, text: str) -> int:
    """Return the time that a flag means: RFC 3339, or a duration since the tape's beginning.

    Raises:
        ConfigError: it is neither.
    """
    try:
        return ns_from_rfc3339(text)
    except DecodeError:
        pass
    try:
        return info.start_ns + duration_from(flag, text.removeprefix("+"), zero=True)
    except ConfigError:
        expected = "a time such as 2026-11-28T10:00:00Z, or a duration since the beginning such as 90 or 5m"
        raise ConfigError(flag, expected=expected, found=text) from None


@contextmanager
def progress_line() -> Iterator[Callable[[int, int], None] | None]:
    """Show how far something is on a terminal, None where there is none."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield _show
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _show(done: int, total: int) -> None:
    print(f"\r\x1b[K{done:,} records, {done / max(total, 1):.0%}", end="", file=sys.stderr, flush=True)

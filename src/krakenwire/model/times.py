"""Time on the wire to nanoseconds since 1970 UTC, and back.

v2 writes RFC 3339 with 0 to 9 digits, v1 writes Unix seconds with 6 digits.
Inside there is one form: an integer count of nanoseconds.
"""

from __future__ import annotations

import calendar
import re
import time
from functools import lru_cache

from krakenwire.errors import DecodeError

__all__ = ["ns_from_rfc3339", "ns_from_unix_text", "rfc3339_from_ns", "unix_text_from_ns"]

_SECOND = 1_000_000_000
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)
_UNIX = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?", re.ASCII)


@lru_cache(maxsize=4096)
def _seconds(text: str) -> int:
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        raise DecodeError("not a time", text) from None


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def ns_from_rfc3339(text: str) -> int:
    """Return nanoseconds of ``2026-08-01T02:53:53.398143Z`` (0 to 9 digits).

    Raises:
        DecodeError: not such a text.
    """
    if len(text) == 27 and text[19] == "." and text[26] == "Z":
        digits = text[20:26]
        if digits.isdecimal() and digits.isascii():
            return _seconds(text[:19]) * _SECOND + int(digits) * 1000
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise DecodeError("not an RFC 3339 time in UTC", text)
    return _seconds(match[1]) * _SECOND + int((match[2] or "0").ljust(9, "0"))


def rfc3339_from_ns(ns: int, digits: int = 6) -> str:
    """Return RFC 3339 text with 0, 3, 6 or 9 fraction digits, cut, not rounded."""
    seconds, fraction = divmod(ns, _SECOND)
    text = _second_text(seconds)
    return f"{text}.{fraction:09d}"[: len(text) + 1 + digits] + "Z" if digits else text + "Z"


def ns_from_unix_text(text: str) -> int:
    """Return nanoseconds of Unix seconds such as ``1618678150.826417``.

    Raises:
        DecodeError: not such a text.
    """
    match = _UNIX.fullmatch(text)
    if match is None:
        raise DecodeError("not Unix seconds", text)
    return int(match[1]) * _SECOND + int((match[2] or "0").ljust(9, "0"))


def unix_text_from_ns(ns: int, digits: int = 6) -> str:
    """Return Unix seconds with a fixed number of fraction digits, cut, not rounded."""
    seconds, fraction = divmod(ns, _SECOND)
    return f"{seconds}.{fraction:09d}"[: len(str(seconds)) + 1 + digits]

"""The generator's frames in other shapes: other member order, members nobody knows, version 1.

Numbers keep their text, so that every checksum still holds. Next: `offline`,
which feeds them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

__all__ = ["book_only", "extra_members", "reversed_members", "sorted_members", "v1_book"]


class _Number(str):
    """A number as the wire spells it."""

    __slots__ = ()


def book_only(frames: list[bytes]) -> list[bytes]:
    """Return the book messages."""
    return [frame for frame in frames if frame.startswith(b'{"channel":"book"')]


def sorted_members(frame: bytes) -> bytes:
    """Return a frame with the members of every object in the order of their names."""
    return _text(_ordered(_parsed(frame), sorted)).encode()


def reversed_members(frame: bytes) -> bytes:
    """Return a frame with the members of every object backwards, the channel last."""
    return _text(_ordered(_parsed(frame), lambda names: names[::-1])).encode()


def extra_members(frame: bytes) -> bytes:
    """Return a frame with an unknown member of plain value in the envelope and in its row."""
    message = _parsed(frame)
    message["origin"] = "matching"
    message["data"] = [{**row, "sequence": _Number(str(len(frame)))} for row in message["data"]]
    return _text(message).encode()


def v1_book(frame: bytes) -> bytes:
    """Return a v2 book message as version 1 says it; a changed level's time is the message's."""
    message = _parsed(frame)
    row = message["data"][0]
    time = datetime.fromisoformat(row["timestamp"])
    stamp = f"{int(time.timestamp())}.{time.microsecond:06d}"
    names = ("as", "bs") if message["type"] == "snapshot" else ("a", "b")
    sides = ((name, row[side]) for name, side in zip(names, ("asks", "bids"), strict=True))
    bodies: list[dict[str, Any]]
    bodies = [{name: [_v1_level(level, stamp) for level in levels]} for name, levels in sides if levels]
    if message["type"] == "snapshot":
        bodies = [bodies[0] | bodies[1]]
    else:
        bodies[-1]["c"] = str(row["checksum"])
    symbol = row["symbol"].replace("BTC", "XBT").replace("DOGE", "XDG")
    depth = 10
    return json.dumps([336, *bodies, f"book-{depth}", symbol], separators=(",", ":")).encode()


def _v1_level(level: dict[str, Any], stamp: str) -> list[str]:
    return [str(level["price"]), str(level["qty"]), stamp]


def _parsed(frame: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(frame, parse_float=_Number, parse_int=_Number)
    return message


def _ordered(value: Any, order: Callable[[list[str]], list[str]]) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name], order) for name in order(list(value))}
    if isinstance(value, list):
        return [_ordered(item, order) for item in value]
    return value


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f'"{name}":{_text(item)}' for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return value if isinstance(value, _Number) else json.dumps(value)

"""What the records say that are not frames: a connection's ends, and remarks about quality.

They are JSON objects, so that a tape can be read without this package.
Next: `record`, which they are the payload of.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from krakenwire.errors import DecodeError

__all__ = ["Closed", "Mark", "MarkName", "Opened", "closed_from", "mark_from", "opened_from"]

MarkName = Literal[
    "gap", "resynced", "silence", "checksum", "refused", "redacted", "lost", "stopped", "imported", "cut", "merged"
]


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A connection is open.

    Args:
        url: its address.
        version: of the API, 1 or 2.
        name: ``public``, ``private`` or ``level3``.
    """

    url: str
    version: Literal[1, 2]
    name: str

    def encode(self) -> bytes:
        """Return the payload of its record."""
        return msgspec.json.encode(self)


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """A connection is gone.

    Args:
        reason: in a few words, empty when we closed it.
        code: the WebSocket close code, the venue's or ours; 1006 where there was none, None where it is not known.
    """

    reason: str = ""
    code: int | None = None

    def encode(self) -> bytes:
        """Return the payload of its record."""
        return msgspec.json.encode(self)


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A remark about quality.

    Args:
        mark: which one. ``lost``: frames came and could not be written; ``redacted``: the frame before it is
            without its secret; ``cut`` and ``merged``: the tape was made from others.
        symbol: which instrument it concerns, None for all of the connection.
        channel: which channel.
        reason: in a few words.
        count: frames lost, seconds of silence.
        from_ns: first time concerned.
        to_ns: last time concerned.
    """

    mark: MarkName
    symbol: str | None = None
    channel: str | None = None
    reason: str = ""
    count: int = 0
    from_ns: int | None = None
    to_ns: int | None = None

    def encode(self) -> bytes:
        """Return the payload of its record."""
        return msgspec.json.encode(self)


_ValueT = TypeVar("_ValueT")

_OPENED = msgspec.json.Decoder(Opened)
_CLOSED = msgspec.json.Decoder(Closed)
_MARK = msgspec.json.Decoder(Mark)


def opened_from(payload: bytes) -> Opened:
    """Return what an `OPENED` record says. Raises: DecodeError: it is not such a payload."""
    return _decoded(_OPENED, payload)


def closed_from(payload: bytes) -> Closed:
    """Return what a `CLOSED` record says. Raises: DecodeError: it is not such a payload."""
    return _decoded(_CLOSED, payload)


def mark_from(payload: bytes) -> Mark:
    """Return what a `MARK` record says. Raises: DecodeError: it is not such a payload."""
    return _decoded(_MARK, payload)


def _decoded(decoder: msgspec.json.Decoder[_ValueT], payload: bytes) -> _ValueT:
    try:
        return decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise DecodeError(str(error), payload) from error

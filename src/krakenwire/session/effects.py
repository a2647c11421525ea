"""What a session asks its driver to do. The driver does it in order, and reports back with `feed_*`."""

from __future__ import annotations

import msgspec

__all__ = ["Close", "Effect", "FetchToken", "Open", "Send"]


class Open(msgspec.Struct, frozen=True):
    """Open a connection; report `feed_opened`, or `feed_closed` with the error within `timeout_s`."""

    url: str
    timeout_s: float


class Send(msgspec.Struct, frozen=True):
    """Send one text frame."""

    frame: str


class Close(msgspec.Struct, frozen=True):
    """Close the connection, or give up opening it; report `feed_closed` when it is gone."""

    code: int
    reason: str


class FetchToken(msgspec.Struct, frozen=True):
    """Get another token for the open connection; report `token_fetched`."""


Effect = Open | Send | Close | FetchToken

"""What a session asks its driver to do. The driver does it in order, and reports back with `feed_*`."""

from __future__ import annotations

import msgspec

from krakenwire.session.lookup import Missing

__all__ = ["Close", "Effect", "FetchToken", "LookUp", "Open", "Send"]


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


class LookUp(msgspec.Struct, frozen=True):
    """Ask REST what has become of orders and fills; report `looked_up`, also after the connection is gone."""

    missing: Missing


Effect = Open | Send | Close | FetchToken | LookUp

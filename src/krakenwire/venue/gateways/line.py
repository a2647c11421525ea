"""What holds for one connection whatever it speaks: its address, how fast it may ask, how long it may be idle.

`LineRules` goes in when a gateway is made, `LineFacts` comes out for whoever
runs the venue. The rhythm itself is in `pulse.py`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from krakenwire.limits import VENUE_IDLE_CLOSE_S
from krakenwire.model.rates import RateLimit
from krakenwire.venue.gateways.hosts import Host

__all__ = ["LineFacts", "LineRules"]

_IDLE_NS: Final = int(VENUE_IDLE_CLOSE_S * 1_000_000_000)


class LineRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a connection.

    Args:
        host: which address the client came to.
        message_rate: how many messages it may send; None for as many as it likes.
        idle_close_ns: when it is closed with nothing subscribed and nothing asked; None for never.
    """

    host: Host = "any"
    message_rate: RateLimit | None = None
    idle_close_ns: int | None = _IDLE_NS


class LineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as whoever runs the venue sees it; no token is in it.

    Args:
        connection_id: as it was told to the client.
        version: the API version it speaks.
        host: which address it came to.
        subscriptions: what it follows, as ``book BTC/USD 10``.
        accounts: whose tokens it has used.
    """

    connection_id: int
    version: int
    host: Host
    subscriptions: tuple[str, ...]
    accounts: tuple[str, ...]

"""What a codec hands to a session when something is to be said to the venue.

A request is text ready to be sent plus what the session needs to match the
replies: its `req_id` and the subscriptions it covers. Read `protocol.v2.client`
and `protocol.v1.client` next; both make the same values.
"""

from __future__ import annotations

import msgspec

from krakenwire.model import Subscription

__all__ = ["Request"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request frame, and the subscriptions whose replies it will cause.

    Args:
        req_id: the number every reply to it repeats.
        frame: JSON text, ready to send.
        subscriptions: one reply is due for each of them, in this order.
    """

    req_id: int
    frame: str
    subscriptions: tuple[Subscription, ...] = ()

"""Events about the feed itself: replies, liveness, gaps - what a log would hide.

The codecs produce the first group from frames; the session adds the second
group from what it observes. All are immutable and have `channel` and `symbol`
like market data, so one loop can receive everything.
"""

from __future__ import annotations

import msgspec

from krakenwire.errors import KrakenwireError
from krakenwire.model.subscription import Subscription

__all__ = [
    "ChecksumFailed",
    "Connected",
    "Disconnected",
    "Gap",
    "Heartbeat",
    "Latency",
    "Malformed",
    "Pong",
    "RawFrame",
    "Refused",
    "Resynced",
    "Status",
    "Subscribed",
    "SwitchFired",
    "Unknown",
    "Unsubscribed",
]


# -- decoded from frames -----------------------------------------------------


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's trading mode: ``online``, ``post_only``, ``cancel_only``, ``maintenance``, ``limit_only``."""

    channel = "status"
    symbol = None

    system: str
    version: str | None = None
    api_version: str | None = None
    connection_id: int | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """The venue is alive: about one a second once something is subscribed."""

    channel = "heartbeat"
    symbol = None


class Pong(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to our ping."""

    channel = "pong"
    symbol = None

    req_id: int | None = None
    time_in_ns: int | None = None
    time_out_ns: int | None = None


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """The venue confirmed one subscription, with the parameters in force.

    Args:
        maxratecount: of `executions` and v1's `openOrders`, the threshold of the account's trading counter.
    """

    channel = "subscribed"

    subscription: Subscription
    req_id: int | None = None
    warnings: tuple[str, ...] = ()
    maxratecount: int | None = None

    @property
    def symbol(self) -> str | None:
        """The subscription's symbol."""
        return self.subscription.symbol


class Unsubscribed(msgspec.Struct, frozen=True, kw_only=True):
    """The venue confirmed the end of one subscription."""

    channel = "unsubscribed"

    subscription: Subscription
    req_id: int | None = None

    @property
    def symbol(self) -> str | None:
        """The subscription's symbol."""
        return self.subscription.symbol


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The venue refused a request, or one symbol of it.

    Args:
        method: ``subscribe``, ``unsubscribe``, ``ping``, or what the reply says.
        error: the venue's text, unchanged.
        symbol: v2 spelling where we can tell it, else as the venue wrote it.
        channel_name: the channel concerned, where the reply names it or the session can tell.
        interval: candle minutes, where the session can tell.
    """

    channel = "refused"

    method: str
    error: str
    symbol: str | None = None
    req_id: int | None = None
    channel_name: str | None = None
    hint: str = ""
    interval: int | None = None


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """A well-formed frame of a channel or method we do not know: counted, passed over."""

    channel = "unknown"
    symbol = None

    what: str
    frame: str


class RawFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame exactly as it came, for consumers that asked for it."""

    channel = "raw"
    symbol = None

    frame: str
    received_ns: int


# -- observed by the session ---------------------------------------------------


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """A connection is open; everything wanted is being subscribed."""

    channel = "connected"
    symbol = None

    url: str
    attempt: int


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    """A connection ended. `retry_in_s` is None when no further attempt will be made."""

    channel = "disconnected"
    symbol = None

    url: str
    error: KrakenwireError | None
    retry_in_s: float | None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Something may have been missed on this subscription between two times.

    Args:
        channel_name, symbol, interval: the subscription concerned.
        reason: ``disconnected``, ``silence``, ``checksum``, ``malformed``, ``slow consumer``,
            ``trade ids``, ``sequence``, ``snapshot timeout``.
        since_ns: last moment known to be complete, same clock as the session's.
        dropped: events dropped, where that is known.
    """

    channel = "gap"

    channel_name: str
    symbol: str | None
    reason: str
    interval: int | None = None
    since_ns: int | None = None
    dropped: int = 0


class Resynced(msgspec.Struct, frozen=True, kw_only=True):
    """The subscription is complete again after a `Gap`."""

    channel = "resynced"

    channel_name: str
    symbol: str | None
    interval: int | None = None
    down_ns: int = 0


class ChecksumFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A book did not match its checksum: it is not live until its next snapshot."""

    channel = "checksum_failed"

    symbol: str
    expected: int
    found: int
    channel_name: str = "book"


class Malformed(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that could not be decoded; the connection is being renewed."""

    channel = "malformed"
    symbol = None

    error: KrakenwireError


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Round trip of our ping."""

    channel = "latency"
    symbol = None

    round_trip_ns: int


class SwitchFired(msgspec.Struct, frozen=True, kw_only=True):
    """The dead man's switch was not renewed in time: the venue has canceled every order of the account.

    Args:
        fired_ns: when, by our clock; None when that is not known.
    """

    channel = "switch_fired"
    symbol = None

    fired_ns: int | None

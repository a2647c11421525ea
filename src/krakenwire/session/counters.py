"""What a session counted: nothing is lost, renewed or passed over without showing here."""

from __future__ import annotations

import msgspec

__all__ = ["SessionCounters"]


class SessionCounters(msgspec.Struct, kw_only=True):
    """Totals since the session was made.

    Args:
        frames, bytes: received on open connections; bytes of text frames count as characters.
        events: handed out.
        attempts: connections tried; `reconnects`: those opened after the first.
        gaps: `Gap` events; `resyncs`: subscriptions renewed for their own faults.
        checksum_failures: books that did not match; `refused`: refusals; `malformed`: undecodable frames.
        unknown: frames of channels or methods we do not know.
        unwanted: events of subscriptions nobody wants (any more).
        duplicates: trades that came a second time.
        silence: silent connections and silent subscriptions.
        pings: sent; `replies_late`: replies that nothing waited for.
        frames_ignored: frames that came while no connection was open.
    """

    frames: int = 0
    bytes: int = 0
    events: int = 0
    attempts: int = 0
    reconnects: int = 0
    gaps: int = 0
    resyncs: int = 0
    checksum_failures: int = 0
    refused: int = 0
    malformed: int = 0
    unknown: int = 0
    unwanted: int = 0
    duplicates: int = 0
    silence: int = 0
    pings: int = 0
    replies_late: int = 0
    frames_ignored: int = 0

"""The clock of one connection to the local Kraken: when to send a heartbeat, when to give up an idle client.

Both API versions keep it the same way and differ in when the first beat is.
Source: v1 reference, section 4; v2 reference, section 3.
"""

from __future__ import annotations

from typing import Final

from krakenwire.limits import HEARTBEAT_S, VENUE_IDLE_CLOSE_S

__all__ = ["HEARTBEAT_NS", "Pulse"]

HEARTBEAT_NS: Final = int(HEARTBEAT_S * 1_000_000_000)
_IDLE_NS: Final = int(VENUE_IDLE_CLOSE_S * 1_000_000_000)


class Pulse:
    """Beats while something is subscribed; counts the silence of the client while nothing is.

    Attributes:
        should_close: why the connection is to be ended, None while it is not.
    """

    def __init__(self) -> None:
        self.should_close: str | None = None
        self._heard_ns = 0
        self._beat_ns: int | None = None

    def hear(self, now_ns: int) -> None:
        """Take note that the client opened the connection or sent something."""
        self._heard_ns = now_ns

    def beat_from(self, first_ns: int) -> None:
        """Start with a beat at `first_ns`, or go on in the rhythm there is."""
        if self._beat_ns is None:
            self._beat_ns = first_ns

    def rest(self) -> None:
        """Stop beating."""
        self._beat_ns = None

    def poll(self, now_ns: int) -> bool:
        """Return whether a heartbeat is due; a late caller skips beats, the rhythm stays."""
        due_ns = self._beat_ns
        if due_ns is None:
            if now_ns >= self._heard_ns + _IDLE_NS:
                self.should_close = f"nothing subscribed and no request for {VENUE_IDLE_CLOSE_S:g} s"
            return False
        if now_ns < due_ns:
            return False
        self._beat_ns = due_ns + ((now_ns - due_ns) // HEARTBEAT_NS + 1) * HEARTBEAT_NS
        return True

    def next_deadline_ns(self) -> int:
        """Return when `poll` wants to be called next."""
        return self._heard_ns + _IDLE_NS if self._beat_ns is None else self._beat_ns

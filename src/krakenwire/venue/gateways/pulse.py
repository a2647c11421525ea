"""The clock of one connection to the local Kraken: when to send a heartbeat, when to give up an idle client.

Both API versions keep it the same way and differ in when the first beat is.
Its times are those of the line, not of the venue: a client lives in real time
even where the venue's clock stands still. Source: v1 reference, section 4; v2
reference, section 3.
"""

from __future__ import annotations

from typing import Final

from krakenwire.limits import HEARTBEAT_S
from krakenwire.venue.gateways.line import LineRules

__all__ = ["HEARTBEAT_NS", "Pulse"]

HEARTBEAT_NS: Final = int(HEARTBEAT_S * 1_000_000_000)
_NEVER_NS: Final = 1 << 62


class Pulse:
    """Beats while something is subscribed; counts the silence of the client while nothing is.

    Args:
        idle_ns: how long a silence is too long; None for never.

    Attributes:
        should_close: why the connection is to be ended, None while it is not.
        heard_ns: when the client opened the connection or last sent something.
    """

    def __init__(self, idle_ns: int | None = LineRules().idle_close_ns) -> None:
        self.should_close: str | None = None
        self.heard_ns = 0
        self._idle_ns = idle_ns
        self._beat_ns: int | None = None

    def hear(self, now_ns: int) -> None:
        """Take note that the client opened the connection or sent something."""
        self.heard_ns = now_ns

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
            if self._idle_ns is not None and now_ns >= self.heard_ns + self._idle_ns:
                self.should_close = f"nothing subscribed and no request for {self._idle_ns / 1_000_000_000:g} s"
            return False
        if now_ns < due_ns:
            return False
        self._beat_ns = due_ns + ((now_ns - due_ns) // HEARTBEAT_NS + 1) * HEARTBEAT_NS
        return True

    def next_deadline_ns(self) -> int:
        """Return when `poll` wants to be called next."""
        if self._beat_ns is not None:
            return self._beat_ns
        return _NEVER_NS if self._idle_ns is None else self.heard_ns + self._idle_ns

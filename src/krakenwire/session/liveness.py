"""Is the other side still there: silence of the whole connection, pings, round trips.

Heartbeats come each second once something is subscribed, so silence is proof
enough then; before that only an unanswered ping is. Source: v2 reference, section 3.
"""

from __future__ import annotations

from typing import Literal

from krakenwire.session.config import SessionConfig

__all__ = ["Liveness", "Verdict"]

Verdict = Literal["dead", "ping"]

_SECOND = 1_000_000_000
_PINGS_KEPT = 16


class Liveness:
    """What is known about one connection's life.

    Attributes:
        heard_ns: when the last frame came; the session writes it for each frame.
        round_trip_ns: of the last answered ping, None before.
    """

    def __init__(self, config: SessionConfig) -> None:
        self._silence_ns = int(config.silence_s * _SECOND)
        self._probe_ns = self._silence_ns // 2
        self._interval_ns = None if config.ping_interval_s is None else int(config.ping_interval_s * _SECOND)
        self.heard_ns = 0
        self.round_trip_ns: int | None = None
        self._pinged_ns = 0
        self._unanswered_ns = 0
        self._subscribed_ns: int | None = None
        self._waiting: dict[int, int] = {}

    def opened(self, now_ns: int) -> None:
        """A new connection: forget the old one's pings."""
        self.heard_ns = self._pinged_ns = self._unanswered_ns = now_ns
        self._subscribed_ns = None
        self._waiting.clear()

    def expect_heartbeats(self, now_ns: int, due: bool) -> None:
        """Note whether something is subscribed, so that heartbeats are due from now on."""
        if not due:
            self._subscribed_ns = None
        elif self._subscribed_ns is None:
            self._subscribed_ns = now_ns

    def held(self, held_ns: int, now_ns: int) -> None:
        """We did not read for `held_ns`, to `now_ns`: that silence was our own."""
        self.heard_ns = min(self.heard_ns + held_ns, now_ns)
        if self._subscribed_ns is not None:
            self._subscribed_ns = min(self._subscribed_ns + held_ns, now_ns)

    def pinged(self, req_id: int, now_ns: int) -> None:
        """Note a ping that is being sent."""
        if self._unanswered_ns <= self.heard_ns:
            self._unanswered_ns = now_ns
        self._pinged_ns = now_ns
        self._waiting[req_id] = now_ns
        if len(self._waiting) > _PINGS_KEPT:
            del self._waiting[next(iter(self._waiting))]

    def pong(self, req_id: int | None, now_ns: int) -> int | None:
        """Return the round trip of the ping that was answered, None for a foreign pong."""
        sent_ns = None if req_id is None else self._waiting.pop(req_id, None)
        if sent_ns is None:
            return None
        self.round_trip_ns = now_ns - sent_ns
        return self.round_trip_ns

    def check(self, now_ns: int) -> Verdict | None:
        """Return what to do now: end the connection, send a ping, or nothing."""
        dead_at = self._dead_at_ns()
        if dead_at is not None and now_ns >= dead_at:
            return "dead"
        ping_at = self._ping_at_ns()
        return "ping" if ping_at is not None and now_ns >= ping_at else None

    def deadline_ns(self) -> int | None:
        """Return when to `check` again, None when nothing is due."""
        times = [at for at in (self._ping_at_ns(), self._dead_at_ns()) if at is not None]
        return min(times, default=None)

    def _quiet_since_ns(self) -> int | None:
        """Since when a frame is due: heartbeats once subscribed, else the answer to a ping."""
        if self._subscribed_ns is not None:
            return max(self.heard_ns, self._subscribed_ns)
        return self._unanswered_ns if self._unanswered_ns > self.heard_ns else None

    def _dead_at_ns(self) -> int | None:
        since_ns = self._quiet_since_ns()
        return None if since_ns is None else since_ns + self._silence_ns

    def _ping_at_ns(self) -> int | None:
        """When the next ping is due: the regular one, or a probe of a connection gone quiet."""
        since_ns = self._quiet_since_ns()
        probe = None if since_ns is None or self._unanswered_ns > self.heard_ns else since_ns + self._probe_ns
        if self._interval_ns is None:
            return probe
        regular = self._pinged_ns + self._interval_ns
        return regular if probe is None else min(probe, regular)

"""When a record of a tape is due: at its recorded distance, faster or slower, long pauses shortened.

Takes and gives nanoseconds; reads no clock. Used by `krakenwire.server.player`.
"""

from __future__ import annotations

from krakenwire.errors import UsageError
from krakenwire.limits import PLAYER_SPEED_MAX

__all__ = ["Pace", "speed_from"]

_EXPECTED = f"a number above 0 and at most {PLAYER_SPEED_MAX}, or max"


def speed_from(text: str | float) -> float:
    """Return a speed that was written; 0 stands for as fast as possible.

    Args:
        text: how many times faster than it was, ``0`` or ``max`` for as fast as clients read.

    Raises:
        UsageError: no such speed.
    """
    try:
        speed = 0.0 if text == "max" else float(text)
    except ValueError:
        raise UsageError("speed", expected=_EXPECTED, found=text) from None
    if not 0 <= speed <= PLAYER_SPEED_MAX:
        raise UsageError("speed", expected=_EXPECTED, found=text)
    return speed


class Pace:
    """The clock of a tape that plays.

    Args:
        speed: how many times faster than recorded; 0 for no waiting at all.
        max_pause_ns: longer pauses between two records take so long only, in the tape's own time; None for any.

    Attributes:
        shortened: pauses shortened so far.
        shortened_ns: of the tape's time, left out by that.
    """

    def __init__(self, speed: float, max_pause_ns: int | None = None) -> None:
        self.speed, self._max_pause_ns = speed, max_pause_ns
        self.shortened = self.shortened_ns = 0
        self._start_ns = self._origin_ns = self._latest_ns = 0

    def start(self, tape_ns: int, now_ns: int) -> None:
        """Begin, or begin again: a record of this time is due now."""
        self._origin_ns = self._latest_ns = tape_ns
        self._start_ns = now_ns
        self.shortened_ns = 0

    def due_ns(self, tape_ns: int) -> int:
        """Return when the next record is due, in the time that `start` was told; one without a pace at once."""
        if not self.speed:
            return self._start_ns
        pause_ns = tape_ns - self._latest_ns
        self._latest_ns = max(tape_ns, self._latest_ns)
        if self._max_pause_ns is not None and pause_ns > self._max_pause_ns:
            self.shortened += 1
            self.shortened_ns += pause_ns - self._max_pause_ns
        return self._start_ns + int((self._latest_ns - self._origin_ns - self.shortened_ns) / self.speed)

    def hold(self, late_ns: int) -> None:
        """Take note that the player was held up: what comes later keeps its distance."""
        self._start_ns += late_ns

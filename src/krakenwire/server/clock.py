"""The two times of a server: that of its lines, which is real, and that of its venue, which can be held and moved.

Neither ever runs backwards. Heartbeats, idle ends and limits of connections go
by the line's; markets, orders, tokens and nonces by the venue's.
"""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """Unix time at the start plus what the monotonic clock has counted since."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        self._ahead_ns = 0
        self._frozen_ns: int | None = None

    @property
    def frozen(self) -> bool:
        """Whether the venue's time stands still."""
        return self._frozen_ns is not None

    def line_ns(self) -> int:
        """Return real time: nanoseconds since 1970 UTC."""
        return self._offset_ns + time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the venue's time: nanoseconds since 1970 UTC, the same as the line's until somebody moves it."""
        return self._frozen_ns if self._frozen_ns is not None else self.line_ns() + self._ahead_ns

    @property
    def ahead_ns(self) -> int:
        """How far the venue's time is ahead of the line's now; below 0 if it is behind."""
        return self._ahead_ns if self._frozen_ns is None else self._frozen_ns - self.line_ns()

    def go_on(self, ahead_ns: int, least_ns: int) -> None:
        """Take up the venue's time where an earlier life left it.

        Args:
            ahead_ns: how far it was ahead of the line's.
            least_ns: a time that it had reached.
        """
        self._ahead_ns = max(ahead_ns, least_ns - self.line_ns())

    def freeze(self) -> None:
        """Hold the venue's time."""
        self._frozen_ns = self.now_ns()

    def advance(self, ns: int) -> None:
        """Move the venue's time forward, whether it is held or not."""
        assert ns >= 0
        if self._frozen_ns is None:
            self._ahead_ns += ns
        else:
            self._frozen_ns += ns

    def resume(self) -> None:
        """Let the venue's time run on from where it is."""
        if self._frozen_ns is not None:
            self._ahead_ns = self._frozen_ns - self.line_ns()
            self._frozen_ns = None

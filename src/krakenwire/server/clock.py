"""Wall time that never runs backwards: what every `now_ns` of the server is read from."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """Unix time at the start plus what the monotonic clock has counted since."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return nanoseconds since 1970 UTC."""
        return self._offset_ns + time.monotonic_ns()

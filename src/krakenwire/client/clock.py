"""The drivers' clock: nanoseconds since 1970 that never step backwards.

Anchored to the wall clock once, then carried by the monotonic one, so that a
set clock neither fires a time-out nor delays one.
"""

from __future__ import annotations

import time

__all__ = ["now_ns"]

_ANCHOR_NS = time.time_ns() - time.monotonic_ns()


def now_ns() -> int:
    """Return the time in nanoseconds since 1970 UTC, monotonic within the process."""
    return _ANCHOR_NS + time.monotonic_ns()

"""Which threads a test has left behind: those that have not ended by themselves within a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Set as AbstractSet

PATIENCE_S = 10


def running() -> frozenset[threading.Thread]:
    """The threads of this process now."""
    return frozenset(threading.enumerate())


def left_since(before: AbstractSet[threading.Thread]) -> set[threading.Thread]:
    """The threads started since `before` that do not end: a look-up under way has its own time-out."""
    deadline = time.monotonic() + PATIENCE_S
    for thread in running() - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    return set(running() - before)

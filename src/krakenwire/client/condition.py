"""A condition whose lock is never left behind by Ctrl-C.

Python raises `KeyboardInterrupt` between any two steps of a function written in Python, and
`threading.Condition` enters and leaves its lock in such functions: an interrupt right after the lock was taken,
or right before it is given back, leaves it taken for ever, and every other thread waits. The lock itself does both
in C, where nothing comes in between.
"""

from __future__ import annotations

import threading

__all__ = ["new_condition"]


def new_condition() -> threading.Condition:
    """Return a condition on a lock of its own, which a thread may take again; ``with`` it runs no Python."""
    lock = threading.RLock()
    entered = {"__enter__": staticmethod(lock.__enter__), "__exit__": staticmethod(lock.__exit__)}
    made: threading.Condition = type("Condition", (threading.Condition,), entered)(lock)
    return made

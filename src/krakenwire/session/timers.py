"""Named deadlines that may be armed early and are looked at again when they fire.

Frames arrive far more often than deadlines pass. So a frame moves no timer: it
notes a time, and a timer that wakes too early is armed anew for the rest.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator

__all__ = ["Timers"]


class Timers:
    """Deadlines by name. **Cost**: arming and firing O(log n), the next deadline amortised O(1)."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Hashable]] = []
        self._armed: dict[Hashable, int] = {}
        self._ties = 0

    def __len__(self) -> int:
        return len(self._armed)

    def arm(self, name: Hashable, when_ns: int | None) -> None:
        """Wake at `when_ns` or earlier; an earlier wake already armed stays. None does nothing."""
        if when_ns is None:
            return
        current = self._armed.get(name)
        if current is not None and current <= when_ns:
            return
        self._armed[name] = when_ns
        self._ties += 1
        heapq.heappush(self._heap, (when_ns, self._ties, name))
        if len(self._heap) > 64 + 4 * len(self._armed):
            self._rebuild()

    def clear(self) -> None:
        """Forget all of them."""
        self._armed.clear()
        self._heap.clear()

    def next_ns(self) -> int | None:
        """Return the earliest deadline, None when there is none."""
        while self._heap:
            when_ns, _, name = self._heap[0]
            if self._armed.get(name) == when_ns:
                return when_ns
            heapq.heappop(self._heap)
        return None

    def due(self, now_ns: int) -> Iterator[Hashable]:
        """Take out and yield the names whose time has come, earliest first."""
        while True:
            when_ns = self.next_ns()
            if when_ns is None or when_ns > now_ns:
                return
            name = heapq.heappop(self._heap)[2]
            del self._armed[name]
            yield name

    def _rebuild(self) -> None:
        """Drop entries that were cancelled or moved, so that memory follows what is armed."""
        self._heap = [entry for entry in self._heap if self._armed.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)

"""Sliding windows over prices and quantities, exact and bounded.

Time comes with each value and never runs backwards inside a window: a value
older than the newest one counts as of the newest. The judges that use these
are in `judges.py`.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from krakenwire.limits import WATCH_WINDOW_ENTRIES
from krakenwire.watch.values import EXACT

__all__ = ["ExtremeWindow", "SumWindow"]


class ExtremeWindow:
    """The lowest, or highest, price that was in force within the last `window_ns`.

    A price is in force from its time until the next price comes, so the one
    before the window's start still counts at its start.

    Args:
        window_ns: length of the window.
        lowest: True for the lowest price, False for the highest.
        entries_max: bound on what is kept; beyond it the oldest are forgotten
            (an alert may then be missed, none is made up) and `forgotten` counts.

    Cost: amortised constant per price. Source: the monotonic queue.
    """

    __slots__ = ("_entries", "_entries_max", "_lowest", "_newest_ns", "_window_ns", "forgotten")

    def __init__(self, window_ns: int, *, lowest: bool, entries_max: int = WATCH_WINDOW_ENTRIES) -> None:
        self._window_ns = window_ns
        self._lowest = lowest
        self._entries_max = entries_max
        self._entries: deque[tuple[int, Decimal]] = deque()  # (in force until at least, price)
        self._newest_ns: int | None = None
        self.forgotten = 0

    def feed(self, price: Decimal, time_ns: int) -> Decimal:
        """Take the price now in force and return the extreme of the window, this price included."""
        if self._newest_ns is not None:
            time_ns = max(time_ns, self._newest_ns)
            if self._entries:
                self._entries[-1] = (time_ns, self._entries[-1][1])
        self._newest_ns = time_ns
        self._expire(time_ns - self._window_ns)
        last_until = time_ns
        while self._entries and self._is_passed_by(self._entries[-1][1], price):
            self._entries.pop()
        self._entries.append((last_until, price))
        if len(self._entries) > self._entries_max:
            self._entries.popleft()
            self.forgotten += 1
        return self._entries[0][1]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._newest_ns = None

    def _expire(self, start_ns: int) -> None:
        while self._entries and self._entries[0][0] < start_ns:
            self._entries.popleft()

    def _is_passed_by(self, older: Decimal, newer: Decimal) -> bool:
        return newer <= older if self._lowest else newer >= older


class SumWindow:
    """The sum of the quantities of the last `window_ns`, a quantity just that old included.

    Beyond `entries_max` the two oldest are kept as one with the older's time:
    it leaves early, so the sum may be low but never high; `merged` counts.
    """

    __slots__ = ("_entries", "_entries_max", "_newest_ns", "_window_ns", "merged", "total")

    def __init__(self, window_ns: int, *, entries_max: int = WATCH_WINDOW_ENTRIES) -> None:
        self._window_ns = window_ns
        self._entries_max = entries_max
        self._entries: deque[tuple[int, Decimal]] = deque()
        self._newest_ns = 0
        self.total = Decimal(0)
        self.merged = 0

    def advance(self, time_ns: int) -> Decimal:
        """Let time pass and return the sum that is left."""
        self._newest_ns = max(self._newest_ns, time_ns)
        start_ns = self._newest_ns - self._window_ns
        while self._entries and self._entries[0][0] < start_ns:
            self.total = EXACT.subtract(self.total, self._entries.popleft()[1])
        return self.total

    def feed(self, qty: Decimal, time_ns: int) -> Decimal:
        """Add a quantity and return the sum of the window."""
        self.advance(time_ns)
        self._entries.append((self._newest_ns, qty))
        self.total = EXACT.add(self.total, qty)
        if len(self._entries) > self._entries_max:
            (first_ns, first), (_, second) = self._entries.popleft(), self._entries.popleft()
            self._entries.appendleft((first_ns, EXACT.add(first, second)))
            self.merged += 1
        return self.total

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._newest_ns = 0
        self.total = Decimal(0)

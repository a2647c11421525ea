"""What an account has had: rows that are only ever added, found by number and by time without looking at all of them.

Rows come in the order of their numbers. Their times nearly rise: what markets
do between two requests is done a moment later, with its own time. How late one
ever came is noted, and a search by time looks that much further at both ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, Generic, Protocol, TypeVar

from krakenwire.limits import VENUE_RECORDS_KEPT

__all__ = ["History", "Span"]


class Numbered(Protocol):
    """A row of a history."""

    @property
    def number(self) -> int: ...


_RowT = TypeVar("_RowT", bound=Numbered)


class History(deque[_RowT]):
    """The latest rows of one kind, oldest first.

    Args:
        time_of: a row's time.
        kept_max: beyond it the oldest is forgotten.
    """

    def __init__(self, time_of: Callable[[_RowT], int], kept_max: int = VENUE_RECORDS_KEPT) -> None:
        super().__init__(maxlen=kept_max)
        self.time_of: Final = time_of
        self._latest_ns = self._late_ns = 0

    def keep(self, row: _RowT) -> None:
        """Add a row."""
        time_ns = self.time_of(row)
        if time_ns >= self._latest_ns:
            self._latest_ns = time_ns
        else:
            self._late_ns = max(self._late_ns, self._latest_ns - time_ns)
        self.append(row)

    def newest(self, count: int) -> list[_RowT]:
        """Return so many of the latest rows, newest first."""
        return list(islice(reversed(self), count))

    def at(self, number: int) -> int:
        """Return where the first row of that number or above is, the length if there is none. Cost: a bisection."""
        return bisect_left(self, number, key=_number)

    def find(self, number: int) -> _RowT | None:
        """Return the row of a number, None when it is not kept."""
        at = self.at(number)
        row = self[at] if at < len(self) else None
        return row if row is not None and row.number == number else None

    def between(self, start_ns: int | None, end_ns: int | None) -> Span[_RowT]:
        """Return the rows of some time, newest first: after `start_ns`, up to `end_ns`. Cost: four bisections."""
        size = len(self)
        old, old_end = (0, 0) if start_ns is None else self._edge(start_ns)
        young, young_end = (size, size) if end_ns is None else self._edge(end_ns)

        def among(first: int, last: int) -> list[int]:
            times = ((at, self.time_of(self[at])) for at in range(last - 1, first - 1, -1))
            return [
                at
                for at, time_ns in times
                if (start_ns is None or time_ns > start_ns) and (end_ns is None or time_ns <= end_ns)
            ]

        if old_end > young:
            return Span(self, among(old, young_end), range(0), [])
        return Span(self, among(young, young_end), range(old_end, young), among(old, old_end))

    def _edge(self, time_ns: int) -> tuple[int, int]:
        """Return up to where no row is later than a time, and from where on each is."""
        return (
            bisect_right(self, time_ns - self._late_ns, key=self.time_of),
            bisect_right(self, time_ns + self._late_ns, key=self.time_of),
        )


class Span(Generic[_RowT]):
    """Some rows of a history, newest first; none is touched before it is asked for.

    Args:
        rows: the history; nothing may be added to it while this is in use.
        young, old: where single rows are, before and behind the others.
        whole: where every row belongs to it.
    """

    def __init__(self, rows: History[_RowT], young: list[int], whole: range, old: list[int]) -> None:
        self._rows, self._young, self._whole, self._old = rows, young, whole, old

    def __len__(self) -> int:
        return len(self._young) + len(self._whole) + len(self._old)

    def __iter__(self) -> Iterator[_RowT]:
        rows, whole = self._rows, self._whole
        for at in self._young:
            yield rows[at]
        yield from islice(reversed(rows), len(rows) - whole.stop, len(rows) - whole.start)
        for at in self._old:
            yield rows[at]

    def page(self, start: int, count: int) -> list[_RowT]:
        """Return so many rows behind the first `start` of them. Cost: that of the page."""
        found: list[int] = []
        for part in (self._young, self._whole[::-1], self._old):
            found += part[start : start + count - len(found)]
            start = max(0, start - len(part))
        return [self._rows[at] for at in found]


def _number(row: Numbered) -> int:
    return row.number

"""Immutable copies of books, for other threads and for keeping.

They read like the live books they were taken from and never change. Taking
one never disturbs the book. Next: `l2_reading`, `l3_reading`.
"""

from __future__ import annotations

from krakenwire.book.l2_reading import L2Reading
from krakenwire.book.l3_reading import L3Reading

__all__ = ["FrozenL2Book", "FrozenL3Book"]


class FrozenL2Book(L2Reading):
    """An L2 book as it was at one moment.

    Args:
        book: the book to copy.

    Cost: a copy of four lists, one entry a level.
    """

    __slots__ = ()

    def __init__(self, book: L2Reading) -> None:
        self.symbol, self.depth, self.verified_count = book.symbol, book.depth, book.verified_count
        self._state, self._verified, self._crc = book._state, book._verified, book._crc
        self._time, self._scale = book._time, book._scale.copy()
        self._bids, self._asks = book._bids.copy(), book._asks.copy()

    def freeze(self) -> FrozenL2Book:
        """Return this copy."""
        return self


class FrozenL3Book(L3Reading):
    """An L3 book as it was at one moment.

    Args:
        book: the book to copy.

    Cost: a copy of every queue.
    """

    __slots__ = ()

    def __init__(self, book: L3Reading) -> None:
        self.symbol, self.depth, self.verified_count = book.symbol, book.depth, book.verified_count
        self._state, self._verified, self._crc = book._state, book._verified, book._crc
        self.stray_events, self._time_ns, self._scale = book.stray_events, book._time_ns, book._scale.copy()
        self._bids, self._asks = book._bids.copy(), book._asks.copy()

    def freeze(self) -> FrozenL3Book:
        """Return this copy."""
        return self

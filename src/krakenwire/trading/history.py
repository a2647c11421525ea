"""The latest candles of one symbol and interval as NumPy arrays, oldest first, for indicators.

Arrays are views of a window that slides over a store twice its length, so
nothing is copied when they are read. Floats: for statistics, never for money.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["History"]

_COLUMNS: Final = 6

Floats = npt.NDArray[np.float64]


class History:
    """A window over closed candles.

    What it returns are views: they are good until the callback that reads them returns. Copy what is to be kept.

    Args:
        length: candles that are kept.
    """

    __slots__ = ("_end", "_length", "_store", "_times")

    def __init__(self, length: int) -> None:
        self._length, self._end = length, 0
        self._store: Floats = np.zeros((_COLUMNS, 2 * length), dtype=np.float64)
        self._times: npt.NDArray[np.int64] = np.zeros(2 * length, dtype=np.int64)

    def append(self, begin_ns: int, values: tuple[float, float, float, float, float, float]) -> None:
        """Add one candle: open, high, low, close, volume, vwap."""
        if self._end == 2 * self._length:
            kept = slice(self._length, 2 * self._length)
            self._store[:, : self._length] = self._store[:, kept]
            self._times[: self._length] = self._times[kept]
            self._end = self._length
        self._store[:, self._end] = values
        self._times[self._end] = begin_ns
        self._end += 1

    def __len__(self) -> int:
        return min(self._end, self._length)

    @property
    def open(self) -> Floats:
        """First prices."""
        return self._column(0)

    @property
    def high(self) -> Floats:
        """Highest prices."""
        return self._column(1)

    @property
    def low(self) -> Floats:
        """Lowest prices."""
        return self._column(2)

    @property
    def close(self) -> Floats:
        """Last prices."""
        return self._column(3)

    @property
    def volume(self) -> Floats:
        """Quantities, base units."""
        return self._column(4)

    @property
    def vwap(self) -> Floats:
        """Average prices by quantity; the close where nothing traded."""
        return self._column(5)

    @property
    def time_ns(self) -> npt.NDArray[np.int64]:
        """Where the intervals begin."""
        return self._times[max(0, self._end - self._length) : self._end]

    def _column(self, column: int) -> Floats:
        return self._store[column, max(0, self._end - self._length) : self._end]

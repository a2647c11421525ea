"""Rows as columns for analysis: exact decimals, trades that were not told before, candles.

Functions on arrays; nothing here writes a file. A decimal is two 64-bit words,
the lower one first, as Arrow has it. What the columns are called and how they
are stored: `krakenwire.storage.parquet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from krakenwire.errors import ListingMismatch
from krakenwire.model.rows import BUY, SELL, SNAPSHOT, Rows

__all__ = ["CANDLE", "DECIMALS", "DIGITS", "CandleMaker", "News", "TradeNews", "joined", "picked", "trades_of", "words"]

DECIMALS: Final = 10
"""Of every exported price and quantity: no instrument of the venue has more, and all files have one type."""

DIGITS: Final = 28
"""18 digits of ticks or lots, ten of which may still be wanting behind the point."""

MINUTE_NS: Final = 60_000_000_000

Int64s: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

CANDLE: Final = np.dtype(
    [
        ("begin_ns", "<i8"),
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("close", "<i8"),
        ("volume", "<i8"),
        ("trades", "<i8"),
    ]
)
"""A minute in which something was traded, in ticks and lots."""


def joined(parts: Sequence[npt.NDArray[np.void]], dtype: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """Return arrays of structures as one. NumPy copies structures member by member, and so five times slower."""
    whole = f"V{dtype.itemsize}"
    if not parts:
        return np.empty(0, dtype)
    return np.concatenate([part.view(whole) for part in parts]).view(dtype)


def picked(rows: npt.NDArray[np.void], which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
    """Return some structures of an array, by places or by a mask; as fast as `joined`."""
    chosen: npt.NDArray[np.void] = rows.view(f"V{rows.dtype.itemsize}")[which].view(rows.dtype)
    return chosen


def words(values: Int64s, decimals: int, symbol: str, what: str) -> Int64s:
    """Return ticks or lots as decimals with `DECIMALS` behind the point: two words each.

    Args:
        values: not negative.
        decimals: of the instrument.
        symbol: names the instrument in an error.
        what: names the column.

    Raises:
        ListingMismatch: an instrument with more decimals.
    """
    if decimals > DECIMALS:
        raise ListingMismatch(symbol, what, f"of {decimals} decimals", DECIMALS, DECIMALS)
    factor = 10 ** (DECIMALS - decimals)
    pairs = np.zeros((len(values), 2), dtype=np.int64)
    if not len(values) or int(values.max()) <= np.iinfo(np.int64).max // factor:
        np.multiply(values, factor, out=pairs[:, 0])
        return pairs
    for at, value in enumerate(values.tolist()):
        low = value * factor
        pairs[at, 0] = (low & (2**64 - 1)) - (low >> 63 & 1) * 2**64
        pairs[at, 1] = low >> 64
    return pairs


class News(NamedTuple):
    """Which trades count, and which of them are news: they happened when trades were being received."""

    keep: Flags
    fresh: Flags


class TradeNews:
    """Tells trades that were told before, as by the snapshot after a new connection. Of one symbol."""

    def __init__(self) -> None:
        self._last_id = -1
        self._since_ns: int | None = None
        self.repeated = 0

    def of(self, trades: Rows) -> News:
        """Return which of some trades to keep; call it with all of them in their order."""
        ids, snapshot = trades["aux"], (trades["flags"] & SNAPSHOT) != 0
        if not len(trades):
            return News(snapshot, snapshot)
        if self._since_ns is None:
            self._since_ns = int(trades["time_ns"][0])
        known = np.maximum.accumulate(np.concatenate(([self._last_id], ids)))
        keep = ~(snapshot & (ids >= 0) & (ids <= known[:-1]))
        self._last_id = int(known[-1])
        self.repeated += int((~keep).sum())
        return News(keep, keep & (~snapshot | (trades["venue_ns"] >= self._since_ns)))


class CandleMaker:
    """Builds candles of one minute from the trades of one symbol.

    A minute without a trade has no candle. A trade whose time lies before the
    minute that is being built counts to that.
    """

    def __init__(self) -> None:
        self._open: npt.NDArray[np.void] = np.zeros(0, dtype=CANDLE)

    def take(self, trades: Rows) -> npt.NDArray[np.void]:
        """Return the candles that some trades have closed."""
        if not len(trades):
            return self._open[:0]
        begins = trades["venue_ns"] // MINUTE_NS * MINUTE_NS
        if len(self._open):
            begins = np.maximum(begins, self._open["begin_ns"][0])
        begins = np.maximum.accumulate(begins)
        starts = np.flatnonzero(np.concatenate(([True], begins[1:] != begins[:-1])))
        made = _candles(trades, begins, starts)
        if len(self._open):
            made = _joined(self._open, made)
        self._open = made[-1:]
        closed: npt.NDArray[np.void] = made[:-1]
        return closed

    def rest(self) -> npt.NDArray[np.void]:
        """Return the last candle, which no trade has closed."""
        rest, self._open = self._open, self._open[:0]
        return rest


def _candles(trades: Rows, begins: Int64s, starts: Int64s) -> npt.NDArray[np.void]:
    price = trades["price"]
    ends = np.append(starts[1:], len(trades))
    made = np.zeros(len(starts), dtype=CANDLE)
    made["begin_ns"] = begins[starts]
    made["open"], made["close"] = price[starts], price[ends - 1]
    made["high"], made["low"] = np.maximum.reduceat(price, starts), np.minimum.reduceat(price, starts)
    made["volume"], made["trades"] = np.add.reduceat(trades["qty"], starts), ends - starts
    return made


def _joined(before: npt.NDArray[np.void], after: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Put an unfinished candle before others, into the first of them where that is the same minute."""
    if before["begin_ns"][0] != after["begin_ns"][0]:
        return np.concatenate((before, after))
    first = after[0]
    first["open"] = before["open"][0]
    first["high"], first["low"] = max(first["high"], before["high"][0]), min(first["low"], before["low"][0])
    first["volume"] += before["volume"][0]
    first["trades"] += before["trades"][0]
    return after


def trades_of(rows: Rows) -> Rows:
    """Return the trades among some rows."""
    return picked(rows, (rows["kind"] == BUY) | (rows["kind"] == SELL))

"""Rows as the event array of hftbacktest, which knows floats and books without an end.

Source: hftbacktest's documentation, "Data": the columns of its events and the
meaning of their flags. What this venue does not say - that a level has left the
depth that is subscribed - is told here as a removal, or it would stand for ever.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

import numpy as np
import numpy.typing as npt

from krakenwire.model.rows import ASK, BID, BUY, CLEAR, GAP, LAST, SELL, SNAPSHOT, Listing, Rows

__all__ = ["EVENT_DTYPE", "EventMaker"]

EVENT_DTYPE: Final = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ]
)

_DEPTH, _TRADE, _CLEAR, _SNAPSHOT = 1, 2, 3, 4
_SELL, _BUY, _LOCAL, _EXCH = 1 << 28, 1 << 29, 1 << 30, 1 << 31
_BOTH: Final = _LOCAL | _EXCH
_EVENTS: Final = {
    BID: _DEPTH | _BUY,
    ASK: _DEPTH | _SELL,
    BUY: _TRADE | _BUY,
    SELL: _TRADE | _SELL,
    CLEAR: _CLEAR,
    GAP: _CLEAR,
}
_OF_KIND: Final = np.zeros(256, dtype=np.uint64)
for _kind, _event in _EVENTS.items():
    _OF_KIND[_kind] = _event | _BOTH


class EventMaker:
    """Makes the events of one symbol.

    Args:
        listing: its ticks and lots.
    """

    def __init__(self, listing: Listing) -> None:
        self._price_unit, self._qty_unit = 10**listing.price_decimals, 10**listing.qty_decimals
        self._depth = listing.depth
        self._sides: dict[int, list[int]] = {BID: [], ASK: []}
        self._exch_ts = 0

    def take(self, rows: Rows) -> npt.NDArray[np.void]:
        """Return the events of rows: without trades that a snapshot repeats, with what leaves the depth."""
        trade = (rows["kind"] == BUY) | (rows["kind"] == SELL)
        known = _OF_KIND[rows["kind"]] != 0
        rows = self._with_removals(rows[known & ~(trade & ((rows["flags"] & SNAPSHOT) != 0))])
        made = np.zeros(len(rows), dtype=EVENT_DTYPE)
        if not len(rows):
            return made
        level = (rows["kind"] == BID) | (rows["kind"] == ASK)
        snapshot = level & ((rows["flags"] & SNAPSHOT) != 0)
        made["ev"] = _OF_KIND[rows["kind"]] + np.where(snapshot, _SNAPSHOT - _DEPTH, 0).astype(np.uint64)
        made["local_ts"] = rows["time_ns"]
        told = np.where(rows["venue_ns"] > 0, rows["venue_ns"], rows["time_ns"])
        told = np.maximum.accumulate(np.maximum(np.minimum(told, rows["time_ns"]), self._exch_ts))
        made["exch_ts"], self._exch_ts = told, int(told[-1])
        made["px"], made["qty"] = rows["price"] / self._price_unit, rows["qty"] / self._qty_unit
        return made

    def _with_removals(self, rows: Rows) -> Rows:
        """Return rows with one more, of no quantity, for each level that leaves the depth of its book."""
        if not self._depth:
            return rows
        places: list[int] = []
        removed: list[tuple[int, int]] = []
        columns = (rows[name].tolist() for name in ("kind", "price", "qty", "flags"))
        for at, (kind, price, qty, flags) in enumerate(zip(*columns, strict=True)):
            if kind in (BID, ASK):
                self._note(kind, price, qty)
            elif kind in (CLEAR, GAP):
                self._sides = {BID: [], ASK: []}
            if flags & LAST:
                for left in self._leaving():
                    places.append(at)
                    removed.append(left)
        if not places:
            return rows
        extra = rows[places].copy()
        extra["kind"], extra["price"], extra["qty"] = *np.array(removed, dtype=np.int64).T, 0
        return np.insert(rows, np.array(places) + 1, extra)

    def _note(self, side: int, price: int, qty: int) -> None:
        levels = self._sides[side]
        key = price if side == ASK else -price
        at = bisect_left(levels, key)
        there = at < len(levels) and levels[at] == key
        if qty and not there:
            insort(levels, key)
        elif not qty and there:
            del levels[at]

    def _leaving(self) -> list[tuple[int, int]]:
        left = []
        for side, levels in self._sides.items():
            left += [(side, abs(key)) for key in levels[self._depth :]]
            del levels[self._depth :]
        return left

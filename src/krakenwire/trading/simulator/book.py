"""The book of one symbol of a pretended market: what the venue displays, and nothing of our own orders.

Readable where it is whole and live; a gap ends that until the next snapshot.
Where a listing has no book (`depth` 0) it shows one level a side, made of the
last trade, without a quantity. Next: `fills`, which keeps it.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from math import nan

import numpy as np
import numpy.typing as npt

from krakenwire.errors import StaleData, UsageError
from krakenwire.model.market import Level
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.rows import ASK, BID, Listing

__all__ = ["Ladder", "SimBook"]


class Ladder:
    """One side.

    Attributes:
        keys: prices in ticks, negated for bids, so that the best is first and the smallest.
        lots: the quantity of each.
    """

    __slots__ = ("keys", "lots", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.lots: list[int] = []

    def set(self, price: int, qty: int) -> int:
        """Set a level, 0 or less removes it, and return what was there."""
        keys, lots, key = self.keys, self.lots, price * self.sign
        i = bisect_left(keys, key)
        old = lots[i] if i < len(keys) and keys[i] == key else 0
        if qty > 0:
            if old:
                lots[i] = qty
            else:
                keys.insert(i, key)
                lots.insert(i, qty)
        elif old:
            del keys[i], lots[i]
        return old

    def at(self, price: int) -> int:
        """Return the quantity of a level, 0 where there is none."""
        i = bisect_left(self.keys, price * self.sign)
        return self.lots[i] if i < len(self.keys) and self.keys[i] == price * self.sign else 0

    def clear(self) -> None:
        """Forget all levels."""
        self.keys.clear()
        self.lots.clear()

    def truncate(self, depth: int) -> None:
        """Forget what lies beyond `depth`."""
        if len(self.keys) > depth:
            del self.keys[depth:], self.lots[depth:]

    def displays(self, price: int, depth: int) -> bool:
        """Return whether a level of this price would be displayed if it were there."""
        return len(self.keys) < depth or price * self.sign <= self.keys[-1]


class SimBook:
    """What a strategy reads; the same object for a whole run.

    Attributes:
        symbol: v2 spelling.
        listing: what its ticks and lots stand for.
        depth: levels a side; 0 where there is no book.
        live: whether it can be read.
        time_ns: when its last change was received.
    """

    __slots__ = ("asks_ladder", "bids_ladder", "depth", "listing", "live", "state", "symbol", "time_ns")

    def __init__(self, listing: Listing) -> None:
        self.listing, self.symbol, self.depth = listing, listing.symbol, listing.depth
        self.live, self.state, self.time_ns = False, "empty", 0
        self.bids_ladder, self.asks_ladder = Ladder(-1), Ladder(1)

    def ladder(self, side: int) -> Ladder:
        """Return the levels of a side."""
        return self.bids_ladder if side == BID else self.asks_ladder

    def begin(self) -> None:
        """Take a snapshot's beginning: live, and empty."""
        self.bids_ladder.clear()
        self.asks_ladder.clear()
        self.live, self.state = True, "live"

    def end(self) -> None:
        """Stop being live."""
        self.begin()
        self.live, self.state = False, "resyncing"

    def show_last(self, price: int, spread: int, time_ns: int) -> None:
        """Show a level a side, so far from the last trade; for a listing without a book."""
        self.begin()
        self.time_ns = time_ns
        for side, shown in ((BID, price - spread), (ASK, price + spread)):
            if shown > 0:
                ladder = self.ladder(side)
                ladder.keys.append(shown * ladder.sign)
                ladder.lots.append(0)

    def _need_live(self) -> None:
        if not self.live:
            raise StaleData(self.symbol, self.state)

    @property
    def bid_ticks(self) -> int:
        """The highest bid in ticks, 0 when there is none."""
        self._need_live()
        return -self.bids_ladder.keys[0] if self.bids_ladder.keys else 0

    @property
    def ask_ticks(self) -> int:
        """The lowest ask in ticks, 0 when there is none."""
        self._need_live()
        return self.asks_ladder.keys[0] if self.asks_ladder.keys else 0

    @property
    def touch_sum(self) -> int:
        """Best bid and ask added up, in ticks: twice the mid. 0 where one is missing or the book is not live."""
        if not (self.live and self.bids_ladder.keys and self.asks_ladder.keys):
            return 0
        return self.asks_ladder.keys[0] - self.bids_ladder.keys[0]

    @property
    def bid_lots(self) -> int:
        """Quantity at the highest bid, 0 when there is none."""
        self._need_live()
        return self.bids_ladder.lots[0] if self.bids_ladder.lots else 0

    @property
    def ask_lots(self) -> int:
        """Quantity at the lowest ask, 0 when there is none."""
        self._need_live()
        return self.asks_ladder.lots[0] if self.asks_ladder.lots else 0

    @property
    def best_bid(self) -> Decimal | None:
        """The highest bid, None when there is none."""
        return self.listing.price(self.bid_ticks) if self.level_counts[0] else None

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest ask, None when there is none."""
        return self.listing.price(self.ask_ticks) if self.level_counts[1] else None

    @property
    def best_bid_qty(self) -> Decimal | None:
        """Quantity at the highest bid."""
        return self.listing.qty(self.bid_lots) if self.level_counts[0] else None

    @property
    def best_ask_qty(self) -> Decimal | None:
        """Quantity at the lowest ask."""
        return self.listing.qty(self.ask_lots) if self.level_counts[1] else None

    @property
    def mid(self) -> Decimal | None:
        """Half-way between the best bid and ask, exact; None when a side is empty."""
        if 0 in self.level_counts:
            return None
        total = self.ask_ticks + self.bid_ticks
        if total % 2:
            return scaled_to_decimal(total * 5, self.listing.price_decimals + 1)
        return scaled_to_decimal(total // 2, self.listing.price_decimals)

    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid; None when a side is empty."""
        return None if 0 in self.level_counts else self.listing.price(self.ask_ticks - self.bid_ticks)

    @property
    def mid_float(self) -> float:
        """`mid` for statistics; nan when a side is empty."""
        if 0 in self.level_counts:
            return nan
        return float(self.ask_ticks + self.bid_ticks) / (2.0 * 10.0**self.listing.price_decimals)

    @property
    def microprice(self) -> float:
        """The mid leaning to the side with less quantity, for statistics; nan when a side is empty."""
        if 0 in self.level_counts:
            return nan
        bid_lots, ask_lots = float(self.bid_lots), float(self.ask_lots)
        if bid_lots + ask_lots == 0:
            return self.mid_float
        total = float(self.bid_ticks) * ask_lots + float(self.ask_ticks) * bid_lots
        return total / (bid_lots + ask_lots) / 10.0**self.listing.price_decimals

    @property
    def level_counts(self) -> tuple[int, int]:
        """How many bids and asks there are."""
        self._need_live()
        return len(self.bids_ladder.keys), len(self.asks_ladder.keys)

    @property
    def bids(self) -> tuple[Level, ...]:
        """All bids, highest first."""
        return self.top(max(self.level_counts))[0]

    @property
    def asks(self) -> tuple[Level, ...]:
        """All asks, lowest first."""
        return self.top(max(self.level_counts))[1]

    def top(self, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the best bids and the best asks, each best first.

        Raises:
            UsageError: a negative number of levels.
            StaleData: the book is not live.
        """
        price, qty = self.listing.price, self.listing.qty
        pairs = self.bids_array(levels).tolist(), self.asks_array(levels).tolist()
        bids, asks = (tuple(Level(price(ticks), qty(lots)) for ticks, lots in side) for side in pairs)
        return bids, asks

    def bids_array(self, levels: int) -> npt.NDArray[np.int64]:
        """Return the best bids as rows of ticks and lots, best first; a copy."""
        return self._array(self.bids_ladder, levels)

    def asks_array(self, levels: int) -> npt.NDArray[np.int64]:
        """Return the best asks as rows of ticks and lots, best first; a copy."""
        return self._array(self.asks_ladder, levels)

    def _array(self, ladder: Ladder, levels: int) -> npt.NDArray[np.int64]:
        if levels < 0:
            raise UsageError("levels", expected="0 or more", found=levels)
        self._need_live()
        pairs = [(key * ladder.sign, lots) for key, lots in zip(ladder.keys[:levels], ladder.lots, strict=False)]
        return np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)

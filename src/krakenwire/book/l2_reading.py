"""What can be read from an L2 book, shared by the live book and its frozen copies.

Holds no rule about messages (`l2` does). Refuses every reading of levels
while the book is not live.
"""

from __future__ import annotations

from decimal import Decimal

from krakenwire.book.side import Scale, Side
from krakenwire.book.state import BookStatus
from krakenwire.errors import UsageError
from krakenwire.model.market import Level
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.times import ns_from_rfc3339

__all__ = ["L2Reading"]


class L2Reading(BookStatus):
    """The readings of one L2 book."""

    __slots__ = ("_asks", "_bids", "_scale", "_time")

    _time: str | int | None
    _scale: Scale
    _bids: Side
    _asks: Side

    @property
    def price_decimals(self) -> int:
        """Decimals of a price, trailing zeros included."""
        return self._scale.price

    @property
    def qty_decimals(self) -> int:
        """Decimals of a quantity, trailing zeros included."""
        return self._scale.qty

    @property
    def time_ns(self) -> int | None:
        """The venue's time of the last change, None where it sent none."""
        self._need_live()
        if isinstance(self._time, str):
            self._time = ns_from_rfc3339(self._time)
        return self._time

    @property
    def best_bid(self) -> Decimal | None:
        """The highest bid, None when there is none."""
        return self._best_price(self._bids)

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest ask, None when there is none."""
        return self._best_price(self._asks)

    @property
    def best_bid_qty(self) -> Decimal | None:
        """Quantity at the highest bid."""
        return self._best_qty(self._bids)

    @property
    def best_ask_qty(self) -> Decimal | None:
        """Quantity at the lowest ask."""
        return self._best_qty(self._asks)

    @property
    def mid(self) -> Decimal | None:
        """Half-way between the best bid and ask, exact; None when a side is empty."""
        self._need_live()
        if not (self._bids.keys and self._asks.keys):
            return None
        total = self._asks.keys[0] - self._bids.keys[0]
        if total % 2:
            return scaled_to_decimal(total * 5, self._scale.price + 1)
        return scaled_to_decimal(total // 2, self._scale.price)

    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid; None when a side is empty."""
        self._need_live()
        if not (self._bids.keys and self._asks.keys):
            return None
        return scaled_to_decimal(self._asks.keys[0] + self._bids.keys[0], self._scale.price)

    @property
    def bids(self) -> tuple[Level, ...]:
        """All bids, highest first."""
        self._need_live()
        return self._bids.levels(self._scale)

    @property
    def asks(self) -> tuple[Level, ...]:
        """All asks, lowest first."""
        self._need_live()
        return self._asks.levels(self._scale)

    @property
    def level_counts(self) -> tuple[int, int]:
        """How many bids and asks there are."""
        self._need_live()
        return len(self._bids.keys), len(self._asks.keys)

    def top(self, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the best bids and the best asks, each best first.

        Args:
            levels: how many a side at most; there may be fewer.

        Raises:
            UsageError: a negative number of levels.
            StaleData: the book is not live.
        """
        if levels < 0:
            raise UsageError("levels", expected="0 or more", found=levels)
        self._need_live()
        return self._bids.levels(self._scale, levels), self._asks.levels(self._scale, levels)

    def _best_price(self, side: Side) -> Decimal | None:
        self._need_live()
        return scaled_to_decimal(abs(side.keys[0]), self._scale.price) if side.keys else None

    def _best_qty(self, side: Side) -> Decimal | None:
        self._need_live()
        return side.level(0, self._scale).qty if side.keys else None

    def _summary(self) -> str:
        return f"bid={self.best_bid} ask={self.best_ask}"

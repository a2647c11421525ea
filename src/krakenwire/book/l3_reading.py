"""What can be read from an L3 book, shared by the live book and its frozen copies.

Holds no rule about messages (`l3` does). Refuses every reading of orders
while the book is not live.
"""

from __future__ import annotations

from decimal import Decimal

from krakenwire.book.queues import OrderQueues
from krakenwire.book.side import Scale
from krakenwire.book.state import BookStatus
from krakenwire.model.market import Level, Level3Order
from krakenwire.model.numbers import scaled_to_decimal

__all__ = ["L3Reading"]


class L3Reading(BookStatus):
    """The readings of one L3 book.

    Attributes:
        stray_events: events of orders we do not hold, or without a quantity: passed over.
    """

    __slots__ = ("_asks", "_bids", "_scale", "_time_ns", "stray_events")

    stray_events: int
    _time_ns: int | None
    _scale: Scale
    _bids: OrderQueues
    _asks: OrderQueues

    @property
    def time_ns(self) -> int | None:
        """The venue's time of the last message, None where it sent none."""
        self._need_live()
        return self._time_ns

    @property
    def bids(self) -> tuple[Level3Order, ...]:
        """All bid orders: highest price first, each level in queue order."""
        self._need_live()
        return tuple(self._bids.orders())

    @property
    def asks(self) -> tuple[Level3Order, ...]:
        """All ask orders: lowest price first, each level in queue order."""
        self._need_live()
        return tuple(self._asks.orders())

    @property
    def best_bid(self) -> Decimal | None:
        """The highest bid, None when there is none."""
        return self._best_price(self._bids)

    @property
    def best_ask(self) -> Decimal | None:
        """The lowest ask, None when there is none."""
        return self._best_price(self._asks)

    @property
    def bid_levels(self) -> tuple[Level, ...]:
        """The bids summed by price, highest first."""
        self._need_live()
        return tuple(self._bids.levels())

    @property
    def ask_levels(self) -> tuple[Level, ...]:
        """The asks summed by price, lowest first."""
        self._need_live()
        return tuple(self._asks.levels())

    def _best_price(self, side: OrderQueues) -> Decimal | None:
        self._need_live()
        return scaled_to_decimal(abs(side.keys[0]), self._scale.price) if side.keys else None

    def _summary(self) -> str:
        return f"bid={self.best_bid} ask={self.best_ask}"

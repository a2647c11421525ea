"""The L3 order book: every visible order in its queue, proven by checksum.

Never live when its checksum contradicts it. Events about orders we do not
hold change nothing and are counted; the checksum then decides. Next:
`queues` for the orders, `l3_reading` for the user's view.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zlib import crc32

from krakenwire.book.digits import scaled, shown_decimals
from krakenwire.book.frozen import FrozenL3Book
from krakenwire.book.l3_reading import L3Reading
from krakenwire.book.queues import OrderQueues, resting
from krakenwire.book.side import Scale
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData
from krakenwire.limits import LEVEL3_DEPTHS
from krakenwire.model.market import Level3Order, Level3Update
from krakenwire.model.subscription import one_of

__all__ = ["L3Book"]

_ACTIONS: Final = {
    None: OrderQueues.add,
    "add": OrderQueues.add,
    "modify": OrderQueues.modify,
    "delete": OrderQueues.delete,
}


class L3Book(L3Reading):
    """One symbol's book of individual orders.

    Args:
        symbol: v2 spelling.
        depth: price levels a side, one of the venue's level3 depths.
        price_decimals, qty_decimals: as in `L2Book`.
        verify: compare checksums; without it the book is never `verified`.

    Raises:
        UsageError: a depth the venue does not know.

    Source: v2 reference, `level3`.
    """

    _frozen: FrozenL3Book | None
    __slots__ = ("_frozen", "_given", "_verify")

    def __init__(
        self,
        symbol: str,
        depth: int = 10,
        price_decimals: int | None = None,
        qty_decimals: int | None = None,
        *,
        verify: bool = True,
    ) -> None:
        one_of("level3 depth", depth, LEVEL3_DEPTHS)
        self.symbol, self.depth, self._verify = symbol, depth, verify
        self._given = (price_decimals or 0, qty_decimals or 0)
        self._state = "empty"
        self._verified, self.verified_count, self.stray_events = False, 0, 0
        self._time_ns = None
        self._clear()

    def apply(self, update: Level3Update) -> None:
        """Take one message: a snapshot replaces the book, an update changes it.

        Sets the message's `book` and `verified`.

        Raises:
            DecodeError: an order whose price or quantity is not a number of zero
                or more; the book is resyncing.
            ChecksumMismatch: the result differs from the venue's; the book is resyncing.
            StaleData: an update while the book is not live; nothing has changed.
        """
        if update.kind == "snapshot":
            self._clear()
        elif self._state != "live":
            raise StaleData(self.symbol, self._state)
        self._frozen = None
        try:
            self._merge(self._asks, update.asks)
            self._merge(self._bids, update.bids)
        except DecodeError:
            self.invalidate()
            raise
        self._asks.truncate(self.depth)
        self._bids.truncate(self.depth)
        self._crc = crc32(self._bids.best_digits(self._scale), crc32(self._asks.best_digits(self._scale)))
        self._state = "live"
        self._settle(update)

    def invalidate(self) -> None:
        """Stop being live until the next snapshot."""
        self._state = "resyncing"
        self._verified = False
        self._clear()

    def freeze(self) -> FrozenL3Book:
        """Return an immutable copy, safe to hand to other threads; the same one until the next message."""
        if self._frozen is None:
            self._frozen = FrozenL3Book(self)
        return self._frozen

    def _merge(self, side: OrderQueues, orders: Iterable[Level3Order]) -> None:
        for order in orders:
            self._grow(shown_decimals(order.price_text), shown_decimals(order.qty_text))
            price, qty = scaled(order.price_text, self._scale.price), scaled(order.qty_text, self._scale.qty)
            if not _ACTIONS[order.event](side, resting(order), price, qty):
                self.stray_events += 1

    def _grow(self, price_decimals: int, qty_decimals: int) -> None:
        if price_decimals > self._scale.price:
            factor = 10 ** (price_decimals - self._scale.price)
            self._asks.rescale(factor)
            self._bids.rescale(factor)
            self._scale.price = price_decimals
        self._scale.qty = max(self._scale.qty, qty_decimals)

    def _settle(self, update: Level3Update) -> None:
        """Compare with the checksum that came with the message, and say so."""
        update.book = self
        self._time_ns = update.time_ns
        if update.checksum is None or not self._verify:
            self._verified = False
        elif update.checksum == self._crc:
            update.verified = self._verified = True
            self.verified_count += 1
        else:
            found = self._crc
            self.invalidate()
            raise ChecksumMismatch(self.symbol, update.checksum, found)

    def _clear(self) -> None:
        self._asks, self._bids = OrderQueues(1), OrderQueues(-1)
        self._scale = Scale(*self._given)
        self._crc = 0
        self._frozen = None

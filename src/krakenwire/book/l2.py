"""The L2 order book: takes snapshots and updates, proves itself by checksum.

Tuned pure Python: integers and ready-made checksum digits in two parallel
lists a side. Never live when its checksum contradicts it, never half a
message applied and live. Next: `side` for the levels, `l2_reading` for the user's view.
"""

from __future__ import annotations

from zlib import crc32

from krakenwire.book.digits import most_decimals
from krakenwire.book.frozen import FrozenL2Book
from krakenwire.book.l2_reading import L2Reading
from krakenwire.book.side import Scale, Side
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData
from krakenwire.limits import BOOK_DEPTHS, CHECKSUM_LEVELS
from krakenwire.model.market import BookUpdate
from krakenwire.model.subscription import one_of

__all__ = ["L2Book"]


class L2Book(L2Reading):
    """One symbol's order book by price level.

    Args:
        symbol: v2 spelling.
        depth: levels a side, one of the venue's depths.
        price_decimals, qty_decimals: the instrument's figures; None to learn them
            from the wire. Numbers that show fewer are padded, more are taken over.
        verify: compare checksums; without it the book is never `verified`.

    Raises:
        UsageError: a depth the venue does not know.

    Source: v2 reference, `book`; v1 reference, `book`.
    """

    _frozen: FrozenL2Book | None
    __slots__ = ("_asks_crc", "_bids_digits", "_frozen", "_given", "_verify")

    def __init__(
        self,
        symbol: str,
        depth: int = 10,
        price_decimals: int | None = None,
        qty_decimals: int | None = None,
        *,
        verify: bool = True,
    ) -> None:
        one_of("book depth", depth, BOOK_DEPTHS)
        self.symbol, self.depth, self._verify = symbol, depth, verify
        self._given = (price_decimals or 0, qty_decimals or 0)
        self._scale = Scale(*self._given)
        self._state = "empty"
        self._verified, self.verified_count = False, 0
        self._time = None
        self._clear()

    def apply(self, update: BookUpdate) -> None:  # noqa: C901 - the hot path: every call less shows in the bench
        """Take one message: a snapshot replaces the book, an update changes it.

        Sets the message's `book` and `verified`.

        Raises:
            DecodeError: a level that is not two numbers of zero or more, or a
                crossed book without a checksum to vouch for it; the book is resyncing.
            ChecksumMismatch: the result differs from the venue's; the book is resyncing.
            StaleData: an update while the book is not live; nothing has changed.

        Cost: about two microseconds for an update of two levels, at any depth.
        """
        if update.kind != "update":
            self._replace(update)
            return
        if self._state != "live":
            raise StaleData(self.symbol, self._state)
        self._frozen = None
        scale, asks, bids = self._scale, self._asks, self._bids
        asks_touched = bids_touched = False
        try:
            if update.wire_asks:
                asks_touched = asks.merge(update.wire_asks, scale, bids, self.depth)
            if update.wire_bids:
                bids_touched = bids.merge(update.wire_bids, scale, asks, self.depth)
        except DecodeError:
            self.invalidate()
            raise
        if scale.grew:
            self._recompute()
        elif asks_touched or bids_touched:
            if asks_touched:
                self._asks_crc = crc32("".join(asks.texts[:CHECKSUM_LEVELS]).encode())
            if bids_touched:
                self._bids_digits = "".join(bids.texts[:CHECKSUM_LEVELS]).encode()
            self._crc = crc32(self._bids_digits, self._asks_crc)
        if update.checksum != self._crc or not self._verify:
            self._settle(update)
            return
        update.book, update.verified = self, True
        self._time, self._verified = update.time, True
        self.verified_count += 1

    def invalidate(self) -> None:
        """Stop being live until the next snapshot."""
        self._state = "resyncing"
        self._verified = False
        self._clear()

    def freeze(self) -> FrozenL2Book:
        """Return an immutable copy, safe to hand to other threads; the same one until the next message."""
        if self._frozen is None:
            self._frozen = FrozenL2Book(self)
        return self._frozen

    def _settle(self, update: BookUpdate) -> None:
        """Compare with the checksum that came with the message, and say so."""
        update.book = self
        self._time = update.time
        if update.checksum is None or not self._verify:
            self._verified = False
            self._refuse_crossed()
        elif update.checksum == self._crc:
            update.verified = self._verified = True
            self.verified_count += 1
        else:
            found = self._crc
            self.invalidate()
            raise ChecksumMismatch(self.symbol, update.checksum, found)

    def _replace(self, update: BookUpdate) -> None:
        """Take a snapshot, padded as `_paddings` says: the first that its checksum confirms."""
        self._frozen = None
        try:
            for decimals in self._paddings(update):
                self._load(update, decimals)
                if self._crc == update.checksum:
                    break
        except DecodeError:
            self.invalidate()
            raise
        self._state = "live"
        self._settle(update)

    def _paddings(self, update: BookUpdate) -> list[tuple[int, int]]:
        """Return the decimals to try, the likeliest first.

        Those of this snapshot, at least the instrument's; where a checksum can
        tell, also the most ever seen (the sender may lose trailing zeros) and
        this snapshot's alone (an odd number must not spoil every later one).
        """
        own = most_decimals((*update.wire_asks, *update.wire_bids), 0, 0)
        usual = max(own[0], self._given[0]), max(own[1], self._given[1])
        if update.checksum is None:
            return [usual]
        seen = max(own[0], self._scale.price), max(own[1], self._scale.qty)
        return list(dict.fromkeys((usual, seen, own)))

    def _load(self, update: BookUpdate, decimals: tuple[int, int]) -> None:
        self._clear()
        self._scale = Scale(*decimals)
        self._asks.merge(update.wire_asks, self._scale, self._bids, self.depth)
        self._bids.merge(update.wire_bids, self._scale, self._asks, self.depth)
        self._recompute()

    def _recompute(self) -> None:
        self._scale.grew = False
        self._asks_crc = crc32(self._asks.best_digits())
        self._bids_digits = self._bids.best_digits()
        self._crc = crc32(self._bids_digits, self._asks_crc)

    def _clear(self) -> None:
        self._asks, self._bids = Side(1), Side(-1)
        self._asks_crc, self._bids_digits, self._crc = 0, b"", 0
        self._frozen = None

    def _refuse_crossed(self) -> None:
        asks, bids = self._asks.keys, self._bids.keys
        if asks and bids and asks[0] + bids[0] <= 0:
            self.invalidate()
            raise DecodeError(f"a crossed book of {self.symbol} without a checksum")

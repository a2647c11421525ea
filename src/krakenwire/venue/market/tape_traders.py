"""A crowd whose trades are those of a tape: the price goes where it went, and the book follows.

Each row is traded at its price and quantity by the crowd's own accounts; in
between makers quote around the latest price, and nobody takes. Orders of
others are met on the way: those that the price goes through are filled at
their own price, those at the price have their place in the queue. After the
last row the crowd goes on around the last price.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from krakenwire.model import OrderSide
from krakenwire.venue.market.tape import Tape
from krakenwire.venue.market.traders import MICRO, BookShape, TraderHand, Traders
from krakenwire.venue.matching.orders import OPPOSITE, SIDES, EngineEvent, Rested, Traded

__all__ = ["TapeTraders"]

_NEAR_LEVELS: Final = 4
_NEAR_GAPS: Final = 40
"""A side follows the price while its first few levels are within so many usual distances, or a twentieth of a
per cent; otherwise some levels are laid anew."""

_LAID_LEVELS: Final = 20


class TapeTraders(Traders):
    """Everybody who trades one instrument, driven by a tape.

    Args:
        makers, takers, random, actions_per_s, shape: as for `Traders`.
        tape: what is traded.
    """

    def __init__(
        self,
        makers: TraderHand,
        takers: TraderHand,
        random: Random,
        actions_per_s: float,
        shape: BookShape,
        tape: Tape,
    ) -> None:
        self._tape, self._row = tape, 0
        self._tape_side: OrderSide = "buy"
        super().__init__(makers, takers, random, actions_per_s, shape)

    @property
    def next_offset_ns(self) -> int:
        """When the next action is due, or the next row."""
        if not self._plays():
            return self._action_offset_ns
        return min(self._tape.row(self._row).offset_ns, self._action_offset_ns)

    def _plays(self) -> bool:
        return self._row < len(self._tape)

    def act(self, now_ns: int) -> None:
        """Trade the row that is due, or do something of one's own."""
        if not self._plays() or self._action_offset_ns < self._tape.row(self._row).offset_ns:
            super().act(now_ns)
            return
        row = self._tape.row(self._row)
        self._row += 1
        self._print(row.price, row.qty, now_ns)
        if not self._plays():
            self._settle_at(row.price)

    # -- rows ------------------------------------------------------------------

    def _print(self, price: int, qty: int, now_ns: int) -> None:
        """Let a trade happen at a price."""
        last = self.market.last_price
        if price != last:
            self._tape_side = "buy" if price > last else "sell"
        side = self._tape_side
        self._fair = price * MICRO
        for each in SIDES:
            self._make_way(each, price, now_ns)
        for each in SIDES:
            self._take_beyond(each, price, now_ns)
        qty -= self._fill(OPPOSITE[side], qty, price, now_ns)
        if qty and self._best_price(side) != price:
            self._own.update(
                event.order_id
                for event in self._makers.place(OPPOSITE[side], qty, price, now_ns, post_only=True)
                if isinstance(event, Rested)
            )
            self._fill(side, qty, price, now_ns)
        for each in SIDES:
            self._quote_around(each, now_ns)

    def _make_way(self, side: OrderSide, price: int, now_ns: int) -> None:
        """Withdraw the crowd's orders of a side at a price or better, so that one trade prints the row."""
        book, found, rank = self._book(side), [], 0
        while rank < len(book) and (book.at(rank).price - price) * book.sign >= 0:
            found += [order for order in book.at(rank) if order.order_id in self._own]
            rank += 1
        for order in found:
            self._cancel(order, now_ns)

    def _take_beyond(self, side: OrderSide, price: int, now_ns: int) -> None:
        """Take the orders of others that are still better than a price."""
        book, qty, rank = self._book(OPPOSITE[side]), 0, 0
        while rank < len(book) and (book.at(rank).price - price) * book.sign > 0:
            qty += book.at(rank).qty
            rank += 1
        if qty:
            self._takers.place(side, qty, price + book.sign, now_ns, "ioc")

    def _fill(self, side: OrderSide, qty: int, price: int, now_ns: int) -> int:
        """Take what rests at a price; return how much it was."""
        if self._best_price(OPPOSITE[side]) != price:
            return 0
        return _traded(self._takers.place(side, qty, price, now_ns, "ioc"))

    def _quote_around(self, side: OrderSide, now_ns: int) -> None:
        """After a leap of the price let a side begin near it again, and all of it if little was left."""
        book = self._book(side)
        near = book.at(_NEAR_LEVELS - 1).price if len(book) >= _NEAR_LEVELS else None
        if near is not None and abs(near - self.fair_price) <= max(_NEAR_GAPS * self._gap, self.fair_price // 2_000):
            return
        levels = self._shape.target if len(book) < self._shape.floor // 2 else min(_LAID_LEVELS, self._shape.target)
        for rank, price in enumerate(self._ladder(side, levels)):
            self._place(side, self._size(rank), price, now_ns)
        while len(book) > self._shape.ceiling:
            order = self._own_order(book.at(len(book) - 1))
            if order is None:
                break
            self._cancel(order, now_ns)

    def _best_price(self, side: OrderSide) -> int | None:
        best = self._book(side).best()
        return None if best is None else best.price

    # -- in between ------------------------------------------------------------

    def _wander(self) -> None:
        """The fair price is the tape's while there is one."""
        if not self._plays():
            super()._wander()

    def _choose(self) -> Callable[[int], None]:
        """Pick an ordinary action; while there is a tape nobody else takes."""
        chosen = super()._choose()
        return self._quote if self._plays() and chosen == self._take else chosen


def _traded(events: list[EngineEvent]) -> int:
    return sum(event.qty for event in events if isinstance(event, Traded))

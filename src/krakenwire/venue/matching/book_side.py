"""The resting orders of one instrument: queues at prices, and prices in order.

What `matching.py` keeps its book in. It decides nothing: who trades with whom
and why an order comes or goes is the engine's. Views and traders read it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from krakenwire.model import OrderSide
from krakenwire.venue.matching.orders import SelfTrade

__all__ = ["BookSide", "PriceLevel", "RestingOrder"]


class RestingOrder:
    """An order in the book, or on its way there.

    Attributes:
        qty: lots it shows; on its way, all that is left of it.
        hidden: lots it holds back, 0 unless it is an iceberg.
        time_ns: when it took its place in the queue.
        owner: whose it is; 0 for nobody, who may trade with anybody.
        self_trade: who gives way when it comes in and meets its owner's orders.
        display_qty: lots an iceberg shows at a time, None for an order that shows itself.
        reduce_qty: lots a reduce-only order may still trade, None for any other.
    """

    __slots__ = (
        "display_qty",
        "hidden",
        "level",
        "next",
        "order_id",
        "owner",
        "post_only",
        "previous",
        "price",
        "qty",
        "reduce_qty",
        "self_trade",
        "side",
        "time_ns",
    )

    def __init__(
        self,
        order_id: int,
        side: OrderSide,
        price: int,
        qty: int,
        time_ns: int,
        post_only: bool,
        owner: int = 0,
        self_trade: SelfTrade = "cancel_newest",
        display_qty: int | None = None,
        reduce_qty: int | None = None,
    ) -> None:
        self.order_id = order_id
        self.side = side
        self.price = price
        self.qty = qty
        self.hidden = 0
        self.time_ns = time_ns
        self.post_only = post_only
        self.owner = owner
        self.self_trade = self_trade
        self.display_qty = display_qty
        self.reduce_qty = reduce_qty
        self.level: PriceLevel | None = None
        self.previous: RestingOrder | None = None
        self.next: RestingOrder | None = None

    @property
    def remaining(self) -> int:
        """Lots left in all, hidden ones too."""
        return self.qty + self.hidden

    def hide(self) -> None:
        """Show no more of all that remains than an iceberg may."""
        if self.display_qty is not None:
            total = self.qty + self.hidden
            self.qty = min(total, self.display_qty)
            self.hidden = total - self.qty


class PriceLevel:
    """The orders at one price, oldest place first; `qty` is what they show, `hidden` what they hold back.

    A doubly linked queue: joining the end and leaving from anywhere are O(1).
    `time_ns` is when the level last changed. A level read from the book is of
    that moment: read it before the next command.
    """

    __slots__ = ("count", "first", "hidden", "last", "price", "qty", "time_ns")

    def __init__(self, price: int) -> None:
        self.price = price
        self.qty = 0
        self.hidden = 0
        self.count = 0
        self.time_ns = 0
        self.first: RestingOrder | None = None
        self.last: RestingOrder | None = None

    def __iter__(self) -> Iterator[RestingOrder]:
        order = self.first
        while order is not None:
            yield order
            order = order.next

    def append(self, order: RestingOrder) -> None:
        """Put an order at the end of the queue."""
        order.level, order.previous, order.next = self, self.last, None
        if self.last is None:
            self.first = order
        else:
            self.last.next = order
        self.last = order
        self.count += 1
        self.qty += order.qty
        self.hidden += order.hidden

    def remove(self, order: RestingOrder) -> None:
        """Take an order out of the queue, wherever it stands."""
        before, after = order.previous, order.next
        if before is None:
            self.first = after
        else:
            before.next = after
        if after is None:
            self.last = before
        else:
            after.previous = before
        order.level = order.previous = order.next = None
        self.count -= 1
        self.qty -= order.qty
        self.hidden -= order.hidden


class BookSide:
    """One side of the book: levels by price, and their prices in order.

    `keys` holds ``sign * price`` in ascending order, so on both sides the best
    level is the last one and work near the touch moves few elements. Readers
    use the methods, which the compiled twin has too.

    Cost: finding a price is O(1), a new or emptied level O(log n) to find plus
    moving one pointer for every level between it and the touch.
    """

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, side: OrderSide) -> None:
        self.sign = 1 if side == "buy" else -1
        self.keys: list[int] = []
        self.levels: dict[int, PriceLevel] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def best(self) -> PriceLevel | None:
        """Return the best level, None when the side is empty."""
        return self.levels[self.sign * self.keys[-1]] if self.keys else None

    def at(self, rank: int) -> PriceLevel:
        """Return the level `rank` places behind the best one, which is rank 0."""
        return self.levels[self.price_at(rank)]

    def price_at(self, rank: int) -> int:
        """Return the price of the level `rank` places behind the best one."""
        if rank < 0:
            raise IndexError(rank)
        return self.sign * self.keys[-1 - rank]

    def level(self, price: int) -> PriceLevel | None:
        """Return the level at a price, None when nobody rests there."""
        return self.levels.get(price)

    def top(self, count: int) -> list[PriceLevel]:
        """Return up to `count` levels, best first."""
        sign, levels = self.sign, self.levels
        return [levels[sign * key] for key in self.keys[: -max(count, 0) - 1 : -1]]

    def rank(self, price: int) -> int:
        """Return how many levels are better than this price."""
        keys = self.keys
        position = bisect_left(keys, self.sign * price)
        return len(keys) - position - (position < len(keys) and keys[position] == self.sign * price)

    def join(self, order: RestingOrder) -> None:
        """Put an order at the end of the queue at its price."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = PriceLevel(order.price)
            insort(self.keys, self.sign * order.price)
        level.append(order)
        level.time_ns = order.time_ns

    def leave(self, order: RestingOrder, time_ns: int) -> None:
        """Take an order out; the level goes with its last order."""
        level = order.level
        assert level is not None
        level.remove(order)
        level.time_ns = time_ns
        if level.first is None:
            del self.levels[level.price]
            key = self.sign * level.price
            if self.keys[-1] == key:
                self.keys.pop()
            else:
                del self.keys[bisect_left(self.keys, key)]

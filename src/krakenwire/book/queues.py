"""One side of an L3 book: price levels, each a queue of orders, oldest first.

The order of a queue is part of what the checksum proves, so it is never
sorted by time: it is the order in which the venue told us. Next: `l3`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal, localcontext

import msgspec

from krakenwire.book.digits import scaled
from krakenwire.book.side import Scale
from krakenwire.limits import CHECKSUM_LEVELS
from krakenwire.model.market import Level, Level3Order

__all__ = ["OrderQueues"]

_Queue = dict[str, Level3Order]


class OrderQueues:
    """Orders of one side.

    Attributes:
        keys: scaled prices, ascending; negated for bids, so the best is first.
    """

    __slots__ = ("_places", "_queues", "keys", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self._queues: dict[int, _Queue] = {}
        self._places: dict[str, int] = {}

    def add(self, order: Level3Order, price: int, qty: int) -> bool:
        """Put an order at the end of its level's queue. Returns whether that made sense."""
        known = self.delete(order, price, qty)
        if not qty:
            return False
        key = price * self.sign
        if key not in self._queues:
            self.keys.insert(bisect_left(self.keys, key), key)
            self._queues[key] = {}
        self._queues[key][order.order_id] = order
        self._places[order.order_id] = key
        return not known

    def modify(self, order: Level3Order, price: int, qty: int) -> bool:
        """Change an order's quantity in its place; at another price it goes to the end there."""
        key = self._places.get(order.order_id)
        if key is None:
            return False
        if not qty:
            return self.delete(order, price, qty)
        if key != price * self.sign:
            self.delete(order, price, qty)
            return self.add(order, price, qty)
        self._queues[key][order.order_id] = order
        return True

    def delete(self, order: Level3Order, _price: int, _qty: int) -> bool:
        """Take an order out. Returns whether it was there."""
        key = self._places.pop(order.order_id, None)
        if key is None:
            return False
        queue = self._queues[key]
        del queue[order.order_id]
        if not queue:
            del self._queues[key], self.keys[bisect_left(self.keys, key)]
        return True

    def truncate(self, depth: int) -> None:
        """Forget the levels beyond `depth`: the venue sends no delete for them."""
        while len(self.keys) > depth:
            for order_id in self._queues.pop(self.keys.pop()):
                del self._places[order_id]

    def rescale(self, factor: int) -> None:
        """Multiply every price."""
        self.keys = [key * factor for key in self.keys]
        self._queues = {key * factor: queue for key, queue in self._queues.items()}
        self._places = {order_id: key * factor for order_id, key in self._places.items()}

    def best_digits(self, scale: Scale) -> bytes:
        """Return this side's part of the checksum's input: every order of the best ten levels."""
        parts: list[str] = []
        for key in self.keys[:CHECKSUM_LEVELS]:
            price = str(abs(key)) if key else ""
            for order in self._queues[key].values():
                parts += (price, str(scaled(order.qty_text, scale.qty)))
        return "".join(parts).encode()

    def orders(self) -> Iterator[Level3Order]:
        """Yield every order, best price first, then in queue order."""
        for key in self.keys:
            yield from self._queues[key].values()

    def levels(self) -> Iterator[Level]:
        """Yield each price with the exact sum of its orders, best first."""
        with localcontext(prec=200):
            for key in self.keys:
                queue = self._queues[key].values()
                yield Level(next(iter(queue)).price, sum((order.qty for order in queue), Decimal(0)))

    def copy(self) -> OrderQueues:
        """Return an independent copy."""
        copied = OrderQueues(self.sign)
        copied.keys, copied._places = self.keys.copy(), self._places.copy()
        copied._queues = {key: queue.copy() for key, queue in self._queues.items()}
        return copied


def resting(order: Level3Order) -> Level3Order:
    """Return the order as it rests in the book, without the event that brought it."""
    return order if order.event is None else msgspec.structs.replace(order, event=None)

"""A price-time-priority matching engine for one instrument, in whole ticks and lots.

It takes commands (`place`, `cancel`, `amend`) with the engine time and answers
with events; it knows no accounts, no text, no clock. This is the readable
twin of a native engine with the same commands and events (`orders.py`), which
must agree event by event. The market around it is `market.py`.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from krakenwire.model import OrderSide
from krakenwire.venue.orders import (
    OPPOSITE,
    Accepted,
    Changed,
    EngineEvent,
    Finished,
    Refused,
    Removed,
    Rested,
    TimeInForce,
    Traded,
)

__all__ = ["BookSide", "MatchingEngine", "PriceLevel", "RestingOrder"]


class RestingOrder:
    """An order in the book. `time_ns` is when it took its place in the queue."""

    __slots__ = ("level", "next", "order_id", "post_only", "previous", "price", "qty", "side", "time_ns")

    def __init__(self, order_id: int, side: OrderSide, price: int, qty: int, time_ns: int, post_only: bool) -> None:
        self.order_id = order_id
        self.side = side
        self.price = price
        self.qty = qty
        self.time_ns = time_ns
        self.post_only = post_only
        self.level: PriceLevel | None = None
        self.previous: RestingOrder | None = None
        self.next: RestingOrder | None = None


class PriceLevel:
    """The orders at one price, oldest first, and their total quantity.

    A doubly linked queue: joining the end and leaving from anywhere are O(1).
    `time_ns` is when the level last changed.
    """

    __slots__ = ("count", "first", "last", "price", "qty", "time_ns")

    def __init__(self, price: int) -> None:
        self.price = price
        self.qty = 0
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


class BookSide:
    """One side of the book: levels by price, and their prices in order.

    `keys` holds ``sign * price`` in ascending order, so on both sides the best
    level is the last one and work near the touch moves few elements.

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
        return self.levels[self.sign * self.keys[-1 - rank]]

    def top(self, count: int) -> list[PriceLevel]:
        """Return up to `count` levels, best first."""
        sign, levels = self.sign, self.levels
        return [levels[sign * key] for key in self.keys[: -count - 1 : -1]]

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


class MatchingEngine:
    """The book of one instrument and the rules of matching.

    Prices are ticks, quantities lots, times nanoseconds that must not go back.
    Each command returns the events it caused, in the order they happened; a
    command that cannot be followed gives one `Refused` and changes nothing.
    """

    __slots__ = ("_sides", "asks", "bids", "orders")

    def __init__(self) -> None:
        self.bids = BookSide("buy")
        self.asks = BookSide("sell")
        self.orders: dict[int, RestingOrder] = {}
        self._sides: dict[OrderSide, BookSide] = {"buy": self.bids, "sell": self.asks}

    def side(self, side: OrderSide) -> BookSide:
        """Return the bids for ``buy``, the asks for ``sell``."""
        return self._sides[side]

    def place(
        self,
        order_id: int,
        side: OrderSide,
        qty: int,
        price: int | None,
        time_ns: int,
        time_in_force: TimeInForce = "gtc",
        post_only: bool = False,
    ) -> list[EngineEvent]:
        """Take in a new order: match what can be matched, rest what may rest.

        Args:
            order_id: never used before.
            side: ``buy`` or ``sell``.
            qty: lots, above zero.
            price: limit in ticks, above zero; None for a market order, which never rests.
            time_ns: engine time of the command.
            time_in_force: ``gtc`` rests, ``ioc`` does not, ``fok`` trades all or nothing.
            post_only: refuse instead of trading on arrival.
        """
        refusal = self._refusal(order_id, side, qty, price, time_in_force, post_only)
        if refusal:
            return [Refused(order_id, refusal, time_ns)]
        events: list[EngineEvent] = [Accepted(order_id, side, price, qty, time_ns)]
        left = self._match(events, order_id, side, qty, price, time_ns)
        if left == 0:
            events.append(Finished(order_id, side, 0, time_ns, "filled"))
        elif price is None or time_in_force != "gtc":
            events.append(Finished(order_id, side, left, time_ns, "no liquidity" if price is None else "ioc"))
        else:
            self._rest(events, RestingOrder(order_id, side, price, left, time_ns, post_only))
        return events

    def cancel(self, order_id: int, time_ns: int) -> list[EngineEvent]:
        """Take a resting order out of the book."""
        order = self.orders.get(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        return [self._remove(order, time_ns, "cancel")]

    def amend(self, order_id: int, time_ns: int, qty: int | None = None, price: int | None = None) -> list[EngineEvent]:
        """Change what a resting order asks for.

        Args:
            order_id: a resting order.
            time_ns: engine time of the command.
            qty: new remaining quantity in lots; None leaves it.
            price: new limit in ticks; None leaves it.

        Less quantity at the same price keeps the place in the queue; more
        quantity or another price loses it, and another price may trade.
        Source: v2 reference, sections 6.3 and 8.3.
        """
        order = self.orders.get(order_id)
        if order is None:
            return [Refused(order_id, "unknown order", time_ns)]
        qty = order.qty if qty is None else qty
        price = order.price if price is None else price
        refusal = self._amend_refusal(order, qty, price)
        if refusal:
            return [Refused(order_id, refusal, time_ns)]
        if price == order.price and qty < order.qty:
            return [self._reduce(order, qty, time_ns, "amend")]
        return self._move(order, qty, price, time_ns)

    def fillable(self, side: OrderSide, price: int | None, enough: int) -> int:
        """Return how many lots an order could trade at once, counting no further than `enough`.

        Cost: O(levels touched).
        """
        other = self._sides[OPPOSITE[side]]
        limit = None if price is None else other.sign * price
        found = 0
        for key in reversed(other.keys):
            if found >= enough or (limit is not None and key < limit):
                break
            found += other.levels[other.sign * key].qty
        return min(found, enough)

    def crosses(self, side: OrderSide, price: int) -> bool:
        """Return whether a limit order at this price would trade at once."""
        other = self._sides[OPPOSITE[side]]
        return bool(other.keys) and other.keys[-1] >= other.sign * price

    def _refusal(
        self, order_id: int, side: OrderSide, qty: int, price: int | None, time_in_force: TimeInForce, post_only: bool
    ) -> str:
        if order_id in self.orders:
            return "duplicate order"
        if qty <= 0 or (price is not None and price <= 0):
            return "not positive"
        if post_only and (price is None or self.crosses(side, price)):
            return "post only"
        if time_in_force == "fok" and self.fillable(side, price, qty) < qty:
            return "cannot fill"
        return ""

    def _amend_refusal(self, order: RestingOrder, qty: int, price: int) -> str:
        if qty <= 0 or price <= 0:
            return "not positive"
        if qty == order.qty and price == order.price:
            return "no change"
        if order.post_only and price != order.price and self.crosses(order.side, price):
            return "post only"
        return ""

    def _match(
        self, events: list[EngineEvent], taker_id: int, side: OrderSide, left: int, price: int | None, time_ns: int
    ) -> int:
        """Trade against the other side, best price and oldest order first; return what is left."""
        other = self._sides[OPPOSITE[side]]
        limit = None if price is None else other.sign * price
        while left and other.keys and (limit is None or other.keys[-1] >= limit):
            maker = other.levels[other.sign * other.keys[-1]].first
            assert maker is not None
            qty = min(left, maker.qty)
            left -= qty
            events.append(Traded(maker.order_id, taker_id, side, maker.price, qty, maker.qty - qty, left, time_ns))
            if qty == maker.qty:
                events.append(self._remove(maker, time_ns, "trade"))
            else:
                events.append(self._reduce(maker, maker.qty - qty, time_ns, "trade"))
        return left

    def _rest(self, events: list[EngineEvent], order: RestingOrder) -> None:
        self.orders[order.order_id] = order
        self._sides[order.side].join(order)
        events.append(Rested(order.side, order.price, order.order_id, order.qty, order.time_ns))

    def _remove(self, order: RestingOrder, time_ns: int, reason: str) -> Removed:
        del self.orders[order.order_id]
        self._sides[order.side].leave(order, time_ns)
        return Removed(order.side, order.price, order.order_id, order.qty, time_ns, reason)

    def _reduce(self, order: RestingOrder, qty: int, time_ns: int, reason: str) -> Changed:
        level = order.level
        assert level is not None
        level.qty -= order.qty - qty
        level.time_ns = time_ns
        order.qty = qty
        return Changed(order.side, order.price, order.order_id, qty, time_ns, reason)

    def _move(self, order: RestingOrder, qty: int, price: int, time_ns: int) -> list[EngineEvent]:
        """Give up the place in the queue and come in again at the new price and quantity."""
        events: list[EngineEvent] = [self._remove(order, time_ns, "amend")]
        left = self._match(events, order.order_id, order.side, qty, price, time_ns)
        if left == 0:
            events.append(Finished(order.order_id, order.side, 0, time_ns, "filled"))
            return events
        self._rest(events, RestingOrder(order.order_id, order.side, price, left, time_ns, order.post_only))
        return events

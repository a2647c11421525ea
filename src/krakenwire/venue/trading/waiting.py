"""Orders that wait for the market, found by the price they wait for and not by asking each of them.

A stop that fires when its reference has risen stands in a heap with the lowest
trigger on top, one that fires when it has fallen in one with the highest;
trailing orders stand in a second heap by the best reference they have seen.
What has changed since it was put there is passed over when it comes to the top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from krakenwire.model.orders import TriggerReference
from krakenwire.venue.trading.account_order import AccountOrder, Trigger

__all__ = ["Waiting"]

_Heap = list[tuple[int, int]]
"""A key and the number of an order, the least key on top."""

_RISES, _FALLS = 1, -1
_STALE_MAX: Final = 1_000
"""Entries of no order that a heap may have beyond as many as there are orders, twice."""

_KINDS: Final[tuple[tuple[TriggerReference, int], ...]] = (
    ("last", _RISES),
    ("last", _FALLS),
    ("index", _RISES),
    ("index", _FALLS),
)


def _kind(trigger: Trigger) -> tuple[TriggerReference, int]:
    return trigger.reference, _RISES if trigger.rises else _FALLS


class Waiting:
    """The orders of one market whose triggers have not fired.

    What has been reached fires, oldest first, even if the market turns before its turn comes.

    Cost: a move of the market costs the triggers that it reaches and the trailing ones that it moves, each the
    logarithm of all, and nothing for the others.
    """

    def __init__(self) -> None:
        self._orders: dict[int, AccountOrder] = {}
        self._triggers: dict[tuple[TriggerReference, int], _Heap] = {kind: [] for kind in _KINDS}
        self._peaks: dict[tuple[TriggerReference, int], _Heap] = {kind: [] for kind in _KINDS}
        self._reached: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: AccountOrder) -> None:
        """Let an order wait, or take note that its trigger price was changed."""
        assert order.trigger is not None
        self._orders[order.number] = order
        self._put(order, order.trigger)
        if order.trigger.trails:
            self._put_peak(order, order.trigger)

    def discard(self, order: AccountOrder) -> None:
        """Let an order wait no more."""
        self._orders.pop(order.number, None)

    def due(
        self, reference: Callable[[TriggerReference], int], moved: Callable[[AccountOrder], None]
    ) -> tuple[AccountOrder, int] | None:
        """Let triggers follow the market; return the oldest order that fires now, no longer waiting, or None.

        Args:
            reference: tells a reference price in ticks, 0 before any.
            moved: told of each order whose trigger price follows.

        Returns:
            The order, and the reference that reached its trigger.
        """
        for kind in _KINDS:
            if self._triggers[kind] and (price := reference(kind[0])):
                self._follow(kind, price, moved)
                self._reach(kind, price)
        while self._reached:
            number, price = heappop(self._reached)
            order = self._orders.pop(number, None)
            if order is not None:
                return order, price
        return None

    def _follow(self, kind: tuple[TriggerReference, int], price: int, moved: Callable[[AccountOrder], None]) -> None:
        """Let trailing triggers keep their distance from a better reference, oldest first."""
        heap, sign = self._peaks[kind], kind[1]
        following = dict(self._taken(heap, -sign * price, _peak_key))
        for _, order in sorted(following.items()):
            assert order.trigger is not None
            if order.trigger.follow(price):
                moved(order)
                self._put(order, order.trigger)
            self._put_peak(order, order.trigger)

    def _reach(self, kind: tuple[TriggerReference, int], price: int) -> None:
        """Find the triggers that a reference has reached."""
        for number, _ in self._taken(self._triggers[kind], kind[1] * price + 1, _trigger_key):
            heappush(self._reached, (number, price))

    def _taken(self, heap: _Heap, below: int, key_of: Callable[[Trigger], int]) -> Iterator[tuple[int, AccountOrder]]:
        """Take what has a lower key off a heap, and what is no longer so with it."""
        while heap and heap[0][0] < below:
            key, number = heappop(heap)
            order = self._orders.get(number)
            if order is not None and order.trigger is not None and key_of(order.trigger) == key:
                yield number, order

    def _put(self, order: AccountOrder, trigger: Trigger) -> None:
        self._push(self._triggers[_kind(trigger)], _trigger_key(trigger), order.number)

    def _put_peak(self, order: AccountOrder, trigger: Trigger) -> None:
        self._push(self._peaks[_kind(trigger)], _peak_key(trigger), order.number)

    def _push(self, heap: _Heap, key: int, number: int) -> None:
        """Put an entry on a heap; one that is mostly of orders that no longer wait is cleared of them first."""
        if len(heap) > 2 * len(self._orders) + _STALE_MAX:
            heap[:] = [entry for entry in heap if entry[1] in self._orders]
            heapify(heap)
        heappush(heap, (key, number))


def _trigger_key(trigger: Trigger) -> int:
    return trigger.price if trigger.rises else -trigger.price


def _peak_key(trigger: Trigger) -> int:
    return -trigger.peak if trigger.rises else trigger.peak

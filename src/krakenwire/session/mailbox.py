"""What waits for one consumer: bounded, with a stated policy for the day it is full.

`block` makes the connection wait, `conflate` keeps the newest of each symbol,
`drop` gives up the oldest and says so with a `Gap`. One consumer's mailbox
never makes another one's grow. It is not safe to share between threads.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Generic, TypeVar

from krakenwire.model import Gap, Resynced, SubscriptionKey

__all__ = ["Mailbox", "Policy"]

ItemT = TypeVar("ItemT")

_BEFORE_GAP, _GAP, _RESYNCED, _AFTER_GAP, _OTHER = range(5)


class Policy(Enum):
    """What happens when a consumer is slower than its stream."""

    BLOCK = "block"
    """Reading from the connection pauses until there is room. Nothing is lost, everything is late."""

    CONFLATE = "conflate"
    """A waiting item is replaced by the next of the same symbol. Always current, never all."""

    DROP = "drop"
    """The oldest items go; a `Gap` with their number comes in their place."""


class Mailbox(Generic[ItemT]):
    """Items waiting for one consumer.

    Args:
        policy: what to do when `capacity` items wait.
        capacity: items; under `conflate` the number of symbols is the bound.
        channel_name: for the `Gap` of dropped items.
    """

    def __init__(self, policy: Policy, capacity: int, channel_name: str) -> None:
        self.policy = policy
        self.capacity = capacity
        self.dropped = 0
        self._channel_name = channel_name
        self._queue: deque[tuple[SubscriptionKey, ItemT]] = deque()
        self._newest: dict[tuple[SubscriptionKey, int], ItemT] = {}
        self._told = False
        self._lost = 0
        self._lost_keys: set[SubscriptionKey] = set()

    def __len__(self) -> int:
        return len(self._newest) if self.policy is Policy.CONFLATE else len(self._queue) + (self._lost > 0)

    @property
    def full(self) -> bool:
        """Whether a `block` mailbox has no room: whoever reads from the connection has to wait."""
        return self.policy is Policy.BLOCK and len(self._queue) >= self.capacity

    def put(self, item: ItemT, key: SubscriptionKey) -> None:
        """Let an item wait; under `conflate` it takes the place of the one that waits for the same key."""
        if self.policy is not Policy.CONFLATE:
            self._queue_up(item, key)
        elif self._told and ((key, _GAP) in self._newest or (key, _RESYNCED) in self._newest):
            self._newest[key, _AFTER_GAP] = item
        else:
            self._newest[key, _BEFORE_GAP] = item

    def put_notice(self, notice: ItemT, key: SubscriptionKey) -> None:
        """Let word of a gap, its end, or a refusal wait in its place among the items.

        Under `conflate` what came before a gap is not mixed with what came
        after: the newest of each stays, and of several gaps the last.
        """
        if self.policy is not Policy.CONFLATE:
            self._queue_up(notice, key)
            return
        self._told = True
        waiting = self._newest
        if isinstance(notice, Gap):
            after = waiting.pop((key, _AFTER_GAP), None)
            waiting.pop((key, _GAP), None)
            waiting.pop((key, _RESYNCED), None)
            if after is not None:
                waiting.pop((key, _BEFORE_GAP), None)
                waiting[key, _BEFORE_GAP] = after
            waiting[key, _GAP] = notice
        else:
            waiting[key, _RESYNCED if isinstance(notice, Resynced) else _OTHER] = notice

    def take(self) -> ItemT | Gap | None:
        """Return the next item, None when nothing waits."""
        if self.policy is Policy.CONFLATE:
            return self._newest.pop(next(iter(self._newest))) if self._newest else None
        if self._lost:
            return self._gap()
        return self._queue.popleft()[1] if self._queue else None

    def clear(self) -> None:
        """Throw away what waits."""
        self._queue.clear()
        self._newest.clear()
        self._told = False
        self._lost = 0
        self._lost_keys.clear()

    def _queue_up(self, item: ItemT, key: SubscriptionKey) -> None:
        if self.policy is Policy.DROP and len(self._queue) >= self.capacity:
            self._lost += 1
            self.dropped += 1
            self._lost_keys.add(self._queue.popleft()[0])
        self._queue.append((key, item))

    def _gap(self) -> Gap:
        one = len(self._lost_keys) == 1
        _, symbol, interval = next(iter(self._lost_keys)) if one else (None, None, None)
        gap = Gap(
            channel_name=self._channel_name,
            symbol=symbol,
            interval=interval,
            reason="slow consumer",
            dropped=self._lost,
        )
        self._lost = 0
        self._lost_keys.clear()
        return gap

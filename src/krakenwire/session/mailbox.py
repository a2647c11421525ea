"""What waits for one consumer: bounded, with a stated policy for the day it is full.

`block` makes the connection wait, `conflate` keeps the newest of each symbol,
`drop` gives up the oldest and says so with a `Gap`. One consumer's mailbox
never makes another one's grow. It is not safe to share between threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from enum import Enum
from typing import Generic, TypeVar

from krakenwire.model import Gap, Resynced

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
        self._queue: deque[tuple[Hashable, ItemT]] = deque()
        self._newest: dict[tuple[Hashable, int], ItemT] = {}
        self._lost = 0
        self._lost_keys: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self._newest) if self.policy is Policy.CONFLATE else len(self._queue) + (self._lost > 0)

    @property
    def full(self) -> bool:
        """Whether a `block` mailbox has no room: whoever reads from the connection has to wait."""
        return self.policy is Policy.BLOCK and len(self._queue) >= self.capacity

    def put(self, item: ItemT, key: Hashable) -> None:
        """Let an item wait. `key` tells which items replace one another: the symbol, and the interval of candles."""
        if self.policy is Policy.CONFLATE:
            self._replace(item, key)
            return
        if self.policy is Policy.DROP and len(self._queue) >= self.capacity:
            self._lost += 1
            self.dropped += 1
            self._lost_keys.add(self._queue.popleft()[0])
        self._queue.append((key, item))

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
        self._lost = 0
        self._lost_keys.clear()

    def _replace(self, item: ItemT, key: Hashable) -> None:
        """Keep the newest item, in the first one's place; what came before a gap is not mixed with what came after."""
        waiting = self._newest
        if isinstance(item, Gap):
            after = waiting.pop((key, _AFTER_GAP), None)
            waiting.pop((key, _GAP), None)
            waiting.pop((key, _RESYNCED), None)
            if after is not None:
                waiting.pop((key, _BEFORE_GAP), None)
                waiting[key, _BEFORE_GAP] = after
            waiting[key, _GAP] = item
        elif isinstance(item, Resynced):
            waiting[key, _RESYNCED] = item
        elif getattr(item, "channel", None) in ("refused", "checksum_failed"):
            waiting[key, _OTHER] = item
        else:
            after_gap = (key, _GAP) in waiting or (key, _RESYNCED) in waiting
            waiting[key, _AFTER_GAP if after_gap else _BEFORE_GAP] = item

    def _gap(self) -> Gap:
        key = next(iter(self._lost_keys)) if len(self._lost_keys) == 1 else None
        symbol, interval = key if isinstance(key, tuple) else (None, None)
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

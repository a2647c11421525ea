"""Who gets which frames: topics shared by all connections that follow the same thing.

A topic encodes each change once, whoever listens; the publisher knows who
does. It sends nothing itself: it returns frames and receivers to its driver.
The topics are in `topics_v2.py` and `topics_v1.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator
from typing import Generic, Protocol, TypeVar

__all__ = ["Publisher", "Topic", "TopicKey"]

TopicKey = tuple[Hashable, ...]
"""What tells one topic from another, such as ``("v2", "book", "BTC/USD", 10)``."""


class Topic(Protocol):
    """One stream of frames, the same for all its subscribers."""

    @property
    def key(self) -> TopicKey:
        """What identifies it."""
        ...

    @property
    def symbol(self) -> str | None:
        """The v2 symbol whose market it follows, None for what concerns all."""
        ...

    def snapshot(self, now_ns: int) -> list[str]:
        """Return the frames a new subscriber gets first: the state as last published."""
        ...

    def advance(self, now_ns: int) -> list[str]:
        """Return the frames for all subscribers since the last call; called after every market step."""
        ...


Connection = TypeVar("Connection", bound=Hashable)


class Publisher(Generic[Connection]):
    """Topics with at least one subscriber, by the market they follow.

    Connections are whatever the driver uses to tell its clients apart.
    """

    def __init__(self) -> None:
        self._topics: dict[str | None, dict[TopicKey, Topic]] = {}
        self._found: dict[TopicKey, Topic] = {}
        self._receivers: dict[TopicKey, dict[Connection, None]] = {}
        self._subscriptions: dict[Connection, dict[TopicKey, None]] = {}

    def subscribe(self, key: TopicKey, make_topic: Callable[[], Topic], connection: Connection) -> Topic:
        """Add a subscriber and return the topic, made now if nobody followed it."""
        topic = self._found.get(key)
        if topic is None:
            topic = self._found[key] = make_topic()
            self._topics.setdefault(topic.symbol, {})[key] = topic
            self._receivers[key] = {}
        self._receivers[key][connection] = None
        self._subscriptions.setdefault(connection, {})[key] = None
        return topic

    def unsubscribe(self, key: TopicKey, connection: Connection) -> bool:
        """Remove a subscriber; return whether it was one. A topic ends with its last subscriber."""
        receivers = self._receivers.get(key)
        if receivers is None or connection not in receivers:
            return False
        del receivers[connection]
        keys = self._subscriptions[connection]
        del keys[key]
        if not keys:
            del self._subscriptions[connection]
        if not receivers:
            del self._receivers[key]
            del self._topics[self._found.pop(key).symbol][key]
        return True

    def drop(self, connection: Connection) -> None:
        """Remove a connection from everything it follows."""
        for key in self.subscriptions(connection):
            self.unsubscribe(key, connection)

    def subscriptions(self, connection: Connection) -> tuple[TopicKey, ...]:
        """Return what a connection follows, in the order it subscribed."""
        return tuple(self._subscriptions.get(connection, ()))

    def receivers(self, key: TopicKey) -> Collection[Connection]:
        """Return who follows a topic."""
        return tuple(self._receivers.get(key, ()))

    def topic(self, key: TopicKey) -> Topic | None:
        """Return a topic that somebody follows, else None."""
        return self._found.get(key)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Topic]:
        return iter(tuple(self._found.values()))

    def advance(self, symbol: str | None, now_ns: int) -> list[tuple[str, Collection[Connection]]]:
        """Return the new frames of one market's topics with their receivers, in order.

        Args:
            symbol: the market that took a step; None for topics of all markets.
            now_ns: engine time.

        Cost: each topic once, whatever the number of receivers.
        """
        sent: list[tuple[str, Collection[Connection]]] = []
        for key, topic in self._topics.get(symbol, {}).items():
            frames = topic.advance(now_ns)
            if frames:
                receivers = tuple(self._receivers[key])
                sent += [(frame, receivers) for frame in frames]
        return sent

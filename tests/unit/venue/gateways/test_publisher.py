from __future__ import annotations

from krakenwire.venue.gateways.publisher import Publisher, TopicKey


class Counting:
    """A topic that says how often it was advanced."""

    def __init__(self, key: TopicKey, symbol: str | None = "BTC/USD") -> None:
        self.key, self.symbol, self.steps = key, symbol, 0

    def snapshot(self, now_ns: int) -> list[str]:
        return [f"{self.key[0]} snapshot {self.steps}"]

    def advance(self, now_ns: int) -> list[str]:
        self.steps += 1
        return [f"{self.key[0]} {self.steps} at {now_ns}"]


def publisher_with(*subscriptions: tuple[str, str]) -> Publisher[str]:
    publisher: Publisher[str] = Publisher()
    for name, connection in subscriptions:
        publisher.subscribe((name,), lambda name=name: Counting((name,)), connection)
    return publisher


def test_a_topic_is_made_once_and_encodes_once_for_all_its_subscribers() -> None:
    publisher = publisher_with(("book", "ann"), ("book", "bob"), ("trade", "bob"))
    assert len(publisher) == 2
    assert publisher.advance("BTC/USD", 7) == [("book 1 at 7", ("ann", "bob")), ("trade 1 at 7", ("bob",))]


def test_only_the_topics_of_the_market_that_moved_are_advanced() -> None:
    publisher = publisher_with(("book", "ann"))
    publisher.subscribe(("status",), lambda: Counting(("status",), None), "ann")
    assert publisher.advance("ETH/USD", 7) == []
    assert publisher.advance(None, 8) == [("status 1 at 8", ("ann",))]


def test_a_topic_ends_with_its_last_subscriber() -> None:
    publisher = publisher_with(("book", "ann"), ("book", "bob"))
    assert publisher.unsubscribe(("book",), "ann")
    assert not publisher.unsubscribe(("book",), "ann")
    assert publisher.topic(("book",)) is not None
    assert publisher.unsubscribe(("book",), "bob")
    assert publisher.topic(("book",)) is None
    assert publisher.advance("BTC/USD", 7) == []
    assert (len(publisher), list(publisher), publisher.receivers(("book",))) == (0, [], ())


def test_a_dropped_connection_leaves_everything_it_followed() -> None:
    publisher = publisher_with(("book", "ann"), ("trade", "ann"), ("trade", "bob"))
    assert publisher.subscriptions("ann") == (("book",), ("trade",))
    publisher.drop("ann")
    publisher.drop("ann")
    assert publisher.subscriptions("ann") == ()
    assert publisher.advance("BTC/USD", 7) == [("trade 1 at 7", ("bob",))]


def test_a_late_subscriber_joins_the_running_topic() -> None:
    publisher = publisher_with(("book", "ann"))
    publisher.advance("BTC/USD", 7)
    topic = publisher.subscribe(("book",), lambda: Counting(("book",)), "bob")
    assert topic.snapshot(8) == ["book snapshot 1"]

"""A subscription knows its defaults and refuses what the venue would refuse."""

from __future__ import annotations

import pytest

from krakenwire.errors import UsageError
from krakenwire.model import Subscription


@pytest.mark.parametrize(
    ("given", "depth", "interval", "trigger"),
    [
        (Subscription(channel="book", symbol="BTC/USD"), 10, None, None),
        (Subscription(channel="level3", symbol="BTC/USD", depth=1000), 1000, None, None),
        (Subscription(channel="ohlc", symbol="BTC/USD"), None, 1, None),
        (Subscription(channel="ticker", symbol="BTC/USD"), None, None, "trades"),
        (Subscription(channel="instrument"), None, None, None),
    ],
)
def test_defaults_are_the_venues(
    given: Subscription, depth: int | None, interval: int | None, trigger: str | None
) -> None:
    checked = given.checked()
    assert (checked.depth, checked.interval, checked.event_trigger) == (depth, interval, trigger)


@pytest.mark.parametrize(
    "wrong",
    [
        Subscription(channel="books", symbol="BTC/USD"),
        Subscription(channel="book", symbol="BTC/USD", depth=42),
        Subscription(channel="level3", symbol="BTC/USD", depth=25),
        Subscription(channel="ohlc", symbol="BTC/USD", interval=2),
        Subscription(channel="ticker", symbol="BTC/USD", event_trigger="never"),
        Subscription(channel="trade", symbol="BTC/USD", depth=10),
        Subscription(channel="trade"),
        Subscription(channel="instrument", symbol="BTC/USD"),
    ],
)
def test_what_the_venue_does_not_offer_is_refused_before_it_is_sent(wrong: Subscription) -> None:
    with pytest.raises(UsageError) as caught:
        wrong.checked()
    assert "expected" in str(caught.value) or "has no" in str(caught.value)


def test_only_candles_of_different_intervals_coexist() -> None:
    one, five = (Subscription(channel="ohlc", symbol="BTC/USD", interval=n).key for n in (1, 5))
    shallow, deep = (Subscription(channel="book", symbol="BTC/USD", depth=n).key for n in (10, 100))
    assert one != five
    assert shallow == deep

"""Callbacks of the asyncio client over real sockets: each event, or all of one read, on every transport there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from krakenwire.aio import Kraken
from krakenwire.apps.local_venue import LocalVenue
from krakenwire.errors import UsageError, VenueRefusal
from krakenwire.model import BookUpdate, Event, Refused, Ticker, Trades
from krakenwire.testing import local_kraken

PATIENCE_S = 30


@pytest.fixture(scope="module")
def venue() -> Iterator[LocalVenue]:
    with local_kraken(symbols=["BTC/USD", "ETH/USD"], rate=200) as running:
        yield running


class Enough:
    """A callback that keeps what it gets until it has enough of it."""

    def __init__(self, enough: Callable[[list[Any]], bool]) -> None:
        self.got: list[Any] = []
        self._enough, self._done = enough, asyncio.Event()

    def __call__(self, event: Any) -> None:
        self.got.append(event)
        if self._enough(self.got):
            self._done.set()

    async def wait(self) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            await self._done.wait()
        return self.got


@pytest.mark.parametrize("version", [1, 2])
async def test_every_event_of_what_is_listened_to_comes_verified(venue: LocalVenue, version: int) -> None:
    enough = Enough(lambda got: sum(event.channel == "book" and event.verified for event in got) >= 50)
    async with Kraken(venue.ws_v1 if version == 1 else venue.ws_v2, version=version) as kraken:
        kraken.listen(enough, "book", "BTC/USD", "ETH/USD", depth=10)
        kraken.listen(enough, "trade", "BTC/USD")
        events = await enough.wait()
        counters = kraken.counters
    kinds = {event.__class__ for event in events}
    assert BookUpdate in kinds
    assert kinds <= {BookUpdate, Trades}
    assert {event.symbol for event in events if isinstance(event, BookUpdate)} == {"BTC/USD", "ETH/USD"}
    assert (counters.gaps, counters.checksum_failures, counters.malformed, counters.fallbacks) == (0, 0, 0, 0)
    assert counters.verified >= 50


async def test_batches_hold_the_events_that_single_calls_get(venue: LocalVenue) -> None:
    single = Enough(lambda got: len(got) >= 40)
    batches = Enough(lambda got: sum(map(len, got)) >= 40)
    async with Kraken(venue.ws_v2) as kraken:
        kraken.listen(single, "ticker", "BTC/USD", event_trigger="bbo")
        kraken.listen(batches, "ticker", "BTC/USD", event_trigger="bbo", batch=True)
        await asyncio.gather(single.wait(), batches.wait())
    flat: list[Event] = [event for batch in batches.got for event in batch]
    both = min(len(flat), len(single.got))
    assert flat[:both] == single.got[:both]
    assert all(isinstance(event, Ticker) for event in flat)


async def test_refusal_of_all_symbols_is_told_and_ends_the_listener(venue: LocalVenue) -> None:
    told: list[Event] = []
    async with Kraken(venue.ws_v2) as kraken:
        listener = kraken.listen(told.append, "book", "NOPE/USD", depth=10)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(VenueRefusal, match="not supported"):
                await listener.ended()
    assert [event.__class__ for event in told] == [Refused]


async def test_error_of_a_callback_goes_to_the_loop_and_the_feed_goes_on(venue: LocalVenue) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    calls = Enough(lambda got: len(got) >= 20)

    def fail(event: Event) -> None:
        calls(event)
        raise RuntimeError("mine")

    async with Kraken(venue.ws_v2) as kraken:
        kraken.listen(fail, "book", "BTC/USD", depth=10)
        await calls.wait()
        assert kraken.counters.reconnects == 0
    assert len(reported) >= 20
    assert {str(context["exception"]) for context in reported} == {"mine"}


async def test_listener_closes_from_its_own_callback_and_as_a_context(venue: LocalVenue) -> None:
    done = asyncio.Event()
    got: list[Event] = []
    async with Kraken(venue.ws_v2) as kraken:

        def three(event: Event) -> None:
            got.append(event)
            if len(got) == 3:
                listener.close()
                done.set()

        listener = kraken.listen(three, "book", "BTC/USD", depth=10)
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
        with kraken.listen(got.append, "book", "ETH/USD", depth=10) as other:
            assert other.symbols == ("ETH/USD",)
        await asyncio.sleep(0)
        assert len(got) == 3


async def test_listening_needs_an_entered_client_and_a_channel_there_is() -> None:
    kraken = Kraken("ws://127.0.0.1:1/v2")
    with pytest.raises(UsageError, match="async with"):
        kraken.listen(print, "book", "BTC/USD")
    async with kraken:
        with pytest.raises(UsageError, match="channel"):
            kraken.listen(print, "nonsense", "BTC/USD")

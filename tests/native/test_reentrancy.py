"""Python that runs in the middle of a frame - a signal, a finalizer, another thread - may feed another frame."""

from __future__ import annotations

from typing import Any

import pytest
from tests.native.frames import CODECS, generated

from krakenwire import _native
from krakenwire.session.feed import Feed

pytestmark = pytest.mark.skipif(not _native.ENABLED, reason=f"no compiled twins in use (built: {_native.BUILT})")


class Interrupted(Feed):
    """Feeds another frame while a first one is looking for its book."""

    between: bytes | None = None

    def _book_for(self, *about: Any) -> Any:
        self._interrupt()
        return super()._book_for(*about)

    def _level3_for(self, *about: Any) -> Any:
        self._interrupt()
        return super()._level3_for(*about)

    def _interrupt(self) -> None:
        between, self.between = self.between, None
        if between is not None:
            self.feed(bytearray(between).decode())  # text of its own, which is gone behind this


def level3(price: str, orders: int) -> bytes:
    order = '{"order_id":"O%d","limit_price":%s,"order_qty":1.5,"timestamp":"2023-11-14T22:13:20.000000Z"}'
    bids = ",".join(order % (number, price) for number in range(orders))
    row = f'{{"symbol":"BTC/USD","bids":[{bids}],"asks":[],"checksum":1,"timestamp":"2023-11-14T22:13:20.000000Z"}}'
    return f'{{"channel":"level3","type":"snapshot","data":[{row}]}}'.encode()


def test_a_frame_fed_in_the_middle_of_another_leaves_both_books_right() -> None:
    frames = generated(10, 40, seed=3).frames
    first, second = [frame for frame in frames if b'"book"' in frame and b'"snapshot"' in frame][:2]
    feed, apart = Interrupted(CODECS[2]()), Feed(CODECS[2]())
    feed.between = second
    (event,) = feed.feed(first)
    for frame in (first, second):
        apart.feed(frame)
    assert {symbol: book.top(10) for symbol, book in feed._books.items()} == {
        symbol: book.top(10) for symbol, book in apart._books.items()
    }
    assert (event.symbol, event.book, feed.counters.failed) == ("BTC/USD", feed.book("BTC/USD"), 0)
    assert feed.counters.fallbacks == 1


def test_a_level3_frame_fed_in_the_middle_of_another_takes_nothing_from_under_it() -> None:
    feed = Interrupted(CODECS[2](), verify=False)
    feed.between = level3("2.0", 300)
    feed.feed(level3("7.0", 200))
    book = feed.level3("BTC/USD")
    assert book is not None
    assert (len(book.bids), str(book.best_bid)) == (200, "7.0")


def test_a_frame_whose_book_raised_does_not_hold_up_the_next() -> None:
    class Raising(Feed):
        def _book_for(self, *about: Any) -> Any:
            raise KeyboardInterrupt

    snapshot = next(frame for frame in generated(10, 40, seed=3).frames if b'"snapshot"' in frame)
    feed = Raising(CODECS[2]())
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            feed.feed(snapshot)
    assert feed.counters.fallbacks == 0

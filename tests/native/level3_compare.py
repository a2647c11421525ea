"""What the tests of the level3 twins share: both fed with the same frames and compared, and a few messages made.

Next: `test_level3_twin`, `test_level3_reader` and `test_level3_objects`, which use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from tests.native.level3_twins import MISMATCH, STALE, UNVERIFIED, VERIFIED

from krakenwire import _native
from krakenwire.book.l3 import L3Book as PureBook
from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData
from krakenwire.model import Level3Order, Level3Update
from krakenwire.protocol.v2 import encode
from krakenwire.protocol.v2.client import ClientCodec

if _native.ENABLED:
    from krakenwire._native.level3 import L3Book, Level3Reader

__all__ = ["Taker", "compare", "facts", "filled", "frame_of", "message", "needs_native", "order", "readings"]

needs_native = pytest.mark.skipif(not _native.ENABLED, reason="the compiled twins are not in use")


class Taker:
    """Decodes frames and keeps books, as the client's feed does; with a reader it asks that first."""

    def __init__(self, book: Any, *, reader: bool, depth: int, verify: bool = True) -> None:
        self.books: dict[str, Any] = {}
        self.codec = ClientCodec()
        self._make = lambda symbol: book(symbol, depth, verify=verify)
        self.reader = Level3Reader(self.book_for) if reader else None
        self.asked: list[tuple[str, str, int]] = []

    def book_for(self, symbol: str, kind: str, levels: int) -> Any:
        self.asked.append((symbol, kind, levels))
        if kind == "snapshot" and symbol not in self.books:
            self.books[symbol] = self._make(symbol)
        return self.books.get(symbol)

    def feed(self, frame: bytes) -> list[Any]:
        """Return what became of a frame, in terms that are the same for both twins."""
        done = self.reader.read(frame) if self.reader else None
        if done is not None:
            return [self._taken(*done)]
        try:
            events = self.codec.decode(frame)
        except DecodeError:
            return ["malformed"]
        return [self._applied(event) for event in events if isinstance(event, Level3Update)]

    def _taken(self, status: int, event: Any) -> Any:
        if status == STALE:
            return "stale"
        assert isinstance(event, Level3Update)
        assert event.verified == (status == VERIFIED)
        said = f"mismatch {event.book.found}" if status == MISMATCH else "taken"
        assert status in (VERIFIED, UNVERIFIED, MISMATCH)
        return said, facts(event)

    def _applied(self, event: Level3Update) -> Any:
        book = self.book_for(event.symbol, event.kind, 0)
        said = "taken"
        if book is None:
            return "stale"
        try:
            book.apply(event)
        except StaleData:
            return "stale"
        except DecodeError:
            return "malformed order"
        except ChecksumMismatch as error:
            said = f"mismatch {error.found}"
        assert event.book is book
        return said, facts(event)


def facts(event: Any) -> tuple[Any, ...]:
    return tuple(getattr(event, name) for name in Level3Update.__struct_fields__ if name != "book")


def readings(book: Any) -> tuple[Any, ...]:
    """Everything that a book shows."""
    if book is None:
        return ()
    shown: tuple[Any, ...] = (book.state, book.verified, book.verified_count, book.stray_events, repr(book))
    if book.state == "live":
        shown += (book.bids, book.asks, book.checksum, book.time_ns, book.best_bid, book.best_ask)
        shown += (book.bid_levels, book.ask_levels, list(map(str, book.bid_levels)))
    return shown


def compare(frames: Iterable[bytes], depth: int = 10, *, verify: bool = True, every: int = 1) -> Taker:
    """Feed both twins, compare all they show, and return the native one."""
    pure = Taker(PureBook, reader=False, depth=depth, verify=verify)
    native = Taker(L3Book, reader=True, depth=depth, verify=verify)
    for n, frame in enumerate(frames):
        found, expected = native.feed(frame), pure.feed(frame)
        assert found == expected, (frame, found, expected)
        assert native.codec.unknown_members <= pure.codec.unknown_members
        if n % every == 0:
            assert native.books.keys() == pure.books.keys()
            for symbol, book in native.books.items():
                found, expected = readings(book), readings(pure.books[symbol])
                assert found == expected, (frame, found, expected)
    return native


def order(order_id: str, price: str, qty: str, event: str | None = None) -> Level3Order:
    return Level3Order(order_id=order_id, price_text=price, qty_text=qty, time_ns=7, event=event)  # type: ignore[arg-type]


def message(
    kind: str, bids: list[Level3Order], asks: list[Level3Order] | None = None, checksum: int | None = None
) -> Level3Update:
    return Level3Update(
        symbol="BTC/USD",
        kind=kind,  # type: ignore[arg-type]
        bids=tuple(bids),
        asks=tuple(asks or ()),
        checksum=checksum,
    )


def frame_of(update: Level3Update) -> bytes:
    return encode.level3(update).replace('"checksum":None', '"checksum":0').encode()


def filled(verify: bool = False) -> Any:
    """A native book of a few orders, not verified."""
    book = L3Book("BTC/USD", 10, verify=verify)
    book.apply(
        message("snapshot", [order("A", "99.9", "1.00"), order("B", "99.8", "2.00")], [order("C", "100.1", "3.00")])
    )
    return book

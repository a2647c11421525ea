"""From one raw frame to events with the books already updated and proven.

A feed decodes, applies book messages, compares checksums and counts. It never
reconnects or asks for anything: what a failed book needs is decided by
`session`. One symbol's trouble stays its own. Books live in `krakenwire.book`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from krakenwire import _native
from krakenwire.book.l2 import L2Book
from krakenwire.book.l3 import L3Book
from krakenwire.errors import ChecksumMismatch, DecodeError, KrakenwireError, StaleData, UsageError
from krakenwire.limits import BOOK_DEPTHS, BOOKS_MAX, LEVEL3_DEPTHS
from krakenwire.model import (
    BookUpdate,
    ChecksumFailed,
    Event,
    Gap,
    Heartbeat,
    Instruments,
    Level3Update,
    Subscribed,
    Unknown,
    Unsubscribed,
)
from krakenwire.model.subscription import one_of
from krakenwire.protocol.v1.channels import symbol_of
from krakenwire.session.lane import Lane

if TYPE_CHECKING:
    from krakenwire._native import feed as native_feed

__all__ = ["Feed", "FeedCounters", "FrameCodec"]


class FrameCodec(Protocol):
    """What a feed needs of a codec."""

    @property
    def version(self) -> int: ...

    def decode(self, frame: bytes | str) -> tuple[Event, ...]: ...


class FeedCounters(msgspec.Struct, kw_only=True):
    """Totals since the feed was made.

    Args:
        frames: fed; `events`: handed out.
        verified: book and level3 messages whose checksum was right; `failed`: wrong;
            `unverified`: applied without one (v1 snapshots, or verification is off).
        ignored_while_resyncing: updates of a book that had no snapshot yet, or lost its state.
        unknown: frames of channels or methods we do not know.
        malformed: frames that could not be decoded, and book messages whose levels could not.
        heartbeats: the venue's signs of life.
        fallbacks: frames of book, trade, ticker or level3 that the compiled pass left to the
            exact path: exponents, surplus decimals, escapes, numbers beyond 63 bits and the like.
        unknown_members: members of known messages that we have no name for, passed over.
    """

    frames: int = 0
    events: int = 0
    verified: int = 0
    failed: int = 0
    unverified: int = 0
    ignored_while_resyncing: int = 0
    unknown: int = 0
    malformed: int = 0
    heartbeats: int = 0
    fallbacks: int = 0
    unknown_members: int = 0


class Feed:
    """Decoding and books of one connection.

    Args:
        codec: of the version that the connection speaks.
        verify: compare checksums. Without it no book is ever `verified`, and none fails.
        depth: for books whose depth nothing else tells; None for the smallest that holds the snapshot.
        native: whether the compiled twins do the work; None for where they can.

    Raises:
        UsageError: a depth the venue does not know, or compiled twins that are not there.
    """

    def __init__(
        self, codec: FrameCodec, *, verify: bool = True, depth: int | None = None, native: bool | None = None
    ) -> None:
        if depth is not None:
            one_of("book depth", depth, BOOK_DEPTHS)
        if native and not _native.BUILT:
            raise UsageError("native", expected="compiled twins", found="none", hint="Install with a C compiler")
        self.codec = codec
        self._counters = FeedCounters()
        self._decode = codec.decode
        self._verify = verify
        self._default_depth = depth
        self._books: dict[str | tuple[str, int], L2Book] = {}
        self._level3: dict[str, L3Book] = {}
        self._depths: dict[str, int] = {}
        self._level3_depths: dict[str, int] = {}
        self._decimals: dict[str, tuple[int, int]] = {}
        self._takers: dict[type, Callable[[Any], tuple[Event, ...]]] = {
            BookUpdate: self._take_book,
            Level3Update: self._take_level3,
            Heartbeat: self._take_heartbeat,
            Unknown: self._take_unknown,
            Subscribed: self._take_subscribed,
            Unsubscribed: self._take_unsubscribed,
            Instruments: self._take_instruments,
        }
        self._l2, self._l3 = L2Book, L3Book
        self._pass: native_feed.Pass | None = None
        if _native.ENABLED if native is None else native:
            self._go_native()
        else:
            self.feed = self.feed_exactly  # type: ignore[method-assign]  # as in _go_native

    def _go_native(self) -> None:
        """Let the compiled pass have each frame first; what it does not take comes to `feed_exactly`."""
        from krakenwire._native import books, feed, level3

        self._l2, self._l3 = books.L2Book, level3.L3Book
        spelled = symbol_of if self.codec.version == 1 else None
        self._pass = feed.Pass(
            self.codec.version, self._books, self._book_for, self._level3_for, spelled, self.feed_exactly
        )
        self.feed = self._pass.feed  # type: ignore[method-assign]  # one call less for each frame

    @property
    def fast(self) -> native_feed.Pass | None:
        """The compiled pass, None in pure Python."""
        return self._pass

    @property
    def counters(self) -> FeedCounters:
        """What happened so far: a copy."""
        own, fast = self._counters, self._pass
        total = msgspec.structs.replace(own, unknown_members=getattr(self.codec, "unknown_members", 0))
        if fast is not None:
            total.frames += fast.frames
            total.events += fast.events
            total.verified += fast.verified
            total.failed += fast.failed
            total.unverified += fast.unverified
            total.ignored_while_resyncing += fast.ignored
            total.malformed += fast.malformed
            total.heartbeats += fast.heartbeats
            total.fallbacks = self.fallbacks
            total.unknown_members += fast.unknown_members
        return total

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have a book, live or not."""
        return tuple(dict.fromkeys(book.symbol for book in self._books.values()))

    @property
    def ignored(self) -> int:
        """Book messages of books that were not live, so far: they gave no event."""
        return self._counters.ignored_while_resyncing + (0 if self._pass is None else self._pass.ignored)

    @property
    def fallbacks(self) -> int:
        """Frames the compiled pass left to the exact path so far; 0 in pure Python."""
        return 0 if self._pass is None else self._pass.fallbacks

    def lane(self, channel: str, symbol: str | None) -> Lane:
        """Return a new lane for a wire subscription; an earlier one of it lets nothing pass any more."""
        return Lane() if self._pass is None else self._pass.lane(channel, symbol)

    def feed(self, frame: bytes | str) -> tuple[Event, ...]:
        """Return the events of one frame; book events come applied, with `book` and `verified` set.

        A checksum that does not match gives the `BookUpdate` (or `Level3Update`)
        unverified and a `ChecksumFailed`; a level that is not two numbers gives a
        `Gap` with reason ``malformed``. Either way that book alone is resyncing,
        and its updates until the next snapshot give no event.

        Raises:
            DecodeError: the frame as a whole cannot be decoded; no book has changed.
        """
        return self.feed_exactly(frame)

    def feed_exactly(self, frame: bytes | str) -> tuple[Event, ...]:
        """As `feed`, all of it in Python: what is right for every frame there can be."""
        counters = self._counters
        counters.frames += 1
        try:
            events = self._decode(frame)
        except DecodeError:
            counters.malformed += 1
            raise
        if len(events) == 1:
            event = events[0]
            if event.__class__ is BookUpdate:
                events = self._take_book(event, events)
            elif (take := self._takers.get(event.__class__)) is not None:
                events = take(event)
        else:
            events = tuple(taken for event in events for taken in self._take(event))
        counters.events += len(events)
        return events

    def expect_book(
        self, symbol: str, depth: int, price_decimals: int | None = None, qty_decimals: int | None = None
    ) -> None:
        """Say what the next snapshot of a symbol's book will be.

        Args:
            symbol: v2 spelling.
            depth: levels a side.
            price_decimals: of the instrument, where both are known.
            qty_decimals: of the instrument.

        Raises:
            UsageError: a depth the venue does not know.
        """
        one_of("book depth", depth, BOOK_DEPTHS)
        self._depths[symbol] = depth
        if price_decimals is not None and qty_decimals is not None:
            self._decimals[symbol] = (price_decimals, qty_decimals)

    def expect_level3(self, symbol: str, depth: int) -> None:
        """Say how deep a symbol's level3 book is: the venue's reply often leaves it out.

        Raises:
            UsageError: a depth the venue does not know.
        """
        one_of("level3 depth", depth, LEVEL3_DEPTHS)
        self._level3_depths[symbol] = depth

    def drop_book(self, symbol: str, depth: int | None = None) -> None:
        """Forget a symbol's book, or with v1 the one of a depth; whoever holds it sees it is not live.

        What was said about its depth still holds.
        """
        gone = [key for key, book in self._books.items() if book.symbol == symbol and depth in (None, book.depth)]
        for key in gone:
            self._books.pop(key).invalidate()
        self._books_changed()

    def drop_level3(self, symbol: str) -> None:
        """Forget a symbol's level3 book."""
        book = self._level3.pop(symbol, None)
        if book is not None:
            book.invalidate()
        if self._pass is not None:
            self._pass.forget_level3(symbol)

    def invalidate(self) -> None:
        """Take every book out of life until its next snapshot: the connection is gone or not to be trusted."""
        for book in self._books.values():
            book.invalidate()
        for level3 in self._level3.values():
            level3.invalidate()

    def book(self, symbol: str) -> L2Book | None:
        """Return a symbol's book, None before its first snapshot."""
        found = self._books.get(symbol)
        return found or next((book for book in self._books.values() if book.symbol == symbol), None)

    def level3(self, symbol: str) -> L3Book | None:
        """Return a symbol's level3 book, None before its first snapshot."""
        return self._level3.get(symbol)

    # -- what becomes of each kind of event ------------------------------------

    def _take(self, event: Event) -> tuple[Event, ...]:
        take = self._takers.get(event.__class__)
        return (event,) if take is None else take(event)

    def _take_book(self, event: BookUpdate, alone: tuple[Event, ...] = ()) -> tuple[Event, ...]:
        key = event.symbol if event.depth is None else (event.symbol, event.depth)
        book = self._books.get(key)
        if event.kind == "snapshot":
            book = self._book_for(event.symbol, event.depth, max(len(event.wire_bids), len(event.wire_asks)))
            if book is None:
                return self._passed_over(f"book of depth {event.depth}", event.symbol)
        if book is None:
            return self._not_applied(event, StaleData(event.symbol, "empty"))
        try:
            book.apply(event)
        except (ChecksumMismatch, DecodeError, StaleData) as error:
            return self._not_applied(event, error)
        if event.verified:
            self._counters.verified += 1
        else:
            self._counters.unverified += 1
        return alone or (event,)

    def _take_level3(self, event: Level3Update) -> tuple[Event, ...]:
        book = self._level3.get(event.symbol)
        if event.kind == "snapshot":
            levels = max(len({order.price_text for order in side}) for side in (event.bids, event.asks))
            book = self._level3_for(event.symbol, "snapshot", levels)
            if book is None:
                return self._passed_over("level3 book", event.symbol)
        if book is None:
            return self._not_applied(event, StaleData(event.symbol, "empty"))
        try:
            book.apply(event)
        except (ChecksumMismatch, DecodeError, StaleData) as error:
            return self._not_applied(event, error)
        if event.verified:
            self._counters.verified += 1
        else:
            self._counters.unverified += 1
        return (event,)

    def _not_applied(self, event: BookUpdate | Level3Update, error: KrakenwireError) -> tuple[Event, ...]:
        if isinstance(error, ChecksumMismatch):
            self._counters.failed += 1
            failed = ChecksumFailed(
                symbol=error.symbol, expected=error.expected, found=error.found, channel_name=event.channel
            )
            return (event, failed)
        if isinstance(error, StaleData):
            self._counters.ignored_while_resyncing += 1
            return ()
        self._counters.malformed += 1
        return (Gap(channel_name=event.channel, symbol=event.symbol, reason="malformed"),)

    def _passed_over(self, what: str, symbol: str) -> tuple[Event, ...]:
        self._counters.unknown += 1
        return (Unknown(what=what, frame=symbol),)

    def _take_heartbeat(self, event: Heartbeat) -> tuple[Event, ...]:
        self._counters.heartbeats += 1
        return (event,)

    def _take_unknown(self, event: Unknown) -> tuple[Event, ...]:
        self._counters.unknown += 1
        return (event,)

    def _take_subscribed(self, event: Subscribed) -> tuple[Event, ...]:
        channel, symbol, depth = event.subscription.channel, event.subscription.symbol, event.subscription.depth
        if symbol is not None and depth is not None and len(self._depths) < BOOKS_MAX:
            if channel == "book" and depth in BOOK_DEPTHS:
                self._depths[symbol] = depth
            elif channel == "level3" and depth in LEVEL3_DEPTHS:
                self._level3_depths[symbol] = depth
        return (event,)

    def _take_unsubscribed(self, event: Unsubscribed) -> tuple[Event, ...]:
        channel, symbol, depth = event.subscription.channel, event.subscription.symbol, event.subscription.depth
        if symbol is not None and channel == "book":
            self.drop_book(symbol, depth if self.codec.version == 1 else None)
        elif symbol is not None and channel == "level3":
            self.drop_level3(symbol)
        return (event,)

    def _take_instruments(self, event: Instruments) -> tuple[Event, ...]:
        for pair in event.pairs[: BOOKS_MAX - len(self._decimals)]:
            self._decimals[pair.symbol] = (pair.price_precision, pair.qty_precision)
        return (event,)

    # -- which book a snapshot fills ---------------------------------------------

    def _book_for(self, symbol: str, depth: int | None, levels: int) -> L2Book | None:
        """Return the book for a snapshot, a new one if the depth changed; None if it cannot be.

        Args:
            symbol: v2 spelling.
            depth: as the frame names it, None where it does not.
            levels: of its longer side.
        """
        key = symbol if depth is None else (symbol, depth)
        book = self._books.get(key)
        depth = depth or self._depths.get(symbol) or self._default_depth
        if depth is None:
            depth = _depth_of(levels, BOOK_DEPTHS, book)
        if book is not None and book.depth == depth:
            return book
        if depth not in BOOK_DEPTHS or (book is None and len(self._books) >= BOOKS_MAX):
            return None
        if book is not None:
            book.invalidate()
        decimals = self._decimals.get(symbol, (None, None))
        self._books[key] = self._l2(symbol, depth, *decimals, verify=self._verify)
        self._books_changed()
        return self._books[key]

    def _level3_for(self, symbol: str, kind: str, levels: int) -> L3Book | None:
        """Return the level3 book for a message; a snapshot may need a new one."""
        book = self._level3.get(symbol)
        if kind != "snapshot":
            return book
        depth = self._level3_depths.get(symbol)
        if depth is None:
            depth = _depth_of(levels, LEVEL3_DEPTHS, book)
        if book is not None and book.depth == depth:
            return book
        if book is None and len(self._level3) >= BOOKS_MAX:
            return None
        if book is not None:
            book.invalidate()
        decimals = self._decimals.get(symbol, (None, None))
        self._level3[symbol] = self._l3(symbol, depth, *decimals, verify=self._verify)
        if self._pass is not None:
            self._pass.forget_level3(symbol)
        return self._level3[symbol]

    def _books_changed(self) -> None:
        if self._pass is not None:
            self._pass.changed()


def _depth_of(levels: int, depths: Sequence[int], book: L2Book | L3Book | None) -> int:
    """Guess a subscription's depth from the levels of a snapshot: a thin book tells less than a full one."""
    if book is not None and levels not in depths and levels <= book.depth:
        return book.depth
    return min((depth for depth in depths if depth >= levels), default=depths[-1])

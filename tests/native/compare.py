"""Feeds the same frames to a compiled and a pure feed and compares all that can be seen of both.

A difference is raised as `Difference`, which shows the frames and what was
seen. Reading is part of the comparison: events are read again when later
frames have passed, so that no event may live in a buffer that is used again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from operator import eq
from typing import Any

import msgspec
from tests.native.frames import CODECS, Stream

from krakenwire.errors import DecodeError, KrakenwireError
from krakenwire.model import BookUpdate, Event, Level3Update
from krakenwire.session.feed import Feed

BOOK_FACTS = ("symbol", "depth", "state", "verified", "verified_count", "checksum", "price_decimals", "qty_decimals")
BOOK_FACTS += ("time_ns", "best_bid", "best_ask", "best_bid_qty", "best_ask_qty", "mid", "spread", "level_counts")
LEVEL3_FACTS = ("symbol", "depth", "state", "verified", "verified_count", "checksum", "stray_events", "time_ns")
LEVEL3_FACTS += ("best_bid", "best_ask", "bid_levels", "ask_levels")
UPDATE_FACTS = ("symbol", "kind", "checksum", "depth", "verified", "bids", "asks", "time_ns", "channel")
KEPT = 8
"""So many events are read again later."""
TOO_DEEP = "maximum recursion depth exceeded"


class Difference(AssertionError):
    """The twins differ."""


def seen(read: Callable[[], object]) -> object:
    """Return the text of what a reading gives, or which error it raises."""
    try:
        return repr(read())
    except KrakenwireError as error:
        return type(error), str(error)


def event_facts(event: Event) -> list[object]:
    """Return all of an event but its book."""
    facts: list[object] = [event.__class__, event.channel, event.symbol, seen(lambda: event)]
    if isinstance(event, BookUpdate):
        facts += [seen(partial(getattr, event, name)) for name in UPDATE_FACTS]
        facts += [[tuple(level) for level in side] for side in (event.wire_bids, event.wire_asks)]
        facts.append(None if event.book is None else event.book.symbol)
    elif isinstance(event, Level3Update):
        facts[3] = None if event.book is None else event.book.symbol
        facts += [event.kind, event.bids, event.asks, event.checksum, event.time_ns, event.verified]
        facts += [seen(lambda: [(order.price, order.qty) for order in (*event.bids, *event.asks)])]
    return facts


def brief_content(event: Event) -> list[object]:
    """Return what an event says, by the shortest way."""
    if isinstance(event, BookUpdate):
        levels = [tuple(map(tuple, event.wire_bids)), tuple(map(tuple, event.wire_asks))]
        return [
            event.symbol,
            event.kind,
            levels,
            event.checksum,
            seen(lambda: event.time_ns),
            event.verified,
            event.depth,
        ]
    if isinstance(event, Level3Update):
        return [event.symbol, event.kind, event.bids, event.asks, event.checksum, event.time_ns, event.verified]
    return [event.__class__, repr(event)]


def book_facts(book: Any, names: Iterable[str]) -> list[object]:
    """Return all that a book shows: its facts, its levels and its own text."""
    facts = [seen(partial(getattr, book, name)) for name in (*names, "bids", "asks")]
    return [*facts, seen(lambda: book), seen(lambda: book.top(3)) if names is BOOK_FACTS else None]


def brief_facts(book: Any) -> list[object]:
    """Return what shows whether a book has changed."""
    state = book.state
    return [book.depth, state, book.verified, book.verified_count, book.checksum if state == "live" else None]


def _without_depth(natively: object, purely: object) -> tuple[object, object]:
    """Return two outcomes with the texts of errors left out if a frame is nested as deep as Python goes.

    How deep that is depends on who calls: where the one runs out of it, the other may just reach what is malformed.
    """
    outcomes = (natively, purely)
    errors = [outcome for outcome in outcomes if isinstance(outcome, list) and outcome[:1] == [DecodeError]]
    if len(errors) == 2 and any(TOO_DEEP in str(error[1]) for error in errors):
        return errors[0][0], errors[1][0]
    return outcomes


class Twins:
    """One compiled and one pure feed of the same connection.

    Args:
        version: of the API.
        verify, depth: as for `Feed`.
        every: compare all books whole after each so many frames.
        brief: after the other frames compare events by their content, and of books what shows whether they changed;
            else also every reading of the events and of those books that a frame was for.
    """

    def __init__(
        self, version: int, *, verify: bool = True, depth: int | None = None, every: int = 1, brief: bool = False
    ) -> None:
        self.native = Feed(CODECS[version](), verify=verify, depth=depth, native=True)
        self.pure = Feed(CODECS[version](), verify=verify, depth=depth, native=False)
        self._every, self._brief = every, brief
        self._fed = 0
        self._last: deque[bytes | str] = deque(maxlen=4)
        self._kept: deque[tuple[Event, list[object]]] = deque()
        self._frozen: deque[tuple[Any, list[object]]] = deque(maxlen=4)

    def feed(self, frame: bytes | str) -> None:
        """Feed both and compare what came of it.

        Raises:
            Difference: the twins differ.
        """
        self._fed += 1
        self._last.append(frame)
        whole = self._fed % self._every == 0
        natively, purely = self._result(self.native, frame), self._result(self.pure, frame)
        if isinstance(natively, tuple) and isinstance(purely, tuple):
            self._compare_events(natively, purely, brief_content if self._brief and not whole else event_facts)
        else:
            self._same("raised", *_without_depth(natively, purely))
        touched = {event.symbol for event in purely} if isinstance(purely, tuple) else set()
        self._compare_books(touched, whole=whole)

    def finish(self) -> None:
        """Compare what is compared only now and then."""
        self._compare_books(set(), whole=True)
        self._compare_counters()
        while self._kept:
            self._compare_kept()

    @staticmethod
    def _result(feed: Feed, frame: bytes | str) -> tuple[Event, ...] | list[object]:
        try:
            events = feed.feed(frame)
        except DecodeError as error:
            return [type(error), str(error)]
        return events if type(events) is tuple else [events]

    def _compare_events(
        self, natively: tuple[Event, ...], purely: tuple[Event, ...], content: Callable[[Event], list[object]]
    ) -> None:
        facts = [content(event) for event in purely]
        self._same("events", [content(event) for event in natively], facts)
        if content is brief_content:
            return
        for one, other, about in zip(natively, purely, facts, strict=True):
            if not isinstance(one, Level3Update):  # a struct that shows its book, which is another
                same = seen(partial(eq, other, other))  # an error where the time is none
                self._same("equality", (seen(partial(eq, one, other)), seen(partial(eq, other, one))), (same, same))
            self._kept.append((one, about))
        while len(self._kept) > KEPT:
            self._compare_kept()

    def _compare_kept(self) -> None:
        event, facts = self._kept.popleft()
        self._same("an earlier event, read again", event_facts(event), facts)

    def _compare_books(self, touched: set[str | None], *, whole: bool) -> None:
        for kind, names in (("_books", BOOK_FACTS), ("_level3", LEVEL3_FACTS)):
            natively, purely = getattr(self.native, kind), getattr(self.pure, kind)
            self._same("books", list(natively), list(purely))
            for key, book in natively.items():
                other = purely[key]
                self._same(f"book {key}", brief_facts(book), brief_facts(other))
                if whole or (book.symbol in touched and not self._brief):
                    self._same(f"all of book {key}", book_facts(book, names), book_facts(other, names))
        if whole:
            self._compare_counters()
            self._freeze(touched)

    def _compare_counters(self) -> None:
        counts = [msgspec.structs.asdict(feed.counters) for feed in (self.native, self.pure)]
        for count in counts:
            del count["fallbacks"]
        self._same("counters", *counts)

    def _freeze(self, touched: set[str | None]) -> None:
        """Keep frozen copies, and compare the oldest one: it must not have changed."""
        for symbol in touched:
            book, other = (feed.book(symbol) if symbol else None for feed in (self.native, self.pure))
            if book is not None and other is not None:
                self._frozen.append((book.freeze(), book_facts(other.freeze(), BOOK_FACTS)))
        for frozen, facts in self._frozen:
            self._same("a frozen book", book_facts(frozen, BOOK_FACTS), facts)

    def _same(self, what: str, natively: object, purely: object) -> None:
        if natively != purely:
            raise Difference(
                f"{what} after frame {self._fed}:\n  native {natively!r}\n  pure   {purely!r}\n  last frames:\n"
                + "\n".join(f"    {frame!r}" for frame in self._last)
            )


def compare(
    stream: Stream, *, verify: bool = True, depth: int | None = None, every: int = 1, brief: bool = False
) -> Feed:
    """Feed a whole stream to a new pair of twins and return the compiled one.

    Raises:
        Difference: the twins differ; says of which stream.
    """
    twins = Twins(stream.version, verify=verify, depth=depth, every=every, brief=brief)
    try:
        for frame in stream.frames:
            twins.feed(frame)
        twins.finish()
    except Difference as difference:
        raise Difference(f"{stream.name}: {difference}") from None
    return twins.native

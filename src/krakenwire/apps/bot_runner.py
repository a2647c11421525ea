"""Runs one strategy on a real clock: the thread that calls it, and all that comes to it from other threads.

    inbox ──▶ urgent calls ──▶ the market as rows ──▶ engine ──▶ what falls due ──▶ rows of the run, status

The market never waits for the strategy, and what concerns money never waits for
the market. A strategy that is too slow misses states of books in between, and
nothing else; that is counted and noted. Next: `bot_inbox`; worlds: `bot_paper`, `bot_live`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from msgspec.structs import replace

from krakenwire.apps.bot_inbox import Batch, Inbox
from krakenwire.apps.bot_telling import Telling
from krakenwire.errors import KrakenwireError, ListingChanged, ListingMismatch
from krakenwire.limits import (
    BOT_CLOSING_S,
    BOT_LATE_EVENTS,
    BOT_LATE_MS,
    BOT_SKEW_TRADES,
    BOT_SKEW_TRADES_MIN,
    BOT_SLICE_ROWS,
    BOT_STATUS_EVERY_S,
)
from krakenwire.model import ChecksumFailed, Event, Gap, Trades
from krakenwire.model.rows import ASK, BID, CLEAR, LAST, QUIET, Rows
from krakenwire.tape.row_writer import RowWriter
from krakenwire.trading.engine import Engine
from krakenwire.trading.ports import Stopwatch
from krakenwire.trading.run_records import RunHead, RunRow
from krakenwire.trading.run_result import RunResult
from krakenwire.trading.run_status import RunStatus

__all__ = ["FeedView", "Runner"]

_SECOND: Final = 1_000_000_000
_LATE_NS: Final = BOT_LATE_MS * 1_000_000
_BOOK_KINDS: Final = (BID, ASK, CLEAR)


class FeedView(Protocol):
    """What is known of the feed that fills an inbox. Any thread may ask."""

    @property
    def heard_ns(self) -> int:
        """When the connection was last known to be alive, by the run's clock; 0 before."""
        ...

    @property
    def counts(self) -> dict[str, int]:
        """`frames`, `verified` and `failed` so far."""
        ...


class Runner:
    """One run.

    Args:
        engine: not started yet.
        writer: makes rows; its listings are those of the engine's simulator.
        inbox: what comes to it.
        head: of the run.
        clock_ns: the run's clock, nanoseconds since 1970 UTC.
        stopwatch: monotonic, nanoseconds.
        on_rows: told the rows of the run as they come.
        on_status: told how it stands, now and then.
        status_every_s: how often.
        on_step: called after each step: the strategy is not stuck.
        feed: what is known of the feed.
        settle_ns: how long pretended cancels take to be heard of at the end; None where the market is not
            pretended: then their answers are waited for.
        complete: adds to a status what only its world knows.
        ends_ns: when it ends by itself; None for never.
    """

    def __init__(
        self,
        engine: Engine,
        writer: RowWriter,
        inbox: Inbox,
        *,
        head: RunHead,
        clock_ns: Callable[[], int],
        stopwatch: Stopwatch,
        on_rows: Callable[[list[RunRow]], None] | None = None,
        on_status: Callable[[RunStatus], None] | None = None,
        status_every_s: float = BOT_STATUS_EVERY_S,
        on_step: Callable[[], None] | None = None,
        feed: FeedView | None = None,
        settle_ns: int | None = None,
        complete: Callable[[RunStatus], RunStatus] | None = None,
        ends_ns: int | None = None,
    ) -> None:
        self._engine, self._writer, self._inbox, self._head = engine, writer, inbox, head
        self._clock_ns, self._stopwatch = clock_ns, stopwatch
        self._on_step, self._feed, self._settle_ns, self._ends_ns = on_step, feed, settle_ns, ends_ns
        self._status_every_ns, self._complete = int(status_every_s * _SECOND), complete
        self._telling = Telling(
            engine,
            head,
            stopwatch,
            on_rows=on_rows,
            on_status=on_status,
            every_ns=self._status_every_ns,
            complete=self._completed,
        )
        self._simulator = engine.simulator
        self._places = {listing.symbol: place for place, listing in enumerate(self._simulator.listings)}
        self._stops = 0
        self._gaps = [0] * len(self._places)
        self._conflated = [0] * len(self._places)
        self._delays: deque[int] = deque(maxlen=BOT_SKEW_TRADES)
        self._late = self._in_urgent = False
        self._failure: KrakenwireError | None = None
        self._hears_books = engine.hears("on_book")
        engine.between = self._between
        engine.desk.book_age = self._book_age

    @property
    def stops(self) -> int:
        """How often `request_stop` was called."""
        return self._stops

    # -- asked by other threads ----------------------------------------------------------

    def request_stop(self, reason: str) -> None:
        """End the run, from any thread or a signal's handler; asked again, wait for no answers any more."""
        self._stops += 1
        self._inbox.post(lambda: self._engine.stop(reason))

    def fail(self, error: KrakenwireError) -> None:
        """End the run because it cannot go on, from any thread; the result tells the error."""
        self._failure = self._failure or error
        self.request_stop(str(error))

    # -- the strategy's thread -------------------------------------------------------------

    def run(self) -> RunResult:
        """Run until it is stopped, by whatever; return all that happened.

        A `KeyboardInterrupt` after `request_stop` ends it at once.

        Raises:
            KrakenwireError: the run cannot go on; open orders were asked to be canceled.
        """
        try:
            self._telling.state = "running"
            self._engine.start()
            while not self._engine.stopped:
                self._step()
        except KeyboardInterrupt:
            self._engine.stop("interrupted")
            self._engine.mute()
        except BaseException as error:
            self._engine.stop(str(error))
            self._end()
            raise
        try:
            self._end()
        except KeyboardInterrupt:
            self._engine.mute()
            self._end()
        broken = self._engine.error or self._failure
        return RunResult(self._head, self._engine.log, error=broken, open_orders=len(self._engine.desk.open))

    def status(self) -> RunStatus:
        """Return how it stands; on the strategy's thread only."""
        return self._telling.status()

    def _completed(self, status: RunStatus) -> RunStatus:
        """Add how the feed is, and what waits."""
        counts = {} if self._feed is None else self._feed.counts
        seen = zip(status.feeds, self._gaps, self._conflated, strict=True)
        status = replace(
            status,
            feeds=tuple(
                replace(each, age_ns=self._book_age(each.symbol), gaps=gaps, conflated=conflated)
                for each, gaps, conflated in seen
            ),
            backlog=self._inbox.waiting,
            dropped=self._inbox.dropped,
            conflated=sum(self._conflated),
            **counts,
        )
        return status if self._complete is None else self._complete(status)

    def _step(self) -> None:
        self._urgent()
        batches = self._inbox.take()
        if batches:
            self._market(batches)
        now_ns = self._clock_ns()
        if not self._inbox.waiting:
            self._engine.advance(now_ns)
        if self._ends_ns is not None and now_ns >= self._ends_ns:
            self._engine.stop("the time is over")
        self._telling.tell()
        if self._on_step is not None:
            self._on_step()
        if not self._engine.stopped:
            self._inbox.wait(self._idle_s())

    def _idle_s(self) -> float:
        idle_ns = self._status_every_ns
        due_ns = self._simulator.next_due_ns
        for at_ns in (due_ns, self._ends_ns):
            if at_ns is not None:
                idle_ns = min(idle_ns, at_ns - self._clock_ns())
        return idle_ns / _SECOND

    def _urgent(self) -> None:
        """Make the urgent calls that wait; what they call may come here again, and must not."""
        if self._in_urgent:
            return
        self._in_urgent = True
        try:
            self._inbox.run_urgent()
        finally:
            self._in_urgent = False

    def _between(self) -> None:
        if self._inbox.urgent:
            self._urgent()

    # -- the market --------------------------------------------------------------------------

    def _market(self, batches: list[Batch]) -> None:
        events = sum(len(batch.events) for batch in batches)
        self._late = events > BOT_LATE_EVENTS or self._clock_ns() - batches[0].time_ns > _LATE_NS
        for batch in batches:
            for event in batch.events:
                self._take(event, batch)
        rows = self._writer.rows()
        if self._late and self._hears_books:
            self._conflate(rows)
        try:
            self._run(rows)
        finally:
            self._writer.objects.clear()
            self._late = False

    def _take(self, event: Event, batch: Batch) -> None:
        if isinstance(event, Gap | ChecksumFailed):
            self._note_gap(event, batch)
        elif isinstance(event, Trades) and event.kind == "update":
            self._note_delay(batch.time_ns - event.trades[-1].time_ns)
        try:
            self._writer.take(event, batch.time_ns, batch.connection)
        except ListingMismatch as error:
            self._engine.log.note(batch.time_ns, "error", str(error), error.symbol)
            for channel in ("book", "trade"):
                gap = Gap(channel_name=channel, symbol=error.symbol, reason="malformed")
                self._writer.take(gap, batch.time_ns, batch.connection)
        except ListingChanged as error:
            self._engine.stop(f"{error}: start again to trade by the new steps")

    def _note_gap(self, event: Gap | ChecksumFailed, batch: Batch) -> None:
        for symbol in self._places if event.symbol is None else [event.symbol]:
            place = self._places.get(symbol)
            if place is not None and (event.channel_name == "book" or not self._simulator.listings[place].depth):
                self._gaps[place] += 1
        if batch.dropped and isinstance(event, Gap):
            text = f"{event.dropped} {event.channel_name} events dropped: the strategy did not come to them"
            self._engine.log.note(batch.time_ns, "dropped", text, event.symbol or "", count=event.dropped)

    def _note_delay(self, delay_ns: int) -> None:
        """Compare our clock with the venue's: the quickest of the latest trades has the least delay in it."""
        self._delays.append(delay_ns)
        if len(self._delays) >= BOT_SKEW_TRADES_MIN:
            self._engine.desk.clock_skew_ns = min(self._delays)

    def _conflate(self, rows: Rows) -> None:
        """Have the strategy called for the newest state of each book only."""
        flags = rows["flags"]
        whole = np.flatnonzero(np.isin(rows["kind"], _BOOK_KINDS) & ((flags & LAST) != 0))
        symbols = rows["symbol"][whole]
        for place in np.unique(symbols).tolist():
            older = whole[symbols == place][:-1]
            if len(older):
                flags[older] |= QUIET
                self._conflated[place] += len(older)
                text = f"{len(older)} states of the book were passed over: the strategy was behind"
                symbol = self._simulator.listings[place].symbol
                self._engine.log.note(self._simulator.now_ns, "conflated", text, symbol, count=len(older))

    def _run(self, rows: Rows) -> None:
        """Run over whole frames, with a look for urgent calls now and then."""
        objects = self._writer.objects
        if len(rows) <= BOT_SLICE_ROWS:
            self._engine.run(rows, objects)
            return
        ends = np.flatnonzero((rows["flags"] & LAST) != 0) + 1
        start = 0
        while start < len(rows) and not self._engine.stopped:
            end = int(ends[min(int(np.searchsorted(ends, start + BOT_SLICE_ROWS)), len(ends) - 1)])
            self._engine.run(rows[start:end], objects)
            self._urgent()
            start = end

    def _book_age(self, symbol: str) -> int | None:
        """Return how long ago a book was last known to be what the venue shows.

        A book that does not change is right as long as its connection is alive and
        everything of it was taken; one that is not live is as old as its last change.
        """
        book = self._simulator.books[self._places[symbol]]
        if not book.depth or not book.time_ns:
            return None
        known_ns = book.time_ns
        if book.live:
            known_ns = self._simulator.now_ns if self._late or self._feed is None else self._feed.heard_ns
        return max(0, self._clock_ns() - max(known_ns, book.time_ns))

    # -- the end ---------------------------------------------------------------------------

    def _end(self) -> None:
        self._telling.state = "stopping"
        self._engine.finish(self._settle_ns)
        self._telling.tell()
        if self._settle_ns is None:
            self._await_answers()
        self._urgent()
        self._telling.end()

    def _await_answers(self) -> None:
        """Let the market tell what became of the open orders."""
        until_ns = self._stopwatch() + int(BOT_CLOSING_S * _SECOND)
        while self._engine.desk.open and self._stops < 2:
            left_ns = until_ns - self._stopwatch()
            if left_ns <= 0:
                return
            self._inbox.take()
            self._inbox.wait(min(left_ns, self._status_every_ns) / _SECOND)
            self._urgent()
            self._telling.tell()
            if self._on_step is not None:
                self._on_step()

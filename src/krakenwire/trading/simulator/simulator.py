"""The pretended market: rows of a real one and the orders of a strategy, on one virtual clock.

Rows drive it; between them falls due what was asked for earlier: orders that
reach the market, reports that reach the strategy, timers. The same rows and the
same commands give the same calls in the same order, however the rows are cut
into runs. It reads no clock: time is that of the rows, or told by `advance`.
This is the readable twin of `krakenwire._native.simulator`. Next: `fills`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Final

from krakenwire.errors import UsageError
from krakenwire.model.rows import ASK, BID, BUY, CLEAR, EVENT, GAP, LAST, QUIET, SELL, Listing, Rows
from krakenwire.trading.simulator import orders as words
from krakenwire.trading.simulator.book import SimBook
from krakenwire.trading.simulator.checks import check_amend, check_listings, check_order, check_rows, refusal_of
from krakenwire.trading.simulator.fills import Fills
from krakenwire.trading.simulator.model import FillModel, ReportKind, What
from krakenwire.trading.simulator.orders import Order, Report

__all__ = ["Simulator"]

_CHUNK: Final = 4_096
"""Rows made Python numbers at a time."""

_ENTER, _AMEND, _CANCEL, _CANCEL_ALL, _EXPIRE, _REPORT, _TIMER = range(7)
_TIMER_RANK: Final = 1
"""Timers come after all else of their time."""


def _ignore(*_told: object) -> None:
    """Stand in for a callback that nobody has set."""


class Simulator:
    """A pretended market.

    Args:
        listings: what the rows' `symbol` counts to.
        model: what is assumed of latency, queues and fees.
        now_ns: the time before the first row.

    Attributes:
        books: one for each listing.
        now_ns: of the row or of what has just fallen due; never falls.
        next_row: the row after the last one that was dealt with: where to go on after an exception of a callback.
        on_report: called with each `Report`.
        on_event: called with the place in the list of objects, and the symbol.
        on_time: called with the id of a timer.
    """

    def __init__(self, listings: Sequence[Listing], model: FillModel, *, now_ns: int = 0) -> None:
        check_listings(listings)
        self.listings, self.model, self.now_ns, self.next_row = tuple(listings), model, now_ns, 0
        self._fills = [Fills(listing, model, self._tell) for listing in listings]
        self.books: list[SimBook] = [fills.book for fills in self._fills]
        self.on_report: Callable[[Report], None] = _ignore
        self.on_event: Callable[[int, int], None] = _ignore
        self.on_time: Callable[[int], None] = _ignore
        self._calls: list[list[Callable[..., None] | None]] = [[None] * len(What) for _ in listings]
        self._due: list[tuple[int, int, int, int, object, tuple[int, int, str]]] = []
        self._timers: dict[int, int] = {}
        self._made = self._refs = self._first = 0
        self._whole, self._running, self._stopped = True, False, False

    # -- what a strategy does ----------------------------------------------------------

    def on(self, symbol: int, what: What | int, call: Callable[..., None] | None) -> None:
        """Have `call` called when a frame of a symbol is whole; None for no more.

        Args:
            symbol: place in the list of listings.
            what: `What.BOOK` calls with the book, `What.TRADE` with the symbol and the first row and the end of
                the trades in the rows, `What.GAP` with the symbol.
            call: whatever it raises comes out of `run`.
        """
        self._check_symbol(symbol)
        self._calls[symbol][What(what)] = call

    def submit(self, order: Order) -> None:
        """Send a new order; it acts on the market `entry_latency_ns` from now.

        Raises:
            UsageError: an order that no market would know what to do with, or that was submitted before.
        """
        check_order(order, len(self.listings))
        self._refs += 1
        order.ref, order.state = self._refs, "sent"
        refusal = refusal_of(self.listings[order.symbol], order.price, order.qty)
        self._act(_ENTER, order, (0, 0, refusal))

    def amend(self, order: Order, price: int, qty: int) -> None:
        """Ask for another limit and quantity; both are told, changed or not.

        Args:
            order: submitted before.
            price: ticks; 0 for types without a limit.
            qty: lots in all, with what is filled already.

        Raises:
            UsageError: a price or quantity out of range, or an order of no simulator.
        """
        check_amend(order, price, qty)
        self._act(_AMEND, order, (price, qty, refusal_of(self.listings[order.symbol], price, qty)))

    def cancel(self, order: Order) -> None:
        """Ask for the end of an order."""
        self._check_sent(order)
        self._act(_CANCEL, order, (0, 0, ""))

    def cancel_all(self, symbol: int | None = None) -> None:
        """Ask for the end of all orders that are open when it acts, of one symbol or of all."""
        if symbol is not None:
            self._check_symbol(symbol)
        self._act(_CANCEL_ALL, None, (-1 if symbol is None else symbol, 0, ""))

    def at(self, time_ns: int, timer_id: int) -> None:
        """Have `on_time` called at that time, or at once where it is over; instead of this id's earlier time."""
        self._timers[timer_id] = self._made
        self._push(time_ns, _TIMER_RANK, _TIMER, None, (timer_id, 0, ""))

    def forget(self, timer_id: int) -> None:
        """Have a timer not called, if it is set."""
        self._timers.pop(timer_id, None)

    def stop(self) -> None:
        """End the run that calls, as soon as its callback returns."""
        self._stopped = True

    # -- time --------------------------------------------------------------------------

    @property
    def next_due_ns(self) -> int | None:
        """When the next thing falls due, None when nothing waits."""
        due = self._due
        while due and due[0][3] == _TIMER and self._timers.get(due[0][5][0]) != due[0][2]:
            heappop(due)
        return due[0][0] if due else None

    def run(self, rows: Rows, start: int = 0, stop: int | None = None) -> int:
        """Take rows in order, and before each frame whatever is due at or before its time.

        What falls due after the last row waits for the next call, or for `advance`.

        Args:
            rows: whole frames, their times never falling.
            start: the first row.
            stop: the end; None for all.

        Returns:
            The next row: `stop`, or earlier after a callback called `stop()`.

        Raises:
            UsageError: a row of a symbol that there is no listing of, or a run inside a run.
        """
        check_rows(rows, start)
        end = len(rows) if stop is None else min(stop, len(rows))
        self._begin()
        try:
            self.next_row = start
            for chunk in range(start, end, _CHUNK):
                self._run_chunk(rows, chunk, min(chunk + _CHUNK, end))
                if self._stopped:
                    break
            return self.next_row
        finally:
            self._running = False

    def advance(self, now_ns: int) -> None:
        """Let time pass without rows: whatever is due until then falls due."""
        self._begin()
        try:
            self._drain(now_ns)
            if not self._stopped:
                self.now_ns = max(self.now_ns, now_ns)
        finally:
            self._running = False

    def _begin(self) -> None:
        if self._running:
            raise UsageError("run of a simulator", expected="not to be called by its own callbacks")
        self._running, self._stopped = True, False

    def _run_chunk(self, rows: Rows, start: int, end: int) -> None:
        """Take the rows of one chunk; `_first` is where their frame began."""
        numbers = rows[start:end].tolist()
        for row, (time_ns, venue_ns, price, qty, aux, symbol, kind, flags, _) in enumerate(numbers, start):
            if symbol >= len(self._fills):
                raise UsageError("symbol of a row", expected=f"below {len(self._fills)}", found=symbol)
            if self._whole:
                self._first = row
                self._drain(time_ns)
                if self._stopped:
                    return
            self.now_ns = max(self.now_ns, time_ns)
            self.next_row = row + 1
            self._whole = bool(flags & LAST)
            self._take(self._fills[symbol], kind, price, qty, flags, venue_ns)
            if self._whole:
                self._call(symbol, kind, flags, aux, row + 1)
                if self._stopped:
                    return

    def _take(self, fills: Fills, kind: int, price: int, qty: int, flags: int, venue_ns: int) -> None:
        if kind in {BID, ASK}:
            fills.level(kind, price, qty, venue_ns)
        elif kind in {BUY, SELL}:
            fills.trade(kind, price, qty, flags, self.now_ns, venue_ns)
        elif kind == CLEAR:
            fills.clear()
        elif kind == GAP:
            fills.gap()
        if kind in {BID, ASK, CLEAR} and flags & LAST:
            fills.whole(self.now_ns)

    def _call(self, symbol: int, kind: int, flags: int, aux: int, end: int) -> None:
        """Tell the strategy that a frame is whole."""
        on_book, on_trade, on_gap = self._calls[symbol]
        if kind in {BID, ASK, CLEAR}:
            book = self.books[symbol]
            if on_book is not None and not flags & QUIET and book.live and book.depth:
                on_book(book)
        elif kind in {BUY, SELL}:
            if on_trade is not None:
                on_trade(symbol, self._first, end)
        elif kind == GAP:
            if on_gap is not None:
                on_gap(symbol)
        elif kind == EVENT:
            self.on_event(aux, symbol)

    # -- what falls due ----------------------------------------------------------------

    def _drain(self, until_ns: int) -> None:
        """Do what is due at or before a time, in order, until a callback stops the run."""
        due = self._due
        while due and due[0][0] <= until_ns and not self._stopped:
            time_ns, _, made, what, of, numbers = heappop(due)
            self.now_ns = max(self.now_ns, time_ns)
            if what == _REPORT:
                assert isinstance(of, Report)
                self.on_report(of)
            elif what == _TIMER:
                if self._timers.get(numbers[0]) == made:
                    del self._timers[numbers[0]]
                    self.on_time(numbers[0])
            elif what == _CANCEL_ALL:
                self._cancel_all(numbers[0])
            else:
                assert isinstance(of, Order)
                self._command(what, of, *numbers)

    def _command(self, what: int, order: Order, price: int, qty: int, refusal: str) -> None:
        fills = self._fills[order.symbol]
        if what == _ENTER:
            self._enter(fills, order, refusal)
        elif what == _AMEND:
            if refusal and order.state in {"open", "waiting"}:
                self._tell(ReportKind.AMEND_REFUSED, order, price, qty, False, refusal)
            else:
                fills.amend(order, price, qty)
        elif what == _CANCEL:
            fills.cancel(order)
        else:
            fills.expire(order)

    def _enter(self, fills: Fills, order: Order, refusal: str) -> None:
        if not refusal and 0 < order.expire_ns <= self.now_ns:
            refusal = words.EXPIRED
        if refusal:
            fills.refuse(order, refusal)
            return
        fills.enter(order)
        if order.expire_ns and order.state in {"open", "waiting"}:
            self._push(order.expire_ns, 0, _EXPIRE, order, (0, 0, ""))

    def _cancel_all(self, symbol: int) -> None:
        of = self._fills if symbol < 0 else [self._fills[symbol]]
        for order in sorted((order for fills in of for order in fills.open_orders()), key=lambda order: order.ref):
            self._fills[order.symbol].cancel(order)

    def _act(self, what: int, of: object, numbers: tuple[int, int, str]) -> None:
        self._push(self.now_ns + self.model.entry_latency_ns, 0, what, of, numbers)

    def _tell(self, kind: ReportKind, order: Order, price: int, qty: int, maker: bool, reason: str) -> None:
        report = Report(kind, order, price, qty, maker, self.now_ns, reason)
        self._push(self.now_ns + self.model.report_latency_ns, 0, _REPORT, report, (0, 0, ""))

    def _push(self, time_ns: int, rank: int, what: int, of: object, numbers: tuple[int, int, str]) -> None:
        heappush(self._due, (time_ns, rank, self._made, what, of, numbers))
        self._made += 1

    def _check_symbol(self, symbol: int) -> None:
        if not 0 <= symbol < len(self.listings):
            raise UsageError("symbol", expected=f"0 to {len(self.listings) - 1}", found=symbol)

    def _check_sent(self, order: Order) -> None:
        if not order.ref:
            raise UsageError("order", expected="one that was submitted", found=order)

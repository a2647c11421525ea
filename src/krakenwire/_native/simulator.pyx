# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.trading.simulator.simulator`: rows of a market and orders on one virtual clock.

What it promises is written there; the twins must never differ. Rows are read
where they lie in the array, callbacks are called from inside the loop.
Next: `simulator_fills`.
"""

cimport cython
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int64_t, uint64_t

from krakenwire._native.simulator_fills cimport (
    AMEND, CANCEL, CANCEL_ALL, Due, ENTER, EXPIRE, Fills, KW_ROW_ASK, KW_ROW_BID, KW_ROW_BUY, KW_ROW_CLEAR,
    KW_ROW_EVENT, KW_ROW_GAP, KW_ROW_LAST, KW_ROW_QUIET, KW_ROW_SELL, REPORT, TIMER, kw_due, kw_due_pop, kw_row, words,
)
from krakenwire._native.simulator_orders cimport NEW, OPEN, Order as CompiledOrder, SENT, WAITING

from krakenwire._native.simulator_book import SimBook
from krakenwire._native.simulator_orders import Order, Report
from krakenwire.errors import UsageError

cdef enum:
    IS_AMEND_REFUSED = 7
    MARKET = 1
    BOOK = 0
    TRADE = 1
    GAP = 2

cdef int64_t AMOUNT_MAX = <int64_t>1 << 61
cdef object _checks = None


cdef object checks():
    """Return the module with the checks: not at import, because its package imports this module."""
    global _checks
    if _checks is None:
        from krakenwire.trading.simulator import checks
        _checks = checks
    return _checks


def _ignore(*_told):
    """Stand in for a callback that nobody has set."""


def _by_ref(order):
    return order.ref


@cython.final
cdef class _Acting:
    """An order on its way, with the words that its venue refuses it with."""

    cdef CompiledOrder order
    cdef object refusal


@cython.final
cdef class Simulator:
    """A pretended market; see `krakenwire.trading.simulator.simulator`."""

    cdef readonly object listings, model
    cdef readonly list books
    cdef readonly Py_ssize_t next_row
    cdef public object on_report, on_event, on_time
    cdef list fills
    cdef Due due
    cdef dict timers
    cdef int64_t refs
    cdef Py_ssize_t first
    cdef bint is_whole, running, stopped

    def __init__(self, listings, model, *, int64_t now_ns=0):
        checks().check_listings(listings)
        self.listings, self.model = tuple(listings), model
        self.due = Due()
        self.due.now_ns = now_ns
        self.due.entry_ns, self.due.report_ns = model.entry_latency_ns, model.report_latency_ns
        self.fills = [Fills(listing, model, self.due) for listing in self.listings]
        self.books = [(<Fills>fills).book for fills in self.fills]
        self.on_report = self.on_event = self.on_time = _ignore
        self.timers = {}
        self.is_whole = True

    @property
    def now_ns(self):
        return self.due.now_ns

    # -- what a strategy does

    def on(self, symbol, what, call):
        """Have `call` called when a frame of a symbol is whole; None for no more."""
        self.check_symbol(symbol)
        cdef Fills fills = self.fills[symbol]
        if what == BOOK:
            fills.on_book = call
        elif what == TRADE:
            fills.on_trade = call
        elif what == GAP:
            fills.on_gap = call
        else:
            raise ValueError(f"{what!r} is not a valid What")

    def submit(self, CompiledOrder order not None):
        """Send a new order; it acts on the market `entry_latency_ns` from now."""
        if not self.is_plain(order):
            checks().check_order(order, len(self.fills))
        self.refs += 1
        order.ref, order.phase = self.refs, SENT
        self.act(ENTER, order, order.price, order.qty)

    def amend(self, CompiledOrder order not None, price, qty):
        """Ask for another limit and quantity; both are told, changed or not."""
        checks().check_amend(order, price, qty)
        self.act(AMEND, order, price, qty)

    def cancel(self, CompiledOrder order not None):
        """Ask for the end of an order."""
        self.check_sent(order)
        self.due.push(self.due.now_ns + self.due.entry_ns, 0, CANCEL, order, 0, 0)

    def cancel_all(self, symbol=None):
        """Ask for the end of all orders that are open when it acts, of one symbol or of all."""
        if symbol is not None:
            self.check_symbol(symbol)
        self.due.push(
            self.due.now_ns + self.due.entry_ns, 0, CANCEL_ALL, None, -1 if symbol is None else symbol, 0)

    def at(self, int64_t time_ns, int64_t timer_id):
        """Have `on_time` called at that time, or at once where it is over; instead of this id's earlier time."""
        self.timers[timer_id] = self.due.made
        self.due.push(time_ns, 1, TIMER, None, timer_id, 0)

    def forget(self, timer_id):
        """Have a timer not called, if it is set."""
        self.timers.pop(timer_id, None)

    def stop(self):
        """End the run that calls, as soon as its callback returns."""
        self.stopped = True

    # -- time

    @property
    def next_due_ns(self):
        cdef kw_due due
        while self.due.heap.n:
            due = self.due.heap.at[0]
            if due.what != TIMER or self.is_set(&due):
                return due.time_ns
            kw_due_pop(&self.due.heap)
        return None

    def run(self, rows, Py_ssize_t start=0, stop=None):
        """Take rows in order, and before each frame whatever is due at or before its time."""
        cdef Py_buffer view
        cdef Py_ssize_t end
        checks().check_rows(rows, start)
        self.begin()
        try:
            PyObject_GetBuffer(rows, &view, PyBUF_C_CONTIGUOUS)
            try:
                end = view.len // <Py_ssize_t>sizeof(kw_row)
                if stop is not None and stop < end:
                    end = stop
                self.next_row = start
                self.take_rows(<const kw_row *>view.buf, start, end)
            finally:
                PyBuffer_Release(&view)
        finally:
            self.running = False
        return self.next_row

    def advance(self, int64_t now_ns):
        """Let time pass without rows: whatever is due until then falls due."""
        self.begin()
        try:
            self.drain(now_ns)
            if not self.stopped and now_ns > self.due.now_ns:
                self.due.now_ns = now_ns
        finally:
            self.running = False

    cdef int begin(self) except -1:
        if self.running:
            raise UsageError("run of a simulator", expected="not to be called by its own callbacks")
        self.running, self.stopped = True, False
        return 0

    cdef int take_rows(self, const kw_row *rows, Py_ssize_t row, Py_ssize_t end) except -1:
        cdef Due due = self.due
        cdef unsigned int symbols = <unsigned int>len(self.fills)
        cdef const kw_row *at
        cdef Fills fills
        while row < end:
            at = rows + row
            if at.symbol >= symbols:
                raise UsageError("symbol of a row", expected=f"below {symbols}", found=at.symbol)
            if self.is_whole:
                self.first = row
                if due.heap.n and due.heap.at[0].time_ns <= at.time_ns:
                    self.drain(at.time_ns)
                    if self.stopped:
                        return 0
            if at.time_ns > due.now_ns:
                due.now_ns = at.time_ns
            row += 1
            self.next_row = row
            self.is_whole = at.flags & KW_ROW_LAST
            fills = <Fills>self.fills[at.symbol]
            if at.kind == KW_ROW_BID or at.kind == KW_ROW_ASK:
                fills.level(at.kind == KW_ROW_ASK, at.price, at.qty, at.venue_ns)
            elif at.kind == KW_ROW_BUY or at.kind == KW_ROW_SELL:
                fills.trade(at, due.now_ns)
            elif at.kind == KW_ROW_CLEAR:
                fills.clear()
            elif at.kind == KW_ROW_GAP:
                fills.gap()
            if self.is_whole:
                self.call(fills, at, row)
                if self.stopped:
                    return 0
        return 0

    cdef inline int call(self, Fills fills, const kw_row *last, Py_ssize_t end) except -1:
        """The frame is whole: own orders are filled that the book has reached, and the strategy is told."""
        if last.kind == KW_ROW_BID or last.kind == KW_ROW_ASK or last.kind == KW_ROW_CLEAR:
            fills.whole(self.due.now_ns)
            if fills.on_book is None or last.flags & KW_ROW_QUIET:
                return 0
            if fills.book.live and fills.book.depth:
                fills.on_book(fills.book)
        elif last.kind == KW_ROW_BUY or last.kind == KW_ROW_SELL:
            if fills.on_trade is not None:
                fills.on_trade(last.symbol, self.first, end)
        elif last.kind == KW_ROW_GAP:
            if fills.on_gap is not None:
                fills.on_gap(last.symbol)
        elif last.kind == KW_ROW_EVENT:
            self.on_event(last.aux, last.symbol)
        return 0

    # -- what falls due

    cdef int drain(self, int64_t until_ns) except -1:
        cdef Due waits = self.due
        cdef kw_due due
        while waits.heap.n and waits.heap.at[0].time_ns <= until_ns and not self.stopped:
            due = kw_due_pop(&waits.heap)
            if due.time_ns > waits.now_ns:
                waits.now_ns = due.time_ns
            if due.what == REPORT:
                self.on_report(waits.take(due.slot))
            elif due.what == TIMER:
                if self.is_set(&due):
                    del self.timers[due.price]
                    self.on_time(due.price)
            elif due.what == CANCEL_ALL:
                self.end_all(due.price)
            else:
                self.command(&due, waits.take(due.slot))
        return 0

    cdef int command(self, const kw_due *due, object of) except -1:
        cdef _Acting acting
        cdef CompiledOrder order
        if due.what == ENTER or due.what == AMEND:
            acting = <_Acting>of
            order = acting.order
            if due.what == ENTER:
                return self.enter(order, acting.refusal)
            if acting.refusal and (order.phase == OPEN or order.phase == WAITING):
                return self.due.tell(IS_AMEND_REFUSED, order, due.price, due.qty, False, acting.refusal)
            return (<Fills>self.fills[order.symbol]).amend(order, due.price, due.qty)
        order = <CompiledOrder>of
        if due.what == CANCEL:
            return (<Fills>self.fills[order.symbol]).cancel(order)
        return (<Fills>self.fills[order.symbol]).expire(order)

    cdef int enter(self, CompiledOrder order, object refusal) except -1:
        cdef Fills fills = <Fills>self.fills[order.symbol]
        if not refusal and 0 < order.expire_ns <= self.due.now_ns:
            refusal = words().EXPIRED
        if refusal:
            return fills.refuse(order, refusal)
        fills.enter(order)
        if order.expire_ns and (order.phase == OPEN or order.phase == WAITING):
            self.due.push(order.expire_ns, 0, EXPIRE, order, 0, 0)
        return 0

    cdef int end_all(self, int64_t symbol) except -1:
        cdef list of = self.fills if symbol < 0 else [self.fills[symbol]]
        cdef list found = []
        cdef CompiledOrder order
        for fills in of:
            found += (<Fills>fills).open_orders()
        for order in sorted(found, key=_by_ref):
            (<Fills>self.fills[order.symbol]).cancel(order)
        return 0

    cdef int act(self, int what, CompiledOrder order, int64_t price, int64_t qty) except -1:
        cdef _Acting acting = _Acting.__new__(_Acting)
        acting.order = order
        if (<Fills>self.fills[order.symbol]).surely_takes(price, qty):
            acting.refusal = ""
        else:
            acting.refusal = checks().refusal_of(self.listings[order.symbol], price, qty)
        return self.due.push(self.due.now_ns + self.due.entry_ns, 0, what, acting, price, qty)

    cdef bint is_plain(self, CompiledOrder order) noexcept:
        """Return whether an order is one of the usual, and right: it then needs no second look."""
        return (
            order.phase == NEW and 0 <= order.symbol < len(self.fills) and (order.side == 1 or order.side == 2)
            and order.order_type == 0 and 0 < order.price < AMOUNT_MAX and 0 < order.qty < AMOUNT_MAX
            and order.trigger == 0 and 0 <= order.flags <= 2 and order.expire_ns >= 0
        )

    cdef bint is_set(self, const kw_due *due) except -1:
        """Return whether a timer was neither forgotten nor set anew."""
        made = self.timers.get(due.price)
        return made is not None and <uint64_t>made == due.turn & ~(<uint64_t>1 << 63)

    cdef int check_symbol(self, symbol) except -1:
        if not 0 <= symbol < len(self.fills):
            raise UsageError("symbol", expected=f"0 to {len(self.fills) - 1}", found=symbol)
        return 0

    cdef int check_sent(self, CompiledOrder order) except -1:
        if not order.ref:
            raise UsageError("order", expected="one that was submitted", found=order)
        return 0

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.venue.matching.matching`: one instrument's book and the rules of matching.

It answers every command as the readable twin does and must never differ from
it; what the commands mean is written there. The engine is C (`matching.h` over
`matching_store.h`); this is its face. Next: `matching_book` for what is read of
the book, `matching_events` for what the commands answer.
"""

cimport cython
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport INT64_MIN, int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from krakenwire._native.matching_book cimport Book, BookSide as Side, orders_of, side_of, within
from krakenwire._native.matching_engine cimport (
    KW_BAD_FLAGS, KW_CANCEL_BOTH, KW_CANCEL_OLDEST, KW_FOK, KW_ICEBERG, KW_IOC, KW_MARKET, KW_NEW_BOUND,
    KW_NEW_DISPLAY, KW_NEW_PRICE, KW_NEW_QTY, KW_NO_MEMORY, KW_POST_ONLY, KW_REDUCE_ONLY, KW_SELL, KW_UNKNOWN_ORDER,
    kw_bad_flags, kw_crosses, kw_engine, kw_engine_amend, kw_engine_cancel, kw_engine_submit, kw_fillable, kw_key,
    kw_records,
)
from krakenwire._native.matching_events cimport batch_result, events_of, load_events, refusal_of, trades_of

# For Python. One name cannot be both cimported and imported, so here the class of C goes by a shorter one.
from krakenwire._native.matching_book import BookSide, PriceLevel, RestingOrder

cdef enum:
    SUBMIT = 0
    WITHDRAW = 1
    REVISE = 2
    TRADES_KEPT = 65536  # records whose room is kept when they are taken

cdef size_t TRADES_UNTAKEN_MAX = 0


cdef int load_vocabulary() except -1:
    """Fetch what commands are answered with: not at import, because its package imports this module."""
    global TRADES_UNTAKEN_MAX
    from krakenwire.venue.matching import orders
    load_events(orders)
    TRADES_UNTAKEN_MAX = orders.TRADES_UNTAKEN_MAX
    return 0


# -- what may be asked for, in flags ----------------------------------------------

cdef int is_sell_of(side) except -1:
    if side == "buy":
        return 0
    if side == "sell":
        return 1
    raise KeyError(side)


cdef int flags_of_force(time_in_force) except -1:
    if time_in_force == "gtc":
        return 0
    if time_in_force == "ioc":
        return KW_IOC
    if time_in_force == "fok":
        return KW_FOK
    raise KeyError(time_in_force)


cdef int flags_of_self_trade(self_trade) except -1:
    if self_trade == "cancel_newest":
        return 0
    if self_trade == "cancel_oldest":
        return KW_CANCEL_OLDEST
    if self_trade == "cancel_both":
        return KW_CANCEL_BOTH
    raise KeyError(self_trade)


# -- the engine ---------------------------------------------------------------------

cdef class MatchingEngine:
    """The book of one instrument and the rules of matching; see `krakenwire.venue.matching.matching`."""

    cdef Book book
    cdef kw_engine *engine
    cdef readonly Side bids, asks
    cdef readonly object orders

    def __cinit__(self, bint record_trades=False):
        if not TRADES_UNTAKEN_MAX:
            load_vocabulary()
        self.book = Book()
        self.engine = &self.book.engine
        self.engine.want_trades = record_trades
        self.bids = side_of(self.book, 0)
        self.asks = side_of(self.book, 1)
        self.orders = orders_of(self.book)

    @property
    def record_trades(self):
        return self.engine.want_trades != 0

    @record_trades.setter
    def record_trades(self, bint wanted):
        self.engine.want_trades = wanted

    # commands that answer with events

    def place(
        self,
        int64_t order_id,
        side,
        int64_t qty,
        price,
        int64_t time_ns,
        time_in_force="gtc",
        bint post_only=False,
        int64_t owner=0,
        self_trade="cancel_newest",
        display_qty=None,
        reduce_qty=None,
    ):
        """Take in a new order: match what can be matched, rest what may rest."""
        cdef int64_t limit = 0, display = 0, bound = 0
        cdef uint32_t flags = flags_of_force(time_in_force) | flags_of_self_trade(self_trade)
        if is_sell_of(side):
            flags |= KW_SELL
        if post_only:
            flags |= KW_POST_ONLY
        if price is None:
            flags |= KW_MARKET
        else:
            limit = price
        if display_qty is not None:
            display = display_qty
            flags |= KW_ICEBERG
        if reduce_qty is not None:
            bound = reduce_qty
            flags |= KW_REDUCE_ONLY
        self.listen()
        return self.told(order_id, time_ns, kw_engine_submit(
            self.engine, order_id, limit, qty, time_ns, flags, owner, display, bound))

    def cancel(self, int64_t order_id, int64_t time_ns):
        """Take a resting order out of the book."""
        self.listen()
        return self.told(
            order_id, time_ns, 0 if kw_engine_cancel(self.engine, order_id, time_ns) else -KW_UNKNOWN_ORDER)

    def amend(
        self, int64_t order_id, int64_t time_ns, qty=None, price=None, bint post_only=False, display_qty=None,
        reduce_qty=None
    ):
        """Change what a resting order asks for."""
        cdef int64_t lots = 0, limit = 0, display = 0, bound = 0
        cdef uint32_t what = KW_POST_ONLY if post_only else 0
        if qty is not None:
            lots = qty
            what |= KW_NEW_QTY
        if price is not None:
            limit = price
            what |= KW_NEW_PRICE
        if display_qty is not None:
            display = display_qty
            what |= KW_NEW_DISPLAY
        if reduce_qty is not None:
            bound = reduce_qty
            what |= KW_NEW_BOUND
        self.listen()
        return self.told(order_id, time_ns, kw_engine_amend(
            self.engine, order_id, time_ns, what, lots, limit, display, bound))

    cdef inline void listen(self) noexcept:
        self.engine.events.n = 0
        self.engine.want_events = 1

    cdef list told(self, int64_t order_id, int64_t time_ns, int64_t answer):
        """Make the events of the command that has just run."""
        self.engine.want_events = 0
        if answer < 0:
            check_memory(answer)
            return [refusal_of(order_id, -answer, time_ns)]
        if self.engine.events.lost:
            self.engine.events.lost = 0
            raise MemoryError("the command was carried out, but there was no room for all of its events")
        return events_of(&self.engine.events)

    # compact commands; plain builtin methods are called faster

    @cython.binding(False)
    def submit(
        self, int64_t order_id, bint is_sell, int64_t price, int64_t qty, int64_t time_ns=0, int64_t flags=0,
        int64_t owner=0, int64_t display_qty=0, int64_t reduce_qty=0
    ):
        """Do what `place` does and return the lots traded at once, or less than zero if refused."""
        self.check_room()
        cdef int64_t answer = self.enter(order_id, is_sell, price, qty, time_ns, flags, owner, display_qty, reduce_qty)
        if answer < 0 or self.engine.trades.lost:
            self.check_outcome(answer)
        return answer

    @cython.binding(False)
    def withdraw(self, int64_t order_id, int64_t time_ns=0):
        """Do what `cancel` does and return whether the order was there."""
        return kw_engine_cancel(self.engine, order_id, time_ns) != 0

    @cython.binding(False)
    def revise(
        self, int64_t order_id, int64_t price=0, int64_t qty=0, int64_t time_ns=0, int64_t flags=0,
        int64_t display_qty=0, int64_t reduce_qty=0
    ):
        """Do what `amend` does and answer as `submit` does; 0 leaves a value, the only flag is `POST_ONLY`."""
        self.check_room()
        cdef int64_t answer = self.alter(order_id, price, qty, time_ns, flags, display_qty, reduce_qty)
        self.check_outcome(answer)
        return answer

    def batch(self, rows, int width=5):
        """Run many compact commands, a row of `width` numbers for each."""
        cdef Py_buffer view
        cdef int64_t done = 0, refused = 0
        if not 5 <= width <= 10:
            raise ValueError("a row has 5 to 10 numbers")
        PyObject_GetBuffer(rows, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        try:
            check_format(&view)
            if view.len % (8 * width):
                raise ValueError("the buffer does not hold whole rows")
            self.check_room()
            self.engine.n_trades = 0
            self.run(<const char *>view.buf, view.len // (8 * width), width, &done, &refused)
        finally:
            PyBuffer_Release(&view)
        return batch_result(done, refused, self.engine.n_trades)

    def take_trades(self):
        """Return the trades of compact commands since the last call, oldest first, and forget them."""
        cdef kw_records *trades = &self.engine.trades
        cdef list taken = trades_of(trades)
        trades.n = 0
        if trades.cap > TRADES_KEPT:
            free(trades.at)
            trades.at = NULL
            trades.cap = 0
        return taken

    cdef inline int64_t enter(
        self, int64_t order_id, bint is_sell, int64_t price, int64_t qty, int64_t time_ns, int64_t flags,
        int64_t owner, int64_t display, int64_t bound
    ) noexcept:
        if kw_bad_flags(flags, price, bound):
            return -KW_BAD_FLAGS
        cdef uint32_t all_flags = <uint32_t>flags
        if is_sell:
            all_flags |= KW_SELL
        if display:
            all_flags |= KW_ICEBERG
        return kw_engine_submit(self.engine, order_id, price, qty, time_ns, all_flags, owner, display, bound)

    cdef inline int64_t alter(
        self, int64_t order_id, int64_t price, int64_t qty, int64_t time_ns, int64_t flags, int64_t display,
        int64_t bound
    ) noexcept:
        if flags & ~<int64_t>KW_POST_ONLY:
            return -KW_BAD_FLAGS
        cdef uint32_t what = <uint32_t>flags
        if price:
            what |= KW_NEW_PRICE
        if qty:
            what |= KW_NEW_QTY
        if display:
            what |= KW_NEW_DISPLAY
        if bound:
            what |= KW_NEW_BOUND
        return kw_engine_amend(self.engine, order_id, time_ns, what, qty, price, display, bound)

    cdef int run(self, const char *rows, Py_ssize_t count, int width, int64_t *done, int64_t *refused) except -1:
        """Carry out the rows of a batch, which may lie anywhere."""
        cdef int64_t row[10]
        cdef int64_t answer
        cdef Py_ssize_t at
        memset(row, 0, sizeof(row))
        for at in range(count):
            memcpy(row, rows + at * 8 * width, 8 * width)
            if row[0] == SUBMIT:
                answer = self.enter(row[1], row[2] != 0, row[3], row[4], row[5], row[6], row[7], row[8], row[9])
            elif row[0] == WITHDRAW:
                answer = 0 if kw_engine_cancel(self.engine, row[1], row[5]) else -KW_UNKNOWN_ORDER
            elif row[0] == REVISE:
                answer = self.alter(row[1], row[3], row[4], row[5], row[6], row[8], row[9])
            else:
                answer = -KW_BAD_FLAGS
            if answer >= 0:
                done[0] += 1
                continue
            check_memory(answer)
            refused[0] += 1
        return self.check_outcome(0)

    cdef inline int check_room(self) except -1:
        if self.engine.trades.n > TRADES_UNTAKEN_MAX:
            raise BufferError("recorded trades wait to be taken: call take_trades()")
        return 0

    cdef int check_outcome(self, int64_t answer) except -1:
        check_memory(answer)
        if self.engine.trades.lost:
            self.engine.trades.lost = 0
            raise MemoryError("the command was carried out, but there was no room for all of its trades")
        return 0

    # reading

    def side(self, side):
        """Return the bids for ``buy``, the asks for ``sell``."""
        return self.asks if is_sell_of(side) else self.bids

    def crosses(self, side, int64_t price):
        """Return whether a limit order at this price would trade at once."""
        return kw_crosses(self.engine, is_sell_of(side), within(price)) != 0

    def fillable(self, side, price, int64_t enough, int64_t owner=0, self_trade="cancel_newest"):
        """Return how many lots an order could trade at once, counting no further than `enough`."""
        cdef int is_sell = is_sell_of(side)
        cdef int64_t limit = INT64_MIN
        if price is not None:
            limit = kw_key(not is_sell, within(price))
        if enough <= 0:
            return enough
        return kw_fillable(self.engine, is_sell, limit, enough, owner, flags_of_self_trade(self_trade))


cdef inline int check_memory(int64_t answer) except -1:
    if answer == -KW_NO_MEMORY:
        raise MemoryError("no room for another order; nothing was done")
    return 0


cdef int check_format(const Py_buffer *view) except -1:
    """Signed 64-bit numbers, or bytes that hold them."""
    cdef char code = view.format[0] if view.format != NULL else c"B"
    if view.format != NULL and code != 0 and view.format[1] != 0:
        code = 0
    if not ((code == c"B" and view.itemsize == 1) or ((code == c"q" or code == c"l") and view.itemsize == 8)):
        raise ValueError("the buffer does not hold signed 64-bit numbers")
    return 0

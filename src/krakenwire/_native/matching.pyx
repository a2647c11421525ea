# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.venue.matching`: one instrument's book and the rules of matching.

It answers every command as the readable twin does and must never differ from
it; what the commands mean is written there. The engine is C (`matching.h` over
`matching_store.h`); this is its face, and small objects to read the book with.
"""

from collections.abc import Mapping

cimport cython
from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    /* An instance of a subclass of tuple that adds nothing, as NamedTuples are. */
    static inline PyObject *kw_named_tuple(PyObject *cls, PyObject *fields) {
        PyObject *made, *args = PyTuple_Pack(1, fields);
        if (!args) return NULL;
        made = PyTuple_Type.tp_new((PyTypeObject *)cls, args, NULL);
        Py_DECREF(args);
        return made;
    }
    """
    object kw_named_tuple(object cls, object fields)

cdef extern from "matching.h":
    enum:
        KW_IOC, KW_FOK, KW_POST_ONLY, KW_MARKET, KW_REDUCE_ONLY, KW_CANCEL_OLDEST, KW_CANCEL_BOTH
        KW_ICEBERG, KW_SELL, KW_NEW_QTY, KW_NEW_PRICE, KW_NEW_DISPLAY, KW_NEW_BOUND
        KW_UNKNOWN_ORDER, KW_BAD_FLAGS, KW_NO_MEMORY
        KW_ACCEPTED, KW_TRADED, KW_RESTED, KW_CHANGED, KW_REMOVED, KW_FINISHED, KW_AMENDED
    const int64_t KW_PRICE_MAX
    ctypedef struct kw_total:
        uint64_t low, high
    ctypedef struct kw_order:
        int64_t id, qty, hidden, display, owner, time_ns
        uint32_t previous, next, level, flags
    ctypedef struct kw_level_queue:
        int64_t price, time_ns
        kw_total qty, hidden
        uint32_t first, last, count
    ctypedef struct kw_rung:
        int64_t key
        uint32_t level
    ctypedef struct kw_ladder:
        kw_rung *at
        uint32_t n
    ctypedef struct kw_table:
        uint32_t n
    ctypedef struct kw_record:
        uint8_t kind, reason, is_sell
        int64_t order_id, taker_id, price, qty, maker_left, taker_left, time_ns
    ctypedef struct kw_records:
        kw_record *at
        size_t n, cap
        int lost
    ctypedef struct kw_engine:
        kw_order *orders
        int64_t *bounds
        kw_level_queue *levels
        kw_ladder sides[2]
        kw_table ids, prices
        kw_records events, trades
        int want_events, want_trades
        int64_t n_trades
        uint64_t revision
    int kw_engine_init(kw_engine *e)
    void kw_engine_free(kw_engine *e)
    int kw_bad_flags(int64_t flags, int64_t price, int64_t bound)
    int64_t kw_engine_submit(
        kw_engine *e, int64_t id, int64_t price, int64_t qty, int64_t time_ns, uint32_t flags, int64_t owner,
        int64_t display, int64_t bound)
    int kw_engine_cancel(kw_engine *e, int64_t id, int64_t time_ns)
    int64_t kw_engine_amend(
        kw_engine *e, int64_t id, int64_t time_ns, uint32_t what, int64_t qty, int64_t price, int64_t display,
        int64_t bound)
    int kw_crosses(const kw_engine *e, int is_sell, int64_t price)
    int64_t kw_fillable(
        const kw_engine *e, int is_sell, int64_t limit_key, int64_t enough, int64_t owner, uint32_t flags)
    uint32_t kw_ladder_below(const kw_ladder *ladder, int64_t key)
    uint32_t kw_table_find(const kw_table *table, int64_t key)
    int64_t kw_key(int is_sell, int64_t price)

cdef enum:
    SUBMIT = 0
    WITHDRAW = 1
    REVISE = 2
    TRADES_KEPT = 65536  # records whose room is kept when they are taken

cdef tuple SIDES = ("buy", "sell")
cdef tuple REASONS = ("trade", "cancel", "amend", "self trade", "refill", "filled", "ioc", "no liquidity")
cdef object Accepted, Traded, Rested, Changed, Removed, Finished, Amended, Refused, BatchResult
cdef tuple REFUSALS = None
cdef size_t TRADES_UNTAKEN_MAX = 0


cdef int load_vocabulary() except -1:
    """Fetch the events: not at import, because their package imports this module."""
    global Accepted, Traded, Rested, Changed, Removed, Finished, Amended, Refused, BatchResult
    global REFUSALS, TRADES_UNTAKEN_MAX
    from krakenwire.venue import orders
    Accepted, Traded, Rested, Changed = orders.Accepted, orders.Traded, orders.Rested, orders.Changed
    Removed, Finished, Amended, Refused = orders.Removed, orders.Finished, orders.Amended, orders.Refused
    BatchResult = orders.BatchResult
    TRADES_UNTAKEN_MAX = orders.TRADES_UNTAKEN_MAX
    REFUSALS = orders.REFUSALS
    return 0


# -- values in and out ----------------------------------------------------------

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


cdef inline int64_t within(int64_t price) noexcept:
    """A price to compare with, so near the possible ones that its negative exists."""
    return 0 if price < 0 else KW_PRICE_MAX + 1 if price > KW_PRICE_MAX else price


cdef object number_of(const kw_total *total):
    if total.high:
        return <object>total.high << 64 | <object>total.low
    return total.low


cdef object trade_of(kw_record r):
    return kw_named_tuple(Traded, (
        r.order_id, r.taker_id, SIDES[r.is_sell], r.price, r.qty, r.maker_left, r.taker_left, r.time_ns))


cdef object event_of(kw_record r):
    side = SIDES[r.is_sell]
    if r.kind == KW_TRADED:
        return trade_of(r)
    if r.kind == KW_RESTED:
        return kw_named_tuple(Rested, (side, r.price, r.order_id, r.qty, r.time_ns))
    if r.kind == KW_ACCEPTED:
        return kw_named_tuple(Accepted, (r.order_id, side, r.price or None, r.qty, r.time_ns))
    if r.kind == KW_FINISHED:
        return kw_named_tuple(Finished, (r.order_id, side, r.qty, r.time_ns, REASONS[r.reason]))
    if r.kind == KW_AMENDED:
        return kw_named_tuple(Amended, (r.order_id, r.qty, r.time_ns))
    return kw_named_tuple(
        Changed if r.kind == KW_CHANGED else Removed,
        (side, r.price, r.order_id, r.qty, r.time_ns, REASONS[r.reason]))


# -- reading ----------------------------------------------------------------------

@cython.final
@cython.no_gc
cdef class Book:
    """Holds the C engine for everything that reads it."""

    cdef kw_engine engine

    def __cinit__(self):
        memset(&self.engine, 0, sizeof(kw_engine))
        if not kw_engine_init(&self.engine):
            raise MemoryError

    def __dealloc__(self):
        kw_engine_free(&self.engine)


@cython.final
@cython.no_gc
cdef class RestingOrder:
    """An order in the book, as it was when it was read."""

    cdef readonly int64_t order_id, price, qty, hidden, owner, time_ns
    cdef int64_t display, bound
    cdef uint32_t flags

    @property
    def side(self):
        return SIDES[(self.flags & KW_SELL) != 0]

    @property
    def post_only(self):
        return (self.flags & KW_POST_ONLY) != 0

    @property
    def self_trade(self):
        if self.flags & KW_CANCEL_OLDEST:
            return "cancel_oldest"
        return "cancel_both" if self.flags & KW_CANCEL_BOTH else "cancel_newest"

    @property
    def display_qty(self):
        return self.display if self.display else None

    @property
    def reduce_qty(self):
        return self.bound if self.flags & KW_REDUCE_ONLY else None

    @property
    def remaining(self):
        return self.qty + self.hidden


cdef RestingOrder read_order(kw_engine *e, uint32_t slot):
    cdef RestingOrder order = RestingOrder.__new__(RestingOrder)
    cdef const kw_order *at = &e.orders[slot]
    order.order_id = at.id
    order.price = e.levels[at.level].price
    order.qty = at.qty
    order.hidden = at.hidden
    order.owner = at.owner
    order.time_ns = at.time_ns
    order.display = at.display
    order.flags = at.flags
    order.bound = e.bounds[slot] if at.flags & KW_REDUCE_ONLY else 0
    return order


@cython.final
@cython.no_gc
cdef class PriceLevel:
    """The orders at one price, as they were when it was read; its queue only until the next command."""

    cdef Book book
    cdef uint64_t revision
    cdef kw_level_queue at

    @property
    def price(self):
        return self.at.price

    @property
    def qty(self):
        return number_of(&self.at.qty)

    @property
    def hidden(self):
        return number_of(&self.at.hidden)

    @property
    def count(self):
        return self.at.count

    @property
    def time_ns(self):
        return self.at.time_ns

    @property
    def first(self):
        check_fresh(self.book, self.revision)
        return read_order(&self.book.engine, self.at.first)

    @property
    def last(self):
        check_fresh(self.book, self.revision)
        return read_order(&self.book.engine, self.at.last)

    def __iter__(self):
        cdef Queue queue = Queue.__new__(Queue)
        check_fresh(self.book, self.revision)
        queue.book = self.book
        queue.revision = self.revision
        queue.slot = self.at.first
        return queue


cdef int check_fresh(Book book, uint64_t revision) except -1:
    if book.engine.revision != revision:
        raise RuntimeError("the book has changed since this level was read")
    return 0


@cython.final
@cython.no_gc
cdef class Queue:
    """Goes through the orders of a level, oldest place first."""

    cdef Book book
    cdef uint64_t revision
    cdef uint32_t slot

    def __iter__(self):
        return self

    def __next__(self):
        if not self.slot:
            raise StopIteration
        check_fresh(self.book, self.revision)
        cdef uint32_t slot = self.slot
        self.slot = self.book.engine.orders[slot].next
        return read_order(&self.book.engine, slot)


cdef PriceLevel read_level(Book book, uint32_t at):
    cdef PriceLevel level = PriceLevel.__new__(PriceLevel)
    level.book = book
    level.revision = book.engine.revision
    level.at = book.engine.levels[at]
    return level


@cython.final
@cython.no_gc
cdef class BookSide:
    """One side of the book, for reading."""

    cdef Book book
    cdef int is_sell

    @property
    def sign(self):
        return -1 if self.is_sell else 1

    def __len__(self):
        return self.book.engine.sides[self.is_sell].n

    def best(self):
        """Return the best level, None when the side is empty."""
        cdef const kw_ladder *side = &self.book.engine.sides[self.is_sell]
        return read_level(self.book, side.at[side.n - 1].level) if side.n else None

    cdef const kw_rung *rung(self, int64_t rank) except NULL:
        cdef const kw_ladder *side = &self.book.engine.sides[self.is_sell]
        if not 0 <= rank < side.n:
            raise IndexError(rank)
        return &side.at[side.n - 1 - rank]

    def at(self, int64_t rank):
        """Return the level `rank` places behind the best one, which is rank 0."""
        return read_level(self.book, self.rung(rank).level)

    def price_at(self, int64_t rank):
        """Return the price of the level `rank` places behind the best one."""
        return kw_key(self.is_sell, self.rung(rank).key)

    def level(self, int64_t price):
        """Return the level at a price, None when nobody rests there."""
        cdef uint32_t at = kw_table_find(&self.book.engine.prices, price) if price > 0 else 0
        if not at:
            return None
        cdef uint32_t slot = self.book.engine.levels[at].first
        cdef int is_sell = (self.book.engine.orders[slot].flags & KW_SELL) != 0
        return read_level(self.book, at) if is_sell == self.is_sell else None

    def top(self, int64_t count):
        """Return up to `count` levels, best first."""
        cdef const kw_ladder *side = &self.book.engine.sides[self.is_sell]
        cdef list levels = []
        cdef int64_t rank = 0
        while rank < count and rank < side.n:
            levels.append(read_level(self.book, side.at[side.n - 1 - rank].level))
            rank += 1
        return levels

    def rank(self, int64_t price):
        """Return how many levels are better than this price."""
        cdef const kw_ladder *side = &self.book.engine.sides[self.is_sell]
        return side.n - kw_ladder_below(side, kw_key(self.is_sell, within(price)) + 1)


cdef BookSide side_of(Book book, int is_sell):
    cdef BookSide side = BookSide.__new__(BookSide)
    side.book = book
    side.is_sell = is_sell
    return side


cdef class OrdersById:
    """The resting orders by number, in no particular order."""

    cdef Book book

    def __len__(self):
        return self.book.engine.ids.n

    cdef uint32_t slot(self, order_id) except? 0:
        cdef int64_t number
        try:
            number = order_id
        except (OverflowError, TypeError):
            return 0
        return kw_table_find(&self.book.engine.ids, number) if number > 0 else 0

    def __contains__(self, order_id):
        return self.slot(order_id) != 0

    def __getitem__(self, order_id):
        cdef uint32_t slot = self.slot(order_id)
        if not slot:
            raise KeyError(order_id)
        return read_order(&self.book.engine, slot)

    def __iter__(self):
        return iter(self.numbers())

    cdef list numbers(self):
        cdef list found = []
        cdef kw_engine *e = &self.book.engine
        cdef uint32_t rank, slot
        cdef int side
        for side in range(2):
            for rank in range(e.sides[side].n):
                slot = e.levels[e.sides[side].at[rank].level].first
                while slot:
                    found.append(e.orders[slot].id)
                    slot = e.orders[slot].next
        return found


class Orders(OrdersById, Mapping):
    """The resting orders by number, as a read-only mapping."""

    __slots__ = ()


cdef object orders_of(Book book):
    cdef OrdersById orders = Orders()
    orders.book = book
    return orders


# -- the engine ---------------------------------------------------------------------

cdef class MatchingEngine:
    """The book of one instrument and the rules of matching; see `krakenwire.venue.matching`."""

    cdef Book book
    cdef kw_engine *engine
    cdef readonly BookSide bids, asks
    cdef readonly object orders

    def __cinit__(self, bint record_trades=False):
        if REFUSALS is None:
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
        cdef list events = []
        cdef size_t at = 0
        self.engine.want_events = 0
        if answer < 0:
            check_memory(answer)
            events.append(kw_named_tuple(Refused, (order_id, REFUSALS[-answer], time_ns)))
            return events
        if self.engine.events.lost:
            self.engine.events.lost = 0
            raise MemoryError("the command was carried out, but there was no room for all of its events")
        while at < self.engine.events.n:
            events.append(event_of(self.engine.events.at[at]))
            at += 1
        return events

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
        return kw_named_tuple(BatchResult, (done, refused, self.engine.n_trades))

    def take_trades(self):
        """Return the trades of compact commands since the last call, oldest first, and forget them."""
        cdef kw_records *trades = &self.engine.trades
        cdef size_t at = 0
        cdef list taken = []
        while at < trades.n:
            taken.append(trade_of(trades.at[at]))
            at += 1
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

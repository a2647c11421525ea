# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Reading the book of one instrument: its sides, levels, queues and resting orders.

They show what `krakenwire.venue.matching.book_side` shows, as it was when it was read. Nothing here changes the
book. Next: `matching`, whose commands do.
"""

from collections.abc import Mapping

cimport cython
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memset

from krakenwire._native.matching_engine cimport (
    KW_CANCEL_BOTH, KW_CANCEL_OLDEST, KW_POST_ONLY, KW_REDUCE_ONLY, KW_SELL, kw_engine, kw_engine_free,
    kw_engine_init, kw_key, kw_ladder, kw_ladder_below, kw_level_queue, kw_order, kw_rung, kw_table_find, kw_total,
)
from krakenwire._native.matching_events cimport side_name


cdef object number_of(const kw_total *total):
    if total.high:
        return <object>total.high << 64 | <object>total.low
    return total.low


@cython.final
@cython.no_gc
cdef class Book:
    """Holds the C engine for everything that reads it."""

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
        return side_name((self.flags & KW_SELL) != 0)

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

# cython: language_level=3
"""The fill engine of one symbol; see simulator_fills.pyx."""

from libc.stdint cimport int64_t, uint64_t

from krakenwire._native.simulator_book cimport SimBook, kw_side
from krakenwire._native.simulator_orders cimport Order


cdef extern from "rows.h":
    enum:
        KW_ROW_BID
        KW_ROW_ASK
        KW_ROW_BUY
        KW_ROW_SELL
        KW_ROW_CLEAR
        KW_ROW_GAP
        KW_ROW_EVENT
        KW_ROW_LAST
        KW_ROW_SNAPSHOT
        KW_ROW_QUIET

    ctypedef struct kw_row:
        int64_t time_ns
        int64_t venue_ns
        int64_t price
        int64_t qty
        int64_t aux
        unsigned short symbol
        unsigned char kind
        unsigned char flags


cdef extern from "simulator_due.h":
    ctypedef struct kw_due:
        int64_t time_ns
        uint64_t turn
        int64_t price
        int64_t qty
        int what
        int slot

    ctypedef struct kw_due_heap:
        kw_due *at
        int n
        int cap

    uint64_t KW_DUE_RANK(int rank) nogil
    int kw_due_push(kw_due_heap *heap, kw_due due) nogil
    kw_due kw_due_pop(kw_due_heap *heap) nogil


cdef enum:  # what falls due
    ENTER = 0
    AMEND = 1
    CANCEL = 2
    CANCEL_ALL = 3
    EXPIRE = 4
    REPORT = 5
    TIMER = 6


cdef class Due:
    """The time of a simulator, what waits in it, and the objects that it is about."""

    cdef kw_due_heap heap
    cdef list objects
    cdef list free_slots
    cdef int64_t now_ns, entry_ns, report_ns
    cdef uint64_t made

    cdef int push(self, int64_t time_ns, int rank, int what, object of, int64_t price, int64_t qty) except -1
    cdef object take(self, int slot)
    cdef int tell(
        self, int kind, Order order, int64_t price, int64_t qty, bint maker, object reason) except -1


cdef class Fills:
    cdef readonly SimBook book
    cdef Due due
    cdef list own                           # resting orders: to buy, to sell; best first
    cdef int64_t near[2]                    # limits of the best and the worst of them, where there are any
    cdef int64_t far[2]
    cdef int resting[2]                     # how many
    cdef list waiting
    cdef list taken                         # by level: what own orders took of bids, of asks
    cdef int consumed[2]                    # how many levels that is
    cdef int64_t last, last_ns, spread, queue, places
    cdef bint proportional, snapshot, traded  # `traded`: a trade has come that was none of a snapshot
    cdef int64_t tick, lot                  # steps of an order's price and quantity
    cdef double qty_min, cost_min           # lots, lots times ticks
    cdef object on_book, on_trade, on_gap

    cdef bint surely_takes(self, int64_t price, int64_t qty) noexcept
    cdef int level(self, int is_ask, int64_t price, int64_t qty, int64_t venue_ns) except -1
    cdef int clear(self) except -1
    cdef int gap(self) except -1
    cdef int trade(self, const kw_row *row, int64_t time_ns) except -1
    cdef int whole(self, int64_t time_ns) except -1
    cdef int enter(self, Order order) except -1
    cdef int refuse(self, Order order, object reason) except -1
    cdef int amend(self, Order order, int64_t price, int64_t qty) except -1
    cdef int cancel(self, Order order) except -1
    cdef int expire(self, Order order) except -1
    cdef list open_orders(self)

    cdef int edges(self, int side) except -1
    cdef int keep_taken(self, int is_ask, int64_t price, int64_t qty) except -1
    cdef int requeue(self, Order order, int64_t old, int64_t new, int64_t venue_ns) except -1
    cdef int settle_queues(self) except -1
    cdef int serve(self, int side, int64_t price, int64_t qty, int64_t venue_ns) except -1
    cdef int64_t eat_queue(self, Order order, int64_t qty, int64_t venue_ns) except -1
    cdef int meet(self, int side) except -1
    cdef object amend_refusal(self, Order order, int64_t price, int64_t qty)
    cdef int trigger(self, Order order) except -1
    cdef int match(self, Order order) except -1
    cdef bint has_rival(self, Order order) except -1
    cdef bint crosses(self, int side, int64_t price) except -1
    cdef int64_t trade_with(self, Order order, bint rivaled, bint maker, bint dry) except -1
    cdef int fill(self, Order order, int64_t price, int64_t qty, bint maker) except -1
    cdef int rest(self, Order order) except -1
    cdef int64_t queue_at(self, int side, int64_t price) except -1
    cdef int remove(self, Order order) except -1
    cdef int end(self, Order order, int kind, object reason) except -1


cdef object words()

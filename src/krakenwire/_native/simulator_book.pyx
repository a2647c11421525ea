# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.trading.simulator.book`: what its readings mean is written there."""

cimport cython
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.stdlib cimport free
from libc.string cimport memset

from krakenwire.errors import StaleData, UsageError
from krakenwire.model.market import Level
from krakenwire.model.numbers import scaled_to_decimal


@cython.final
cdef class SimBook:
    """What a strategy reads; see `krakenwire.trading.simulator.book`."""

    def __cinit__(self, listing):
        memset(self.shown, 0, sizeof(self.shown))
        self.listing, self.symbol, self.depth = listing, listing.symbol, listing.depth
        self.state = "empty"
        self.scale = 10.0 ** <double>listing.price_decimals

    def __dealloc__(self):
        free_shown(&self.shown[0])
        free_shown(&self.shown[1])

    cdef void begin(self):
        kw_shown_clear(&self.shown[0])
        kw_shown_clear(&self.shown[1])
        self.live = True
        self.state = "live"

    cdef void end(self):
        self.begin()
        self.live = False
        self.state = "resyncing"

    cdef int show_last(self, int64_t price, int64_t spread, int64_t time_ns) except -1:
        self.begin()
        self.time_ns = time_ns
        if price > spread:
            show(&self.shown[0], price - spread)
        if price + spread > 0:
            show(&self.shown[1], -(price + spread))
        return 0

    cdef int need_live(self) except -1:
        if not self.live:
            raise StaleData(self.symbol, self.state)
        return 0

    @property
    def bid_ticks(self):
        self.need_live()
        return kw_side_level(&self.shown[0], 0).key if self.shown[0].n else 0

    @property
    def ask_ticks(self):
        self.need_live()
        return -kw_side_level(&self.shown[1], 0).key if self.shown[1].n else 0

    @property
    def touch_sum(self):
        if not (self.live and self.shown[0].n and self.shown[1].n):
            return 0
        return kw_side_level(&self.shown[0], 0).key - kw_side_level(&self.shown[1], 0).key

    @property
    def bid_lots(self):
        self.need_live()
        return kw_side_level(&self.shown[0], 0).qty if self.shown[0].n else 0

    @property
    def ask_lots(self):
        self.need_live()
        return kw_side_level(&self.shown[1], 0).qty if self.shown[1].n else 0

    @property
    def best_bid(self):
        self.need_live()
        return self.listing.price(self.bid_ticks) if self.shown[0].n else None

    @property
    def best_ask(self):
        self.need_live()
        return self.listing.price(self.ask_ticks) if self.shown[1].n else None

    @property
    def best_bid_qty(self):
        self.need_live()
        return self.listing.qty(self.bid_lots) if self.shown[0].n else None

    @property
    def best_ask_qty(self):
        self.need_live()
        return self.listing.qty(self.ask_lots) if self.shown[1].n else None

    @property
    def mid(self):
        self.need_live()
        if not (self.shown[0].n and self.shown[1].n):
            return None
        cdef object total = self.ask_ticks + self.bid_ticks
        if total % 2:
            return scaled_to_decimal(total * 5, self.listing.price_decimals + 1)
        return scaled_to_decimal(total // 2, self.listing.price_decimals)

    @property
    def spread(self):
        self.need_live()
        if not (self.shown[0].n and self.shown[1].n):
            return None
        return self.listing.price(self.ask_ticks - self.bid_ticks)

    @property
    def mid_float(self):
        self.need_live()
        if not (self.shown[0].n and self.shown[1].n):
            return NAN
        cdef int64_t total = kw_side_level(&self.shown[0], 0).key - kw_side_level(&self.shown[1], 0).key
        return <double>total / (2.0 * self.scale)

    @property
    def microprice(self):
        self.need_live()
        if not (self.shown[0].n and self.shown[1].n):
            return NAN
        cdef kw_pair bid = kw_side_level(&self.shown[0], 0)
        cdef kw_pair ask = kw_side_level(&self.shown[1], 0)
        cdef double lots = <double>bid.qty + <double>ask.qty
        if lots == 0:
            return self.mid_float
        cdef double total = <double>bid.key * <double>ask.qty - <double>ask.key * <double>bid.qty
        return total / lots / self.scale

    @property
    def level_counts(self):
        self.need_live()
        return self.shown[0].n, self.shown[1].n

    @property
    def bids(self):
        return self.top(max(self.level_counts))[0]

    @property
    def asks(self):
        return self.top(max(self.level_counts))[1]

    def top(self, levels):
        """Return the best bids and the best asks, each best first."""
        price, qty = self.listing.price, self.listing.qty
        bids, asks = self.bids_array(levels).tolist(), self.asks_array(levels).tolist()
        return (
            tuple([Level(price(ticks), qty(lots)) for ticks, lots in bids]),
            tuple([Level(price(ticks), qty(lots)) for ticks, lots in asks]),
        )

    def bids_array(self, levels):
        """Return the best bids as rows of ticks and lots, best first; a copy."""
        return self.array(0, levels)

    def asks_array(self, levels):
        """Return the best asks as rows of ticks and lots, best first; a copy."""
        return self.array(1, levels)

    cdef object array(self, int is_ask, object levels):
        import numpy
        if levels < 0:
            raise UsageError("levels", expected="0 or more", found=levels)
        self.need_live()
        cdef int n = min(levels, self.shown[is_ask].n), rank
        cdef kw_pair pair
        array = numpy.empty((n, 2), dtype=numpy.int64)
        cdef int64_t[:, ::1] numbers = array
        for rank in range(n):
            pair = kw_side_level(&self.shown[is_ask], rank)
            numbers[rank, 0] = -pair.key if is_ask else pair.key
            numbers[rank, 1] = pair.qty
        return array


cdef extern from *:
    """
    #include "simulator_shown.h"
    static void kw_shown_free(kw_side *side) { free(side->at); side->at = NULL; side->n = side->cap = 0; }
    /* A level without a quantity, as a listing without a book shows it; 0 when there is no memory. */
    static int kw_shown_bare(kw_side *side, int64_t key) {
        if (kw_shown_set(side, key, 1) < 0) return 0;
        side->at[side->start].qty = 0;
        return 1;
    }
    """
    void kw_shown_free(kw_side *side) nogil
    int kw_shown_bare(kw_side *side, int64_t key) nogil


cdef void free_shown(kw_side *side) noexcept:
    kw_shown_free(side)


cdef int show(kw_side *side, int64_t key) except -1:
    if not kw_shown_bare(side, key):
        raise MemoryError
    return 0

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Reading an L3 book: all that a live and a frozen one show alike, and the frozen one itself.

Twins of `krakenwire.book.l3_reading` and `krakenwire.book.frozen`. Nothing here takes a message.
Next: `level3_book` for the live book, level3.h for what both hold.
"""

from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint32_t, uint64_t

from decimal import Decimal, localcontext

from krakenwire.errors import StaleData
from krakenwire.model import market
from krakenwire.model.numbers import fixed_text, scaled_to_decimal

cdef object _Level = market.Level
cdef object _Order = market.Level3Order
cdef tuple _STATES = ("empty", "live", "resyncing")

# The interpreter's own secret for hashes of text: a peer must not be able to choose colliding order ids.
cdef uint64_t _SEED = <uint64_t>(hash("order_id") & 0xFFFFFFFFFFFFFFFF)


cdef int state_of(object name) except -1:
    """Return a state by its name."""
    return _STATES.index(name)


cdef object _resting_order(const kw_resting *order):
    return _Order(
        order_id=PyUnicode_DecodeASCII(order.id, order.id_size, NULL),
        price_text=fixed_text(order.price, order.price_decimals),
        qty_text=fixed_text(order.qty, order.qty_decimals),
        time_ns=order.time_ns,
    )


cdef class L3View:
    """What can be read from an L3 book, live or frozen; see `krakenwire.book.l3_reading`.

    Either the native book holds the orders, or a pure reading does, and then every reading is its own.
    """

    def __cinit__(self):
        kw_l3_init(&self._book, _SEED)

    def __dealloc__(self):
        kw_l3_free(&self._book)

    @property
    def state(self):
        """``empty``, ``live`` or ``resyncing``."""
        return _STATES[self._state] if self._pure is None else self._pure.state

    @property
    def verified(self):
        """Whether the book is live and its last message carried a checksum, which was right."""
        return self._verified if self._pure is None else self._pure.verified

    @property
    def verified_count(self):
        """Messages whose checksum was right."""
        return self._verified_count if self._pure is None else self._pure.verified_count

    @property
    def stray_events(self):
        """Events of orders we do not hold, or without a quantity: passed over."""
        return self._book.stray_events if self._pure is None else self._pure.stray_events

    @property
    def checksum(self):
        """Our own CRC-32 of the best ten levels a side."""
        if self._pure is not None:
            return self._pure.checksum
        self._need_live()
        return self._book.checksum

    @property
    def time_ns(self):
        """The venue's time of the last message, None where it sent none."""
        if self._pure is not None:
            return self._pure.time_ns
        self._need_live()
        return self._time_ns if self._has_time else None

    @property
    def bids(self):
        """All bid orders: highest price first, each level in queue order."""
        return self._orders(&self._book.bids) if self._pure is None else self._pure.bids

    @property
    def asks(self):
        """All ask orders: lowest price first, each level in queue order."""
        return self._orders(&self._book.asks) if self._pure is None else self._pure.asks

    @property
    def best_bid(self):
        """The highest bid, None when there is none."""
        return self._best(&self._book.bids) if self._pure is None else self._pure.best_bid

    @property
    def best_ask(self):
        """The lowest ask, None when there is none."""
        return self._best(&self._book.asks) if self._pure is None else self._pure.best_ask

    @property
    def bid_levels(self):
        """The bids summed by price, highest first."""
        return self._levels(&self._book.bids) if self._pure is None else self._pure.bid_levels

    @property
    def ask_levels(self):
        """The asks summed by price, lowest first."""
        return self._levels(&self._book.asks) if self._pure is None else self._pure.ask_levels

    cdef int _need_live(self) except -1:
        if self._state != LIVE:
            raise StaleData(self.symbol, _STATES[self._state])
        return 0

    cdef tuple _orders(self, const kw_queues *side):
        cdef uint32_t rank, i
        self._need_live()
        found = []
        for rank in range(side.n_places):
            i = side.queues[side.room[side.first + side.n_places - 1 - rank].queue].head
            while i != KW_NONE:
                found.append(_resting_order(&side.orders[i]))
                i = side.orders[i].next
        return tuple(found)

    cdef tuple _levels(self, const kw_queues *side):
        cdef uint32_t rank, i
        self._need_live()
        found = []
        with localcontext(prec=200):
            for rank in range(side.n_places):
                i = side.queues[side.room[side.first + side.n_places - 1 - rank].queue].head
                price, qty = scaled_to_decimal(side.orders[i].price, side.orders[i].price_decimals), Decimal(0)
                while i != KW_NONE:
                    qty += scaled_to_decimal(side.orders[i].qty, side.orders[i].qty_decimals)
                    i = side.orders[i].next
                found.append(_Level(price, qty))
        return tuple(found)

    cdef object _best(self, const kw_queues *side):
        self._need_live()
        if not side.n_places:
            return None
        return scaled_to_decimal(abs(side.room[side.first + side.n_places - 1].key), self._book.price_scale)

    cdef object _as_pure(self, tuple given, bint verify):
        """Return this book as a pure one, nothing lost."""
        from krakenwire.book.l3 import L3Book as Pure
        from krakenwire.book.side import Scale

        pure = Pure(self.symbol, self.depth, *given, verify=verify)
        pure._state, pure._verified, pure._crc = self.state, self._verified, self._book.checksum
        pure.verified_count, pure.stray_events = self._verified_count, self._book.stray_events
        pure._time_ns = self._time_ns if self._has_time else None
        if self._state != LIVE:
            return pure
        pure._scale = Scale(self._book.price_scale, self._book.qty_scale)
        self._fill(pure._bids, &self._book.bids)
        self._fill(pure._asks, &self._book.asks)
        return pure

    cdef int _fill(self, object queues, const kw_queues *side) except -1:
        cdef uint32_t rank, i
        cdef const kw_place *place
        for rank in range(side.n_places):
            place = &side.room[side.first + side.n_places - 1 - rank]
            price, i = abs(place.key), side.queues[place.queue].head
            while i != KW_NONE:
                queues.add(_resting_order(&side.orders[i]), price, 1)
                i = side.orders[i].next
        return 0

    def __repr__(self):
        name = f"{type(self).__name__}({self.symbol} depth={self.depth} {self.state}"
        if self.state != "live":
            return f"{name})"
        return f"{name} bid={self.best_bid} ask={self.best_ask} verified={self.verified})"


cdef class FrozenL3Book(L3View):
    """An L3 book as it was at one moment; see `krakenwire.book.frozen`.

    Args:
        book: the book to copy.
    """

    def __init__(self, L3View book not None):
        self.symbol, self.depth = book.symbol, book.depth
        if book._pure is not None:
            self._pure = book._pure.freeze()
            return
        self._state, self._verified, self._verified_count = book._state, book._verified, book._verified_count
        self._has_time, self._time_ns = book._has_time, book._time_ns
        kw_l3_free(&self._book)
        if not kw_l3_copy(&self._book, &book._book):
            raise MemoryError

    def freeze(self):
        """Return this copy."""
        return self

    def __reduce__(self):
        from krakenwire.book.frozen import FrozenL3Book as Pure

        return _frozen_again, (Pure(self._as_pure((), True)) if self._pure is None else self._pure,)


def _frozen_again(pure):
    """Return the twin of a pure frozen book."""
    cdef FrozenL3Book book = FrozenL3Book.__new__(FrozenL3Book)
    book.symbol, book.depth, book._pure = pure.symbol, pure.depth, pure
    return book

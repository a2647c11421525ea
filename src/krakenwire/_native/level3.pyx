# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The level3 twins together: the reader that takes frames straight into books, and the event it hands out.

`Level3Update` passes for the model's event. A frame that is not taken has changed nothing: it is decoded,
and the book's `apply` takes what comes of it. Next: `level3_book` for the book, frame_level3.h for the parser.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint32_t
from libc.string cimport memcmp

from krakenwire._native.level3_book cimport TOOK_EXACT, TOOK_STALE, TOOK_VERIFIED
from krakenwire._native.level3_message cimport (
    KW_FOREIGN, KW_TAKEN, KW_UNUSUAL, PyUnicode_DATA, PyUnicode_GET_LENGTH, is_ascii, kw_level3, kw_level3_free,
    kw_level3_init, kw_order, kw_orders, kw_parse_level3, order_event,
)
from krakenwire._native.level3_reading cimport LIVE, kw_id_hash

# For Python. One name cannot be both cimported and imported, so level3.pxd has the live book by a shorter one.
from krakenwire._native.level3_book import L3Book
from krakenwire._native.level3_reading import FrozenL3Book
from krakenwire.model import market
from krakenwire.model.numbers import fixed_text

cdef object _Order = market.Level3Order


# -- events -----------------------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Level3Update:
    """A snapshot or update of one L3 book, already applied to `book`; see the model's class.

    It keeps the frame and reads the orders out of it when they are asked for.
    """

    channel = "level3"
    __struct_fields__ = market.Level3Update.__struct_fields__

    @property
    def __class__(self):
        return market.Level3Update

    @property
    def kind(self):
        return "snapshot" if self._snapshot else "update"

    @property
    def checksum(self):
        return self._checksum

    @property
    def time_ns(self):
        return self._time_ns if self._has_time else None

    @property
    def bids(self):
        if self._bids is None:
            self._read()
        return self._bids

    @property
    def asks(self):
        if self._asks is None:
            self._read()
        return self._asks

    cdef int _read(self) except -1:
        cdef kw_level3 message
        if self._frame is None:  # made by hand, of no frame
            self._bids = self._asks = ()
            return 0
        kw_level3_init(&message)
        try:
            if kw_parse_level3(&message, PyBytes_AS_STRING(self._frame), PyBytes_GET_SIZE(self._frame)) != KW_TAKEN:
                raise MemoryError  # it was parsed before, so nothing else can be amiss
            self._bids, self._asks = _message_orders(&message.bids), _message_orders(&message.asks)
        finally:
            kw_level3_free(&message)
        self._frame = None
        return 0

    def _facts(self):
        return (self.symbol, self.kind, self.bids, self.asks, self.checksum, self.verified, self.time_ns)

    def __eq__(self, other):
        if not isinstance(other, market.Level3Update):
            return NotImplemented
        return self._facts() == other._facts()

    def __hash__(self):
        return hash(self._facts())

    def __repr__(self):
        return (
            f"Level3Update({self.symbol} {self.kind} bids={len(self.bids)} asks={len(self.asks)} "
            f"checksum={self.checksum} verified={self.verified})"
        )

    def __reduce__(self):
        return _event_again, tuple([getattr(self, name) for name in market.Level3Update.__struct_fields__])


def _event_again(*members):
    """Return the model's event."""
    return market.Level3Update(**dict(zip(market.Level3Update.__struct_fields__, members, strict=True)))


cdef tuple _message_orders(const kw_orders *orders):
    cdef int i
    cdef const kw_order *order
    made = []
    for i in range(orders.n):
        order = &orders.at[i]
        made.append(
            _Order(
                order_id=PyUnicode_DecodeASCII(order.id, order.id_size, NULL),
                price_text=fixed_text(order.price, order.price_decimals),
                qty_text=fixed_text(order.qty, order.qty_decimals),
                time_ns=order.time_ns,
                event=order_event(order.event),
            )
        )
    return tuple(made)


# -- frames -------------------------------------------------------------------------------------


cdef class Level3Reader:
    """Takes level3 frames into books.

    Args:
        book_for: called with symbol, kind and levels for each snapshot, and for an update whose symbol has no
            live book here (levels 0); returns the book, or None.

    Attributes:
        unusual: level3 frames that were not taken.
    """

    def __cinit__(self, book_for):
        kw_level3_init(&self._message)
        self._book_for = book_for
        self._books = {}

    def __dealloc__(self):
        kw_level3_free(&self._message)

    def read(self, bytes frame not None):
        """Take one frame; see `take`."""
        return self.take(PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame))

    def forget(self, symbol):
        """Drop a symbol's book."""
        self._books.pop(symbol, None)
        self._far()

    cdef object take(self, const char *data, Py_ssize_t size):
        """Return what became of a frame (TOOK_VERIFIED ...) and its event; None when it is not taken.

        Not taken means that nothing has changed: decode the frame and have the book `apply` it. The event of a
        stale update is None. After a mismatch the book's `found` is our checksum.
        """
        cdef kw_level3 *message = &self._message
        cdef Book book
        cdef Level3Update event
        cdef int status = kw_parse_level3(message, data, size)
        if status == KW_FOREIGN:
            return None
        if status == KW_UNUSUAL:
            self.unusual += 1
            return None
        book = self._find()
        if message.snapshot or book is None or (book._state != LIVE and book._pure is None):
            book = self._ask()
            if book is None:
                if not message.snapshot:
                    return TOOK_STALE, None
                self.unusual += 1
                return None
        status = book.take(message)
        if status == TOOK_EXACT:
            self.unusual += 1
            return None
        if status == TOOK_STALE:
            return TOOK_STALE, None
        event = Level3Update.__new__(Level3Update)
        event.symbol, event.book, event.verified = book.symbol, book, status == TOOK_VERIFIED
        event._snapshot, event._checksum = message.snapshot, message.checksum
        event._has_time, event._time_ns = message.has_time, message.time_ns
        event._frame = PyBytes_FromStringAndSize(data, size)
        return status, event

    # -- whose book it is ------------------------------------------------------------------------

    cdef Book _find(self):
        """Return the book of the message's symbol, None when there is none here."""
        cdef kw_level3 *message = &self._message
        cdef uint32_t place = kw_id_hash(message.symbol, message.symbol_size, 0) % SLOTS
        cdef Book book
        if self._near[place] != NULL:
            book = <Book>self._near[place]
            if _is(book.symbol, message):
                return book
        book = self._books.get(PyUnicode_DecodeASCII(message.symbol, message.symbol_size, NULL))
        if book is not None:
            self._near[place] = <PyObject *>book
        return book

    cdef Book _ask(self):
        """Return the book that the message is for, as the owner of the books says."""
        cdef kw_level3 *message = &self._message
        symbol = PyUnicode_DecodeASCII(message.symbol, message.symbol_size, NULL)
        kind = "snapshot" if message.snapshot else "update"
        levels = max(_levels_of(&message.bids), _levels_of(&message.asks)) if message.snapshot else 0
        book = self._book_for(symbol, kind, levels)
        self._far()
        if not isinstance(book, Book) or not _is(book.symbol, message):
            self._books.pop(symbol, None)
            return None
        self._books[symbol] = book
        return book

    cdef void _far(self) noexcept:
        """Forget the books at hand: they are borrowed from the dict."""
        cdef int i
        for i in range(SLOTS):
            self._near[i] = NULL


cdef bint _is(object symbol, const kw_level3 *message):
    return (
        is_ascii(symbol)
        and PyUnicode_GET_LENGTH(symbol) == message.symbol_size
        and memcmp(PyUnicode_DATA(symbol), message.symbol, message.symbol_size) == 0
    )


cdef object _levels_of(const kw_orders *orders):
    """How many prices a side of a snapshot shows, told apart by their text."""
    cdef int i
    cdef const kw_order *order
    cdef const kw_order *last = NULL
    prices = set()
    for i in range(orders.n):
        order = &orders.at[i]
        if last == NULL or order.price != last.price or order.price_decimals != last.price_decimals:
            prices.add((order.price, order.price_decimals))
        last = order
    return len(prices)

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The level3 twins: a book of orders, its event, and the reader that takes frames straight into the book.

They behave as `krakenwire.book.l3`, `krakenwire.book.frozen` and `Level3Update` do; what is not in the plain
form is handed to the pure book, which then holds the state until it is plain again. A message that is not
taken has changed nothing. Next: level3.h for the book itself, frame_level3.h for the parser.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from decimal import Decimal, localcontext

from krakenwire.errors import ChecksumMismatch, StaleData
from krakenwire.limits import LEVEL3_DEPTHS
from krakenwire.model import market
from krakenwire.model.numbers import fixed_text, scaled_to_decimal
from krakenwire.model.subscription import one_of


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)


cdef object _Level = market.Level
cdef object _Order = market.Level3Order
cdef tuple _STATES = ("empty", "live", "resyncing")
cdef tuple _EVENTS = (None, "add", "modify", "delete")
cdef uint32_t _DOUBLINGS = 10  # at most 1024 messages between two tries to take a book back

kw_crc_setup()
# The interpreter's own secret for hashes of text: a peer must not be able to choose colliding order ids.
cdef uint64_t _SEED = <uint64_t>(hash("order_id") & 0xFFFFFFFFFFFFFFFF)


# -- orders as the model has them ---------------------------------------------------------


cdef object _resting_order(const kw_resting *order):
    return _Order(
        order_id=PyUnicode_DecodeASCII(order.id, order.id_size, NULL),
        price_text=fixed_text(order.price, order.price_decimals),
        qty_text=fixed_text(order.qty, order.qty_decimals),
        time_ns=order.time_ns,
    )


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
                event=_EVENTS[order.event],
            )
        )
    return tuple(made)


cdef bint _plain_number(object text, int64_t *digits, uint8_t *decimals):
    """Whether a text is a number in the plain form; sets its digits and decimals."""
    cdef const char *data
    if not PyUnicode_CheckExact(text) or not PyUnicode_IS_COMPACT_ASCII(text):
        return False
    data = PyUnicode_DATA(text)
    return kw_plain_number(data, data + PyUnicode_GET_LENGTH(text), digits, decimals) == data + PyUnicode_GET_LENGTH(text)


cdef bint _plain_order(object given, kw_order *order) except -1:
    """Whether an order of the model is in the plain form; its id is pointed at where it lies."""
    cdef int event
    if type(given) is not _Order:
        return False
    order_id, time_ns = given.order_id, given.time_ns
    if not PyUnicode_CheckExact(order_id) or not PyUnicode_IS_COMPACT_ASCII(order_id):
        return False
    if PyUnicode_GET_LENGTH(order_id) > KW_ORDER_ID_MAX or type(time_ns) is not int:
        return False
    try:
        order.time_ns = time_ns
    except OverflowError:
        return False
    order.id, order.id_size = PyUnicode_DATA(order_id), <uint8_t>PyUnicode_GET_LENGTH(order_id)
    if not _plain_number(given.price_text, &order.price, &order.price_decimals):
        return False
    if not _plain_number(given.qty_text, &order.qty, &order.qty_decimals):
        return False
    for event in range(4):
        if given.event is None if event == 0 else given.event == _EVENTS[event]:
            order.event = event
            return True
    return False


cdef bint _plain_orders(object given, kw_orders *orders) except -1:
    """Whether all orders of one side are in the plain form; sets them."""
    cdef kw_order *order
    orders.n = 0
    for one in given:
        order = kw_orders_next(orders)
        if order == NULL or not _plain_order(one, order):
            return False
        orders.n += 1
    return True


# -- books ----------------------------------------------------------------------------------


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


cdef class L3Book(L3View):
    """One symbol's book of individual orders; see `krakenwire.book.l3`.

    Attributes:
        found: our checksum at the last mismatch.
    """

    def __init__(self, symbol, depth=10, price_decimals=None, qty_decimals=None, *, verify=True):
        one_of("level3 depth", depth, LEVEL3_DEPTHS)
        self.symbol, self.depth, self._verify = symbol, depth, verify
        self._given = (price_decimals or 0, qty_decimals or 0)
        self._depth = depth
        self._price_scale, self._qty_scale = _scale(self._given[0]), _scale(self._given[1])

    def apply(self, update):
        """Take one message: a snapshot replaces the book, an update changes it.

        Sets the message's `book` and `verified`.

        Raises:
            DecodeError: an order whose price or quantity is not a number of zero
                or more; the book is resyncing.
            ChecksumMismatch: the result differs from the venue's; the book is resyncing.
            StaleData: an update while the book is not live; nothing has changed.
        """
        cdef kw_level3 message
        cdef int status = TOOK_EXACT
        kind = update.kind
        if kind != "snapshot" and self.state != "live":
            raise StaleData(self.symbol, self.state)
        if self._pure is not None and self._wait and kind != "snapshot":
            self._wait -= 1
            return self._exact(update)
        held = []  # keeps alive what the message points at
        kw_level3_init(&message)
        try:
            if self._plain(update, &message, held):
                status = self.take(&message)
        finally:
            kw_level3_free(&message)
        if status == TOOK_EXACT:
            return self._exact(update)
        update.book = self
        if status == TOOK_VERIFIED:
            update.verified = True
        elif status == TOOK_MISMATCH:
            raise ChecksumMismatch(self.symbol, update.checksum, self.found)

    def invalidate(self):
        """Stop being live until the next snapshot."""
        if self._pure is not None:
            self._pure.invalidate()
            self._leave_pure()
        self._end_life()

    def freeze(self):
        """Return an immutable copy, safe to hand to other threads; the same one until the next message."""
        if self._frozen is None:
            self._frozen = FrozenL3Book(self)
        return self._frozen

    def __reduce__(self):
        return _live_again, (type(self), self._as_pure(self._given, self._verify) if self._pure is None else self._pure)

    # -- the native book ----------------------------------------------------------------------

    cdef int take(self, const kw_level3 *message) noexcept:
        """Take a message in plain form, or nothing of it; see TOOK_EXACT."""
        if self._pure is None:
            if not message.snapshot and self._state != LIVE:
                return TOOK_STALE
        elif not message.snapshot and not self._promoted():
            return TOOK_EXACT
        if not kw_l3_take(&self._book, message, self._depth, self._price_scale, self._qty_scale):
            return TOOK_EXACT
        if self._pure is not None:  # a snapshot: of the pure book only what it has counted goes on
            self._verified_count = self._pure.verified_count
            self._book.stray_events += self._pure.stray_events
            self._pure = None
        self._taken += 1
        return self._settle(message)

    cdef int _settle(self, const kw_level3 *message) noexcept:
        """Compare with the checksum that came with the message."""
        self._frozen = None
        self._state = LIVE
        self._has_time, self._time_ns = message.has_time, message.time_ns
        self._verified = message.has_checksum and self._verify and message.checksum == self._book.checksum
        if self._verified:
            self._verified_count += 1
            return TOOK_VERIFIED
        if not message.has_checksum or not self._verify:
            return TOOK_UNVERIFIED
        self.found = self._book.checksum
        self._end_life()
        return TOOK_MISMATCH

    cdef void _end_life(self) noexcept:
        self._state, self._verified, self._frozen = RESYNCING, False, None
        kw_l3_clear(&self._book, 0, 0)

    # -- to the pure book and back -------------------------------------------------------------

    cdef bint _plain(self, object update, kw_level3 *message, list held) except -1:
        """Whether a message of the model is in the plain form; sets it."""
        kind, bids, asks, checksum, time_ns = update.kind, update.bids, update.asks, update.checksum, update.time_ns
        if type(kind) is not str or type(bids) is not tuple or type(asks) is not tuple:
            return False
        held += (bids, asks)
        message.snapshot = kind == "snapshot"
        message.has_checksum, message.has_time = checksum is not None, time_ns is not None
        try:
            if checksum is not None:
                if type(checksum) is not int:
                    return False
                message.checksum = checksum
            if time_ns is not None:
                if type(time_ns) is not int:
                    return False
                message.time_ns = time_ns
        except OverflowError:
            return False
        return _plain_orders(asks, &message.asks) and _plain_orders(bids, &message.bids)

    cdef object _exact(self, object update):
        """Have the pure book take a message."""
        if self._pure is None:
            self._demote()
        pure, self._frozen = self._pure, None
        try:
            pure.apply(update)
        except ChecksumMismatch as error:
            self.found = error.found
            raise
        finally:
            if update.book is pure:
                update.book = self
            if pure.state != "live":
                self._leave_pure()

    cdef int _demote(self) except -1:
        """Move the state to a pure book; the more often in a row, the longer it stays there."""
        self._pure = self._as_pure(self._given, self._verify)
        if self._taken > <uint32_t>1 << self._demotions:
            self._demotions = 0
        self._hold_back()
        kw_l3_free(&self._book)
        self._book.stray_events = 0
        return 0

    cdef void _hold_back(self) noexcept:
        self._demotions = min(self._demotions + 1, _DOUBLINGS)
        self._wait = <uint32_t>1 << self._demotions
        self._taken = 0

    cdef bint _promoted(self) noexcept:
        """Whether the state is here again; the pure book keeps it when it cannot be, or not yet."""
        if self._wait:
            self._wait -= 1
            return False
        try:
            if self._promote():
                return True
        except MemoryError:
            pass
        self._hold_back()
        return False

    cdef bint _promote(self) except -1:
        cdef kw_level3 message
        cdef bint fits = False
        pure = self._pure
        kw_level3_init(&message)
        message.snapshot = 1
        try:
            if _plain_orders(pure._bids.orders(), &message.bids) and _plain_orders(pure._asks.orders(), &message.asks):
                fits = kw_l3_take(
                    &self._book, &message, KW_NONE, _scale(pure._scale.price), _scale(pure._scale.qty)
                )
        finally:
            kw_level3_free(&message)
        if fits:
            self._state, self._verified, self._verified_count = LIVE, pure._verified, pure.verified_count
            self._book.stray_events = pure.stray_events
            self._has_time = pure._time_ns is not None
            self._time_ns = pure._time_ns or 0
            self._pure = None
        return fits

    cdef int _leave_pure(self) except -1:
        """Take back what is left of a pure book that is not live."""
        self._state, self._verified = _STATES.index(self._pure.state), False
        self._verified_count, self._book.stray_events = self._pure.verified_count, self._pure.stray_events
        self._pure = self._frozen = None
        return 0


cdef int _scale(object decimals) except -2:
    """Return a scale, -1 for one that the native book does not hold."""
    return decimals if type(decimals) is int and 0 <= decimals <= KW_SCALE_MAX else -1


def _live_again(kind, pure):
    """Return the twin of a pure book."""
    cdef L3Book book = kind.__new__(kind)
    book.__init__(pure.symbol, pure.depth, *pure._given, verify=pure._verify)
    book._pure = pure
    if pure.state != "live":
        book._leave_pure()
    return book


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
        kw_level3_init(&message)
        try:
            if kw_parse_level3(&message, PyBytes_AS_STRING(self._frame), PyBytes_GET_SIZE(self._frame)) != KW_TAKEN:
                raise MemoryError  # it was parsed before, so nothing else can be amiss
            self._bids, self._asks = _message_orders(&message.bids), _message_orders(&message.asks)
        finally:
            kw_level3_free(&message)
        self._frame = None
        return 0

    def _members(self):
        return tuple([getattr(self, name) for name in market.Level3Update.__struct_fields__])

    def __eq__(self, other):
        if not isinstance(other, market.Level3Update):
            return NotImplemented
        return self._members() == tuple([getattr(other, name) for name in market.Level3Update.__struct_fields__])

    __hash__ = None

    def __repr__(self):
        return repr(_event_again(*self._members()))

    def __reduce__(self):
        return _event_again, self._members()


def _event_again(*members):
    """Return the model's event."""
    return market.Level3Update(**dict(zip(market.Level3Update.__struct_fields__, members, strict=True)))


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
        cdef L3Book book
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

    cdef L3Book _find(self):
        """Return the book of the message's symbol, None when there is none here."""
        cdef kw_level3 *message = &self._message
        cdef uint32_t place = kw_id_hash(message.symbol, message.symbol_size, 0) % SLOTS
        cdef L3Book book
        if self._near[place] != NULL:
            book = <L3Book>self._near[place]
            if _is(book.symbol, message):
                return book
        book = self._books.get(PyUnicode_DecodeASCII(message.symbol, message.symbol_size, NULL))
        if book is not None:
            self._near[place] = <PyObject *>book
        return book

    cdef L3Book _ask(self):
        """Return the book that the message is for, as the owner of the books says."""
        cdef kw_level3 *message = &self._message
        symbol = PyUnicode_DecodeASCII(message.symbol, message.symbol_size, NULL)
        kind = "snapshot" if message.snapshot else "update"
        levels = max(_levels_of(&message.bids), _levels_of(&message.asks)) if message.snapshot else 0
        book = self._book_for(symbol, kind, levels)
        self._far()
        if not isinstance(book, L3Book) or not _is(book.symbol, message):
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
        PyUnicode_CheckExact(symbol)
        and PyUnicode_IS_COMPACT_ASCII(symbol)
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

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.book.l3`: one symbol's live book of orders.

What is not in the plain form is handed to the pure book, which then holds the state until it is plain
again. A message that is not taken has changed nothing. Next: level3.h for the book itself,
`level3_reading` for what it shows.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from krakenwire._native.level3_message cimport (
    KW_ORDER_ID_MAX, KW_ORDER_PLAIN, PyUnicode_DATA, PyUnicode_GET_LENGTH, is_ascii, kw_level3, kw_level3_free,
    kw_level3_init, kw_order, kw_orders, kw_orders_next, kw_plain_number, order_event,
)
from krakenwire._native.level3_reading cimport (
    KW_NONE, KW_SCALE_MAX, LIVE, RESYNCING, FrozenL3Book, L3View, kw_l3_clear, kw_l3_free, kw_l3_take, state_of,
)

from krakenwire.errors import ChecksumMismatch, StaleData
from krakenwire.limits import LEVEL3_DEPTHS
from krakenwire.model import market
from krakenwire.model.subscription import one_of

cdef extern from "crc32.h":
    void kw_crc_setup() nogil

cdef object _Order = market.Level3Order
cdef uint32_t _DOUBLINGS = 10  # at most 1024 messages between two tries to take a book back

kw_crc_setup()


# -- the model's messages in the plain form -------------------------------------------------


cdef bint _plain_number(object text, int64_t *digits, uint8_t *decimals):
    """Whether a text is a number in the plain form; sets its digits and decimals."""
    cdef const char *data
    cdef const char *end
    if not is_ascii(text):
        return False
    data = PyUnicode_DATA(text)
    end = data + PyUnicode_GET_LENGTH(text)
    return kw_plain_number(data, end, digits, decimals) == end


cdef bint _plain_order(object given, kw_order *order) except -1:
    """Whether an order of the model is in the plain form; its id is pointed at where it lies."""
    cdef int event
    if type(given) is not _Order:
        return False
    order_id, time_ns = given.order_id, given.time_ns
    if not is_ascii(order_id):
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
        if given.event is None if event == KW_ORDER_PLAIN else given.event == order_event(event):
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


cdef bint _plain_message(object update, kw_level3 *message, list held) except -1:
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


# -- the book ---------------------------------------------------------------------------------


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
            if _plain_message(update, &message, held):
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
        self._state, self._verified = state_of(self._pure.state), False
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

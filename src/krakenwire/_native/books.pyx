# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The native L2 book: `take` has it apply a parsed message, the readings make `Decimal`s when asked.

Whatever an int64 cannot hold, and every message that comes as text, goes to the
pure twin, which holds the book until plain messages come again: the two never
differ. Never half a message applied. Next: book.h, and `krakenwire.book.l2`, the twin.
"""

from cpython.exc cimport PyErr_SetInterrupt
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from krakenwire._native.events cimport BookUpdate
from krakenwire._native.message cimport kw_level, kw_levels, kw_message, kw_message_free, kw_message_init

from decimal import Decimal

from krakenwire.errors import ChecksumMismatch, DecodeError, StaleData, UsageError
from krakenwire.limits import BOOK_DEPTHS
from krakenwire.model.market import Level
from krakenwire.model.numbers import scaled_to_decimal
from krakenwire.model.subscription import one_of
from krakenwire.model.times import ns_from_rfc3339

cdef extern from "message.h":
    int kw_levels_grow(kw_levels *levels) nogil

cdef enum:
    WAITS_MAX = 10  # a book that keeps leaving its plain form waits for 2^10 messages at most

kw_crc_setup()

cdef tuple _STATES = ("empty", "live", "resyncing")


def checksum_backend():
    """Return how checksums are computed on this machine: ``clmul``, ``arm-crc`` or ``slicing-by-8``."""
    return kw_crc_backend().decode()


cdef object _decimal(uint64_t value, int decimals):
    """Return what `scaled_to_decimal` returns; at most `KW_DECIMALS_MAX` decimals."""
    cdef char text[64]
    cdef char *begin = text + KW_DECIMALS_MAX + 1
    cdef char *end
    cdef int i
    memset(text, c"0", KW_DECIMALS_MAX + 1)
    end = kw_put_digits(begin, value)
    if end - begin <= decimals:
        begin = end - decimals - 1
    if decimals:
        for i in range(decimals):
            end[-i] = end[-i - 1]
        end[-decimals] = c"."
        end += 1
    return Decimal(PyUnicode_DecodeASCII(begin, end - begin, NULL))


cdef inline uint64_t _price_of(kw_pair pair) noexcept:
    return <uint64_t>(-pair.key if pair.key < 0 else pair.key)


cdef object _level(const kw_book *book, kw_pair pair):
    return Level(_decimal(_price_of(pair), book.price_decimals), _decimal(<uint64_t>pair.qty, book.qty_decimals))


cdef tuple _levels(const kw_book *book, const kw_side *side, int count):
    cdef int rank
    return tuple([_level(book, kw_side_level(side, rank)) for rank in range(count)])


cdef class L2View:
    """The readings of one L2 book; see `krakenwire.book.l2_reading`."""

    def __cinit__(self, *_args, **_options):
        kw_book_init(&self._book, 10, 0, 0, True)

    def __dealloc__(self):
        kw_book_free(&self._book)

    cdef kw_book *_live(self) except NULL:
        if self._book.state != KW_LIVE:
            raise StaleData(self.symbol, _STATES[self._book.state])
        return &self._book

    @property
    def depth(self):
        return self._book.depth

    @property
    def exact(self):
        """Whether the pure twin holds this book now."""
        return self._exact is not None

    @property
    def state(self):
        return _STATES[self._book.state] if self._exact is None else self._exact.state

    @property
    def verified(self):
        return bool(self._book.verified) if self._exact is None else self._exact.verified

    @property
    def verified_count(self):
        return self._book.verified_count if self._exact is None else self._exact.verified_count

    @property
    def checksum(self):
        return self._live().crc if self._exact is None else self._exact.checksum

    @property
    def price_decimals(self):
        return self._book.price_decimals if self._exact is None else self._exact.price_decimals

    @property
    def qty_decimals(self):
        return self._book.qty_decimals if self._exact is None else self._exact.qty_decimals

    @property
    def time_ns(self):
        if self._exact is not None:
            return self._exact.time_ns
        book = self._live()
        return book.time_ns if book.has_time else None

    @property
    def best_bid(self):
        if self._exact is not None:
            return self._exact.best_bid
        book = self._live()
        return _decimal(_price_of(kw_side_level(&book.bids, 0)), book.price_decimals) if book.bids.n else None

    @property
    def best_ask(self):
        if self._exact is not None:
            return self._exact.best_ask
        book = self._live()
        return _decimal(_price_of(kw_side_level(&book.asks, 0)), book.price_decimals) if book.asks.n else None

    @property
    def best_bid_qty(self):
        if self._exact is not None:
            return self._exact.best_bid_qty
        book = self._live()
        return _decimal(<uint64_t>kw_side_level(&book.bids, 0).qty, book.qty_decimals) if book.bids.n else None

    @property
    def best_ask_qty(self):
        if self._exact is not None:
            return self._exact.best_ask_qty
        book = self._live()
        return _decimal(<uint64_t>kw_side_level(&book.asks, 0).qty, book.qty_decimals) if book.asks.n else None

    @property
    def mid(self):
        if self._exact is not None:
            return self._exact.mid
        book = self._live()
        if not (book.bids.n and book.asks.n):
            return None
        bid, ask = _price_of(kw_side_level(&book.bids, 0)), _price_of(kw_side_level(&book.asks, 0))
        total = <object>bid + <object>ask  # beyond 64 bits if it must
        if total % 2:
            return scaled_to_decimal(total * 5, book.price_decimals + 1)
        return scaled_to_decimal(total // 2, book.price_decimals)

    @property
    def spread(self):
        if self._exact is not None:
            return self._exact.spread
        book = self._live()
        if not (book.bids.n and book.asks.n):
            return None
        bid, ask = _price_of(kw_side_level(&book.bids, 0)), _price_of(kw_side_level(&book.asks, 0))
        return scaled_to_decimal(<object>ask - <object>bid, book.price_decimals)

    @property
    def bids(self):
        if self._exact is not None:
            return self._exact.bids
        book = self._live()
        return _levels(book, &book.bids, book.bids.n)

    @property
    def asks(self):
        if self._exact is not None:
            return self._exact.asks
        book = self._live()
        return _levels(book, &book.asks, book.asks.n)

    @property
    def level_counts(self):
        if self._exact is not None:
            return self._exact.level_counts
        book = self._live()
        return book.bids.n, book.asks.n

    def top(self, levels):
        """Return the best bids and the best asks, each best first; see `L2Reading.top`."""
        if self._exact is not None:
            return self._exact.top(levels)
        if levels < 0:
            raise UsageError("levels", expected="0 or more", found=levels)
        book = self._live()
        best = slice(None, levels)
        bids, asks = best.indices(book.bids.n)[1], best.indices(book.asks.n)[1]
        return _levels(book, &book.bids, bids), _levels(book, &book.asks, asks)

    def __repr__(self):
        name = f"{type(self).__name__}({self.symbol} depth={self.depth} {self.state}"
        if self.state != "live":
            return f"{name})"
        return f"{name} bid={self.best_bid} ask={self.best_ask} verified={self.verified})"

    def __reduce__(self):
        return _restored, (type(self), self._as_pure())

    cdef object _as_pure(self):
        """Return a pure live book that reads and goes on as this one."""
        from krakenwire.book.l2 import L2Book as Pure
        from krakenwire.book.side import Scale

        cdef kw_book *book = &self._book
        if self._exact is not None:
            from copy import deepcopy

            return deepcopy(self._exact)
        pure = Pure(self.symbol, book.depth, book.given_price, book.given_qty, verify=bool(book.verify))
        pure._scale = Scale(book.price_decimals, book.qty_decimals)
        pure._state, pure._verified, pure.verified_count = self.state, bool(book.verified), book.verified_count
        pure._time = book.time_ns if book.has_time else None
        _fill(pure._asks, &book.asks)
        _fill(pure._bids, &book.bids)
        pure._recompute()
        return pure


cdef int _fill(object pure, const kw_side *side) except -1:
    """Give an empty side of the pure twin these levels."""
    cdef int rank
    cdef kw_pair pair
    for rank in range(side.n):
        pair = kw_side_level(side, rank)
        pure.keys.append(-pair.key)  # ascending there, best first
        pure.texts.append(f"{_price_of(pair) or ''}{pair.qty}")
    return 0


def _restored(kind, pure):
    """Return a book of a native class from its pure twin, as pickle and copy do."""
    cdef L2View book = kind.__new__(kind)
    book.symbol, book._exact, book._book.depth = pure.symbol, pure, pure.depth
    if isinstance(book, L2Book):
        (<L2Book>book)._promote()
    else:
        book._exact = _frozen_pure(pure)
    return book


cdef object _frozen_pure(pure):
    from krakenwire.book.frozen import FrozenL2Book as Frozen

    return pure if isinstance(pure, Frozen) else Frozen(pure)


cdef class FrozenL2Book(L2View):
    """An L2 book as it was at one moment.

    Args:
        book: the book to copy, of either twin.

    Cost: a copy of two arrays.
    """

    def __init__(self, book):
        cdef L2View view
        self.symbol = book.symbol
        pure = book
        if isinstance(book, L2View):
            view = book
            pure = view._exact
        if pure is not None:
            from krakenwire.book.frozen import FrozenL2Book as Frozen

            self._exact, self._book.depth = Frozen(pure), pure.depth
            return
        self._exact = None
        kw_book_free(&self._book)
        if not kw_book_copy(&self._book, &view._book):
            raise MemoryError

    def freeze(self):
        """Return this copy."""
        return self


cdef class L2Book(L2View):
    """One symbol's order book by price level; see `krakenwire.book.l2.L2Book`.

    Attributes:
        exact: whether the pure twin holds it now.
        found: our checksum at the last mismatch.
    """

    def __init__(self, symbol, depth=10, price_decimals=None, qty_decimals=None, *, verify=True):
        one_of("book depth", depth, BOOK_DEPTHS)
        price, qty = price_decimals or 0, qty_decimals or 0
        self.symbol = symbol
        self._exact = self._frozen = None
        self._demotions = self._wait = self._taken = 0
        kw_book_free(&self._book)
        if _plain_decimals(price) and _plain_decimals(qty):
            kw_book_init(&self._book, depth, price, qty, bool(verify))
            return
        from krakenwire.book.l2 import L2Book as Pure

        kw_book_init(&self._book, depth, 0, 0, bool(verify))
        self._exact = Pure(symbol, depth, price_decimals, qty_decimals, verify=verify)

    cdef int take(self, const kw_message *message) noexcept:
        """Take one message, whole or not at all; what `BOOK_EXACT` refuses is for `apply`."""
        cdef int status
        if self._exact is not None:
            try:
                if not self._take_back(message):
                    return BOOK_EXACT
            except KeyboardInterrupt:
                PyErr_SetInterrupt()  # nothing may be raised here: a moment later
                return BOOK_EXACT
            except Exception:  # no memory; nothing has changed
                return BOOK_EXACT
        status = kw_book_take(&self._book, message)
        if status == BOOK_EXACT or status == BOOK_STALE:
            return status
        self._frozen = None
        self._taken += 1
        if status == BOOK_MISMATCH:
            self.found = self._book.found
        return status

    def apply(self, update):
        """Take one message as text, exactly; see `krakenwire.book.l2.L2Book.apply`.

        Raises:
            DecodeError: a level that is not two numbers of zero or more, or a
                crossed book without a checksum to vouch for it; the book is resyncing.
            ChecksumMismatch: the result differs from the venue's; the book is resyncing.
            StaleData: an update while the book is not live; nothing has changed.
        """
        if type(update) is BookUpdate and self._apply_native(update):
            return
        if self._exact is None:
            if self._book.state != KW_LIVE and update.kind == "update":
                raise StaleData(self.symbol, _STATES[self._book.state])
            self._demote()
        pure = self._exact
        try:
            pure.apply(update)
        except ChecksumMismatch as error:
            self.found = error.found
            raise
        finally:
            if getattr(update, "book", None) is pure:
                update.book = self

    cdef bint _apply_native(self, BookUpdate update) except -1:
        """Take an event of the compiled feed without making text of it; return whether that could be."""
        cdef kw_message message
        cdef int status
        memset(&message, 0, sizeof(message))
        message.snapshot = update._snapshot
        message.bids.at, message.bids.n = update._levels, update._n_bids
        message.asks.at, message.asks.n = update._levels + update._n_bids, update._n_asks
        message.checksum, message.has_checksum = update._checksum, update._has_checksum
        message.time_ns, message.has_time = update._time_ns, update._has_time
        status = self.take(&message)
        if status == BOOK_EXACT:
            return False
        if status == BOOK_STALE:
            raise StaleData(self.symbol, self.state)
        update.book = self
        if status == BOOK_MISMATCH:
            raise ChecksumMismatch(self.symbol, update._checksum, self.found)
        if status == BOOK_CROSSED:
            raise DecodeError(f"a crossed book of {self.symbol} without a checksum")
        if status == BOOK_VERIFIED:
            update.verified = True
        return True

    def invalidate(self):
        """Stop being live until the next snapshot."""
        self._frozen = None
        if self._exact is None:
            kw_book_invalidate(&self._book)
            return
        self._exact.invalidate()
        self._promote()

    def freeze(self):
        """Return an immutable copy, safe to hand to other threads; the same one until the next message."""
        if self._exact is not None:
            pure = self._exact.freeze()
            if self._frozen is None or self._frozen._exact is not pure:
                self._frozen = FrozenL2Book.__new__(FrozenL2Book)
                self._frozen.symbol, self._frozen._exact, self._frozen._book.depth = self.symbol, pure, self.depth
        elif self._frozen is None:
            self._frozen = FrozenL2Book(self)
        return self._frozen

    # -- to the pure twin and back -------------------------------------------------

    cdef int _demote(self) except -1:
        """Hand this book to the pure twin, the longer the sooner it comes again."""
        self._exact = self._as_pure()
        kw_side_clear(&self._book.asks)
        kw_side_clear(&self._book.bids)
        self._frozen = None
        if self._taken >= <uint64_t>1 << self._demotions:
            self._demotions = 0
        self._stay()
        return 0

    cdef int _stay(self) noexcept:
        """Leave the book with the pure twin for twice as many messages as the last time."""
        self._demotions = min(self._demotions + 1, WAITS_MAX)
        self._wait = 1 << self._demotions
        self._taken = 0
        return 0

    cdef int _take_back(self, const kw_message *message) except -1:
        """Move this book back before a message that it could take; return whether it has."""
        pure = self._exact
        if not message.snapshot and pure.state == "live":
            if not kw_message_fits(message, pure.price_decimals, pure.qty_decimals):
                return False
            if self._wait:
                self._wait -= 1
                return False
        if self._promote():
            return True
        self._stay()
        return False

    cdef bint _promote(self) except -1:
        """Move this book back if all of it fits; return whether it has."""
        cdef kw_book book
        pure = self._exact
        scale, given = pure._scale, pure._given
        if not all(map(_plain_decimals, (scale.price, scale.qty, *given))):
            return False
        try:
            time_ns = ns_from_rfc3339(pure._time) if isinstance(pure._time, str) else pure._time
            rows = [_rows(side) for side in (pure._asks, pure._bids)]
        except (DecodeError, OverflowError):
            return False
        if not (time_ns is None or (type(time_ns) is int and INT64_MIN <= time_ns <= INT64_MAX)):
            return False
        kw_book_init(&book, pure.depth, given[0], given[1], bool(pure._verify))
        if not _load(&book.asks, rows[0]) or not _load(&book.bids, rows[1]):
            kw_book_free(&book)
            return False
        book.price_decimals, book.qty_decimals = scale.price, scale.qty
        book.state, book.verified, book.verified_count = _STATES.index(pure.state), pure.verified, pure.verified_count
        book.has_time, book.time_ns = time_ns is not None, time_ns or 0
        kw_book_checksum(&book)
        kw_book_free(&self._book)
        self._book = book
        self._exact = None
        if self._frozen is not None and self._frozen._exact is not pure._frozen:
            self._frozen = None
        return True

    # -- for the tests ---------------------------------------------------------------

    def _take(self, snapshot, bids, asks, checksum, time_ns=None):
        """Call `take`; a level is the digits and the decimals of its price, then those of its quantity."""
        cdef kw_message message
        kw_message_init(&message)
        try:
            message.snapshot = snapshot
            _put(&message.bids, bids)
            _put(&message.asks, asks)
            message.has_checksum, message.checksum = checksum is not None, checksum or 0
            message.has_time, message.time_ns = time_ns is not None, time_ns or 0
            return self.take(&message)
        finally:
            kw_message_free(&message)

    def _use_tables(self):
        """Compute this book's checksums as machines without carry-less multiplication do."""
        kw_book_use_tables(&self._book)


cdef bint _plain_decimals(object value):
    return type(value) is int and 0 <= value <= KW_DECIMALS_MAX


cdef list _rows(object side):
    """Return price and quantity of a side of the pure twin, each known to fit.

    Raises:
        OverflowError: one does not.
    """
    rows = []
    for key, text in zip(side.keys, side.texts, strict=True):
        qty = int(side._amount(key, text))
        if abs(key) > INT64_MAX or qty > INT64_MAX:
            raise OverflowError
        rows.append((-key, qty))
    return rows


cdef bint _load(kw_side *side, list rows) except -1:
    if not kw_side_reserve(side, len(rows)):
        return False
    for key, qty in reversed(rows):
        kw_side_set(side, key, qty)
    return True


cdef int _put(kw_levels *levels, rows) except -1:
    cdef kw_level *level
    for price, price_decimals, qty, qty_decimals in rows:
        if levels.n == levels.cap and not kw_levels_grow(levels):
            raise MemoryError
        level = &levels.at[levels.n]
        level.price, level.price_decimals = price, price_decimals
        level.qty, level.qty_decimals = qty, qty_decimals
        levels.n += 1
    return 0

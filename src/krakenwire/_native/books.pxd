# cython: language_level=3
"""The native L2 book; see books.pyx."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from krakenwire._native.events cimport BookUpdate
from krakenwire._native.message cimport kw_message


cdef enum:                      # what L2Book.take did
    BOOK_EXACT = 0              # nothing: beyond the plain int64 form; nothing has changed, decode and use apply()
    BOOK_VERIFIED = 1
    BOOK_UNVERIFIED = 2         # applied, no checksum to compare (or verify=False)
    BOOK_MISMATCH = 3           # invalidated; `found` is our checksum
    BOOK_STALE = 4              # update while not live; nothing has changed
    BOOK_CROSSED = 5            # crossed without a checksum to vouch for it; invalidated


cdef extern from "book.h":
    enum:
        KW_EMPTY
        KW_LIVE
        KW_RESYNCING
        KW_DECIMALS_MAX

    ctypedef struct kw_pair:
        int64_t key
        int64_t qty

    ctypedef struct kw_side:
        int n

    ctypedef struct kw_book:
        kw_side asks
        kw_side bids
        int depth
        int price_decimals
        int qty_decimals
        int given_price
        int given_qty
        int state
        int verify
        int verified
        int has_time
        int64_t time_ns
        uint32_t crc
        uint32_t found
        uint64_t verified_count

    void kw_book_init(kw_book *book, int depth, int price_decimals, int qty_decimals, int verify) nogil
    void kw_book_free(kw_book *book) nogil
    int kw_book_copy(kw_book *copy, const kw_book *book) nogil
    int kw_book_take(kw_book *book, const kw_message *message) nogil
    void kw_crc_setup() nogil
    const char *kw_crc_backend() nogil
    int kw_message_fits(const kw_message *message, int price_decimals, int qty_decimals) nogil
    void kw_book_invalidate(kw_book *book) nogil
    void kw_book_checksum(kw_book *book) nogil
    void kw_book_use_tables(kw_book *book) nogil
    void kw_side_clear(kw_side *side) nogil
    int kw_side_reserve(kw_side *side, int64_t levels) nogil
    void kw_side_set(kw_side *side, int64_t key, int64_t qty) nogil
    char *kw_put_digits(char *at, uint64_t v) nogil
    kw_pair kw_side_level(const kw_side *side, int rank) nogil


cdef class L2View:
    cdef kw_book _book          # C access while `_exact` is None: _book.depth, _book.state, _book.crc ...
    cdef readonly object symbol
    cdef object _exact          # the pure twin that holds this book now, or None
    cdef kw_book *_live(self) except NULL
    cdef object _as_pure(self)


cdef class FrozenL2Book(L2View):
    pass


cdef class L2Book(L2View):
    cdef readonly uint32_t found
    cdef FrozenL2Book _frozen   # the copy that `freeze` gave out, until the next message
    cdef int _demotions         # in a row; see `_demote`
    cdef int _wait              # messages that stay with the pure twin before the next try to come back
    cdef uint64_t _taken        # messages taken since this book came back

    cdef int take(self, const kw_message *message) noexcept
    cdef bint _apply_native(self, BookUpdate update) except -1
    cdef int _take_back(self, const kw_message *message) except -1
    cdef int _demote(self) except -1
    cdef int _stay(self) noexcept
    cdef bint _promote(self) except -1

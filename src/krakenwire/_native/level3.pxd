# cython: language_level=3
"""The level3 twins: books, event, and the reader of frames; see level3.pyx."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "frame_level3.h":
    enum:
        KW_UNUSUAL
        KW_FOREIGN
        KW_TAKEN
        KW_ORDER_PLAIN
        KW_ORDER_ADD
        KW_ORDER_MODIFY
        KW_ORDER_DELETE
        KW_ORDER_ID_MAX

    ctypedef struct kw_order:
        const char *id
        int64_t price
        int64_t qty
        int64_t time_ns
        uint8_t id_size
        uint8_t price_decimals
        uint8_t qty_decimals
        uint8_t event

    ctypedef struct kw_orders:
        kw_order *at
        int n

    ctypedef struct kw_level3:
        int snapshot
        const char *symbol
        int symbol_size
        int has_checksum
        int has_time
        uint32_t checksum
        int64_t time_ns
        kw_orders bids
        kw_orders asks

    void kw_level3_init(kw_level3 *message) nogil
    void kw_level3_free(kw_level3 *message) nogil
    kw_order *kw_orders_next(kw_orders *orders) nogil
    int kw_parse_level3(kw_level3 *message, const char *frame, size_t size) nogil
    const char *kw_plain_number(const char *p, const char *end, int64_t *digits, uint8_t *decimals) nogil


cdef extern from "level3.h":
    enum:
        KW_NONE
        KW_SCALE_MAX

    ctypedef struct kw_resting:
        uint32_t next
        uint8_t id_size
        uint8_t price_decimals
        uint8_t qty_decimals
        int64_t price
        int64_t qty
        int64_t time_ns
        const char *id

    ctypedef struct kw_queue:
        uint32_t head

    ctypedef struct kw_place:
        int64_t key
        uint32_t queue

    ctypedef struct kw_queues:
        uint32_t n_places
        uint32_t n_orders
        uint32_t first
        kw_place *room
        kw_queue *queues
        kw_resting *orders

    ctypedef struct kw_l3:
        kw_queues bids
        kw_queues asks
        int price_scale
        int qty_scale
        uint32_t checksum
        uint64_t stray_events

    void kw_l3_init(kw_l3 *book, uint64_t seed) nogil
    void kw_l3_free(kw_l3 *book) nogil
    void kw_l3_clear(kw_l3 *book, int price_scale, int qty_scale) nogil
    int kw_l3_take(kw_l3 *book, const kw_level3 *message, uint32_t depth, int price_scale, int qty_scale) nogil
    int kw_l3_copy(kw_l3 *to, const kw_l3 *source) nogil
    uint32_t kw_id_hash(const char *text, size_t size, uint64_t seed) nogil


cdef extern from "crc32.h":
    void kw_crc_setup() nogil


cdef enum:                      # what L3Book.take did: the values of BOOK_* in books.pxd
    TOOK_EXACT = 0              # nothing: beyond the plain form; nothing has changed, decode and use apply()
    TOOK_VERIFIED = 1
    TOOK_UNVERIFIED = 2         # applied, no checksum to compare (or verify=False)
    TOOK_MISMATCH = 3           # invalidated; `found` is our checksum
    TOOK_STALE = 4              # update while not live; nothing has changed


cdef enum:
    EMPTY = 0
    LIVE = 1
    RESYNCING = 2
    SLOTS = 64


cdef class L3View:
    cdef kw_l3 _book
    cdef int _state
    cdef bint _verified, _has_time
    cdef int64_t _time_ns
    cdef uint64_t _verified_count
    cdef object _pure
    cdef readonly object symbol, depth
    cdef int _need_live(self) except -1
    cdef tuple _orders(self, const kw_queues *side)
    cdef tuple _levels(self, const kw_queues *side)
    cdef object _best(self, const kw_queues *side)
    cdef object _as_pure(self, tuple given, bint verify)
    cdef int _fill(self, object queues, const kw_queues *side) except -1


cdef class FrozenL3Book(L3View):
    pass


cdef class L3Book(L3View):
    cdef readonly uint32_t found
    cdef tuple _given
    cdef bint _verify
    cdef int _price_scale, _qty_scale
    cdef uint32_t _depth
    cdef FrozenL3Book _frozen
    cdef uint32_t _demotions, _wait, _taken
    cdef int take(self, const kw_level3 *message) noexcept
    cdef int _settle(self, const kw_level3 *message) noexcept
    cdef void _end_life(self) noexcept
    cdef bint _plain(self, object update, kw_level3 *message, list held) except -1
    cdef object _exact(self, object update)
    cdef int _demote(self) except -1
    cdef void _hold_back(self) noexcept
    cdef bint _promoted(self) noexcept
    cdef bint _promote(self) except -1
    cdef int _leave_pure(self) except -1


cdef class Level3Update:
    cdef readonly str symbol
    cdef public bint verified
    cdef public object book
    cdef bint _snapshot, _has_time
    cdef uint32_t _checksum
    cdef int64_t _time_ns
    cdef bytes _frame
    cdef tuple _bids, _asks
    cdef int _read(self) except -1


cdef class Level3Reader:
    cdef kw_level3 _message
    cdef object _book_for
    cdef dict _books
    cdef PyObject *_near[SLOTS]
    cdef readonly uint64_t unusual
    cdef object take(self, const char *data, Py_ssize_t size)
    cdef L3Book _find(self)
    cdef L3Book _ask(self)
    cdef void _far(self) noexcept

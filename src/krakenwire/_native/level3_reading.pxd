# cython: language_level=3
"""What an L3 book holds, and its readings; see level3_reading.pyx."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from krakenwire._native.level3_message cimport kw_level3


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


cdef enum:
    EMPTY = 0
    LIVE = 1
    RESYNCING = 2


cdef int state_of(object name) except -1


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

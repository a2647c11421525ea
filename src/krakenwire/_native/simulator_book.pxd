# cython: language_level=3
"""The book that a strategy of the simulator reads; see simulator_book.pyx."""

from libc.stdint cimport int64_t


cdef extern from "simulator_shown.h":
    ctypedef struct kw_pair:
        int64_t key
        int64_t qty

    ctypedef struct kw_side:
        int n

    int64_t kw_shown_set(kw_side *side, int64_t key, int64_t qty) nogil
    int64_t kw_shown_at(const kw_side *side, int64_t key) nogil
    int kw_shown_displays(const kw_side *side, int64_t key, int depth) nogil
    void kw_shown_clear(kw_side *side) nogil
    void kw_side_truncate(kw_side *side, int depth) nogil
    kw_pair kw_side_level(const kw_side *side, int rank) nogil


cdef class SimBook:
    cdef kw_side shown[2]                   # bids, asks; the greatest key is the best
    cdef readonly object symbol, listing, state
    cdef readonly int depth
    cdef readonly bint live
    cdef readonly int64_t time_ns
    cdef double scale                       # ticks of one quote unit

    cdef void begin(self)
    cdef void end(self)
    cdef int show_last(self, int64_t price, int64_t spread, int64_t time_ns) except -1
    cdef int need_live(self) except -1
    cdef object array(self, int is_ask, object levels)

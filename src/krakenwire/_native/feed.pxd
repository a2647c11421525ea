# cython: language_level=3
"""The one pass and its fast lanes; see feed.pyx."""

from libc.stdint cimport int64_t, uint64_t

from krakenwire._native.books cimport L2Book
from krakenwire._native.level3 cimport Level3Reader
from krakenwire._native.message cimport kw_message
from krakenwire._native.sink cimport MessageSink

cdef extern from "symbols.h":
    ctypedef struct kw_symbol_key:
        pass
    ctypedef struct kw_symbols:
        pass
    kw_symbol_key kw_symbol_key_of(const char *text, int size, int depth) nogil
    void *kw_symbols_find(const kw_symbols *symbols, const kw_symbol_key *key) nogil
    int kw_symbols_add(kw_symbols *symbols, kw_symbol_key key, void *value) nogil
    void kw_symbols_free(kw_symbols *symbols) nogil


cdef class Lane:
    cdef public bint calm
    cdef public int64_t heard_ns, next_trade_id
    cdef public tuple sinks


cdef class Route:
    cdef str symbol
    cdef object key
    cdef bytes text
    cdef uint64_t generation
    cdef L2Book book
    cdef Lane book_lane, trade_lane, ticker_lane


cdef class Pass:
    cdef kw_message _message
    cdef int _version
    cdef dict _books, _lanes
    cdef object _book_for, _symbol_of, _slow
    cdef Level3Reader _level3
    cdef list _routes
    cdef kw_symbols _symbols
    cdef uint64_t _generation
    cdef Lane _lane
    cdef bint _busy
    cdef public bint open
    cdef readonly uint64_t frames, events, verified, failed, unverified, ignored, malformed, heartbeats
    cdef readonly uint64_t fallbacks, unknown_members

    cdef tuple _spare

    cdef tuple _alone(self, event)
    cdef object take(self, const char *data, Py_ssize_t size)
    cdef object _take_frame(self, const char *data, Py_ssize_t size)
    cdef object _take_book(self, Route route)
    cdef object _take_other(self, const char *data, Py_ssize_t size)
    cdef Route _route(self, const char *text, int size, int depth)
    cdef Route _new_route(self, const char *text, int size, int depth)
    cdef int _refresh(self, Route route) except -1


cdef class FeedSink(MessageSink):
    cdef Pass _pass
    cdef object _clock, _take_events, _take_frame, _take_unusual, _heard, _failed, _after, _guard, _seen
    cdef Py_ssize_t _frame_bytes_max
    cdef public bint direct
    cdef bint _reading
    cdef int64_t _now_ns
    cdef uint64_t _frames, _bytes, _events
    cdef int _begin(self) except -1
    cdef int _take(self, const char *data, Py_ssize_t size) except -1
    cdef int _deliver(self, object event, tuple sinks) except -1

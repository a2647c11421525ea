# cython: language_level=3
"""The one pass and its fast lanes; see feed.pyx."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t

from krakenwire._native.books cimport L2Book
from krakenwire._native.level3 cimport Level3Reader
from krakenwire._native.message cimport kw_message
from krakenwire._native.sink cimport MessageSink


cdef class Lane:
    cdef public bint calm
    cdef public int64_t heard_ns, next_trade_id
    cdef public tuple sinks


cdef class Route:
    cdef str symbol
    cdef object key
    cdef bytes text
    cdef int depth
    cdef uint32_t hash
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
    cdef PyObject **_slots
    cdef uint32_t _mask
    cdef uint64_t _generation
    cdef Lane lane
    cdef public bint open
    cdef readonly uint64_t frames, events, verified, failed, unverified, ignored, malformed, heartbeats
    cdef readonly uint64_t fallbacks, unknown_members

    cdef object take(self, const char *data, Py_ssize_t size)
    cdef object _take_book(self, Route route)
    cdef object _take_other(self, const char *data, Py_ssize_t size)
    cdef Route _route(self, const char *text, int size, int depth)
    cdef Route _new_route(self, const char *text, int size, int depth, uint32_t hash)
    cdef int _refresh(self, Route route) except -1
    cdef int _enter(self, Route route) except -1
    cdef int _grow(self) except -1


cdef class FeedSink(MessageSink):
    cdef Pass _pass
    cdef object _clock, _take_events, _take_frame, _take_unusual, _heard, _failed, _after, _guard
    cdef Py_ssize_t _frame_bytes_max
    cdef public bint direct
    cdef bint _reading
    cdef int64_t _now_ns
    cdef uint64_t _frames, _bytes, _events
    cdef int _begin(self) except -1
    cdef int _take(self, const char *data, Py_ssize_t size) except -1
    cdef int _deliver(self, object event, tuple sinks) except -1

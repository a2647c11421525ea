# cython: language_level=3
"""The reader of level3 frames and its event; see level3.pyx."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t

from krakenwire._native.level3_book cimport L3Book as Book
from krakenwire._native.level3_message cimport kw_level3

cdef enum:
    SLOTS = 64


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
    cdef Book _find(self)
    cdef Book _ask(self)
    cdef void _far(self) noexcept

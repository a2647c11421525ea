# cython: language_level=3
"""The level3 twins: book, event, and the reader of frames; see level3.pyx."""

from libc.stdint cimport int64_t, uint32_t


cdef class L3View:
    cdef object _pure
    cdef readonly object symbol, depth


cdef class FrozenL3Book(L3View):
    pass


cdef class L3Book(L3View):
    cdef readonly uint32_t found


cdef class Level3Update:
    cdef public object symbol, kind, checksum, time_ns, book
    cdef public bint verified
    cdef bytes _frame
    cdef object _bids, _asks


cdef class Level3Reader:
    cdef object _book_for
    cdef dict _books
    cdef readonly object unusual
    cdef object take(self, const char *data, Py_ssize_t size)

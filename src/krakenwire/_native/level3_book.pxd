# cython: language_level=3
"""The live L3 book; see level3_book.pyx."""

from libc.stdint cimport uint32_t

from krakenwire._native.level3_message cimport kw_level3
from krakenwire._native.level3_reading cimport FrozenL3Book, L3View


cdef enum:                      # what L3Book.take did: the values of BOOK_* in books.pxd
    TOOK_EXACT = 0              # nothing: beyond the plain form; nothing has changed, decode and use apply()
    TOOK_VERIFIED = 1
    TOOK_UNVERIFIED = 2         # applied, no checksum to compare (or verify=False)
    TOOK_MISMATCH = 3           # invalidated; `found` is our checksum
    TOOK_STALE = 4              # update while not live; nothing has changed


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
    cdef object _exact(self, object update)
    cdef int _demote(self) except -1
    cdef void _hold_back(self) noexcept
    cdef bint _promoted(self) noexcept
    cdef bint _promote(self) except -1
    cdef int _leave_pure(self) except -1

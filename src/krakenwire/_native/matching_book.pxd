# cython: language_level=3
"""The book of one instrument, for reading; see matching_book.pyx."""

from libc.stdint cimport int64_t

from krakenwire._native.matching_engine cimport KW_PRICE_MAX, kw_engine, kw_rung


cdef inline int64_t within(int64_t price) noexcept:
    """A price to compare with, so near the possible ones that its negative exists."""
    return 0 if price < 0 else KW_PRICE_MAX + 1 if price > KW_PRICE_MAX else price


cdef class Book:
    cdef kw_engine engine


cdef class BookSide:
    cdef Book book
    cdef int is_sell
    cdef const kw_rung *rung(self, int64_t rank) except NULL


cdef BookSide side_of(Book book, int is_sell)
cdef object orders_of(Book book)

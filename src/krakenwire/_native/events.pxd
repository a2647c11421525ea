# cython: language_level=3
"""Events of the one pass; see events.pyx."""

from libc.stdint cimport int64_t, uint32_t

from krakenwire._native.message cimport KW_TICKER_NUMBERS, kw_level, kw_message, kw_number, kw_trade

cdef enum:
    FEW_LEVELS = 4


cdef class BookUpdate:
    cdef readonly str symbol
    cdef public bint verified
    cdef public object book
    cdef bint _snapshot, _has_checksum, _has_time
    cdef uint32_t _checksum
    cdef int _depth, _n_bids, _n_asks
    cdef int64_t _time_ns
    cdef kw_level *_levels      # lie in _few, or in _many
    cdef kw_level _few[FEW_LEVELS]
    cdef bytes _many
    cdef list _wire(self, int start, int count)
    cdef tuple _decimals(self, int start, int count)


cdef class Trades:
    cdef readonly str symbol
    cdef bint _snapshot, _has_ids
    cdef int _count
    cdef kw_trade *_rows        # lie in _one, or in _many
    cdef kw_trade _one
    cdef bytes _many
    cdef tuple _trades
    cdef object _trade(self, kw_trade *row)


cdef class Ticker:
    cdef readonly str symbol
    cdef bint _snapshot, _has_time, _has_trades
    cdef int64_t _time_ns, _count
    cdef kw_number _numbers[KW_TICKER_NUMBERS]
    cdef object _number(self, int which)


cdef BookUpdate book_update(str symbol, const kw_message *message)
cdef Trades trades_of(str symbol, const kw_message *message)
cdef Ticker ticker_of(str symbol, const kw_message *message)

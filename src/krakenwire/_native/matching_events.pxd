# cython: language_level=3
"""What the engine has recorded, told in events; see matching_events.pyx."""

from libc.stdint cimport int64_t

from krakenwire._native.matching_engine cimport kw_records


cdef inline str side_name(bint is_sell):
    return "sell" if is_sell else "buy"


cdef int load_events(object orders) except -1
cdef list events_of(const kw_records *records)
cdef list trades_of(const kw_records *records)
cdef object refusal_of(int64_t order_id, int64_t code, int64_t time_ns)
cdef object batch_result(int64_t done, int64_t refused, int64_t trades)

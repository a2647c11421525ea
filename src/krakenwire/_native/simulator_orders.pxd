# cython: language_level=3
"""Orders and reports of the simulator; see simulator_orders.pyx."""

from libc.stdint cimport int64_t

cdef enum:  # the state of an order; simulator_orders.pyx names them
    NEW = 0
    SENT = 1
    WAITING = 2
    OPEN = 3
    FILLED = 4
    CANCELED = 5
    EXPIRED = 6
    REFUSED = 7

cdef class Order:
    cdef readonly int64_t price, qty, left, filled, trigger, expire_ns, queue_ahead, ref
    cdef readonly int symbol, side, order_type, flags
    cdef public object user
    cdef int phase
    cdef bint told                          # since the last snapshot began
    cdef int64_t place, credit, credit_ns, traded


cdef class Report:
    cdef readonly Order order
    cdef readonly int64_t price, qty, filled, left, time_ns
    cdef readonly int kind
    cdef readonly bint maker
    cdef readonly object reason


cdef Report report_of(int kind, Order order, int64_t price, int64_t qty, bint maker, int64_t time_ns, object reason)

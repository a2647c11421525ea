# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.venue.matching`: one instrument's book and the rules of matching.

It answers every command with the same events as the readable twin and must
never differ from it. The engine itself is C (`matching.h`); this is its face.
"""


cdef class BookSide:
    """One side of the book, for reading."""

    cdef readonly int sign


cdef class MatchingEngine:
    """The book of one instrument and the rules of matching; see `krakenwire.venue.matching`."""

    cdef readonly BookSide bids, asks

    def __init__(self, record_trades=False):
        raise NotImplementedError

    def submit(self, order_id, side_is_sell, price, qty, time_ns=0, flags=0, owner=0, display_qty=0, reduce_qty=0):
        raise NotImplementedError

    def withdraw(self, order_id, time_ns=0):
        raise NotImplementedError

    def revise(self, order_id, qty=0, price=0, time_ns=0, flags=0, display_qty=0, reduce_qty=0):
        raise NotImplementedError

    def batch(self, rows, width=5):
        raise NotImplementedError

    def take_trades(self):
        raise NotImplementedError

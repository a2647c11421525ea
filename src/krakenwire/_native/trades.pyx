# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled twin of `krakenwire.trading.trades`: trades that keep integers and make `Decimal`s when they are read.

They pass for the model's class (`isinstance`, equality, pickle), attribute by attribute.
"""

cimport cython
from cpython.memoryview cimport PyMemoryView_GET_BUFFER
from libc.stdint cimport int64_t, uint8_t, uint16_t

from krakenwire.errors import UsageError
from krakenwire.model import market
from krakenwire.model.numbers import scaled_to_decimal


cdef extern from "rows.h":
    enum:
        KW_ROW_BUY
        KW_ROW_SNAPSHOT
        KW_ROW_MARKET
    ctypedef struct kw_row:
        int64_t time_ns
        int64_t venue_ns
        int64_t price
        int64_t qty
        int64_t aux
        uint16_t symbol
        uint8_t kind
        uint8_t flags


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class Trade:
    """One public trade; see the model's class."""

    cdef readonly str symbol
    cdef readonly int64_t time_ns
    cdef int64_t _price, _qty, _id
    cdef int _price_decimals, _qty_decimals
    cdef bint _is_buy, _is_market

    channel = "trade"
    __struct_fields__ = market.Trade.__struct_fields__

    @property
    def __class__(self):
        return market.Trade

    @property
    def side(self):
        return "buy" if self._is_buy else "sell"

    @property
    def price(self):
        return scaled_to_decimal(self._price, self._price_decimals)

    @property
    def qty(self):
        return scaled_to_decimal(self._qty, self._qty_decimals)

    @property
    def ord_type(self):
        return "market" if self._is_market else "limit"

    @property
    def trade_id(self):
        return self._id if self._id >= 0 else None

    def _plain(self):
        return market.Trade(**{name: getattr(self, name) for name in self.__struct_fields__})

    def __eq__(self, other):
        if not isinstance(other, market.Trade):
            return NotImplemented
        return all([getattr(self, name) == getattr(other, name) for name in self.__struct_fields__])

    def __hash__(self):
        return hash(self._plain())

    def __repr__(self):
        return repr(self._plain())

    def __reduce__(self):
        return _trade, tuple([getattr(self, name) for name in self.__struct_fields__])


def _trade(*values):
    return market.Trade(**dict(zip(market.Trade.__struct_fields__, values, strict=True)))


cdef const kw_row *rows_of(object data, Py_ssize_t first, Py_ssize_t end) except NULL:
    """Return where rows lie; not those beyond the data."""
    cdef Py_buffer *view
    if not isinstance(data, memoryview):
        raise UsageError("rows", expected="a memoryview of bytes", found=type(data))
    view = PyMemoryView_GET_BUFFER(data)
    if not (0 <= first <= end <= view.len // <Py_ssize_t>sizeof(kw_row)):
        raise UsageError("rows", expected=f"some of {view.len // <Py_ssize_t>sizeof(kw_row)}", found=(first, end))
    return <const kw_row *>view.buf


def amounts_of(data, Py_ssize_t first, Py_ssize_t end):
    """Return ticks and lots of each trade."""
    cdef const kw_row *rows = rows_of(data, first, end)
    cdef Py_ssize_t at
    cdef list found = []
    for at in range(first, end):
        if not rows[at].flags & KW_ROW_SNAPSHOT:
            found.append((rows[at].price, rows[at].qty))
    return found


@cython.final
cdef class TradeMaker:
    """Makes the trades of one instrument."""

    cdef str _symbol
    cdef int _price_decimals, _qty_decimals

    def __init__(self, listing):
        self._symbol = listing.symbol
        self._price_decimals, self._qty_decimals = listing.price_decimals, listing.qty_decimals

    def one_of(self, data, Py_ssize_t row):
        """Return the trade of a row, None where it is no news."""
        cdef const kw_row *at = rows_of(data, row, row + 1) + row
        return None if at.flags & KW_ROW_SNAPSHOT else self._trade(at)

    def trades_of(self, data, Py_ssize_t first, Py_ssize_t end):
        """Return the trades."""
        cdef const kw_row *rows = rows_of(data, first, end)
        cdef Py_ssize_t at
        cdef list found = []
        for at in range(first, end):
            if not rows[at].flags & KW_ROW_SNAPSHOT:
                found.append(self._trade(&rows[at]))
        return found

    cdef Trade _trade(self, const kw_row *row):
        cdef Trade trade = Trade.__new__(Trade)
        trade.symbol = self._symbol
        trade.time_ns = row.venue_ns if row.venue_ns else row.time_ns
        trade._price, trade._qty, trade._id = row.price, row.qty, row.aux
        trade._price_decimals, trade._qty_decimals = self._price_decimals, self._qty_decimals
        trade._is_buy, trade._is_market = row.kind == KW_ROW_BUY, (row.flags & KW_ROW_MARKET) != 0
        return trade

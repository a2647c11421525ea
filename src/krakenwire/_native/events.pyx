# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Book, trade and ticker events that keep integers and make `Decimal`s when they are read.

Twins of `BookUpdate`, `Trades` and `Ticker` in `krakenwire.model.market`: they
pass for them (`isinstance`, equality, pickle), attribute by attribute. Nothing
here changes a book. Next: `feed`, which makes them.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.string cimport memcpy

from krakenwire._native.message cimport (
    KW_ASK, KW_ASK_QTY, KW_BID, KW_BID_QTY, KW_CHANGE, KW_CHANGE_PCT, KW_HIGH, KW_LAST, KW_LOW, KW_TICKER_NUMBERS,
    KW_VOLUME, KW_VWAP,
)

from krakenwire.model import market
from krakenwire.model.numbers import fixed_text, scaled_to_decimal

_Level = market.Level


cdef inline str _kind(bint snapshot):
    return "snapshot" if snapshot else "update"


# -- book ----------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(64)
cdef class BookUpdate:
    """A snapshot or update of one L2 book, already applied to `book`; see the model's class."""

    channel = "book"
    __struct_fields__ = market.BookUpdate.__struct_fields__

    @property
    def __class__(self):
        return market.BookUpdate

    @property
    def kind(self):
        return _kind(self._snapshot)

    @property
    def checksum(self):
        return self._checksum if self._has_checksum else None

    @property
    def time(self):
        return self._time_ns if self._has_time else None

    @property
    def time_ns(self):
        return self._time_ns if self._has_time else None

    @property
    def depth(self):
        return self._depth or None

    @property
    def wire_bids(self):
        return self._wire(0, self._n_bids)

    @property
    def wire_asks(self):
        return self._wire(self._n_bids, self._n_asks)

    @property
    def bids(self):
        return self._decimals(0, self._n_bids)

    @property
    def asks(self):
        return self._decimals(self._n_bids, self._n_asks)

    cdef list _wire(self, int start, int count):
        """Levels as the wire had them, made again from digits and decimals."""
        cdef int i
        cdef kw_level *level
        rows = []
        for i in range(start, start + count):
            level = &self._levels[i]
            price = fixed_text(level.price, level.price_decimals)
            qty = fixed_text(level.qty, level.qty_decimals)
            if not self._depth:
                rows.append((price, qty))
                continue
            time = f"{level.time_us // 1000000:010d}.{level.time_us % 1000000:06d}"
            rows.append((price, qty, time, "r") if level.republished else (price, qty, time))
        return rows

    cdef tuple _decimals(self, int start, int count):
        cdef int i
        cdef kw_level *level
        rows = []
        for i in range(start, start + count):
            level = &self._levels[i]
            rows.append(
                _Level(
                    scaled_to_decimal(level.price, level.price_decimals),
                    scaled_to_decimal(level.qty, level.qty_decimals),
                )
            )
        return tuple(rows)

    def _facts(self):
        return (self.symbol, self.kind, self.bids, self.asks, self.checksum, self.verified, self.time_ns)

    def __eq__(self, other):
        if not isinstance(other, market.BookUpdate):
            return NotImplemented
        return self._facts() == other._facts()

    def __hash__(self):
        return hash(self._facts())

    def __repr__(self):
        return (
            f"BookUpdate({self.symbol} {self.kind} bids={self._n_bids} asks={self._n_asks} "
            f"checksum={self.checksum} verified={self.verified})"
        )

    def __reduce__(self):
        return market.BookUpdate, (
            self.symbol, self.kind, self.wire_bids, self.wire_asks, self.checksum, self.time_ns, self.depth,
            self.verified, self.book,
        )


cdef BookUpdate book_update(str symbol, const kw_message *message):
    """Return the event of a book message."""
    cdef BookUpdate event = BookUpdate.__new__(BookUpdate)
    cdef int bids = message.bids.n, asks = message.asks.n
    event._levels = event._few
    if bids + asks > FEW_LEVELS:
        event._many = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>((bids + asks) * sizeof(kw_level)))
        event._levels = <kw_level *>PyBytes_AS_STRING(event._many)
    if bids:
        memcpy(event._levels, message.bids.at, <size_t>bids * sizeof(kw_level))
    if asks:
        memcpy(event._levels + bids, message.asks.at, <size_t>asks * sizeof(kw_level))
    event._n_bids = bids
    event._n_asks = asks
    event.symbol = symbol
    event.verified = False
    event._snapshot = message.snapshot
    event._has_checksum = message.has_checksum
    event._checksum = message.checksum
    event._has_time = message.has_time
    event._time_ns = message.time_ns
    event._depth = message.depth
    return event


# -- trades ---------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(16)
cdef class Trades:
    """The trades of one frame, oldest first; see the model's class."""

    channel = "trade"
    __struct_fields__ = market.Trades.__struct_fields__

    @property
    def __class__(self):
        return market.Trades

    @property
    def kind(self):
        return _kind(self._snapshot)

    @property
    def trades(self):
        cdef int i
        if self._trades is None:
            self._trades = tuple([self._trade(&self._rows[i]) for i in range(self._count)])
        return self._trades

    cdef object _trade(self, kw_trade *row):
        return market.Trade(
            symbol=self.symbol,
            side="buy" if row.side == c"b" else "sell",
            price=scaled_to_decimal(row.price, row.price_decimals),
            qty=scaled_to_decimal(row.qty, row.qty_decimals),
            ord_type="market" if row.ord_type == c"m" else "limit",
            time_ns=row.time_ns,
            trade_id=row.trade_id if self._has_ids else None,
        )

    def _plain(self):
        return market.Trades(symbol=self.symbol, kind=self.kind, trades=self.trades)

    def __eq__(self, other):
        if not isinstance(other, market.Trades):
            return NotImplemented
        return (self.symbol, self.kind, self.trades) == (other.symbol, other.kind, other.trades)

    def __hash__(self):
        return hash(self._plain())

    def __repr__(self):
        return repr(self._plain())

    def __reduce__(self):
        return _trades, (self.symbol, self.kind, self.trades)


def _trades(symbol, kind, trades):
    return market.Trades(symbol=symbol, kind=kind, trades=trades)


cdef Trades trades_of(str symbol, const kw_message *message):
    """Return the event of a trade message."""
    cdef Trades event = Trades.__new__(Trades)
    cdef int count = message.n_trades
    event._rows = &event._one
    if count > 1:
        event._many = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(count * sizeof(kw_trade)))
        event._rows = <kw_trade *>PyBytes_AS_STRING(event._many)
    memcpy(event._rows, message.trades, <size_t>count * sizeof(kw_trade))
    event._count = count
    event.symbol = symbol
    event._snapshot = message.snapshot
    event._has_ids = count > 0 and message.trades[0].trade_id >= 0
    return event


# -- ticker ----------------------------------------------------------------------


@cython.final
@cython.no_gc
@cython.freelist(16)
cdef class Ticker:
    """Best prices and the last 24 hours of one symbol; see the model's class."""

    channel = "ticker"
    __struct_fields__ = market.Ticker.__struct_fields__
    last_qty = None

    @property
    def __class__(self):
        return market.Ticker

    @property
    def kind(self):
        return _kind(self._snapshot)

    cdef object _number(self, int which):
        cdef kw_number *number = &self._numbers[which]
        return scaled_to_decimal(number.digits, number.decimals) if number.there else None

    @property
    def bid(self):
        return self._number(KW_BID)

    @property
    def bid_qty(self):
        return self._number(KW_BID_QTY)

    @property
    def ask(self):
        return self._number(KW_ASK)

    @property
    def ask_qty(self):
        return self._number(KW_ASK_QTY)

    @property
    def last(self):
        return self._number(KW_LAST)

    @property
    def volume(self):
        return self._number(KW_VOLUME)

    @property
    def vwap(self):
        return self._number(KW_VWAP)

    @property
    def low(self):
        return self._number(KW_LOW)

    @property
    def high(self):
        return self._number(KW_HIGH)

    @property
    def change(self):
        return self._number(KW_CHANGE)

    @property
    def change_pct(self):
        return self._number(KW_CHANGE_PCT)

    @property
    def trades(self):
        return self._count if self._has_trades else None

    @property
    def time_ns(self):
        return self._time_ns if self._has_time else None

    def _plain(self):
        return _ticker(*self._members())

    def _members(self):
        return tuple([getattr(self, name) for name in market.Ticker.__struct_fields__])

    def __eq__(self, other):
        if not isinstance(other, market.Ticker):
            return NotImplemented
        return self._members() == tuple([getattr(other, name) for name in market.Ticker.__struct_fields__])

    def __hash__(self):
        return hash(self._plain())

    def __repr__(self):
        return repr(self._plain())

    def __reduce__(self):
        return _ticker, self._members()


def _ticker(*members):
    return market.Ticker(**dict(zip(market.Ticker.__struct_fields__, members, strict=True)))


cdef Ticker ticker_of(str symbol, const kw_message *message):
    """Return the event of a ticker message."""
    cdef Ticker event = Ticker.__new__(Ticker)
    memcpy(event._numbers, message.numbers, sizeof(kw_number) * KW_TICKER_NUMBERS)
    event.symbol = symbol
    event._snapshot = message.snapshot
    event._has_time = message.has_time
    event._time_ns = message.time_ns
    event._has_trades = message.has_ticker_trades
    event._count = message.ticker_trades
    return event

# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled row writer: levels and trades of the one pass become rows without a number made of them.

Whatever is not a `BookUpdate` or `Trades` of `events` in plain form, and every
number that does not fit, goes to the readable twin, `krakenwire.tape.rows`:
the two never differ. Books are only looked at, for their best levels.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from krakenwire._native.books cimport KW_LIVE, L2Book, kw_pair, kw_side, kw_side_level
from krakenwire._native.events cimport BookUpdate, Ticker, Trades
from krakenwire._native.feed cimport Pass
from krakenwire._native.message cimport kw_level, kw_trade

cdef extern from "digits.h":
    const int64_t KW_POWERS[19]
    enum:
        KW_DECIMALS_MAX

cdef extern from "rows.h":
    enum:
        KW_ROW_BID
        KW_ROW_ASK
        KW_ROW_BUY
        KW_ROW_SELL
        KW_ROW_CLEAR
        KW_ROW_GAP
        KW_ROW_EVENT
        KW_ROW_LAST
        KW_ROW_SNAPSHOT
        KW_ROW_MARKET
        KW_ROW_UNVERIFIED

    ctypedef struct kw_row:
        int64_t time_ns, venue_ns
        int64_t price, qty, aux
        uint16_t symbol
        uint8_t kind, flags
        uint32_t connection

ctypedef struct kw_top:         # TOP of the twin
    int64_t time_ns, venue_ns
    int64_t bid, bid_qty, ask, ask_qty
    uint16_t symbol
    uint8_t known
    uint8_t unused[5]

ctypedef struct kw_place:       # what is known of one listing
    int price_decimals, qty_decimals, depth
    int told_depth              # version 1: of the book that has rows, 0 where none has
    int top_known
    int64_t bid, bid_qty, ask, ask_qty

cdef enum:
    ROOM = 4096                 # rows of an array, 200 kB; more when they are not fetched
    NO_PLACE = -1

cdef inline bint _fits(int64_t value, int decimals, int wanted, int64_t *whole) noexcept nogil:
    """Turn digits with some decimals into ticks or lots; False when they do not fit."""
    cdef int more = wanted - decimals
    cdef int64_t power
    if more == 0:
        whole[0] = value
        return True
    if more > KW_DECIMALS_MAX or more < -KW_DECIMALS_MAX:
        whole[0] = 0
        return value == 0
    if more > 0:
        power = KW_POWERS[more]
        if value > (KW_POWERS[KW_DECIMALS_MAX] - 1) // power:
            return False
        whole[0] = value * power
        return True
    power = KW_POWERS[-more]
    whole[0] = value // power
    return value % power == 0


cdef class RowWriter:
    """Makes rows of events; see `krakenwire.tape.rows.RowWriter`."""

    cdef readonly list listings, objects
    cdef object _pure, _numpy, _row, _top, _array, _top_array
    cdef dict _places           # by symbol: place in `listings`, or NO_PLACE
    cdef kw_place *_known
    cdef Py_ssize_t _n_known
    cdef kw_row *_rows
    cdef kw_top *_tops
    cdef Py_ssize_t _start, _n, _room, _tops_start, _n_tops, _tops_room     # not fetched yet: from start to n
    cdef int64_t _time_ns
    cdef bint _with_tops
    cdef readonly Py_ssize_t at_fault

    def __init__(self, listings=(), *, symbols=None, tops=False):
        import numpy
        from krakenwire.tape import rows as twin
        self._numpy, self._row, self._top = numpy, twin.ROW, twin.TOP
        assert self._row.itemsize == sizeof(kw_row) and self._top.itemsize == sizeof(kw_top)
        self._pure = twin.RowWriter(listings, symbols=symbols, tops=tops)
        self.listings, self.objects = self._pure.listings, self._pure.objects
        self._places = {}
        self._with_tops = tops

    def __dealloc__(self):
        free(self._known)

    @property
    def refused(self):
        return self._pure.refused

    def take(self, event, int64_t time_ns, uint32_t connection=0):
        """Add the rows of an event and return how many they are."""
        return self._take(event, time_ns, connection)

    def rows(self):
        """Return what was added since the last call, and forget it. What was given out is never written again."""
        if self._array is None:
            return self._numpy.empty(0, self._row)
        rows = self._array[self._start:self._n]
        self._start = self._n
        return rows

    def tops(self):
        """Return the changes of the best levels since the last call, and forget them."""
        if self._top_array is None:
            return self._numpy.empty(0, self._top)
        tops = self._top_array[self._tops_start:self._n_tops]
        self._tops_start = self._n_tops
        return tops

    def take_frames(
        self, Pass feed_pass, const uint8_t[::1] data, const int64_t[::1] times, const int64_t[::1] offsets,
        const int64_t[::1] lengths, const uint8_t[::1] plain, Py_ssize_t start, Py_ssize_t stop, uint32_t connection,
    ):
        """Feed frames and take their events, as far as the pass gets.

        Args:
            feed_pass: of the connection's feed.
            data: where the frames lie: frame i at `offsets[i]`, `lengths[i]` bytes long, received at `times[i]`.
            plain: whether record i is a frame of this connection; the first that is not ends it.
            start, stop: the records.
            connection: as on the tape.

        Returns:
            The first record that is the caller's to handle; nothing has become of it yet. `stop` when there is none.

        Raises:
            ListingMismatch, ListingChanged: of the record that `at_fault` names.
        """
        cdef Py_ssize_t i
        assert stop <= times.shape[0] == offsets.shape[0] == lengths.shape[0] == plain.shape[0]
        for i in range(start, stop):
            if not plain[i]:
                return i
            if offsets[i] < 0 or lengths[i] <= 0 or offsets[i] > data.shape[0] - lengths[i]:
                return i
            self.at_fault = i
            event = feed_pass.take(<const char *>&data[offsets[i]], lengths[i])
            if event is None:
                return i
            if type(event) is tuple:
                for one in <tuple>event:
                    self._take(one, times[i], connection)
            else:
                self._take(event, times[i], connection)
        return stop

    # -- one event -----------------------------------------------------------------

    cdef Py_ssize_t _take(self, object event, int64_t time_ns, uint32_t connection) except -1:
        if time_ns < self._time_ns:
            time_ns = self._time_ns
        if type(event) is BookUpdate:
            return self._take_book(<BookUpdate>event, time_ns, connection)
        if type(event) is Trades:
            return self._take_trades(<Trades>event, time_ns, connection)
        if type(event) is Ticker:
            return self._take_ticker(<Ticker>event, time_ns, connection)
        return self._take_other(event, time_ns, connection)

    cdef Py_ssize_t _take_book(self, BookUpdate event, int64_t time_ns, uint32_t connection) except -1:
        cdef int levels = event._n_bids + event._n_asks, i
        cdef bint snapshot = event._snapshot
        cdef kw_place *known
        cdef kw_row *row
        cdef kw_level *level
        cdef Py_ssize_t place
        if not event.verified and event._has_checksum and event.book is not None and event.book.state != "live":
            return 0
        place = self._place(event.symbol, event)
        if place == NO_PLACE or levels + snapshot == 0:
            return 0
        known = &self._known[place]
        if event._depth and known.told_depth != event._depth:
            known.told_depth = self._pure.told_depth(place, event._depth)
            if known.told_depth != event._depth:
                return 0
        if type(event.book) is L2Book and (<L2Book>event.book)._book.depth > known.depth:
            self._pure.note_depth(place, event.book)
            self._learn(place)
            known = &self._known[place]  # what is known may have moved
        self._reserve(levels + snapshot)
        row = self._rows + self._n
        memset(row, 0, sizeof(kw_row))
        row.time_ns = time_ns
        row.venue_ns = event._time_ns if event._has_time else 0
        row.aux = <int64_t>event._checksum if event._has_checksum else -1
        row.symbol = <uint16_t>place
        row.flags = (KW_ROW_SNAPSHOT if snapshot else 0) | (0 if event.verified else KW_ROW_UNVERIFIED)
        row.connection = connection
        if snapshot:
            row.kind = KW_ROW_CLEAR
            if levels:
                memcpy(row + 1, row, sizeof(kw_row))
                row += 1
        for i in range(levels):
            level = &event._levels[i]
            row.kind = KW_ROW_BID if i < event._n_bids else KW_ROW_ASK
            if not _fits(level.price, level.price_decimals, known.price_decimals, &row.price) or not _fits(
                level.qty, level.qty_decimals, known.qty_decimals, &row.qty
            ):
                return self._take_other(event, time_ns, connection)
            if i + 1 < levels:
                memcpy(row + 1, row, sizeof(kw_row))
                row += 1
        row.flags |= KW_ROW_LAST
        self._n += levels + snapshot
        self._time_ns = time_ns
        if self._with_tops:
            self._note_top(place, event.book, time_ns, event._time_ns if event._has_time else 0)
        return levels + snapshot

    cdef Py_ssize_t _take_trades(self, Trades event, int64_t time_ns, uint32_t connection) except -1:
        cdef kw_place *known
        cdef kw_row *row
        cdef kw_trade *trade
        cdef Py_ssize_t place = self._place(event.symbol, event)
        cdef int i
        if place == NO_PLACE or event._count == 0:
            return 0
        known = &self._known[place]
        self._reserve(event._count)
        row = self._rows + self._n
        for i in range(event._count):
            trade = &event._rows[i]
            row = self._rows + self._n + i
            row.time_ns = time_ns
            row.venue_ns = trade.time_ns
            row.aux = trade.trade_id if event._has_ids else -1
            row.symbol = <uint16_t>place
            row.kind = KW_ROW_BUY if trade.side == c"b" else KW_ROW_SELL
            row.flags = (KW_ROW_SNAPSHOT if event._snapshot else 0) | (KW_ROW_MARKET if trade.ord_type == c"m" else 0)
            row.connection = connection
            if not _fits(trade.price, trade.price_decimals, known.price_decimals, &row.price) or not _fits(
                trade.qty, trade.qty_decimals, known.qty_decimals, &row.qty
            ):
                return self._take_other(event, time_ns, connection)
        row.flags |= KW_ROW_LAST
        self._n += event._count
        self._time_ns = time_ns
        return event._count

    cdef Py_ssize_t _take_ticker(self, Ticker event, int64_t time_ns, uint32_t connection) except -1:
        cdef Py_ssize_t place = self._place(event.symbol, event)
        cdef kw_row *row
        if place == NO_PLACE:
            return 0
        self._reserve(1)
        row = self._rows + self._n
        memset(row, 0, sizeof(kw_row))
        row.time_ns = time_ns
        row.venue_ns = event._time_ns if event._has_time else 0
        row.aux = len(self.objects)
        row.symbol, row.kind, row.flags, row.connection = <uint16_t>place, KW_ROW_EVENT, KW_ROW_LAST, connection
        self.objects.append(event)
        self._n += 1
        self._time_ns = time_ns
        return 1

    cdef Py_ssize_t _take_other(self, object event, int64_t time_ns, uint32_t connection) except -1:
        """Add what the twin makes of an event."""
        cdef kw_row *row
        cdef Py_ssize_t count
        told = self._pure.rows_of(event)
        count = len(told)
        if not count:
            return 0
        self._reserve(count)
        row = self._rows + self._n
        for venue_ns, price, qty, aux, symbol, kind, flags in told:
            row.time_ns, row.venue_ns, row.price, row.qty, row.aux = time_ns, venue_ns, price, qty, aux
            row.symbol, row.kind, row.flags, row.connection = symbol, kind, flags, connection
            row += 1
            if kind == KW_ROW_GAP and symbol < self._n_known:
                self._known[symbol].told_depth = 0
        self._n += count
        self._time_ns = time_ns
        if self._with_tops:
            for place, top in self._pure.tops_of(event, told):
                self._learn(place)
                if top is None:
                    self._add_top(place, False, time_ns, told[0][0], 0, 0, 0, 0)
                else:
                    self._add_top(place, True, time_ns, told[0][0], top[0], top[1], top[2], top[3])
        return count

    # -- listings ------------------------------------------------------------------

    cdef Py_ssize_t _place(self, str symbol, object event) except -2:
        """Return the place of a symbol, `NO_PLACE` when it gets no rows."""
        cdef Py_ssize_t place
        known = self._places.get(symbol)
        if known is not None:
            return known
        place = self._pure.place_of(event)
        if place != NO_PLACE:
            self._learn(place)
        self._places[symbol] = place
        return place

    cdef int _learn(self, Py_ssize_t place) except -1:
        """Read what the twin says of a listing."""
        cdef Py_ssize_t count = len(self.listings), i
        cdef kw_place *known
        if count > self._n_known:
            known = <kw_place *>realloc(self._known, <size_t>count * sizeof(kw_place))
            if known == NULL:
                raise MemoryError
            self._known = known
            for i in range(self._n_known, count):
                memset(&known[i], 0, sizeof(kw_place))
                self._known[i].price_decimals = self.listings[i].price_decimals
                self._known[i].qty_decimals = self.listings[i].qty_decimals
            self._n_known = count
        self._known[place].depth = self.listings[place].depth
        return 0

    # -- best levels ---------------------------------------------------------------

    cdef int _note_top(self, Py_ssize_t place, object told, int64_t time_ns, int64_t venue_ns) except -1:
        cdef L2Book book
        cdef kw_place *known = &self._known[place]
        cdef int64_t bid[2]
        cdef int64_t ask[2]
        if type(told) is L2Book and (<L2Book>told)._exact is None:
            book = <L2Book>told
            if book._book.state != KW_LIVE:
                return self._add_top(place, False, time_ns, venue_ns, 0, 0, 0, 0)
            if _best(book, &book._book.bids, known, bid) and _best(book, &book._book.asks, known, ask):
                return self._add_top(place, True, time_ns, venue_ns, bid[0], bid[1], ask[0], ask[1])
        top = self._pure._top(place, told)
        if top is None:
            return self._add_top(place, False, time_ns, venue_ns, 0, 0, 0, 0)
        return self._add_top(place, True, time_ns, venue_ns, top[0], top[1], top[2], top[3])

    cdef int _add_top(
        self, Py_ssize_t place, bint is_known, int64_t time_ns, int64_t venue_ns, int64_t bid, int64_t bid_qty,
        int64_t ask, int64_t ask_qty,
    ) except -1:
        """Add the best levels of a book if they are others than before."""
        cdef kw_place *known = &self._known[place]
        cdef kw_top *top
        if known.top_known == is_known and known.bid == bid and known.ask == ask:
            if known.bid_qty == bid_qty and known.ask_qty == ask_qty:
                return 0
        known.top_known = is_known
        known.bid, known.bid_qty, known.ask, known.ask_qty = bid, bid_qty, ask, ask_qty
        if self._n_tops == self._tops_room:
            self._make_tops_room()
        top = &self._tops[self._n_tops]
        memset(top, 0, sizeof(kw_top))
        top.time_ns, top.venue_ns, top.symbol, top.known = time_ns, venue_ns, <uint16_t>place, is_known
        top.bid, top.bid_qty, top.ask, top.ask_qty = bid, bid_qty, ask, ask_qty
        self._n_tops += 1
        return 0

    # -- room ----------------------------------------------------------------------

    cdef inline int _reserve(self, Py_ssize_t more) except -1:
        if self._n + more <= self._room:
            return 0
        self._make_room(more)
        return 0

    cdef int _make_room(self, Py_ssize_t more) except -1:
        """Go on in a new array, which begins with what nobody has fetched of the old one."""
        cdef Py_ssize_t waiting = self._n - self._start
        cdef Py_ssize_t room = max(ROOM, 2 * waiting, waiting + more)
        array = self._numpy.empty(room, self._row)
        cdef kw_row *rows = <kw_row *><size_t>array.ctypes.data
        if waiting:
            memcpy(rows, self._rows + self._start, <size_t>waiting * sizeof(kw_row))
        self._array, self._rows = array, rows
        self._start, self._n, self._room = 0, waiting, room
        return 0

    cdef int _make_tops_room(self) except -1:
        cdef Py_ssize_t waiting = self._n_tops - self._tops_start
        cdef Py_ssize_t room = max(ROOM, 2 * waiting)
        array = self._numpy.empty(room, self._top)
        cdef kw_top *tops = <kw_top *><size_t>array.ctypes.data
        if waiting:
            memcpy(tops, self._tops + self._tops_start, <size_t>waiting * sizeof(kw_top))
        self._top_array, self._tops = array, tops
        self._tops_start, self._n_tops, self._tops_room = 0, waiting, room
        return 0


cdef inline bint _best(L2Book book, const kw_side *side, const kw_place *known, int64_t *best) noexcept:
    """Put ticks and lots of the best level of a side, zeros when it is empty; False when they do not fit."""
    cdef kw_pair pair
    best[0] = best[1] = 0
    if side.n == 0:
        return True
    pair = kw_side_level(side, 0)
    return _fits(
        -pair.key if pair.key < 0 else pair.key, book._book.price_decimals, known.price_decimals, &best[0]
    ) and _fits(pair.qty, book._book.qty_decimals, known.qty_decimals, &best[1])

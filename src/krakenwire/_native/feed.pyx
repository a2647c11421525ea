# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The one pass: bytes of a frame to a verified book and one small event.

A `Pass` parses a frame into scaled integers, has the book take them and hands
out an event; whatever it cannot take in plain form it leaves untouched for the
exact slow path, and counts. `FeedSink` puts it under a transport: events of calm
subscriptions go straight to who wants them, all others through the session.
It opens and asks for nothing. Next: `krakenwire.session.feed`, the readable twin.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint64_t
from libc.string cimport memcmp

from krakenwire._native.books cimport (
    BOOK_CROSSED, BOOK_EXACT, BOOK_MISMATCH, BOOK_STALE, BOOK_UNVERIFIED, BOOK_VERIFIED, L2Book,
)
from krakenwire._native.events cimport BookUpdate, Ticker, Trades, book_update, ticker_of, trades_of
from krakenwire._native.level3 cimport Level3Reader
from krakenwire._native.message cimport (
    KW_BOOK, KW_TAKEN, KW_TICKER, KW_TRADE, KW_UNUSUAL, kw_message, kw_message_free, kw_message_init,
)
from krakenwire._native.sink cimport MessageSink

from krakenwire.errors import DecodeError
from krakenwire.limits import BOOKS_MAX
from krakenwire.model import ChecksumFailed, Gap, Heartbeat

cdef extern from "frame_v2.h":
    int kw_parse_v2(kw_message *message, const char *frame, size_t size) nogil

cdef extern from "frame_v1.h":
    int kw_parse_v1(kw_message *message, const char *frame, size_t size) nogil
    int kw_v1_pair(const char *text, size_t size) nogil

cdef extern from *:
    """
    /* Put an event into a tuple of one, if nobody else has that tuple; return whether it was done. */
    static inline int kw_reuse(PyObject *tuple, PyObject *event) {
        PyObject *old;
        if (tuple == Py_None || Py_REFCNT(tuple) != 1) return 0;
        old = PyTuple_GET_ITEM(tuple, 0);
        Py_INCREF(event);
        PyTuple_SET_ITEM(tuple, 0, event);
    #if PY_VERSION_HEX >= 0x030E0000
        ((PyTupleObject *)tuple)->ob_hash = -1; /* since 3.14 a tuple keeps its hash */
    #endif
        Py_DECREF(old);
        return 1;
    }
    """
    int kw_reuse(PyObject *tuple, PyObject *event)

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    int PyUnicode_Check(object value)
    int PyBytes_CheckExact(object value)

cdef object _HEARTBEAT = Heartbeat()
cdef bytes _HEARTBEAT_V1 = b'{"event":"heartbeat"}'
cdef bytes _HEARTBEAT_V2 = b'{"channel":"heartbeat"}'
cdef Py_ssize_t _ROUTES_MAX = 2 * BOOKS_MAX


cdef class Lane:
    """What one wire subscription lets pass without a second look; see `krakenwire.session.lane`."""

    def __cinit__(self):
        self.next_trade_id = -1


cdef class Route:
    """What is known of one symbol as the wire spells it."""


cdef class Pass:
    """Takes the frames of one connection.

    Args:
        version: API version, 1 or 2.
        books: the feed's books by its own keys.
        book_for: called with symbol, depth or None, and levels for each snapshot: the book it fills, or None.
        level3_for: the same for level3: symbol, kind, levels.
        symbol_of: v2 spelling of what the wire calls a symbol.
        slow: called with each frame that is not taken here; its events are returned.

    Attributes:
        open: whether frames of a transport may be decoded before the session has seen them.
    """

    def __cinit__(self, int version, dict books, book_for, level3_for, symbol_of, slow):
        kw_message_init(&self._message)
        self._version = version
        self._books = books
        self._lanes = {}
        self._routes = []
        self._book_for, self._symbol_of, self._slow = book_for, symbol_of, slow
        self._level3 = Level3Reader(level3_for) if version == 2 else None
        self._generation = 1

    def __dealloc__(self):
        kw_message_free(&self._message)
        kw_symbols_free(&self._symbols)

    @cython.binding(False)  # a plain builtin method is called faster
    def feed(self, frame):
        """Return the events of one frame; see `krakenwire.session.feed.Feed.feed`."""
        cdef const char *data
        cdef Py_ssize_t size
        if PyBytes_CheckExact(frame):
            data, size = PyBytes_AS_STRING(frame), PyBytes_GET_SIZE(frame)
        elif PyUnicode_Check(frame):
            try:
                data = PyUnicode_AsUTF8AndSize(frame, &size)
            except UnicodeEncodeError:
                return self._slow(frame)
        else:
            return self._slow(frame)
        taken = self.take(data, size)
        if taken is None:
            return self._slow(frame)
        if type(taken) is BookUpdate:
            return self._alone(taken)
        return taken if type(taken) is tuple else (taken,)

    cdef tuple _alone(self, event):
        """Return an event as a tuple: the last one again, if nobody has kept it.

        Only for events that the garbage collector need not see: a tuple it has
        once looked at and passed over would hide others from it.
        """
        if not kw_reuse(<PyObject *>self._spare, <PyObject *>event):
            self._spare = (event,)
        return self._spare

    def lane(self, channel, symbol):
        """Return the lane of a subscription, a new one each time: whoever asked before has lost it."""
        lane = self._lanes[channel, symbol] = Lane()
        self._generation += 1
        return lane

    def changed(self) -> None:
        """Note that the feed's books are others than before."""
        self._generation += 1

    def forget_level3(self, symbol) -> None:
        """Note that a level3 book was dropped."""
        if self._level3 is not None:
            self._level3.forget(symbol)

    # -- one frame -----------------------------------------------------------------

    cdef object take(self, const char *data, Py_ssize_t size):
        """Return the event of a frame, or all its events as a tuple; None, and nothing has changed, when it is not taken."""
        if self._busy:  # Python that runs for a frame has fed another one, which must not be parsed over it
            self.fallbacks += 1
            return None
        self._busy = True
        try:
            return self._take_frame(data, size)
        finally:
            self._busy = False

    cdef object _take_frame(self, const char *data, Py_ssize_t size):
        cdef kw_message *message = &self._message
        cdef Route route
        cdef int taken
        self._lane = None
        if self._version == 2:
            taken = kw_parse_v2(message, data, size)
        else:
            taken = kw_parse_v1(message, data, size)
        if taken != KW_TAKEN:
            if taken == KW_UNUSUAL:
                self.fallbacks += 1
                return None
            return self._take_other(data, size)
        route = self._route(message.symbol, message.symbol_size, message.depth)
        if route is None:
            self.fallbacks += 1
            return None
        if message.kind == KW_BOOK:
            event = self._take_book(route)
            if event is None:
                self.fallbacks += 1
                return None
        elif message.kind == KW_TRADE:
            self._lane = route.trade_lane
            event = trades_of(route.symbol, message)
            self.events += 1
        else:
            self._lane = route.ticker_lane
            event = ticker_of(route.symbol, message)
            self.events += 1
        self.unknown_members += message.extra_members
        self.frames += 1
        return event

    cdef object _take_book(self, Route route):
        """Have the book of a message take it; None, and nothing has changed, when it cannot in plain form."""
        cdef kw_message *message = &self._message
        cdef L2Book book = route.book
        cdef BookUpdate event
        cdef int status, levels
        if message.snapshot:
            levels = message.bids.n if message.bids.n > message.asks.n else message.asks.n
            book = self._book_for(route.symbol, message.depth or None, levels)
            if book is None:
                return None
        elif book is None:
            self.ignored += 1
            return ()
        status = book.take(message)
        if status == BOOK_EXACT:
            return None
        if status == BOOK_STALE:
            self.ignored += 1
            return ()
        if status == BOOK_CROSSED:
            self.malformed += 1
            self.events += 1
            return (Gap(channel_name="book", symbol=route.symbol, reason="malformed"),)
        event = book_update(route.symbol, message)
        event.book = book
        self.events += 1
        if status == BOOK_VERIFIED:
            event.verified = True
            self.verified += 1
            self._lane = route.book_lane
            return event
        if status == BOOK_UNVERIFIED:
            self.unverified += 1
            return event
        self.failed += 1
        self.events += 1
        return (event, ChecksumFailed(symbol=route.symbol, expected=message.checksum, found=book.found))

    cdef object _take_other(self, const char *data, Py_ssize_t size):
        """Take a heartbeat or a level3 frame; None for everything else."""
        cdef bytes heartbeat = _HEARTBEAT_V2 if self._version == 2 else _HEARTBEAT_V1
        if _is(data, size, heartbeat):
            self.frames += 1
            self.events += 1
            self.heartbeats += 1
            return _HEARTBEAT
        if self._level3 is None:
            return None
        unusual = self._level3.unusual
        taken = self._level3.take(data, size)
        if taken is None:
            if self._level3.unusual != unusual:
                self.fallbacks += 1
            return None
        self.frames += 1
        status, event = taken
        if status == BOOK_STALE:
            self.ignored += 1
            return ()
        self.events += 1
        if status == BOOK_VERIFIED:
            self.verified += 1
            return event
        if status == BOOK_UNVERIFIED:
            self.unverified += 1
            return event
        self.failed += 1
        self.events += 1
        failed = ChecksumFailed(
            symbol=event.symbol, expected=event.checksum, found=event.book.found, channel_name="level3"
        )
        return (event, failed)

    # -- symbols -------------------------------------------------------------------

    cdef Route _route(self, const char *text, int size, int depth):
        """Return what is known of a symbol; None when the text is none."""
        cdef kw_symbol_key key = kw_symbol_key_of(text, size, depth)
        cdef void *found = kw_symbols_find(&self._symbols, &key)
        cdef Route route
        if found == NULL:
            return self._new_route(text, size, depth)
        route = <Route>found
        if route.generation != self._generation:
            self._refresh(route)
        return route

    cdef Route _new_route(self, const char *text, int size, int depth):
        cdef Route route = Route.__new__(Route)
        route.text = PyBytes_FromStringAndSize(text, size)
        symbol = PyUnicode_DecodeASCII(text, size, NULL)
        if self._symbol_of is not None:
            if not kw_v1_pair(text, <size_t>size):
                return None
            try:
                symbol = self._symbol_of(symbol)
            except DecodeError:
                return None
        route.symbol = symbol
        route.key = symbol if self._version == 2 else (symbol, depth)
        self._refresh(route)
        if len(self._routes) < _ROUTES_MAX:  # more than that are found anew each time
            if not kw_symbols_add(
                &self._symbols, kw_symbol_key_of(PyBytes_AS_STRING(route.text), size, depth), <void *>route
            ):
                raise MemoryError
            self._routes.append(route)
        return route

    cdef int _refresh(self, Route route) except -1:
        route.book = self._books.get(route.key)
        route.book_lane = self._lanes.get(("book", route.symbol))
        route.trade_lane = self._lanes.get(("trade", route.symbol))
        route.ticker_lane = self._lanes.get(("ticker", route.symbol))
        route.generation = self._generation
        return 0


cdef class FeedSink(MessageSink):
    """Takes the messages of one connection for its session.

    Args:
        feed_pass: the pass of the connection's feed.
        clock: nanoseconds now; asked once for each read.
        take_events: called with events, the frame's size and the time, when they need the session.
        take_frame: called with a frame and the time when the session has to see it before it is decoded.
        take_unusual: called with a frame and the time when the pass has not taken it.
        heard: called after each read with frames, bytes and events that went past the session, and the time.
        failed: called with a sink and its exception.
        after_read: called last, without the guard.
        frame_bytes_max: larger frames go to `take_frame`, which refuses them.
        guard: held from the first message of a read to its end.
        seen: called first of all with each frame and the time.

    Attributes:
        direct: whether frames may be decoded before the session has seen them.
    """

    def __init__(
        self, Pass feed_pass, *, clock, take_events, take_frame, take_unusual, heard, failed, after_read,
        Py_ssize_t frame_bytes_max, guard=None, seen=None,
    ):
        self._pass = feed_pass
        self._clock, self._take_events, self._take_frame = clock, take_events, take_frame
        self._take_unusual, self._heard, self._failed, self._after = take_unusual, heard, failed, after_read
        self._frame_bytes_max = frame_bytes_max
        self._guard = guard
        self._seen = seen

    cdef int message(self, const char *data, Py_ssize_t size) except -1:
        if not self._reading:
            self._begin()
        if self._guard is None:
            return self._take(data, size)
        try:
            return self._take(data, size)
        except BaseException:
            self._reading = False
            self._guard.__exit__(None, None, None)
            raise

    cdef int _begin(self) except -1:
        if self._guard is not None:
            self._guard.__enter__()
        self._reading = True
        self._now_ns = self._clock()
        return 0

    cdef int _take(self, const char *data, Py_ssize_t size) except -1:
        cdef Pass feed_pass = self._pass
        cdef Lane lane
        if self._seen is not None:
            self._seen(PyBytes_FromStringAndSize(data, size), self._now_ns)
        if not self._pass.open or not self.direct or size > self._frame_bytes_max:
            self._take_frame(PyBytes_FromStringAndSize(data, size), self._now_ns)
            return 0
        event = feed_pass.take(data, size)
        if event is None:
            self._take_unusual(PyBytes_FromStringAndSize(data, size), self._now_ns)
            return 0
        lane = feed_pass._lane
        if lane is None or not lane.calm or lane.sinks is None or not _plain(event, lane):
            self._take_events(event if type(event) is tuple else (event,), size, self._now_ns)
            return 0
        lane.heard_ns = self._now_ns
        self._frames += 1
        self._bytes += <uint64_t>size
        self._events += 1
        return self._deliver(event, lane.sinks)

    cdef int _deliver(self, object event, tuple sinks) except -1:
        for sink in sinks:
            try:
                sink(event)
            except Exception as error:
                self._failed(sink, error)
        return 0

    cdef int end_of_read(self) except -1:
        if not self._reading:
            return 0
        frames, size, events = self._frames, self._bytes, self._events
        self._frames = self._bytes = self._events = 0
        self._reading = False
        try:
            if frames:
                self._heard(frames, size, events, self._now_ns)
        finally:
            if self._guard is not None:
                self._guard.__exit__(None, None, None)
        self._after()
        return 0


cdef inline bint _plain(object event, Lane lane):
    """Whether an event continues what its lane knows: trades have to follow on the last one."""
    cdef Trades trades
    cdef int i
    if type(event) is not Trades:
        return True
    trades = <Trades>event
    if not trades._has_ids:
        return True
    if lane.next_trade_id < 0:
        return False
    for i in range(trades._count):
        if trades._rows[i].trade_id != lane.next_trade_id + i:
            return False
    lane.next_trade_id += trades._count
    return True


cdef inline bint _is(const char *data, Py_ssize_t size, bytes text):
    return size == PyBytes_GET_SIZE(text) and memcmp(data, PyBytes_AS_STRING(text), <size_t>size) == 0

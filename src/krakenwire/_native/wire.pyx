# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The native WebSocket client: what asyncio reads from a socket becomes messages in one C call.

`WireProtocol` stands between the loop's transport and a `MessageSink`: no object is made for a
message, and none is copied unless it came in fragments. It connects nothing, knows no HTTP and
nothing of Kraken. Next: `websocket.h`, the frames; `krakenwire.client.native_wire`, who drives it.
"""

import asyncio
from os import urandom

from krakenwire.errors import ConnectionLost, FrameTooBig

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint64_t
from libc.string cimport memchr, memcmp, memcpy, memmove

from krakenwire._native.sink cimport MessageSink

cdef extern from "websocket.h" nogil:
    enum:
        KW_WS_MORE, KW_WS_MESSAGE, KW_WS_PART, KW_WS_PING, KW_WS_PONG, KW_WS_CLOSE
        KW_WS_RESERVED, KW_WS_OPCODE, KW_WS_MASKED, KW_WS_CONTROL, KW_WS_LENGTH, KW_WS_ORDER, KW_WS_BIG, KW_WS_CODE
        KW_WS_MEMORY
        KW_WS_TEXT_FRAME, KW_WS_CLOSE_FRAME, KW_WS_PONG_FRAME, KW_WS_CONTROL_MAX, KW_WS_NO_CODE
    ctypedef struct kw_ws:
        size_t message_max
        const char *data
        size_t size
        size_t used
        uint64_t wanted
        int code
    void kw_ws_init(kw_ws *ws, size_t message_max, size_t fragments_max)
    void kw_ws_free(kw_ws *ws)
    int kw_ws_step(kw_ws *ws, const char *at, size_t size)
    void kw_ws_trim(kw_ws *ws, size_t cap_max)
    size_t kw_ws_frame_size(size_t size)
    void kw_ws_frame(char *out, int opcode, const char *data, size_t size, const unsigned char *mask)

cdef extern from *:
    """
    #include <errno.h>
    #if defined(_WIN32)
    static Py_ssize_t kw_wire_read(int fd, char *at, Py_ssize_t size) {
        (void)fd; (void)at; (void)size;
        errno = ENOSYS;
        return -1;
    }
    #else
    #include <unistd.h>
    static Py_ssize_t kw_wire_read(int fd, char *at, Py_ssize_t size) {
        ssize_t got;
        do got = read(fd, at, (size_t)size); while (got < 0 && errno == EINTR);
        return (Py_ssize_t)got;
    }
    #endif
    """
    Py_ssize_t kw_wire_read(int fd, char *at, Py_ssize_t size) nogil

from libc.errno cimport errno

cdef enum:
    ROOM = 128 * 1024           # of the buffer that is kept: many messages a read, and inside the second cache
    UNSENT_MAX = 4 * 1024 * 1024  # bytes the peer has not taken; a flood of pings must not fill the memory
    MASKS = 4096                # bytes of chance drawn at once

cdef dict _VIOLATIONS = {
    KW_WS_RESERVED: "a reserved bit is set and no extension was agreed on",
    KW_WS_OPCODE: "an unknown opcode",
    KW_WS_MASKED: "masked, which only a client may do",
    KW_WS_CONTROL: "a control frame in fragments or of more than 125 bytes",
    KW_WS_LENGTH: "a length not written as it must be",
    KW_WS_CODE: "a close code that must not be sent",
}


# -- memory --------------------------------------------------------------------


cdef class _Block:
    """Memory that lives as long as anyone has a view of it."""

    cdef char *at
    cdef Py_ssize_t cap

    def __cinit__(self, Py_ssize_t cap):
        self.at = <char *>PyMem_RawMalloc(cap)
        if self.at is NULL:
            raise MemoryError
        self.cap = cap

    def __dealloc__(self):
        PyMem_RawFree(self.at)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.at, self.cap, 0, flags)

    def __releasebuffer__(self, Py_buffer *buffer):
        pass


cdef extern from "Python.h":
    int PyBuffer_FillInfo(Py_buffer *view, object exporter, void *buf, Py_ssize_t size, int readonly, int flags) except -1


cdef class _Inbox:
    """What has been read and not been used: it grows for one frame at most, and shrinks again."""

    cdef _Block home, block
    cdef object home_view, view
    cdef Py_ssize_t start, end
    cdef uint64_t wanted        # bytes of the frame at `start`, as far as is known

    def __cinit__(self):
        self.home = self.block = _Block(ROOM)
        self.home_view = self.view = memoryview(self.home)
        self.start = self.end = 0
        self.wanted = 0

    cdef object room(self):
        """Return a view of where the next read goes; it is never empty."""
        cdef Py_ssize_t have = self.end - self.start
        if have == 0:
            self.start = self.end = 0
        if self.block is not self.home and have <= ROOM / 2 and self.wanted <= ROOM:
            self._move(self.home, self.home_view)
        elif have == self.block.cap:
            self._grow()
        elif self.start and (self.block.cap - self.end < self.block.cap / 4
                             or self.wanted > <uint64_t>(self.block.cap - self.start)):
            self._move(self.block, self.view)
        return self.view if self.end == 0 else self.view[self.end:]

    cdef _grow(self):
        # Twice what has come, so a length alone gets no memory; no more than the frame needs.
        cdef Py_ssize_t cap = self.block.cap * 2
        cdef _Block block
        if self.wanted < <uint64_t>cap and self.wanted > <uint64_t>self.block.cap:
            cap = <Py_ssize_t>self.wanted
        block = _Block(cap)
        self._move(block, memoryview(block))

    cdef _move(self, _Block block, object view):
        cdef Py_ssize_t have = self.end - self.start
        memmove(block.at, self.block.at + self.start, have)
        self.block, self.view = block, view
        self.start, self.end = 0, have


# -- the protocol ----------------------------------------------------------------


cdef class _First:
    """Stands first among the bases: a compiled class cannot begin with a Python one."""


cdef class WireProtocol(_First, asyncio.BufferedProtocol):
    """The client's end of one WebSocket connection, for the transports of asyncio and uvloop.

    Args:
        url: for errors.
        sink: takes the messages.
        answered: called once with the head of the answer to the handshake; raises to refuse it.
        opened: called then, before the first message.
        lost: called once when the transport is gone, with what the loop says about it.
        head_bytes_max: of the answer to the handshake.
        message_bytes_max: of one message, in however many frames.
        fragments_max: frames of one message.
    """

    cdef MessageSink _sink
    cdef str _url
    cdef object _answered, _opened, _lost, _loop, _transport, _timer
    cdef readonly object failure
    cdef _Inbox _inbox
    cdef kw_ws _ws
    cdef Py_ssize_t _head_max, _seen
    cdef bint _open, _over, _busy
    cdef bytes _chance
    cdef Py_ssize_t _chance_used

    def __cinit__(self):
        self._inbox = _Inbox()
        kw_ws_init(&self._ws, 0, 0)

    def __init__(self, str url, MessageSink sink not None, answered, opened, lost, *, Py_ssize_t head_bytes_max,
                 Py_ssize_t message_bytes_max, Py_ssize_t fragments_max):
        self._url, self._sink = url, sink
        self._answered, self._opened, self._lost = answered, opened, lost
        self._loop = self._transport = self._timer = self.failure = None
        self._head_max, self._seen = head_bytes_max, 0
        kw_ws_free(&self._ws)
        kw_ws_init(&self._ws, message_bytes_max, fragments_max)
        self._open = self._over = self._busy = False
        self._chance, self._chance_used = b"", 0

    def __dealloc__(self):
        kw_ws_free(&self._ws)

    # -- asyncio.BufferedProtocol ------------------------------------------------

    def connection_made(self, transport):
        self._loop, self._transport = asyncio.get_running_loop(), transport
        transport.set_write_buffer_limits(0)  # uvloop then sends at once, as asyncio always does
        if self._over:
            transport.abort()

    def connection_lost(self, error):
        self._over = True
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        lost, self._lost, self._answered, self._opened = self._lost, None, None, None
        if lost is not None:
            lost(error)

    def eof_received(self):
        return False

    def pause_writing(self):
        pass  # what may wait unsent is bounded in _write

    def resume_writing(self):
        pass

    def get_buffer(self, Py_ssize_t hint):
        if self._busy:
            raise RuntimeError("messages lie in the buffer until all are handed over")
        return self._inbox.room()

    def buffer_updated(self, Py_ssize_t size):
        cdef _Inbox inbox = self._inbox
        if self._busy or size < 0 or size > inbox.block.cap - inbox.end:
            raise ValueError("more bytes than there was room for")
        inbox.end += size
        if self._over:
            inbox.start = inbox.end
            return
        self._busy = True
        try:
            if self._open or self._take_head():
                self._take_frames()
        except (KeyboardInterrupt, SystemExit) as stop:
            self._fail(stop, 1011)
            raise
        except BaseException as failure:  # whoever awaits the end gets it
            self._fail(failure, 1011)
        finally:
            self._busy = False

    # -- for native_wire -----------------------------------------------------------

    @property
    def over(self):
        """Whether nothing more will be handed over or sent."""
        return self._over

    def send(self, str text not None):
        """Send one text frame; after the end it goes nowhere."""
        cdef Py_ssize_t size
        cdef const char *data = PyUnicode_AsUTF8AndSize(text, &size)
        self._write(KW_WS_TEXT_FRAME, data, size)

    def pause(self, bint paused):
        """Stop or go on reading. What has been read is handed over all the same."""
        if not self._over and self._transport is not None:
            self._transport.pause_reading() if paused else self._transport.resume_reading()

    def close(self, int code, bytes reason not None):
        """Send a close frame and let go of the socket without waiting for the peer."""
        if not self._over:
            self._say_close(code, reason)
            self.abort()

    def abort(self):
        """Let go of the socket as it is; return whether a transport had it."""
        self._over = True
        if self._transport is None:
            return False
        self._transport.abort()
        return True

    # -- receiving -----------------------------------------------------------------

    cdef bint _take_head(self) except -1:
        """Look for the end of the HTTP answer, and have it judged; true once frames may follow."""
        cdef _Inbox inbox = self._inbox
        cdef Py_ssize_t found = _head_size(inbox.block.at + inbox.start, inbox.end - inbox.start, self._seen)
        if found == 0:
            self._seen = inbox.end - inbox.start
            if self._seen > self._head_max:
                raise ValueError(f"more than {self._head_max} bytes of answer")
            return False
        if found > self._head_max:
            raise ValueError(f"more than {self._head_max} bytes of answer")
        head = PyBytes_FromStringAndSize(inbox.block.at + inbox.start, found)
        inbox.start += found
        self._answered(head)
        self._open = True
        self._opened()
        return not self._over

    cdef int _take_frames(self) except -1:
        """Hand over the messages at hand, and do what control frames ask for."""
        cdef _Inbox inbox = self._inbox
        cdef _Block block = inbox.block
        cdef MessageSink sink = self._sink
        cdef bint handed = False
        cdef int step = KW_WS_MORE
        while not self._over:
            step = kw_ws_step(&self._ws, block.at + inbox.start, inbox.end - inbox.start)
            inbox.start += self._ws.used
            if step == KW_WS_MESSAGE:
                handed = True
                sink.message(self._ws.data, self._ws.size)
            elif step == KW_WS_PING:
                self._write(KW_WS_PONG_FRAME, self._ws.data, self._ws.size)
            elif step != KW_WS_PART and step != KW_WS_PONG:
                break
        inbox.wanted = self._ws.wanted
        if handed:
            sink.end_of_read()
            kw_ws_trim(&self._ws, ROOM)
        if step == KW_WS_CLOSE and not self._over:
            self._closed_by_peer()
        elif step < 0 and not self._over:
            self._violated(step)
        return 0

    cdef _closed_by_peer(self):
        cdef int code = self._ws.code
        cdef bytes reason = self._ws.data[:self._ws.size]
        try:
            text = reason.decode()
        except UnicodeDecodeError:
            self._fail(_not_a_frame(self._url, "a close reason that is not UTF-8", 1007), 1007)
            return
        self.failure = ConnectionLost(
            self._url, f"the venue closed the connection{': ' if text else ''}{text}", code=code)
        self._say_close(code, b"")
        self._over = True
        self._transport.close()
        self._timer = self._loop.call_later(1.0, self._transport.abort)  # should it take no more

    cdef _violated(self, int step):
        if step == KW_WS_BIG:
            self._fail(FrameTooBig(self._ws.wanted, self._ws.message_max), 1009)
        elif step == KW_WS_MEMORY:
            self._fail(MemoryError(), 1011)
        elif step == KW_WS_ORDER:
            self._fail(ConnectionLost(self._url, "fragments of messages in the wrong order", code=1002), 1002)
        else:
            self._fail(_not_a_frame(self._url, _VIOLATIONS[step], 1002), 1002)

    cdef _fail(self, failure, int code):
        """End the connection for a reason of ours; the first one counts."""
        if self.failure is None:
            self.failure = failure
        if not self._over:
            if self._open:
                self._say_close(code, b"")
            self.abort()

    # -- sending -------------------------------------------------------------------

    cdef _write(self, int opcode, const char *data, size_t size):
        cdef bytes frame
        if self._over or self._transport is None or self._transport.is_closing():
            return
        frame = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>kw_ws_frame_size(size))
        kw_ws_frame(PyBytes_AS_STRING(frame), opcode, data, size, self._mask())
        self._transport.write(frame)
        if <Py_ssize_t>self._transport.get_write_buffer_size() > UNSENT_MAX and not self._over:
            if self.failure is None:
                self.failure = ConnectionLost(self._url, "the peer reads nothing any more")
            self.abort()

    cdef const unsigned char *_mask(self) except NULL:
        """Return four bytes nobody can foresee; drawing them one by one would cost a call each."""
        if self._chance_used + 4 > len(self._chance):
            self._chance, self._chance_used = urandom(MASKS), 0
        self._chance_used += 4
        return <const unsigned char *>PyBytes_AS_STRING(self._chance) + self._chance_used - 4

    cdef _say_close(self, int code, bytes reason):
        payload = b"" if code == KW_WS_NO_CODE else code.to_bytes(2, "big") + reason
        self._write(KW_WS_CLOSE_FRAME, PyBytes_AS_STRING(payload), len(payload))


cdef Py_ssize_t _head_size(const char *at, Py_ssize_t size, Py_ssize_t seen) noexcept:
    """Return the bytes up to and with the empty line, or 0; `seen` bytes were looked at before."""
    cdef const char *end = at + size
    cdef const char *found = at + (seen - 3 if seen > 3 else 0)
    while end - found >= 4:
        found = <const char *>memchr(found, b"\r", end - found - 3)
        if found is NULL:
            return 0
        if memcmp(found, b"\r\n\r\n", 4) == 0:
            return found + 4 - at
        found += 1
    return 0


def _not_a_frame(url, what, code):
    return ConnectionLost(url, f"not a WebSocket frame: {what}", code=code)


# -- for the bench ---------------------------------------------------------------


cdef class CountingSink(MessageSink):
    """Counts what it is given and keeps nothing: what a transport costs by itself.

    Args:
        enough: after how many messages to call `done`.
        done: called once, at the end of the read that brought them.
    """

    cdef readonly Py_ssize_t messages, size, reads
    cdef Py_ssize_t _enough
    cdef object _done

    def __init__(self, Py_ssize_t enough=0, done=None):
        self.messages = self.size = self.reads = 0
        self._enough, self._done = enough, done

    cdef int message(self, const char *data, Py_ssize_t size) except -1:
        self.messages += 1
        self.size += size
        return 0

    cdef int end_of_read(self) except -1:
        self.reads += 1
        if self._done is not None and self.messages >= self._enough:
            done, self._done = self._done, None
            done()
        return 0


def drain(int fd, MessageSink sink not None, Py_ssize_t messages):
    """Receive messages in a bare blocking loop, with no event loop: the floor the bench measures against.

    Args:
        fd: of a connected socket that is past the handshake.
        sink: takes the messages.
        messages: how many to wait for.

    Returns:
        How many came; more than `messages` when one read brought them, fewer when the peer ended it
        or sent something other than messages.
    """
    cdef kw_ws ws
    cdef _Block block = _Block(ROOM)
    cdef Py_ssize_t start = 0, end = 0, got, came = 0
    cdef int step = KW_WS_MORE
    kw_ws_init(&ws, ROOM / 2, 1)
    try:
        while came < messages and step == KW_WS_MORE:
            with nogil:
                got = kw_wire_read(fd, block.at + end, block.cap - end)
            if got < 0:
                raise OSError(errno, "the bare loop cannot read")
            if got == 0:
                break
            start, end = 0, end + got
            step = kw_ws_step(&ws, block.at, end)
            while step == KW_WS_MESSAGE:
                start += ws.used
                came += 1
                sink.message(ws.data, ws.size)
                step = kw_ws_step(&ws, block.at + start, end - start)
            sink.end_of_read()
            end -= start
            memmove(block.at, block.at + start, end)
    finally:
        kw_ws_free(&ws)
    return came

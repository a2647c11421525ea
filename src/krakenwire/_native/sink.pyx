# cython: language_level=3, boundscheck=False, wraparound=False
"""Where the native transport puts messages: the port between `wire` and whoever takes them.

A sink sees the transport's own buffer: what it wants to keep it copies. Next:
`feed`, whose sink runs the one pass; `CallableSink` hands bytes to Python.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize


cdef class MessageSink:
    """Takes the messages of one connection, in order."""

    cdef int message(self, const char *data, Py_ssize_t size) except -1:
        """Take one whole text message, which lies in the transport's buffer until this returns."""
        raise NotImplementedError

    cdef int end_of_read(self) except -1:
        """Note that the messages of one read from the socket have all been handed over."""
        return 0

    def feed(self, data: bytes, last: bool = True) -> None:
        """Take one message from a transport that is not native; `last`: no more are there now."""
        self.message(data, len(data))
        if last:
            self.end_of_read()

    def finish(self) -> None:
        """The messages of one read have all been handed over; harmless when that was said."""
        self.end_of_read()


cdef class CallableSink(MessageSink):
    """Hands each message to a Python callable as bytes, and whether it is the last one there now.

    A message is held back until it is known whether another one follows in the same read.
    """

    cdef object _on_frame
    cdef bytes _held

    def __init__(self, on_frame):
        self._on_frame = on_frame
        self._held = None

    cdef int message(self, const char *data, Py_ssize_t size) except -1:
        held, self._held = self._held, PyBytes_FromStringAndSize(data, size)
        if held is not None:
            self._on_frame(held, False)
        return 0

    cdef int end_of_read(self) except -1:
        held, self._held = self._held, None
        if held is not None:
            self._on_frame(held, True)
        return 0

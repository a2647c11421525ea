# cython: language_level=3
"""Where the native transport puts messages; see sink.pyx."""


cdef class MessageSink:
    cdef int message(self, const char *data, Py_ssize_t size) except -1
    cdef int end_of_read(self) except -1

# cython: language_level=3, boundscheck=False, wraparound=False
"""The compiled twin of `may_hold_secret` of `krakenwire.tape.redact`: every recorded frame is asked."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE


cdef extern from "redact.h":
    bint kw_redact_may_hold(const unsigned char *at, size_t size) nogil


def may_hold_secret(bytes frame not None):
    """Return whether a frame has to be looked at more closely."""
    return kw_redact_may_hold(<const unsigned char *>PyBytes_AS_STRING(frame), <size_t>PyBytes_GET_SIZE(frame))

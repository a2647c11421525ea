# cython: language_level=3
"""What the parser, the books and the events of level3 agree on; see level3_message.h and frame_level3.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "frame_level3.h":
    enum:
        KW_UNUSUAL
        KW_FOREIGN
        KW_TAKEN
        KW_ORDER_PLAIN
        KW_ORDER_ADD
        KW_ORDER_MODIFY
        KW_ORDER_ID_MAX

    ctypedef struct kw_order:
        const char *id
        int64_t price
        int64_t qty
        int64_t time_ns
        uint8_t id_size
        uint8_t price_decimals
        uint8_t qty_decimals
        uint8_t event

    ctypedef struct kw_orders:
        kw_order *at
        int n

    ctypedef struct kw_level3:
        int snapshot
        const char *symbol
        int symbol_size
        int has_checksum
        int has_time
        uint32_t checksum
        int64_t time_ns
        kw_orders bids
        kw_orders asks

    void kw_level3_init(kw_level3 *message) nogil
    void kw_level3_free(kw_level3 *message) nogil
    kw_order *kw_orders_next(kw_orders *orders) nogil
    int kw_parse_level3(kw_level3 *message, const char *frame, size_t size) nogil
    const char *kw_plain_number(const char *p, const char *end, int64_t *digits, uint8_t *decimals) nogil


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const char *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)


cdef inline bint is_ascii(object text) noexcept:
    """Whether an object is a text whose characters lie in memory as a frame has them."""
    return PyUnicode_CheckExact(text) and PyUnicode_IS_COMPACT_ASCII(text)


cdef inline str order_event(int event):
    """Return what a KW_ORDER_* is called on the wire, None for KW_ORDER_PLAIN."""
    if event == KW_ORDER_PLAIN:
        return None
    return "add" if event == KW_ORDER_ADD else "modify" if event == KW_ORDER_MODIFY else "delete"

# cython: language_level=3
"""What parsers, books and events agree on; see message.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef extern from "message.h":
    enum:
        KW_UNUSUAL
        KW_FOREIGN
        KW_TAKEN
        KW_BOOK
        KW_TRADE
        KW_TICKER
        KW_BID
        KW_BID_QTY
        KW_ASK
        KW_ASK_QTY
        KW_LAST
        KW_VOLUME
        KW_VWAP
        KW_LOW
        KW_HIGH
        KW_CHANGE
        KW_CHANGE_PCT
        KW_TICKER_NUMBERS

    ctypedef struct kw_level:
        int64_t price
        int64_t qty
        int64_t time_us
        uint8_t price_decimals
        uint8_t qty_decimals
        uint8_t republished

    ctypedef struct kw_trade:
        int64_t price
        int64_t qty
        int64_t time_ns
        int64_t trade_id
        uint8_t price_decimals
        uint8_t qty_decimals
        char side
        char ord_type

    ctypedef struct kw_number:
        int64_t digits
        uint8_t decimals
        uint8_t there

    ctypedef struct kw_levels:
        kw_level *at
        int n
        int cap

    ctypedef struct kw_message:
        int kind
        int snapshot
        const char *symbol
        int symbol_size
        int depth
        int extra_members
        kw_levels bids
        kw_levels asks
        uint32_t checksum
        int has_checksum
        int64_t time_ns
        int has_time
        kw_trade *trades
        int n_trades
        kw_number *numbers
        int64_t ticker_trades
        int has_ticker_trades

    void kw_message_init(kw_message *message) nogil
    void kw_message_free(kw_message *message) nogil

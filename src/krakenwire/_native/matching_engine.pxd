# cython: language_level=3
"""The engine in C, for its faces; see matching.h and matching_store.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "matching.h":
    enum:
        KW_IOC, KW_FOK, KW_POST_ONLY, KW_MARKET, KW_REDUCE_ONLY, KW_CANCEL_OLDEST, KW_CANCEL_BOTH
        KW_ICEBERG, KW_SELL, KW_NEW_QTY, KW_NEW_PRICE, KW_NEW_DISPLAY, KW_NEW_BOUND
        KW_UNKNOWN_ORDER, KW_BAD_FLAGS, KW_NO_MEMORY
        KW_ACCEPTED, KW_TRADED, KW_RESTED, KW_CHANGED, KW_REMOVED, KW_FINISHED, KW_AMENDED
    const int64_t KW_PRICE_MAX
    ctypedef struct kw_total:
        uint64_t low, high
    ctypedef struct kw_order:
        int64_t id, qty, hidden, display, owner, time_ns
        uint32_t previous, next, level, flags
    ctypedef struct kw_level_queue:
        int64_t price, time_ns
        kw_total qty, hidden
        uint32_t first, last, count
    ctypedef struct kw_rung:
        int64_t key
        uint32_t level
    ctypedef struct kw_ladder:
        kw_rung *at
        uint32_t n
    ctypedef struct kw_table:
        uint32_t n
    ctypedef struct kw_record:
        uint8_t kind, reason, is_sell
        int64_t order_id, taker_id, price, qty, maker_left, taker_left, time_ns
    ctypedef struct kw_records:
        kw_record *at
        size_t n, cap
        int lost
    ctypedef struct kw_engine:
        kw_order *orders
        int64_t *bounds
        kw_level_queue *levels
        kw_ladder sides[2]
        kw_table ids, prices
        kw_records events, trades
        int want_events, want_trades
        int64_t n_trades
        uint64_t revision
    int kw_engine_init(kw_engine *e)
    void kw_engine_free(kw_engine *e)
    int kw_bad_flags(int64_t flags, int64_t price, int64_t bound)
    int64_t kw_engine_submit(
        kw_engine *e, int64_t id, int64_t price, int64_t qty, int64_t time_ns, uint32_t flags, int64_t owner,
        int64_t display, int64_t bound)
    int kw_engine_cancel(kw_engine *e, int64_t id, int64_t time_ns)
    int64_t kw_engine_amend(
        kw_engine *e, int64_t id, int64_t time_ns, uint32_t what, int64_t qty, int64_t price, int64_t display,
        int64_t bound)
    int kw_crosses(const kw_engine *e, int is_sell, int64_t price)
    int64_t kw_fillable(
        const kw_engine *e, int is_sell, int64_t limit_key, int64_t enough, int64_t owner, uint32_t flags)
    uint32_t kw_ladder_below(const kw_ladder *ladder, int64_t key)
    uint32_t kw_table_find(const kw_table *table, int64_t key)
    int64_t kw_key(int is_sell, int64_t price)

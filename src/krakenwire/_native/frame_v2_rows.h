/* Rows of v2 `trade` and `ticker` data into a kw_message, as frame_v2_book.h has it for books.
 *
 * A row is read in the order the feed sends its members, else in any order; one that is not plain ends in
 * NULL and is the exact slow path's. Next: frame_v2.h for the envelope.
 */
#ifndef KW_FRAME_V2_ROWS_H
#define KW_FRAME_V2_ROWS_H

#include "frame_v2_book.h"

/* -- trade ----------------------------------------------------------------- */

enum {
    KW_TRADE_SYMBOL = 1,
    KW_TRADE_SIDE = 2,
    KW_TRADE_PRICE = 4,
    KW_TRADE_QTY = 8,
    KW_TRADE_TYPE = 16,
    KW_TRADE_ID = 32,
    KW_TRADE_TIME = 64,
    KW_TRADE_NEEDS = 127
};

/* The symbol of a trade, which must be that of the frame's first one; from behind the quote. */
KW_INLINE const char *kw_trade_symbol(kw_message *m, const char *p, const char *end) {
    const char *symbol = NULL;
    int size = 0;
    if (!(p = kw_symbol_rest(p, end, &symbol, &size))) return NULL;
    if (m->n_trades == 0) {
        m->symbol = symbol;
        m->symbol_size = size;
    } else if (size != m->symbol_size || memcmp(symbol, m->symbol, (size_t)size) != 0) {
        return NULL;
    }
    return p;
}

/* From behind the opening quote. */
KW_INLINE const char *kw_trade_side(const char *p, const char *end, char *side) {
    if (KW_IS(p, end, "buy\"")) {
        *side = 'b';
        return p + 4;
    }
    *side = 's';
    return KW_IS(p, end, "sell\"") ? p + 5 : NULL;
}

KW_INLINE const char *kw_trade_type(const char *p, const char *end, char *ord_type) {
    if (KW_IS(p, end, "market\"")) {
        *ord_type = 'm';
        return p + 7;
    }
    *ord_type = 'l';
    return KW_IS(p, end, "limit\"") ? p + 6 : NULL;
}

/* One known member, at its value; `*what` says which, 0 when we have no name for it. */
static inline const char *kw_trade_member(kw_message *m, kw_trade *trade, const char *name, size_t size, const char *p,
                                          const char *end, unsigned *what) {
    if (KW_NAMED(name, size, "symbol")) {
        *what = KW_TRADE_SYMBOL;
        return (p = kw_quote(p, end)) ? kw_trade_symbol(m, p, end) : NULL;
    }
    if (KW_NAMED(name, size, "side")) {
        *what = KW_TRADE_SIDE;
        return (p = kw_quote(p, end)) ? kw_trade_side(p, end, &trade->side) : NULL;
    }
    if (KW_NAMED(name, size, "price")) {
        *what = KW_TRADE_PRICE;
        return kw_plain_number(p, end, &trade->price, &trade->price_decimals);
    }
    if (KW_NAMED(name, size, "qty")) {
        *what = KW_TRADE_QTY;
        return kw_plain_number(p, end, &trade->qty, &trade->qty_decimals);
    }
    if (KW_NAMED(name, size, "ord_type")) {
        *what = KW_TRADE_TYPE;
        return (p = kw_quote(p, end)) ? kw_trade_type(p, end, &trade->ord_type) : NULL;
    }
    if (KW_NAMED(name, size, "trade_id")) {
        *what = KW_TRADE_ID;
        return kw_plain_integer(p, end, INT64_MAX, &trade->trade_id);
    }
    if (KW_NAMED(name, size, "timestamp")) {
        *what = KW_TRADE_TIME;
        return (p = kw_quote(p, end)) ? kw_rfc3339_next(&m->minute, p, end, &trade->time_ns) : NULL;
    }
    *what = 0;
    return p;
}

/* What is left of a trade row, in any order. */
static inline const char *kw_trade_members(kw_message *m, kw_trade *trade, const char *p, const char *end,
                                           unsigned seen) {
    kw_extras extras;
    int more;
    extras.n = 0;
    p = kw_row_go_on(p, end, seen, &more);
    while (p && more) {
        const char *name;
        size_t size;
        unsigned what = 0;
        if (!(p = kw_some_member(p, end, &name, &size))) return NULL;
        p = kw_trade_member(m, trade, name, size, p, end, &what);
        if (p && !what) p = kw_extra(m, &extras, name, size, p, end);
        if (!p || seen & what) return NULL;
        seen |= what;
        p = kw_comma_or(p, end, '}', &more);
    }
    return seen == KW_TRADE_NEEDS ? p : NULL;
}

/* All of a trade row in the feed's order, from behind its brace; NULL when it is anything else. */
KW_INLINE const char *kw_trade_expected(kw_message *m, kw_trade *trade, const char *p, const char *end) {
    if (!KW_IS(p, end, "\"symbol\":\"") || !(p = kw_trade_symbol(m, p + 10, end))) return NULL;
    if (!KW_IS(p, end, ",\"side\":\"") || !(p = kw_trade_side(p + 9, end, &trade->side))) return NULL;
    if (!KW_IS(p, end, ",\"price\":")) return NULL;
    if (!(p = kw_plain_number(p + 9, end, &trade->price, &trade->price_decimals))) return NULL;
    if (!KW_IS(p, end, ",\"qty\":")) return NULL;
    if (!(p = kw_plain_number(p + 7, end, &trade->qty, &trade->qty_decimals))) return NULL;
    if (!KW_IS(p, end, ",\"ord_type\":\"") || !(p = kw_trade_type(p + 13, end, &trade->ord_type))) return NULL;
    if (!KW_IS(p, end, ",\"trade_id\":")) return NULL;
    if (!(p = kw_plain_integer(p + 12, end, INT64_MAX, &trade->trade_id))) return NULL;
    if (!KW_IS(p, end, ",\"timestamp\":\"")) return NULL;
    if (!(p = kw_rfc3339_next(&m->minute, p + 14, end, &trade->time_ns))) return NULL;
    return p < end && *p == '}' ? p + 1 : NULL;
}

/* A trade row, from behind its brace to behind the other. */
static inline const char *kw_trade_row(kw_message *m, const char *p, const char *end) {
    const char *behind;
    kw_trade *trade;
    if (m->n_trades == m->trades_cap && !kw_trades_grow(m)) return NULL;
    trade = &m->trades[m->n_trades];
    memset(trade, 0, sizeof *trade);
    behind = kw_trade_expected(m, trade, p, end);
    if (!behind && !(behind = kw_trade_members(m, trade, p, end, 0))) return NULL;
    m->n_trades++;
    return behind;
}

/* -- ticker ---------------------------------------------------------------- */

enum { /* members beside the numbers, as bits above theirs */
    KW_TICKER_SYMBOL = 1 << KW_TICKER_NUMBERS,
    KW_TICKER_USD = 2 << KW_TICKER_NUMBERS,
    KW_TICKER_TRADES = 4 << KW_TICKER_NUMBERS,
    KW_TICKER_TIME = 8 << KW_TICKER_NUMBERS,
    KW_TICKER_NEEDS = KW_TICKER_SYMBOL | ((1 << KW_CHANGE) - 1)
};

static inline const char *kw_ticker_number(kw_message *m, int which, const char *p, const char *end) {
    m->numbers[which].there = 1;
    return kw_signed_number(p, end, &m->numbers[which].digits, &m->numbers[which].decimals);
}

static inline const char *kw_ticker_trades(kw_message *m, const char *p, const char *end) {
    m->has_ticker_trades = 1;
    return kw_plain_integer(p, end, INT64_MAX, &m->ticker_trades);
}

/* The bit of a member, 0 when we have no name for it. */
static inline unsigned kw_ticker_named(const char *name, size_t size) {
    switch (size) {
    case 3:
        if (memcmp(name, "bid", 3) == 0) return 1u << KW_BID;
        if (memcmp(name, "ask", 3) == 0) return 1u << KW_ASK;
        return memcmp(name, "low", 3) == 0 ? 1u << KW_LOW : 0;
    case 4:
        if (memcmp(name, "last", 4) == 0) return 1u << KW_LAST;
        if (memcmp(name, "vwap", 4) == 0) return 1u << KW_VWAP;
        return memcmp(name, "high", 4) == 0 ? 1u << KW_HIGH : 0;
    case 6:
        if (memcmp(name, "symbol", 6) == 0) return KW_TICKER_SYMBOL;
        if (memcmp(name, "volume", 6) == 0) return 1u << KW_VOLUME;
        if (memcmp(name, "change", 6) == 0) return 1u << KW_CHANGE;
        return memcmp(name, "trades", 6) == 0 ? KW_TICKER_TRADES : 0;
    case 7:
        if (memcmp(name, "bid_qty", 7) == 0) return 1u << KW_BID_QTY;
        return memcmp(name, "ask_qty", 7) == 0 ? 1u << KW_ASK_QTY : 0;
    case 9:
        return memcmp(name, "timestamp", 9) == 0 ? KW_TICKER_TIME : 0;
    case 10:
        if (memcmp(name, "change_pct", 10) == 0) return 1u << KW_CHANGE_PCT;
        return memcmp(name, "volume_usd", 10) == 0 ? KW_TICKER_USD : 0;
    default:
        return 0;
    }
}

/* What is left of a ticker row, in any order. */
static inline const char *kw_ticker_members(kw_message *m, const char *p, const char *end, unsigned seen) {
    kw_extras extras;
    int more;
    extras.n = 0;
    p = kw_row_go_on(p, end, seen, &more);
    while (p && more) {
        const char *name;
        size_t size;
        unsigned what;
        if (!(p = kw_some_member(p, end, &name, &size))) return NULL;
        what = kw_ticker_named(name, size);
        if (seen & what) return NULL;
        seen |= what;
        if (!what) {
            p = kw_extra(m, &extras, name, size, p, end);
        } else if (what < KW_TICKER_SYMBOL) {
            int which = 0;
            while (what >> which != 1) which++;
            p = kw_ticker_number(m, which, p, end);
        } else if (what == KW_TICKER_SYMBOL) {
            if ((p = kw_quote(p, end))) p = kw_symbol_rest(p, end, &m->symbol, &m->symbol_size);
        } else if (what == KW_TICKER_TRADES) {
            p = kw_ticker_trades(m, p, end);
        } else if (what == KW_TICKER_TIME) {
            if ((p = kw_quote(p, end))) p = kw_message_time(m, p, end);
        } else { /* volume_usd: known, and no part of the event */
            p = kw_scalar(p, end);
        }
        if (p) p = kw_comma_or(p, end, '}', &more);
    }
    return (seen & KW_TICKER_NEEDS) == KW_TICKER_NEEDS ? p : NULL;
}

/* If this number is what stands here: take it. */
#define KW_TICKER_STEP(which, text)                                          \
    if (seen && KW_IS(p, end, text)) {                                       \
        if (!(p = kw_ticker_number(m, which, p + sizeof(text) - 1, end))) return NULL; \
        seen |= 1u << which;                                                 \
    }

/* A ticker row, from behind its brace to behind the other. */
static inline const char *kw_ticker_row(kw_message *m, const char *p, const char *end) {
    unsigned seen = 0;
    memset(m->numbers, 0, sizeof m->numbers);
    if (KW_IS(p, end, "\"symbol\":\"")) {
        if (!(p = kw_symbol_rest(p + 10, end, &m->symbol, &m->symbol_size))) return NULL;
        seen = KW_TICKER_SYMBOL;
    }
    KW_TICKER_STEP(KW_BID, ",\"bid\":")
    KW_TICKER_STEP(KW_BID_QTY, ",\"bid_qty\":")
    KW_TICKER_STEP(KW_ASK, ",\"ask\":")
    KW_TICKER_STEP(KW_ASK_QTY, ",\"ask_qty\":")
    KW_TICKER_STEP(KW_LAST, ",\"last\":")
    KW_TICKER_STEP(KW_VOLUME, ",\"volume\":")
    KW_TICKER_STEP(KW_VWAP, ",\"vwap\":")
    KW_TICKER_STEP(KW_LOW, ",\"low\":")
    KW_TICKER_STEP(KW_HIGH, ",\"high\":")
    KW_TICKER_STEP(KW_CHANGE, ",\"change\":")
    KW_TICKER_STEP(KW_CHANGE_PCT, ",\"change_pct\":")
    if (seen && KW_IS(p, end, ",\"trades\":")) {
        if (!(p = kw_ticker_trades(m, p + 10, end))) return NULL;
        seen |= KW_TICKER_TRADES;
    }
    if (seen && KW_IS(p, end, ",\"timestamp\":\"")) {
        if (!(p = kw_message_time(m, p + 14, end))) return NULL;
        seen |= KW_TICKER_TIME;
    }
    if ((seen & KW_TICKER_NEEDS) == KW_TICKER_NEEDS && p < end && *p == '}') return p + 1;
    return kw_ticker_members(m, p, end, seen);
}

#endif

/* A frame of API version 1 into a kw_message: the arrays of `book-N` and `trade`.
 *
 * KW_TAKEN only for what the codec in Python would accept with the same content as one event; it is the
 * oracle, and gets whatever is in doubt. Reads nothing outside the frame and touches no book. Numbers and
 * times are strings here. Next: protocol/v1/channels.py for what the arrays mean.
 */
#ifndef KW_FRAME_V1_H
#define KW_FRAME_V1_H

#include "scan.h"
#include "times.h"

#define KW_PAIR_MIN 3
#define KW_PAIR_MAX 32
#define KW_DEPTH_MAX 999999999 /* nine digits, as the codec reads them */

enum { KW_V1_ASKS = 1, KW_V1_BIDS = 2, KW_V1_CHECKSUM = 4, KW_V1_WHOLE_ASKS = 8, KW_V1_WHOLE_BIDS = 16 };

/* -- values ---------------------------------------------------------------- */

/* A number in quotes. */
KW_INLINE const char *kw_quoted_number(const char *p, const char *end, int64_t *digits, uint8_t *decimals) {
    if (p == end || *p != '"') return NULL;
    p = kw_plain_number(p + 1, end, digits, decimals);
    return p && p < end && *p == '"' ? p + 1 : NULL;
}

KW_INLINE const char *kw_quoted_time(const char *p, const char *end, int64_t *time_us) {
    return p < end && *p == '"' ? kw_unix_us(p + 1, end, time_us) : NULL;
}

/* A checksum in quotes, from behind the opening one: one to ten digits, zeros in front allowed. */
KW_INLINE const char *kw_v1_checksum(kw_message *m, const char *p, const char *end) {
    uint64_t value = 0;
    if (p == end || *p != '"') return NULL;
    p++;
    if (kw_digit_run(&p, end, &value, 10) < 1 || value > UINT32_MAX) return NULL;
    m->checksum = (uint32_t)value;
    m->has_checksum = 1;
    return p < end && *p == '"' ? p + 1 : NULL;
}

/* -- book ------------------------------------------------------------------ */

/* ["1.0","2.0","1534614248.765567"] or with ,"r" behind; from the bracket, white space where JSON allows it. */
static inline const char *kw_v1_level_spaced(const char *p, const char *end, kw_level *level) {
    int more = 0;
    if (!(p = kw_token(p, end, '['))) return NULL;
    if (!(p = kw_quoted_number(p, end, &level->price, &level->price_decimals))) return NULL;
    if (!(p = kw_token(p, end, ','))) return NULL;
    if (!(p = kw_quoted_number(p, end, &level->qty, &level->qty_decimals))) return NULL;
    if (!(p = kw_token(p, end, ','))) return NULL;
    if (!(p = kw_quoted_time(p, end, &level->time_us))) return NULL;
    if (!(p = kw_comma_or(p, end, ']', &more)) || !more) return p;
    level->republished = 1;
    if (!KW_IS(p, end, "\"r\"")) return NULL;
    p = kw_space(p + 3, end);
    return p < end && *p == ']' ? p + 1 : NULL;
}

KW_INLINE const char *kw_v1_level(const char *p, const char *end, kw_level *level) {
    if (!KW_IS(p, end, "[\"")) return NULL;
    p = kw_plain_number(p + 2, end, &level->price, &level->price_decimals);
    if (!p || !KW_IS(p, end, "\",\"")) return NULL;
    p = kw_plain_number(p + 3, end, &level->qty, &level->qty_decimals);
    if (!p || !KW_IS(p, end, "\",\"")) return NULL;
    p = kw_unix_us(p + 3, end, &level->time_us);
    if (!p || p == end) return NULL;
    if (*p == ']') return p + 1;
    level->republished = 1;
    return KW_IS(p, end, ",\"r\"]") ? p + 5 : NULL;
}

/* The levels of a side; `*newest_us` rises to the newest of them. */
static inline const char *kw_v1_side(kw_levels *levels, const char *p, const char *end, int64_t *newest_us) {
    int more = 1;
    if (!(p = kw_token(p, end, '['))) return NULL;
    if (p < end && *p == ']') return p + 1;
    while (more) {
        kw_level *level;
        const char *behind;
        if (levels->n == levels->cap && !kw_levels_grow(levels)) return NULL;
        level = &levels->at[levels->n];
        memset(level, 0, sizeof *level);
        if (!(behind = kw_v1_level(p, end, level))) {
            level->republished = 0;
            if (!(behind = kw_v1_level_spaced(p, end, level))) return NULL;
        }
        levels->n++;
        if (level->time_us > *newest_us) *newest_us = level->time_us;
        if (!(p = kw_comma_or(behind, end, ']', &more))) return NULL;
    }
    return p;
}

KW_INLINE unsigned kw_v1_named(const char *name, size_t size) {
    if (size == 1) return *name == 'a' ? KW_V1_ASKS : *name == 'b' ? KW_V1_BIDS : *name == 'c' ? KW_V1_CHECKSUM : 0;
    if (size != 2 || name[1] != 's') return 0;
    return *name == 'a' ? KW_V1_WHOLE_ASKS : *name == 'b' ? KW_V1_WHOLE_BIDS : 0;
}

/* One container of a book frame, from behind its brace; adds to `*seen` what it holds. */
KW_INLINE const char *kw_v1_container(kw_message *m, const char *p, const char *end, unsigned *seen,
                                      int64_t *newest_us) {
    int more = 1;
    p = kw_space(p, end);
    while (p && more) {
        const char *name;
        size_t size;
        unsigned what;
        if (end - p > 4 && *p == '"' && p[2] == '"' && p[3] == ':' && (unsigned char)p[4] > ' ') {
            name = p + 1; /* nearly all of them have one letter */
            size = 1;
            p += 4;
        } else if (!(p = kw_some_member(p, end, &name, &size))) {
            return NULL;
        }
        what = kw_v1_named(name, size);
        if (!what || *seen & what) return NULL;
        *seen |= what;
        if (what == KW_V1_CHECKSUM) {
            p = kw_v1_checksum(m, p, end);
        } else {
            p = kw_v1_side(what & (KW_V1_ASKS | KW_V1_WHOLE_ASKS) ? &m->asks : &m->bids, p, end, newest_us);
        }
        if (p) p = kw_comma_or(p, end, '}', &more);
    }
    return p;
}

/* The containers of a book frame, from the first one's brace to behind the last one's. */
KW_INLINE const char *kw_v1_containers(kw_message *m, const char *p, const char *end) {
    const unsigned whole = KW_V1_WHOLE_ASKS | KW_V1_WHOLE_BIDS, changed = KW_V1_ASKS | KW_V1_BIDS;
    unsigned seen = 0;
    int64_t newest_us = -1;
    const char *next;
    if (!(p = kw_v1_container(m, p + 1, end, &seen, &newest_us))) return NULL;
    next = kw_token(p, end, ',');
    if (next && next < end && *next == '{') {
        /* The checksum counts in the last one only. */
        if (seen & KW_V1_CHECKSUM || !(p = kw_v1_container(m, next + 1, end, &seen, &newest_us))) return NULL;
    }
    if (!(seen & whole) == !(seen & changed)) return NULL;
    m->snapshot = (seen & whole) != 0;
    m->has_time = newest_us >= 0;
    m->time_ns = newest_us >= 0 ? newest_us * 1000 : 0;
    return p;
}

/* -- trade ----------------------------------------------------------------- */

KW_INLINE const char *kw_v1_trade_side(const char *p, const char *end, char *side) {
    const char *text;
    size_t size;
    if (!(p = kw_string(p, end, &text, &size))) return NULL;
    *side = *text;
    if (size == 1) return *text == 'b' || *text == 's' ? p : NULL;
    return KW_NAMED(text, size, "buy") || KW_NAMED(text, size, "sell") ? p : NULL;
}

KW_INLINE const char *kw_v1_trade_type(const char *p, const char *end, char *ord_type) {
    if (!KW_IS(p, end, "\"m\"") && !KW_IS(p, end, "\"l\"")) return NULL;
    *ord_type = p[1];
    return p + 3;
}

/* One trade: price, volume, time, side, type, and mostly something more that the codec passes over too. */
static inline const char *kw_v1_trade(kw_trade *trade, const char *p, const char *end) {
    const char *text;
    size_t size;
    int64_t time_us = 0;
    int more = 0;
    if (!(p = kw_token(p, end, '['))) return NULL;
    if (!(p = kw_quoted_number(p, end, &trade->price, &trade->price_decimals))) return NULL;
    if (!(p = kw_token(p, end, ','))) return NULL;
    if (!(p = kw_quoted_number(p, end, &trade->qty, &trade->qty_decimals))) return NULL;
    if (!(p = kw_token(p, end, ','))) return NULL;
    if (!(p = kw_quoted_time(p, end, &time_us))) return NULL;
    if (!(p = kw_token(p, end, ','))) return NULL;
    if (!(p = kw_v1_trade_side(p, end, &trade->side))) return NULL;
    if (!(p = kw_token(p, end, ','))) return NULL;
    if (!(p = kw_v1_trade_type(p, end, &trade->ord_type))) return NULL;
    trade->time_ns = time_us * 1000;
    trade->trade_id = -1;
    if (!(p = kw_comma_or(p, end, ']', &more)) || !more) return p;
    if (!(p = kw_string(p, end, &text, &size))) return NULL;
    p = kw_space(p, end);
    return p < end && *p == ']' ? p + 1 : NULL;
}

/* The trades of a frame, from the outer bracket to behind it. */
static inline const char *kw_v1_trades(kw_message *m, const char *p, const char *end) {
    int more = 1;
    p = kw_space(p + 1, end);
    while (more) {
        kw_trade *trade;
        if (m->n_trades == m->trades_cap && !kw_trades_grow(m)) return NULL;
        trade = &m->trades[m->n_trades];
        memset(trade, 0, sizeof *trade);
        if (!(p = kw_v1_trade(trade, p, end))) return NULL;
        m->n_trades++;
        if (!(p = kw_comma_or(p, end, ']', &more))) return NULL;
    }
    return p;
}

/* -- frame ----------------------------------------------------------------- */

/* An asset's letters without the prefix of its old name: XXBT and XBT are one, ZUSD and USD. */
static inline size_t kw_asset(const char *text, size_t size, char *plain) {
    size_t at = size == 4 && strchr("XxZz", *text) ? 1 : 0, n = 0;
    for (; at < size; at++) plain[n++] = (char)(text[at] >= 'a' && text[at] <= 'z' ? text[at] - 32 : text[at]);
    if (KW_NAMED(plain, n, "BTC")) memcpy(plain, "XBT", 3);
    if (KW_NAMED(plain, n, "DOGE")) memcpy(plain, "XDG", n = 3);
    return n;
}

/* The last letter of an asset, the same for all its names: BTC and XBT, DOGE and XDG. */
KW_INLINE char kw_last_letter(char c) {
    if (c >= 'a' && c <= 'z') c = (char)(c - 32);
    return c == 'C' ? 'T' : c == 'E' ? 'G' : c;
}

/* Whether both halves of a pair may be one asset, which is no pair; at times true when they only seem to be. */
static inline int kw_same_asset(const char *base, size_t base_size, const char *quote, size_t quote_size) {
    char one[KW_PAIR_MAX], other[KW_PAIR_MAX];
    size_t size;
    if (kw_last_letter(base[base_size - 1]) != kw_last_letter(quote[quote_size - 1])) return 0;
    size = kw_asset(base, base_size, one);
    return size == kw_asset(quote, quote_size, other) && memcmp(one, other, size) == 0;
}

/* Whether the codec can read a pair: BASE/QUOTE of letters, digits and points, and no dark pool (.d).
 * A frame says nothing of that: its taker asks once for each pair, not for each frame. */
static inline int kw_v1_pair(const char *text, size_t size) {
    size_t slash = 0;
    if (size < KW_PAIR_MIN || size > KW_PAIR_MAX) return 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '/') {
            if (slash || i == 0 || i == size - 1) return 0;
            slash = i;
        } else if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.')) {
            return 0;
        }
    }
    if (!slash || (text[size - 2] == '.' && (text[size - 1] == 'd' || text[size - 1] == 'D'))) return 0;
    return !kw_same_asset(text, slash, text + slash + 1, size - slash - 1);
}

/* "book-10","XBT/USD"] or "trade","XBT/USD"] and nothing but white space; p is at the name's quote. */
KW_INLINE int kw_v1_tail(kw_message *m, const char *p, const char *end) {
    const char *pair;
    size_t size = 0;
    if (m->kind == KW_BOOK) {
        int64_t depth = 0;
        if (!KW_IS(p, end, "\"book-") || !(p = kw_plain_integer(p + 6, end, KW_DEPTH_MAX, &depth))) return 0;
        if (depth == 0) return 0; /* in the message that is: no depth */
        m->depth = (int)depth;
        if (p == end || *p != '"') return 0;
        p++;
    } else {
        if (!KW_IS(p, end, "\"trade\"")) return 0;
        p += 7;
    }
    if (!(p = kw_token(p, end, ',')) || !(p = kw_string(p, end, &pair, &size))) return 0;
    if (size < KW_PAIR_MIN || size > KW_PAIR_MAX) return 0;
    m->symbol = pair;
    m->symbol_size = (int)size;
    return (p = kw_token(p, end, ']')) && p == end;
}

/* Where the string begins that ends right before `p` (white space between passed over); NULL when none does. */
static inline const char *kw_string_before(const char *frame, const char *p, size_t *size) {
    const char *close;
    while (p > frame && (unsigned char)p[-1] <= ' ') p--;
    if (p == frame || *--p != '"') return NULL;
    close = p;
    while (p > frame && p[-1] != '"') p--;
    *size = (size_t)(close - p);
    return p > frame ? p : NULL;
}

/* Whose a frame is that was not taken, by the channel name at its end: in doubt ours. */
static inline int kw_v1_whose(const char *frame, const char *end) {
    const char *name;
    size_t size = 0;
    while (end > frame && (unsigned char)end[-1] <= ' ') end--;
    if (end == frame || *--end != ']' || end == frame) return KW_UNUSUAL;
    if (end[-1] == '}') return KW_FOREIGN; /* a private channel: an object where the pair would be */
    if (!(name = kw_string_before(frame, end, &size))) return KW_UNUSUAL;
    end = name - 1; /* at its opening quote */
    while (end > frame && (unsigned char)end[-1] <= ' ') end--;
    if (end == frame || *--end != ',') return KW_UNUSUAL;
    if (!(name = kw_string_before(frame, end, &size)) || memchr(name, '\\', size)) return KW_UNUSUAL;
    if (size < 4 || *name < 'a' || *name > 'z') return KW_UNUSUAL; /* rather something that was cut */
    if (memcmp(name, "book", 4) == 0) return KW_UNUSUAL;
    return size >= 5 && memcmp(name, "trade", 5) == 0 ? KW_UNUSUAL : KW_FOREIGN;
}

/* The array of a frame into `m`, from behind its bracket; 0 when it is not plain. */
KW_INLINE int kw_v1_array(kw_message *m, const char *p, const char *end) {
    int64_t channel_id;
    p = kw_plain_integer(kw_space(p, end), end, INT64_MAX, &channel_id);
    if (!p || !(p = kw_token(p, end, ',')) || p == end) return 0;
    if (*p == '{') {
        m->kind = KW_BOOK;
        p = kw_v1_containers(m, p, end);
    } else if (*p == '[') {
        m->kind = KW_TRADE;
        p = kw_v1_trades(m, p, end);
    } else {
        return 0;
    }
    return p && (p = kw_token(p, end, ',')) && kw_v1_tail(m, p, end);
}

/* Parse one frame; see message.h for what is returned. `m` was initialised once and is used again and again. */
static inline int kw_parse_v1(kw_message *m, const char *frame, size_t size) {
    const char *end = frame + size, *p = kw_space(frame, end);
    kw_message_reset(m);
    if (p == end) return KW_UNUSUAL;
    if (*p == '{') return KW_FOREIGN;
    if (*p != '[') return KW_UNUSUAL;
    return kw_v1_array(m, p + 1, end) ? KW_TAKEN : kw_v1_whose(p, end);
}

#endif

/* A frame of API version 2 into a kw_message: the envelope around the rows.
 *
 * KW_TAKEN only for what the codec in Python would accept with the same content as one event; it is the
 * oracle, and gets whatever is in doubt. Reads nothing outside the frame and touches no book, so a refused
 * frame has changed nothing but the message. Next: frame_v2_rows.h for the rows, frame_v1.h for version 1.
 */
#ifndef KW_FRAME_V2_H
#define KW_FRAME_V2_H

#include "frame_v2_rows.h"

#define KW_FORETOLD 64 /* where a channel behind its data is looked for: so far from the end */

enum { KW_HAS_CHANNEL = 1, KW_HAS_TYPE = 2, KW_HAS_DATA = 4, KW_HAS_ALL = 7 };

/* The rows of a frame, from behind the bracket to behind the other: one, or trades of one symbol. */
static inline const char *kw_rows(kw_message *m, const char *p, const char *end) {
    int more = 1;
    p = kw_space(p, end);
    while (more) {
        if (p == end || *p != '{') return NULL;
        p = kw_space(p + 1, end);
        if (m->kind == KW_BOOK) {
            p = kw_book_row(m, p, end);
        } else if (m->kind == KW_TRADE) {
            p = kw_trade_row(m, p, end);
        } else {
            p = kw_ticker_row(m, p, end);
        }
        if (!p || !(p = kw_comma_or(p, end, ']', &more)) || (more && m->kind != KW_TRADE)) return NULL;
    }
    return p;
}

static inline int kw_v2_kind(const char *channel, size_t size) {
    if (KW_NAMED(channel, size, "book")) return KW_BOOK;
    if (KW_NAMED(channel, size, "trade")) return KW_TRADE;
    return KW_NAMED(channel, size, "ticker") ? KW_TICKER : 0;
}

/* Everything before the rows, as the feed sends it; NULL when it is anything else. */
KW_INLINE const char *kw_v2_head(kw_message *m, const char *p, const char *end) {
    if (!KW_IS(p, end, "{\"channel\":\"")) return NULL;
    p += 12;
    if (KW_IS(p, end, "book\",\"type\":\"")) {
        m->kind = KW_BOOK;
        p += 14;
    } else if (KW_IS(p, end, "trade\",\"type\":\"")) {
        m->kind = KW_TRADE;
        p += 15;
    } else if (KW_IS(p, end, "ticker\",\"type\":\"")) {
        m->kind = KW_TICKER;
        p += 16;
    } else {
        return NULL;
    }
    if (KW_IS(p, end, "update\",\"data\":[")) return p + 16;
    m->snapshot = 1;
    return KW_IS(p, end, "snapshot\",\"data\":[") ? p + 18 : NULL;
}

/* Where an envelope is: how far it was read, and what was found. */
typedef struct {
    unsigned seen;
    int odd;                     /* something that is not plain: ours to hand on, if it is ours at all */
    int guess;                   /* the kind by which data before its channel was parsed */
    const char *rows, *rows_end; /* such data as could not be parsed by a guess */
    kw_extras extras;
} kw_envelope;

/* Pass over a value that is not plain, to see whose frame this is. */
static inline const char *kw_odd(kw_envelope *e, const char *p, const char *end) {
    e->odd = 1;
    return kw_pass(p, end);
}

static inline const char *kw_v2_type(kw_message *m, kw_envelope *e, const char *p, const char *end) {
    const char *type;
    size_t size = 0;
    const char *behind = kw_string(p, end, &type, &size);
    if (!behind || e->seen & KW_HAS_TYPE) return kw_odd(e, p, end);
    e->seen |= KW_HAS_TYPE;
    m->snapshot = KW_NAMED(type, size, "snapshot");
    if (!m->snapshot && !KW_NAMED(type, size, "update")) e->odd = 1;
    return behind;
}

/* The kind by a channel that stands near the end of the frame, 0 when none does. */
static inline int kw_v2_foretold(const char *p, const char *end) {
    const char *channel, *stop = end - p > KW_FORETOLD ? end - KW_FORETOLD : p;
    size_t size;
    for (p = end; p > stop; p--) {
        if (*(p - 1) == 'c' && KW_IS(p, end, "hannel\":\"")) {
            return kw_string_rest(p + 9, end, &channel, &size) ? kw_v2_kind(channel, size) : 0;
        }
    }
    return 0;
}

/* Data before its channel: parsed by what the channel seems to be, else left for later. */
static inline const char *kw_v2_early_data(kw_message *m, kw_envelope *e, const char *p, const char *end) {
    const char *behind;
    e->guess = m->kind = kw_v2_foretold(p, end);
    if (!e->guess) {
        e->rows = p + 1;
        return e->rows_end = kw_pass(p, end);
    }
    behind = kw_rows(m, p + 1, end);
    m->kind = 0;
    return behind ? behind : kw_odd(e, p, end);
}

static inline const char *kw_v2_data(kw_message *m, kw_envelope *e, const char *p, const char *end) {
    if (e->seen & KW_HAS_DATA || p == end || *p != '[') return kw_odd(e, p, end);
    e->seen |= KW_HAS_DATA;
    return m->kind ? kw_rows(m, p + 1, end) : kw_v2_early_data(m, e, p, end);
}

/* A member that is none of ours; p is at its value. */
static inline const char *kw_v2_other(kw_message *m, kw_envelope *e, const char *name, size_t size, const char *p,
                                      const char *end) {
    const char *behind = kw_extra(m, &e->extras, name, size, p, end);
    return behind ? behind : kw_odd(e, p, end);
}

/* All of an envelope in any order, or what is left of it behind its data. A foreign frame is told by the first
 * channel or method in it and read no further. */
static inline int kw_v2_members(kw_message *m, const char *p, const char *end, unsigned seen) {
    kw_envelope e;
    int more = 1;
    e.seen = seen;
    e.odd = e.extras.n = 0;
    e.guess = 0;
    e.rows = e.rows_end = NULL;
    if (seen) {
        p = kw_comma_or(p, end, '}', &more);
    } else if ((p = kw_token(p, end, '{')) && p < end && *p == '}') {
        return KW_FOREIGN;
    }
    while (p && more) {
        const char *name;
        size_t size;
        if (!(p = kw_some_member(p, end, &name, &size))) return KW_UNUSUAL;
        if (KW_NAMED(name, size, "channel")) {
            const char *channel;
            const char *behind = kw_string(p, end, &channel, &size);
            int kind = behind ? kw_v2_kind(channel, size) : 0;
            if (behind && !kind) return KW_FOREIGN;
            if (e.seen & KW_HAS_CHANNEL) e.odd = 1;
            e.seen |= KW_HAS_CHANNEL;
            if (kind) m->kind = kind;
            p = behind ? behind : kw_odd(&e, p, end);
        } else if (KW_NAMED(name, size, "type")) {
            p = kw_v2_type(m, &e, p, end);
        } else if (KW_NAMED(name, size, "data")) {
            p = kw_v2_data(m, &e, p, end);
        } else if (KW_NAMED(name, size, "method")) {
            return m->kind ? KW_UNUSUAL : KW_FOREIGN;
        } else {
            p = kw_v2_other(m, &e, name, size, p, end);
        }
        if (p) p = kw_comma_or(p, end, '}', &more);
    }
    if (!p || kw_space(p, end) != end) return KW_UNUSUAL;
    if (!m->kind) return e.seen & KW_HAS_CHANNEL ? KW_UNUSUAL : KW_FOREIGN;
    if (e.odd || e.seen != KW_HAS_ALL || (e.guess && e.guess != m->kind)) return KW_UNUSUAL;
    return !e.rows || kw_rows(m, e.rows, e.rows_end) == e.rows_end ? KW_TAKEN : KW_UNUSUAL;
}

/* Parse one frame; see message.h for what is returned. `m` was initialised once and is used again and again. */
static inline int kw_parse_v2(kw_message *m, const char *frame, size_t size) {
    const char *end = frame + size, *p;
    kw_message_reset(m);
    p = kw_v2_head(m, frame, end);
    if (!p) {
        kw_message_reset(m);
        return kw_v2_members(m, frame, end, 0);
    }
    p = kw_rows(m, p, end);
    if (!p) return KW_UNUSUAL;
    if (KW_LIKELY(end - p == 1 && *p == '}')) return KW_TAKEN;
    return kw_v2_members(m, p, end, KW_HAS_ALL);
}

#endif

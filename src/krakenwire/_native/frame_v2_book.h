/* A row of v2 `book` data into a kw_message, and what all rows share.
 *
 * A row is read in the order the feed sends its members; where something else stands, what is left of it is
 * read in any order. A row that is not plain ends in NULL and is the exact slow path's: never half taken.
 * The members are those of protocol/v2/wire.py. Next: frame_v2_rows.h for the other rows.
 */
#ifndef KW_FRAME_V2_BOOK_H
#define KW_FRAME_V2_BOOK_H

#include "scan.h"
#include "times.h"

#define KW_SYMBOL_MAX 32
#define KW_EXTRAS_MAX 8 /* of one object; more go the slow way */

/* Members of one object that we have no name for: told apart, since a name twice counts once. */
typedef struct {
    const char *name[KW_EXTRAS_MAX];
    size_t size[KW_EXTRAS_MAX];
    int n;
} kw_extras;

/* Pass over the value of a member without a name of ours; p is at the value. */
static inline const char *kw_extra(kw_message *m, kw_extras *extras, const char *name, size_t size, const char *p,
                                   const char *end) {
    if (extras->n == KW_EXTRAS_MAX || !kw_plain_name(name, size)) return NULL;
    for (int i = 0; i < extras->n; i++) {
        if (extras->size[i] == size && memcmp(extras->name[i], name, size) == 0) return NULL;
    }
    extras->name[extras->n] = name;
    extras->size[extras->n++] = size;
    m->extra_members++;
    return kw_scalar(p, end);
}

/* A symbol, from behind its opening quote. */
KW_INLINE const char *kw_symbol_rest(const char *p, const char *end, const char **symbol, int *symbol_size) {
    size_t size = 0;
    p = kw_string_rest(p, end, symbol, &size);
    if (!p || size < 1 || size > KW_SYMBOL_MAX) return NULL;
    *symbol_size = (int)size;
    return p;
}

/* At the value of a member, which must be a string: behind the opening quote. */
KW_INLINE const char *kw_quote(const char *p, const char *end) { return p < end && *p == '"' ? p + 1 : NULL; }

/* The first member of a row, or behind a value the next one: where its name begins, if there is one. */
KW_INLINE const char *kw_row_go_on(const char *p, const char *end, unsigned seen, int *more) {
    *more = 1;
    return seen ? kw_comma_or(p, end, '}', more) : kw_space(p, end);
}

/* -- book ------------------------------------------------------------------ */

enum { KW_ROW_SYMBOL = 1, KW_ROW_BIDS = 2, KW_ROW_ASKS = 4, KW_ROW_CHECKSUM = 8, KW_ROW_TIME = 16, KW_BOOK_NEEDS = 15 };

/* A level in any order; p is at its brace. */
static inline const char *kw_level_members(const char *p, const char *end, kw_level *level) {
    int seen = 0, more = 1;
    if (p == end || *p != '{') return NULL;
    p = kw_space(p + 1, end);
    while (p && more) {
        const char *name;
        size_t size;
        if (!(p = kw_some_member(p, end, &name, &size))) return NULL;
        if (KW_NAMED(name, size, "price") && !(seen & 1)) {
            p = kw_plain_number(p, end, &level->price, &level->price_decimals);
            seen |= 1;
        } else if (KW_NAMED(name, size, "qty") && !(seen & 2)) {
            p = kw_plain_number(p, end, &level->qty, &level->qty_decimals);
            seen |= 2;
        } else {
            return NULL;
        }
        if (p) p = kw_comma_or(p, end, '}', &more);
    }
    return seen == 3 ? p : NULL;
}

/* {"price":1.0,"qty":2.0} or the other way round, and nothing else. */
KW_INLINE const char *kw_level_expected(const char *p, const char *end, kw_level *level) {
    if (!KW_IS(p, end, "{\"price\":")) {
        if (!KW_IS(p, end, "{\"qty\":")) return NULL;
        p = kw_plain_number(p + 7, end, &level->qty, &level->qty_decimals);
        if (!p || !KW_IS(p, end, ",\"price\":")) return NULL;
        p = kw_plain_number(p + 9, end, &level->price, &level->price_decimals);
        return p && p < end && *p == '}' ? p + 1 : NULL;
    }
    p = kw_plain_number(p + 9, end, &level->price, &level->price_decimals);
    if (!p || !KW_IS(p, end, ",\"qty\":")) return NULL;
    p = kw_plain_number(p + 7, end, &level->qty, &level->qty_decimals);
    return p && p < end && *p == '}' ? p + 1 : NULL;
}

/* The levels of a side, from behind the bracket. */
static inline const char *kw_level_list_rest(kw_levels *levels, const char *p, const char *end) {
    int more = 1;
    p = kw_space(p, end);
    if (p < end && *p == ']') return p + 1;
    while (more) {
        kw_level *level;
        const char *behind;
        if (levels->n == levels->cap && !kw_levels_grow(levels)) return NULL;
        level = &levels->at[levels->n];
        memset(level, 0, sizeof *level);
        behind = kw_level_expected(p, end, level);
        if (!behind && !(behind = kw_level_members(p, end, level))) return NULL;
        levels->n++;
        if (!(p = kw_comma_or(behind, end, ']', &more))) return NULL;
    }
    return p;
}

static inline const char *kw_level_list(kw_levels *levels, const char *p, const char *end) {
    return p < end && *p == '[' ? kw_level_list_rest(levels, p + 1, end) : NULL;
}

KW_INLINE const char *kw_checksum(kw_message *m, const char *p, const char *end) {
    int64_t checksum = 0;
    p = kw_plain_integer(p, end, UINT32_MAX, &checksum);
    m->checksum = (uint32_t)checksum;
    m->has_checksum = 1;
    return p;
}

KW_INLINE const char *kw_message_time(kw_message *m, const char *p, const char *end) {
    m->has_time = 1;
    return kw_rfc3339_next(&m->minute, p, end, &m->time_ns);
}

/* What is left of a book row, in any order. */
static inline const char *kw_book_members(kw_message *m, const char *p, const char *end, unsigned seen) {
    kw_extras extras;
    int more;
    extras.n = 0;
    p = kw_row_go_on(p, end, seen, &more);
    while (p && more) {
        const char *name;
        size_t size;
        unsigned what = 0;
        if (!(p = kw_some_member(p, end, &name, &size))) return NULL;
        if (KW_NAMED(name, size, "symbol")) {
            what = KW_ROW_SYMBOL;
            if ((p = kw_quote(p, end))) p = kw_symbol_rest(p, end, &m->symbol, &m->symbol_size);
        } else if (KW_NAMED(name, size, "bids")) {
            what = KW_ROW_BIDS;
            p = seen & what ? NULL : kw_level_list(&m->bids, p, end);
        } else if (KW_NAMED(name, size, "asks")) {
            what = KW_ROW_ASKS;
            p = seen & what ? NULL : kw_level_list(&m->asks, p, end);
        } else if (KW_NAMED(name, size, "checksum")) {
            what = KW_ROW_CHECKSUM;
            p = kw_checksum(m, p, end);
        } else if (KW_NAMED(name, size, "timestamp")) {
            what = KW_ROW_TIME;
            if ((p = kw_quote(p, end))) p = kw_message_time(m, p, end);
        } else {
            p = kw_extra(m, &extras, name, size, p, end);
        }
        if (!p || seen & what) return NULL;
        seen |= what;
        p = kw_comma_or(p, end, '}', &more);
    }
    return (seen & KW_BOOK_NEEDS) == KW_BOOK_NEEDS ? p : NULL;
}

/* A book row, from behind its brace to behind the other. */
KW_INLINE const char *kw_book_row(kw_message *m, const char *p, const char *end) {
    unsigned seen = 0;
    if (KW_IS(p, end, "\"symbol\":\"")) {
        if (!(p = kw_symbol_rest(p + 10, end, &m->symbol, &m->symbol_size))) return NULL;
        seen = KW_ROW_SYMBOL;
    }
    if (seen && KW_IS(p, end, ",\"bids\":[")) {
        if (!(p = kw_level_list_rest(&m->bids, p + 9, end))) return NULL;
        seen |= KW_ROW_BIDS;
    }
    if (seen && KW_IS(p, end, ",\"asks\":[")) {
        if (!(p = kw_level_list_rest(&m->asks, p + 9, end))) return NULL;
        seen |= KW_ROW_ASKS;
    }
    if (seen && KW_IS(p, end, ",\"checksum\":")) {
        if (!(p = kw_checksum(m, p + 12, end))) return NULL;
        seen |= KW_ROW_CHECKSUM;
    }
    if (seen && KW_IS(p, end, ",\"timestamp\":\"")) {
        if (!(p = kw_message_time(m, p + 14, end))) return NULL;
        seen |= KW_ROW_TIME;
    }
    if (KW_LIKELY((seen & KW_BOOK_NEEDS) == KW_BOOK_NEEDS && p < end && *p == '}')) return p + 1;
    return kw_book_members(m, p, end, seen);
}

#endif

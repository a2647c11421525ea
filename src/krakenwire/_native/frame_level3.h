/* The bytes of a v2 level3 frame -> kw_level3.
 *
 * Two paths inside, both made of scan.h: an order with its members as the feed sends them, and any order
 * of members. Whatever is not plain is refused whole; no book is touched here, so a refusal has changed
 * nothing. What is taken is what `protocol/v2` would accept, with exactly this content. Next: level3.h.
 */
#ifndef KW_FRAME_LEVEL3_H
#define KW_FRAME_LEVEL3_H

#include "level3_message.h"
#include "scan.h"
#include "times.h"

/* Nine decimals and a Z, or six; from behind the opening quote to behind the closing one. */
KW_INLINE const char *kw_level3_time(const char *p, const char *end, int64_t *time_ns) {
    char short_form[28];
    unsigned tens, ones, digit;
    if (end - p < 31 || p[29] != 'Z' || p[30] != '"') return kw_rfc3339(p, end, time_ns);
#if KW_WORDS
    uint64_t wrong = 0;
    uint64_t date = kw_formed(p, "0000-00-", &wrong), hour = kw_formed(p + 8, "00T00:00", &wrong);
    uint64_t second = kw_formed(p + 13, ":00:00.0", &wrong), fraction = kw_formed(p + 20, "00000000", &wrong);
    digit = (unsigned char)(p[28] - '0');
    if (wrong || digit > 9) return NULL;
    date = date * 10 + (date >> 8); /* at the byte of a first digit: the two digits' value */
    hour = hour * 10 + (hour >> 8);
    second = second * 10 + (second >> 8);
    *time_ns = kw_ns_of((int)(date & 0xff) * 100 + (int)(date >> 16 & 0xff), (int)(date >> 40 & 0xff), (int)(hour & 0xff),
                        (int)(hour >> 24 & 0xff), (int)(hour >> 48 & 0xff), (int)(second >> 32 & 0xff), 0);
    if (*time_ns < 0) return NULL;
    *time_ns += (int64_t)kw_eight_digits(fraction) * 10 + digit;
    (void)short_form, (void)tens, (void)ones;
    return p + 31;
#else
    memcpy(short_form, p, 26);
    memcpy(short_form + 26, "Z\"", 2);
    tens = (unsigned char)(p[26] - '0');
    ones = (unsigned char)(p[27] - '0');
    digit = (unsigned char)(p[28] - '0');
    if (tens > 9 || ones > 9 || digit > 9 || !kw_rfc3339(short_form, short_form + 28, time_ns)) return NULL;
    *time_ns += tens * 100 + ones * 10 + digit;
    return p + 31;
#endif
}

KW_INLINE const char *kw_order_id(const char *p, const char *end, kw_order *o) {
    size_t size;
    p = kw_string_rest(p, end, &o->id, &size);
    if (!p || size < 1 || size > KW_ORDER_ID_MAX) return NULL;
    o->id_size = (uint8_t)size;
    return p;
}

/* -- one order ------------------------------------------------------------------------------------- */

/* What an update says of an order, from behind the opening quote to behind the closing one. */
KW_INLINE const char *kw_order_event(const char *p, const char *end, kw_order *o) {
    if (KW_IS(p, end, "add\"")) {
        o->event = KW_ORDER_ADD;
        return p + 4;
    }
    if (KW_IS(p, end, "delete\"")) o->event = KW_ORDER_DELETE;
    else if (KW_IS(p, end, "modify\"")) o->event = KW_ORDER_MODIFY;
    else return NULL;
    return p + 7;
}

/* An order whose members stand as the feed sends them, without white space. */
KW_INLINE const char *kw_order_expected(const char *p, const char *end, kw_order *o) {
    o->event = KW_ORDER_PLAIN;
    if (KW_IS(p, end, "{\"event\":\"")) {
        p = kw_order_event(p + 10, end, o);
        if (!p || !KW_IS(p, end, ",")) return NULL;
    } else if (!KW_IS(p, end, "{")) {
        return NULL;
    }
    p++;
    if (!KW_IS(p, end, "\"order_id\":\"") || !(p = kw_order_id(p + 12, end, o))) return NULL;
    if (!KW_IS(p, end, ",\"limit_price\":")) return NULL;
    if (!(p = kw_plain_number(p + 15, end, &o->price, &o->price_decimals))) return NULL;
    if (!KW_IS(p, end, ",\"order_qty\":")) return NULL;
    if (!(p = kw_plain_number(p + 13, end, &o->qty, &o->qty_decimals))) return NULL;
    if (!KW_IS(p, end, ",\"timestamp\":\"") || !(p = kw_level3_time(p + 14, end, &o->time_ns))) return NULL;
    return KW_IS(p, end, "}") ? p + 1 : NULL;
}

enum { KW_HAS_EVENT = 1, KW_HAS_ID = 2, KW_HAS_PRICE = 4, KW_HAS_QTY = 8, KW_HAS_TIME = 16 };

static inline const char *kw_order_member(const char *p, const char *end, kw_order *o, int *has) {
    const char *name;
    size_t size;
    int which;
    if (!(p = kw_member(p, end, &name, &size))) return NULL;
    if (KW_NAMED(name, size, "limit_price")) {
        which = KW_HAS_PRICE;
        p = kw_plain_number(p, end, &o->price, &o->price_decimals);
    } else if (KW_NAMED(name, size, "order_qty")) {
        which = KW_HAS_QTY;
        p = kw_plain_number(p, end, &o->qty, &o->qty_decimals);
    } else {
        if (!KW_IS(p, end, "\"")) return NULL;
        if (KW_NAMED(name, size, "order_id")) {
            which = KW_HAS_ID;
            p = kw_order_id(p + 1, end, o);
        } else if (KW_NAMED(name, size, "timestamp")) {
            which = KW_HAS_TIME;
            p = kw_level3_time(p + 1, end, &o->time_ns);
        } else if (KW_NAMED(name, size, "event")) {
            which = KW_HAS_EVENT;
            p = kw_order_event(p + 1, end, o);
        } else {
            return NULL;
        }
    }
    if (*has & which) return NULL;
    *has |= which;
    return p;
}

static inline const char *kw_order_any(const char *p, const char *end, kw_order *o) {
    int has = 0, more = 1;
    o->event = KW_ORDER_PLAIN;
    if (!(p = kw_token(p, end, '{'))) return NULL;
    while (more) {
        if (!(p = kw_order_member(p, end, o, &has))) return NULL;
        if (!(p = kw_comma_or(p, end, '}', &more))) return NULL;
    }
    return (has | KW_HAS_EVENT) == 31 ? p : NULL;
}

/* One side: an array of orders. */
static inline const char *kw_orders_list(const char *p, const char *end, kw_orders *orders) {
    int more = 1;
    orders->n = 0;
    if (!(p = kw_token(p, end, '['))) return NULL;
    if (p < end && *p == ']') return p + 1;
    while (more) {
        kw_order *o = kw_orders_next(orders);
        const char *next;
        if (!o) return NULL;
        next = kw_order_expected(p, end, o);
        if (!next && !(next = kw_order_any(p, end, o))) return NULL;
        orders->n++;
        if (!(p = kw_comma_or(next, end, ']', &more))) return NULL;
    }
    return p;
}

/* -- the row ----------------------------------------------------------------------------------------- */

enum { KW_HAS_SYMBOL = 1, KW_HAS_CHECKSUM = 2, KW_HAS_BIDS = 4, KW_HAS_ASKS = 8, KW_HAS_ROW_TIME = 16 };

static inline const char *kw_level3_member(const char *p, const char *end, kw_level3 *m, int *has) {
    const char *name;
    size_t size;
    int64_t integer = 0;
    int which;
    if (!(p = kw_member(p, end, &name, &size))) return NULL;
    if (KW_NAMED(name, size, "bids")) {
        which = KW_HAS_BIDS;
        if (!(*has & which)) p = kw_orders_list(p, end, &m->bids);
    } else if (KW_NAMED(name, size, "asks")) {
        which = KW_HAS_ASKS;
        if (!(*has & which)) p = kw_orders_list(p, end, &m->asks);
    } else if (KW_NAMED(name, size, "checksum")) {
        which = KW_HAS_CHECKSUM;
        p = kw_plain_integer(p, end, UINT32_MAX, &integer);
        m->checksum = (uint32_t)integer;
    } else if (KW_NAMED(name, size, "symbol")) {
        which = KW_HAS_SYMBOL;
        p = kw_string(p, end, &m->symbol, &size);
        if (size < 1 || size > 32) return NULL;
        m->symbol_size = (int)size;
    } else if (KW_NAMED(name, size, "timestamp")) {
        which = KW_HAS_ROW_TIME;
        p = KW_IS(p, end, "\"") ? kw_level3_time(p + 1, end, &m->time_ns) : NULL;
    } else {
        return NULL;
    }
    if (!p || *has & which) return NULL;
    *has |= which;
    return p;
}

/* The data: an array of one row. */
static inline const char *kw_level3_data(const char *p, const char *end, kw_level3 *m) {
    int has = 0, more = 1;
    if (!(p = kw_token(p, end, '['))) return NULL;
    if (!(p = kw_token(p, end, '{'))) return NULL;
    while (more) {
        if (!(p = kw_level3_member(p, end, m, &has))) return NULL;
        if (!(p = kw_comma_or(p, end, '}', &more))) return NULL;
    }
    m->has_checksum = 1;
    m->has_time = (has & KW_HAS_ROW_TIME) != 0;
    p = kw_space(p, end);
    return (has | KW_HAS_ROW_TIME) == 31 && p < end && *p == ']' ? p + 1 : NULL;
}

/* -- the envelope ------------------------------------------------------------------------------------- */

enum { KW_L3_HAS_CHANNEL = 1, KW_L3_HAS_TYPE = 2, KW_L3_HAS_DATA = 4 };

static inline int kw_level3_type(const char *text, size_t size, kw_level3 *m) {
    m->snapshot = KW_NAMED(text, size, "snapshot");
    return m->snapshot || KW_NAMED(text, size, "update");
}

/* A frame with the members of its envelope in any order: `data` may come before its channel is known. */
static inline int kw_level3_any(const char *p, const char *end, kw_level3 *m) {
    const char *name, *text, *data = NULL;
    size_t size, length;
    int has = 0, more = 1, which;
    if (!(p = kw_token(p, end, '{'))) return KW_FOREIGN;
    while (more) {
        p = kw_member(p, end, &name, &size);
        if (!p) break;
        if (KW_NAMED(name, size, "data")) {
            which = KW_L3_HAS_DATA;
            data = p;
            p = has & KW_L3_HAS_CHANNEL ? kw_level3_data(p, end, m) : kw_pass(p, end);
            if (has & KW_L3_HAS_CHANNEL) data = NULL;
        } else {
            which = KW_NAMED(name, size, "channel") ? KW_L3_HAS_CHANNEL : KW_NAMED(name, size, "type") ? KW_L3_HAS_TYPE : 0;
            p = which ? kw_string(p, end, &text, &length) : NULL;
            if (p && which == KW_L3_HAS_CHANNEL && !KW_NAMED(text, length, "level3")) return KW_FOREIGN;
            if (p && which == KW_L3_HAS_TYPE && !kw_level3_type(text, length, m)) p = NULL;
        }
        if (!p || has & which) break;
        has |= which;
        if (data && has & KW_L3_HAS_CHANNEL) { /* passed over before; now it is known what it must be */
            if (!kw_level3_data(data, end, m)) break;
            data = NULL;
        }
        if (!(p = kw_comma_or(p, end, '}', &more))) break;
    }
    if (!(has & KW_L3_HAS_CHANNEL)) return KW_FOREIGN;
    return p && has == 7 && !more && kw_space(p, end) == end ? KW_TAKEN : KW_UNUSUAL;
}

/* Parse a frame into a message that was initialised once. */
static inline int kw_parse_level3(kw_level3 *m, const char *frame, size_t size) {
    const char *p = frame, *end = frame + size;
    m->has_checksum = m->has_time = 0;
    m->bids.n = m->asks.n = 0;
    m->symbol_size = 0;
    if (KW_IS(p, end, "{\"channel\":\"level3\",\"type\":\"")) {
        const char *data = NULL;
        p += 28;
        if (KW_IS(p, end, "update\",\"data\":")) {
            m->snapshot = 0;
            data = kw_level3_data(p + 15, end, m);
        } else if (KW_IS(p, end, "snapshot\",\"data\":")) {
            m->snapshot = 1;
            data = kw_level3_data(p + 17, end, m);
        }
        if (data && KW_IS(data, end, "}") && data + 1 == end) return KW_TAKEN;
    }
    return kw_level3_any(frame, end, m);
}

#endif

/* Steps over JSON text: literals, strings, white space, members, values to pass over.
 *
 * Each takes a place and the end of the frame, reads nothing at or after the end, and returns the place
 * behind what it took, or NULL when that is not there in plain form. A string is plain when it is printable
 * ASCII without escapes. Nothing here recurses. Next: times.h for what stands in
 * some strings; frame_v2.h and frame_v1.h, which are made of both.
 */
#ifndef KW_SCAN_H
#define KW_SCAN_H

#include "number.h"

/* Forget the last message but for its buffers. */
KW_INLINE void kw_message_reset(kw_message *m) {
    m->kind = m->snapshot = m->depth = m->extra_members = 0;
    m->symbol = NULL;
    m->symbol_size = 0;
    m->bids.n = m->asks.n = m->n_trades = 0;
    m->checksum = 0;
    m->time_ns = m->ticker_trades = 0;
    m->has_checksum = m->has_time = m->has_ticker_trades = 0;
}

/* Whether a literal stands at a place; its size is known when this is compiled, so it is a few loads. */
#define KW_IS(p, end, text) ((size_t)((end) - (p)) >= sizeof(text) - 1 && kw_same(p, text, sizeof(text) - 1))

KW_INLINE int kw_same(const char *p, const char *text, size_t size) {
    uint64_t difference = 0;
    size_t at = 0;
    if (size < 8) return memcmp(p, text, size) == 0;
    for (; at + 8 <= size; at += 8) difference |= kw_load8(p + at) ^ kw_load8(text + at);
    if (at < size) difference |= kw_load8(p + size - 8) ^ kw_load8(text + size - 8);
    return difference == 0;
}

/* Whether a name of known size is this one. */
#define KW_NAMED(name, size, text) ((size) == sizeof(text) - 1 && memcmp(name, text, sizeof(text) - 1) == 0)

/* The place behind white space; never NULL. */
KW_INLINE const char *kw_space(const char *p, const char *end) {
    while (p < end && (unsigned char)*p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) p++;
    return p;
}

/* Behind one byte, and the white space around it. */
KW_INLINE const char *kw_token(const char *p, const char *end, char wanted) {
    p = kw_space(p, end);
    return p < end && *p == wanted ? kw_space(p + 1, end) : NULL;
}

/* Behind a list's or object's comma (`*more` is 1), or behind its end (0). */
KW_INLINE const char *kw_comma_or(const char *p, const char *end, char close, int *more) {
    p = kw_space(p, end);
    if (p == end) return NULL;
    *more = *p == ',';
    if (*more) return kw_space(p + 1, end);
    return *p == close ? p + 1 : NULL;
}

/* Where a plain string ends: at its closing quote. `p` is behind the opening one. */
KW_INLINE const char *kw_closing_quote(const char *p, const char *end) {
#if KW_WORDS
    while (end - p >= 8) {
        uint64_t word = kw_load8(p), quote = word ^ KW_EACH('"'), escape = word ^ KW_EACH('\\');
        uint64_t rubout = word ^ KW_EACH(0x7f);
        /* Below a quote no byte is marked wrongly: a borrow only goes upwards from a byte that is marked itself. */
        uint64_t marks = ((quote - KW_EACH(1)) & ~quote) | ((escape - KW_EACH(1)) & ~escape) |
                         ((rubout - KW_EACH(1)) & ~rubout) | ((word - KW_EACH(0x20)) & ~word) | word;
        marks &= KW_EACH(0x80);
        if (KW_LIKELY(marks != 0)) {
            p += kw_first_mark(marks);
            return *p == '"' ? p : NULL;
        }
        p += 8;
    }
#endif
    for (; p < end; p++) {
        if (*p == '"') return p;
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '\\') return NULL;
    }
    return NULL;
}

/* A plain string, from behind its opening quote to behind its closing one. */
KW_INLINE const char *kw_string_rest(const char *p, const char *end, const char **text, size_t *size) {
    const char *close = kw_closing_quote(p, end);
    if (!close) return NULL;
    *text = p;
    *size = (size_t)(close - p);
    return close + 1;
}

KW_INLINE const char *kw_string(const char *p, const char *end, const char **text, size_t *size) {
    return p < end && *p == '"' ? kw_string_rest(p + 1, end, text, size) : NULL;
}

/* The name of a member and its colon, white space included: up to where its value begins. */
KW_INLINE const char *kw_member(const char *p, const char *end, const char **name, size_t *size) {
    p = kw_string(p, end, name, size);
    return p ? kw_token(p, end, ':') : NULL;
}

/* As kw_member, but the name ends at the first quote and may hold anything before it: to be compared with names
 * that are plain. One that is none of them must still be proven by kw_plain_name. */
KW_INLINE const char *kw_some_member(const char *p, const char *end, const char **name, size_t *size) {
    if (p == end || *p != '"') return NULL;
    *name = ++p;
#if KW_WORDS
    while (end - p >= 8) {
        uint64_t quote = kw_load8(p) ^ KW_EACH('"'), marks = (quote - KW_EACH(1)) & ~quote & KW_EACH(0x80);
        if (KW_LIKELY(marks != 0)) {
            p += kw_first_mark(marks);
            break;
        }
        p += 8;
    }
#endif
    while (p < end && *p != '"') p++;
    *size = (size_t)(p - *name);
    if (KW_LIKELY(end - p > 2 && p[1] == ':' && (unsigned char)p[2] > ' ')) return p + 2;
    return p < end ? kw_token(p + 1, end, ':') : NULL;
}

/* Whether a name with a quote behind it is a plain string. */
static inline int kw_plain_name(const char *name, size_t size) {
    return kw_closing_quote(name, name + size + 1) == name + size;
}

/* A number by the grammar of JSON, up to 64 characters; integers only as far as they are plain. */
static inline const char *kw_any_number(const char *p, const char *end) {
    const char *start = p, *run;
    if (end - p > 64) end = p + 64;
    if (p < end && *p == '-') p++;
    run = p;
    while (p < end && (unsigned char)(*p - '0') <= 9) p++;
    if (p == run || p - run > KW_DIGITS_MAX || (*run == '0' && p - run > 1)) return NULL;
    if (p < end && *p == '.') {
        run = ++p;
        while (p < end && (unsigned char)(*p - '0') <= 9) p++;
        if (p == run) return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        if (++p < end && (*p == '+' || *p == '-')) p++;
        run = p;
        while (p < end && (unsigned char)(*p - '0') <= 9) p++;
        if (p == run) return NULL;
    }
    return p - start < 64 ? p : NULL;
}

/* A plain scalar: string, number, true, false or null. */
static inline const char *kw_scalar(const char *p, const char *end) {
    const char *text;
    size_t size;
    if (p == end) return NULL;
    if (*p == '"') return kw_string_rest(p + 1, end, &text, &size);
    if (KW_IS(p, end, "true") || KW_IS(p, end, "null")) return p + 4;
    if (KW_IS(p, end, "false")) return p + 5;
    return kw_any_number(p, end);
}

/* Any string, escapes and all, without judging them; from behind its opening quote. */
static inline const char *kw_pass_string(const char *p, const char *end) {
    for (; p < end; p++) {
        if (*p == '"') return p + 1;
        if (*p == '\\' && ++p == end) return NULL;
    }
    return NULL;
}

/* Some value, nested or not: finds its end, but does not judge it. Who needs it valid must still parse it. */
static inline const char *kw_pass(const char *p, const char *end) {
    size_t depth = 0;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            if (!(p = kw_pass_string(p, end))) return NULL;
        } else if (c == '{' || c == '[') {
            depth++;
            continue;
        } else if (c == '}' || c == ']') {
            if (!depth--) return NULL;
        } else if (!depth) { /* number, true, false, null: ends before what cannot be part of it */
            if (c <= ' ' || c == ',' || c == ':') return NULL;
            while (p < end && *p > ' ' && *p != ',' && *p != '}' && *p != ']') p++;
        }
        if (!depth) return p;
    }
    return NULL;
}

#endif

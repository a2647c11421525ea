/* Number text into digits and decimals: 62410.50 is 6241050 with 2 decimals.
 *
 * Only the plain form is taken (no exponent, no leading zero, at most KW_DIGITS_MAX digits); whatever
 * else there may be is for the exact slow path. Runs of digits are read eight at a time where eight bytes
 * are known to be inside the frame, else one by one: no byte at or after `end` is ever read.
 */
#ifndef KW_NUMBER_H
#define KW_NUMBER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "message.h"

#if defined(__GNUC__) || defined(__clang__)
#define KW_INLINE static inline __attribute__((always_inline))
#define KW_LIKELY(condition) __builtin_expect(!!(condition), 1)
#elif defined(_MSC_VER)
#define KW_INLINE static __forceinline
#define KW_LIKELY(condition) (condition)
#else
#define KW_INLINE static inline
#define KW_LIKELY(condition) (condition)
#endif

/* Whether eight bytes can be handled as one word: the first byte must be the lowest one. Tests define it as 0 too. */
#ifdef KW_WORDS
#elif defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
#define KW_WORDS (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#elif defined(_M_X64) || defined(_M_IX86) || defined(_M_ARM64)
#define KW_WORDS 1
#else
#define KW_WORDS 0
#endif

/* Whether sixteen bytes can be looked at at once, as on every x86-64. Tests define it as 0 too. */
#ifdef KW_SIXTEEN
#elif KW_WORDS && defined(__SSE2__) && defined(__GNUC__)
#define KW_SIXTEEN 1
#else
#define KW_SIXTEEN 0
#endif
#if KW_SIXTEEN
#include <emmintrin.h>
#endif

/* Every byte of a word the same. */
#define KW_EACH(byte) (UINT64_C(0x0101010101010101) * (uint64_t)(byte))

static const uint64_t KW_POWER[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

KW_INLINE uint64_t kw_load8(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Which byte is the first with its high bit set; `marks` is not zero and has no other bits. */
KW_INLINE int kw_first_mark(uint64_t marks) {
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(marks) >> 3;
#else
    int at = 0;
    while (!(marks & 0x80)) {
        marks >>= 8;
        at++;
    }
    return at;
#endif
}

/* The number that eight digit values make, the lowest byte being the first digit. */
KW_INLINE uint64_t kw_eight_digits(uint64_t values) {
    uint64_t pairs = values * 10 + (values >> 8); /* bytes 0, 2, 4, 6: two digits each */
    uint64_t even = pairs & UINT64_C(0x000000ff000000ff);
    uint64_t odd = (pairs >> 16) & UINT64_C(0x000000ff000000ff);
    return (even * UINT64_C(0x000f424000000064) + odd * UINT64_C(0x0000271000000001)) >> 32;
}

/* The number that the first one to eight bytes make, which are digits; eight bytes are read. */
KW_INLINE uint64_t kw_first_digits(const char *p, unsigned count) {
    return kw_eight_digits((kw_load8(p) ^ KW_EACH('0')) << (64 - 8 * count));
}

/* Read on through a run of digits: `*value` becomes value * 10^n + run.
 * Returns n, which may be 0, or -1 when there are more than `room` digits (room <= KW_DIGITS_MAX).
 */
KW_INLINE int kw_digit_run(const char **at, const char *end, uint64_t *value, int room) {
    const char *p = *at;
    uint64_t number = *value;
    int count = 0;
#if KW_WORDS
    while (end - p >= 8) {
        uint64_t values = kw_load8(p) ^ KW_EACH('0');
        /* A carry can only go upwards from a byte that is marked itself, so the lowest mark is true. */
        uint64_t marks = ((values + KW_EACH(0x76)) | values) & KW_EACH(0x80);
        int run = marks ? kw_first_mark(marks) : 8;
        if (count + run > room) return -1;
        if (run) number = number * KW_POWER[run] + kw_first_digits(p, (unsigned)run);
        count += run;
        p += run;
        if (KW_LIKELY(marks != 0) || (p < end && (unsigned char)(*p - '0') > 9)) goto done;
    }
#endif
    for (; p < end && (unsigned char)(*p - '0') <= 9; p++) {
        if (++count > room) return -1;
        number = number * 10 + (uint64_t)(*p - '0');
    }
#if KW_WORDS
done:
#endif
    *at = p;
    *value = number;
    return count;
}

/* A number without a sign, one run of digits after the other. */
static inline const char *kw_number_by_runs(const char *p, const char *end, int64_t *digits, uint8_t *decimals) {
    const char *first = p;
    uint64_t value = 0;
    int whole = kw_digit_run(&p, end, &value, KW_DIGITS_MAX), fraction = 0;
    if (whole < 1 || (*first == '0' && whole > 1)) return NULL;
    if (p < end && *p == '.') {
        p++;
        fraction = kw_digit_run(&p, end, &value, KW_DIGITS_MAX - whole);
        if (fraction < 1) return NULL;
    }
    *digits = (int64_t)value;
    *decimals = (uint8_t)fraction;
    return p;
}

#if KW_SIXTEEN
/* Which of sixteen bytes are no digits, the first one being the lowest bit. */
KW_INLINE unsigned kw_not_digits(const char *p) {
    __m128i shifted = _mm_add_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8((char)(128 - '0')));
    return (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(shifted, _mm_set1_epi8(9 - 128)));
}
#endif

/* A number without a sign; returns where it ends, NULL when it is not plain. What follows is the caller's to check. */
KW_INLINE const char *kw_plain_number(const char *p, const char *end, int64_t *digits, uint8_t *decimals) {
#if KW_SIXTEEN
    /* In one look, where both sides of a point have one to eight digits and all ends within sixteen bytes. */
    if (KW_LIKELY(end - p >= 16 + 8)) {
        unsigned marks = kw_not_digits(p) | 3u << 16; /* two more, so that there always are two */
        unsigned point = (unsigned)__builtin_ctz(marks), stop = (unsigned)__builtin_ctz(marks & (marks - 1));
        unsigned fraction = stop - point - 1;
        if (KW_LIKELY(p[point] == '.' && point - 1 < 8 && fraction - 1 < 8 && stop < 16 && (*p != '0' || point == 1))) {
            uint64_t whole = kw_first_digits(p, point);
            *digits = (int64_t)(whole * KW_POWER[fraction] + kw_first_digits(p + point + 1, fraction));
            *decimals = (uint8_t)fraction;
            return p + stop;
        }
    }
#endif
    return kw_number_by_runs(p, end, digits, decimals);
}

/* As kw_plain_number, but a minus is allowed before what is not zero. */
static inline const char *kw_signed_number(const char *p, const char *end, int64_t *digits, uint8_t *decimals) {
    int negative = p < end && *p == '-';
    p = kw_plain_number(p + negative, end, digits, decimals);
    if (!p || !negative) return p;
    *digits = -*digits;
    return *digits ? p : NULL;
}

/* An integer without a sign, at most `most`; returns where it ends, NULL when it is not plain. */
KW_INLINE const char *kw_plain_integer(const char *p, const char *end, int64_t most, int64_t *integer) {
    const char *first = p;
    uint64_t value = 0;
    int count = kw_digit_run(&p, end, &value, KW_DIGITS_MAX);
    if (count < 1 || (*first == '0' && count > 1) || (int64_t)value > most) return NULL;
    *integer = (int64_t)value;
    return p;
}

#endif

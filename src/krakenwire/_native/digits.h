/* Integers to ASCII digits, eight at a time in one register.
 *
 * The book's checksum is made of digits without point and leading zeros; this is where they come
 * from. Nothing here allocates or writes beyond KW_DIGITS_TEXT bytes. Next: book.h, level3.h.
 */
#ifndef KW_DIGITS_H
#define KW_DIGITS_H

#include <stdint.h>
#include <string.h>

#define KW_DIGITS_TEXT 24       /* bytes that kw_put_digits may write: 19 digits, in steps of eight */
#define KW_DECIMALS_MAX 18      /* powers of ten that fit an int64 */

static const int64_t KW_POWERS[KW_DECIMALS_MAX + 1] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000,
    1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
    1000000000000000000,
};

#define KW_TEN8 100000000u
#define KW_ZEROS8 0x3030303030303030u

/* Return the eight digits of v < 10^8 as a word whose lowest byte is the first digit, 0 to 9 each. */
static inline uint64_t kw_eight_as_text(uint32_t v) {
    uint64_t x, tens;
    x = (uint64_t)(v / 10000) | (uint64_t)(v % 10000) << 32;
    tens = ((x * 10486) >> 20) & 0x0000007F0000007Fu;   /* hundreds of each half */
    x = tens | (x - tens * 100) << 16;
    tens = ((x * 103) >> 10) & 0x000F000F000F000Fu;
    return tens | (x - tens * 10) << 8;
}

/* Return how many leading zeros a word of kw_eight_as_text has; it must not be 0. */
static inline int kw_leading_zeros(uint64_t word) {
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(word) >> 3;
#else
    int zeros = 0;
    while (!(word & 0xFF)) {
        word >>= 8;
        zeros++;
    }
    return zeros;
#endif
}

/* Store a word, its lowest byte first. */
static inline void kw_store_word(char *at, uint64_t word) {
#if defined(_MSC_VER) || (defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    memcpy(at, &word, 8);
#else
    int i;
    for (i = 0; i < 8; i++) at[i] = (char)(word >> (8 * i));
#endif
}

/* Write the digits of v < 10^19, none for 0, and return their end; up to KW_DIGITS_TEXT bytes are touched. */
static inline char *kw_put_digits(char *at, uint64_t v) {
    uint64_t word, rest[2];
    int zeros, rests = 0;
    while (v >= KW_TEN8) { /* at most twice */
        rest[rests++] = v % KW_TEN8;
        v /= KW_TEN8;
    }
    if (v) {
        word = kw_eight_as_text((uint32_t)v);
        zeros = kw_leading_zeros(word);
        kw_store_word(at, (word + KW_ZEROS8) >> (8 * zeros));
        at += 8 - zeros;
    }
    while (rests) {
        kw_store_word(at, kw_eight_as_text((uint32_t)rest[--rests]) + KW_ZEROS8);
        at += 8;
    }
    return at;
}

#endif

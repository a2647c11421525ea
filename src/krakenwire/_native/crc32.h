/* CRC-32 (IEEE 802.3, as zlib's crc32), by carry-less multiplication where the processor has it.
 *
 * A checksum is linear: that of a text is the sum of those of its parts, each times x to eight times the
 * bytes behind it. With KW_SHIFT[n] = x^(8n) every part costs one multiplication that waits for no other,
 * and one reduction ends it all. Other machines take eight bytes at a time through tables.
 * Call kw_crc_setup once before anything else. Next: book.h.
 *
 * Source: "reflected" CRC algebra as in V. Gopal et al., Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ Instruction (Intel, 2009).
 */
#ifndef KW_CRC32_H
#define KW_CRC32_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef KW_CRC_CLMUL            /* 0 builds without it */
#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
#define KW_CRC_CLMUL 1
#else
#define KW_CRC_CLMUL 0
#endif
#endif

#if KW_CRC_CLMUL
#include <emmintrin.h>
#include <wmmintrin.h>
#define KW_CLMUL_TARGET __attribute__((target("sse2,pclmul")))
#endif

#if defined(__ARM_FEATURE_CRC32) && defined(__aarch64__) && !defined(__AARCH64EB__)
#define KW_CRC_ARM 1            /* the compiler was told that every target machine has them */
#include <arm_acle.h>
#else
#define KW_CRC_ARM 0
#endif

#define KW_CRC_POLYNOMIAL 0xEDB88320u
#define KW_CRC_DIVISOR INT64_C(0x1DB710641)     /* the same with its highest term, reflected in 33 bits */
#define KW_CRC_QUOTIENT INT64_C(0x1F7011641)    /* x^64 divided by it, reflected in 33 bits */
#define KW_SHIFTS 1024          /* bytes that one sum of products may span */

static uint32_t kw_crc_table[8][256];
static uint64_t kw_crc_shift[KW_SHIFTS + 1]; /* x^(8n) mod P, reflected, times two: products need no shift then */
static int kw_crc_clmul;        /* whether this processor multiplies without carry */

/* Return a 32-bit part followed by four zero bytes. */
static inline uint32_t kw_crc_word4(uint32_t v) {
    return kw_crc_table[3][v & 0xFF] ^ kw_crc_table[2][v >> 8 & 0xFF] ^ kw_crc_table[1][v >> 16 & 0xFF] ^
           kw_crc_table[0][v >> 24];
}

static inline uint32_t kw_crc_word8(uint64_t v) {
    uint32_t low = (uint32_t)v, high = (uint32_t)(v >> 32);
    return kw_crc_table[7][low & 0xFF] ^ kw_crc_table[6][low >> 8 & 0xFF] ^ kw_crc_table[5][low >> 16 & 0xFF] ^
           kw_crc_table[4][low >> 24] ^ kw_crc_word4(high);
}

/* Return eight bytes as a word, the first one lowest. */
static inline uint64_t kw_load_word(const unsigned char *at) {
#if defined(_MSC_VER) || (defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
#else
    uint64_t word = 0;
    int i;
    for (i = 7; i >= 0; i--) word = word << 8 | at[i];
    return word;
#endif
}

static inline void kw_crc_setup(void) {
    uint32_t i, k, value;
    for (i = 0; i < 256; i++) {
        value = i;
        for (k = 0; k < 8; k++) value = value >> 1 ^ (value & 1 ? KW_CRC_POLYNOMIAL : 0);
        kw_crc_table[0][i] = value;
    }
    for (k = 1; k < 8; k++)
        for (i = 0; i < 256; i++) {
            value = kw_crc_table[k - 1][i];
            kw_crc_table[k][i] = value >> 8 ^ kw_crc_table[0][value & 0xFF];
        }
    value = 0x80000000u; /* x^0, reflected */
    for (i = 0; i <= KW_SHIFTS; i++) {
        kw_crc_shift[i] = (uint64_t)value << 1;
        value = value >> 8 ^ kw_crc_table[0][value & 0xFF];
    }
#if KW_CRC_CLMUL
    __builtin_cpu_init();
    kw_crc_clmul = __builtin_cpu_supports("pclmul") != 0;
#endif
}

/* Continue `crc` (0 to begin) over a text, on any machine. */
static inline uint32_t kw_crc32_tables(uint32_t crc, const void *text, size_t size) {
    const unsigned char *at = (const unsigned char *)text;
    crc = ~crc;
#if KW_CRC_ARM
    for (; size >= 8; at += 8, size -= 8) crc = __crc32d(crc, kw_load_word(at));
#else
    for (; size >= 8; at += 8, size -= 8) crc = kw_crc_word8(kw_load_word(at) ^ crc);
#endif
    for (; size; at++, size--) crc = crc >> 8 ^ kw_crc_table[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

#if KW_CRC_CLMUL

/* Return a times x^(8n); the sum of such products ends in kw_crc_sum8 or kw_crc_sum4. */
KW_CLMUL_TARGET static inline __m128i kw_crc_product(uint64_t a, size_t n) {
    return _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)a), _mm_cvtsi64_si128((long long)kw_crc_shift[n]), 0);
}

/* Reduce a sum of products whose factors are checksums (32 bits), by Barrett's method. */
KW_CLMUL_TARGET static inline uint32_t kw_crc_sum4(__m128i sum) {
    const __m128i constants = _mm_set_epi64x(KW_CRC_QUOTIENT, KW_CRC_DIVISOR), low = _mm_cvtsi32_si128(-1);
    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low), constants, 0x10);
    __m128i multiple = _mm_clmulepi64_si128(_mm_and_si128(quotient, low), constants, 0x00);
    return (uint32_t)((uint64_t)_mm_cvtsi128_si64(_mm_xor_si128(sum, multiple)) >> 32);
}

/* Reduce a sum of products whose factors are words of text, made with four bytes more than stand behind them. */
KW_CLMUL_TARGET static inline uint32_t kw_crc_sum8(__m128i sum) {
    __m128i first = _mm_and_si128(sum, _mm_cvtsi32_si128(-1)); /* has eight bytes of the sum behind it */
    __m128i folded = _mm_clmulepi64_si128(first, _mm_cvtsi64_si128((long long)kw_crc_shift[8]), 0);
    return kw_crc_sum4(_mm_xor_si128(folded, _mm_srli_si128(sum, 4)));
}

KW_CLMUL_TARGET static inline uint32_t kw_crc32_clmul(uint32_t crc, const void *text, size_t size) {
    const unsigned char *at = (const unsigned char *)text;
    unsigned char first[8];
    __m128i sum;
    size_t block, part;
    crc = ~crc;
    while (size) {
        block = size < KW_SHIFTS - 8 ? size : KW_SHIFTS - 8;
        size -= block;
        sum = kw_crc_product((uint64_t)crc << 32, block);
        part = block & 7;
        if (part) { /* zeros before a text change nothing: its first word may be short */
            memset(first, 0, 8);
            memcpy(first + 8 - part, at, part);
            block -= part;
            at += part;
            sum = _mm_xor_si128(sum, kw_crc_product(kw_load_word(first), block + 4));
        }
        while (block) {
            block -= 8;
            sum = _mm_xor_si128(sum, kw_crc_product(kw_load_word(at), block + 4));
            at += 8;
        }
        crc = kw_crc_sum8(sum);
    }
    return ~crc;
}

#endif

/* Continue `crc` (0 to begin) over a text, as zlib's crc32 does. */
static inline uint32_t kw_crc32(uint32_t crc, const void *text, size_t size) {
#if KW_CRC_CLMUL
    if (kw_crc_clmul) return kw_crc32_clmul(crc, text, size);
#endif
    return kw_crc32_tables(crc, text, size);
}

static inline const char *kw_crc_backend(void) {
#if KW_CRC_CLMUL
    if (kw_crc_clmul) return "clmul";
#endif
    return KW_CRC_ARM ? "arm-crc" : "slicing-by-8";
}

#endif

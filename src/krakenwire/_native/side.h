/* One side of an L2 book: levels as scaled integers in one sorted array, the touch at its end.
 *
 * Nearly all changes happen near the touch, so they move few levels. The levels are a window that drifts
 * through its buffer: dropping the worst one or adding below it moves nothing. What the best levels add to
 * the checksum is kept for each of them and made again only where one changed, and only when it is asked for.
 * Whoever changes a side has reserved room before; then no change can fail. Next: book.h.
 */
#ifndef KW_SIDE_H
#define KW_SIDE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "digits.h"

#define KW_TOP 10               /* levels a side that the checksum covers */
#define KW_SLOTS (KW_TOP + 1)   /* one more, so that a removal finds its successor ready */
#define KW_SLOT_TEXT 40         /* 19 digits of a price and 19 of a quantity */
#define KW_NEAR 12              /* levels from the touch that are looked at one by one */

typedef struct {
    int64_t key;                /* bids: the price, asks: the price negated; the best is the greatest */
    int64_t qty;
} kw_pair;

typedef struct {
    uint32_t crc;               /* without its usual begin and end: a plain remainder */
    uint32_t size;
} kw_crc_part;

typedef struct {
    kw_pair *at;
    int start, n, cap;          /* the levels are at[start] .. at[start + n - 1], the best one last */
    uint32_t stale;             /* a bit for each slot that does not tell its level any more */
    int dirty;                  /* whether one of the best levels changed since the last checksum */
    int tables;                 /* slots hold text, for machines without carry-less multiplication */
    kw_crc_part part[KW_SLOTS];     /* by rank: 0 is the best level */
    char text[KW_SLOTS][KW_SLOT_TEXT];
} kw_side;

#define KW_ALL_STALE ((1u << KW_SLOTS) - 1)

static inline void kw_side_clear(kw_side *side) {
    side->start = side->n = 0;
    side->stale = KW_ALL_STALE;
    side->dirty = 1;
}

static inline kw_pair kw_side_level(const kw_side *side, int rank) {
    return side->at[side->start + side->n - 1 - rank];
}

/* Move the levels to another place of the buffer. */
static inline void kw_side_place(kw_side *side, int start) {
    if (side->n && start != side->start)
        memmove(side->at + start, side->at + side->start, (size_t)side->n * sizeof(kw_pair));
    side->start = start;
}

/* Make room for so many levels in all; 0, and nothing has changed, when there is no memory. */
static inline int kw_side_reserve(kw_side *side, int64_t levels) {
    int64_t cap = levels + levels / 5 + 16;
    kw_pair *at;
    if (levels <= side->cap) return 1;
    if (cap > INT32_MAX || (uint64_t)cap > SIZE_MAX / sizeof(kw_pair)) return 0;
    at = (kw_pair *)realloc(side->at, (size_t)cap * sizeof(kw_pair));
    if (!at) return 0;
    side->at = at;
    side->cap = (int)cap;
    return 1;
}

/* Forget the worst levels beyond `depth`. */
static inline void kw_side_truncate(kw_side *side, int depth) {
    if (side->n > depth) {
        side->start += side->n - depth;
        side->n = depth;
    }
}

/* Give back the memory that an unusually long message took. */
static inline void kw_side_trim(kw_side *side, int depth) {
    int cap = depth + depth / 5 + 16;
    kw_pair *at;
    if (side->cap <= 2 * cap) return;
    kw_side_place(side, 0);
    at = (kw_pair *)realloc(side->at, (size_t)cap * sizeof(kw_pair));
    if (!at) return;
    side->at = at;
    side->cap = cap;
}

/* Return the place of the first level that is not worse than `key`. */
static inline int kw_side_find(const kw_side *side, int64_t key) {
    const kw_pair *level = side->at + side->start;
    int n = side->n, near = n < KW_NEAR ? n : KW_NEAR, better = 0, half, i;
    if (n > near && level[n - near].key >= key) {
        const kw_pair *base = level;
        for (n -= near; n > 1; n -= half) { /* no branch that could be guessed wrong */
            half = n >> 1;
            base += base[half - 1].key < key ? half : 0;
        }
        return (int)(base - level) + (base->key < key);
    }
    for (i = 1; i <= near; i++) better += level[n - i].key >= key;
    return n - better;
}

/* Make room among the slots for a new level. */
static inline void kw_side_open_slot(kw_side *side, int rank) {
    uint32_t better = (1u << rank) - 1;
    size_t behind = (size_t)(KW_SLOTS - 1 - rank);
    char *text = (char *)side->text + rank * KW_SLOT_TEXT;
    side->stale = ((side->stale & better) | (side->stale & ~better) << 1 | 1u << rank) & KW_ALL_STALE;
    memmove(side->part + rank + 1, side->part + rank, behind * sizeof(kw_crc_part));
    if (side->tables) memmove(text + KW_SLOT_TEXT, text, behind * KW_SLOT_TEXT);
}

/* Close the slot of a level that is gone. */
static inline void kw_side_close_slot(kw_side *side, int rank) {
    uint32_t better = (1u << rank) - 1;
    size_t behind = (size_t)(KW_SLOTS - 1 - rank);
    char *text = (char *)side->text + rank * KW_SLOT_TEXT;
    side->stale = (side->stale & better) | (side->stale >> 1 & ~better) | 1u << (KW_SLOTS - 1);
    memmove(side->part + rank, side->part + rank + 1, behind * sizeof(kw_crc_part));
    if (side->tables) memmove(text, text + KW_SLOT_TEXT, behind * KW_SLOT_TEXT);
}

/* Put a new level at place `i`, moving whichever part is shorter. There must be room in the buffer. */
static inline void kw_side_insert(kw_side *side, int i, kw_pair pair) {
    int behind = side->n - i, slack = side->cap - side->n;
    kw_pair *level;
    if (i < behind) {
        if (side->start == 0) kw_side_place(side, slack - slack / 4);
        level = side->at + --side->start;
        memmove(level, level + 1, (size_t)i * sizeof(kw_pair));
    } else {
        if (side->start + side->n == side->cap) kw_side_place(side, slack / 4);
        level = side->at + side->start;
        memmove(level + i + 1, level + i, (size_t)behind * sizeof(kw_pair));
    }
    level[i] = pair;
    side->n++;
}

static inline void kw_side_remove(kw_side *side, int i) {
    kw_pair *level = side->at + side->start;
    int behind = side->n - 1 - i;
    if (i < behind) {
        memmove(level + 1, level, (size_t)i * sizeof(kw_pair));
        side->start++;
    } else {
        memmove(level + i, level + i + 1, (size_t)behind * sizeof(kw_pair));
    }
    side->n--;
}

/* Set a level to a quantity, 0 to remove it. There must be room for one more. */
static inline void kw_side_set(kw_side *side, int64_t key, int64_t qty) {
    int i = kw_side_find(side, key), rank = side->n - i;
    kw_pair pair;
    if (rank && side->at[side->start + i].key == key) {
        rank--;
        if (qty) {
            side->at[side->start + i].qty = qty;
            if (rank < KW_SLOTS) side->stale |= 1u << rank;
        } else {
            kw_side_remove(side, i);
            if (rank < KW_SLOTS) kw_side_close_slot(side, rank);
        }
    } else {
        if (!qty) return;
        pair.key = key;
        pair.qty = qty;
        kw_side_insert(side, i, pair);
        if (rank < KW_SLOTS) kw_side_open_slot(side, rank);
    }
    if (rank < KW_TOP) side->dirty = 1;
}

/* -- what the best levels add to the checksum ------------------------------------------------------- */

static inline uint64_t kw_price_of(kw_pair pair) { return (uint64_t)(pair.key < 0 ? -pair.key : pair.key); }

static inline int kw_side_top(const kw_side *side) { return side->n < KW_TOP ? side->n : KW_TOP; }

/* Make the texts of the best levels anew where they are stale, and return the end of all of them at `out`. */
static inline char *kw_side_put_text(kw_side *side, char *out) {
    char text[2 * KW_DIGITS_TEXT] = {0};
    int rank, top = kw_side_top(side);
    for (rank = 0; rank < top; rank++) {
        if (side->stale >> rank & 1) {
            kw_pair pair = kw_side_level(side, rank);
            char *end = kw_put_digits(kw_put_digits(text, kw_price_of(pair)), (uint64_t)pair.qty);
            side->part[rank].size = (uint32_t)(end - text);
            memcpy(side->text[rank], text, KW_SLOT_TEXT);
        }
        memcpy(out, side->text[rank], KW_SLOT_TEXT);
        out += side->part[rank].size;
    }
    side->stale &= ~((1u << top) - 1);
    return out;
}

#if KW_CRC_CLMUL

/* Add the digits of a number that has `*behind` bytes behind it, which it increases. */
KW_CLMUL_TARGET static inline __m128i kw_add_digits(__m128i sum, uint64_t v, size_t *behind) {
    uint64_t word;
    int zeros;
    while (v >= KW_TEN8) {
        word = kw_eight_as_text((uint32_t)(v % KW_TEN8)) + KW_ZEROS8;
        sum = _mm_xor_si128(sum, kw_crc_product(word, *behind + 4));
        *behind += 8;
        v /= KW_TEN8;
    }
    if (v) {
        word = kw_eight_as_text((uint32_t)v);
        zeros = kw_leading_zeros(word);
        word = (word + KW_ZEROS8) >> (8 * zeros) << (8 * zeros);
        sum = _mm_xor_si128(sum, kw_crc_product(word, *behind + 4));
        *behind += (size_t)(8 - zeros);
    }
    return sum;
}

/* Make what a level brings to the checksum anew. */
KW_CLMUL_TARGET static inline void kw_side_refresh(kw_side *side, int rank) {
    kw_pair pair = kw_side_level(side, rank);
    size_t size = 0;
    __m128i sum = kw_add_digits(_mm_setzero_si128(), (uint64_t)pair.qty, &size);
    sum = kw_add_digits(sum, kw_price_of(pair), &size);
    side->part[rank].crc = kw_crc_sum8(sum);
    side->part[rank].size = (uint32_t)size;
}

/* Add what this side's best levels bring, with `*behind` bytes behind them, which it increases. */
KW_CLMUL_TARGET static inline __m128i kw_side_add(kw_side *side, __m128i sum, size_t *behind) {
    int rank, top = kw_side_top(side);
    uint32_t covered = (1u << top) - 1, stale = side->stale & covered;
    side->stale &= ~covered;
    for (; stale; stale &= stale - 1) kw_side_refresh(side, __builtin_ctz(stale));
    for (rank = top - 1; rank >= 0; rank--) {
        sum = _mm_xor_si128(sum, kw_crc_product(side->part[rank].crc, *behind));
        *behind += side->part[rank].size;
    }
    return sum;
}

#endif

#endif

/* Random messages into the book of book.h and into a plain one, allocations failing now and then.
 *
 * After every message levels and checksum must be those of the plain book; a message that is refused
 * (no memory) must have changed nothing. Arguments: seed, messages. Built with sanitizers.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failing; /* whether there is no memory */
static long refused;

static void *maybe_realloc(void *at, size_t size) { return failing ? NULL : realloc(at, size); }

#define realloc maybe_realloc
#include "book.h"
#undef realloc

#define PLAIN_MAX 4096

typedef struct { int64_t price, qty; } row;
typedef struct { row at[PLAIN_MAX]; int n; int sign; } plain;

static uint64_t state;

static uint64_t below(uint64_t bound) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

static void check(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "wrong: %s\n", what);
    exit(1);
}

static int sign_now;

static int by_price(const void *a, const void *b) {
    int64_t left = ((const row *)a)->price * sign_now, right = ((const row *)b)->price * sign_now;
    return (left > right) - (left < right);
}

static void plain_merge(plain *side, const kw_levels *levels, int depth) {
    int i, k;
    for (i = 0; i < levels->n; i++) {
        for (k = 0; k < side->n && side->at[k].price != levels->at[i].price; k++) {}
        if (k < side->n) side->at[k] = side->at[--side->n];
        if (levels->at[i].qty) {
            side->at[side->n].price = levels->at[i].price;
            side->at[side->n++].qty = levels->at[i].qty;
        }
    }
    sign_now = side->sign;
    qsort(side->at, (size_t)side->n, sizeof(row), by_price);
    if (side->n > depth) side->n = depth;
}

static uint32_t plain_checksum(const plain *asks, const plain *bids) {
    const plain *sides[2] = {asks, bids};
    uint32_t crc = ~0u;
    char text[64], *at;
    int i, s, bit;
    for (s = 0; s < 2; s++)
        for (i = 0; i < sides[s]->n && i < 10; i++) {
            sprintf(text, "%lld%lld", (long long)sides[s]->at[i].price, (long long)sides[s]->at[i].qty);
            for (at = text + (*text == '0'); *at; at++)
                for (crc ^= (unsigned char)*at, bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        }
    return ~crc;
}

static void same(const kw_side *side, const plain *expected, const char *what) {
    int i;
    check(side->n == expected->n, what);
    for (i = 0; i < side->n; i++) {
        kw_pair pair = kw_side_level(side, i);
        check(-pair.key == expected->at[i].price * expected->sign && pair.qty == expected->at[i].qty, what);
    }
}

static void fill(kw_levels *levels, int n, int sign, int reach, int order) {
    int i;
    for (levels->n = 0; levels->n < n; levels->n++) {
        if (levels->n == levels->cap) check(kw_levels_grow(levels), "memory of the test");
        kw_level *level = &levels->at[levels->n];
        memset(level, 0, sizeof *level);
        i = order > 0 ? levels->n : order < 0 ? n - 1 - levels->n : (int)below((uint64_t)reach);
        level->price = 1500 + sign * (i + 1);
        level->qty = below(4) ? (int64_t)below(below(2) ? 9 : 1000000000000000000) : 0;
    }
}

int main(int argc, char **argv) {
    static plain sides[2];
    static const int depths[] = {10, 25, 100, 1000};
    long n, messages = argc > 2 ? atol(argv[2]) : 1000;
    kw_book book, copy;
    kw_message message;
    int depth, reach, status, i;
    state = (argc > 1 ? strtoull(argv[1], NULL, 10) : 1) * 0x9E3779B97F4A7C15u | 1;
    kw_crc_setup();
    depth = depths[below(4)];
    reach = below(2) ? 12 : depth + 20;
    sides[0].sign = 1;
    sides[1].sign = -1;
    kw_book_init(&book, depth, 0, 0, 0);
    if (below(2)) kw_book_use_tables(&book);
    kw_message_init(&message);
    for (n = 0; n < messages; n++) {
        message.snapshot = n == 0 || below(100) == 0;
        i = message.snapshot ? (int)below(3) - 1 : 0;
        fill(&message.asks, (int)below(message.snapshot ? (uint64_t)depth + 30 : 4), 1, reach, i);
        fill(&message.bids, (int)below(below(50) ? 4 : 300), -1, reach, 0);
        failing = below(4) == 0;
        status = kw_book_take(&book, &message);
        if (status == KW_BOOK_EXACT) {
            check(failing, "refused although there was memory");
            refused++;
        } else if (status == KW_BOOK_STALE) {
            check(!message.snapshot && book.state == KW_EMPTY, "stale");
        } else {
            check(status == KW_BOOK_UNVERIFIED, "status");
            for (i = 0; i < 2; i++) {
                if (message.snapshot) sides[i].n = 0;
                plain_merge(&sides[i], i ? &message.bids : &message.asks, depth);
            }
        }
        same(&book.asks, &sides[0], "asks");
        same(&book.bids, &sides[1], "bids");
        if (book.state == KW_LIVE) check(book.crc == plain_checksum(&sides[0], &sides[1]), "checksum");
        failing = 0;
        if (below(20) == 0) {
            check(kw_book_copy(&copy, &book), "copy");
            same(&copy.asks, &sides[0], "asks of the copy");
            kw_book_free(&copy);
        }
    }
    kw_message_free(&message);
    kw_book_free(&book);
    printf("%ld\n", refused);
    return 0;
}

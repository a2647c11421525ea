/* An L2 book of scaled integers: takes messages whole or not at all, and proves itself by checksum.
 *
 * The twin of krakenwire/book/l2.py for all that fits an int64; the rest it refuses with KW_BOOK_EXACT,
 * and nothing has changed. It knows no Python. Next: side.h for the levels, books.pyx for the user's view.
 */
#ifndef KW_BOOK_H
#define KW_BOOK_H

#include "message.h"
#include "side.h"

enum { KW_EMPTY = 0, KW_LIVE = 1, KW_RESYNCING = 2 };

/* What became of a message; books.pxd says what each means. */
enum {
    KW_BOOK_EXACT = 0,
    KW_BOOK_VERIFIED = 1,
    KW_BOOK_UNVERIFIED = 2,
    KW_BOOK_MISMATCH = 3,
    KW_BOOK_STALE = 4,
    KW_BOOK_CROSSED = 5
};

typedef struct {
    kw_side asks, bids;
    int depth;
    int price_decimals, qty_decimals;   /* what the integers stand for */
    int given_price, given_qty;         /* the instrument's, at least as many are assumed of a snapshot */
    int state;
    int verify, verified;
    int has_time;
    int64_t time_ns;
    uint32_t crc;                       /* of the levels as they are now */
    uint32_t found;                     /* the one that the last mismatch was about */
    uint64_t verified_count;
} kw_book;

static inline void kw_book_use_tables(kw_book *book) {
    book->asks.tables = book->bids.tables = 1;
    book->asks.stale = book->bids.stale = KW_ALL_STALE;
    book->asks.dirty = book->bids.dirty = 1;
}

static inline void kw_book_init(kw_book *book, int depth, int price_decimals, int qty_decimals, int verify) {
    memset(book, 0, sizeof *book);
    book->depth = depth;
    book->price_decimals = book->given_price = price_decimals;
    book->qty_decimals = book->given_qty = qty_decimals;
    book->verify = verify;
    kw_side_clear(&book->asks);
    kw_side_clear(&book->bids);
    if (!kw_crc_clmul) kw_book_use_tables(book);
}

static inline void kw_book_free(kw_book *book) {
    free(book->asks.at);
    free(book->bids.at);
    book->asks.at = book->bids.at = NULL;
    book->asks.n = book->asks.cap = book->bids.n = book->bids.cap = 0;
}

static inline int kw_side_copy(kw_side *copy, const kw_side *side) {
    copy->start = 0;
    copy->cap = side->n;
    copy->at = NULL;
    if (!side->n) return 1;
    copy->at = (kw_pair *)malloc((size_t)side->n * sizeof(kw_pair));
    if (!copy->at) return 0;
    memcpy(copy->at, side->at + side->start, (size_t)side->n * sizeof(kw_pair));
    return 1;
}

/* Copy a book into an unused one, as small as can be; 0 when there is no memory. */
static inline int kw_book_copy(kw_book *copy, const kw_book *book) {
    *copy = *book;
    copy->bids.at = NULL;
    if (kw_side_copy(&copy->asks, &book->asks) && kw_side_copy(&copy->bids, &book->bids)) return 1;
    kw_book_free(copy);
    return 0;
}

static inline void kw_book_invalidate(kw_book *book) {
    book->state = KW_RESYNCING;
    book->verified = 0;
    book->crc = 0;
    kw_side_clear(&book->asks);
    kw_side_clear(&book->bids);
}

/* -- checksum ---------------------------------------------------------------------------------------- */

#if KW_CRC_CLMUL
KW_CLMUL_TARGET static inline uint32_t kw_book_sum(kw_book *book) {
    size_t size = 0; /* at most 20 levels of 38 digits, below KW_SHIFTS */
    __m128i sum = kw_side_add(&book->bids, _mm_setzero_si128(), &size);
    sum = kw_side_add(&book->asks, sum, &size);
    return ~kw_crc_sum4(_mm_xor_si128(sum, kw_crc_product(0xFFFFFFFFu, size)));
}
#endif

static inline uint32_t kw_book_text_sum(kw_book *book) {
    char text[(2 * KW_TOP + 1) * KW_SLOT_TEXT];
    char *end = kw_side_put_text(&book->bids, kw_side_put_text(&book->asks, text));
    return kw_crc32_tables(0, text, (size_t)(end - text));
}

/* Bring the checksum up to date. */
static inline void kw_book_checksum(kw_book *book) {
    if (!(book->asks.dirty | book->bids.dirty)) return;
    book->asks.dirty = book->bids.dirty = 0;
#if KW_CRC_CLMUL
    if (!book->asks.tables) {
        book->crc = kw_book_sum(book);
        return;
    }
#endif
    book->crc = kw_book_text_sum(book);
}

/* -- messages ---------------------------------------------------------------------------------------- */

/* Return whether a number fits an int64 at a scale of at most KW_DECIMALS_MAX. */
static inline int kw_number_fits(int64_t digits, int decimals, int scale) {
    if (decimals == scale) return digits >= 0;
    return decimals < scale && digits >= 0 && digits <= INT64_MAX / KW_POWERS[scale - decimals];
}

static inline int kw_levels_fit(const kw_levels *levels, int price_decimals, int qty_decimals) {
    const kw_level *level = levels->at, *end = level + levels->n;
    for (; level < end; level++)
        if (!kw_number_fits(level->price, level->price_decimals, price_decimals) ||
            !kw_number_fits(level->qty, level->qty_decimals, qty_decimals)) return 0;
    return 1;
}

/* Return whether every number of a message fits these decimals. */
static inline int kw_message_fits(const kw_message *message, int price_decimals, int qty_decimals) {
    return price_decimals <= KW_DECIMALS_MAX && qty_decimals <= KW_DECIMALS_MAX &&
           kw_levels_fit(&message->asks, price_decimals, qty_decimals) &&
           kw_levels_fit(&message->bids, price_decimals, qty_decimals);
}

/* Apply levels that fit, in order, to a side that has room for them; then cut it to the book's depth. */
static inline void kw_book_merge(const kw_book *book, kw_side *side, const kw_levels *levels, int64_t sign) {
    const kw_level *level = levels->at, *end = level + levels->n;
    if (level == end) return;
    for (; level < end; level++)
        kw_side_set(side, sign * level->price * KW_POWERS[book->price_decimals - level->price_decimals],
                    level->qty * KW_POWERS[book->qty_decimals - level->qty_decimals]);
    kw_side_truncate(side, book->depth);
}

static inline int kw_book_crossed(const kw_book *book) {
    return book->asks.n && book->bids.n &&
           -kw_side_level(&book->asks, 0).key <= kw_side_level(&book->bids, 0).key;
}

/* Compare with the checksum that came with the message. */
static inline int kw_book_settle(kw_book *book, const kw_message *message) {
    kw_side_trim(&book->asks, book->depth);
    kw_side_trim(&book->bids, book->depth);
    book->has_time = message->has_time;
    book->time_ns = message->time_ns;
    if (!message->has_checksum || !book->verify) {
        book->verified = 0;
        if (!kw_book_crossed(book)) return KW_BOOK_UNVERIFIED;
        kw_book_invalidate(book);
        return KW_BOOK_CROSSED;
    }
    if (message->checksum == book->crc) {
        book->verified = 1;
        book->verified_count++;
        return KW_BOOK_VERIFIED;
    }
    book->found = book->crc;
    kw_book_invalidate(book);
    return KW_BOOK_MISMATCH;
}

static inline void kw_most_decimals(const kw_levels *levels, int *price_decimals, int *qty_decimals) {
    const kw_level *level = levels->at, *end = level + levels->n;
    for (; level < end; level++) {
        if (level->price_decimals > *price_decimals) *price_decimals = level->price_decimals;
        if (level->qty_decimals > *qty_decimals) *qty_decimals = level->qty_decimals;
    }
}

static inline void kw_side_load(const kw_book *book, kw_side *side, const kw_levels *levels, int64_t sign) {
    kw_side_clear(side);
    side->start = levels->n + (side->cap - levels->n) / 4; /* snapshots come best first, so they grow downwards */
    kw_book_merge(book, side, levels, sign);
}

static inline void kw_book_load(kw_book *book, const kw_message *message, int price_decimals, int qty_decimals) {
    book->price_decimals = price_decimals;
    book->qty_decimals = qty_decimals;
    kw_side_load(book, &book->asks, &message->asks, -1);
    kw_side_load(book, &book->bids, &message->bids, 1);
    kw_book_checksum(book);
}

/* List the decimals to try, the likeliest first, none twice, and return how many; see `_paddings` in
 * krakenwire/book/l2.py for why. */
static inline int kw_book_paddings(const kw_book *book, const kw_message *message, int (*decimals)[2]) {
    const int least[3][2] = {
        {book->given_price, book->given_qty}, {book->price_decimals, book->qty_decimals}, {0, 0}};
    int own[2] = {0, 0}, tries = message->has_checksum ? 3 : 1, count = 0, i, k;
    kw_most_decimals(&message->asks, &own[0], &own[1]);
    kw_most_decimals(&message->bids, &own[0], &own[1]);
    for (i = 0; i < tries; i++) {
        for (k = 0; k < 2; k++) decimals[count][k] = own[k] > least[i][k] ? own[k] : least[i][k];
        for (k = 0; k < count; k++)
            if (decimals[k][0] == decimals[count][0] && decimals[k][1] == decimals[count][1]) break;
        count += k == count;
    }
    return count;
}

static inline int kw_book_replace(kw_book *book, const kw_message *message) {
    int decimals[3][2], i, tries = kw_book_paddings(book, message, decimals);
    for (i = 0; i < tries; i++)
        if (!kw_message_fits(message, decimals[i][0], decimals[i][1])) return KW_BOOK_EXACT;
    if (!kw_side_reserve(&book->asks, message->asks.n)) return KW_BOOK_EXACT;
    if (!kw_side_reserve(&book->bids, message->bids.n)) return KW_BOOK_EXACT;
    for (i = 0; i < tries; i++) {
        kw_book_load(book, message, decimals[i][0], decimals[i][1]);
        if (message->has_checksum && book->crc == message->checksum) break;
    }
    book->state = KW_LIVE;
    return kw_book_settle(book, message);
}

/* Take one message, whole or not at all, as `L2Book.apply` does. */
static inline int kw_book_take(kw_book *book, const kw_message *message) {
    if (message->snapshot) return kw_book_replace(book, message);
    if (book->state != KW_LIVE) return KW_BOOK_STALE;
    if (!kw_message_fits(message, book->price_decimals, book->qty_decimals)) return KW_BOOK_EXACT;
    if (!kw_side_reserve(&book->asks, (int64_t)book->asks.n + message->asks.n)) return KW_BOOK_EXACT;
    if (!kw_side_reserve(&book->bids, (int64_t)book->bids.n + message->bids.n)) return KW_BOOK_EXACT;
    kw_book_merge(book, &book->asks, &message->asks, -1);
    kw_book_merge(book, &book->bids, &message->bids, 1);
    kw_book_checksum(book);
    return kw_book_settle(book, message);
}

#endif

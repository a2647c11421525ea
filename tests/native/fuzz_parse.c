/* Fuzzes the parsers and the book: usage: fuzz_parse SEEDS FRAMES SEED. Built with the sanitizers.
 *
 * SEEDS holds frames: a line with the size of each, then its bytes. Each round spoils a frame in a few ways,
 * or not at all, copies it into a block of exactly its size, so that a read beyond it is seen, has both
 * parsers read it and checks what was taken. A book of its symbol then takes it too.
 */
#include <stdio.h>

#include "book.h"
#include "frame_v1.h"
#include "frame_v2.h"

#define CHECK(what)                                                                                  \
    do {                                                                                             \
        if (!(what)) {                                                                               \
            fprintf(stderr, "frame %lu of seed %lu, line %d: %s\n", round_now, seed_now, __LINE__, #what); \
            abort();                                                                                 \
        }                                                                                            \
    } while (0)

enum { FRAME_MAX = 1 << 20, BOOKS = 8, STEPS_MAX = 5 };

static const int64_t MOST = INT64_C(999999999999999999); /* of KW_DIGITS_MAX digits */

static unsigned long round_now, seed_now;
static uint64_t chance_state;

static uint64_t chance(uint64_t below) {
    uint64_t z = (chance_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % below;
}

/* -- frames ---------------------------------------------------------------------------------------- */

typedef struct {
    char *at;
    size_t size;
} text;

static text *seeds;
static size_t n_seeds;

static void load_seeds(const char *name) {
    char line[32];
    FILE *file = fopen(name, "rb");
    CHECK(file);
    while (fgets(line, sizeof line, file)) {
        text seed;
        seed.size = strtoul(line, NULL, 10);
        seed.at = (char *)malloc(seed.size + 1);
        seeds = (text *)realloc(seeds, (n_seeds + 1) * sizeof *seeds);
        CHECK(seed.at && seeds && seed.size <= FRAME_MAX / 4);
        CHECK(fread(seed.at, 1, seed.size, file) == seed.size);
        seeds[n_seeds++] = seed;
    }
    fclose(file);
    CHECK(n_seeds);
}

static char some_byte(void) {
    static const char likely[] = "0123456789.,:\"[]{}eE+-\\ \t\n\rTZabcrsup/\x7f\x80\xff";
    return chance(8) ? likely[chance(sizeof likely)] : (char)chance(256);
}

static void open_gap(text *frame, size_t at, size_t size) {
    memmove(frame->at + at + size, frame->at + at, frame->size - at);
    frame->size += size;
}

/* Spoil a frame in one way. Its block has FRAME_MAX bytes. */
static void spoil(text *frame) {
    size_t at = chance(frame->size + 1), size = 1 + chance(chance(2) ? 8 : 64), rest = frame->size - at;
    if (frame->size > FRAME_MAX / 2) frame->size = at;
    switch (chance(8)) {
    case 0: /* flip a bit */
        if (rest) frame->at[at] = (char)(frame->at[at] ^ 1 << chance(8));
        break;
    case 1: /* another byte */
        if (rest) frame->at[at] = some_byte();
        break;
    case 2:
        open_gap(frame, at, 1);
        frame->at[at] = some_byte();
        break;
    case 3: /* delete */
        if (size > rest) size = rest;
        memmove(frame->at + at, frame->at + at + size, rest - size);
        frame->size -= size;
        break;
    case 4: /* truncate */
        frame->size = at;
        break;
    case 5: { /* splice: go on with another frame */
        const text *other = &seeds[chance(n_seeds)];
        size_t from = chance(other->size + 1);
        memcpy(frame->at + at, other->at + from, other->size - from);
        frame->size = at + other->size - from;
        break;
    }
    case 6: /* duplicate a piece */
        if (size > rest) size = rest;
        open_gap(frame, at, size);
        break;
    default: /* another digit where one is */
        for (; at < frame->size; at++) {
            if (frame->at[at] >= '0' && frame->at[at] <= '9') {
                frame->at[at] = (char)('0' + chance(10));
                break;
            }
        }
    }
}

/* -- what must hold -------------------------------------------------------------------------------- */

static int is_count(int64_t n) { return n >= 0 && n <= MOST; }

static void check_levels(const kw_levels *levels, int version) {
    CHECK(levels->n >= 0 && levels->n <= levels->cap && levels->cap <= KW_LEVELS_MAX);
    for (int i = 0; i < levels->n; i++) {
        const kw_level *level = &levels->at[i];
        CHECK(is_count(level->price) && is_count(level->qty));
        CHECK(level->price_decimals < KW_DIGITS_MAX && level->qty_decimals < KW_DIGITS_MAX);
        CHECK(level->time_us >= 0 && level->time_us <= INT64_MAX / 1000 && level->republished <= (version == 1));
        CHECK(version == 1 || level->time_us == 0);
    }
}

static void check_trades(const kw_message *m, int version) {
    CHECK(m->n_trades >= 0 && m->n_trades <= m->trades_cap && m->trades_cap <= KW_TRADES_MAX);
    CHECK((m->n_trades > 0) == (m->kind == KW_TRADE));
    for (int i = 0; i < m->n_trades; i++) {
        const kw_trade *trade = &m->trades[i];
        CHECK(is_count(trade->price) && is_count(trade->qty) && trade->time_ns >= 0);
        CHECK(trade->price_decimals < KW_DIGITS_MAX && trade->qty_decimals < KW_DIGITS_MAX);
        CHECK(version == 1 ? trade->trade_id == -1 : is_count(trade->trade_id));
        CHECK(trade->side == 'b' || trade->side == 's');
        CHECK(trade->ord_type == 'm' || trade->ord_type == 'l');
    }
}

static void check_ticker(const kw_message *m) {
    for (int i = 0; i < KW_TICKER_NUMBERS; i++) {
        const kw_number *number = &m->numbers[i];
        CHECK(number->there == 1 || (number->there == 0 && i >= KW_CHANGE));
        CHECK(number->digits >= -MOST && number->digits <= MOST && number->decimals < KW_DIGITS_MAX);
    }
    CHECK(m->has_ticker_trades == 0 || is_count(m->ticker_trades));
}

static void check_message(const kw_message *m, const char *frame, size_t size, int version) {
    CHECK(m->kind == KW_BOOK || m->kind == KW_TRADE || (m->kind == KW_TICKER && version == 2));
    CHECK(m->snapshot == 0 || m->snapshot == 1);
    CHECK(m->symbol_size >= 1 && m->symbol_size <= 32 && (size_t)m->symbol_size < size);
    CHECK(m->symbol > frame && m->symbol + m->symbol_size < frame + size);
    CHECK(m->symbol[-1] == '"' && m->symbol[m->symbol_size] == '"');
    CHECK((m->depth > 0) == (version == 1 && m->kind == KW_BOOK));
    CHECK(m->extra_members >= 0 && (version == 2 || m->extra_members == 0));
    CHECK(m->has_checksum == 0 || m->kind == KW_BOOK);
    CHECK(m->has_time ? m->time_ns >= 0 : m->time_ns == 0);
    check_levels(&m->bids, version);
    check_levels(&m->asks, version);
    CHECK(m->kind == KW_BOOK || (m->bids.n == 0 && m->asks.n == 0));
    check_trades(m, version);
    if (m->kind == KW_TICKER) check_ticker(m);
}

static void check_side(const kw_side *side, int depth) {
    CHECK(side->n >= 0 && side->n <= depth);
    for (int rank = 0; rank < side->n; rank++) {
        CHECK(kw_side_level(side, rank).qty > 0);
        CHECK(!rank || kw_side_level(side, rank).key < kw_side_level(side, rank - 1).key);
    }
}

static void feed_book(kw_book *books, const kw_message *m) {
    kw_book *book = &books[(unsigned char)m->symbol[0] % BOOKS];
    int done = kw_book_take(book, m);
    CHECK(done >= KW_BOOK_EXACT && done <= KW_BOOK_CROSSED);
    if (done == KW_BOOK_VERIFIED || done == KW_BOOK_UNVERIFIED) {
        check_side(&book->asks, book->depth);
        check_side(&book->bids, book->depth);
    }
}

/* -- rounds ---------------------------------------------------------------------------------------- */

static unsigned long outcomes[2][3], fed;

static void parse_both(kw_message *m, kw_book *books, const text *frame) {
    char *block = (char *)malloc(frame->size ? frame->size : 1), *exact;
    CHECK(block);
    exact = frame->size ? block : block + 1;
    memcpy(exact, frame->at, frame->size);
    for (int version = 1; version <= 2; version++) {
        int result = version == 1 ? kw_parse_v1(m, exact, frame->size) : kw_parse_v2(m, exact, frame->size);
        CHECK(result == KW_UNUSUAL || result == KW_FOREIGN || result == KW_TAKEN);
        outcomes[version - 1][result + 1]++;
        if (result != KW_TAKEN) continue;
        check_message(m, exact, frame->size, version);
        if (m->kind == KW_BOOK && ++fed) feed_book(books, m);
    }
    free(block);
}

int main(int argc, char **argv) {
    static char room[FRAME_MAX + FRAME_MAX];
    const int depths[BOOKS] = {10, 25, 100, 500, 1000, 10, 25, 10};
    kw_message message;
    kw_book books[BOOKS];
    if (argc != 4) return 2;
    seed_now = strtoul(argv[3], NULL, 10);
    chance_state = seed_now;
    kw_crc_setup();
    load_seeds(argv[1]);
    kw_message_init(&message);
    for (int i = 0; i < BOOKS; i++) kw_book_init(&books[i], depths[i], 1, 8, i != 7);
    for (unsigned long frames = strtoul(argv[2], NULL, 10); round_now < frames; round_now++) {
        const text *seed = &seeds[chance(n_seeds)];
        text frame = {room, seed->size};
        memcpy(room, seed->at, seed->size);
        for (uint64_t steps = chance(STEPS_MAX); steps; steps--) spoil(&frame);
        parse_both(&message, books, &frame);
    }
    for (int version = 0; version < 2; version++)
        printf("v%d %lu %lu %lu\n", version + 1, outcomes[version][0], outcomes[version][1], outcomes[version][2]);
    printf("book %lu\n", fed);
    for (int i = 0; i < BOOKS; i++) kw_book_free(&books[i]);
    for (size_t i = 0; i < n_seeds; i++) free(seeds[i].at);
    free(seeds);
    kw_message_free(&message);
    return 0;
}

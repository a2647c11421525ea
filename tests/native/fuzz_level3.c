/* Level3 frames, whole and mutated, through parser and book: run under the sanitizers.
 *
 * Usage: fuzz_level3 SEED FRAMES. Prints how many frames were taken and how many refused. Each frame lies in
 * memory of exactly its size, so every read beyond it is seen. After a frame the book must be whole: links,
 * hash chains, order of the levels, and the checksum against a slow one, made in both ways that there are. A refused
 * frame must have changed nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "frame_level3.h"
#include "level3.h"

#define DEPTH 10
#define FRAME_MAX 65536

static uint64_t chance_state;

static uint32_t chance(uint32_t below) {
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)((chance_state >> 11) % below);
}

static void fail(const char *what) {
    fprintf(stderr, "the book is not whole: %s\n", what);
    abort();
}

/* -- frames -------------------------------------------------------------------------------------------- */

static const char *const events[] = {"add", "add", "modify", "delete"};
static const char *const numbers[] = {"0", "0.0", "5", "999999999999999999", "0.000000000000000001", "12.50"};
static const char soup[] = "0123456789.,:\"{}[]eE-+ \\nrt\x7f\xc3";

static char *put_number(char *at, uint32_t range, int decimals) {
    if (chance(400) == 0) return at + sprintf(at, "%s", numbers[chance(6)]);
    if (decimals == 0) return at + sprintf(at, "%u", chance(range));
    return at + sprintf(at, "%u.%0*u", chance(range), decimals, chance(9));
}

static char *put_order(char *at, int snapshot, int crowd) {
    char id[KW_ORDER_ID_MAX + 2];
    uint32_t size = chance(200) ? 19 : 1 + chance(KW_ORDER_ID_MAX + 1), who = chance(crowd ? 600 : 60);
    memset(id, 'O', size);
    id[size] = 0;
    id[size - 1] = (char)('A' + who % 26);
    if (size > 1) id[size - 2] = (char)('A' + who / 26);
    *at++ = '{';
    if (!snapshot) at += sprintf(at, "\"event\":\"%s\",", events[chance(4)]);
    at += sprintf(at, "\"order_id\":\"%s\",\"limit_price\":", id);
    at = crowd ? at + sprintf(at, "7.5") : put_number(at, 14, chance(200) ? 1 : (int)chance(6));
    at += sprintf(at, ",\"order_qty\":");
    at = put_number(at, 30000, chance(200) ? 4 : (int)chance(9));
    return at + sprintf(at, ",\"timestamp\":\"20%02u-%02u-1%uT0%u:5%u:4%u.%09uZ\"}", chance(100), 1 + chance(12),
                        chance(10), chance(10), chance(10), chance(10), chance(1000000000));
}

static char *put_side(char *at, int snapshot) {
    int crowd = snapshot && chance(20) == 0; /* all at one price: more text than one step of the checksum takes */
    uint32_t n = crowd ? chance(250) : snapshot ? chance(24) : chance(4), i;
    for (i = 0; i < n; i++) {
        if (i) *at++ = ',';
        at = put_order(at, snapshot, crowd);
    }
    return at;
}

static size_t make_frame(char *at, int snapshot) {
    char *start = at;
    at += sprintf(at, "{\"channel\":\"level3\",\"type\":\"%s\",\"data\":[{\"symbol\":\"A/B\",\"checksum\":%u,\"bids\":[",
                  snapshot ? "snapshot" : "update", chance(UINT32_MAX));
    at = put_side(at, snapshot);
    at += sprintf(at, "],\"asks\":[");
    at = put_side(at, snapshot);
    at += sprintf(at, "]%s}]}", chance(2) ? ",\"timestamp\":\"2031-02-03T04:05:06.789012Z\"" : "");
    return (size_t)(at - start);
}

static size_t mutate(char *frame, size_t size) {
    uint32_t times = 1 + chance(3), k;
    for (k = 0; k < times && size > 1; k++) {
        size_t at = chance((uint32_t)size), run = 1 + chance(20);
        switch (chance(4)) {
        case 0: frame[at] = chance(4) ? soup[chance(sizeof soup - 1)] : (char)chance(256); break;
        case 1:
            if (run > size - at) run = size - at;
            memmove(frame + at, frame + at + run, size - at - run);
            size -= run;
            break;
        case 2:
            if (run > size - at) run = size - at;
            if (size + run > FRAME_MAX) break;
            memmove(frame + at + run, frame + at, size - at);
            size += run;
            break;
        default:
            if (chance(4) == 0) size = at;
        }
    }
    return size;
}

/* -- is the book whole? --------------------------------------------------------------------------------- */

static uint32_t slow_crc(uint32_t crc, const char *text) {
    crc = ~crc;
    for (; *text; text++) {
        crc ^= (unsigned char)*text;
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static uint32_t check_side(const kw_queues *q, int price_scale, int qty_scale, uint32_t crc) {
    uint32_t orders = 0, rank;
    if (q->n_places > DEPTH || q->first + q->n_places > 2 * q->cap_queues) fail("levels");
    for (rank = 0; rank < q->n_places; rank++) {
        const kw_place *place = &q->room[q->first + q->n_places - 1 - rank];
        const kw_queue *queue = &q->queues[place->queue];
        uint32_t i, prev = KW_NONE;
        if (rank && place->key >= place[1].key) fail("order of levels");
        if (queue->key != place->key || queue->head == KW_NONE) fail("level");
        for (i = queue->head; i != KW_NONE; prev = i, i = q->orders[i].next, orders++) {
            const kw_resting *r = &q->orders[i];
            kw_order wanted = {.id = r->id, .id_size = r->id_size};
            char text[64];
            if (r->prev != prev || r->level != place->queue || i >= q->used_orders || !r->qty) fail("queue");
            if (kw_queues_find(q, &wanted, kw_id_hash(r->id, r->id_size, q->seed)) != i) fail("hash");
            if (place->key != q->sign * r->price * KW_POWERS[price_scale - r->price_decimals]) fail("price");
            sprintf(text, "%.0" PRId64 "%" PRId64 "%.*s", place->key < 0 ? -place->key : place->key, r->qty,
                    qty_scale - r->qty_decimals, "000000000000000000");
            if (rank < KW_CHECKSUM_LEVELS) crc = slow_crc(crc, text);
        }
        if (queue->tail != prev) fail("tail");
    }
    if (orders != q->n_orders || q->used_orders > q->cap_orders) fail("count of orders");
    return crc;
}

static void check(const kw_l3 *b) {
    uint32_t crc = check_side(&b->asks, b->price_scale, b->qty_scale, 0);
    if (check_side(&b->bids, b->price_scale, b->qty_scale, crc) != b->checksum) fail("checksum");
}

static void check_copy(const kw_l3 *b) {
    kw_l3 copy;
    if (!kw_l3_copy(&copy, b)) fail("copy");
    if (kw_queues_text_crc(&copy.bids, kw_queues_text_crc(&copy.asks, 0)) != b->checksum) fail("checksum of the copy");
    kw_l3_free(&copy);
}

int main(int argc, char **argv) {
    long frames = argc > 2 ? atol(argv[2]) : 0, n, taken = 0;
    static char text[2 * FRAME_MAX];
    kw_level3 m;
    kw_l3 b;
    int live = 0, clmul;
    chance_state = UINT64_C(0x9E3779B97F4A7C15) ^ (argc > 1 ? (uint64_t)atoll(argv[1]) : 0);
    kw_crc_setup();
    clmul = kw_crc_clmul;
    kw_level3_init(&m);
    kw_l3_init(&b, chance_state);
    for (n = 0; n < frames; n++) {
        size_t size = make_frame(text, n == 0 || chance(50) == 0);
        char *frame;
        kw_crc_clmul = clmul && chance(4); /* other machines have only the tables */
        if (n && chance(3) == 0) size = mutate(text, size);
        frame = (char *)malloc(size ? size : 1);
        if (!frame) return 2;
        memcpy(frame, text, size);
        if (kw_parse_level3(&m, frame, size) == KW_TAKEN && (live || m.snapshot) && kw_l3_take(&b, &m, DEPTH, 1, 4)) {
            taken++;
            live = 1;
            check(&b);
        } else if (chance(8) == 0) {
            check(&b);
        }
        free(frame);
        if (chance(64) == 0) check_copy(&b);
    }
    kw_l3_free(&b);
    kw_level3_free(&m);
    printf("%ld %ld\n", taken, frames - taken);
    return 0;
}

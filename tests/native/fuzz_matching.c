/* Random commands against the matching engine, hostile values among them, with every link of the book checked.
 *
 *   fuzz_matching SEED COMMANDS [FAILURES]
 *
 * FAILURES: one in so many requests for memory is refused; the book must be whole all the same. Built with the
 * sanitizers by test_matching_twin.py. Ends with 1 and a line on stderr when anything is wrong.
 */
#include <stdio.h>
#include <stdlib.h>

static unsigned long refuse_one_in;
static unsigned long long state;

static unsigned long long draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545F4914F6CDD1DULL >> 11;
}

static unsigned long below(unsigned long limit) { return (unsigned long)(draw() % limit); }

static void *scarce(void *at, size_t size) {
    return refuse_one_in && below(refuse_one_in) == 0 ? NULL : realloc(at, size);
}

#define KW_REALLOC scarce
#include "matching.h"

#define EXPECT(condition) do { if (!(condition)) { \
    fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition); exit(1); } } while (0)

static uint32_t check_queue(const kw_engine *e, int side, uint32_t at) {
    const kw_level_queue *level = &e->levels[at];
    kw_total qty = {0, 0}, hidden = {0, 0};
    uint32_t count = 0, previous = 0;
    EXPECT(level->price > 0 && level->price <= KW_PRICE_MAX);
    EXPECT(kw_table_find(&e->prices, level->price) == at);
    for (uint32_t slot = level->first; slot; slot = e->orders[slot].next) {
        const kw_order *order = &e->orders[slot];
        EXPECT(slot < e->orders_made && order->level == at && order->previous == previous);
        EXPECT(kw_is_sell(order) == side && kw_table_find(&e->ids, order->id) == slot);
        EXPECT(order->qty > 0 && order->hidden >= 0 && order->qty <= KW_QTY_MAX - order->hidden);
        EXPECT(order->hidden == 0 || order->display > 0);
        EXPECT(!(order->flags & KW_REDUCE_ONLY) || e->bounds[slot] >= order->qty + order->hidden);
        kw_total_add(&qty, order->qty);
        kw_total_add(&hidden, order->hidden);
        previous = slot;
        EXPECT(++count <= e->ids.n);
    }
    EXPECT(count > 0 && count == level->count && previous == level->last);
    EXPECT(qty.low == level->qty.low && qty.high == level->qty.high);
    EXPECT(hidden.low == level->hidden.low && hidden.high == level->hidden.high);
    return count;
}

static void check(const kw_engine *e) {
    uint32_t orders = 0;
    for (int side = 0; side < 2; side++) {
        const kw_ladder *ladder = &e->sides[side];
        for (uint32_t rank = 0; rank < ladder->n; rank++) {
            EXPECT(!rank || ladder->at[rank - 1].key < ladder->at[rank].key);
            EXPECT(ladder->at[rank].key == kw_key(side, e->levels[ladder->at[rank].level].price));
            orders += check_queue(e, side, ladder->at[rank].level);
        }
    }
    EXPECT(orders == e->ids.n && e->prices.n == e->sides[0].n + e->sides[1].n);
    if (e->sides[0].n && e->sides[1].n) {
        EXPECT(e->sides[0].at[e->sides[0].n - 1].key < -e->sides[1].at[e->sides[1].n - 1].key);
    }
}

static int64_t hostile(void) {
    static const int64_t values[] = {
        0, 1, -1, INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX - 1, INT64_C(1) << 62, (INT64_C(1) << 62) + 1,
        (INT64_C(1) << 62) - 1, INT64_C(1) << 32, 1000, 1001,
    };
    return values[below(sizeof values / sizeof *values)];
}

static int64_t some(int64_t usual) { return below(40) ? usual : hostile(); }

static int64_t some_id(void) {
    static const int shifts[] = {0, 0, 0, 12, 40};
    return some((int64_t)(1 + below(3000)) << shifts[below(5)]);
}

static int64_t some_price(void) { return below(50) ? some(1000 + (int64_t)below(40)) : (int64_t)below(1UL << 30) * 7919; }

static int64_t submit(kw_engine *e) {
    int64_t flags = below(3) ? 0 : (int64_t)below(128), price = some_price(), bound = 0, display = 0;
    if (flags & KW_MARKET && below(8)) price = 0;
    if (flags & KW_REDUCE_ONLY) bound = some((int64_t)below(60));
    if (!below(3)) display = some(1 + (int64_t)below(9));
    if (kw_bad_flags(flags, price, bound)) return -KW_BAD_FLAGS;
    uint32_t all = (uint32_t)flags | (below(2) ? KW_SELL : 0) | (display ? KW_ICEBERG : 0);
    return kw_engine_submit(e, some_id(), price, some(1 + (int64_t)below(50)), hostile(), all,
                            below(2) ? (int64_t)below(3) : hostile(), display, bound);
}

static int64_t amend(kw_engine *e) {
    uint32_t what = (uint32_t)below(16) << 9 | (below(8) ? 0 : KW_POST_ONLY);
    return kw_engine_amend(e, some_id(), hostile(), what, some(1 + (int64_t)below(50)), some_price(),
                           some(1 + (int64_t)below(9)), some((int64_t)below(60)));
}

static void command(kw_engine *e, unsigned long long seen[3]) {
    int64_t answer;
    uint64_t revision = e->revision;
    unsigned long kind = below(20);
    e->want_events = below(2) != 0;
    e->events.n = 0;
    if (kind < 11) answer = submit(e);
    else if (kind < 15) answer = kw_engine_cancel(e, some_id(), hostile()) ? 0 : -KW_UNKNOWN_ORDER;
    else if (kind < 19) answer = amend(e);
    else answer = kw_fillable(e, below(2) != 0, below(2) ? INT64_MIN : kw_key(1, 1 + (int64_t)below(1100)),
                              (int64_t)(draw() | 1), (int64_t)below(3), (uint32_t)below(128));
    EXPECT(answer >= 0 || e->revision == revision);
    EXPECT(answer >= 0 || e->events.n == 0);
    seen[answer < 0 ? 1 : answer > 0 ? 2 : 0]++;
    if (e->trades.n > 100000) e->trades.n = 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    unsigned long commands = strtoul(argv[2], NULL, 10);
    unsigned long long seen[3] = {0, 0, 0};
    kw_engine engine;
    memset(&engine, 0, sizeof engine);
    state = strtoull(argv[1], NULL, 10) * 2 + 1;
    for (int warm = 0; warm < 16; warm++) draw();
    if (!kw_engine_init(&engine)) return 1;
    refuse_one_in = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    engine.want_trades = 1;
    for (unsigned long done = 0; done < commands; done++) {
        command(&engine, seen);
        if (done % 64 == 0 || done + 1 == commands) check(&engine);
    }
    printf("%llu %llu %llu %u\n", seen[0], seen[1], seen[2], engine.ids.n);
    kw_engine_free(&engine);
    return 0;
}

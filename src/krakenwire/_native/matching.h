/* The rules of matching over the store of matching_store.h: the C core of `matching.pyx`.
 *
 * What every rule means is said once, in the docstrings of `krakenwire/venue/matching/matching.py`; this must do exactly
 * the same. A refused command changes nothing. Numbers from outside are checked by kw_engine_submit and
 * kw_engine_amend, whatever they are; order ids, prices and quantities that got past them are above zero.
 */
#ifndef KW_MATCHING_H
#define KW_MATCHING_H

#include "matching_store.h"

enum { /* of an order; the first seven are `OrderFlag` */
    KW_IOC = 1, KW_FOK = 2, KW_POST_ONLY = 4, KW_MARKET = 8, KW_REDUCE_ONLY = 16, KW_CANCEL_OLDEST = 32,
    KW_CANCEL_BOTH = 64, KW_FLAGS = 127,
    KW_ICEBERG = 128, KW_SELL = 256
};
enum { /* what an amendment changes, beside KW_POST_ONLY */
    KW_NEW_QTY = 512, KW_NEW_PRICE = 1024, KW_NEW_DISPLAY = 2048, KW_NEW_BOUND = 4096
};
enum { /* refusals, as negative answers; the order of `REFUSALS` */
    KW_UNKNOWN_ORDER = 1, KW_DUPLICATE_ORDER, KW_NOT_POSITIVE, KW_TOO_LARGE, KW_BAD_FLAGS, KW_NOTHING_TO_REDUCE,
    KW_DISPLAY_TOO_SMALL, KW_POST_ONLY_CROSSES, KW_CANNOT_FILL, KW_NO_CHANGE, KW_NOT_AN_ICEBERG,
    KW_NOT_REDUCE_ONLY,
    KW_NO_MEMORY = 100 /* not a refusal: nothing was done, the face raises */
};

#define KW_PRICE_MAX (INT64_C(1) << 62)
#define KW_QTY_MAX (INT64_C(1) << 62)
#define KW_SLICES_MAX 1000
#define KW_ORDERS_MAX (UINT32_C(1) << 30) /* half of the largest table */

typedef struct {
    kw_order *orders;        /* from 1 */
    int64_t *bounds;         /* beside orders: what a reduce-only one may still trade */
    kw_level_queue *levels;  /* from 1; never more than orders, so they share their capacity */
    uint32_t cap;            /* of both, the unused 0 included */
    uint32_t orders_made, orders_free, levels_made, levels_free;
    uint32_t spare;          /* commands that surely find room without making any */
    kw_ladder sides[2];      /* bids, asks */
    kw_table ids, prices;    /* no price has orders on both sides */
    kw_records events;       /* of one command, when asked for */
    kw_records trades;       /* since they were last taken */
    int want_events, want_trades;
    int64_t n_trades;
    uint64_t revision;       /* counts the commands that may have changed the book */
} kw_engine;

/* One incoming order on its way through the book. */
typedef struct {
    int64_t id, price, left, time_ns, owner;
    uint32_t flags;
    int alive;               /* 0: ended by self-trade prevention */
} kw_taker;

/* -- life and room -------------------------------------------------------------------------------------------- */

static inline void kw_engine_free(kw_engine *e) {
    free(e->orders);
    free(e->bounds);
    free(e->levels);
    free(e->sides[0].at);
    free(e->sides[1].at);
    free(e->ids.at);
    free(e->prices.at);
    free(e->events.at);
    free(e->trades.at);
    memset(e, 0, sizeof *e);
}

static inline int kw_grow(void **at, size_t count, size_t size) {
    if (count > SIZE_MAX / size) return 0;
    void *grown = KW_REALLOC(*at, count * size);
    if (!grown) return 0;
    *at = grown;
    return 1;
}

static inline int kw_engine_grow_pool(kw_engine *e) {
    uint32_t cap = e->cap ? e->cap * 2 : 1024;
    if (cap > KW_ORDERS_MAX || !kw_grow((void **)&e->orders, cap, sizeof(kw_order))
        || !kw_grow((void **)&e->bounds, cap, sizeof(int64_t))
        || !kw_grow((void **)&e->levels, cap, sizeof(kw_level_queue))) return 0;
    if (!e->cap) e->orders_made = e->levels_made = 1;
    e->cap = cap;
    return 1;
}

static inline int kw_ladder_grow(kw_ladder *ladder, uint32_t cap) {
    if (ladder->cap >= cap) return 1;
    if (!kw_grow((void **)&ladder->at, cap, sizeof(kw_rung))) return 0;
    ladder->cap = cap;
    return 1;
}

static inline int kw_table_bits(const kw_table *table) { return 66 - table->shift; }

/* Make room for at least one more order anywhere, and count for how many; 0 when there is no memory. */
static inline int kw_engine_make_room(kw_engine *e) {
    if (!e->ids.at && !kw_table_resize(&e->ids, 12)) return 0;
    if (!e->prices.at && !kw_table_resize(&e->prices, 8)) return 0;
    if (e->ids.n + 1 >= e->cap && !kw_engine_grow_pool(e)) return 0;
    if (e->ids.n >= e->ids.mask / 2 && !kw_table_resize(&e->ids, kw_table_bits(&e->ids) + 1)) return 0;
    if (e->prices.n >= e->prices.mask / 2 && !kw_table_resize(&e->prices, kw_table_bits(&e->prices) + 1)) return 0;
    for (int side = 0; side < 2; side++) {
        kw_ladder *ladder = &e->sides[side];
        if (ladder->n == ladder->cap && !kw_ladder_grow(ladder, ladder->cap ? ladder->cap * 2 : 256)) return 0;
    }
    uint32_t room = e->cap - 1 - e->ids.n;
    if (room > e->ids.mask / 2 + 1 - e->ids.n) room = e->ids.mask / 2 + 1 - e->ids.n;
    if (room > e->prices.mask / 2 + 1 - e->prices.n) room = e->prices.mask / 2 + 1 - e->prices.n;
    for (int side = 0; side < 2; side++) {
        if (room > e->sides[side].cap - e->sides[side].n) room = e->sides[side].cap - e->sides[side].n;
    }
    e->spare = room;
    return 1;
}

/* Ready an engine of zeros; 0 when there is no memory. */
static inline int kw_engine_init(kw_engine *e) { return kw_engine_make_room(e); }

/* Before a command that may rest an order. Each takes one from what is spare, whether it rests or not. */
static inline int kw_engine_reserve(kw_engine *e) {
    if (KW_RARELY(e->spare == 0) && !kw_engine_make_room(e)) return 0;
    e->spare--;
    return 1;
}

/* -- records ---------------------------------------------------------------------------------------------------- */

static inline void kw_tell(
    kw_engine *e, int kind, int reason, int is_sell, int64_t id, int64_t price, int64_t qty, int64_t time_ns
) {
    if (!e->want_events) return;
    kw_record *record = kw_records_next(&e->events);
    if (!record) return;
    memset(record, 0, sizeof *record);
    record->kind = (uint8_t)kind;
    record->reason = (uint8_t)reason;
    record->is_sell = is_sell != 0;
    record->order_id = id;
    record->price = price;
    record->qty = qty;
    record->time_ns = time_ns;
}

static inline void kw_tell_trade(
    kw_engine *e, const kw_order *maker, int64_t maker_left, const kw_taker *taker, int64_t price, int64_t qty
) {
    e->n_trades++;
    if (!e->want_events && !e->want_trades) return;
    kw_record *record = kw_records_next(e->want_events ? &e->events : &e->trades);
    if (!record) return;
    record->kind = KW_TRADED;
    record->reason = 0;
    record->is_sell = (taker->flags & KW_SELL) != 0;
    record->order_id = maker->id;
    record->taker_id = taker->id;
    record->price = price;
    record->qty = qty;
    record->maker_left = maker_left;
    record->taker_left = taker->left;
    record->time_ns = taker->time_ns;
}

/* -- queues -------------------------------------------------------------------------------------------------------- */

static inline int kw_is_sell(const kw_order *order) { return (order->flags & KW_SELL) != 0; }

static inline int64_t kw_key(int is_sell, int64_t price) { return is_sell ? -price : price; }

static inline void kw_append(kw_engine *e, uint32_t at, uint32_t slot) {
    kw_level_queue *level = &e->levels[at];
    kw_order *order = &e->orders[slot];
    order->level = at;
    order->previous = level->last;
    order->next = 0;
    if (level->last) e->orders[level->last].next = slot;
    else level->first = slot;
    level->last = slot;
    level->count++;
    kw_total_add(&level->qty, order->qty);
    kw_total_add(&level->hidden, order->hidden);
    level->time_ns = order->time_ns;
}

static inline void kw_unlink(kw_engine *e, kw_level_queue *level, const kw_order *order) {
    if (order->previous) e->orders[order->previous].next = order->next;
    else level->first = order->next;
    if (order->next) e->orders[order->next].previous = order->previous;
    else level->last = order->previous;
    level->count--;
    kw_total_take(&level->qty, order->qty);
    kw_total_take(&level->hidden, order->hidden);
}

/* Put an order at the end of the queue at a price; room was reserved. */
static inline void kw_join(kw_engine *e, uint32_t slot, int64_t price) {
    uint32_t at = kw_table_find(&e->prices, price);
    if (!at) {
        if (e->levels_free) {
            at = e->levels_free;
            e->levels_free = e->levels[at].next_free;
        } else {
            at = e->levels_made++;
        }
        memset(&e->levels[at], 0, sizeof e->levels[at]);
        e->levels[at].price = price;
        kw_table_put(&e->prices, price, at);
        int is_sell = kw_is_sell(&e->orders[slot]);
        kw_ladder_insert(&e->sides[is_sell], kw_key(is_sell, price), at);
    }
    kw_append(e, at, slot);
}

/* Take an order out of its queue; the level goes with its last order. */
static inline void kw_leave(kw_engine *e, uint32_t slot, int64_t time_ns) {
    const kw_order *order = &e->orders[slot];
    uint32_t at = order->level;
    kw_level_queue *level = &e->levels[at];
    kw_unlink(e, level, order);
    level->time_ns = time_ns;
    if (level->count) return;
    int is_sell = kw_is_sell(order);
    kw_ladder_remove(&e->sides[is_sell], kw_key(is_sell, level->price));
    kw_table_drop(&e->prices, level->price);
    level->next_free = e->levels_free;
    e->levels_free = at;
}

static inline uint32_t kw_take_slot(kw_engine *e) {
    uint32_t slot = e->orders_free;
    if (!slot) return e->orders_made++;
    e->orders_free = e->orders[slot].next;
    return slot;
}

static inline void kw_forget(kw_engine *e, uint32_t slot) {
    kw_table_drop(&e->ids, e->orders[slot].id);
    e->orders[slot].next = e->orders_free;
    e->orders_free = slot;
}

/* Take an order out of the book for good. */
static inline void kw_remove(kw_engine *e, uint32_t slot, int64_t time_ns, int reason) {
    const kw_order *order = &e->orders[slot];
    kw_tell(e, KW_REMOVED, reason, kw_is_sell(order), order->id, e->levels[order->level].price, order->qty, time_ns);
    kw_leave(e, slot, time_ns);
    kw_forget(e, slot);
}

/* Show no more of what is left than an iceberg may. */
static inline void kw_show(kw_order *order, int64_t left) {
    order->qty = order->display && order->display < left ? order->display : left;
    order->hidden = left - order->qty;
}

static inline void kw_rest(kw_engine *e, uint32_t slot, int64_t price) {
    const kw_order *order = &e->orders[slot];
    kw_join(e, slot, price);
    kw_tell(e, KW_RESTED, 0, kw_is_sell(order), order->id, price, order->qty, order->time_ns);
}

static inline void kw_reduce(kw_engine *e, kw_order *order, int64_t qty, int64_t time_ns, int reason) {
    kw_level_queue *level = &e->levels[order->level];
    kw_total_take(&level->qty, order->qty - qty);
    level->time_ns = time_ns;
    order->qty = qty;
    kw_tell(e, KW_CHANGED, reason, kw_is_sell(order), order->id, level->price, qty, time_ns);
}

static inline void kw_refill(kw_engine *e, uint32_t slot, int64_t time_ns) {
    kw_order *order = &e->orders[slot];
    kw_level_queue *level = &e->levels[order->level];
    int is_sell = kw_is_sell(order);
    kw_tell(e, KW_REMOVED, KW_BY_REFILL, is_sell, order->id, level->price, order->qty, time_ns);
    kw_unlink(e, level, order);
    kw_show(order, order->hidden);
    order->time_ns = time_ns;
    kw_append(e, order->level, slot);
    kw_tell(e, KW_RESTED, 0, is_sell, order->id, level->price, order->qty, time_ns);
}

/* -- matching ------------------------------------------------------------------------------------------------------- */

static inline int kw_crosses(const kw_engine *e, int is_sell, int64_t price) {
    const kw_ladder *other = &e->sides[!is_sell];
    return other->n && other->at[other->n - 1].key >= kw_key(!is_sell, price);
}

/* What an owner's order could trade at a level, up to `enough`; `ended` when it would be cancelled there. */
static inline int64_t kw_reachable(
    const kw_engine *e, const kw_level_queue *level, int64_t enough, int64_t owner, uint32_t flags, int *ended
) {
    int64_t found = 0;
    kw_total hidden = {0, 0};
    for (uint32_t slot = level->first; slot; slot = e->orders[slot].next) {
        const kw_order *order = &e->orders[slot];
        if (order->owner == owner) {
            if (flags & KW_CANCEL_OLDEST) continue;
            *ended = 1;
            return found;
        }
        found += order->qty < enough - found ? order->qty : enough - found;
        if (found == enough) return found;
        kw_total_add(&hidden, order->hidden);
    }
    return found + kw_total_upto(&hidden, enough - found);
}

/* Lots an order could trade at once, counting no further than `enough`, which is not negative. */
static inline int64_t kw_fillable(
    const kw_engine *e, int is_sell, int64_t limit_key, int64_t enough, int64_t owner, uint32_t flags
) {
    const kw_ladder *other = &e->sides[!is_sell];
    int64_t found = 0;
    int ended = 0;
    for (uint32_t rank = other->n; rank && found < enough && !ended; rank--) {
        if (other->at[rank - 1].key < limit_key) break;
        const kw_level_queue *level = &e->levels[other->at[rank - 1].level];
        if (owner) {
            found += kw_reachable(e, level, enough - found, owner, flags, &ended);
        } else {
            found += kw_total_upto(&level->qty, enough - found);
            found += kw_total_upto(&level->hidden, enough - found);
        }
    }
    return found;
}

static inline void kw_trade(kw_engine *e, uint32_t slot, kw_taker *taker, int64_t price) {
    kw_order *maker = &e->orders[slot];
    int64_t qty = taker->left < maker->qty ? taker->left : maker->qty;
    taker->left -= qty;
    if (maker->flags & KW_REDUCE_ONLY) e->bounds[slot] -= qty;
    kw_tell_trade(e, maker, maker->qty - qty + maker->hidden, taker, price, qty);
    if (qty < maker->qty) kw_reduce(e, maker, maker->qty - qty, taker->time_ns, KW_BY_TRADE);
    else if (maker->hidden) kw_refill(e, slot, taker->time_ns);
    else kw_remove(e, slot, taker->time_ns, KW_BY_TRADE);
}

/* Trade against the other side, best price and oldest order first. */
static inline void kw_match(kw_engine *e, kw_taker *taker) {
    int is_sell = (taker->flags & KW_SELL) != 0;
    const kw_ladder *other = &e->sides[!is_sell];
    int64_t limit = taker->flags & KW_MARKET ? INT64_MIN : kw_key(!is_sell, taker->price);
    while (taker->left && other->n && other->at[other->n - 1].key >= limit) {
        const kw_level_queue *level = &e->levels[other->at[other->n - 1].level];
        uint32_t slot = level->first;
        if (!taker->owner || e->orders[slot].owner != taker->owner) {
            kw_trade(e, slot, taker, level->price);
            continue;
        }
        if (taker->flags & (KW_CANCEL_OLDEST | KW_CANCEL_BOTH)) {
            kw_remove(e, slot, taker->time_ns, KW_BY_SELF_TRADE);
        }
        if (!(taker->flags & KW_CANCEL_OLDEST)) {
            taker->alive = 0;
            return;
        }
    }
}

static inline void kw_finish(kw_engine *e, const kw_taker *taker) {
    int reason = !taker->left ? KW_IS_FILLED : !taker->alive ? KW_BY_SELF_TRADE
        : taker->flags & KW_MARKET ? KW_NO_LIQUIDITY : KW_IS_IOC;
    kw_tell(e, KW_FINISHED, reason, taker->flags & KW_SELL, taker->id, 0, taker->left, taker->time_ns);
}

/* -- commands --------------------------------------------------------------------------------------------------------- */

/* Whether the flags of a compact call are unknown, contradict each other, or do not go with the values. */
static inline int kw_bad_flags(int64_t flags, int64_t price, int64_t bound) {
    return (flags & ~(int64_t)KW_FLAGS) || (flags & (KW_IOC | KW_FOK)) == (KW_IOC | KW_FOK)
        || (flags & (KW_CANCEL_OLDEST | KW_CANCEL_BOTH)) == (KW_CANCEL_OLDEST | KW_CANCEL_BOTH)
        || (flags & KW_MARKET && price) || (bound && !(flags & KW_REDUCE_ONLY));
}

static inline int kw_range_refusal(int64_t qty, int64_t price, int64_t display, uint32_t flags) {
    if (qty <= 0 || price <= 0 || (flags & KW_ICEBERG && display <= 0)) return KW_NOT_POSITIVE;
    if (qty > KW_QTY_MAX || price > KW_PRICE_MAX || (flags & KW_ICEBERG && display > KW_QTY_MAX)) return KW_TOO_LARGE;
    return 0;
}

static inline int kw_display_too_small(int64_t qty, int64_t display, uint32_t flags) {
    return flags & KW_ICEBERG && (qty - 1) / KW_SLICES_MAX >= display;
}

static inline void kw_enter_rest(kw_engine *e, const kw_taker *taker, int64_t display, int64_t bound) {
    uint32_t slot = kw_take_slot(e);
    kw_order *order = &e->orders[slot];
    order->id = taker->id;
    order->display = display;
    order->owner = taker->owner;
    order->time_ns = taker->time_ns;
    order->flags = taker->flags;
    kw_show(order, taker->left);
    if (taker->flags & KW_REDUCE_ONLY) e->bounds[slot] = bound;
    kw_table_put(&e->ids, taker->id, slot);
    kw_rest(e, slot, taker->price);
}

/* Take in an order. `flags` has KW_SELL to sell, KW_ICEBERG with a display quantity; price 0 with KW_MARKET.
 * Returns the lots it traded, or the negative of why not. */
static inline int64_t kw_engine_submit(
    kw_engine *e, int64_t id, int64_t price, int64_t qty, int64_t time_ns, uint32_t flags, int64_t owner,
    int64_t display, int64_t bound
) {
    int is_sell = (flags & KW_SELL) != 0, refusal;
    if (!kw_engine_reserve(e)) return -KW_NO_MEMORY;
    if (id > 0 && kw_table_find(&e->ids, id)) return -KW_DUPLICATE_ORDER;
    refusal = kw_range_refusal(qty, flags & KW_MARKET ? 1 : price, display, flags);
    if (refusal) return -refusal;
    if (flags & KW_REDUCE_ONLY) {
        if (bound <= 0) return -KW_NOTHING_TO_REDUCE;
        if (qty > bound) qty = bound;
    }
    if (id <= 0) return -KW_NOT_POSITIVE;
    if (kw_display_too_small(qty, display, flags)) return -KW_DISPLAY_TOO_SMALL;
    if (flags & KW_POST_ONLY && (flags & KW_MARKET || kw_crosses(e, is_sell, price))) return -KW_POST_ONLY_CROSSES;
    if (flags & KW_FOK) {
        int64_t limit = flags & KW_MARKET ? INT64_MIN : kw_key(!is_sell, price);
        if (kw_fillable(e, is_sell, limit, qty, owner, flags) < qty) return -KW_CANNOT_FILL;
    }
    kw_taker taker = {id, price, qty, time_ns, owner, flags, 1};
    e->revision++;
    kw_tell(e, KW_ACCEPTED, 0, is_sell, id, price, qty, time_ns);
    kw_match(e, &taker);
    if (taker.left && taker.alive && !(flags & (KW_MARKET | KW_IOC | KW_FOK))) {
        kw_enter_rest(e, &taker, flags & KW_ICEBERG ? display : 0, bound - (qty - taker.left));
    } else {
        kw_finish(e, &taker);
    }
    return qty - taker.left;
}

/* Take a resting order out; 1 when it was there. */
static inline int kw_engine_cancel(kw_engine *e, int64_t id, int64_t time_ns) {
    uint32_t slot = id > 0 ? kw_table_find(&e->ids, id) : 0;
    if (!slot) return 0;
    e->revision++;
    kw_remove(e, slot, time_ns, KW_BY_CANCEL);
    return 1;
}

/* Leave `qty` lots of an order in its place; what it hides goes first. */
static inline void kw_shrink(kw_engine *e, kw_order *order, int64_t qty, int64_t time_ns) {
    int64_t hidden = qty > order->qty ? qty - order->qty : 0;
    kw_total_take(&e->levels[order->level].hidden, order->hidden - hidden);
    order->hidden = hidden;
    if (qty < order->qty) kw_reduce(e, order, qty, time_ns, KW_BY_AMEND);
    else kw_tell(e, KW_AMENDED, 0, kw_is_sell(order), order->id, 0, qty, time_ns);
}

/* Give up the place in the queue and come in again; returns the lots traded. Room was reserved. */
static inline int64_t kw_move(kw_engine *e, uint32_t slot, int64_t qty, int64_t price, int64_t time_ns) {
    kw_order *order = &e->orders[slot];
    int64_t before = e->levels[order->level].price;
    kw_taker taker = {order->id, price, qty, time_ns, order->owner, order->flags, 1};
    kw_tell(e, KW_REMOVED, KW_BY_AMEND, kw_is_sell(order), order->id, before, order->qty, time_ns);
    kw_leave(e, slot, time_ns);
    kw_match(e, &taker);
    if (order->flags & KW_REDUCE_ONLY) e->bounds[slot] -= qty - taker.left;
    if (taker.left && taker.alive) {
        kw_show(order, taker.left);
        order->time_ns = time_ns;
        kw_rest(e, slot, price);
    } else {
        kw_finish(e, &taker);
        kw_forget(e, slot);
    }
    return qty - taker.left;
}

/* Amend a resting order. `what` says which of the values are given, and KW_POST_ONLY.
 * Returns the lots it traded, or the negative of why not. */
static inline int64_t kw_engine_amend(
    kw_engine *e, int64_t id, int64_t time_ns, uint32_t what, int64_t qty, int64_t price, int64_t display,
    int64_t bound
) {
    uint32_t slot = id > 0 ? kw_table_find(&e->ids, id) : 0;
    if (!slot) return -KW_UNKNOWN_ORDER;
    if (!kw_engine_reserve(e)) return -KW_NO_MEMORY;
    kw_order *order = &e->orders[slot];
    int64_t total = order->qty + order->hidden, at = e->levels[order->level].price;
    int reducing = (order->flags & KW_REDUCE_ONLY) != 0, refusal;
    int64_t bound_now = reducing ? e->bounds[slot] : 0;
    if (what & KW_NEW_DISPLAY && !order->display) return -KW_NOT_AN_ICEBERG;
    if (what & KW_NEW_BOUND && !reducing) return -KW_NOT_REDUCE_ONLY;
    if (!(what & KW_NEW_QTY)) qty = total;
    if (!(what & KW_NEW_PRICE)) price = at;
    if (!(what & KW_NEW_DISPLAY)) display = order->display;
    if (!(what & KW_NEW_BOUND)) bound = bound_now;
    refusal = kw_range_refusal(qty, price, display, order->flags);
    if (refusal) return -refusal;
    if (reducing) {
        if (bound <= 0) return -KW_NOTHING_TO_REDUCE;
        if (qty > bound) qty = bound;
    }
    if (kw_display_too_small(qty, display, order->flags)) return -KW_DISPLAY_TOO_SMALL;
    if (qty == total && price == at && display == order->display && bound == bound_now) return -KW_NO_CHANGE;
    if ((what | order->flags) & KW_POST_ONLY && price != at && kw_crosses(e, kw_is_sell(order), price)) {
        return -KW_POST_ONLY_CROSSES;
    }
    e->revision++;
    order->display = display;
    if (reducing) e->bounds[slot] = bound;
    if (price == at && qty <= total) {
        kw_shrink(e, order, qty, time_ns);
        return 0;
    }
    return kw_move(e, slot, qty, price, time_ns);
}

#endif

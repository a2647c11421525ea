/* One L3 book: a kw_level3 -> both sides -> the checksum over every order of the ten best levels.
 *
 * kw_l3_take does all of a message or nothing: whatever may not fit is looked at before the first change,
 * and memory is reserved before it. It never judges the checksum. Next: level3_queues.h for a side.
 */
#ifndef KW_LEVEL3_H
#define KW_LEVEL3_H

#include "level3_checksum.h"

typedef struct {
    kw_queues bids, asks;
    int price_scale, qty_scale;     /* decimals of a scaled price; zeros a quantity is padded to */
    uint32_t checksum;              /* our own */
    uint64_t stray_events;
} kw_l3;

static inline void kw_l3_init(kw_l3 *b, uint64_t seed) {
    memset(b, 0, sizeof *b);
    kw_queues_init(&b->bids, 1, seed);
    kw_queues_init(&b->asks, -1, seed);
}

static inline void kw_l3_free(kw_l3 *b) {
    kw_queues_free(&b->bids);
    kw_queues_free(&b->asks);
}

static inline void kw_l3_clear(kw_l3 *b, int price_scale, int qty_scale) {
    kw_queues_clear(&b->bids);
    kw_queues_clear(&b->asks);
    b->price_scale = price_scale;
    b->qty_scale = qty_scale;
    b->checksum = 0;
}

/* -- before the first change --------------------------------------------------------------------------- */

static inline void kw_orders_scale(const kw_orders *orders, int *price, int *qty) {
    for (int i = 0; i < orders->n; i++) {
        if (orders->at[i].price_decimals > *price) *price = orders->at[i].price_decimals;
        if (orders->at[i].qty_decimals > *qty) *qty = orders->at[i].qty_decimals;
    }
}

/* Whether every price fits an int64 at a scale. */
static inline int kw_orders_fit(const kw_orders *orders, int price_scale) {
    for (int i = 0; i < orders->n; i++) {
        const kw_order *o = &orders->at[i];
        if (o->price_decimals != price_scale && o->price > INT64_MAX / KW_POWERS[price_scale - o->price_decimals]) return 0;
    }
    return 1;
}

static inline int kw_queues_fit(const kw_queues *q, int64_t factor) {
    int64_t worst, best;
    if (factor == 1 || !q->n_places) return 1;
    worst = q->room[q->first].key;
    best = q->room[q->first + q->n_places - 1].key;
    return (worst < 0 ? -worst : best) <= INT64_MAX / factor;
}

/* -- one message ------------------------------------------------------------------------------------------ */

static inline void kw_l3_merge(kw_l3 *b, kw_queues *q, const kw_orders *orders) {
    for (int i = 0; i < orders->n; i++) {
        const kw_order *o = &orders->at[i];
        int64_t key = q->sign * o->price * KW_POWERS[b->price_scale - o->price_decimals];
        b->stray_events += !kw_queues_take(q, o, key, b->qty_scale);
    }
}

/* Take a message: a snapshot starts at the scale given, an update at the book's own, which grows.
 * Returns 0, and nothing has changed, when it does not fit int64 or memory.
 */
static inline int kw_l3_take(kw_l3 *b, const kw_level3 *m, uint32_t depth, int price_scale, int qty_scale) {
    int64_t factor = 1;
    uint32_t bids = (uint32_t)m->bids.n, asks = (uint32_t)m->asks.n;
    if (!m->snapshot) {
        price_scale = b->price_scale;
        qty_scale = b->qty_scale;
        bids += b->bids.n_orders;
        asks += b->asks.n_orders;
    }
    if (price_scale < 0 || price_scale > KW_SCALE_MAX || qty_scale < 0 || qty_scale > KW_SCALE_MAX) return 0;
    kw_orders_scale(&m->bids, &price_scale, &qty_scale);
    kw_orders_scale(&m->asks, &price_scale, &qty_scale);
    if (!kw_orders_fit(&m->bids, price_scale) || !kw_orders_fit(&m->asks, price_scale)) return 0;
    if (!m->snapshot) {
        factor = KW_POWERS[price_scale - b->price_scale];
        if (!kw_queues_fit(&b->bids, factor) || !kw_queues_fit(&b->asks, factor)) return 0;
    }
    if (!kw_queues_reserve(&b->bids, bids) || !kw_queues_reserve(&b->asks, asks)) return 0;
    if (m->snapshot) {
        kw_l3_clear(b, price_scale, qty_scale);
    } else if (factor != 1 || qty_scale != b->qty_scale) {
        kw_queues_rescale(&b->bids, factor, qty_scale);
        kw_queues_rescale(&b->asks, factor, qty_scale);
        b->price_scale = price_scale;
        b->qty_scale = qty_scale;
    }
    kw_l3_merge(b, &b->asks, &m->asks);
    kw_l3_merge(b, &b->bids, &m->bids);
    kw_queues_truncate(&b->asks, depth);
    kw_queues_truncate(&b->bids, depth);
    if (b->asks.touched || b->bids.touched) b->checksum = kw_l3_checksum(&b->asks, &b->bids);
    b->asks.touched = b->bids.touched = 0;
    return 1;
}

/* -- copies ------------------------------------------------------------------------------------------------ */

static inline int kw_queues_copy(kw_queues *to, const kw_queues *from) {
    kw_queues_init(to, from->sign, 0);
    if (!from->n_orders) return 1;
    to->room = (kw_place *)malloc((size_t)from->n_places * sizeof(kw_place));
    to->queues = (kw_queue *)malloc((size_t)from->used_queues * sizeof(kw_queue));
    to->orders = (kw_resting *)malloc((size_t)from->used_orders * sizeof(kw_resting));
    if (!to->room || !to->queues || !to->orders) {
        kw_queues_free(to);
        return 0;
    }
    memcpy(to->room, from->room + from->first, (size_t)from->n_places * sizeof(kw_place));
    memcpy(to->queues, from->queues, (size_t)from->used_queues * sizeof(kw_queue));
    memcpy(to->orders, from->orders, (size_t)from->used_orders * sizeof(kw_resting));
    to->n_places = from->n_places;
    to->n_orders = from->n_orders;
    return 1;
}

/* A copy to read, never to change: it has no room and no buckets. 0 when there is no memory. */
static inline int kw_l3_copy(kw_l3 *to, const kw_l3 *from) {
    *to = *from;
    if (!kw_queues_copy(&to->bids, &from->bids)) {
        kw_queues_init(&to->asks, -1, 0);
        return 0;
    }
    if (kw_queues_copy(&to->asks, &from->asks)) return 1;
    kw_l3_free(to);
    return 0;
}

#endif

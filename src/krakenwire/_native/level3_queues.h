/* One side of an L3 book: price levels, each a queue of resting orders, oldest first.
 *
 * Levels lie sorted with the touch at the end, so what happens near it moves little. Orders lie in a
 * pool, linked into their level's queue and into the hash chain of their id: an order is found, changed
 * and taken out without a search. Indices instead of pointers, so that a copy is a memcpy.
 * Nothing here allocates but kw_queues_reserve: what was reserved for cannot fail half-way. Next: level3.h.
 */
#ifndef KW_LEVEL3_QUEUES_H
#define KW_LEVEL3_QUEUES_H

#include "digits.h"
#include "level3_message.h"

#define KW_NONE UINT32_MAX
#define KW_CHECKSUM_LEVELS 10
#define KW_SCALE_MAX KW_DECIMALS_MAX /* beyond it the slow way */
#define KW_SPELT_MAX 56             /* 19 digits of a price, 18 of a quantity, 18 zeros, one to spare */
#define KW_NEAR 12                  /* levels looked at one by one from the touch, before halving */

typedef struct {
    uint32_t next, prev;            /* in its level's queue; `next` also links what is free */
    uint32_t level;
    uint32_t hash, chain;           /* of its id; the next order in the same bucket */
    uint8_t id_size, spelt_size, price_decimals, qty_decimals;
    int64_t price, qty, time_ns;    /* digits as on the wire */
    char spelt[KW_SPELT_MAX];       /* what it adds to the checksum; kw_put_digits touches no more either */
    char id[KW_ORDER_ID_MAX];
} kw_resting;

typedef struct {
    int64_t key;
    uint32_t head, tail;            /* `head` also links what is free */
    uint32_t crc, size;             /* of what its orders add to the checksum: a plain remainder, and bytes */
    int stale;                      /* whether those are of an earlier state */
} kw_queue;

typedef struct { int64_t key; uint32_t queue; } kw_place;

typedef struct {
    int sign;                       /* 1 bids, -1 asks: key = sign * scaled price, ascending, the best last */
    int touched;                    /* whether a level the checksum covers has changed */
    uint64_t seed;                  /* of the hash: a peer must not be able to choose our collisions */
    uint32_t n_places, n_orders;
    uint32_t used_queues, free_queue, cap_queues;
    uint32_t used_orders, free_order, cap_orders;
    uint32_t buckets_mask;
    uint32_t first;                 /* where in `room` the places begin: both ends can give way */
    kw_place *room;                 /* twice cap_queues */
    kw_queue *queues;
    kw_resting *orders;
    uint32_t *buckets;
} kw_queues;

static inline void kw_queues_init(kw_queues *q, int sign, uint64_t seed) {
    memset(q, 0, sizeof *q);
    q->sign = sign;
    q->seed = seed;
    q->free_queue = q->free_order = KW_NONE;
    q->touched = 1;
}

static inline void kw_queues_free(kw_queues *q) {
    free(q->room);
    free(q->queues);
    free(q->orders);
    free(q->buckets);
    kw_queues_init(q, q->sign, q->seed);
}

static inline void kw_queues_clear(kw_queues *q) {
    if (q->n_orders) memset(q->buckets, 0xff, ((size_t)q->buckets_mask + 1) * sizeof(uint32_t));
    q->n_places = q->n_orders = q->used_queues = q->used_orders = q->first = 0;
    q->free_queue = q->free_order = KW_NONE;
    q->touched = 1;
}

/* -- ids ------------------------------------------------------------------------------------------ */

static inline uint64_t kw_id_mix(uint64_t a, uint64_t b) {
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t x = (a ^ (a >> 32)) * b;
    x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
    return x ^ (x >> 32);
#endif
}

static inline uint32_t kw_id_hash(const char *id, size_t size, uint64_t seed) {
    uint64_t hash = seed ^ size, word = 0;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        memcpy(&word, id + at, 8);
        hash = kw_id_mix(hash ^ word, 0x9e3779b97f4a7c15u);
    }
    word = 0;
    memcpy(&word, id + at, size - at);
    hash = kw_id_mix(hash ^ word, 0xd6e8feb86659fd93u ^ seed);
    return (uint32_t)(hash ^ (hash >> 32));
}

static inline uint32_t kw_queues_find(const kw_queues *q, const kw_order *o, uint32_t hash) {
    uint32_t i = q->n_orders ? q->buckets[hash & q->buckets_mask] : KW_NONE;
    while (i != KW_NONE) {
        const kw_resting *r = &q->orders[i];
        if (r->hash == hash && r->id_size == o->id_size && memcmp(r->id, o->id, o->id_size) == 0) break;
        i = r->chain;
    }
    return i;
}

/* -- room ----------------------------------------------------------------------------------------- */

static inline void *kw_queues_grown(void *at, size_t count, size_t each) {
    return count > SIZE_MAX / each ? NULL : realloc(at, count * each);
}

static inline int kw_queues_rehash(kw_queues *q, uint32_t count) {
    uint32_t *buckets = (uint32_t *)malloc((size_t)count * sizeof(uint32_t)), place, i;
    if (!buckets) return 0;
    memset(buckets, 0xff, (size_t)count * sizeof(uint32_t));
    for (place = 0; place < q->n_places; place++) {
        for (i = q->queues[q->room[q->first + place].queue].head; i != KW_NONE; i = q->orders[i].next) {
            uint32_t *bucket = &buckets[q->orders[i].hash & (count - 1)];
            q->orders[i].chain = *bucket;
            *bucket = i;
        }
    }
    free(q->buckets);
    q->buckets = buckets;
    q->buckets_mask = count - 1;
    return 1;
}

/* Make room for `orders` orders in all, each at a price of its own; 0, and nothing has changed, when there is none. */
static inline int kw_queues_reserve(kw_queues *q, uint32_t orders) {
    uint32_t cap = 64;
    void *grown;
    if (orders <= q->cap_orders && orders <= q->cap_queues && q->buckets) return 1;
    if (orders > KW_ORDERS_MAX) return 0;
    while (cap < orders) cap *= 2;
    if (cap > q->cap_orders) {
        if (!(grown = kw_queues_grown(q->orders, cap, sizeof(kw_resting)))) return 0;
        q->orders = (kw_resting *)grown;
        q->cap_orders = cap;
    }
    if (cap > q->cap_queues) {
        if (!(grown = kw_queues_grown(q->queues, cap, sizeof(kw_queue)))) return 0;
        q->queues = (kw_queue *)grown;
        if (!(grown = kw_queues_grown(q->room, 2 * (size_t)cap, sizeof(kw_place)))) return 0;
        q->room = (kw_place *)grown;
        q->cap_queues = cap;
    }
    return (q->buckets && q->buckets_mask >= cap - 1) || kw_queues_rehash(q, cap);
}

/* -- levels ---------------------------------------------------------------------------------------- */

/* The first place whose key is not less. */
static inline uint32_t kw_queues_seek(const kw_queues *q, int64_t key) {
    const kw_place *places = q->room + q->first;
    uint32_t low = 0, high = q->n_places, near = high > KW_NEAR ? high - KW_NEAR : 0;
    while (high > near && places[high - 1].key >= key) high--;
    if (high > near || high == 0) return high;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (places[mid].key < key) low = mid + 1;
        else high = mid;
    }
    return low;
}

/* Note that a level changes: before it may go, after it may have come. */
static inline void kw_queues_touch(kw_queues *q, uint32_t queue) {
    uint32_t n = q->n_places;
    int64_t key = q->queues[queue].key;
    q->queues[queue].stale = 1;
    if (n <= KW_CHECKSUM_LEVELS || key >= q->room[q->first + n - KW_CHECKSUM_LEVELS].key) q->touched = 1;
}

/* Open a gap at `place`, moving whichever end is nearer. Returns where it is. */
static inline kw_place *kw_queues_gap(kw_queues *q, uint32_t place) {
    uint32_t above = q->n_places - place;
    kw_place *at;
    if (q->first && place < above) {
        q->first--;
        at = q->room + q->first;
        memmove(at, at + 1, (size_t)place * sizeof(kw_place));
    } else {
        if (q->first + q->n_places == 2 * q->cap_queues) {
            memmove(q->room, q->room + q->first, (size_t)q->n_places * sizeof(kw_place));
            q->first = 0;
        }
        at = q->room + q->first + place;
        memmove(at + 1, at, (size_t)above * sizeof(kw_place));
    }
    q->n_places++;
    return q->room + q->first + place;
}

/* The queue of a price, a new one where there is none. */
static inline uint32_t kw_queues_open(kw_queues *q, int64_t key) {
    uint32_t place = kw_queues_seek(q, key), queue;
    kw_place *at = q->room + q->first + place;
    if (place < q->n_places && at->key == key) return at->queue;
    queue = q->free_queue;
    if (queue != KW_NONE) q->free_queue = q->queues[queue].head;
    else queue = q->used_queues++;
    at = kw_queues_gap(q, place);
    at->key = q->queues[queue].key = key;
    at->queue = queue;
    q->queues[queue].head = q->queues[queue].tail = KW_NONE;
    return queue;
}

static inline void kw_queues_close(kw_queues *q, uint32_t queue) {
    uint32_t place = kw_queues_seek(q, q->queues[queue].key), above = q->n_places - place - 1;
    kw_place *at = q->room + q->first;
    if (place < above) {
        memmove(at + 1, at, (size_t)place * sizeof(kw_place));
        q->first++;
    } else {
        memmove(at + place, at + place + 1, (size_t)above * sizeof(kw_place));
    }
    q->n_places--;
    q->queues[queue].head = q->free_queue;
    q->free_queue = queue;
}

/* -- what an order adds to the checksum -------------------------------------------------------------- */

/* Write price and quantity at the book's scale, without point and leading zeros. */
static inline void kw_resting_spell(kw_resting *r, int64_t key, int qty_scale) {
    char *at = kw_put_digits(r->spelt, (uint64_t)(key < 0 ? -key : key));
    int zeros = qty_scale - r->qty_decimals;
    at = kw_put_digits(at, (uint64_t)r->qty);
    memset(at, '0', (size_t)zeros);
    r->spelt_size = (uint8_t)(at + zeros - r->spelt);
}

/* -- orders ------------------------------------------------------------------------------------------ */

static inline void kw_queues_unchain(kw_queues *q, uint32_t i) {
    uint32_t *link = &q->buckets[q->orders[i].hash & q->buckets_mask];
    while (*link != i) link = &q->orders[*link].chain;
    *link = q->orders[i].chain;
}

static inline void kw_queues_drop(kw_queues *q, uint32_t i) {
    kw_resting *r = &q->orders[i];
    kw_queue *queue = &q->queues[r->level];
    kw_queues_touch(q, r->level);
    if (r->prev == KW_NONE) queue->head = r->next;
    else q->orders[r->prev].next = r->next;
    if (r->next == KW_NONE) queue->tail = r->prev;
    else q->orders[r->next].prev = r->prev;
    if (queue->head == KW_NONE) kw_queues_close(q, r->level);
    kw_queues_unchain(q, i);
    r->next = q->free_order;
    q->free_order = i;
    q->n_orders--;
}

static inline void kw_resting_set(kw_resting *r, const kw_order *o, int64_t key, int qty_scale) {
    r->price = o->price;
    r->qty = o->qty;
    r->time_ns = o->time_ns;
    r->price_decimals = o->price_decimals;
    r->qty_decimals = o->qty_decimals;
    kw_resting_spell(r, key, qty_scale);
}

/* Put an order, which is not here, at the end of its level's queue. */
static inline void kw_queues_append(kw_queues *q, const kw_order *o, uint32_t hash, int64_t key, int qty_scale) {
    uint32_t queue = kw_queues_open(q, key), i = q->free_order, *bucket = &q->buckets[hash & q->buckets_mask];
    kw_resting *r;
    if (i != KW_NONE) q->free_order = q->orders[i].next;
    else i = q->used_orders++;
    r = &q->orders[i];
    r->hash = hash;
    r->chain = *bucket;
    *bucket = i;
    r->level = queue;
    r->prev = q->queues[queue].tail;
    r->next = KW_NONE;
    if (r->prev == KW_NONE) q->queues[queue].head = i;
    else q->orders[r->prev].next = i;
    q->queues[queue].tail = i;
    r->id_size = o->id_size;
    memcpy(r->id, o->id, o->id_size);
    kw_resting_set(r, o, key, qty_scale);
    q->n_orders++;
    kw_queues_touch(q, queue);
}

/* Apply one order event, for which there is room. Returns whether it made sense. */
static inline int kw_queues_take(kw_queues *q, const kw_order *o, int64_t key, int qty_scale) {
    uint32_t hash = kw_id_hash(o->id, o->id_size, q->seed), i = kw_queues_find(q, o, hash);
    int known = i != KW_NONE, modify = o->event == KW_ORDER_MODIFY;
    if (modify && !known) return 0;
    if (modify && o->qty && q->queues[q->orders[i].level].key == key) {
        kw_resting_set(&q->orders[i], o, key, qty_scale);
        kw_queues_touch(q, q->orders[i].level);
        return 1;
    }
    if (known) kw_queues_drop(q, i);
    if (o->event == KW_ORDER_DELETE) return known;
    if (!o->qty) return modify;
    kw_queues_append(q, o, hash, key, qty_scale);
    return modify || !known;
}

/* Forget the levels beyond `depth`: the venue sends no delete for them. */
static inline void kw_queues_truncate(kw_queues *q, uint32_t depth) {
    while (q->n_places > depth) kw_queues_drop(q, q->queues[q->room[q->first].queue].head);
}

/* Multiply every price by `factor`, which was seen to fit, and spell all orders anew. */
static inline void kw_queues_rescale(kw_queues *q, int64_t factor, int qty_scale) {
    uint32_t place, i;
    for (place = 0; place < q->n_places; place++) {
        kw_place *at = &q->room[q->first + place];
        at->key *= factor;
        q->queues[at->queue].key = at->key;
        q->queues[at->queue].stale = 1;
        for (i = q->queues[at->queue].head; i != KW_NONE; i = q->orders[i].next) {
            kw_resting_spell(&q->orders[i], at->key, qty_scale);
        }
    }
    q->touched = 1;
}

#endif

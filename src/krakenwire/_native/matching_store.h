/* What the matching engine keeps its book in: orders, levels, ladders of prices, and tables that find them.
 *
 * Everything is an index into an array, 0 for none, so that arrays can grow and nothing dangles. Nothing here
 * knows a rule of matching; those are in matching.h. Room is made before a command (kw_engine_reserve), so
 * that a command, once begun, cannot fail for want of memory.
 */
#ifndef KW_MATCHING_STORE_H
#define KW_MATCHING_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef KW_REALLOC /* a test harness puts its own here, to see what happens when there is no memory */
#define KW_REALLOC realloc
#endif

#if defined(__GNUC__)
#define KW_RARELY(condition) __builtin_expect(!!(condition), 0)
#else
#define KW_RARELY(condition) (condition)
#endif

/* -- numbers that may pass 64 bits: the total of a level --------------------------------------------------- */

typedef struct { uint64_t low, high; } kw_total; /* at most 2^32 orders of 2^62 lots: below 2^94 */

static inline void kw_total_add(kw_total *total, int64_t qty) {
    total->low += (uint64_t)qty;
    total->high += total->low < (uint64_t)qty;
}

static inline void kw_total_take(kw_total *total, int64_t qty) {
    total->high -= total->low < (uint64_t)qty;
    total->low -= (uint64_t)qty;
}

/* The total, but no more than `most`. */
static inline int64_t kw_total_upto(const kw_total *total, int64_t most) {
    return total->high || total->low > (uint64_t)most ? most : (int64_t)total->low;
}

/* -- what is kept ------------------------------------------------------------------------------------------ */

typedef struct {
    int64_t id;
    int64_t qty;             /* lots it shows */
    int64_t hidden;          /* lots it holds back */
    int64_t display;         /* lots an iceberg shows at a time; 0: shows itself */
    int64_t owner;           /* 0: nobody */
    int64_t time_ns;         /* when it took its place */
    uint32_t previous, next; /* in its queue; next also links the free ones */
    uint32_t level;
    uint32_t flags;          /* KW_POST_ONLY, KW_REDUCE_ONLY, KW_CANCEL_*, and KW_SELL */
} kw_order;

typedef struct {
    int64_t price;
    int64_t time_ns;         /* last change */
    kw_total qty, hidden;
    uint32_t first, last;    /* of the queue */
    uint32_t count;
    uint32_t next_free;
} kw_level_queue;

typedef struct {
    int64_t key;             /* price for bids, its negative for asks: the best is the highest */
    uint32_t level;
    uint32_t unused;
} kw_rung;

typedef struct { kw_rung *at; uint32_t n, cap; } kw_ladder; /* ascending: the best is last, near work moves little */

/* -- a table from a number above zero to an index ----------------------------------------------------------- */

typedef struct { int64_t key; uint32_t index; uint32_t unused; } kw_entry; /* key 0: empty */
typedef struct { kw_entry *at; uint32_t n, mask; int shift; } kw_table;    /* open addressing, at most half full */

/* Four neighbouring numbers share a cache line, their groups are spread: orders are numbered one after the other. */
static inline uint32_t kw_table_home(const kw_table *table, int64_t key) {
    uint64_t group = ((uint64_t)key >> 2) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(group >> table->shift) << 2 | ((uint32_t)key & 3);
}

static inline uint32_t kw_table_find(const kw_table *table, int64_t key) {
    uint32_t place = kw_table_home(table, key);
    while (table->at[place].key != key) {
        if (table->at[place].key == 0) return 0;
        place = (place + 1) & table->mask;
    }
    return table->at[place].index;
}

/* The key is above zero and not there, and there is room. */
static inline void kw_table_put(kw_table *table, int64_t key, uint32_t index) {
    uint32_t place = kw_table_home(table, key);
    while (table->at[place].key != 0) place = (place + 1) & table->mask;
    table->at[place].key = key;
    table->at[place].index = index;
    table->n++;
}

/* Take a key out, moving what follows to where a search from its home will find it. */
static inline void kw_table_drop(kw_table *table, int64_t key) {
    uint32_t hole = kw_table_home(table, key);
    while (table->at[hole].key != key) {
        if (table->at[hole].key == 0) return;
        hole = (hole + 1) & table->mask;
    }
    for (uint32_t place = (hole + 1) & table->mask; table->at[place].key != 0; place = (place + 1) & table->mask) {
        uint32_t home = kw_table_home(table, table->at[place].key);
        if (((place - home) & table->mask) >= ((place - hole) & table->mask)) {
            table->at[hole] = table->at[place];
            hole = place;
        }
    }
    table->at[hole].key = 0;
    table->n--;
}

#define KW_TABLE_BITS_MAX 31 /* entries of a table: 2^31, and at most half of them taken */

/* Have 2^bits entries; 0 when there is no memory for them. */
static inline int kw_table_resize(kw_table *table, int bits) {
    size_t entries = (size_t)1 << bits;
    if (bits > KW_TABLE_BITS_MAX || entries > SIZE_MAX / sizeof(kw_entry)) return 0;
    kw_table grown = {NULL, 0, (uint32_t)(entries - 1), 64 - (bits - 2)};
    grown.at = (kw_entry *)KW_REALLOC(NULL, entries * sizeof(kw_entry));
    if (!grown.at) return 0;
    memset(grown.at, 0, entries * sizeof(kw_entry));
    if (table->at) {
        for (size_t i = 0; i <= table->mask; i++) {
            if (table->at[i].key) kw_table_put(&grown, table->at[i].key, table->at[i].index);
        }
        free(table->at);
    }
    *table = grown;
    return 1;
}

/* -- ladders -------------------------------------------------------------------------------------------------- */

/* The number of rungs with a key below this one. Near the touch a short walk, else by halving. */
static inline uint32_t kw_ladder_below(const kw_ladder *ladder, int64_t key) {
    uint32_t high = ladder->n, low;
    for (int walk = 0; walk < 16; walk++, high--) {
        if (high == 0 || ladder->at[high - 1].key < key) return high;
    }
    low = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ladder->at[middle].key < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

static inline void kw_ladder_insert(kw_ladder *ladder, int64_t key, uint32_t level) {
    uint32_t place = kw_ladder_below(ladder, key);
    memmove(ladder->at + place + 1, ladder->at + place, (size_t)(ladder->n - place) * sizeof(kw_rung));
    ladder->at[place].key = key;
    ladder->at[place].level = level;
    ladder->n++;
}

static inline void kw_ladder_remove(kw_ladder *ladder, int64_t key) {
    uint32_t place = kw_ladder_below(ladder, key);
    ladder->n--;
    memmove(ladder->at + place, ladder->at + place + 1, (size_t)(ladder->n - place) * sizeof(kw_rung));
}

/* -- records of what happened ---------------------------------------------------------------------------------- */

enum { KW_ACCEPTED = 1, KW_TRADED, KW_RESTED, KW_CHANGED, KW_REMOVED, KW_FINISHED, KW_AMENDED };
enum { /* reasons, in the order of the face's table */
    KW_BY_TRADE, KW_BY_CANCEL, KW_BY_AMEND, KW_BY_SELF_TRADE, KW_BY_REFILL, KW_IS_FILLED, KW_IS_IOC, KW_NO_LIQUIDITY
};

typedef struct {
    uint8_t kind, reason, is_sell, unused[5];
    int64_t order_id;        /* of a trade: the maker */
    int64_t taker_id, price, qty, maker_left, taker_left, time_ns;
} kw_record;

typedef struct { kw_record *at; size_t n, cap; int lost; } kw_records;

/* Room for one more; NULL and `lost` when there is no memory. */
static inline kw_record *kw_records_next(kw_records *records) {
    if (KW_RARELY(records->n == records->cap)) {
        size_t cap = records->cap ? records->cap * 2 : 64;
        kw_record *at = cap > SIZE_MAX / sizeof(kw_record)
            ? NULL : (kw_record *)KW_REALLOC(records->at, cap * sizeof(kw_record));
        if (!at) {
            records->lost = 1;
            return NULL;
        }
        records->at = at;
        records->cap = cap;
    }
    return &records->at[records->n++];
}

#endif

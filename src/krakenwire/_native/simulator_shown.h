/* One side of a book as a venue displays it, for the simulator: side.h without its checksums.
 *
 * Next: simulator_due.h for what falls due, simulator.pyx for the loop over the rows.
 */
#ifndef KW_SIMULATOR_SHOWN_H
#define KW_SIMULATOR_SHOWN_H

#include "side.h"

/* Set a level to a quantity, 0 or less removes it, and return what was there; -1 when there is no memory. */
static inline int64_t kw_shown_set(kw_side *side, int64_t key, int64_t qty) {
    int i = kw_side_find(side, key);
    kw_pair pair, *level;
    int64_t old;
    if (i < side->n && (level = side->at + side->start + i)->key == key) {
        old = level->qty;
        if (qty > 0) level->qty = qty;
        else kw_side_remove(side, i);
        return old;
    }
    if (qty <= 0) return 0;
    if (!kw_side_reserve(side, (int64_t)side->n + 1)) return -1;
    pair.key = key;
    pair.qty = qty;
    kw_side_insert(side, i, pair);
    return 0;
}

/* Return the quantity of a level, 0 where there is none. */
static inline int64_t kw_shown_at(const kw_side *side, int64_t key) {
    int i = kw_side_find(side, key);
    return i < side->n && side->at[side->start + i].key == key ? side->at[side->start + i].qty : 0;
}

/* Return whether a level of this key would be displayed if it were there. */
static inline int kw_shown_displays(const kw_side *side, int64_t key, int depth) {
    return side->n < depth || (side->n && key >= side->at[side->start].key);
}

static inline void kw_shown_clear(kw_side *side) {
    side->n = 0;
    side->start = side->cap / 2;
}

#endif

/* What falls due in a simulator, the earliest first: a binary heap.
 *
 * Of one time, timers come after all else, and then counts which was made first. Nothing fails but for memory.
 */
#ifndef KW_SIMULATOR_DUE_H
#define KW_SIMULATOR_DUE_H

#include <stdint.h>
#include <stdlib.h>

typedef struct {
    int64_t time_ns;
    uint64_t turn;          /* its rank in the highest bit, then when it was made */
    int64_t price, qty;     /* of an amend; `price` also a symbol or the id of a timer */
    int32_t what;
    int32_t slot;           /* of the Python object that it is about, -1 for none */
} kw_due;

typedef struct {
    kw_due *at;
    int n, cap;
} kw_due_heap;

#define KW_DUE_RANK(rank) ((uint64_t)(rank) << 63)

static inline int kw_due_before(const kw_due *a, const kw_due *b) {
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->turn < b->turn;
}

/* Add one; 0 when there is no memory. */
static inline int kw_due_push(kw_due_heap *heap, kw_due due) {
    int i, parent;
    if (heap->n == heap->cap) {
        int cap = heap->cap ? 2 * heap->cap : 64;
        kw_due *at = heap->cap > INT32_MAX / 4 ? NULL : (kw_due *)realloc(heap->at, (size_t)cap * sizeof(kw_due));
        if (!at) return 0;
        heap->at = at;
        heap->cap = cap;
    }
    for (i = heap->n++; i; i = parent) {
        parent = (i - 1) / 2;
        if (!kw_due_before(&due, &heap->at[parent])) break;
        heap->at[i] = heap->at[parent];
    }
    heap->at[i] = due;
    return 1;
}

/* Take the first; there must be one. */
static inline kw_due kw_due_pop(kw_due_heap *heap) {
    kw_due first = heap->at[0], last = heap->at[--heap->n];
    int i = 0, child;
    while ((child = 2 * i + 1) < heap->n) {
        if (child + 1 < heap->n && kw_due_before(&heap->at[child + 1], &heap->at[child])) child++;
        if (!kw_due_before(&heap->at[child], &last)) break;
        heap->at[i] = heap->at[child];
        i = child;
    }
    heap->at[i] = last;
    return first;
}

#endif

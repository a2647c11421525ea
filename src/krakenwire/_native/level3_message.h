/* One level3 message as its parser leaves it: order events, no book, no Python.
 *
 * The parser (frame_level3.h) fills a kw_level3 from the bytes of a frame; the book (level3.h) reads it.
 * Numbers are digits and decimals as in message.h; texts are pointed at where they lie in the frame.
 */
#ifndef KW_LEVEL3_MESSAGE_H
#define KW_LEVEL3_MESSAGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KW_ORDER_ID_MAX 64          /* the venue's have 19 characters */
#define KW_ORDERS_MAX (1 << 20)     /* a side of a message or a book; more go the slow way */

enum { KW_ORDER_PLAIN = 0, KW_ORDER_ADD = 1, KW_ORDER_MODIFY = 2, KW_ORDER_DELETE = 3 };

typedef struct {
    const char *id;                 /* plain ASCII without escapes */
    int64_t price, qty;             /* digits, never negative */
    int64_t time_ns;
    uint8_t id_size;                /* 1 .. KW_ORDER_ID_MAX */
    uint8_t price_decimals, qty_decimals;
    uint8_t event;                  /* KW_ORDER_PLAIN where the frame names none */
} kw_order;

typedef struct { kw_order *at; int n, cap; } kw_orders;

typedef struct {
    int snapshot;                   /* 1 snapshot, 0 update */
    const char *symbol;
    int symbol_size;
    int has_checksum, has_time;
    uint32_t checksum;
    int64_t time_ns;
    kw_orders bids, asks;           /* in message order */
} kw_level3;

static inline void kw_level3_init(kw_level3 *m) { memset(m, 0, sizeof *m); }

static inline void kw_level3_free(kw_level3 *m) {
    free(m->bids.at);
    free(m->asks.at);
    memset(m, 0, sizeof *m);
}

/* The place of one more order; NULL when there is none. It counts once `n` is raised. */
static inline kw_order *kw_orders_next(kw_orders *orders) {
    if (orders->n == orders->cap) {
        int cap = orders->cap ? orders->cap * 2 : 64;
        kw_order *at;
        if (orders->cap >= KW_ORDERS_MAX) return NULL;
        at = (kw_order *)realloc(orders->at, (size_t)cap * sizeof(kw_order));
        if (!at) return NULL;
        orders->at = at;
        orders->cap = cap;
    }
    return &orders->at[orders->n];
}

#endif

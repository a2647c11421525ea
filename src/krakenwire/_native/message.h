/* One market-data message as the parsers leave it: numbers as digits and decimals, no book, no Python.
 *
 * The parsers (frame_v2.h, frame_v1.h) fill a kw_message from the bytes of a frame; the book (book.h)
 * and the events read it. Text is pointed at where it lies in the frame and is valid as long as that is.
 * A number is its digits without the point plus how many of them stand behind it: 0.0500 is 500 with
 * 4 decimals, so the text can be made again exactly.
 */
#ifndef KW_MESSAGE_H
#define KW_MESSAGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What became of a frame. */
enum {
    KW_UNUSUAL = -1, /* ours, but not in the plain form (or no JSON at all): the exact slow path decides */
    KW_FOREIGN = 0,  /* another channel or a reply: never taken here */
    KW_TAKEN = 1     /* the message holds it, whole and plain */
};

enum { KW_BOOK = 1, KW_TRADE = 2, KW_TICKER = 3 };

#define KW_DIGITS_MAX 18        /* so that the digits of every number fit an int64 with room to spare */
#define KW_LEVELS_MAX 65536     /* a side of a message; more go the slow way */
#define KW_TRADES_MAX 4096

typedef struct {
    int64_t price, qty;         /* digits, never negative */
    int64_t time_us;            /* v1: microseconds since 1970 of this level; v2: 0 */
    uint8_t price_decimals, qty_decimals;
    uint8_t republished;        /* v1: the flag "r" */
    uint8_t unused[5];
} kw_level;

typedef struct {
    int64_t price, qty;         /* digits, never negative */
    int64_t time_ns;            /* nanoseconds since 1970 */
    int64_t trade_id;           /* v2; v1 has none: -1 */
    uint8_t price_decimals, qty_decimals;
    char side;                  /* 'b'uy or 's'ell, the taker's */
    char ord_type;              /* 'm'arket or 'l'imit; anything else goes the slow way */
    uint8_t unused[4];
} kw_trade;

typedef struct {
    int64_t digits;             /* may be negative; minus zero goes the slow way */
    uint8_t decimals;
    uint8_t there;              /* whether the frame has this member, and not null */
    uint8_t unused[6];
} kw_number;

enum { /* numbers of a ticker */
    KW_BID, KW_BID_QTY, KW_ASK, KW_ASK_QTY, KW_LAST, KW_VOLUME, KW_VWAP, KW_LOW, KW_HIGH,
    KW_CHANGE, KW_CHANGE_PCT, KW_TICKER_NUMBERS
};

typedef struct { kw_level *at; int n, cap; } kw_levels;

typedef struct {                /* the minute of the last time that was read, for the next one */
    uint64_t text[2];           /* 2026-08-01T02:53 */
    int64_t ns;
    int known;
} kw_minute;

typedef struct {
    int kind;                   /* KW_BOOK, KW_TRADE, KW_TICKER */
    int snapshot;               /* 1 snapshot, 0 update */
    const char *symbol;         /* as the wire spells it: plain ASCII without escapes */
    int symbol_size;
    int depth;                  /* v1: of the channel name book-10; else 0 */
    int extra_members;          /* known channel, members we have no name for, passed over */
    /* book */
    kw_levels bids, asks;       /* in message order, qty 0 for a removal */
    uint32_t checksum;
    int has_checksum;
    /* book and ticker: the venue's time of the change */
    int64_t time_ns;
    int has_time;
    /* trade */
    kw_trade *trades;
    int n_trades, trades_cap;
    /* ticker */
    kw_number numbers[KW_TICKER_NUMBERS];
    int64_t ticker_trades;      /* number of trades, v2's optional member */
    int has_ticker_trades;
    kw_minute minute;           /* outlives a message: not of what it says */
} kw_message;

static inline void kw_message_init(kw_message *m) { memset(m, 0, sizeof *m); }

static inline void kw_message_free(kw_message *m) {
    free(m->bids.at);
    free(m->asks.at);
    free(m->trades);
    memset(m, 0, sizeof *m);
}

/* Make room for one more level; 0 when there is none. */
static inline int kw_levels_grow(kw_levels *levels) {
    int cap = levels->cap ? levels->cap * 2 : 64;
    if (levels->cap >= KW_LEVELS_MAX) return 0;
    kw_level *at = (kw_level *)realloc(levels->at, (size_t)cap * sizeof(kw_level));
    if (!at) return 0;
    levels->at = at;
    levels->cap = cap;
    return 1;
}

static inline int kw_trades_grow(kw_message *m) {
    int cap = m->trades_cap ? m->trades_cap * 2 : 64;
    if (m->trades_cap >= KW_TRADES_MAX) return 0;
    kw_trade *at = (kw_trade *)realloc(m->trades, (size_t)cap * sizeof(kw_trade));
    if (!at) return 0;
    m->trades = at;
    m->trades_cap = cap;
    return 1;
}

#endif

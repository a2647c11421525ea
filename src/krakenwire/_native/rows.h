/* One row of a market: the C side of `ROW` in model/rows.py, which says what the members mean. */
#ifndef KW_ROWS_H
#define KW_ROWS_H

#include <stdint.h>

enum { KW_ROW_BID = 1, KW_ROW_ASK, KW_ROW_BUY, KW_ROW_SELL, KW_ROW_CLEAR, KW_ROW_GAP, KW_ROW_EVENT };
enum { KW_ROW_LAST = 1, KW_ROW_SNAPSHOT = 2, KW_ROW_MARKET = 4, KW_ROW_UNVERIFIED = 8, KW_ROW_QUIET = 16 };

typedef struct {
    int64_t time_ns, venue_ns;
    int64_t price, qty, aux;
    uint16_t symbol;
    uint8_t kind, flags;
    uint32_t connection;
} kw_row;

typedef char kw_row_is_48_bytes[sizeof(kw_row) == 48 ? 1 : -1];

#endif

/* What the parsers make of frames, as JSON for the tests, one line each.
 *
 * Usage: parse_main 1|2, with frames on standard input: a line with the frame's size, then its bytes. Each
 * lies in memory of exactly its size, so that a sanitizer sees every read beyond it. A line holds the
 * result, and all of the message when it was taken.
 */
#include <stdio.h>

#include "frame_v1.h"
#include "frame_v2.h"

static void print_levels(const char *name, const kw_levels *levels) {
    printf(",\"%s\":[", name);
    for (int i = 0; i < levels->n; i++) {
        const kw_level *level = &levels->at[i];
        printf("%s[%lld,%d,%lld,%d,%lld,%d]", i ? "," : "", (long long)level->price, level->price_decimals,
               (long long)level->qty, level->qty_decimals, (long long)level->time_us, level->republished);
    }
    printf("]");
}

static void print_trades(const kw_message *m) {
    printf(",\"trades\":[");
    for (int i = 0; i < m->n_trades; i++) {
        const kw_trade *trade = &m->trades[i];
        printf("%s[%lld,%d,%lld,%d,%lld,%lld,\"%c\",\"%c\"]", i ? "," : "", (long long)trade->price,
               trade->price_decimals, (long long)trade->qty, trade->qty_decimals, (long long)trade->time_ns,
               (long long)trade->trade_id, trade->side, trade->ord_type);
    }
    printf("]");
}

static void print_numbers(const kw_message *m) {
    printf(",\"numbers\":[");
    for (int i = 0; i < KW_TICKER_NUMBERS; i++) {
        const kw_number *number = &m->numbers[i];
        if (i) printf(",");
        if (number->there) {
            printf("[%lld,%d]", (long long)number->digits, number->decimals);
        } else {
            printf("null");
        }
    }
    printf("]");
}

static void print_message(const kw_message *m) {
    printf(",\"kind\":%d,\"snapshot\":%d,\"symbol\":\"", m->kind, m->snapshot);
    for (int i = 0; i < m->symbol_size; i++) printf(m->symbol[i] == '"' ? "\\\"" : "%c", m->symbol[i]);
    printf("\",\"depth\":%d,\"extra_members\":%d", m->depth, m->extra_members);
    if (m->has_checksum) printf(",\"checksum\":%lu", (unsigned long)m->checksum);
    if (m->has_time) printf(",\"time_ns\":%lld", (long long)m->time_ns);
    if (m->has_ticker_trades) printf(",\"ticker_trades\":%lld", (long long)m->ticker_trades);
    print_levels("bids", &m->bids);
    print_levels("asks", &m->asks);
    print_trades(m);
    if (m->kind == KW_TICKER) print_numbers(m);
}

static void parse_one(kw_message *m, int version, const char *frame, size_t size) {
    int result = version == 1 ? kw_parse_v1(m, frame, size) : kw_parse_v2(m, frame, size);
    if (version == 1 && result == KW_TAKEN && !kw_v1_pair(m->symbol, (size_t)m->symbol_size)) result = KW_UNUSUAL;
    printf("{\"result\":%d", result);
    if (result == KW_TAKEN) print_message(m);
    printf("}\n");
}

int main(int argc, char **argv) {
    int version = argc > 1 && argv[1][0] == '1' ? 1 : 2;
    char line[32];
    kw_message message;
    kw_message_init(&message);
    while (fgets(line, sizeof line, stdin)) {
        size_t size = strtoul(line, NULL, 10);
        char *frame = (char *)malloc(size ? size : 1);
        if (!frame || fread(frame, 1, size, stdin) != size) return 1;
        parse_one(&message, version, size ? frame : frame + 1, size);
        free(frame);
    }
    kw_message_free(&message);
    return 0;
}

/* Fuzzes websocket.h: usage: fuzz_websocket ROUNDS SEED. Built with the address and undefined sanitizers.
 *
 * Each round writes a stream of frames and knows which messages it holds, spoils some streams, and then
 * reads every stream whole and in pieces. The pieces lie in blocks of exactly their size, so a read behind
 * their end is seen. Both readings must agree, and an unspoilt stream must give exactly what was written.
 */
#include <stdio.h>

#include "websocket.h"

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "round %lu of seed %lu, line %d: %s\n", round_now, seed_now, __LINE__, #what); \
            abort(); \
        } \
    } while (0)

enum { MESSAGE_MAX = 70000, FRAGMENTS_MAX = 9, STREAM_MAX = 400000, HEADS_MAX = 1024 };

static unsigned long round_now, seed_now;
static uint64_t chance_state;

static uint64_t chance(uint64_t below) {
    uint64_t z = (chance_state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % below;
}

/* What a reading saw: a digest of everything handed over, in order, and how it ended. */
typedef struct {
    uint64_t digest;
    size_t events, taken;
    int end;
} seen;

static void note(seen *s, int step, const char *data, size_t size) {
    uint64_t digest = s->digest * 1099511628211u + (uint64_t)step + size * 31;
    for (size_t i = 0; i < size; i++) digest = (digest ^ (unsigned char)data[i]) * 1099511628211u;
    s->digest = digest;
    s->events++;
}

/* -- writing streams -------------------------------------------------------------------------- */

typedef struct {
    unsigned char *at;
    size_t size;
    seen expected;
    size_t heads[HEADS_MAX], n_heads; /* where the frames begin */
} stream;

static void put_frame(stream *s, unsigned first, const char *data, size_t size) {
    unsigned char *at = s->at + s->size;
    int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    if (s->n_heads < HEADS_MAX) s->heads[s->n_heads++] = s->size;
    *at++ = (unsigned char)first;
    *at++ = (unsigned char)(bytes == 0 ? size : bytes == 2 ? 126 : 127);
    for (int i = bytes - 1; i >= 0; i--) *at++ = (unsigned char)((uint64_t)size >> (8 * i));
    if (size) memcpy(at, data, size);
    s->size = (size_t)(at - s->at) + size;
}

static size_t some_size(void) {
    static const size_t edges[] = {0, 1, 124, 125, 126, 127, 128, 250, 65534, 65535, 65536, 65537};
    return chance(12) ? chance(300) : edges[chance(sizeof edges / sizeof *edges)];
}

static void put_control(stream *s, char *data) {
    int step = chance(2) ? KW_WS_PING : KW_WS_PONG;
    size_t size = chance(126);
    put_frame(s, step == KW_WS_PING ? 0x89 : 0x8A, data, size);
    note(&s->expected, step, data, size);
}

static void put_message(stream *s, char *data) {
    size_t frames = chance(4) ? 1 : 1 + chance(FRAGMENTS_MAX), size = some_size(), done = 0;
    unsigned opcode = chance(8) ? 1 : 2;
    for (size_t i = 0; i < frames; i++) {
        size_t part = i + 1 == frames ? size - done : chance(size - done + 1);
        put_frame(s, (i ? 0 : opcode) | (i + 1 == frames ? 0x80 : 0), data + done, part);
        done += part;
        if (i + 1 < frames && !chance(3)) put_control(s, data);
    }
    note(&s->expected, KW_WS_MESSAGE, data, size);
}

/* A farewell, and bytes behind it that nobody may look at. */
static void put_close(stream *s) {
    static const int codes[] = {999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000, 65535};
    int code = codes[chance(sizeof codes / sizeof *codes)];
    int allowed = code >= 3000 ? code < 5000 : code >= 1000 && code < 1015 && !(code >= 1004 && code <= 1006);
    char payload[] = {(char)(code >> 8), (char)code, 'b', 'y', 'e'};
    size_t size = chance(6); /* 1: half a code */
    put_frame(s, 0x88, payload, size);
    s->expected.end = size == 0 || (size > 1 && allowed) ? KW_WS_CLOSE : KW_WS_CODE;
    if (s->expected.end == KW_WS_CLOSE) note(&s->expected, size ? code : KW_WS_NO_CODE, payload + 2, size ? size - 2 : 0);
    s->expected.taken = s->size;
    for (size_t more = chance(30); more; more--) s->at[s->size++] = (unsigned char)chance(256);
}

static void put_stream(stream *s, char *data) {
    size_t count = 1 + chance(12);
    for (size_t i = 0; i < MESSAGE_MAX; i++) data[i] = (char)(i * 7 + round_now);
    s->size = s->n_heads = 0;
    memset(&s->expected, 0, sizeof s->expected);
    for (size_t i = 0; i < count && s->size < STREAM_MAX / 2; i++) {
        if (chance(4)) put_message(s, data);
        else put_control(s, data);
    }
    s->expected.end = KW_WS_MORE;
    s->expected.taken = s->size;
    if (chance(3) == 0) put_close(s);
}

/* Returns whether the stream is no longer what was written. */
static int spoil(stream *s) {
    size_t hits;
    if (chance(3) == 0) return 0;
    for (hits = 1 + chance(2); hits; hits--) {
        size_t at = chance(4) ? s->heads[chance(s->n_heads)] + chance(4) : chance(s->size);
        if (at >= s->size) at = s->size - 1;
        if (chance(2)) s->at[at] ^= (unsigned char)(1u << chance(8));
        else s->at[at] = (unsigned char)chance(256);
    }
    if (chance(4) == 0) s->size = chance(s->size) + 1;
    return 1;
}

/* -- reading them ----------------------------------------------------------------------------- */

static int expect_step(kw_ws *ws, const char *at, size_t size, seen *s) {
    int step = kw_ws_step(ws, at, size);
    CHECK(ws->used <= size);
    CHECK(ws->parts_size <= MESSAGE_MAX && ws->parts_cap <= MESSAGE_MAX && ws->fragments <= FRAGMENTS_MAX);
    if (step == KW_WS_MORE) CHECK(ws->used == 0 && ws->wanted > size && ws->wanted <= MESSAGE_MAX + 10);
    else if (step > 0) CHECK(ws->used >= 2);
    if (step == KW_WS_BIG) CHECK(ws->wanted > MESSAGE_MAX || ws->fragments == FRAGMENTS_MAX);
    if (step == KW_WS_CLOSE) CHECK(ws->code >= 1000 && ws->code < 5000 && ws->size <= 123);
    if (step > 0 && step != KW_WS_PART) note(s, step == KW_WS_CLOSE ? ws->code : step, ws->data, ws->size);
    s->taken += ws->used;
    return step;
}

/* Read `size` bytes at `at`, which are given to the parser in pieces of at most `piece` bytes. */
static seen read_stream(const unsigned char *at, size_t size, size_t piece) {
    seen s = {0};
    kw_ws ws;
    char *held = NULL;
    size_t have = 0, given = 0;
    int step = KW_WS_MORE;
    kw_ws_init(&ws, MESSAGE_MAX, FRAGMENTS_MAX);
    while (given < size && (step == KW_WS_MORE || step == KW_WS_PART)) {
        size_t more = piece >= size ? size : 1 + chance(piece);
        char *block;
        size_t start = 0;
        if (more > size - given) more = size - given;
        block = (char *)malloc(have + more); /* exactly: the sanitizer watches the end */
        CHECK(block != NULL);
        if (have) memcpy(block, held, have);
        memcpy(block + have, at + given, more);
        free(held);
        held = block;
        have += more;
        given += more;
        do {
            step = expect_step(&ws, held + start, have - start, &s);
            start += ws.used;
        } while (step > 0 && step != KW_WS_CLOSE);
        have -= start;
        memmove(held, held + start, have);
        if (chance(4) == 0) kw_ws_trim(&ws, 0);
    }
    s.end = step == KW_WS_PART ? KW_WS_MORE : step;
    free(held);
    kw_ws_free(&ws);
    return s;
}

static void check_same(const seen *a, const seen *b) {
    CHECK(a->end == b->end && a->events == b->events && a->digest == b->digest && a->taken == b->taken);
}

/* -- our own frames --------------------------------------------------------------------------- */

static void check_writing(char *data) {
    static const int opcodes[] = {KW_WS_TEXT_FRAME, KW_WS_CLOSE_FRAME, KW_WS_PONG_FRAME};
    size_t size = some_size(), whole = kw_ws_frame_size(size), head = whole - size;
    unsigned char mask[4];
    int opcode = opcodes[chance(3)];
    char *from = (char *)malloc(size + 1), *out = (char *)malloc(whole);
    stream plain;
    CHECK(from != NULL && out != NULL);
    for (int i = 0; i < 4; i++) mask[i] = (unsigned char)chance(256);
    memcpy(from, data, size);
    kw_ws_frame(out, opcode, from, size, mask);
    plain.at = (unsigned char *)malloc(whole);
    plain.size = plain.n_heads = 0;
    CHECK(plain.at != NULL);
    put_frame(&plain, 0x80u | (unsigned)opcode, data, size);
    CHECK(plain.size == whole - 4);
    CHECK((unsigned char)out[0] == plain.at[0]);
    CHECK((unsigned char)out[1] == (plain.at[1] | 0x80));
    CHECK(memcmp(out + 2, plain.at + 2, head - 6) == 0);
    CHECK(memcmp(out + head - 4, mask, 4) == 0);
    for (size_t i = 0; i < size; i++) CHECK(((unsigned char)out[head + i] ^ mask[i % 4]) == (unsigned char)data[i]);
    free(plain.at);
    free(from);
    free(out);
}

int main(int argc, char **argv) {
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000, ends[11] = {0};
    stream s;
    char *data = (char *)malloc(MESSAGE_MAX);
    seed_now = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    chance_state = seed_now;
    s.at = (unsigned char *)malloc(STREAM_MAX * 2);
    CHECK(data != NULL && s.at != NULL);
    for (round_now = 1; round_now <= rounds; round_now++) {
        seen whole, pieces;
        int spoilt;
        put_stream(&s, data);
        spoilt = spoil(&s);
        whole = read_stream(s.at, s.size, s.size);
        pieces = read_stream(s.at, s.size, chance(3) ? 1 + chance(500) : 1 + chance(20000));
        check_same(&whole, &pieces);
        if (s.size < 3000) {
            pieces = read_stream(s.at, s.size, 1);
            check_same(&whole, &pieces);
        }
        if (!spoilt) check_same(&whole, &s.expected);
        ends[whole.end > 0 ? 10 : -whole.end]++;
        check_writing(data);
    }
    for (int i = 0; i < 11; i++) printf("%lu%c", ends[i], i == 10 ? '\n' : ' '); /* by error; last: closed */
    free(s.at);
    free(data);
    return 0;
}

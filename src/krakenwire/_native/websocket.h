/* RFC 6455 frames as a client reads and writes them: no socket, no Python, no clock.
 *
 * kw_ws_step looks at the bytes at hand and says what they begin with; a message in one frame stays
 * where it lies, one in fragments is put together in memory of its own. Every limit is applied to what
 * a header announces, so bytes nobody has sent are never made room for. No extension is negotiated.
 */
#ifndef KW_WEBSOCKET_H
#define KW_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What the bytes at hand begin with. Negative: they end the connection. */
enum {
    KW_WS_MORE = 0,         /* an unfinished frame, or nothing */
    KW_WS_MESSAGE = 1,      /* a whole text or binary message: data, size */
    KW_WS_PART = 2,         /* a fragment, which has been kept */
    KW_WS_PING = 3,         /* data, size */
    KW_WS_PONG = 4,
    KW_WS_CLOSE = 5,        /* code, and the reason as data, size; not yet known to be UTF-8 */
    KW_WS_RESERVED = -1,    /* a reserved bit without an extension */
    KW_WS_OPCODE = -2,
    KW_WS_MASKED = -3,      /* only a client masks: section 5.1 */
    KW_WS_CONTROL = -4,     /* a control frame of more than 125 bytes, or in fragments: section 5.5 */
    KW_WS_LENGTH = -5,      /* more bytes than the length needs, or its top bit set: section 5.2 */
    KW_WS_ORDER = -6,       /* a continuation of nothing, or a message inside another: section 5.4 */
    KW_WS_BIG = -7,         /* beyond message_max or fragments_max; the size announced is in `wanted` */
    KW_WS_CODE = -8,        /* a close code that must not be sent: section 7.4 */
    KW_WS_MEMORY = -9
};

enum { KW_WS_TEXT_FRAME = 1, KW_WS_BINARY_FRAME = 2, KW_WS_CLOSE_FRAME = 8, KW_WS_PING_FRAME = 9, KW_WS_PONG_FRAME = 10 };

#define KW_WS_HEAD_MAX 14      /* two bytes, a long length, a mask */
#define KW_WS_CONTROL_MAX 125
#define KW_WS_NO_CODE 1005     /* what a close frame without a code means: section 7.1.5 */

typedef struct {
    size_t message_max;        /* bytes of one message, in however many frames */
    size_t fragments_max;      /* frames of one message */
    /* the message that is coming in fragments */
    char *parts;
    size_t parts_size, parts_cap, fragments;
    /* what the last step found */
    const char *data;
    size_t size;
    size_t used;               /* bytes of the input it is done with */
    uint64_t wanted;           /* KW_WS_MORE: bytes of the whole frame, as far as is known; KW_WS_BIG: of the message */
    int code;                  /* KW_WS_CLOSE, KW_WS_CODE */
} kw_ws;

static inline void kw_ws_init(kw_ws *ws, size_t message_max, size_t fragments_max) {
    memset(ws, 0, sizeof *ws);
    ws->message_max = message_max;
    ws->fragments_max = fragments_max;
}

static inline void kw_ws_free(kw_ws *ws) {
    free(ws->parts);
    ws->parts = NULL;
    ws->parts_size = ws->parts_cap = ws->fragments = 0;
}

/* -- reading ---------------------------------------------------------------------------------- */

static inline uint64_t kw_ws_big_endian(const unsigned char *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
    return value;
}

/* Judge the first two bytes of a frame; 0 when a server may send them now. */
static inline int kw_ws_judge(const kw_ws *ws, unsigned first, unsigned second) {
    unsigned opcode = first & 15, fin = first & 0x80;
    if (first & 0x70) return KW_WS_RESERVED;
    if ((opcode & 7) > 2) return KW_WS_OPCODE;
    if (second & 0x80) return KW_WS_MASKED;
    if (opcode & 8) return !fin || second > KW_WS_CONTROL_MAX ? KW_WS_CONTROL : 0;
    if ((opcode == 0) != (ws->fragments != 0)) return KW_WS_ORDER;
    return 0;
}

/* Section 7.4 and the registry: 1004 to 1006 and 1015 are never on the wire, 5000 and more are nobody's. */
static inline int kw_ws_code_allowed(int code) {
    if (code < 3000) return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
    return code < 5000;
}

static inline int kw_ws_closed(kw_ws *ws) {
    ws->code = KW_WS_NO_CODE;
    if (ws->size == 0) return KW_WS_CLOSE;
    ws->code = 0;
    if (ws->size == 1) return KW_WS_CODE;
    ws->code = (int)kw_ws_big_endian((const unsigned char *)ws->data, 2);
    ws->data += 2;
    ws->size -= 2;
    return kw_ws_code_allowed(ws->code) ? KW_WS_CLOSE : KW_WS_CODE;
}

/* Keep a fragment that fits the bounds; the last one makes the message. */
static inline int kw_ws_fragment(kw_ws *ws, int fin) {
    size_t size = ws->parts_size + ws->size;
    if (size > ws->parts_cap) {
        size_t cap = ws->parts_cap < 4096 ? 4096 : ws->parts_cap * 2;
        if (cap > ws->message_max) cap = ws->message_max;
        if (cap < size) cap = size;
        char *parts = (char *)realloc(ws->parts, cap);
        if (!parts) return KW_WS_MEMORY;
        ws->parts = parts;
        ws->parts_cap = cap;
    }
    if (ws->size) memcpy(ws->parts + ws->parts_size, ws->data, ws->size);
    ws->parts_size = size;
    ws->fragments++;
    if (!fin) return KW_WS_PART;
    ws->data = ws->parts;
    ws->size = size;
    ws->parts_size = ws->fragments = 0;
    return KW_WS_MESSAGE;
}

/* Every frame but the plain one, and the plain one when it is not whole yet. */
static inline int kw_ws_step_any(kw_ws *ws, const char *at, size_t size) {
    const unsigned char *head = (const unsigned char *)at;
    size_t head_size = 2;
    uint64_t length;
    int verdict;
    ws->used = 0;
    ws->wanted = 2;
    if (size < 2) return KW_WS_MORE;
    verdict = kw_ws_judge(ws, head[0], head[1]);
    if (verdict) return verdict;
    length = head[1];
    if (length > 125) {
        int bytes = length == 126 ? 2 : 8;
        head_size += (size_t)bytes;
        ws->wanted = head_size;
        if (size < head_size) return KW_WS_MORE;
        length = kw_ws_big_endian(head + 2, bytes);
        if (length < (bytes == 2 ? 126 : 65536) || length >> 63) return KW_WS_LENGTH;
    }
    if (!(head[0] & 8)) {
        if (length > ws->message_max - ws->parts_size || ws->fragments >= ws->fragments_max) {
            ws->wanted = ws->parts_size + length;
            return KW_WS_BIG;
        }
    }
    ws->wanted = head_size + length;
    if (size - head_size < length) return KW_WS_MORE;
    ws->used = head_size + (size_t)length;
    ws->data = at + head_size;
    ws->size = (size_t)length;
    switch (head[0] & 15) {
    case KW_WS_CLOSE_FRAME: return kw_ws_closed(ws);
    case KW_WS_PING_FRAME: return KW_WS_PING;
    case KW_WS_PONG_FRAME: return KW_WS_PONG;
    default: break;
    }
    if ((head[0] & 0x80) && !ws->fragments) return KW_WS_MESSAGE;
    return kw_ws_fragment(ws, head[0] & 0x80);
}

/* Look at what lies at `at`. `data` points into it, or into memory of `ws` until the next step. */
static inline int kw_ws_step(kw_ws *ws, const char *at, size_t size) {
    const unsigned char *head = (const unsigned char *)at;
    /* A text of 126 to 65535 bytes in one frame: what a feed is made of. */
    if (size >= 4 && head[0] == 0x81 && head[1] == 126 && !ws->fragments) {
        size_t length = (size_t)head[2] << 8 | head[3];
        if (length >= 126 && length <= ws->message_max && size - 4 >= length) {
            ws->used = length + 4;
            ws->data = at + 4;
            ws->size = length;
            return KW_WS_MESSAGE;
        }
    }
    return kw_ws_step_any(ws, at, size);
}

/* Give back what a large message in fragments took; its data is gone then. */
static inline void kw_ws_trim(kw_ws *ws, size_t cap_max) {
    if (ws->fragments || ws->parts_cap <= cap_max) return;
    free(ws->parts);
    ws->parts = NULL;
    ws->parts_cap = 0;
}

/* -- writing ---------------------------------------------------------------------------------- */

static inline size_t kw_ws_frame_size(size_t size) {
    return size + 6 + (size < 126 ? 0 : size < 65536 ? 2 : 8);
}

/* Write one whole masked frame to `out`, which has room for kw_ws_frame_size(size) bytes. */
static inline void kw_ws_frame(char *out, int opcode, const char *data, size_t size, const unsigned char mask[4]) {
    unsigned char *head = (unsigned char *)out;
    int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    uint32_t mask4;
    uint64_t mask8;
    size_t i = 0;
    *head++ = (unsigned char)(0x80 | opcode);
    *head++ = (unsigned char)(0x80 | (bytes == 0 ? size : bytes == 2 ? 126 : 127));
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) *head++ = (unsigned char)((uint64_t)size >> shift);
    memcpy(head, mask, 4);
    head += 4;
    memcpy(&mask4, mask, 4);
    mask8 = (uint64_t)mask4 << 32 | mask4; /* the same four bytes twice, whatever the byte order */
    for (; size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        word ^= mask8;
        memcpy(head + i, &word, 8);
    }
    for (; i < size; i++) head[i] = (unsigned char)data[i] ^ mask[i & 3];
}

#endif

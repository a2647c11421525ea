/* The checksum of an L3 book: over every order of the ten best levels, asks before bids.
 *
 * Each level keeps the remainder of its own orders' text. Where carry-less multiplication makes shifting a
 * remainder cheap, they are put together, and only changed levels are read again; elsewhere the whole text
 * is. Both ways give what zlib's crc32 gives. Next: crc32.h, level3.h.
 */
#ifndef KW_LEVEL3_CHECKSUM_H
#define KW_LEVEL3_CHECKSUM_H

#include "crc32.h"
#include "level3_queues.h"

#define KW_TEXT_BUFFER 1024

/* The queue at a rank from the touch. */
static inline kw_queue *kw_queues_ranked(const kw_queues *q, uint32_t rank) {
    return &q->queues[q->room[q->first + q->n_places - 1 - rank].queue];
}

/* Continue `crc` over the text of one level's orders. */
static inline uint32_t kw_queue_text_crc(const kw_queues *q, const kw_queue *queue, uint32_t crc, uint32_t *size) {
    char buffer[KW_TEXT_BUFFER];
    char *at = buffer;
    uint32_t i;
    *size = 0;
    for (i = queue->head; i != KW_NONE; i = q->orders[i].next) {
        const kw_resting *r = &q->orders[i];
        memcpy(at, r->spelt, 32);
        if (r->spelt_size > 32) memcpy(at + 32, r->spelt + 32, KW_SPELT_MAX - 32);
        at += r->spelt_size;
        *size += r->spelt_size;
        if (at > buffer + KW_TEXT_BUFFER - KW_SPELT_MAX) {
            crc = kw_crc32(crc, buffer, (size_t)(at - buffer));
            at = buffer;
        }
    }
    return kw_crc32(crc, buffer, (size_t)(at - buffer));
}

/* Continue `crc` over the ten best levels of a side. */
static inline uint32_t kw_queues_text_crc(const kw_queues *q, uint32_t crc) {
    uint32_t rank, size;
    for (rank = 0; rank < KW_CHECKSUM_LEVELS && rank < q->n_places; rank++) {
        crc = kw_queue_text_crc(q, kw_queues_ranked(q, rank), crc, &size);
    }
    return crc;
}

#if KW_CRC_CLMUL

typedef struct { uint32_t crc, size; } kw_l3_part;

/* Add the remainders of a side's ten best levels to `parts`, making those anew that are stale. Returns how many there are. */
static inline int kw_queues_parts(kw_queues *q, kw_l3_part *parts, int n) {
    uint32_t levels = q->n_places < KW_CHECKSUM_LEVELS ? q->n_places : KW_CHECKSUM_LEVELS, rank;
    for (rank = 0; rank < levels; rank++) {
        kw_queue *queue = kw_queues_ranked(q, rank);
        if (queue->stale) {
            queue->crc = ~kw_queue_text_crc(q, queue, 0xFFFFFFFFu, &queue->size);
            queue->stale = 0;
        }
        parts[n].crc = queue->crc;
        parts[n++].size = queue->size;
    }
    return n;
}

/* Put remainders together, front to back: as many at a time as one sum may span, mostly all of them.
 * Returns 0 when one of them is of too long a text.
 */
KW_CLMUL_TARGET static inline int kw_parts_crc(const kw_l3_part *parts, int n, uint32_t *crc) {
    uint32_t whole = 0xFFFFFFFFu;
    int next = 0, end;
    while (next < n) {
        uint32_t behind = 0;
        __m128i sum;
        for (end = next; end < n && behind + parts[end].size <= KW_SHIFTS; end++) behind += parts[end].size;
        if (end == next) return 0;
        sum = kw_crc_product(whole, behind);
        for (; next < end; next++) {
            behind -= parts[next].size;
            sum = _mm_xor_si128(sum, kw_crc_product(parts[next].crc, behind));
        }
        whole = kw_crc_sum4(sum);
    }
    *crc = ~whole;
    return 1;
}

#endif

static inline uint32_t kw_l3_checksum(kw_queues *asks, kw_queues *bids) {
#if KW_CRC_CLMUL
    kw_l3_part parts[2 * KW_CHECKSUM_LEVELS];
    uint32_t crc;
    if (kw_crc_clmul && kw_parts_crc(parts, kw_queues_parts(bids, parts, kw_queues_parts(asks, parts, 0)), &crc)) return crc;
#endif
    return kw_queues_text_crc(bids, kw_queues_text_crc(asks, 0));
}

#endif

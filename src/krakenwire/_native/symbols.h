/* A table from symbols as the wire spells them to whatever is known of them.
 *
 * A symbol of up to 16 characters is compared as two words; longer ones byte by byte. The table holds
 * pointers that belong to others, and the texts it is given have to stay where they are. Next: feed.pyx.
 */
#ifndef KW_SYMBOLS_H
#define KW_SYMBOLS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KW_SYMBOL_WORDS 16

typedef struct {
    uint64_t first, last;       /* its first and last eight bytes, or four each: they overlap in most symbols */
    const char *text;
    int size;
    int depth;                  /* v1 names the depth of a book with it */
} kw_symbol_key;

typedef struct {
    kw_symbol_key key;
    void *value;                /* NULL in a free slot */
} kw_symbol_slot;

typedef struct {
    kw_symbol_slot *slots;
    uint32_t mask;              /* slots are mask + 1, a power of two, at most half of them taken */
    uint32_t count;
} kw_symbols;

static inline kw_symbol_key kw_symbol_key_of(const char *text, int size, int depth) {
    kw_symbol_key key = {0, 0, text, size, depth};
    uint32_t first, last;
    if (size >= 8) {
        memcpy(&key.first, text, 8);
        memcpy(&key.last, text + size - 8, 8);
    } else if (size >= 4) { /* most symbols have seven characters: no call for them */
        memcpy(&first, text, 4);
        memcpy(&last, text + size - 4, 4);
        key.first = first;
        key.last = last;
    } else {
        memcpy(&key.first, text, (size_t)size);
    }
    return key;
}

static inline uint32_t kw_symbol_hash(const kw_symbol_key *key) {
    uint64_t mixed = key->first ^ key->last << 7 ^ key->last >> 9 ^ (uint64_t)(uint32_t)(key->size + 64 * key->depth);
    return (uint32_t)((mixed * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static inline int kw_symbol_same(const kw_symbol_key *one, const kw_symbol_key *other) {
    return one->first == other->first && one->last == other->last && one->size == other->size &&
           one->depth == other->depth &&
           (one->size <= KW_SYMBOL_WORDS || memcmp(one->text, other->text, (size_t)one->size) == 0);
}

/* Return what a symbol stands for, NULL when it is not there. */
static inline void *kw_symbols_find(const kw_symbols *symbols, const kw_symbol_key *key) {
    uint32_t place;
    if (!symbols->slots) return NULL;
    for (place = kw_symbol_hash(key) & symbols->mask; symbols->slots[place].value; place = (place + 1) & symbols->mask)
        if (kw_symbol_same(&symbols->slots[place].key, key)) return symbols->slots[place].value;
    return NULL;
}

static inline void kw_symbols_put(kw_symbols *symbols, const kw_symbol_slot *slot) {
    uint32_t place = kw_symbol_hash(&slot->key) & symbols->mask;
    while (symbols->slots[place].value) place = (place + 1) & symbols->mask;
    symbols->slots[place] = *slot;
}

/* Add a symbol that is not there; 0 when there is no memory. Its text must stay. */
static inline int kw_symbols_add(kw_symbols *symbols, kw_symbol_key key, void *value) {
    kw_symbol_slot slot = {key, value};
    if (!symbols->slots || 2 * symbols->count > symbols->mask) {
        uint32_t i, mask = symbols->slots ? 2 * symbols->mask + 1 : 63;
        kw_symbols grown = {NULL, mask, symbols->count};
        grown.slots = (kw_symbol_slot *)calloc((size_t)mask + 1, sizeof(kw_symbol_slot));
        if (!grown.slots) return 0;
        for (i = 0; symbols->slots && i <= symbols->mask; i++)
            if (symbols->slots[i].value) kw_symbols_put(&grown, &symbols->slots[i]);
        free(symbols->slots);
        *symbols = grown;
    }
    kw_symbols_put(symbols, &slot);
    symbols->count++;
    return 1;
}

static inline void kw_symbols_free(kw_symbols *symbols) {
    free(symbols->slots);
    memset(symbols, 0, sizeof *symbols);
}

#endif

/* Whether a frame may hold a secret: the compiled side of `krakenwire.tape.redact`, which says what is looked for. */
#ifndef KW_REDACT_H
#define KW_REDACT_H

#include <stddef.h>
#include <string.h>

static inline int kw_redact_is(const unsigned char *at, ptrdiff_t left, const char *word, ptrdiff_t size) {
    ptrdiff_t i;
    if (left < size) return 0;
    for (i = 0; i < size; i++)
        if ((at[i] | 0x20) != (unsigned char)word[i]) return 0; /* only a letter becomes that letter */
    return 1;
}

/* Return whether one of the words, in letters of either case, is in a text.
 *
 * Every third byte is looked at: one of the first three letters of a word is there, and they all differ.
 */
static inline int kw_redact_has_word(const unsigned char *text, ptrdiff_t size) {
    static const char *const words[3] = {"token", "api", "secret"};
    static const unsigned char sizes[3] = {5, 3, 6};
    static const unsigned char place[32] = { /* of a letter: 1 + 3 * its word + its place there */
        ['t' & 31] = 1, ['o' & 31] = 2, ['k' & 31] = 3,
        ['a' & 31] = 4, ['p' & 31] = 5, ['i' & 31] = 6,
        ['s' & 31] = 7, ['e' & 31] = 8, ['c' & 31] = 9,
    };
    ptrdiff_t at, start;
    int found;
    for (at = 2; at < size; at += 3) {
        if (text[at] < 'A' || !(found = place[text[at] & 31])) continue;
        start = at - (found - 1) % 3;
        found = (found - 1) / 3;
        if (start >= 0 && kw_redact_is(text + start, size - start, words[found], sizes[found])) return 1;
    }
    return 0;
}

static inline int kw_redact_may_hold(const unsigned char *text, size_t size) {
    const unsigned char *at = text, *end = text + size;
    while ((at = (const unsigned char *)memchr(at, '\\', (size_t)(end - at)))) {
        if (++at < end && (*at | 0x20) == 'u') return 1;
    }
    return kw_redact_has_word(text, (ptrdiff_t)size);
}

#endif

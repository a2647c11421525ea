/* The one pass without Python: frames into books, for counting its instructions.
 *
 * usage: one_pass FILE DEPTH. FILE holds frames, one a line, the first ones snapshots. What is counted is
 * `one_pass` alone: which book a frame is for was found before. Prints which CRC32 was used; fails unless every book message was verified.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "message.h"
#include "number.h"
#include "scan.h"
#include "frame_v2.h"
#include "book.h"

enum { FRAMES_MAX = 100000, BOOKS_MAX = 64 };

typedef struct {
    const char *at;
    size_t size;
    kw_book *book;
} item;

static item items[FRAMES_MAX];
static kw_book books[BOOKS_MAX];
static char symbols[BOOKS_MAX][33];
static int n_books;

__attribute__((noinline)) int one_pass(kw_message *message, const item *from, const item *to) {
    int verified = 0;
    for (; from < to; from++)
        if (kw_parse_v2(message, from->at, from->size) == KW_TAKEN && message->kind == KW_BOOK)
            verified += kw_book_take(from->book, message) == KW_BOOK_VERIFIED;
    return verified;
}

static void fail(const char *what) {
    fprintf(stderr, "one_pass: %s\n", what);
    exit(1);
}

static kw_book *book_of(const kw_message *message, int depth) {
    int i;
    for (i = 0; i < n_books; i++)
        if ((int)strlen(symbols[i]) == message->symbol_size &&
            !memcmp(symbols[i], message->symbol, (size_t)message->symbol_size)) return &books[i];
    if (n_books == BOOKS_MAX) fail("too many symbols");
    memcpy(symbols[n_books], message->symbol, (size_t)message->symbol_size);
    kw_book_init(&books[n_books], depth, 0, 0, 1);
    return &books[n_books++];
}

static char *read_all(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail("cannot read the frames");
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (!text || fread(text, 1, *size, file) != *size) fail("cannot read the frames");
    fclose(file);
    return text;
}

int main(int argc, char **argv) {
    kw_message message;
    size_t size;
    int n = 0, heads = 0, of_books = 0, verified;
    if (argc != 3) fail("usage: one_pass FILE DEPTH");
    kw_crc_setup();
    kw_message_init(&message);
    char *text = read_all(argv[1], &size), *at = text, *line;
    for (; (line = memchr(at, '\n', size - (size_t)(at - text))); at = line + 1) {
        if (n == FRAMES_MAX) fail("too many frames");
        items[n].at = at;
        items[n].size = (size_t)(line - at);
        if (kw_parse_v2(&message, items[n].at, items[n].size) != KW_TAKEN) fail("a frame is not in plain form");
        items[n].book = book_of(&message, atoi(argv[2]));
        of_books += message.kind == KW_BOOK;
        heads += message.kind == KW_BOOK && message.snapshot;
        n++;
    }
    verified = one_pass(&message, items, items + heads);
    verified += one_pass(&message, items + heads, items + n);
    printf("%s\n", kw_crc_backend());
    return verified != of_books;
}

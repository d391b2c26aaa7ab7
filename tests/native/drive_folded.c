/* Drives the reader of folded text alone, for sanitizers: every file whole and in pieces, then with bytes
 * changed and cut. Usage: drive_folded ROUNDS FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/folded.h"

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Pieces of their own, so that reading past the end of one is seen. */
static void read_all(const char *bytes, size_t size, size_t piece) {
    kp_folded *folded = kp_folded_new();
    kp_folded_status status = KP_FOLDED_OK;
    for (size_t at = 0; at < size && status == KP_FOLDED_OK; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        char *own = malloc(part);
        memcpy(own, bytes + at, part);
        status = kp_folded_feed(folded, own, part, 0);
        free(own);
    }
    if (status == KP_FOLDED_OK) status = kp_folded_feed(folded, NULL, 0, 1);
    const int32_t *parent, *label;
    const int64_t *weight;
    uint64_t number;
    kp_span line;
    int64_t sum = 0;
    for (size_t i = 0, count = kp_folded_stacks(folded, &parent, &label, &weight); i < count; i++) {
        if (parent[i] >= (int64_t)i || (size_t)label[i] >= kp_folded_names(folded)->count) abort();
        sum ^= weight[i];
    }
    if (kp_folded_skipped(folded, &number, &line) && !number) abort();
    if (sum < 0) abort();
    kp_folded_free(folded);
}

static void mutate(char *bytes, size_t *size) {
    static const char odd[] = "\n\n;;  \t#-.09a\r\0\xff\xef\xbb\xbf";
    for (size_t i = 0, changes = 1 + draw() % 24; i < changes && *size; i++) {
        size_t at = draw() % *size;
        bytes[at] = draw() % 4 ? odd[draw() % sizeof odd] : (char)draw();
    }
    if (draw() % 3 == 0 && *size) *size = draw() % *size;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        size_t room = 1 << 20;
        char *bytes = malloc(room), *copy = malloc(room);
        size_t whole = fread(bytes, 1, room, file);
        fclose(file);
        for (int round = 0; round <= rounds; round++) {
            size_t size = whole > 60000 && round ? 60000 : whole;
            memcpy(copy, bytes, size);
            if (round) mutate(copy, &size);
            read_all(copy, size, round % 3 == 0 ? size + 1 : 1 + draw() % 500);
        }
        free(bytes);
        free(copy);
    }
    return 0;
}

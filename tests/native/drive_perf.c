/* Drives the reader of perf.data alone, for sanitizers and fuzzers: every file whole and in pieces, as it is
 * and with bytes changed and cut. Usage: drive_perf ROUNDS FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cursor.h"
#include "core/perf.h"

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Records as the compressed ones hold them, without zstd: half of the input, as it is. */
static int inflate(void *context, const uint8_t *bytes, size_t size, const uint8_t **out, size_t *out_size) {
    (void)context;
    *out = bytes;
    *out_size = size / 2;
    return size % 64 == 63 ? -1 : 0;
}

/* The parts of a file's head that the Python side reads otherwise; see readers/perf_data/layout.py. */
static void add_events(kp_perf *perf, const uint8_t *bytes, size_t size, uint64_t *start, uint64_t *end) {
    kp_cursor c = kp_cursor_of(bytes + 16, size - 16, 0);
    uint64_t each = kp_u64(&c), at = kp_u64(&c), total = kp_u64(&c);
    *start = kp_u64(&c);
    *end = kp_u64(&c);
    *end = *start > size ? *start : *end > size - *start ? size : *start + *end;
    if (*start > size) *start = *end = size;
    if (each < 80 || each > 4096 || at > size || total > size - at) return;
    for (uint64_t i = 0; i + each <= total; i += each) {
        const uint8_t *attr = bytes + at + i;
        kp_cursor ids = kp_cursor_of(attr + each - 16, 16, 0);
        uint64_t ids_at = kp_u64(&ids), ids_size = kp_u64(&ids);
        if (ids_at > size || ids_size > size - ids_at) ids_at = ids_size = 0;
        kp_perf_add_event(perf, attr, (size_t)each - 16, bytes + ids_at, (size_t)ids_size);
    }
}

static void check(const kp_perf *perf, int with_raw) {
    size_t places, rows, raws, stacks;
    kp_perf_places(perf, &places);
    const kp_perf_row *row = kp_perf_rows(perf, &rows);
    const kp_perf_node *node = kp_perf_nodes(perf, &stacks);
    for (size_t i = 0; i < stacks; i++)
        if (node[i].parent >= (int32_t)i || node[i].place < 0 || (size_t)node[i].place >= places) abort();
    for (size_t i = 0; i < rows; i++)
        if (row[i].stack >= (int32_t)stacks || row[i].weight < 0) abort();
    const kp_perf_raw *raw = kp_perf_raws(perf, &raws);
    kp_span bytes = kp_perf_raw_bytes(perf);
    if (raws != (with_raw ? rows : 0)) abort();
    for (size_t i = 0; i < raws; i++)
        if (raw[i].offset > bytes.size || raw[i].size > bytes.size - raw[i].offset) abort();
}

static void read_all(const uint8_t *bytes, size_t size, size_t piece, unsigned flags) {
    kp_perf_options options = {.swap = flags & 1, .compat = flags >> 1 & 1, .keep_ids = flags >> 2 & 1,
                               .every_sample = flags >> 3 & 1, .rounds = flags >> 4 & 1, .keep_raw = flags >> 5 & 1,
                               .inflate = inflate};
    kp_perf *perf = kp_perf_new(&options);
    uint64_t start = 16, end = size;
    if (size >= 104 && bytes[8] != 16) add_events(perf, bytes, size, &start, &end);
    int status = KP_PERF_OK;
    kp_perf_begin(perf);
    for (uint64_t at = start; at < end && status == KP_PERF_OK; at += piece)
        status = kp_perf_feed_piece(perf, bytes + at, end - at < piece ? (size_t)(end - at) : piece);
    if (status == KP_PERF_OK) status = kp_perf_end(perf);
    if (status == KP_PERF_OK) check(perf, options.keep_raw);
    kp_perf_free(perf);
}

static void mutate(uint8_t *bytes, size_t *size) {
    for (uint64_t changes = draw() % 30; changes; changes--) bytes[8 + draw() % (*size - 8)] = (uint8_t)draw();
    if (draw() % 4 == 0) *size = 17 + draw() % (*size - 17);
}

#ifdef FUZZER
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size > 17) read_all(bytes, size, 4096, bytes[9] ^ bytes[size - 1]);
    return 0;
}
#else
int main(int count, char **names) {
    for (int i = 2; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        fseek(file, 0, SEEK_END);
        size_t size = (size_t)ftell(file);
        rewind(file);
        uint8_t *bytes = malloc(size), *copy = malloc(size);
        if (fread(bytes, 1, size, file) != size) return 1;
        fclose(file);
        for (unsigned flags = 0; flags < 32; flags++)
            read_all(bytes, size, flags % 2 ? 4099 : size, (flags & ~1u) | (flags & 8) << 2);
        for (int round = atoi(names[1]); round; round--) {
            size_t cut = size;
            memcpy(copy, bytes, size);
            mutate(copy, &cut);
            uint8_t *exact = malloc(cut); /* so that an overrun is seen */
            memcpy(exact, copy, cut);
            read_all(exact, cut, 1 + draw() % 70000, (unsigned)draw());
            free(exact);
        }
        free(bytes);
        free(copy);
    }
    return 0;
}
#endif

/* Drives the decoder of pprof alone, for sanitizers: every file, whole, then with bytes changed and cut.
 * Usage: drive_pprof ROUNDS FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pprof.h"

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Columns exactly as long as was said, so that a byte more is seen. */
static void *column(size_t count) { return malloc(count ? count * 8 : 1); }

static int decode(const uint8_t *bytes, size_t size) {
    kp_pprof_counts counts, again;
    uint8_t *data = malloc(size ? size : 1); /* nothing may be read behind it */
    memcpy(data, bytes, size);
    int ok = !kp_pprof_fields(data, size, NULL, &counts);
    if (ok) {
        kp_pprof_field *fields = malloc(counts.fields * sizeof *fields + 1);
        if (kp_pprof_fields(data, size, fields, &again) || again.fields != counts.fields) abort();
        for (size_t i = 0; i < counts.fields; i++)
            if (fields[i].is_bytes && (fields[i].start > size || fields[i].value > size - fields[i].start)) abort();
        free(fields);
    }
    if (!kp_pprof_samples(data, size, NULL, &counts)) {
        kp_pprof_columns c = {column(counts.samples), column(counts.samples), column(counts.locations),
                              column(counts.values), column(counts.labels), column(counts.labels),
                              column(counts.labels), column(counts.labels)};
        if (kp_pprof_samples(data, size, &c, &again) || memcmp(&counts, &again, sizeof counts)) abort();
        if (counts.samples && c.location_end[counts.samples - 1] != counts.locations) abort();
        void *all[] = {c.location_end, c.value_end, c.locations, c.values,
                       c.label_sample, c.label_key, c.label_text, c.label_number};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    }
    free(data);
    return ok;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        fseek(file, 0, SEEK_END);
        size_t size = (size_t)ftell(file);
        rewind(file);
        uint8_t *bytes = malloc(size + 1), *copy = malloc(size + 1);
        if (fread(bytes, 1, size, file) != size) return 2;
        fclose(file);
        if (!decode(bytes, size)) return 1;
        for (int round = 0; round < rounds && size; round++) {
            memcpy(copy, bytes, size);
            for (uint64_t n = draw() % 8; n; n--) copy[draw() % size] = (uint8_t)draw();
            decode(copy, draw() % 2 ? size : draw() % size);
        }
        free(bytes);
        free(copy);
    }
    return 0;
}

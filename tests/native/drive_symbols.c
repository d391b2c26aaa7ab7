/* Drives symbol tables and demanglers alone, for sanitizers: each file as kallsyms, as a perf map, as a
 * jitdump, as an ELF symbol table and as mangled names, whole and with bytes changed and cut.
 * Usage: drive_symbols ROUNDS FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/demangle.h"
#include "core/symbols.h"

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void look_around(kp_symbols *symbols) {
    uint64_t addresses[64];
    int64_t rows[64];
    for (size_t i = 0; i < 64; i++) {
        addresses[i] = draw() >> (draw() & 63);
        if (symbols->count) addresses[i] = symbols->items[draw() % symbols->count].start + (draw() & 7) - (draw() & 1);
    }
    kp_symbols_find(symbols, addresses, 64, rows);
    for (size_t i = 0; i < 64; i++) {
        if (rows[i] < 0) continue;
        const kp_symbol *symbol = &symbols->items[rows[i]];
        if (symbol->start > addresses[i] || symbol->end <= addresses[i]) abort();
        volatile size_t sum = kp_symbols_name(symbols, symbol).size + kp_symbols_module(symbols, symbol).size;
        (void)sum;
    }
}

static void as_text(const char *bytes, size_t size, int what) {
    kp_symbols symbols = {0};
    symbols.blobs[0] = (kp_span){bytes, size};
    int status = what == 0   ? kp_symbols_add_kallsyms(&symbols, 0)
                 : what == 1 ? kp_symbols_add_perf_map(&symbols, 0)
                             : kp_symbols_add_jitdump(&symbols, 0);
    if (!status) status = what ? kp_symbols_overlay(&symbols) : kp_symbols_finish(&symbols, draw() & 1);
    for (size_t i = 1; !status && what && i < symbols.count; i++)
        if (symbols.items[i].start < symbols.items[i - 1].end) abort();
    if (!status) look_around(&symbols);
    kp_symbols_free(&symbols);
}

static void as_elf(const char *bytes, size_t size, int bits, int swap, kp_choice choice) {
    kp_symbols symbols = {0};
    size_t half = size / 2;
    uint8_t kinds[8];
    uint64_t ends[8];
    for (size_t i = 0; i < 8; i++) kinds[i] = (uint8_t)(draw() & 7), ends[i] = draw() >> (draw() & 63);
    symbols.blobs[0] = (kp_span){bytes + half, size - half};
    kp_elf_symbols in = {(const uint8_t *)bytes, half, bits == 64 ? 24 : 16, bits, swap, draw() & 1, draw() & 1, 0,
                         kinds, ends, 8, choice};
    if (!kp_symbols_add_elf(&symbols, &in) && !kp_symbols_finish(&symbols, choice)) look_around(&symbols);
    kp_symbols_free(&symbols);
}

static void as_names(const char *bytes, size_t size) {
    kp_text_buffer out = {0};
    for (const char *at = bytes, *end = bytes + size; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        kp_span name = {at, (size_t)(stop - at)};
        if (kp_demangle(name, &out) != KP_NOT_MANGLED) {
            kp_span made = {out.at, out.size};
            if (kp_without_return_type(made).size > made.size) abort();
        }
        at = stop + 1;
    }
    free(out.at);
}

static void read_all(const char *bytes, size_t size) {
    for (int i = 0; i < 3; i++) as_text(bytes, size, i);
    for (int i = 0; i < 8; i++) as_elf(bytes, size, i & 1 ? 64 : 32, i >> 1 & 1, i >> 2);
    as_names(bytes, size);
}

/* An exact allocation, so that the sanitizer sees every byte read past the end. */
static char *copy_of(const char *bytes, size_t size) {
    char *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    return copy;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        static char bytes[1 << 20];
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        char *whole = copy_of(bytes, size);
        read_all(whole, size);
        free(whole);
        for (int round = 0; round < rounds && size; round++) {
            size_t part = draw() & 1 ? size : draw() % size;
            char *damaged = copy_of(bytes, part);
            for (uint64_t n = draw() % 16; n && part; n--) damaged[draw() % part] = (char)draw();
            read_all(damaged, part);
            free(damaged);
        }
    }
    return 0;
}

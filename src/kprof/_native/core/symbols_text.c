/* Symbols in lines of text: /proc/kallsyms, and the maps that JIT compilers write for perf. */
#include "chars.h"
#include "symbols.h"

enum { LONGEST_MODULE = UINT8_MAX, LONGEST_NAME = 1 << 16 };

/* Reads a hexadecimal number and moves behind it; returns whether there was one that fits. */
static int read_hex(const char **at, const char *end, uint64_t *value) {
    const char *start = *at;
    uint64_t sum = 0;
    for (; *at < end && kp_is_hex(**at); ++*at) {
        unsigned char c = (unsigned char)**at;
        if (sum >> 60) return 0;
        sum = sum << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    *value = sum;
    return *at > start;
}

static const char *line_end(const char *at, const char *end) {
    const char *found = memchr(at, '\n', (size_t)(end - at));
    return found ? found : end;
}

static uint8_t binding_of(char type) {
    if (type == 'W') return KP_BIND_WEAK;
    return type >= 'A' && type <= 'Z' ? KP_BIND_GLOBAL : KP_BIND_LOCAL;
}

/* The size of "NAME" in "NAME\t[MODULE]", and that of the module with its brackets. */
static void split_module(kp_span rest, size_t *name, uint8_t *module) {
    const char *tab = memchr(rest.at, '\t', rest.size);
    size_t size = tab ? rest.size - (size_t)(tab + 1 - rest.at) : 0;
    *name = tab ? (size_t)(tab - rest.at) : rest.size;
    *module = size <= LONGEST_MODULE ? (uint8_t)size : 0;
}

/* "ffffffff81000000 T _stext" and "ffffffffc0201000 t name\t[module]". Types as nm prints them; only code
 * and data in memory count: data ends the code before it. */
int kp_symbols_add_kallsyms(kp_symbols *symbols, uint8_t source) {
    kp_span blob = symbols->blobs[source];
    const char *end = blob.at + blob.size;
    for (const char *at = blob.at, *next; at < end; at = next) {
        const char *stop = line_end(at, end);
        next = stop + 1;
        uint64_t start;
        if (!read_hex(&at, stop, &start) || stop - at < 4 || at[0] != ' ' || at[2] != ' ') {
            symbols->skipped += stop > at;
            continue;
        }
        char type = at[1], upper = (char)(type & ~0x20);
        kp_span rest = kp_between(at + 3, stop);
        if ((upper != 'T' && upper != 'W' && upper != 'D' && upper != 'B') || rest.at[0] == '$') continue;
        size_t size;
        uint8_t module;
        split_module(rest, &size, &module);
        if (size > LONGEST_NAME) size = LONGEST_NAME, module = 0;
        kp_symbol made = {start, start, (uint64_t)(rest.at - blob.at), (uint32_t)size, source, binding_of(type),
                          upper == 'T' || upper == 'W' ? KP_TYPE_FUNC : KP_TYPE_OBJECT, module};
        if (kp_symbols_add(symbols, &made)) return -1;
    }
    return 0;
}

/* "START SIZE NAME" in hexadecimal, as tools/perf/Documentation/jit-interface.txt says; some write 0x. */
int kp_symbols_add_perf_map(kp_symbols *symbols, uint8_t source) {
    kp_span blob = symbols->blobs[source];
    const char *end = blob.at + blob.size;
    for (const char *at = blob.at, *next; at < end; at = next) {
        const char *stop = line_end(at, end);
        next = stop + 1;
        if (at == stop) continue;
        uint64_t number[2];
        int good = 1;
        for (int i = 0; i < 2 && good; i++) {
            if (stop - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x') at += 2;
            good = read_hex(&at, stop, &number[i]) && at < stop && *at == ' ';
            at += good;
        }
        kp_span name = good ? kp_trim(kp_between(at, stop)) : (kp_span){"", 0};
        if (!name.size || !number[1] || number[1] > UINT64_MAX - number[0]) {
            symbols->skipped++;
            continue;
        }
        uint32_t size = name.size > LONGEST_NAME ? LONGEST_NAME : (uint32_t)name.size;
        kp_symbol made = {number[0], number[0] + number[1], (uint64_t)(name.at - blob.at), size, source,
                          KP_BIND_GLOBAL, KP_TYPE_FUNC, 0};
        if (kp_symbols_add(symbols, &made)) return -1;
    }
    return 0;
}

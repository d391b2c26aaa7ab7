/* Dumps of JIT code, `jit-PID.dump`: tools/perf/Documentation/jitdump-specification.txt of Linux. */
#include "cursor.h"
#include "symbols.h"

enum { JIT_CODE_LOAD = 0, JIT_CODE_MOVE = 1, HEADER = 40, RECORD_HEADER = 16, LOOK_BACK = 4096 };
static const uint32_t magic = 0x4a695444;

static int add_load(kp_symbols *symbols, uint8_t source, kp_cursor *c) {
    kp_skip(c, 16); /* process, thread, address in the file */
    uint64_t start = kp_u64(c), size = kp_u64(c);
    kp_skip(c, 8);
    size_t length;
    const char *name = kp_text_z(c, &length);
    if (c->failed || !length || length > UINT16_MAX || !size || size > UINT64_MAX - start) return 0;
    kp_symbol made = {start, start + size, (uint64_t)(name - symbols->blobs[source].at), (uint32_t)length, source,
                      KP_BIND_GLOBAL, KP_TYPE_FUNC, 0};
    return kp_symbols_add(symbols, &made);
}

/* Code that was moved goes by its name at the new place, too. */
static int add_move(kp_symbols *symbols, kp_cursor *c) {
    kp_skip(c, 16);
    uint64_t old = kp_u64(c), start = kp_u64(c), size = kp_u64(c);
    if (c->failed || !size || size > UINT64_MAX - start) return 0;
    for (size_t i = symbols->count, tries = LOOK_BACK; i && tries; i--, tries--) {
        kp_symbol moved = symbols->items[i - 1];
        if (moved.start != old) continue;
        moved.start = start;
        moved.end = start + size;
        return kp_symbols_add(symbols, &moved);
    }
    return 0;
}

int kp_symbols_add_jitdump(kp_symbols *symbols, uint8_t source) {
    kp_span blob = symbols->blobs[source];
    kp_cursor c = kp_cursor_of(blob.at, blob.size, 0);
    uint32_t found = kp_u32(&c);
    if (found != magic && found != __builtin_bswap32(magic)) return 0;
    c.swap = found != magic;
    kp_skip(&c, 4);
    uint32_t header = kp_u32(&c);
    if (header < HEADER) return 0;
    kp_skip(&c, header - 12);
    while (kp_left(&c) >= RECORD_HEADER) {
        uint32_t id = kp_u32(&c), size = kp_u32(&c);
        kp_skip(&c, 8);
        const uint8_t *body = size < RECORD_HEADER ? NULL : kp_take(&c, size - RECORD_HEADER);
        if (!body) {
            symbols->skipped++; /* cut, or damaged: nothing behind it can be found */
            return 0;
        }
        kp_cursor record = kp_cursor_of(body, size - RECORD_HEADER, c.swap);
        if (id == JIT_CODE_LOAD && add_load(symbols, source, &record)) return -1;
        if (id == JIT_CODE_MOVE && add_move(symbols, &record)) return -1;
    }
    return 0;
}

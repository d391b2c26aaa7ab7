/* Reading foreign bytes: nothing is ever read past the end.
 *
 * An overrun sets `failed`, moves to the end and gives 0, so that a caller may read a whole structure
 * and look once. A loop that ends at the end ends after an overrun, too. */
#ifndef KP_CURSOR_H
#define KP_CURSOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    int swap;   /* bytes are in the other order than this machine's */
    int failed; /* something was read past the end */
} kp_cursor;

static inline kp_cursor kp_cursor_of(const void *bytes, size_t size, int swap) {
    kp_cursor cursor = {(const uint8_t *)bytes, (const uint8_t *)bytes + size, swap, 0};
    return cursor;
}

static inline size_t kp_left(const kp_cursor *c) { return (size_t)(c->end - c->at); }

/* The next `size` bytes, or NULL if there are fewer. */
static inline const uint8_t *kp_take(kp_cursor *c, uint64_t size) {
    if (size > kp_left(c)) {
        c->failed = 1;
        c->at = c->end;
        return NULL;
    }
    const uint8_t *at = c->at;
    c->at += size;
    return at;
}

static inline void kp_skip(kp_cursor *c, uint64_t size) { (void)kp_take(c, size); }

static inline uint8_t kp_u8(kp_cursor *c) {
    const uint8_t *at = kp_take(c, 1);
    return at ? *at : 0;
}

static inline uint16_t kp_u16(kp_cursor *c) {
    uint16_t value = 0;
    const uint8_t *at = kp_take(c, sizeof value);
    if (at) memcpy(&value, at, sizeof value);
    return c->swap ? __builtin_bswap16(value) : value;
}

static inline uint32_t kp_u32(kp_cursor *c) {
    uint32_t value = 0;
    const uint8_t *at = kp_take(c, sizeof value);
    if (at) memcpy(&value, at, sizeof value);
    return c->swap ? __builtin_bswap32(value) : value;
}

static inline uint64_t kp_u64(kp_cursor *c) {
    uint64_t value = 0;
    const uint8_t *at = kp_take(c, sizeof value);
    if (at) memcpy(&value, at, sizeof value);
    return c->swap ? __builtin_bswap64(value) : value;
}

/* LEB128 (DWARF 5, section 7.6); bits past the 64th are dropped. */
static inline uint64_t kp_uleb(kp_cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = kp_u8(c);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
}

static inline int64_t kp_sleb(kp_cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0;;) {
        uint8_t byte = kp_u8(c);
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte & 0x80) continue;
        if (shift < 64 && (byte & 0x40)) value |= ~(uint64_t)0 << shift;
        return (int64_t)value;
    }
}

/* Text up to a zero byte, which is skipped; up to the end if there is none, which is a failure. */
static inline const char *kp_text_z(kp_cursor *c, size_t *size) {
    const char *at = (const char *)c->at;
    const uint8_t *zero = (const uint8_t *)memchr(c->at, 0, kp_left(c));
    *size = (size_t)((zero ? zero : c->end) - c->at);
    if (!zero) c->failed = 1;
    c->at = zero ? zero + 1 : c->end;
    return at;
}

#endif

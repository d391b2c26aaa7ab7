#include "intern.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const char *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t keys[4] = {0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu, 0x165667b19e3779f9u, 0xd6e8feb86659fd93u};

/* Each process has keys of its own: with known ones, texts could be made that differ and hash alike.
 * Nothing that is written depends on them, for numbers are given in the order of first sight. */
__attribute__((constructor)) static void draw_keys(void) {
    uint64_t drawn[4];
    if (getrandom(drawn, sizeof drawn, GRND_NONBLOCK) == sizeof drawn) memcpy(keys, drawn, sizeof keys);
}

/* Folded multiplication over 16 bytes at a time, in two lanes so that the multiplications overlap. */
kp_wide_hash kp_hash_wide(const void *bytes, size_t size, uint64_t seed) {
    const char *at = bytes;
    const uint64_t k0 = keys[0], k1 = keys[1], k2 = keys[2], k3 = keys[3];
    uint64_t a = seed ^ k0, b = seed + k1;
    size_t left = size;
    for (; left >= 32; at += 32, left -= 32) {
        a = mix(a ^ load64(at), k1 ^ load64(at + 8));
        b = mix(b ^ load64(at + 16), k2 ^ load64(at + 24));
    }
    char tail[32] = {0};
    if (left) memcpy(tail, at, left);
    a = mix(a ^ load64(tail), k1 ^ load64(tail + 8));
    b = mix(b ^ load64(tail + 16), k2 ^ load64(tail + 24));
    return (kp_wide_hash){mix(a ^ size, b ^ k0), mix(b ^ k3, a + size)};
}

kp_wide_hash kp_hash_more(kp_wide_hash hash, uint64_t one, uint64_t two) {
    uint64_t a = mix(hash.low ^ one, keys[1] ^ two), b = mix(hash.high ^ two, keys[2] ^ one);
    return (kp_wide_hash){mix(a ^ keys[3], b ^ keys[0]), mix(b ^ keys[3], a ^ keys[1])};
}

uint64_t kp_hash(const void *bytes, size_t size, uint64_t seed) { return kp_hash_wide(bytes, size, seed).low; }

int kp_table_grow(kp_table *table) {
    size_t slots = table->slots ? table->slots * 2 : 1024;
    kp_table grown = {kp_table_memory(slots, sizeof *grown.at), slots, table->used};
    if (!grown.at) return -1;
    for (size_t i = 0; i < table->slots; i++) {
        if (!table->at[i].value) continue;
        size_t slot = kp_table_slot(&grown, table->at[i].tag);
        while (grown.at[slot].value) slot = kp_table_next(&grown, slot);
        grown.at[slot] = table->at[i];
    }
    free(table->at);
    *table = grown;
    return 0;
}

void kp_table_put(kp_table *table, size_t slot, uint64_t hash, uint32_t number) {
    table->at[slot] = (kp_entry){(uint32_t)hash, number + 1};
    table->used++;
}

void kp_table_free(kp_table *table) {
    free(table->at);
    *table = (kp_table){0};
}

/* The slot that holds the text, or the free slot where it belongs. */
static size_t find_slot(const kp_strings *strings, kp_span text, uint32_t tag, uint64_t hash) {
    const kp_table *table = &strings->table;
    size_t slot = kp_table_slot(table, hash);
    for (; table->at[slot].value; slot = kp_table_next(table, slot)) {
        if (!kp_table_may_be(table, slot, hash)) continue;
        const kp_string *item = &strings->items[table->at[slot].value - 1];
        if (item->text.size == text.size && item->tag == tag && !memcmp(item->text.at, text.at, text.size)) break;
    }
    return slot;
}

int64_t kp_strings_add(kp_strings *strings, kp_span text, uint32_t tag, int *fresh) {
    if (kp_table_ready(&strings->table)) return -1;
    uint64_t hash = kp_hash(text.at, text.size, tag);
    size_t slot = find_slot(strings, text, tag, hash);
    if (fresh) *fresh = !strings->table.at[slot].value;
    if (strings->table.at[slot].value) return strings->table.at[slot].value - 1;
    if (strings->count >= INT32_MAX || KP_RESERVE(strings->items, strings->room, strings->count, 1)) return -1;
    char *copy = kp_arena_copy(&strings->arena, text.at, text.size);
    if (!copy) return -1;
    strings->items[strings->count] = (kp_string){{copy, text.size}, tag};
    kp_table_put(&strings->table, slot, hash, (uint32_t)strings->count);
    return (int64_t)strings->count++;
}

int64_t kp_strings_find(const kp_strings *strings, kp_span text, uint32_t tag) {
    if (!strings->table.slots) return -1;
    size_t slot = find_slot(strings, text, tag, kp_hash(text.at, text.size, tag));
    return (int64_t)strings->table.at[slot].value - 1;
}

void kp_strings_free(kp_strings *strings) {
    kp_table_free(&strings->table);
    kp_arena_free(&strings->arena);
    free(strings->items);
    *strings = (kp_strings){0};
}

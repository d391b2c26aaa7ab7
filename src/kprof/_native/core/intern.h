/* Interning: equal bytes get equal numbers, counted from 0 in the order of first sight. */
#ifndef KP_INTERN_H
#define KP_INTERN_H

#include "memory.h"

uint64_t kp_hash(const void *bytes, size_t size, uint64_t seed);

/* Twice as wide: two texts that differ are taken for equal about never. */
typedef struct {
    uint64_t low, high;
} kp_wide_hash;
kp_wide_hash kp_hash_wide(const void *bytes, size_t size, uint64_t seed);
/* Hash of what has a hash already, and two words more. */
kp_wide_hash kp_hash_more(kp_wide_hash hash, uint64_t one, uint64_t two);

typedef struct {
    uint32_t tag;   /* low half of the hash: also tells where the slot goes when the table grows */
    uint32_t value; /* number + 1, 0 for a free slot */
} kp_entry;

/* Open addressing with linear probing over numbers. */
typedef struct {
    kp_entry *at;
    size_t slots, used;
} kp_table;

/* First slot that may hold `hash`; step with kp_table_next while its value is not 0. */
static inline size_t kp_table_slot(const kp_table *table, uint64_t hash) {
    return (size_t)hash & (table->slots - 1);
}
static inline size_t kp_table_next(const kp_table *table, size_t slot) {
    return (slot + 1) & (table->slots - 1);
}
/* Whether a slot that is not free may hold what has this hash: look at it to be sure. */
static inline int kp_table_may_be(const kp_table *table, size_t slot, uint64_t hash) {
    return table->at[slot].tag == (uint32_t)hash;
}
int kp_table_grow(kp_table *table);
/* Grow so that one more fits; must be called before a look-up that may insert. */
static inline int kp_table_ready(kp_table *table) {
    return table->used * 2 < table->slots ? 0 : kp_table_grow(table);
}
void kp_table_put(kp_table *table, size_t slot, uint64_t hash, uint32_t number);
void kp_table_free(kp_table *table);

/* Distinct byte strings. `tag` is a part of the identity that is not in the bytes. */
typedef struct {
    kp_span text;
    uint32_t tag;
} kp_string;

typedef struct {
    kp_table table;
    kp_arena arena;
    kp_string *items;
    size_t count, room;
} kp_strings;

/* Number of `text`, or -1 when memory is out. *fresh (may be NULL) says whether it is new. */
int64_t kp_strings_add(kp_strings *strings, kp_span text, uint32_t tag, int *fresh);
/* Number of `text`, or -1 if it is not there. */
int64_t kp_strings_find(const kp_strings *strings, kp_span text, uint32_t tag);
void kp_strings_free(kp_strings *strings);

#endif

/* Growing arrays and a bump arena. Every function that can run out of memory returns NULL or -1 and
 * leaves what was there intact, so that one check at the caller is enough. */
#ifndef KP_MEMORY_H
#define KP_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Text that lives elsewhere; never terminated. */
typedef struct {
    const char *at;
    size_t size;
} kp_span;

int kp_grow(void **items, size_t *room, size_t used, size_t more, size_t item_size);

/* Make room for `more` further items behind `used`; returns 0, or -1 when memory is out. */
static inline int kp_reserve(void **items, size_t *room, size_t used, size_t more, size_t item_size) {
    return more <= *room - used ? 0 : kp_grow(items, room, used, more, item_size);
}

/* kp_reserve for a typed array held in three variables. */
#define KP_RESERVE(items, room, used, more) \
    kp_reserve((void **)&(items), &(room), (used), (more), sizeof *(items))

/* Zeroed memory for a table that is looked up all over: in huge pages if it is large and the system has them,
 * for else each look-up would also miss the TLB, and each page fault twice, when it is first read and when it is
 * first written to. NULL when memory is out; free() releases it. */
void *kp_table_memory(size_t count, size_t item_size);

typedef struct kp_arena_block kp_arena_block;

/* Memory that is released all at once. */
typedef struct {
    kp_arena_block *last;
} kp_arena;

char *kp_arena_copy(kp_arena *arena, const char *text, size_t size);
void kp_arena_free(kp_arena *arena);

#endif

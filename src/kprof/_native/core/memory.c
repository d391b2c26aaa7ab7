#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ARENA_BLOCK = 1 << 18, HUGE_PAGE = 1 << 21 };

struct kp_arena_block {
    kp_arena_block *before;
    size_t used, room;
    char bytes[];
};

int kp_grow(void **items, size_t *room, size_t used, size_t more, size_t item_size) {
    if (more > SIZE_MAX / 2 / item_size - used) return -1;
    size_t wanted = *room ? *room : 64;
    while (wanted - used < more) wanted *= 2;
    void *grown = realloc(*items, wanted * item_size);
    if (!grown) return -1;
    *items = grown;
    *room = wanted;
    return 0;
}

void *kp_table_memory(size_t count, size_t item_size) {
    if (count > SIZE_MAX / 2 / item_size) return NULL;
    size_t size = count * item_size;
    if (size < HUGE_PAGE) return calloc(count, item_size);
    size = (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
    void *memory = aligned_alloc(HUGE_PAGE, size);
    if (!memory) return NULL;
    (void)madvise(memory, size, MADV_HUGEPAGE); /* advice: it may be refused */
    return memset(memory, 0, size);
}

char *kp_arena_copy(kp_arena *arena, const char *text, size_t size) {
    kp_arena_block *block = arena->last;
    if (!block || block->room - block->used < size) {
        size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        block = malloc(sizeof *block + room);
        if (!block) return NULL;
        block->before = arena->last;
        block->used = 0;
        block->room = room;
        arena->last = block;
    }
    char *copy = block->bytes + block->used;
    if (size) memcpy(copy, text, size);
    block->used += size;
    return copy;
}

void kp_arena_free(kp_arena *arena) {
    while (arena->last) {
        kp_arena_block *before = arena->last->before;
        free(arena->last);
        arena->last = before;
    }
}

/* Addresses -> distinct places, and stacks of places -> a tree. */
#include <stdlib.h>

#include "perf_state.h"

static int32_t intern(kp_perf *p, kp_perf_place place) {
    if (kp_table_ready(&p->place_table) || KP_RESERVE(p->places, p->place_room, p->place_count, 1)) return -1;
    uint64_t hash = kp_mix64(place.address, (uint64_t)(uint32_t)place.mapping << 32 | (uint32_t)place.name);
    size_t slot = kp_table_slot(&p->place_table, hash);
    for (; p->place_table.at[slot].value; slot = kp_table_next(&p->place_table, slot)) {
        if (!kp_table_may_be(&p->place_table, slot, hash)) continue;
        const kp_perf_place *known = &p->places[p->place_table.at[slot].value - 1];
        if (known->address == place.address && known->mapping == place.mapping && known->name == place.name &&
            known->mode == place.mode)
            return (int32_t)p->place_table.at[slot].value - 1;
    }
    if (p->place_count >= INT32_MAX) return -1;
    kp_table_put(&p->place_table, slot, hash, (uint32_t)p->place_count);
    p->places[p->place_count] = place;
    return (int32_t)p->place_count++;
}

/* A frame that says something about the stack rather than about code. */
int32_t kp_special_place(kp_perf *p, const char *name) {
    int64_t number = kp_strings_add(&p->names, (kp_span){name, strlen(name)}, 0, NULL);
    return number < 0 ? -1 : intern(p, (kp_perf_place){-1, (int32_t)number, KP_MODE_USER, 0, 0});
}

static int32_t symbol_at(const kp_perf *p, uint64_t address) {
    size_t low = 0, high = p->symbol_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->symbols[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < p->symbols[low - 1].end ? p->symbols[low - 1].name : -1;
}

static int32_t kernel_place(kp_perf *p, uint64_t address, unsigned mode, int is_return) {
    int32_t name = symbol_at(p, address);
    const kp_region *region = name < 0 ? kp_region_at(&p->kernel, address) : NULL;
    /* .init.text and others lie past the end that the recording gives for the kernel. */
    int32_t mapping = region ? region->mapping : name < 0 && (int64_t)address < 0 ? p->whole_kernel : -1;
    if (mapping < 0 && !p->options.keep_unmapped) address = 0;
    return intern(p, (kp_perf_place){mapping, name, mode, (uint32_t)is_return, address});
}

/* Broken stacks are full of addresses of nothing. They have no names to be told apart by. */
static int32_t place_of_nothing(kp_perf *p, uint64_t address, unsigned mode, int is_return) {
    if (p->options.keep_unmapped) return intern(p, (kp_perf_place){-1, -1, mode, (uint32_t)is_return, address});
    int32_t *known = &p->nowhere[mode & KP_MODE_MASK][!!is_return];
    if (!*known) *known = intern(p, (kp_perf_place){-1, -1, mode, (uint32_t)is_return, 0}) + 1;
    return *known - 1;
}

static uint64_t version_of(const kp_perf *p, const kp_space *space, unsigned mode) {
    return mode == KP_MODE_KERNEL ? p->kernel.version : space->regions->version;
}

static kp_place_cache *cached_at(const kp_perf *p, uint64_t address, uint64_t version, unsigned mode) {
    return &p->cache[kp_mix64(address, version) % KP_PLACE_CACHE + (mode == KP_MODE_KERNEL ? KP_PLACE_CACHE : 0)];
}

void kp_place_fetch(const kp_perf *p, const kp_space *space, uint64_t address, unsigned mode) {
    __builtin_prefetch(cached_at(p, address, version_of(p, space, mode), mode));
}

int32_t kp_place_of(kp_perf *p, const kp_space *space, uint64_t address, unsigned mode, int is_return) {
    address -= (uint64_t)is_return;
    int kernel = mode == KP_MODE_KERNEL;
    uint64_t version = version_of(p, space, mode);
    kp_place_cache *cached = cached_at(p, address, version, mode);
    uint32_t how = mode << 1 | (uint32_t)is_return;
    if (cached->address == address && cached->version == version + 1 && cached->how == how) return cached->place;
    int32_t place;
    if (kernel) {
        place = kernel_place(p, address, mode, is_return);
    } else {
        const kp_region *region = mode == KP_MODE_USER ? kp_find_region(space, address) : NULL;
        /* There is no end of them, and they would push out what comes again. */
        if (!region) return place_of_nothing(p, address, mode, is_return);
        uint64_t at = address - region->start + region->offset;
        place = intern(p, (kp_perf_place){region->mapping, -1, mode, (uint32_t)is_return, at});
    }
    *cached = (kp_place_cache){address, version + 1, place, how};
    return place;
}

static kp_node_slot *node_slot(kp_node_slot *slots, size_t count, int32_t parent, int32_t place) {
    for (size_t at = (size_t)kp_mix64((uint32_t)parent, (uint32_t)place);; at++) {
        kp_node_slot *slot = &slots[at & (count - 1)];
        if (!slot->value || (slot->place == place && slot->parent == parent)) return slot;
    }
}

static int node_slots_ready(kp_perf *p) {
    if (p->node_count * 2 < p->node_slot_count) return 0;
    size_t count = p->node_slot_count ? p->node_slot_count * 2 : 4096;
    kp_node_slot *slots = kp_table_memory(count, sizeof *slots);
    if (!slots) return -1;
    for (size_t i = 0; i < p->node_count; i++) {
        const kp_perf_node *node = &p->nodes[i];
        *node_slot(slots, count, node->parent, node->place) = (kp_node_slot){node->parent, node->place, (uint32_t)i + 1};
    }
    free(p->node_slots);
    p->node_slots = slots;
    p->node_slot_count = count;
    return 0;
}

void kp_stack_fetch(const kp_perf *p, int32_t parent, int32_t place) {
    if (!p->node_slot_count) return;
    size_t at = (size_t)kp_mix64((uint32_t)parent, (uint32_t)place);
    __builtin_prefetch(&p->node_slots[at & (p->node_slot_count - 1)]);
}

/* Node of a stack one frame longer than that of `parent`; -2 when memory is out. */
int32_t kp_stack_on(kp_perf *p, int32_t parent, int32_t place) {
    if (node_slots_ready(p)) return -2;
    kp_node_slot *slot = node_slot(p->node_slots, p->node_slot_count, parent, place);
    if (slot->value) return (int32_t)slot->value - 1;
    if (KP_RESERVE(p->nodes, p->node_room, p->node_count, 1) || p->node_count >= INT32_MAX ||
        KP_RESERVE(p->last_rows, p->last_row_room, p->node_count, 1))
        return -2;
    *slot = (kp_node_slot){parent, place, (uint32_t)p->node_count + 1};
    p->last_rows[p->node_count] = -1;
    p->nodes[p->node_count] = (kp_perf_node){parent, place};
    return (int32_t)p->node_count++;
}

/* Whether the node made after `parent` is the one above it: mostly so, and it is near in memory. */
static int is_next(const kp_perf *p, int32_t parent, int32_t place) {
    size_t next = (size_t)(parent + 1);
    return next < p->node_count && p->nodes[next].parent == parent && p->nodes[next].place == place;
}

/* Node of the tree for p->frames, or -1 for an empty stack; -2 when memory is out. A stack often begins
 * as the one before it did. */
int32_t kp_stack_of(kp_perf *p) {
    int32_t node = -1;
    size_t depth = 0;
    const int32_t *root = p->frames + p->frame_count - 1;
    for (; depth < p->frame_count && depth < p->last_count && p->last_frames[depth] == root[-(ptrdiff_t)depth]; depth++)
        node = p->last_nodes[depth];
    for (; depth < p->frame_count; depth++) {
        int32_t place = root[-(ptrdiff_t)depth];
        p->last_count = depth;
        node = is_next(p, node, place) ? node + 1 : kp_stack_on(p, node, place);
        if (node < 0) return node;
        p->last_frames[depth] = place;
        p->last_nodes[depth] = node;
    }
    p->last_count = depth;
    return node;
}

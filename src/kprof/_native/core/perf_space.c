/* Threads and what is mapped where in their processes. */
#include <stdio.h>
#include <stdlib.h>

#include "perf_state.h"

static void regions_release(kp_regions *regions) {
    if (!regions || --regions->users) return;
    free(regions->items);
    free(regions);
}

void kp_space_release(kp_space *space) {
    if (!space || --space->users) return;
    regions_release(space->regions);
    regions_release(space->before);
    free(space);
}

static kp_space *space_new(kp_perf *p) {
    kp_space *space = calloc(1, sizeof *space);
    kp_regions *regions = calloc(1, sizeof *regions);
    if (!space || !regions) {
        free(space);
        free(regions);
        return NULL;
    }
    regions->users = space->users = 1;
    regions->version = ++p->versions;
    space->regions = regions;
    return space;
}

/* Regions that this space alone has. */
static kp_regions *own_regions(kp_perf *p, kp_space *space) {
    kp_regions *shared = space->regions;
    if (shared->users > 1) {
        kp_regions *copy = calloc(1, sizeof *copy);
        if (!copy || KP_RESERVE(copy->items, copy->room, 0, shared->count + 8)) {
            free(copy);
            return NULL;
        }
        if (shared->count) memcpy(copy->items, shared->items, shared->count * sizeof *copy->items);
        copy->count = shared->count;
        copy->users = 1;
        shared->users--;
        space->regions = copy;
    }
    space->regions->version = ++p->versions;
    return space->regions;
}

const kp_region *kp_region_at(const kp_regions *regions, uint64_t address) {
    size_t low = 0, high = regions->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (regions->items[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const kp_region *found = low ? &regions->items[low - 1] : NULL;
    return found && address < found->end ? found : NULL;
}

const kp_region *kp_find_region(const kp_space *space, uint64_t address) {
    const kp_region *found = kp_region_at(space->regions, address);
    return found || !space->before ? found : kp_region_at(space->before, address);
}

/* While the kernel is in an exec, the process still is at the system call of the program before. */
int kp_note_run(kp_perf *p, kp_space *space, uint64_t address) {
    if (!space->before || !kp_region_at(space->regions, address)) return 0;
    regions_release(space->before);
    space->before = NULL;
    return own_regions(p, space) ? 0 : -1;
}

/* Put a region in the place of what it covers. */
static int insert(kp_regions *regions, kp_region added) {
    if (added.end <= added.start) return 0;
    if (KP_RESERVE(regions->items, regions->room, regions->count, 2)) return -1;
    size_t first = 0;
    while (first < regions->count && regions->items[first].end <= added.start) first++;
    size_t last = first;
    kp_region kept[2];
    size_t before = 0, after = 0;
    for (; last < regions->count && regions->items[last].start < added.end; last++) {
        kp_region old = regions->items[last];
        if (old.start < added.start) {
            kept[0] = old;
            kept[0].end = added.start;
            before = 1;
        }
        if (old.end > added.end) {
            kept[1] = old;
            kept[1].offset += added.end - old.start;
            kept[1].start = added.end;
            after = 1;
        }
    }
    size_t parts = 1 + before + after;
    kp_region *at = regions->items + first;
    memmove(at + parts, regions->items + last, (regions->count - last) * sizeof *at);
    if (before) *at++ = kept[0];
    *at++ = added;
    if (after) *at = kept[1];
    regions->count += parts - (last - first);
    return 0;
}

int kp_map(kp_perf *p, kp_space *space, kp_region region) {
    if (space->replaced && !p->options.compat) {
        /* What the program before the exec had mapped is gone; perf keeps it. */
        kp_space *fresh = space_new(p);
        if (!fresh) return KP_PERF_NO_MEMORY;
        regions_release(space->before);
        space->before = space->regions;
        space->regions = fresh->regions;
        free(fresh);
    }
    space->replaced = 0;
    kp_regions *regions = own_regions(p, space);
    return regions && !insert(regions, region) ? KP_PERF_OK : KP_PERF_NO_MEMORY;
}

int kp_map_kernel(kp_perf *p, kp_region region) {
    p->kernel.version = ++p->versions;
    return insert(&p->kernel, region) ? KP_PERF_NO_MEMORY : KP_PERF_OK;
}

static size_t thread_slot(const kp_perf *p, int32_t tid, uint64_t hash) {
    size_t slot = kp_table_slot(&p->thread_table, hash);
    while (p->thread_table.at[slot].value && p->threads[p->thread_table.at[slot].value - 1].tid != tid)
        slot = kp_table_next(&p->thread_table, slot);
    return slot;
}

static int32_t first_comm(kp_perf *p, int32_t tid) {
    char text[16];
    int size = tid ? snprintf(text, sizeof text, ":%d", tid) : snprintf(text, sizeof text, "swapper");
    return (int32_t)kp_strings_add(&p->comms, (kp_span){text, (size_t)size}, 0, NULL);
}

/* The thread of an id, and the entry for it if it is new; its space is not set. */
static kp_thread *thread_entry(kp_perf *p, int32_t tid) {
    if (kp_table_ready(&p->thread_table) || KP_RESERVE(p->threads, p->thread_room, p->thread_count, 1))
        return NULL;
    uint64_t hash = kp_mix64((uint32_t)tid, 1);
    size_t slot = thread_slot(p, tid, hash);
    if (!p->thread_table.at[slot].value) {
        kp_table_put(&p->thread_table, slot, hash, (uint32_t)p->thread_count);
        p->threads[p->thread_count++] = (kp_thread){-1, tid, first_comm(p, tid), NULL};
    }
    return &p->threads[p->thread_table.at[slot].value - 1];
}

static int share(kp_thread *thread, kp_space *space) {
    if (!space) return -1;
    space->users++;
    kp_space_release(thread->space);
    thread->space = space;
    return 0;
}

/* The thread, with an address space: that of its process. NULL when memory is out. */
kp_thread *kp_thread_of(kp_perf *p, int32_t pid, int32_t tid) {
    kp_thread *thread = thread_entry(p, tid);
    if (!thread) return NULL;
    if (pid >= 0 && thread->pid != pid) {
        /* The number is used again by another process. */
        kp_space_release(thread->space);
        thread->space = NULL;
        thread->pid = pid;
    }
    if (thread->space) return thread;
    if (thread->pid == tid || thread->pid < 0) {
        thread->space = space_new(p);
        return thread->space ? thread : NULL;
    }
    kp_thread *leader = thread_entry(p, thread->pid);
    if (!leader) return NULL;
    leader->pid = leader->tid;
    if (!leader->space) leader->space = space_new(p);
    kp_space *space = leader->space;
    thread = thread_entry(p, tid); /* the table may have moved */
    return thread && !share(thread, space) ? thread : NULL;
}

int kp_fork(kp_perf *p, int32_t pid, int32_t ppid, int32_t tid, int32_t ptid, int keeps_regions) {
    kp_thread *parent = kp_thread_of(p, ppid, ptid);
    if (!parent) return KP_PERF_NO_MEMORY;
    int32_t comm = parent->comm;
    kp_space *from = parent->space;
    kp_thread *child = thread_entry(p, tid);
    if (!child) return KP_PERF_NO_MEMORY;
    if (tid == ptid) return KP_PERF_OK;
    child->comm = comm;
    child->pid = pid;
    if (pid == ppid) return share(child, from) ? KP_PERF_NO_MEMORY : KP_PERF_OK;
    if (pid != tid) {
        kp_space_release(child->space);
        child->space = NULL;
        return kp_thread_of(p, pid, tid) ? KP_PERF_OK : KP_PERF_NO_MEMORY;
    }
    kp_space *space = space_new(p);
    if (!space) return KP_PERF_NO_MEMORY;
    if (keeps_regions) {
        regions_release(space->regions);
        space->regions = from->regions;
        space->regions->users++;
    }
    kp_space_release(child->space);
    child->space = space;
    return KP_PERF_OK;
}

void kp_spaces_free(kp_perf *p) {
    for (size_t i = 0; i < p->thread_count; i++) kp_space_release(p->threads[i].space);
    free(p->threads);
    free(p->kernel.items);
    kp_table_free(&p->thread_table);
}

/* What the reader of perf.data is made of: events, address spaces, chains, samples. */
#ifndef KP_PERF_TYPES_H
#define KP_PERF_TYPES_H

#include "cursor.h"
#include "perf.h"
#include "perf_abi.h"
#include "unwind.h"

typedef struct {
    uint64_t sample_type, read_format, branch_type, registers, registers_intr, flags, period, config;
    uint32_t max_stack, type;
    int32_t time_at; /* of samples, in bytes from the start; 0 if they have none */
    int32_t time_before_end; /* of other records, in bytes from the end; 0 if they have none */
    int32_t id_at, id_before_end; /* likewise of their id */
} kp_event;

/* An id of an event, with the last value of its counter for events that are read, not sampled. */
typedef struct {
    uint64_t id;
    int64_t tid; /* counters of an inherited event are those of one thread; else -1 */
    uint64_t value;
    uint32_t event;
} kp_event_id;

/* An id, and the event that it was found to be of. */
typedef struct {
    uint64_t id;
    int32_t event; /* number + 1; 0 is free */
} kp_recent_id;

/* Memory that holds records until all of them are replayed. */
typedef struct kp_block kp_block;
struct kp_block {
    kp_block *before, *after;
    size_t waiting; /* records in the queue, and 1 while it is being read */
    size_t room;
    uint8_t bytes[];
};

typedef struct {
    uint64_t time;
    const uint8_t *record;
    kp_block *block; /* NULL: the bytes stay anyway */
} kp_queued;

typedef struct {
    uint64_t start, end, offset;
    int32_t mapping;
} kp_region;

/* Regions of an address space in the order of addresses, none overlapping. Shared until written to. */
typedef struct {
    kp_region *items;
    size_t count, room, users;
    uint64_t version; /* equal versions have equal regions */
} kp_regions;

/* An address space, shared by the threads of a process. */
typedef struct {
    kp_regions *regions;
    size_t users;
    int replaced;       /* an exec came; the regions are those of the program before it */
    kp_regions *before; /* those, while the new program is mapped but does not yet run; else NULL */
} kp_space;

typedef struct {
    int32_t pid, tid, comm;
    kp_space *space;
} kp_thread;

typedef struct {
    uint64_t start, end;
    int32_t name;
} kp_kernel_symbol;

/* A chain that was met, known by 96 bits of a hash of all that its stack depends on: a look-up costs one miss of
 * the cache. Two that differ have equal ones about never, and nobody can make two that do: see intern.c. */
typedef struct {
    uint64_t low;
    uint32_t high; /* odd; 0 is a free slot */
    int32_t stack;
} kp_chain;

typedef struct {
    kp_chain *slots;
    size_t slot_count, used;
} kp_chains;

/* The slot of a chain, free if it is new; kp_chains_ready must have been called. */
static inline kp_chain *kp_chain_slot(const kp_chains *chains, kp_wide_hash hash) {
    for (size_t slot = (size_t)hash.low;; slot++) {
        kp_chain *chain = &chains->slots[slot & (chains->slot_count - 1)];
        if (!chain->high || (chain->low == hash.low && chain->high == (uint32_t)hash.high)) return chain;
    }
}

static inline void kp_chain_fetch(const kp_chains *chains, kp_wide_hash hash) {
    if (chains->slots) __builtin_prefetch(&chains->slots[(size_t)hash.low & (chains->slot_count - 1)]);
}

typedef struct {
    uint64_t address, version; /* version + 1: 0 is free */
    int32_t place;
    uint32_t how;
} kp_place_cache;


/* Where a node is: with what it is known by, so that a look-up costs one miss of the cache. */
typedef struct {
    int32_t parent, place;
    uint32_t value; /* number + 1; 0 is free */
} kp_node_slot;

enum { KP_PLACE_CACHE = 1 << 15, KP_MAX_FRAMES = 4096, KP_PERF_SCRIPT_DEPTH = 127, KP_BATCH = 32, KP_RECENT = 16 };

typedef struct {
    kp_cfi *cfi;
    int asked;
} kp_mapping_cfi;

/* A sample, as far as it is used. Parts that it lacks are NULL, 0 or -1. */
typedef struct {
    uint64_t ip, time, period, cgroup, stream;
    int32_t pid, tid, cpu, event;
    uint32_t misc;
    const uint8_t *read, *chain, *raw, *branches, *registers, *stack;
    size_t read_size, chain_length, raw_size, branch_count, stack_size;
    uint64_t abi;
} kp_sample;

/* A sample that waits: with others, so that what they need is on its way from memory meanwhile. */
typedef struct {
    kp_sample sample;
    kp_space *space;
    kp_wide_hash hash; /* of its chain */
    kp_wide_hash rest; /* of its chain without the leaf; high is 0 if that is no chain of its own */
    int32_t comm;
    int by_chain; /* its stack depends on nothing but its chain */
    kp_perf_row row;
} kp_pending;

#endif

/* What the parts of the reader of perf.data share. */
#ifndef KP_PERF_STATE_H
#define KP_PERF_STATE_H

#include "perf_types.h"

struct kp_perf {
    kp_perf_options options;
    kp_perf_counts counts;
    int machine, status;

    kp_event *events;
    size_t event_count, event_room;
    kp_event_id *ids;
    size_t id_count, id_room;
    kp_table id_table;
    kp_recent_id recent[KP_RECENT]; /* ids that were looked up last: of neighbours, where they are */
    int asks_build_ids; /* some event wants the build-ids of what is mapped */

    kp_queued *queue, *spare; /* `spare` is what the queue is merged into */
    size_t queued, queue_room, spare_room;
    uint64_t round_limit, round_top; /* what may be replayed at the next round; the latest time so far */
    uint64_t replayed;               /* time of the last record that was replayed */
    kp_block *blocks;                /* all that wait */
    kp_block *spare_blocks;          /* that waited: memory that was had before is at hand */
    size_t spare_block_count;
    kp_block *piece;                 /* of a stream, while it is filled; the carry is its start */
    uint8_t *carry;                  /* start of a record whose end is still to come */
    size_t carried, carry_room;
    uint64_t skip;    /* bytes that follow a record without being one */
    int collect;      /* they are tracing data */
    int depth;        /* records within compressed records */
    int stopped;      /* the rest of the stream is damaged */
    uint8_t *inflated; /* carry of the decompressed stream */
    size_t inflated_size, inflated_room;

    kp_strings paths, names, comms, cgroup_paths;
    kp_perf_mapping *mappings;
    size_t mapping_count, mapping_room;
    kp_mapping_cfi *cfi; /* of the mappings, as far as copies of stacks needed it */
    size_t cfi_count, cfi_room;

    kp_thread *threads;
    size_t thread_count, thread_room;
    kp_table thread_table;
    uint64_t versions;
    kp_regions kernel;
    kp_kernel_symbol *symbols; /* of the kernel, by start; those that the recording names */
    size_t symbol_count, symbol_room;
    int32_t whole_kernel; /* mapping of the kernel proper, -1 if the recording does not tell */

    kp_table cgroup_table;
    uint64_t *cgroup_ids;
    int32_t *cgroup_strings;
    size_t cgroup_count, cgroup_room, cgroup_string_room;

    kp_perf_place *places;
    size_t place_count, place_room;
    kp_table place_table;
    int32_t nowhere[8][2]; /* of addresses in no mapping: place + 1, by mode and whether it is a return address */
    kp_place_cache *cache; /* of addresses of processes, and behind them those of the kernel */
    kp_perf_node *nodes;
    size_t node_count, node_room;
    kp_node_slot *node_slots;
    size_t node_slot_count;
    kp_chains chains;
    kp_chains rests; /* stacks of the callers of a leaf: of most new chains, only the leaf is new */
    kp_perf_row *rows;
    size_t row_count, row_room;
    kp_table row_table;
    int32_t *last_rows; /* which row a sample of each stack counted for last, or -1 */
    size_t last_row_room;
    kp_perf_raw *raws; /* of the rows, if they were asked for */
    size_t raw_count, raw_room;
    uint8_t *raw_bytes;
    size_t raw_size, raw_bytes_room;
    int32_t *frames; /* places of the stack at hand, leaf first */
    size_t frame_count;
    int32_t *last_frames, *last_nodes; /* the stack before, root first */
    size_t last_count;
    kp_pending batch[KP_BATCH];
    size_t batched;
    int cut; /* the stack at hand is cut at its root */

    kp_unwinder *unwinder;
    kp_unwind_frame *unwound;

    kp_perf_kept *kept;
    size_t kept_count, kept_room;
    kp_arena arena;
    uint8_t *tracing;
    size_t tracing_size, tracing_room;
};

static inline uint64_t kp_mix64(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)(a + 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t kp_word(const kp_perf *p, const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return p->options.swap ? __builtin_bswap64(value) : value;
}

static inline kp_cursor kp_cursor_in(const kp_perf *p, const uint8_t *at, size_t size) {
    return kp_cursor_of(at, size, p->options.swap);
}

/* Head of a record: struct perf_event_header. */
typedef struct {
    uint32_t type;
    uint16_t misc, size;
} kp_head;

static inline kp_head kp_head_of(const kp_perf *p, const uint8_t *record) {
    kp_cursor c = kp_cursor_in(p, record, 8);
    kp_head head;
    head.type = kp_u32(&c);
    head.misc = kp_u16(&c);
    head.size = kp_u16(&c);
    return head;
}

/* Bytes of a record behind its head. */
static inline kp_cursor kp_body(const kp_perf *p, const uint8_t *record, kp_head head) {
    return kp_cursor_in(p, record + 8, (size_t)head.size - 8);
}

/* perf_event.c: which event a record belongs to, and when it was written. */
kp_event_id *kp_find_id(kp_perf *p, uint64_t id, int64_t tid);
uint64_t kp_record_time(kp_perf *p, const uint8_t *record, kp_head head);
int32_t kp_sample_event(kp_perf *p, const uint8_t *record, kp_head head);

/* perf_queue.c: the order of time. */
int kp_queue(kp_perf *p, const uint8_t *record, kp_head head, kp_block *block);
int kp_finish_round(kp_perf *p);
int kp_flush(kp_perf *p, uint64_t limit);
kp_block *kp_block_new(kp_perf *p, size_t size);
void kp_block_done(kp_perf *p, kp_block *block);
void kp_blocks_free(kp_perf *p);

/* perf_replay.c: what a record does. */
int kp_replay(kp_perf *p, const uint8_t *record, kp_head head);

/* perf_space.c: threads and address spaces. */
kp_thread *kp_thread_of(kp_perf *p, int32_t pid, int32_t tid);
int kp_fork(kp_perf *p, int32_t pid, int32_t ppid, int32_t tid, int32_t ptid, int keeps_regions);
int kp_map(kp_perf *p, kp_space *space, kp_region region);
int kp_map_kernel(kp_perf *p, kp_region region);
const kp_region *kp_region_at(const kp_regions *regions, uint64_t address);
void kp_space_release(kp_space *space);
const kp_region *kp_find_region(const kp_space *space, uint64_t address);
int kp_note_run(kp_perf *p, kp_space *space, uint64_t address); /* the process is at this address */
void kp_spaces_free(kp_perf *p);

/* perf_mapping.c: records of mappings and symbols. */
int kp_on_mmap(kp_perf *p, kp_cursor c, kp_head head);
int kp_on_ksymbol(kp_perf *p, kp_cursor c);
int32_t kp_mapping_of(kp_perf *p, kp_span path, kp_perf_mapping mapping, uint64_t identity);

/* perf_sample.c, perf_stack.c, perf_place.c: samples, from bytes to rows. */
int kp_on_sample(kp_perf *p, const uint8_t *record, kp_head head);
/* Do what waits; it must be done before anything changes that a stack depends on, or the records are gone. */
int kp_finish_samples(kp_perf *p);
int kp_read_sample(kp_perf *p, const uint8_t *record, kp_head head, kp_sample *sample);
/* What a look-up of the sample's stack will need. */
void kp_prepare_stack(kp_perf *p, kp_pending *pending);
/* Make room for the chains of a batch: slots stay where they are meanwhile. */
int kp_chains_ready(kp_chains *chains);
/* Have on its way what is known of the stack's chain, and then, if it is new, what is of its callers. */
void kp_fetch_chain(const kp_perf *p, const kp_pending *pending);
void kp_fetch_callers(kp_perf *p, const kp_pending *pending);
/* Find the sample's stack. */
int kp_resolve(kp_perf *p, kp_pending *pending, int32_t *stack);
/* Have the copy of the stack on its way: registers, and what was pushed last. */
void kp_fetch_dump(const kp_sample *sample);
int kp_push_dump(kp_perf *p, const kp_space *space, const kp_sample *sample);
int32_t kp_place_of(kp_perf *p, const kp_space *space, uint64_t address, unsigned mode, int is_return);
/* Have on its way what kp_place_of will look at. */
void kp_place_fetch(const kp_perf *p, const kp_space *space, uint64_t address, unsigned mode);
int32_t kp_special_place(kp_perf *p, const char *name);
int32_t kp_stack_of(kp_perf *p);
int32_t kp_stack_on(kp_perf *p, int32_t parent, int32_t place); /* the stack of `parent`, and a frame more */
void kp_stack_fetch(const kp_perf *p, int32_t parent, int32_t place);
/* Leave out of a row what samples are not told apart by. */
void kp_blur_row(const kp_perf *p, kp_perf_row *row);
/* Have on its way which row a sample of this stack counted for last; then that row; then, if it is another one,
 * where to look for it. */
void kp_fetch_last_row(const kp_perf *p, int32_t stack);
void kp_fetch_row(const kp_perf *p, const kp_perf_row *row);
void kp_fetch_row_slot(const kp_perf *p, const kp_perf_row *row);
int kp_add_row(kp_perf *p, const kp_perf_row *row); /* that is blurred */
int kp_keep_raw(kp_perf *p, const kp_sample *sample);
int kp_on_cgroup(kp_perf *p, kp_cursor c);
int32_t kp_cgroup_of(const kp_perf *p, uint64_t id);

#endif

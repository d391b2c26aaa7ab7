/* What records do, one after the other; and the reader as a whole. */
#include <elf.h>
#include <stdlib.h>

#include "perf_state.h"

kp_perf *kp_perf_new(const kp_perf_options *options) {
    kp_perf *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->options = *options;
    p->options.every_sample |= options->keep_raw;
    p->machine = EM_X86_64;
    p->whole_kernel = -1;
    p->cache = kp_table_memory(2 * KP_PLACE_CACHE, sizeof *p->cache);
    p->frames = malloc((KP_MAX_FRAMES + 1) * sizeof *p->frames);
    p->last_frames = malloc((KP_MAX_FRAMES + 1) * sizeof *p->last_frames);
    p->last_nodes = malloc((KP_MAX_FRAMES + 1) * sizeof *p->last_nodes);
    p->unwound = malloc(KP_MAX_FRAMES * sizeof *p->unwound);
    if (p->cache && p->frames && p->last_frames && p->last_nodes && p->unwound) return p;
    kp_perf_free(p);
    return NULL;
}

void kp_perf_free(kp_perf *p) {
    if (!p) return;
    for (size_t i = 0; i < p->batched; i++) kp_space_release(p->batch[i].space);
    kp_blocks_free(p);
    kp_spaces_free(p);
    if (p->unwinder) kp_unwinder_free(p->unwinder);
    kp_strings_free(&p->paths);
    kp_strings_free(&p->names);
    kp_strings_free(&p->comms);
    kp_strings_free(&p->cgroup_paths);
    kp_arena_free(&p->arena);
    kp_table *tables[] = {&p->id_table, &p->cgroup_table, &p->place_table, &p->row_table};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) kp_table_free(tables[i]);
    void *arrays[] = {p->events, p->ids, p->queue, p->spare, p->carry, p->inflated, p->mappings, p->symbols,
                      p->cgroup_ids, p->cgroup_strings, p->places, p->cache, p->nodes, p->node_slots, p->chains.slots,
                      p->rests.slots, p->rows, p->last_rows, p->frames, p->last_frames, p->last_nodes, p->kept, p->tracing, p->cfi,
                      p->unwound, p->raws, p->raw_bytes};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    free(p);
}

void kp_perf_set_arch(kp_perf *p, const char *name, size_t size) {
    static const struct {
        const char *name;
        int machine;
    } known[] = {{"x86_64", EM_X86_64}, {"i386", EM_386}, {"i486", EM_386},  {"i586", EM_386},
                 {"i686", EM_386},      {"x86", EM_386},  {"arm64", EM_AARCH64}, {"aarch64", EM_AARCH64}};
    p->machine = EM_NONE;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == size && !memcmp(known[i].name, name, size)) p->machine = known[i].machine;
}

static int on_comm(kp_perf *p, kp_cursor c, kp_head head) {
    int32_t pid = (int32_t)kp_u32(&c), tid = (int32_t)kp_u32(&c);
    kp_span comm;
    comm.at = kp_text_z(&c, &comm.size);
    kp_thread *thread = kp_thread_of(p, pid, tid);
    int64_t number = kp_strings_add(&p->comms, comm, 0, NULL);
    if (!thread || number < 0) return KP_PERF_NO_MEMORY;
    thread->comm = (int32_t)number;
    if (head.misc & KP_MISC_COMM_EXEC) thread->space->replaced = 1;
    return KP_PERF_OK;
}

static int on_fork(kp_perf *p, kp_cursor c, kp_head head) {
    int32_t pid = (int32_t)kp_u32(&c), ppid = (int32_t)kp_u32(&c);
    int32_t tid = (int32_t)kp_u32(&c), ptid = (int32_t)kp_u32(&c);
    return c.failed ? KP_PERF_OK : kp_fork(p, pid, ppid, tid, ptid, !(head.misc & KP_MISC_FORK_EXEC));
}

static void on_lost_samples(kp_perf *p, kp_cursor c, kp_head head) {
    uint64_t count = kp_u64(&c);
    if (head.misc & KP_MISC_LOST_BY_FILTER)
        p->counts.filtered += count;
    else
        p->counts.lost_samples += count;
}

int kp_replay(kp_perf *p, const uint8_t *record, kp_head head) {
    if (head.type == KP_RECORD_SAMPLE) return kp_on_sample(p, record, head);
    int status = kp_finish_samples(p);
    if (status) return status;
    kp_cursor c = kp_body(p, record, head);
    switch (head.type) {
    case KP_RECORD_MMAP:
    case KP_RECORD_MMAP2: return kp_on_mmap(p, c, head);
    case KP_RECORD_COMM: return on_comm(p, c, head);
    case KP_RECORD_FORK: return on_fork(p, c, head);
    case KP_RECORD_KSYMBOL: return kp_on_ksymbol(p, c);
    case KP_RECORD_CGROUP: return kp_on_cgroup(p, c);
    case KP_RECORD_LOST:
        kp_skip(&c, 8);
        p->counts.lost += kp_u64(&c);
        return KP_PERF_OK;
    case KP_RECORD_LOST_SAMPLES: on_lost_samples(p, c, head); return KP_PERF_OK;
    case KP_RECORD_THROTTLE: p->counts.throttled++; return KP_PERF_OK;
    case KP_RECORD_AUX: p->counts.aux++; return KP_PERF_OK;
    case KP_RECORD_SWITCH:
    case KP_RECORD_SWITCH_CPU_WIDE: p->counts.switches++; return KP_PERF_OK;
    default: p->counts.unknown_records += head.type >= KP_RECORD_KERNEL_END || !head.type; return KP_PERF_OK;
    }
}

const kp_perf_counts *kp_perf_count(const kp_perf *p) { return &p->counts; }
const kp_strings *kp_perf_paths(const kp_perf *p) { return &p->paths; }
const kp_strings *kp_perf_names(const kp_perf *p) { return &p->names; }
const kp_strings *kp_perf_comms(const kp_perf *p) { return &p->comms; }
const kp_strings *kp_perf_cgroups(const kp_perf *p) { return &p->cgroup_paths; }

const kp_perf_mapping *kp_perf_mappings(const kp_perf *p, size_t *count) {
    *count = p->mapping_count;
    return p->mappings;
}

const kp_perf_place *kp_perf_places(const kp_perf *p, size_t *count) {
    *count = p->place_count;
    return p->places;
}

const kp_perf_node *kp_perf_nodes(const kp_perf *p, size_t *count) {
    *count = p->node_count;
    return p->nodes;
}

const kp_perf_row *kp_perf_rows(const kp_perf *p, size_t *count) {
    *count = p->row_count;
    return p->rows;
}

const kp_perf_raw *kp_perf_raws(const kp_perf *p, size_t *count) {
    *count = p->raw_count;
    return p->raws;
}

kp_span kp_perf_raw_bytes(const kp_perf *p) { return (kp_span){(const char *)p->raw_bytes, p->raw_size}; }

const kp_perf_kept *kp_perf_kept_records(const kp_perf *p, size_t *count) {
    *count = p->kept_count;
    return p->kept;
}

kp_span kp_perf_tracing_data(const kp_perf *p) { return (kp_span){(const char *)p->tracing, p->tracing_size}; }

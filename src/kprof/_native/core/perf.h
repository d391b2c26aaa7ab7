/* The records of perf.data -> distinct stacks of places in files, and rows that point at them.
 *
 * What is cold stays outside: the caller reads the file's header and its feature sections, hands over the
 * attributes of the events and then the records, as one mapped region or piece by piece. Records are put in
 * the order of time, processes' mappings are replayed, and call chains are made distinct before anything
 * else is done with them. No symbol is looked up here. */
#ifndef KP_PERF_H
#define KP_PERF_H

#include "cfi.h"
#include "intern.h"

typedef enum {
    KP_PERF_OK,
    KP_PERF_NO_MEMORY,
    KP_PERF_BAD_RECORD, /* a record's size is impossible */
    KP_PERF_NO_EVENT,   /* a record before any event */
    KP_PERF_BAD_ZSTD,
    KP_PERF_OVERFLOW
} kp_perf_status;

typedef struct {
    int swap;         /* the file's bytes are in the other order */
    int compat;       /* resolve chains as `perf script` does */
    int keep_ids;     /* rows of different processes and threads stay apart */
    int every_sample; /* so do all samples */
    int keep_unmapped; /* addresses that lie in no mapping stay apart */
    int keep_raw;     /* and what tracepoints give with them is kept; implies every_sample */
    int rounds;       /* FINISHED_ROUND may be trusted: all records come in one stream */
    /* Gives what a zstd frame goes on with; 0, or -1 if it is damaged. The result lives until the next call. */
    int (*inflate)(void *context, const uint8_t *bytes, size_t size, const uint8_t **out, size_t *out_size);
    /* Call frame information of a mapping that lives as long as the reader, or NULL; asked for once a mapping. */
    kp_cfi *(*load_cfi)(void *context, uint32_t mapping);
    void *context;
} kp_perf_options;

typedef enum {
    KP_MAPPING_FILE,
    KP_MAPPING_KERNEL,
    KP_MAPPING_MODULE,
    KP_MAPPING_VDSO,
    KP_MAPPING_JIT,
    KP_MAPPING_OTHER, /* neither a file nor a place for code, such as [stack] */
    KP_MAPPING_GUEST
} kp_mapping_kind;

/* A file that was mapped, or what stands for one; the path is the string of the same number. */
typedef struct {
    uint32_t kind;
    int32_t pid; /* that had it mapped first; -1 for the kernel */
    uint8_t build_id[20];
    uint32_t build_id_size;
} kp_perf_mapping;

/* A distinct place: row of mappings, or -1; see Frames.address in the model. */
typedef struct {
    int32_t mapping;
    int32_t name; /* string number where the recording itself names it, else -1 */
    uint32_t mode;
    uint32_t is_return; /* a return address: one less than what was recorded */
    uint64_t address;
} kp_perf_place;

/* A stack: that of its caller, which stands before it, or -1, and the place of its leaf. */
typedef struct {
    int32_t parent, place;
} kp_perf_node;

typedef struct {
    int32_t stack, event, comm, pid, tid, cpu, cgroup, unused;
    int64_t time, weight, count;
} kp_perf_row;

/* Where the raw data of the sample behind a row lies, if it was asked for. */
typedef struct {
    uint64_t offset, size;
} kp_perf_raw;

/* How often things were met. */
typedef struct {
    uint64_t records, samples, without_stack, truncated, broken_chains, lost, lost_samples, filtered, throttled;
    uint64_t unordered, unknown_records, unknown_events, bad_records, aux, switches, deferred, guest;
    uint64_t dumps, cut_dumps, broken_dumps, unreadable_samples, cut_off;
} kp_perf_counts;

/* A record of perf's own that the caller interprets. */
typedef struct {
    uint32_t type;
    kp_span bytes;
} kp_perf_kept;

typedef struct kp_perf kp_perf;

kp_perf *kp_perf_new(const kp_perf_options *options);
void kp_perf_free(kp_perf *perf);

/* Add an event: perf_event_attr in the file's byte order, and the ids (u64 each) of its samples. */
int kp_perf_add_event(kp_perf *perf, const uint8_t *attr, size_t attr_size, const uint8_t *ids, size_t ids_size);
/* Event of an id, or -1. */
int64_t kp_perf_event_of(const kp_perf *perf, uint64_t id);
size_t kp_perf_events(const kp_perf *perf);
/* `type` and `config` of an event's perf_event_attr. */
void kp_perf_event_type(const kp_perf *perf, size_t number, uint32_t *type, uint64_t *config);
/* The machine that was recorded, as `uname -m` calls it; x86_64 if it is not told. */
void kp_perf_set_arch(kp_perf *perf, const char *name, size_t size);

/* Another stream of records begins, in which nothing is left over from the last one. */
void kp_perf_begin(kp_perf *perf);
/* Read records that stay where they are until the reader is freed; *used says where the first begins that is
 * not whole. */
int kp_perf_feed(kp_perf *perf, const uint8_t *bytes, size_t size, size_t *used);
/* Read a piece of a stream, which is copied; pieces may end anywhere. */
int kp_perf_feed_piece(kp_perf *perf, const uint8_t *bytes, size_t size);
/* The same in two steps, without a copy: memory for `size` bytes of the stream, or NULL; and that `size` of them,
 * not more, were put there. Pieces of KP_PERF_PIECE bytes are put where others were that are done with. */
enum { KP_PERF_PIECE = 1 << 20 };
uint8_t *kp_perf_piece(kp_perf *perf, size_t size);
int kp_perf_take_piece(kp_perf *perf, size_t size);
/* Nothing more comes. */
int kp_perf_end(kp_perf *perf);

/* The results; all belong to the reader. */
const kp_perf_counts *kp_perf_count(const kp_perf *perf);
const kp_strings *kp_perf_paths(const kp_perf *perf);
const kp_strings *kp_perf_names(const kp_perf *perf);
const kp_strings *kp_perf_comms(const kp_perf *perf);
const kp_strings *kp_perf_cgroups(const kp_perf *perf);
const kp_perf_mapping *kp_perf_mappings(const kp_perf *perf, size_t *count);
const kp_perf_place *kp_perf_places(const kp_perf *perf, size_t *count);
const kp_perf_node *kp_perf_nodes(const kp_perf *perf, size_t *count);
const kp_perf_row *kp_perf_rows(const kp_perf *perf, size_t *count);
/* Raw data of each row, and the bytes that they lie in. */
const kp_perf_raw *kp_perf_raws(const kp_perf *perf, size_t *count);
kp_span kp_perf_raw_bytes(const kp_perf *perf);
const kp_perf_kept *kp_perf_kept_records(const kp_perf *perf, size_t *count);
kp_span kp_perf_tracing_data(const kp_perf *perf);

#endif

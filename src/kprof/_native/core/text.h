/* `perf script` text -> interned frames, a tree of stacks, and rows of samples.
 *
 * Most of such a text repeats: the block of lines below a header is hashed as raw bytes first, and
 * only a block that was never seen is cut into lines, and only a line that was never seen is parsed.
 * Headers are parsed one by one. Memory grows with what is distinct, not with the text.
 *
 * Three dialects share this machinery: KP_RIGHT (what the text means), and two that reproduce a
 * peer's reading to the byte, faults included: KP_FLAMEGRAPH (stackcollapse-perf.pl) and KP_INFERNO
 * (inferno-collapse-perf). */
#ifndef KP_TEXT_H
#define KP_TEXT_H

#include "intern.h"

typedef enum { KP_RIGHT, KP_FLAMEGRAPH, KP_INFERNO } kp_dialect;

/* Kinds of frames; the numbers are those of kprof.model.Kind. */
enum { KP_UNKNOWN, KP_USER, KP_KERNEL, KP_MODULE, KP_VDSO, KP_JIT, KP_PYTHON, KP_INLINED };

enum { KP_OK = 0, KP_NO_MEMORY = -1, KP_LINE_TOO_LONG = -2, KP_OVERFLOW = -3 };

typedef struct {
    kp_dialect dialect;
    int with_pid, with_tid, with_addresses, annotate_kernel, annotate_jit; /* compat dialects */
    int keep_arguments; /* KP_RIGHT: leave argument lists in names */
    int keep_ids;       /* KP_RIGHT: rows differ by process and thread id, too */
    int every_sample;   /* one row a sample, with ids, time and CPU, instead of one a distinct key */
    kp_span event;      /* compat dialects: the event to keep; empty means the first one met */
} kp_text_options;

typedef struct {
    uint32_t name, kind;
    int32_t module, source; /* -1: none */
    uint64_t address;
} kp_frame;

typedef struct {
    int32_t stack, event, comm, pid, tid, cpu;
    int64_t time, weight, count;
} kp_row;

typedef struct {
    uint64_t read, without_stack, skipped_lines, lost, other_records, filtered;
} kp_text_counts;

typedef struct kp_text kp_text;

kp_text *kp_text_new(const kp_text_options *options);
void kp_text_free(kp_text *text);

/* Room for at least `size` further bytes of input, or NULL when memory is out. */
char *kp_text_room(kp_text *text, size_t size);
/* `size` bytes were written there; `last` says that no more will come. Returns KP_OK or an error,
 * after which only kp_text_free may be called. */
int kp_text_commit(kp_text *text, size_t size, int last);

/* Results. Pointers stay valid until kp_text_free. */
const kp_strings *kp_text_names(const kp_text *text);
const kp_strings *kp_text_modules(const kp_text *text);
const kp_strings *kp_text_sources(const kp_text *text);
const kp_strings *kp_text_comms(const kp_text *text);
const kp_strings *kp_text_events(const kp_text *text);
const kp_frame *kp_text_frames(const kp_text *text, size_t *count);
size_t kp_text_stacks(const kp_text *text, const int32_t **parent, const int32_t **frame);
const kp_row *kp_text_rows(const kp_text *text, size_t *count);
kp_text_counts kp_text_count(const kp_text *text);

/* A function's name without its argument lists; writes at most name.size bytes to `to`. */
size_t kp_short_name(kp_span name, char *to);

#endif

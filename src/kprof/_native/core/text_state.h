/* What the dialects see of the reader; see text.h for the whole. */
#ifndef KP_TEXT_STATE_H
#define KP_TEXT_STATE_H

#include "chars.h"
#include "text.h"

/* Frames of a line that was seen before and understood: a run in `line_frames`. */
typedef struct {
    uint32_t first, count;
} kp_line;

/* What tells rows of the same stack apart. */
typedef struct {
    int32_t comm, event, pid, tid;
} kp_row_key;

/* A block that was seen before: what its lines came to. Known by its hash alone, and kept in the table
 * itself. Samples are added up here until one of another thread or event comes: a block that repeats
 * costs one cache line, where its text and its row would cost many. */
typedef struct {
    kp_wide_hash hash; /* both 0 for a free slot */
    int32_t stack;
    uint32_t skipped;
    uint32_t row;   /* + 1; 0 if there is none yet */
    uint32_t count; /* samples that are not in the row yet, */
    int64_t weight; /* and what they weigh */
    kp_row_key key; /* of the row */
    char padding[8]; /* to a whole cache line */
} kp_body;

typedef struct {
    kp_body *slots;
    size_t size, used;
} kp_bodies;

/* The sample whose lines are being read. */
typedef struct {
    int open;   /* a header was read; stack lines belong to it */
    int wanted; /* false: its event is filtered out */
    int32_t comm, event, pid, tid, cpu;
    int64_t time;
    uint64_t weight;
} kp_sample;

typedef struct {
    uint32_t stack, frame;
} kp_edge;

struct kp_text {
    kp_text_options options;
    kp_strings names, modules, sources, comms, events;
    kp_strings lines;
    kp_bodies bodies;
    kp_line *line;
    size_t line_room;
    uint32_t *line_frames;
    size_t line_frame_count, line_frame_room;
    kp_frame *frames;
    size_t frame_count, frame_room;
    kp_table frame_table;
    int32_t *parent, *leaf;
    size_t stack_count, parent_room, leaf_room;
    kp_table stack_table;
    kp_row *rows;
    size_t row_count, row_room;
    kp_table row_table;
    /* the sample in hand: its frames, leaf first */
    kp_sample sample;
    uint32_t *stack;
    size_t depth, stack_room;
    int at_block;     /* a header was read, its block comes next */
    int tentative;    /* the frames in hand stood on the header's own line */
    int plain;        /* the block in hand may be remembered: nothing but stack lines so far */
    uint32_t skipped; /* lines of the block in hand that were not understood */
    int error;
    kp_text_counts counts;
    /* scratch for one name */
    char *scratch;
    size_t scratch_room;
    /* input */
    char *input;
    size_t at, end, input_room;
    size_t searched; /* before it no empty line starts */
    size_t mixed;    /* before it no block can be remembered whole */
    int crlf, crlf_known;
};

/* Every dialect gives one function that takes a line without its newline. */
void kp_right_line(kp_text *text, kp_span line);
void kp_flamegraph_line(kp_text *text, kp_span line);
void kp_inferno_line(kp_text *text, kp_span line);
/* Whether a line is a header; lets the reader stop before it searches for the end of a block. */
int kp_right_is_header(kp_span line);
/* No more lines will come. */
void kp_right_end(kp_text *text);
void kp_inferno_end(kp_text *text);

/* Where the module's bracket opens: "name (/a b (deleted))" holds more than one. Without a path it is
 * the one that the last bracket closes, or else one that nothing closes. */
const char *kp_module_bracket(kp_span line);
/* What kind of code a module holds. */
uint32_t kp_module_kind(kp_span module);
/* "name+0x1f" -> "name" */
kp_span kp_without_offset(kp_span name);

/* Push the frames of a line, parsing it with `parse` only if it is new. `tag` is the rest of the
 * line's identity. `parse` calls kp_add_line_frame. Returns whether the line was recognised. */
typedef int kp_parse_line(kp_text *text, kp_span line, uint32_t tag);
int kp_push_line(kp_text *text, kp_span line, uint32_t tag, kp_parse_line *parse);
/* Within parse: frames of the line, innermost first. */
void kp_add_line_frame(kp_text *text, kp_frame frame);
uint32_t kp_frame_number(kp_text *text, kp_frame frame);
uint32_t kp_number(kp_text *text, kp_strings *strings, kp_span name);

/* Count the sample in hand and forget its frames. `stack` is KP_FROM_FRAMES or a known stack; `row`
 * (may be NULL) remembers the row between calls. */
enum { KP_FROM_FRAMES = -2 };
int32_t kp_emit(kp_text *text, int32_t stack, uint32_t *row);
/* Key of the sample in hand. */
kp_row_key kp_key_of(const kp_text *text);
/* kp_emit for a sample whose block was seen before. */
void kp_emit_known(kp_text *text, kp_body *body);
/* Add to the rows what is still in the blocks. */
void kp_settle(kp_text *text);
/* The slot of a block, free or not; NULL when memory is out. */
kp_body *kp_body_slot(kp_bodies *bodies, kp_wide_hash hash);
char *kp_scratch(kp_text *text, size_t size);

/* Steps that both compat dialects share. */
int32_t kp_compat_root(kp_text *text, kp_span comm, kp_span pid, kp_span tid);
/* Whether this event is to be kept; the first one met decides if none was asked for. */
int kp_compat_wants(kp_text *text, kp_span event);

#endif

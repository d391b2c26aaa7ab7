/* Frames, stacks and rows: everything that is counted rather than read. */
#include <stdlib.h>
#include <sys/mman.h>

#include "text_state.h"

uint32_t kp_number(kp_text *text, kp_strings *strings, kp_span name) {
    int64_t number = kp_strings_add(strings, name, 0, NULL);
    if (number < 0) text->error = KP_NO_MEMORY;
    return number < 0 ? 0 : (uint32_t)number;
}

char *kp_scratch(kp_text *text, size_t size) {
    if (!KP_RESERVE(text->scratch, text->scratch_room, 0, size + 1)) return text->scratch;
    text->error = KP_NO_MEMORY;
    return NULL;
}

static int same_frame(const kp_frame *a, const kp_frame *b) {
    return a->name == b->name && a->kind == b->kind && a->module == b->module && a->source == b->source &&
           a->address == b->address;
}

uint32_t kp_frame_number(kp_text *text, kp_frame frame) {
    uint64_t key[3] = {(uint64_t)frame.name << 32 | frame.kind,
                       (uint64_t)(uint32_t)frame.module << 32 | (uint32_t)frame.source, frame.address};
    uint64_t hash = kp_hash(key, sizeof key, 0);
    kp_table *table = &text->frame_table;
    if (kp_table_ready(table) || KP_RESERVE(text->frames, text->frame_room, text->frame_count, 1)) {
        text->error = KP_NO_MEMORY;
        return 0;
    }
    size_t slot = kp_table_slot(table, hash);
    for (; table->at[slot].value; slot = kp_table_next(table, slot)) {
        uint32_t number = table->at[slot].value - 1;
        if (kp_table_may_be(table, slot, hash) && same_frame(&text->frames[number], &frame)) return number;
    }
    kp_table_put(table, slot, hash, (uint32_t)text->frame_count);
    text->frames[text->frame_count] = frame;
    return (uint32_t)text->frame_count++;
}

void kp_add_line_frame(kp_text *text, kp_frame frame) {
    uint32_t number = kp_frame_number(text, frame);
    if (KP_RESERVE(text->line_frames, text->line_frame_room, text->line_frame_count, 1)) {
        text->error = KP_NO_MEMORY;
        return;
    }
    text->line_frames[text->line_frame_count++] = number;
}

int kp_push_line(kp_text *text, kp_span line, uint32_t tag, kp_parse_line *parse) {
    int64_t number = kp_strings_find(&text->lines, line, tag);
    if (number < 0) {
        uint32_t first = (uint32_t)text->line_frame_count;
        /* What is not understood is not kept: there may be no end of it. */
        if (!parse(text, line, tag)) return 0;
        number = kp_strings_add(&text->lines, line, tag, NULL);
        if (number < 0 || KP_RESERVE(text->line, text->line_room, (size_t)number, 1)) {
            text->error = KP_NO_MEMORY;
            return 0;
        }
        text->line[number] = (kp_line){first, (uint32_t)text->line_frame_count - first};
    }
    kp_line known = text->line[number];
    if (KP_RESERVE(text->stack, text->stack_room, text->depth, known.count)) {
        text->error = KP_NO_MEMORY;
        return 0;
    }
    for (uint32_t i = 0; i < known.count; i++) text->stack[text->depth++] = text->line_frames[known.first + i];
    return 1;
}

/* The stack `parent` with `frame` on top. */
static int32_t child(kp_text *text, int32_t parent, uint32_t frame) {
    uint64_t key = (uint64_t)(uint32_t)parent << 32 | frame;
    uint64_t hash = kp_hash(&key, sizeof key, 1);
    kp_table *table = &text->stack_table;
    if (kp_table_ready(table) || KP_RESERVE(text->parent, text->parent_room, text->stack_count, 1) ||
        KP_RESERVE(text->leaf, text->leaf_room, text->stack_count, 1) || text->stack_count >= INT32_MAX) {
        text->error = KP_NO_MEMORY;
        return -1;
    }
    size_t slot = kp_table_slot(table, hash);
    for (; table->at[slot].value; slot = kp_table_next(table, slot)) {
        if (!kp_table_may_be(table, slot, hash)) continue;
        uint32_t number = table->at[slot].value - 1;
        if (text->parent[number] == parent && text->leaf[number] == (int32_t)frame) return (int32_t)number;
    }
    kp_table_put(table, slot, hash, (uint32_t)text->stack_count);
    text->parent[text->stack_count] = parent;
    text->leaf[text->stack_count] = (int32_t)frame;
    return (int32_t)text->stack_count++;
}

static int same_key(const kp_row *a, const kp_row *b) {
    return a->stack == b->stack && a->event == b->event && a->comm == b->comm && a->pid == b->pid &&
           a->tid == b->tid;
}

/* Number of the row with the key of `row`, made if there is none; -1 when memory is out. */
static int64_t find_row(kp_text *text, const kp_row *row) {
    kp_table *table = &text->row_table;
    if (kp_table_ready(table) || KP_RESERVE(text->rows, text->row_room, text->row_count, 1)) return -1;
    if (!text->options.every_sample) {
        int32_t key[5] = {row->stack, row->event, row->comm, row->pid, row->tid};
        uint64_t hash = kp_hash(key, sizeof key, 2);
        size_t slot = kp_table_slot(table, hash);
        for (; table->at[slot].value; slot = kp_table_next(table, slot)) {
            uint32_t number = table->at[slot].value - 1;
            if (kp_table_may_be(table, slot, hash) && same_key(&text->rows[number], row)) return number;
        }
        kp_table_put(table, slot, hash, (uint32_t)text->row_count);
    }
    text->rows[text->row_count] = *row;
    return (int64_t)text->row_count++;
}

kp_row_key kp_key_of(const kp_text *text) {
    const kp_sample *sample = &text->sample;
    int ids = text->options.keep_ids || text->options.every_sample;
    return (kp_row_key){sample->comm, sample->event, ids ? sample->pid : -1, ids ? sample->tid : -1};
}

static void add_weight(kp_text *text, int64_t *sum, uint64_t weight) {
    if (weight > INT64_MAX || __builtin_add_overflow(*sum, (int64_t)weight, sum)) text->error = KP_OVERFLOW;
}

static void count_sample(kp_text *text, int32_t stack, uint32_t *number) {
    if (stack < 0) text->counts.without_stack++;
    if (stack < 0 && text->options.dialect == KP_INFERNO) return;
    kp_row_key key = kp_key_of(text);
    int apart = text->options.every_sample;
    kp_row wanted = {.stack = stack, .event = key.event, .comm = key.comm, .pid = key.pid, .tid = key.tid,
                     .cpu = apart ? text->sample.cpu : -1, .time = apart ? text->sample.time : -1};
    int64_t row = find_row(text, &wanted);
    if (row < 0) {
        text->error = KP_NO_MEMORY;
        return;
    }
    if (number && !apart) *number = (uint32_t)row + 1;
    add_weight(text, &text->rows[row].weight, text->sample.weight);
    text->rows[row].count++;
}

static void close_sample(kp_text *text) {
    text->depth = 0;
    text->sample.open = text->sample.wanted = 0;
    text->sample.weight = 1;
}

int32_t kp_emit(kp_text *text, int32_t stack, uint32_t *row) {
    if (stack == KP_FROM_FRAMES) {
        stack = -1;
        for (size_t i = text->depth; i-- > 0 && !text->error;) stack = child(text, stack, text->stack[i]);
    }
    if (text->sample.wanted && !text->error) count_sample(text, stack, row);
    close_sample(text);
    return stack;
}

static void settle(kp_text *text, kp_body *body) {
    if (!body->count) return;
    kp_row *row = &text->rows[body->row - 1];
    add_weight(text, &row->weight, (uint64_t)body->weight);
    row->count += body->count;
    body->count = 0;
    body->weight = 0;
}

void kp_emit_known(kp_text *text, kp_body *body) {
    kp_row_key key = kp_key_of(text);
    if (!text->sample.wanted || !body->row || body->stack < 0 || body->count == UINT32_MAX ||
        memcmp(&key, &body->key, sizeof key)) {
        settle(text, body);
        if (text->sample.wanted) body->key = key;
        kp_emit(text, body->stack, &body->row);
        return;
    }
    add_weight(text, &body->weight, text->sample.weight);
    body->count++;
    close_sample(text);
}

void kp_settle(kp_text *text) {
    for (size_t i = 0; i < text->bodies.size; i++) settle(text, &text->bodies.slots[i]);
}

static kp_body *probe(const kp_bodies *bodies, kp_wide_hash hash) {
    size_t slot = (size_t)hash.low & (bodies->size - 1);
    for (;; slot = (slot + 1) & (bodies->size - 1)) {
        kp_body *body = &bodies->slots[slot];
        if (body->hash.low == hash.low && body->hash.high == hash.high) return body;
        if (!body->hash.low && !body->hash.high) return body;
    }
}

/* Free slots, each in one cache line. Where it pays they lie in large pages: every sample looks at a
 * slot of its own, and the look-up of its page would cost as much as the slot. */
static kp_body *new_slots(size_t count) {
    size_t size = count * sizeof(kp_body), large = (size_t)1 << 21;
    _Static_assert(sizeof(kp_body) == 64, "a slot is a cache line");
    kp_body *slots = aligned_alloc(size >= large ? large : sizeof(kp_body), size);
    if (!slots) return NULL;
    if (size >= large) madvise(slots, size, MADV_HUGEPAGE);
    memset(slots, 0, size);
    return slots;
}

kp_body *kp_body_slot(kp_bodies *bodies, kp_wide_hash hash) {
    if (bodies->used * 2 >= bodies->size) {
        kp_bodies grown = {NULL, bodies->size ? bodies->size * 2 : 1024, bodies->used};
        grown.slots = new_slots(grown.size);
        if (!grown.slots) return NULL;
        for (size_t i = 0; i < bodies->size; i++)
            if (bodies->slots[i].hash.low || bodies->slots[i].hash.high)
                *probe(&grown, bodies->slots[i].hash) = bodies->slots[i];
        free(bodies->slots);
        *bodies = grown;
    }
    return probe(bodies, hash);
}

/* The part of the reader that does not depend on the dialect: input, blocks, and finding lines. */
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "text_state.h"

enum {
    BLOCK_LIMIT = 1 << 20, /* longer blocks are read line by line, without remembering them */
    LINE_LIMIT = 1 << 24,  /* no tool prints longer lines */
};

kp_text *kp_text_new(const kp_text_options *options) {
    kp_text *text = calloc(1, sizeof *text);
    if (!text) return NULL;
    text->options = *options;
    text->sample.weight = 1;
    const char *event = kp_arena_copy(&text->events.arena, options->event.at, options->event.size);
    text->options.event.at = event;
    if (!event || kp_table_ready(&text->frame_table) || kp_table_ready(&text->stack_table) ||
        kp_table_ready(&text->row_table)) {
        kp_text_free(text);
        return NULL;
    }
    return text;
}

void kp_text_free(kp_text *text) {
    if (!text) return;
    kp_strings *strings[] = {&text->names, &text->modules, &text->sources, &text->comms,
                             &text->events, &text->lines};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) kp_strings_free(strings[i]);
    kp_table_free(&text->frame_table);
    kp_table_free(&text->stack_table);
    kp_table_free(&text->row_table);
    void *arrays[] = {text->line, text->bodies.slots, text->line_frames, text->frames, text->parent, text->leaf,
                      text->rows, text->stack, text->scratch, text->input};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
    free(text);
}

char *kp_text_room(kp_text *text, size_t size) {
    if (text->at) {
        memmove(text->input, text->input + text->at, text->end - text->at);
        text->searched -= text->searched < text->at ? text->searched : text->at;
        text->mixed -= text->mixed < text->at ? text->mixed : text->at;
        text->end -= text->at;
        text->at = 0;
    }
    if (KP_RESERVE(text->input, text->input_room, text->end, size)) return NULL;
    return text->input + text->end;
}

/* Make "\r\n" into "\n" in the last `size` bytes. A "\r" may have come with the bytes before. */
static void drop_returns(kp_text *text, size_t size) {
    char *from = text->input + text->end - size, *stop = text->input + text->end;
    if (size && *from == '\n' && from > text->input + text->at && from[-1] == '\r') from--;
    char *to = from;
    for (; from < stop; from++) {
        if (*from == '\r' && from + 1 < stop && from[1] == '\n') continue;
        *to++ = *from;
    }
    text->end = (size_t)(to - text->input);
}

static void handle_line(kp_text *text, kp_span line) {
    switch (text->options.dialect) {
        case KP_RIGHT: kp_right_line(text, line); break;
        case KP_FLAMEGRAPH: kp_flamegraph_line(text, line); break;
        case KP_INFERNO: kp_inferno_line(text, line); break;
    }
}

/* Names in the compat dialects depend on whether the process is called java. */
static uint32_t body_tag(const kp_text *text) {
    if (text->options.dialect == KP_RIGHT || !text->sample.wanted) return 0;
    return kp_starts(text->comms.items[text->sample.comm].text, "java");
}

/* Read the lines of a block that was not seen before, and remember what they came to. */
static void learn_block(kp_text *text, size_t stop, kp_wide_hash hash) {
    text->plain = text->sample.open && text->sample.wanted;
    text->skipped = 0;
    int learning = text->plain;
    while (text->at < stop && !text->error && (text->plain || !learning)) {
        const char *from = text->input + text->at;
        const char *newline = memchr(from, '\n', stop - text->at);
        text->at = (size_t)(newline + 1 - text->input);
        handle_line(text, kp_between(from, newline));
    }
    /* Where samples follow each other without an empty line, the next one's block would end here, too. */
    if (text->at < stop) text->mixed = stop;
    if (!text->plain || text->error || text->at < stop) return;
    kp_row_key key = kp_key_of(text);
    uint32_t row = 0, skipped = text->skipped;
    int32_t stack = kp_emit(text, KP_FROM_FRAMES, &row);
    kp_body *body = kp_body_slot(&text->bodies, hash);
    if (!body) {
        text->error = KP_NO_MEMORY;
        return;
    }
    *body = (kp_body){.hash = hash, .stack = stack, .skipped = skipped, .row = row, .key = key};
    text->bodies.used++;
    text->at = stop + 1;
}

/* First "\n\n", or NULL. This is where most of the time goes: memmem looks at single bytes. */
static const char *find_empty_line(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i newline = _mm_set1_epi8('\n');
    for (; end - at > 64; at += 64) {
        uint64_t found = 0;
        for (int i = 0; i < 4; i++) {
            __m128i here = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(at + 16 * i)), newline);
            __m128i next = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(at + 16 * i + 1)), newline);
            found |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_and_si128(here, next)) << (16 * i);
        }
        if (found) return at + __builtin_ctzll(found);
    }
#endif
    while (at + 1 < end && (at = memchr(at, '\n', (size_t)(end - at - 1)))) {
        if (at[1] == '\n') return at;
        at++;
    }
    return NULL;
}

/* The block that starts at text->at. Returns 0 if more input is needed first. */
static int read_block(kp_text *text, int last) {
    if (text->at == text->end) return last;
    char *from = text->input + text->at;
    size_t left = text->end - text->at;
    if (!kp_is_space(*from) || *from == '\n' || text->depth || text->at < text->mixed) return 1;
    if (text->options.dialect == KP_RIGHT && *from != '\t') {
        const char *newline = memchr(from, '\n', left);
        if (!newline) return last || left >= BLOCK_LIMIT;
        if (kp_right_is_header(kp_between(from, newline))) return 1;
    }
    size_t start = text->searched > text->at ? text->searched : text->at;
    const char *stop = find_empty_line(text->input + start, text->input + text->end);
    if (!stop) {
        text->searched = text->end - 1;
        return last || left >= BLOCK_LIMIT;
    }
    size_t size = (size_t)(stop + 1 - from);
    kp_wide_hash hash = kp_hash_wide(from, size, body_tag(text));
    hash.low |= 1; /* not that of a free slot */
    kp_body *body = kp_body_slot(&text->bodies, hash);
    if (!body) {
        text->error = KP_NO_MEMORY;
    } else if (!body->hash.low) {
        learn_block(text, text->at + size, hash);
    } else {
        text->at += size + 1;
        /* inferno does not look at the lines of a sample that is not wanted. */
        if (text->sample.wanted || text->options.dialect != KP_INFERNO) text->counts.skipped_lines += body->skipped;
        if (text->sample.open) kp_emit_known(text, body);
    }
    return 1;
}

static void read_lines(kp_text *text, int last) {
    while (text->at < text->end && !text->error) {
        if (text->at_block) {
            text->at_block = 0;
            if (!read_block(text, last)) {
                text->at_block = 1;
                return;
            }
            continue;
        }
        const char *from = text->input + text->at;
        const char *newline = memchr(from, '\n', text->end - text->at);
        if (!newline) {
            if (text->end - text->at > LINE_LIMIT) text->error = KP_LINE_TOO_LONG;
            if (!last) return;
            newline = text->input + text->end;
        }
        text->at = (size_t)(newline - text->input);
        if (text->at < text->end) text->at++;
        handle_line(text, kp_between(from, newline));
    }
}

int kp_text_commit(kp_text *text, size_t size, int last) {
    text->end += size;
    if (!text->crlf_known) {
        const char *newline = memchr(text->input + text->at, '\n', text->end - text->at);
        text->crlf_known = newline != NULL;
        text->crlf = newline && newline > text->input + text->at && newline[-1] == '\r' &&
                     text->options.dialect != KP_FLAMEGRAPH;
        if (text->crlf) size = text->end - text->at;
    }
    if (text->crlf) drop_returns(text, size);
    if (!text->error) read_lines(text, last);
    if (last && !text->error) {
        if (text->options.dialect == KP_RIGHT) kp_right_end(text);
        if (text->options.dialect == KP_INFERNO) kp_inferno_end(text);
    }
    if (last && !text->error) kp_settle(text);
    return text->error;
}

const kp_strings *kp_text_names(const kp_text *text) { return &text->names; }
const kp_strings *kp_text_modules(const kp_text *text) { return &text->modules; }
const kp_strings *kp_text_sources(const kp_text *text) { return &text->sources; }
const kp_strings *kp_text_comms(const kp_text *text) { return &text->comms; }
const kp_strings *kp_text_events(const kp_text *text) { return &text->events; }

const kp_frame *kp_text_frames(const kp_text *text, size_t *count) {
    *count = text->frame_count;
    return text->frames;
}

size_t kp_text_stacks(const kp_text *text, const int32_t **parent, const int32_t **frame) {
    *parent = text->parent;
    *frame = text->leaf;
    return text->stack_count;
}

const kp_row *kp_text_rows(const kp_text *text, size_t *count) {
    *count = text->row_count;
    return text->rows;
}

kp_text_counts kp_text_count(const kp_text *text) { return text->counts; }

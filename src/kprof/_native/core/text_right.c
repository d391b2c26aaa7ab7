/* The dialect that is right: what the lines of `perf script` mean.
 *
 * A header is recognised by its timestamp, because a thread may call itself anything: it may hold
 * spaces, digits and colons, or be one character long. Everything before the timestamp is parsed
 * from the right. Source of the layout: tools/perf/builtin-script.c, perf_sample__fprintf_start. */
#include "text_state.h"

typedef struct {
    kp_span comm, event, rest;
    int32_t pid, tid, cpu;
    int64_t time;
    uint64_t weight;
    int timed;
} header;

static kp_span trim_right(const char *at, const char *end) {
    while (end > at && kp_is_space(end[-1])) end--;
    return kp_between(at, end);
}

/* Decimal number of the whole span; -1 if it is none or exceeds `limit`. */
static int64_t number_of(kp_span span, int64_t limit) {
    uint64_t value = 0; /* 19 digits fit */
    if (!span.size || span.size > 19) return -1;
    for (size_t i = 0; i < span.size; i++) {
        unsigned digit = (unsigned)span.at[i] - '0';
        if (digit > 9) return -1;
        value = value * 10 + digit;
    }
    return value > (uint64_t)limit ? -1 : (int64_t)value;
}

/* "123", "-1" -> the number; -2 if it is none. */
static int32_t id_of(kp_span span) {
    if (kp_equal(span, "-1")) return -1;
    int64_t value = number_of(span, INT32_MAX);
    return value < 0 ? -2 : (int32_t)value;
}

/* Last token of the span, which is shortened by it. */
static kp_span take_last(kp_span *span) {
    *span = trim_right(span->at, span->at + span->size);
    const char *end = span->at + span->size, *from = end;
    while (from > span->at && !kp_is_space(from[-1])) from--;
    *span = kp_between(span->at, from);
    return kp_between(from, end);
}

/* The field misc: whether the kernel, a user's program, a hypervisor or a guest was interrupted. */
static int is_mode(kp_span token) { return token.size == 1 && memchr("KUHGg", *token.at, 5); }

/* "comm 12/34 [005] K" -> its parts. */
static int parse_who(kp_span who, header *out) {
    kp_span token = take_last(&who);
    if (is_mode(token)) token = take_last(&who);
    out->cpu = -1;
    if (token.size > 2 && token.at[0] == '[' && token.at[token.size - 1] == ']') {
        out->cpu = (int32_t)number_of((kp_span){token.at + 1, token.size - 2}, INT32_MAX);
        if (out->cpu >= 0) token = take_last(&who);
    }
    if (!token.size || (who.size && !kp_is_space(who.at[who.size - 1]))) return 0;
    const char *slash = memchr(token.at, '/', token.size);
    out->pid = slash ? id_of(kp_between(token.at, slash)) : -1;
    out->tid = id_of(slash ? kp_between(slash + 1, token.at + token.size) : token);
    out->comm = kp_trim(who);
    return out->pid != -2 && out->tid != -2;
}

/* A time "12.345678:" that ends behind the dot at `dot`; returns the place behind the colon. */
static const char *parse_time(kp_span line, const char *dot, const char **start, int64_t *time) {
    const char *end = line.at + line.size, *from = dot, *to = dot + 1;
    while (from > line.at && kp_is_digit(from[-1])) from--;
    while (to < end && kp_is_digit(*to)) to++;
    size_t digits = (size_t)(to - dot - 1);
    if (from == dot || from == line.at || !kp_is_space(from[-1]) || digits < 3 || digits > 9 || to == end || *to != ':')
        return NULL;
    int64_t seconds = number_of(kp_between(from, dot), INT64_MAX / 1000000000 - 1);
    int64_t part = number_of(kp_between(dot + 1, to), INT64_MAX);
    if (seconds < 0) return NULL;
    for (; digits < 9; digits++) part *= 10;
    *start = from;
    *time = seconds * 1000000000 + part;
    return to + 1;
}

static kp_span single_frame(kp_span rest);

/* "  250000 cpu-clock:  rest"; without the field event, a frame or nothing may come at once. */
static int parse_what(kp_span what, header *out) {
    const char *end = what.at + what.size;
    what = kp_trim_left(what);
    const char *to = what.at;
    while (to < end && kp_is_digit(*to)) to++;
    out->weight = 1;
    if (to > what.at && (to == end || kp_is_space(*to))) {
        int64_t period = number_of(kp_between(what.at, to), INT64_MAX);
        if (period < 0) return 0;
        if (period) out->weight = (uint64_t)period;
        what = kp_trim_left(kp_between(to, end));
    }
    for (to = what.at; to < end && !kp_is_space(*to);) to++;
    out->rest = kp_trim(kp_between(to, end));
    out->event = kp_between(what.at, to);
    if (!out->event.size) return 1;
    if (out->event.at[out->event.size - 1] == ':' && !kp_starts(out->event, "PERF_RECORD_")) {
        out->event.size--;
        return 1;
    }
    out->event = (kp_span){what.at, 0};
    out->rest = kp_trim(what);
    return kp_starts(out->rest, "PERF_RECORD_") || single_frame(out->rest).size;
}

/* Whether a word of the span is a time. */
static int holds_time(kp_span span) {
    const char *end = span.at + span.size, *at = span.at, *start;
    int64_t time;
    for (const char *dot; at < end && (dot = memchr(at, '.', (size_t)(end - at))); at = dot + 1)
        if (parse_time(span, dot, &start, &time)) return 1;
    return 0;
}

/* A header from which the time was left out: "comm 12/34 [005] 1 cycles:" to the end of the line. If
 * the name holds a time, then the time was not left out, and what stands before it is not known. */
static int parse_untimed(kp_span line, header *out) {
    line = trim_right(line.at, line.at + line.size);
    if (line.size < 2 || kp_is_space(*line.at) || line.at[line.size - 1] != ':') return 0;
    kp_span who = line;
    const char *end = line.at + line.size;
    kp_span event = take_last(&who);
    kp_span before = who;
    kp_span period = take_last(&before);
    /* The number before the event is a period only if another number, the pid, stands before it. */
    int has_period = number_of(period, INT64_MAX) >= 0 && parse_who(before, out);
    if (!has_period && !parse_who(who, out)) return 0;
    if (!out->comm.size || holds_time(out->comm)) return 0;
    return parse_what(kp_between(has_period ? period.at : event.at, end), out);
}

enum {
    COMM_LIMIT = 15,  /* bytes of a thread's name, in Linux */
    HEAD_LIMIT = 512, /* a time further right is none of a header */
};

/* The last time counts behind which an event stands, for a name may hold what looks like a header. A
 * name that would be too long is none: then that time is a part of what follows the event. */
static int parse_header(kp_span line, header *out) {
    const char *end = line.at + line.size, *at = line.at, *name = kp_trim_left(line).at;
    const char *limit = line.size > HEAD_LIMIT ? line.at + HEAD_LIMIT : end;
    int found = 0;
    for (const char *dot; at < limit && (dot = memchr(at, '.', (size_t)(limit - at))); at = dot + 1) {
        header next = {.timed = 1};
        const char *start, *after = parse_time(line, dot, &start, &next.time);
        if (!after || !parse_who(kp_between(line.at, start), &next)) continue;
        if (found && next.comm.size > COMM_LIMIT) return 1;
        if (!parse_what(kp_between(after, end), &next)) continue;
        *out = next;
        found = 1;
        if (after - name > COMM_LIMIT) return 1;
    }
    if (found) return 1;
    out->time = -1;
    out->timed = 0;
    return parse_untimed(line, out);
}

int kp_right_is_header(kp_span line) {
    header found;
    return parse_header(line, &found) && found.timed;
}

/* -- stack lines ----------------------------------------------------------------------------- */

static int hex_of(kp_span span, uint64_t *value) {
    *value = 0;
    if (!span.size || span.size > 16) return 0;
    for (size_t i = 0; i < span.size; i++) {
        char c = span.at[i];
        if (!kp_is_lower_hex(c)) return 0;
        *value = *value << 4 | (uint64_t)(kp_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return 1;
}

static void add_frame(kp_text *text, kp_span name, kp_frame frame) {
    if (kp_starts(name, "py::")) frame.kind = KP_PYTHON;
    if (!text->options.keep_arguments) {
        char *shortened = kp_scratch(text, name.size);
        if (!shortened) return;
        name = (kp_span){shortened, kp_short_name(name, shortened)};
    }
    frame.name = kp_number(text, &text->names, name.size ? name : (kp_span){"[unknown]", 9});
    kp_add_line_frame(text, frame);
}

/* JIT maps write inlining as "outer->inner". Elsewhere "->" is a part of a name. */
static void add_unfolded(kp_text *text, kp_span name, kp_frame frame) {
    for (size_t i = name.size; i-- > 2;) {
        if (name.at[i] != '>' || name.at[i - 1] != '-') continue;
        kp_frame inner = frame;
        inner.kind = KP_INLINED;
        if (i + 1 < name.size) add_frame(text, kp_between(name.at + i + 1, name.at + name.size), inner);
        name.size = i - 1;
        i--;
    }
    add_frame(text, name, frame);
}

/* "  7f53 name+0x1 (/lib/x.so)" and the module's end; 0 if the line is not of this form. Without the
 * field sym a stack line is an address alone. */
static int parse_frame(kp_text *text, kp_span line, uint32_t tag) {
    (void)tag;
    int indented = line.size && kp_is_space(*line.at);
    line = kp_trim(line);
    const char *end = line.at + line.size, *to = line.at;
    while (to < end && !kp_is_space(*to)) to++;
    kp_frame frame = {.module = -1, .source = -1};
    if (!hex_of(kp_between(line.at, to), &frame.address) || (to == end && !indented)) return 0;
    kp_span rest = kp_between(to, end);
    /* Without the field dso there is no bracket. */
    const char *bracket = end[-1] == ')' ? kp_module_bracket(rest) : NULL;
    kp_span name = kp_without_offset(kp_trim(kp_between(to, bracket ? bracket : end)));
    kp_span module = bracket ? kp_between(bracket + 1, end - 1) : (kp_span){end, 0};
    if (kp_equal(name, "[unknown]")) name.size = 0;
    frame.kind = bracket ? kp_module_kind(module) : !name.size ? KP_UNKNOWN : frame.address >> 63 ? KP_KERNEL : KP_USER;
    if (frame.kind != KP_INLINED && module.size && !kp_equal(module, "[unknown]"))
        frame.module = (int32_t)kp_number(text, &text->modules, module);
    kp_span file = kp_basename(module);
    if (kp_starts(file, "perf-") && kp_ends(file, ".map")) {
        add_unfolded(text, name, frame);
    } else {
        add_frame(text, name, frame);
    }
    return 1;
}

/* A line "file.c:12" below a stack line belongs to the frame that was pushed last. */
static int attach_source(kp_text *text, kp_span line) {
    line = kp_trim(line);
    /* With source lines asked for, perf says here and not above that a frame is inlined. */
    int inlined = kp_ends(line, " (inlined)");
    if (inlined) line.size -= strlen(" (inlined)");
    const char *colon = line.size ? memrchr(line.at, ':', line.size) : NULL;
    if (!text->depth || !line.size) return 0;
    if (!colon) return line.at[line.size - 1] == ']'; /* "libc.so.6[27b25]" says nothing new */
    if (number_of(kp_between(colon + 1, line.at + line.size), INT32_MAX) < 0) return 0;
    kp_frame frame = text->frames[text->stack[text->depth - 1]];
    frame.source = (int32_t)kp_number(text, &text->sources, line);
    if (inlined) frame.kind = KP_INLINED;
    text->stack[text->depth - 1] = kp_frame_number(text, frame);
    return 1;
}

/* The stack line that a header carries when the recording has no call chains. Arguments of a
 * tracepoint may stand before it: its address has 8 digits or more, or is the first token. */
static kp_span single_frame(kp_span rest) {
    const char *end = rest.at + rest.size, *found = NULL;
    const char *bracket = rest.size && end[-1] == ')' ? kp_module_bracket(rest) : NULL;
    for (const char *at = rest.at; bracket && at < bracket;) {
        const char *to = at;
        while (to < bracket && !kp_is_space(*to)) to++;
        uint64_t address;
        if (hex_of(kp_between(at, to), &address) && (to - at >= 8 || at == rest.at)) found = at;
        at = kp_trim_left(kp_between(to, bracket)).at;
    }
    return found ? kp_between(found, end) : (kp_span){rest.at, 0};
}

static void count_record(kp_text *text, kp_span rest) {
    if (!kp_starts(rest, "PERF_RECORD_LOST")) {
        text->counts.other_records++;
        return;
    }
    kp_span left = rest;
    int64_t lost = number_of(take_last(&left), INT64_MAX);
    text->counts.lost += lost > 0 ? (uint64_t)lost : 1;
}

/* Neighbouring samples often have the same thread and event. */
static int32_t number_near(kp_text *text, kp_strings *strings, kp_span name, int32_t last) {
    if (strings->count) {
        kp_span known = strings->items[last].text;
        if (known.size == name.size && !memcmp(known.at, name.at, name.size)) return last;
    }
    return (int32_t)kp_number(text, strings, name);
}

static void open_sample(kp_text *text, const header *found) {
    if (text->sample.open) kp_emit(text, KP_FROM_FRAMES, NULL);
    text->plain = 0;
    text->tentative = 0;
    if (!found->event.size && kp_starts(found->rest, "PERF_RECORD_")) {
        count_record(text, found->rest);
        return;
    }
    text->counts.read++;
    text->sample = (kp_sample){
        .open = 1, .wanted = 1, .pid = found->pid, .tid = found->tid, .cpu = found->cpu,
        .time = found->time, .weight = found->weight,
        .comm = number_near(text, &text->comms, found->comm, text->sample.comm),
        .event = number_near(text, &text->events, found->event, text->sample.event)};
    kp_span frame = single_frame(found->rest);
    text->tentative = frame.size && kp_push_line(text, frame, 0, parse_frame);
    text->at_block = !text->tentative;
}

/* Push a line of the stack. What looked like a frame on the header's line was text of a tracepoint. */
static int push_frame(kp_text *text, kp_span line) {
    size_t own = text->tentative ? text->depth : 0;
    if (!kp_push_line(text, line, 0, parse_frame)) return 0;
    memmove(text->stack, text->stack + own, (text->depth - own) * sizeof *text->stack);
    text->depth -= own;
    text->tentative = 0;
    return 1;
}

void kp_right_line(kp_text *text, kp_span line) {
    if (!kp_trim_left(line).size) {
        text->plain = 0;
        if (text->sample.open) kp_emit(text, KP_FROM_FRAMES, NULL);
        return;
    }
    header found;
    int is_stack_line = text->sample.open && *line.at == '\t';
    if (!is_stack_line && parse_header(line, &found)) {
        open_sample(text, &found);
        return;
    }
    if (*line.at == '#' && (!text->sample.open || text->tentative)) return;
    if (text->sample.open && push_frame(text, line)) return;
    if (text->sample.open && attach_source(text, line)) return;
    text->skipped++;
    text->counts.skipped_lines++;
}

void kp_right_end(kp_text *text) {
    if (text->sample.open) kp_emit(text, KP_FROM_FRAMES, NULL);
}

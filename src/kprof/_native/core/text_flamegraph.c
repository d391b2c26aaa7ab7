/* The dialect of stackcollapse-perf.pl. Its two patterns are
 *
 *     header      ^(\S.+?)\s+(\d+)[slash]*(\d+)*\s+     event  :\s*(\d+)*\s+(\S+):\s*$
 *     stack line  ^\s*(\w+)\s*(.+) \((.*)\)
 *
 * and what follows finds what a backtracking engine would find, without backtracking. */
#include "text_state.h"

typedef struct {
    kp_span comm, pid, tid;
} who;

/* Digits, slashes, digits, at least one space: the end of the match, or NULL. */
static const char *match_ids(const char *at, const char *end, who *out) {
    const char *to = at;
    while (to < end && kp_is_digit(*to)) to++;
    out->pid = kp_between(at, to);
    const char *slashes = to;
    while (to < end && *to == '/') to++;
    const char *second = to;
    while (to < end && kp_is_digit(*to)) to++;
    out->tid = second > slashes ? kp_between(second, to) : (kp_span){second, 0};
    return out->pid.size && to < end && kp_is_space(*to) ? to : NULL;
}

static int match_header(kp_span line, who *out) {
    const char *end = line.at + line.size;
    if (!line.size || kp_is_space(*line.at)) return 0;
    for (const char *at = line.at + 2; at < end; at++) {
        if (!kp_is_space(*at)) continue;
        const char *ids = kp_trim_left(kp_between(at, end)).at;
        if (match_ids(ids, end, out)) {
            out->comm = kp_between(line.at, at);
            return 1;
        }
        at = ids; /* from the other spaces of this run it would be the same */
    }
    return 0;
}

/* 1 and the event if the end of the line has one; the period stays 0 if it has none. */
static int match_event(kp_span line, kp_span *event, uint64_t *period) {
    const char *start = line.at, *at = line.at + line.size;
    while (at > start && kp_is_space(at[-1])) at--;
    const char *token_end = at;
    while (at > start && !kp_is_space(at[-1])) at--;
    if (token_end - at < 2 || token_end[-1] != ':' || at == start) return 0;
    *event = kp_between(at, token_end - 1);
    while (at > start && kp_is_space(at[-1])) at--;
    const char *digits_end = at;
    while (at > start && kp_is_digit(at[-1])) at--;
    const char *digits = at;
    while (at > start && kp_is_space(at[-1])) at--;
    if (at == start || at[-1] != ':') return 0;
    for (*period = 0; digits < digits_end; digits++)
        if (__builtin_mul_overflow(*period, 10, period) ||
            __builtin_add_overflow(*period, (uint64_t)(*digits - '0'), period)) {
            *period = UINT64_MAX; /* more than a sum may be */
            break;
        }
    return 1;
}

static void read_header(kp_text *text, kp_span line, who found) {
    kp_span event;
    uint64_t period = 0;
    text->at_block = 1;
    text->counts.read++;
    if (match_event(line, &event, &period) && !kp_compat_wants(text, event)) return;
    /* "0" is as false as no tid at all. */
    if (!found.tid.size || kp_equal(found.tid, "0")) {
        found.tid = found.pid;
        found.pid = (kp_span){"?", 1};
    }
    text->sample.comm = kp_compat_root(text, found.comm, found.pid, found.tid);
    text->sample.open = text->sample.wanted = !text->error;
    text->sample.pid = text->sample.tid = text->sample.cpu = -1;
    text->sample.time = -1;
    text->sample.weight = period ? period : 1;
}

/* -- stack lines ----------------------------------------------------------------------------- */

typedef struct {
    kp_span address, name, module;
} parts;

/* Last " (" of the span, or NULL. */
static const char *last_bracket(kp_span span) {
    for (const char *at = span.at + span.size; at - 1 > span.at; at--)
        if (at[-1] == '(' && at[-2] == ' ') return at - 2;
    return NULL;
}

static int match_frame(kp_span line, parts *out) {
    const char *close = line.size ? memrchr(line.at, ')', line.size) : NULL;
    const char *word = kp_trim_left(line).at, *end = line.at + line.size, *to = word;
    if (!close) return 0;
    while (to < end && kp_is_word(*to)) to++;
    const char *bracket = close > word ? last_bracket(kp_between(word, close)) : NULL;
    if (!bracket || to == word) return 0;
    const char *name = kp_trim_left(kp_between(to, end)).at;
    /* Greedy parts give back from the right, until the name has a character: first the gap, then the word. */
    if (name >= bracket) name = bracket - 1;
    if (name < to) to = name;
    if (to <= word) return 0;
    out->address = kp_between(word, to);
    out->name = kp_between(name, bracket);
    out->module = kp_between(bracket + 2, close);
    return 1;
}

static kp_span strip_offset(kp_span name) {
    const char *at = name.at + name.size;
    while (at > name.at && kp_is_lower_hex(at[-1])) at--;
    if (at == name.at + name.size || at - name.at < 3 || memcmp(at - 3, "+0x", 3)) return name;
    return kp_between(name.at, at - 3);
}

static int is_go_method(kp_span name) {
    const char *open = kp_find(name, ".(");
    return open && kp_find(kp_between(open + 2, name.at + name.size), ").");
}

static char *put(char *to, kp_span span) {
    memcpy(to, span.at, span.size);
    return to + span.size;
}

/* "[unknown]" becomes the module's name, with the address if asked for. */
static char *put_unknown(kp_text *text, const parts *line, char *to) {
    int known = !kp_equal(line->module, "[unknown]");
    *to++ = '[';
    to = put(to, known ? kp_basename(line->module) : (kp_span){"unknown", 7});
    if (text->options.with_addresses) {
        to = put(to, (kp_span){" <", 2});
        to = put(to, line->address);
        *to++ = '>';
    }
    *to++ = ']';
    return to;
}

/* Colons for semicolons, no argument list, no quotes; for java no leading L. In place. */
static kp_span tidy(char *name, size_t size, int java) {
    for (size_t i = 0; i < size; i++)
        if (name[i] == ';') name[i] = ':';
    if (!is_go_method((kp_span){name, size}))
        for (size_t i = 0; i < size; i++)
            if (name[i] == '(' && !kp_starts((kp_span){name + i + 1, size - i - 1}, "anonymous namespace)")) size = i;
    size_t kept = 0;
    for (size_t i = 0; i < size; i++)
        if (name[i] != '"' && name[i] != '\'') name[kept++] = name[i];
    kp_span result = {name, kept};
    if (java && kept && *name == 'L' && memchr(name, '/', kept)) result.at++, result.size--;
    return result;
}

static int is_kernel(kp_span module) {
    return (kp_starts(module, "[") || kp_ends(module, "vmlinux")) && !kp_find(module, "unknown");
}

static int is_jit(kp_span module) {
    const char *at = module.at, *end = module.at + module.size;
    while ((at = kp_find(kp_between(at, end), "/tmp/perf-"))) {
        at += strlen("/tmp/perf-");
        const char *to = at;
        while (to < end && kp_is_digit(*to)) to++;
        if (to > at && kp_starts(kp_between(to, end), ".map")) return 1;
    }
    return 0;
}

static const char *annotation(const kp_text *text, kp_span name, kp_span module, int inlined) {
    if (inlined) return kp_find(name, "_[i]") ? "" : "_[i]";
    if (text->options.annotate_kernel && is_kernel(module)) return "_[k]";
    if (text->options.annotate_jit && is_jit(module)) return kp_find(name, "_[j]") ? "" : "_[j]";
    return "";
}

static void add_part(kp_text *text, kp_span part, const parts *line, int java, int inlined) {
    char *out = kp_scratch(text, part.size + line->module.size + line->address.size + 16);
    if (!out) return;
    char *to = kp_equal(part, "[unknown]") ? put_unknown(text, line, out) : put(out, part);
    kp_span name = tidy(out, (size_t)(to - out), java);
    const char *mark = annotation(text, name, line->module, inlined);
    char *end = put(out + (name.at - out) + name.size, (kp_span){mark, strlen(mark)});
    kp_frame frame = {.name = kp_number(text, &text->names, kp_between(name.at, end)), .module = -1, .source = -1,
                      .kind = kp_equal(part, "[unknown]") ? KP_UNKNOWN : KP_USER};
    kp_add_line_frame(text, frame);
}

/* Perl's split drops empty fields at the end, and only there. */
static kp_span drop_empty_fields(kp_span name) {
    while (kp_ends(name, "->")) name.size -= 2;
    return name;
}

/* Parts of "a->b" come innermost first. */
static void add_parts(kp_text *text, kp_span name, const parts *line, int java) {
    const char *end = name.at + name.size, *at = end;
    while (at > name.at) {
        if (at - name.at >= 2 && at[-1] == '>' && at[-2] == '-') {
            add_part(text, kp_between(at, end), line, java, 1);
            end = at -= 2;
        } else {
            at--;
        }
    }
    add_part(text, kp_between(at, end), line, java, 0);
}

static int parse_frame(kp_text *text, kp_span line, uint32_t java) {
    parts found;
    if (!match_frame(line, &found)) return 0;
    kp_span name = strip_offset(found.name);
    if (kp_starts(name, "(")) return 1;
    name = drop_empty_fields(name);
    if (name.size) add_parts(text, name, &found, (int)java);
    return 1;
}

void kp_flamegraph_line(kp_text *text, kp_span line) {
    who found;
    if (line.size && *line.at == '#') return;
    if (!line.size) {
        text->plain = 0;
        if (text->sample.open) kp_emit(text, KP_FROM_FRAMES, NULL);
        return;
    }
    if (match_header(line, &found)) {
        text->plain = 0;
        read_header(text, line, found);
        return;
    }
    parts ignored;
    if (text->sample.open) {
        uint32_t java = kp_starts(text->comms.items[text->sample.comm].text, "java");
        if (kp_push_line(text, line, java, parse_frame)) return;
    } else if (match_frame(line, &ignored)) {
        return;
    }
    text->skipped++;
    text->counts.skipped_lines++;
}

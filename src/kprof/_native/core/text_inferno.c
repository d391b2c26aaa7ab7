/* The dialect of inferno-collapse-perf (src/collapse/perf.rs of inferno 0.12), which reads lines by
 * hand-written scanners rather than by patterns. Spaces are single characters to it. */
#include <stdlib.h>

#include "text_state.h"

typedef struct {
    kp_span comm, pid, tid, rest;
} who;

/* The first word of digits, with or without a slash, that a space follows. */
static int match_header(kp_span line, who *out) {
    const char *word = line.at, *end = line.at + line.size, *slash = NULL;
    int digits = 0, after_space = 0;
    for (const char *at = line.at; at < end; at++) {
        if (*at == ' ') {
            if (digits && !after_space) {
                out->pid = slash ? kp_between(word, slash) : (kp_span){"?", 1};
                out->tid = kp_between(slash ? slash + 1 : word, at);
                out->comm = kp_trim(kp_between(line.at, word - 1));
                out->rest = kp_between(at + 1, end);
                return 1;
            }
            word = at + 1;
            digits = 1;
        } else if (*at == '/') {
            if (digits) slash = at;
        } else if (!kp_is_digit(*at)) {
            digits = 0;
            slash = NULL;
        }
        after_space = *at == ' ';
    }
    return 0;
}

/* Cut at the first colon: what stands before it, with the rest left in *rest. 0 if nothing is left. */
static int take_field(kp_span *rest, kp_span *field, int *more) {
    if (!*more) return 0;
    const char *colon = rest->size ? memchr(rest->at, ':', rest->size) : NULL;
    *field = colon ? kp_between(rest->at, colon) : *rest;
    *more = colon != NULL;
    if (colon) *rest = kp_between(colon + 1, rest->at + rest->size);
    return 1;
}

/* Rust's parse::<u64>: digits with an optional plus. */
static int parse_u64(kp_span span, uint64_t *value) {
    if (kp_starts(span, "+")) span.at++, span.size--;
    if (!span.size) return 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < span.size; i++) {
        if (!kp_is_digit(span.at[i]) || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(span.at[i] - '0'), &sum))
            return 0;
    }
    *value = sum;
    return 1;
}

/* "     250000 cycles" -> the event; the period stays as it is if there is none. */
static kp_span parse_event(kp_text *text, kp_span field) {
    const char *end = field.at + field.size;
    const char *space = field.size ? memrchr(field.at, ' ', field.size) : NULL;
    text->sample.weight = 1;
    if (!space) return field;
    kp_span before = kp_between(field.at, space);
    const char *second = before.size ? memrchr(before.at, ' ', before.size) : NULL;
    parse_u64(second ? kp_between(second + 1, space) : before, &text->sample.weight);
    return kp_between(space + 1, end);
}

static int parse_frame(kp_text *text, kp_span line, uint32_t java);

static int push(kp_text *text, kp_span line) {
    uint32_t java = kp_starts(text->comms.items[text->sample.comm].text, "java");
    if (kp_push_line(text, line, java, parse_frame)) return 1;
    text->skipped++;
    text->counts.skipped_lines++;
    return 0;
}

/* The frame that follows the event on the header's own line. */
static kp_span frame_behind(kp_span rest) {
    size_t i = 0;
    while (i < rest.size && rest.at[i] != ':' && rest.at[i] != ' ') i++;
    if (i < rest.size) rest.at += i + 1, rest.size -= i + 1;
    return kp_trim(rest);
}

static void read_header(kp_text *text, kp_span line) {
    who found;
    if (!match_header(line, &found)) {
        text->counts.skipped_lines++;
        return;
    }
    text->counts.read++;
    text->at_block = 1;
    text->sample.open = 1;
    text->sample.pid = text->sample.tid = text->sample.cpu = -1;
    text->sample.time = -1;
    kp_span field, rest = found.rest;
    int more = 1;
    take_field(&rest, &field, &more);
    int has_event = take_field(&rest, &field, &more);
    /* An unwanted sample swallows every line up to the next empty one. */
    if (has_event && !kp_compat_wants(text, parse_event(text, field))) return;
    text->sample.comm = kp_compat_root(text, found.comm, found.pid, found.tid);
    text->sample.wanted = !text->error;
    kp_span frame = more ? frame_behind(rest) : (kp_span){rest.at, 0};
    if (!frame.size || text->error) return;
    push(text, frame);
    text->at_block = 0;
    /* If nothing was pushed, the period stays for the next header. */
    if (text->depth) kp_emit(text, KP_FROM_FRAMES, NULL);
    text->sample.open = text->sample.wanted = 0;
}

static void end_sample(kp_text *text) {
    if (text->sample.open) kp_emit(text, KP_FROM_FRAMES, NULL);
    text->sample.weight = 1;
}

/* -- stack lines ----------------------------------------------------------------------------- */

typedef struct {
    kp_span address, name, module;
} parts;

static int match_frame(kp_span line, parts *out) {
    line = kp_trim_left(line);
    const char *end = line.at + line.size;
    const char *space = line.size ? memchr(line.at, ' ', line.size) : NULL;
    if (!space) return 0;
    out->address = kp_trim(kp_between(line.at, space));
    kp_span rest = kp_between(space + 1, end);
    const char *last = rest.size ? memrchr(rest.at, ' ', rest.size) : NULL;
    if (!last) return 0;
    kp_span module = kp_between(last + 1, end);
    if (!kp_starts(module, "(") || !kp_ends(module, ")")) return 0;
    out->module = (kp_span){module.at + 1, module.size > 1 ? module.size - 2 : 0};
    out->name = kp_trim(kp_between(rest.at, last));
    if (!out->name.size) out->name = (kp_span){" ", 1};
    return 1;
}

static kp_span strip_offset(kp_span name) {
    for (size_t i = name.size; i-- > 0;) {
        if (!kp_starts((kp_span){name.at + i, name.size - i}, "+0x")) continue;
        for (size_t k = i + 3; k < name.size; k++)
            if (!kp_is_hex(name.at[k])) return name;
        name.size = i;
        return name;
    }
    return name;
}

/* -- Rust names that perf demangled only in part ---------------------------------------------- */

static int has_rust_hash(kp_span name) {
    if (name.size < 17 || name.at[name.size - 17] != 'h') return 0;
    for (size_t i = name.size - 16; i < name.size; i++)
        if (!kp_is_hex(name.at[i])) return 0;
    return 1;
}

static const struct {
    const char *from, *to;
} rust_escapes[] = {
    {"$SP$", "@"},  {"$BP$", "*"},   {"$RF$", "&"},   {"$LT$", "<"},   {"$GT$", ">"},   {"$LP$", "("},
    {"$RP$", ")"},  {"$C$", ","},    {"$u7e$", "~"},  {"$u20$", " "},  {"$u27$", "'"},  {"$u3d$", "="},
    {"$u5b$", "["}, {"$u5d$", "]"},  {"$u7b$", "{"},  {"$u7d$", "}"},  {"$u3b$", ";"},  {"$u2b$", "+"},
    {"$u21$", "!"}, {"$u22$", "\""},
};

/* One escape at the start of `rest`; *taken bytes of it make *written bytes. */
static int unescape(kp_span rest, char *to, size_t *taken, size_t *written) {
    if (kp_starts(rest, ".")) {
        int twice = kp_starts(rest, "..");
        memcpy(to, twice ? "::" : ".", twice ? 2 : 1);
        *taken = *written = twice ? 2 : 1;
        return 1;
    }
    for (size_t i = 0; i < sizeof rust_escapes / sizeof *rust_escapes; i++) {
        if (!kp_starts(rest, rust_escapes[i].from)) continue;
        *to = *rust_escapes[i].to;
        *taken = strlen(rust_escapes[i].from);
        *written = 1;
        return 1;
    }
    return 0;
}

/* Writes at most name.size bytes. */
static size_t fix_rust_name(kp_span name, char *to) {
    size_t size = 0;
    name.size -= 17;
    if (kp_ends(name, "::")) name.size -= 2;
    if (kp_starts(name, "_$")) name.at++, name.size--;
    while (name.size) {
        size_t taken = 1, written = 1;
        int escape = *name.at == '.' || *name.at == '$';
        if (escape && !unescape(name, to + size, &taken, &written)) {
            memcpy(to + size, name.at, name.size);
            return size + name.size;
        }
        if (!escape) to[size] = *name.at;
        size += written;
        name.at += taken;
        name.size -= taken;
    }
    return size;
}

/* -- names ------------------------------------------------------------------------------------- */

/* Length without the argument list: a bracket at depth 0 that is neither Go's nor an anonymous
 * namespace. Closing brackets count whether or not one was open. */
static size_t without_arguments(kp_span name) {
    int depth = 0;
    size_t behind_dot = SIZE_MAX;
    for (size_t i = 0; i < name.size; i++) {
        switch (name.at[i]) {
            case '<': case '{': case '[': depth++; break;
            case '>': case '}': case ']': case ')': depth--; break;
            case '.': behind_dot = i + 1; break;
            case '(':
                if (!depth && behind_dot != i && !kp_starts((kp_span){name.at + i, name.size - i}, "(anonymous namespace)"))
                    return i;
                depth++;
                break;
            default: break;
        }
    }
    return name.size;
}

static int is_vmlinux(kp_span module) {
    const char *found = NULL;
    for (size_t i = 0; i < module.size; i++)
        if (kp_starts((kp_span){module.at + i, module.size - i}, "vmlinux")) found = module.at + i;
    if (!found) return 0;
    for (; found < module.at + module.size; found++)
        if (!kp_is_word(*found) && *found != '-' && *found != '.') return 0;
    return 1;
}

static int is_kernel(kp_span module) {
    return (kp_starts(module, "[") || kp_ends(module, ".ko") || is_vmlinux(module)) && !kp_equal(module, "[unknown]");
}

static int is_jit(kp_span module) {
    return (kp_starts(module, "/tmp/perf-") && kp_ends(module, ".map")) ||
           (kp_find(module, "/jitted-") && kp_ends(module, ".so"));
}

static const char *annotation(const kp_text *text, kp_span name, kp_span module, int inlined) {
    if (inlined) return kp_find(name, "_[i]") ? "" : "_[i]";
    if (text->options.annotate_kernel && is_kernel(module)) return "_[k]";
    if (text->options.annotate_jit && is_jit(module)) return kp_find(name, "_[j]") ? "" : "_[j]";
    return "";
}

static char *put(char *to, kp_span span) {
    memcpy(to, span.at, span.size);
    return to + span.size;
}

static char *put_name(const kp_text *text, kp_span part, const parts *line, char *to) {
    int module_known = !kp_equal(line->module, "[unknown]");
    int addresses = text->options.with_addresses;
    if (!kp_equal(part, "[unknown]") || (!module_known && !addresses)) return put(to, part);
    *to++ = '[';
    to = put(to, module_known ? kp_basename(line->module) : (kp_span){"unknown", 7});
    if (addresses) {
        to = put(put(to, (kp_span){" <", 2}), line->address);
        *to++ = '>';
    }
    *to++ = ']';
    return to;
}

static void add_part(kp_text *text, kp_span part, const parts *line, int java, int inlined) {
    char *out = kp_scratch(text, part.size + line->module.size + line->address.size + 16);
    if (!out) return;
    kp_span name = kp_between(out, put_name(text, part, line, out));
    for (size_t i = 0; i < name.size; i++)
        if (out[i] == ';') out[i] = ':';
    name.size = without_arguments(name);
    if (java && kp_starts(name, "L") && memchr(name.at, '/', name.size)) name.at++, name.size--;
    const char *mark = annotation(text, name, line->module, inlined);
    char *end = put(out + (name.at - out) + name.size, (kp_span){mark, strlen(mark)});
    kp_frame frame = {.name = kp_number(text, &text->names, kp_between(name.at, end)), .module = -1, .source = -1,
                      .kind = kp_equal(part, "[unknown]") ? KP_UNKNOWN : KP_USER};
    kp_add_line_frame(text, frame);
}

static int parse_frame(kp_text *text, kp_span line, uint32_t java) {
    parts found;
    if (!match_frame(line, &found)) return 0;
    kp_span name = strip_offset(found.name);
    if (kp_starts(name, "(")) return 1;
    char *fixed = NULL;
    if (has_rust_hash(name)) {
        fixed = malloc(name.size + 1);
        if (!fixed) {
            text->error = KP_NO_MEMORY;
            return 0;
        }
        name = (kp_span){fixed, fix_rust_name(name, fixed)};
    }
    const char *end = name.at + name.size, *at = end;
    while (at > name.at) {
        if (at - name.at >= 2 && at[-1] == '>' && at[-2] == '-') {
            add_part(text, kp_between(at, end), &found, (int)java, 1);
            end = at -= 2;
        } else {
            at--;
        }
    }
    add_part(text, kp_between(at, end), &found, (int)java, 0);
    free(fixed);
    return 1;
}

void kp_inferno_line(kp_text *text, kp_span line) {
    if (line.size && *line.at == '#') return;
    while (line.size && kp_is_space(line.at[line.size - 1])) line.size--;
    if (!line.size) {
        text->plain = 0;
        end_sample(text);
        return;
    }
    if (!text->sample.open) {
        text->plain = 0;
        read_header(text, line);
    } else if (text->sample.wanted) {
        push(text, line);
    }
}

void kp_inferno_end(kp_text *text) {
    if (text->depth) end_sample(text);
}

#include "folded.h"

#include <stdlib.h>
#include <string.h>

#include "chars.h"

enum { MOST_DIGITS = 1000 };

/* A frame of the line before: its node, and where the next frame's name begins. */
typedef struct {
    int32_t node;
    size_t end;
} step;

struct kp_folded {
    kp_strings names;
    kp_table table;
    int32_t *parent, *label;
    int64_t *weight;
    size_t count, parent_room, label_room, weight_room;
    char *rest, *before, *bad; /* an unfinished line, the last stack, the first line that could not be read */
    size_t rest_size, rest_room, before_size, before_room, bad_size;
    step *path;
    size_t depth, path_room;
    uint64_t lines, skipped, bad_number;
};

kp_folded *kp_folded_new(void) { return calloc(1, sizeof(kp_folded)); }

void kp_folded_free(kp_folded *folded) {
    if (!folded) return;
    kp_strings_free(&folded->names);
    kp_table_free(&folded->table);
    free(folded->parent);
    free(folded->label);
    free(folded->weight);
    free(folded->rest);
    free(folded->before);
    free(folded->bad);
    free(folded->path);
    free(folded);
}

/* Node for a name one frame above `parent`, new if need be; -2 when memory is out. */
static int32_t child(kp_folded *f, int32_t parent, kp_span name) {
    int64_t label = kp_strings_add(&f->names, name, 0, NULL);
    if (label < 0 || kp_table_ready(&f->table) || f->count >= INT32_MAX) return -2;
    uint64_t key = (uint64_t)(uint32_t)parent << 32 | (uint32_t)label, hash = kp_hash(&key, sizeof key, 5);
    size_t slot = kp_table_slot(&f->table, hash);
    for (; f->table.at[slot].value; slot = kp_table_next(&f->table, slot)) {
        uint32_t known = f->table.at[slot].value - 1;
        if (kp_table_may_be(&f->table, slot, hash) && f->parent[known] == parent && f->label[known] == label)
            return (int32_t)known;
    }
    if (KP_RESERVE(f->parent, f->parent_room, f->count, 1) || KP_RESERVE(f->label, f->label_room, f->count, 1) ||
        KP_RESERVE(f->weight, f->weight_room, f->count, 1))
        return -2;
    kp_table_put(&f->table, slot, hash, (uint32_t)f->count);
    f->parent[f->count] = parent;
    f->label[f->count] = (int32_t)label;
    f->weight[f->count] = 0;
    return (int32_t)f->count++;
}

/* How much of the start of two texts is the same. */
static size_t same_start(const char *one, const char *other, size_t most) {
    size_t at = 0;
    for (uint64_t a, b; at + 8 <= most; at += 8) {
        memcpy(&a, one + at, 8);
        memcpy(&b, other + at, 8);
        if (a != b) break;
    }
    while (at < most && one[at] == other[at]) at++;
    return at;
}

/* Neighbouring lines share most of their frames: only what differs is looked up. */
static kp_folded_status add(kp_folded *f, kp_span stack, int64_t weight) {
    size_t same = same_start(f->before, stack.at, f->before_size < stack.size ? f->before_size : stack.size);
    while (f->depth && f->path[f->depth - 1].end > same) f->depth--;
    size_t at = f->depth ? f->path[f->depth - 1].end : 0;
    int32_t node = f->depth ? f->path[f->depth - 1].node : -1;
    for (int more = 1; more;) {
        const char *semicolon = memchr(stack.at + at, ';', stack.size - at);
        size_t end = semicolon ? (size_t)(semicolon - stack.at) : stack.size;
        node = child(f, node, (kp_span){stack.at + at, end - at});
        if (node == -2 || KP_RESERVE(f->path, f->path_room, f->depth, 1)) return KP_FOLDED_NO_MEMORY;
        more = semicolon != NULL;
        at = end + 1;
        if (more) f->path[f->depth++] = (step){node, at};
    }
    if (__builtin_add_overflow(f->weight[node], weight, &f->weight[node])) return KP_FOLDED_OVERFLOW;
    if (KP_RESERVE(f->before, f->before_room, same, stack.size - same)) return KP_FOLDED_NO_MEMORY;
    if (stack.size > same) memcpy(f->before + same, stack.at + same, stack.size - same);
    f->before_size = stack.size;
    return KP_FOLDED_OK;
}

/* A whole number, maybe with `.` and zeros behind it; -1 if it is none, or larger than int64 holds. */
static int64_t whole_number(const char *at, const char *end) {
    int64_t number = 0;
    const char *digits = at;
    for (; at < end && kp_is_digit(*at); at++)
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, *at - '0', &number)) return -1;
    if (at == digits || at - digits >= MOST_DIGITS) return -1;
    if (at < end && *at == '.')
        for (at++; at < end && *at == '0';) at++;
    return at == end ? number : -1;
}

static kp_folded_status refuse(kp_folded *f, kp_span line) {
    if (f->skipped++) return KP_FOLDED_OK;
    f->bad_number = f->lines;
    f->bad = malloc(line.size + 1);
    if (!f->bad) return KP_FOLDED_NO_MEMORY;
    memcpy(f->bad, line.at, line.size);
    f->bad_size = line.size;
    return KP_FOLDED_OK;
}

static kp_folded_status read_line(kp_folded *f, kp_span line) {
    if (f->lines++ == 0 && kp_starts(line, "\xef\xbb\xbf")) line = (kp_span){line.at + 3, line.size - 3};
    if (line.size && *line.at == '#') return KP_FOLDED_OK;
    while (line.size && kp_is_space(line.at[line.size - 1])) line.size--;
    if (!line.size) return KP_FOLDED_OK;
    const char *end = line.at + line.size, *at = end;
    while (at > line.at && at[-1] != ' ' && at[-1] != '\t') at--;
    int64_t weight = at > line.at ? whole_number(at, end) : -1;
    return weight < 0 ? refuse(f, line) : add(f, kp_between(line.at, at - 1), weight);
}

static kp_folded_status keep_rest(kp_folded *f, const char *bytes, size_t size) {
    if (!size) return KP_FOLDED_OK;
    if (KP_RESERVE(f->rest, f->rest_room, f->rest_size, size)) return KP_FOLDED_NO_MEMORY;
    memcpy(f->rest + f->rest_size, bytes, size);
    f->rest_size += size;
    return KP_FOLDED_OK;
}

kp_folded_status kp_folded_feed(kp_folded *f, const char *bytes, size_t size, int last) {
    kp_folded_status status = KP_FOLDED_OK;
    const char *at = bytes, *end = bytes + size;
    while (status == KP_FOLDED_OK && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        if (!newline || f->rest_size) status = keep_rest(f, at, (size_t)(stop - at));
        if (status == KP_FOLDED_OK && newline) {
            kp_span line = f->rest_size ? (kp_span){f->rest, f->rest_size} : kp_between(at, stop);
            f->rest_size = 0;
            status = read_line(f, line);
        }
        at = stop + 1;
    }
    if (status == KP_FOLDED_OK && f->rest_size > KP_FOLDED_LONGEST_LINE) return KP_FOLDED_LINE_TOO_LONG;
    if (status == KP_FOLDED_OK && last && f->rest_size) status = read_line(f, (kp_span){f->rest, f->rest_size});
    return status;
}

const kp_strings *kp_folded_names(const kp_folded *folded) { return &folded->names; }

size_t kp_folded_stacks(const kp_folded *f, const int32_t **parent, const int32_t **label, const int64_t **weight) {
    *parent = f->parent;
    *label = f->label;
    *weight = f->weight;
    return f->count;
}

uint64_t kp_folded_skipped(const kp_folded *folded, uint64_t *number, kp_span *line) {
    *number = folded->bad_number;
    *line = (kp_span){folded->bad, folded->bad_size};
    return folded->skipped;
}

/* Drives the text reader alone, for sanitizers: every file in every dialect, whole and in pieces,
 * then with bytes changed and cut. Usage: drive_text ROUNDS FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fold.h"
#include "core/text.h"

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int32_t *column(size_t count) { return calloc(count + 1, sizeof(int32_t)); }

static void fold_all(kp_text *text) {
    const kp_strings *names = kp_text_names(text), *comms = kp_text_comms(text);
    size_t frames, rows, labels = names->count + comms->count, size, lines;
    const kp_frame *frame = kp_text_frames(text, &frames);
    const kp_row *row = kp_text_rows(text, &rows);
    kp_fold_input in = {.label_count = labels, .frame_count = frames, .row_count = rows};
    in.stack_count = kp_text_stacks(text, &in.parent, &in.frame);
    kp_span *spans = calloc(labels + 1, sizeof *spans);
    int32_t *of_frame = column(frames), *root = column(rows), *stack = column(rows);
    int64_t *weight = calloc(rows + 1, sizeof *weight);
    for (size_t i = 0; i < labels; i++)
        spans[i] = i < names->count ? names->items[i].text : comms->items[i - names->count].text;
    for (size_t i = 0; i < frames; i++) of_frame[i] = (int32_t)frame[i].name;
    for (size_t i = 0; i < rows; i++) {
        root[i] = row[i].comm + (int32_t)names->count;
        stack[i] = row[i].stack;
        weight[i] = row[i].weight;
    }
    in.labels = spans;
    in.frame_label = of_frame;
    in.row_root = root;
    in.row_stack = stack;
    in.row_weight = weight;
    char *out;
    if (kp_fold(&in, &out, &size, &lines) == KP_OK) free(out);
    free(spans);
    free(of_frame);
    free(root);
    free(stack);
    free(weight);
}

static void read_all(const char *bytes, size_t size, kp_dialect dialect, size_t piece, int flags) {
    kp_text_options options = {.dialect = dialect, .with_tid = flags & 1, .with_addresses = flags & 2,
                               .annotate_kernel = flags & 4, .annotate_jit = flags & 4,
                               .every_sample = flags & 8, .event = {"", 0}};
    kp_text *text = kp_text_new(&options);
    int status = KP_OK;
    for (size_t at = 0; at < size && status == KP_OK; at += piece) {
        size_t part = size - at < piece ? size - at : piece;
        memcpy(kp_text_room(text, part), bytes + at, part);
        status = kp_text_commit(text, part, 0);
    }
    if (status == KP_OK) {
        kp_text_room(text, 1);
        status = kp_text_commit(text, 0, 1);
    }
    if (status == KP_OK) fold_all(text);
    kp_text_free(text);
}

static void mutate(char *bytes, size_t *size) {
    static const char odd[] = "\n\n  \t()[]<>{};:/.-+0x#9a\r\0\xff";
    for (size_t i = 0, changes = 1 + draw() % 24; i < changes && *size; i++) {
        size_t at = draw() % *size;
        bytes[at] = draw() % 4 ? odd[draw() % sizeof odd] : (char)draw();
    }
    if (draw() % 3 == 0 && *size) *size = draw() % *size;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        size_t room = 1 << 22, whole = 0;
        char *bytes = malloc(room), *copy = malloc(room);
        whole = fread(bytes, 1, room, file);
        fclose(file);
        for (int round = 0; round <= rounds; round++) {
            size_t size = whole > 60000 && round ? 60000 : whole;
            memcpy(copy, bytes, size);
            if (round) mutate(copy, &size);
            size_t piece = round % 3 == 0 ? size + 1 : 1 + draw() % 5000;
            read_all(copy, size, (kp_dialect)(round % 3), piece, (int)(draw() % 16));
        }
        free(bytes);
        free(copy);
    }
    return 0;
}

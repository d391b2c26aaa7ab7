#include "fold.h"

#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "text.h"

/* A node of the tree in which equal labels below the same node are one. */
typedef struct {
    int32_t parent, label;
    int64_t weight;
    int32_t first_child, next; /* lists, then the order of printing; -1 ends */
    int ends;                  /* a stack ends here: it has a line even if its weight is 0 */
} node;

typedef struct {
    const kp_fold_input *in;
    node *nodes;
    size_t count, room;
    kp_table table;
    uint32_t *rank_end, *rank_more; /* order of "label" and of "label;" among all of both */
    char *path, *out;
    size_t path_room, out_size, out_room, lines;
} fold;

static int32_t child(fold *f, int32_t parent, int32_t label) {
    uint64_t key = (uint64_t)(uint32_t)parent << 32 | (uint32_t)label;
    uint64_t hash = kp_hash(&key, sizeof key, 3);
    if (kp_table_ready(&f->table) || KP_RESERVE(f->nodes, f->room, f->count, 1) || f->count >= INT32_MAX) return -2;
    size_t slot = kp_table_slot(&f->table, hash);
    for (; f->table.at[slot].value; slot = kp_table_next(&f->table, slot)) {
        if (!kp_table_may_be(&f->table, slot, hash)) continue;
        const node *known = &f->nodes[f->table.at[slot].value - 1];
        if (known->parent == parent && known->label == label) return (int32_t)f->table.at[slot].value - 1;
    }
    kp_table_put(&f->table, slot, hash, (uint32_t)f->count);
    f->nodes[f->count] = (node){parent, label, 0, -1, -1, 0};
    return (int32_t)f->count++;
}

/* -- building ---------------------------------------------------------------------------------- */

/* Where a stack went, below the root of this turn: to clear it for each of many roots would cost more. */
typedef struct {
    int32_t node, turn;
} placed;

static int32_t place_stack(fold *f, placed root, int32_t stack, placed *place, int32_t *pending) {
    const kp_fold_input *in = f->in;
    size_t waiting = 0;
    for (; stack >= 0 && place[stack].turn != root.turn; stack = in->parent[stack]) pending[waiting++] = stack;
    int32_t at = stack >= 0 ? place[stack].node : root.node;
    while (waiting && at != -2) {
        int32_t next = pending[--waiting];
        at = child(f, at, in->frame_label[in->frame[next]]);
        place[next] = (placed){at, root.turn};
    }
    return at;
}

typedef struct {
    int32_t root;
    size_t row;
} rooted;

static int by_root(const void *a, const void *b) {
    const rooted *x = a, *y = b;
    if (x->root != y->root) return x->root < y->root ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

static int add_rows(fold *f, const rooted *order, placed *place, int32_t *pending) {
    const kp_fold_input *in = f->in;
    placed root = {-1, 0};
    for (size_t i = 0; i < in->row_count; i++) {
        size_t row = order[i].row;
        root.node = -1;
        if (order[i].root >= 0 && (root.node = child(f, -1, order[i].root)) == -2) return KP_NO_MEMORY;
        root.turn += i == 0 || order[i - 1].root != order[i].root;
        int32_t at = place_stack(f, root, in->row_stack[row], place, pending);
        if (at == -2) return KP_NO_MEMORY;
        if (at < 0) continue;
        f->nodes[at].ends = 1;
        if (__builtin_add_overflow(f->nodes[at].weight, in->row_weight[row], &f->nodes[at].weight)) return KP_OVERFLOW;
    }
    return KP_OK;
}

static int build(fold *f) {
    size_t rows = f->in->row_count + 1, stacks = f->in->stack_count + 1;
    rooted *order = malloc(rows * sizeof *order);
    placed *place = calloc(stacks, sizeof *place);
    int32_t *pending = malloc(stacks * sizeof *pending);
    int status = order && place && pending ? KP_OK : KP_NO_MEMORY;
    if (status == KP_OK) {
        for (size_t i = 0; i + 1 < rows; i++) order[i] = (rooted){f->in->row_root[i], i};
        qsort(order, rows - 1, sizeof *order, by_root);
        status = add_rows(f, order, place, pending);
    }
    free(order);
    free(place);
    free(pending);
    return status;
}

/* -- order ----------------------------------------------------------------------------------------
 * The lines below a node come in the order of their bytes if its children are ordered as texts, a
 * child as the end of a line ("main") apart from the same child as a way on ("main;"). Ranking all
 * labels once makes that a comparison of two numbers. */

typedef struct {
    kp_span text;
    uint32_t label;
    int more;
} ranked;

static int compare_ranked(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    size_t shorter = x->text.size < y->text.size ? x->text.size : y->text.size;
    int difference = memcmp(x->text.at, y->text.at, shorter);
    if (difference) return difference;
    /* The longer one goes on with a character, the shorter one with ';' or not at all. */
    int xc = x->text.size > shorter ? (unsigned char)x->text.at[shorter] : x->more ? ';' : -1;
    int yc = y->text.size > shorter ? (unsigned char)y->text.at[shorter] : y->more ? ';' : -1;
    return xc - yc;
}

static int rank_labels(fold *f) {
    size_t labels = f->in->label_count;
    ranked *all = malloc((labels * 2 + 1) * sizeof *all);
    f->rank_end = malloc((labels + 1) * sizeof *f->rank_end);
    f->rank_more = malloc((labels + 1) * sizeof *f->rank_more);
    if (!all || !f->rank_end || !f->rank_more) {
        free(all);
        return KP_NO_MEMORY;
    }
    for (size_t i = 0; i < labels; i++) {
        all[2 * i] = (ranked){f->in->labels[i], (uint32_t)i, 0};
        all[2 * i + 1] = (ranked){f->in->labels[i], (uint32_t)i, 1};
    }
    qsort(all, labels * 2, sizeof *all, compare_ranked);
    for (size_t i = 0; i < labels * 2; i++) (all[i].more ? f->rank_more : f->rank_end)[all[i].label] = (uint32_t)i;
    free(all);
    return KP_OK;
}

/* -- printing ------------------------------------------------------------------------------------ */

/* An entry of the walk: a line to print, or a subtree to enter. */
typedef struct {
    int32_t node;
    uint32_t rank;
    size_t path; /* bytes of path above */
    int more;
} entry;

typedef struct {
    entry *items;
    size_t count, room;
} entries;

static int by_rank_descending(const void *a, const void *b) {
    uint32_t x = ((const entry *)a)->rank, y = ((const entry *)b)->rank;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Push the children of a list so that the first in order is popped first. */
static int push_children(fold *f, entries *stack, int32_t first, size_t path) {
    size_t start = stack->count;
    for (int32_t at = first; at >= 0; at = f->nodes[at].next) {
        if (KP_RESERVE(stack->items, stack->room, stack->count, 2)) return KP_NO_MEMORY;
        const node *n = &f->nodes[at];
        if (n->ends) stack->items[stack->count++] = (entry){at, f->rank_end[n->label], path, 0};
        if (n->first_child >= 0) stack->items[stack->count++] = (entry){at, f->rank_more[n->label], path, 1};
    }
    if (stack->count > start)
        qsort(stack->items + start, stack->count - start, sizeof *stack->items, by_rank_descending);
    return KP_OK;
}

static int print_line(fold *f, size_t path, int64_t weight) {
    char digits[24], *at = digits + sizeof digits;
    int negative = weight < 0;
    uint64_t rest = negative ? -(uint64_t)weight : (uint64_t)weight;
    *--at = '\n';
    do *--at = (char)('0' + rest % 10); while (rest /= 10);
    if (negative) *--at = '-';
    *--at = ' ';
    size_t number = (size_t)(digits + sizeof digits - at);
    if (KP_RESERVE(f->out, f->out_room, f->out_size, path + number)) return KP_NO_MEMORY;
    memcpy(f->out + f->out_size, f->path, path);
    memcpy(f->out + f->out_size + path, at, number);
    f->out_size += path + number;
    f->lines++;
    return KP_OK;
}

static int visit(fold *f, entries *stack, entry top) {
    const node *n = &f->nodes[top.node];
    kp_span label = f->in->labels[n->label];
    if (KP_RESERVE(f->path, f->path_room, top.path, label.size + 1)) return KP_NO_MEMORY;
    memcpy(f->path + top.path, label.at, label.size);
    size_t path = top.path + label.size;
    if (!top.more) return print_line(f, path, n->weight);
    f->path[path++] = ';';
    return push_children(f, stack, n->first_child, path);
}

static int print(fold *f) {
    int32_t roots = -1;
    for (size_t i = f->count; i-- > 0;) {
        int32_t *list = f->nodes[i].parent < 0 ? &roots : &f->nodes[f->nodes[i].parent].first_child;
        f->nodes[i].next = *list;
        *list = (int32_t)i;
    }
    entries stack = {0};
    int status = push_children(f, &stack, roots, 0);
    while (status == KP_OK && stack.count) {
        entry top = stack.items[--stack.count];
        status = visit(f, &stack, top);
    }
    free(stack.items);
    return status;
}

int kp_fold(const kp_fold_input *input, char **text, size_t *size, size_t *lines) {
    fold f = {.in = input};
    int status = build(&f);
    if (status == KP_OK) status = rank_labels(&f);
    if (status == KP_OK) status = print(&f);
    free(f.nodes);
    kp_table_free(&f.table);
    free(f.rank_end);
    free(f.rank_more);
    free(f.path);
    if (status != KP_OK) free(f.out);
    *text = status == KP_OK ? f.out : NULL;
    *size = f.out_size;
    *lines = f.lines;
    return status;
}

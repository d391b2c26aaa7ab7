/* Code that was compiled anew lies over older code. Symbols are cut into pieces so that at every address
 * only the one that was added last is left. */
#include <stdlib.h>

#include "symbols.h"

/* Rows in a heap, the largest (latest) on top. */
typedef struct {
    uint32_t *rows;
    size_t count;
} heap;

static void push(heap *h, uint32_t row) {
    size_t at = h->count++;
    for (; at && h->rows[(at - 1) / 2] < row; at = (at - 1) / 2) h->rows[at] = h->rows[(at - 1) / 2];
    h->rows[at] = row;
}

static void pop(heap *h) {
    uint32_t row = h->rows[--h->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && h->rows[child + 1] > h->rows[child]) child++;
        if (h->rows[child] <= row) break;
        h->rows[at] = h->rows[child];
    }
    h->rows[at] = row;
}

/* Give out what is visible from `at` to `until`. Returns 0, or -1 when memory is out. */
static int show(const kp_symbols *all, heap *h, kp_symbols *out, uint64_t at, uint64_t until) {
    while (h->count && at < until) {
        const kp_symbol *top = &all->items[h->rows[0]];
        if (top->end <= at) {
            pop(h);
            continue;
        }
        kp_symbol piece = *top;
        piece.start = at;
        piece.end = top->end < until ? top->end : until;
        at = piece.end;
        kp_symbol *last = out->count ? &out->items[out->count - 1] : NULL;
        if (last && last->end == piece.start && last->name == piece.name && last->source == piece.source)
            last->end = piece.end;
        else if (kp_symbols_add(out, &piece))
            return -1;
    }
    return 0;
}

typedef struct {
    uint64_t start;
    uint32_t row;
} by_start;

static int compare(const void *a, const void *b) {
    const by_start *one = a, *other = b;
    if (one->start != other->start) return one->start < other->start ? -1 : 1;
    return one->row < other->row ? -1 : one->row > other->row;
}

int kp_symbols_overlay(kp_symbols *symbols) {
    size_t count = symbols->count;
    by_start *order = malloc((count + 1) * sizeof *order);
    heap h = {malloc((count + 1) * sizeof *h.rows), 0};
    kp_symbols out = {0};
    int failed = !order || !h.rows;
    for (size_t i = 0; i < count && !failed; i++) order[i] = (by_start){symbols->items[i].start, (uint32_t)i};
    if (!failed && count) qsort(order, count, sizeof *order, compare);
    for (size_t i = 0; i < count && !failed; i++) {
        push(&h, order[i].row);
        /* Of those that begin together, only when all are known can one be shown. */
        uint64_t until = i + 1 < count ? order[i + 1].start : UINT64_MAX;
        failed = show(symbols, &h, &out, order[i].start, until);
    }
    free(order);
    free(h.rows);
    if (failed) {
        free(out.items);
        return -1;
    }
    free(symbols->items);
    symbols->items = out.items;
    symbols->count = out.count;
    symbols->room = out.room;
    return kp_symbols_sort(symbols);
}

/* Sorting, choosing and finding. */
#include <stdlib.h>
#include <string.h>

#include "symbols.h"

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, FEW = 64, PAGE = 4096, LOOK_BACK = 64, MOST_ALIASES = 64 };

typedef struct {
    uint64_t start;
    uint32_t row;
} sort_key;

int kp_symbols_add(kp_symbols *symbols, const kp_symbol *symbol) {
    if (symbols->count >= UINT32_MAX || KP_RESERVE(symbols->items, symbols->room, symbols->count, 1)) return -1;
    symbols->items[symbols->count++] = *symbol;
    return 0;
}

kp_span kp_symbols_name(const kp_symbols *symbols, const kp_symbol *symbol) {
    kp_span blob = symbols->blobs[symbol->source];
    if (symbol->name >= blob.size) return (kp_span){"", 0};
    size_t left = blob.size - symbol->name;
    size_t size = symbol->size == KP_NAME_Z ? strnlen(blob.at + symbol->name, left) : symbol->size;
    return (kp_span){blob.at + symbol->name, size < left ? size : left};
}

kp_span kp_symbols_module(const kp_symbols *symbols, const kp_symbol *symbol) {
    kp_span name = kp_symbols_name(symbols, symbol);
    return symbol->module ? (kp_span){name.at + name.size + 1, symbol->module} : (kp_span){"", 0};
}

static int is_sorted(const kp_symbols *symbols) {
    for (size_t i = 1; i < symbols->count; i++)
        if (symbols->items[i].start < symbols->items[i - 1].start) return 0;
    return 1;
}

/* One pass of a radix sort, stable. */
static void radix_pass(const sort_key *from, sort_key *to, size_t count, unsigned shift) {
    size_t at[RADIX] = {0};
    for (size_t i = 0; i < count; i++) at[(from[i].start >> shift) & (RADIX - 1)]++;
    for (size_t i = 0, sum = 0; i < RADIX; i++) {
        size_t here = at[i];
        at[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) to[at[(from[i].start >> shift) & (RADIX - 1)]++] = from[i];
}

static void insertion_sort(kp_symbols *symbols) {
    for (size_t i = 1; i < symbols->count; i++) {
        kp_symbol item = symbols->items[i];
        size_t j = i;
        for (; j && symbols->items[j - 1].start > item.start; j--) symbols->items[j] = symbols->items[j - 1];
        symbols->items[j] = item;
    }
}

static int radix_sort(kp_symbols *symbols) {
    size_t count = symbols->count;
    sort_key *keys = malloc(count * sizeof *keys), *other = malloc(count * sizeof *other);
    kp_symbol *sorted = malloc(count * sizeof *sorted);
    int failed = !keys || !other || !sorted;
    if (!failed) {
        uint64_t least = UINT64_MAX, most = 0;
        for (size_t i = 0; i < count; i++) {
            uint64_t start = symbols->items[i].start;
            least = start < least ? start : least;
            most = start > most ? start : most;
        }
        for (size_t i = 0; i < count; i++) keys[i] = (sort_key){symbols->items[i].start - least, (uint32_t)i};
        for (unsigned shift = 0; shift < 64 && (most - least) >> shift; shift += RADIX_BITS) {
            radix_pass(keys, other, count, shift);
            sort_key *swap = keys;
            keys = other;
            other = swap;
        }
        for (size_t i = 0; i < count; i++) sorted[i] = symbols->items[keys[i].row];
        kp_symbol *old = symbols->items;
        symbols->items = sorted;
        symbols->room = count;
        sorted = old;
    }
    free(keys);
    free(other);
    free(sorted);
    return failed ? -1 : 0;
}

static int sort_only(kp_symbols *symbols) {
    if (is_sorted(symbols)) return 0;
    if (symbols->count > FEW) return radix_sort(symbols);
    insertion_sort(symbols);
    return 0;
}

static int note_reach(kp_symbols *symbols) {
    free(symbols->reach);
    symbols->reach = malloc((symbols->count + 1) * sizeof *symbols->reach);
    if (!symbols->reach) return -1;
    uint64_t reach = 0;
    for (size_t i = 0; i < symbols->count; i++) {
        if (symbols->items[i].end > reach) reach = symbols->items[i].end;
        symbols->reach[i] = reach;
    }
    return 0;
}

int kp_symbols_sort(kp_symbols *symbols) { return sort_only(symbols) || note_reach(symbols) ? -1 : 0; }

static size_t underscores(kp_span name) {
    size_t i = 0;
    while (i < name.size && name.at[i] == '_') i++;
    return i;
}

/* Whether `b` is a better symbol than `a` for one address, as far as can be told without their names: 1 or 0,
 * -1 if not at all. A size is known, it is not weak, it is global. */
static int is_better_unnamed(const kp_symbol *a, const kp_symbol *b, kp_choice choice) {
    if ((a->type == KP_TYPE_STOP) != (b->type == KP_TYPE_STOP)) return a->type == KP_TYPE_STOP;
    if ((a->end > a->start) != (b->end > b->start)) return b->end > b->start;
    if (choice == KP_CHOOSE_RIGHT && (a->type == KP_TYPE_NONE) != (b->type == KP_TYPE_NONE))
        return a->type == KP_TYPE_NONE;
    if ((a->binding == KP_BIND_WEAK) != (b->binding == KP_BIND_WEAK)) return a->binding == KP_BIND_WEAK;
    if ((a->binding == KP_BIND_GLOBAL) != (b->binding == KP_BIND_GLOBAL)) return b->binding == KP_BIND_GLOBAL;
    return -1;
}

/* The same by their names: fewer underscores in front, then the longer one. The order is that of perf. */
static int is_better_name(const kp_symbols *symbols, const kp_symbol *a, const kp_symbol *b) {
    kp_span one = kp_symbols_name(symbols, a), other = kp_symbols_name(symbols, b);
    size_t lead = underscores(one), other_lead = underscores(other);
    if (lead != other_lead) return other_lead < lead;
    if (one.size != other.size) return other.size > one.size;
    /* Names of system calls that only the kernel's tracing uses. */
    return (one.size >= 3 && !memcmp(one.at, "SyS", 3)) || (one.size >= 10 && !memcmp(one.at, "compat_SyS", 10));
}

static uint64_t page_after(uint64_t address) {
    uint64_t up = (address + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    return up > UINT64_MAX - PAGE ? UINT64_MAX : up + PAGE;
}

static int same_module(const kp_symbols *symbols, const kp_symbol *a, const kp_symbol *b) {
    if (a->module != b->module) return 0;
    return !a->module ||
           !memcmp(kp_symbols_module(symbols, a).at, kp_symbols_module(symbols, b).at, a->module);
}

/* A symbol without a size ends where the next begins; the last of a module, within its page. */
static void end_as_perf(kp_symbols *symbols) {
    for (size_t i = 0; i < symbols->count; i++) {
        kp_symbol *symbol = &symbols->items[i];
        if (symbol->end != symbol->start) continue;
        if (i + 1 == symbols->count)
            symbol->end = page_after(symbol->start);
        else if (!symbol->module != !symbol[1].module)
            symbol->end = page_after(symbol->start);
        else
            symbol->end = symbol[1].start;
    }
}

/* Names are spread over the whole file, and reading them all would cost more than all else: where they
 * decide, all that remain are kept, and kp_symbols_find reads those that it hits. perf, whose ends depend on
 * what was dropped, decides here. */
static void keep_best(kp_symbols *symbols, kp_choice choice) {
    size_t kept = 0;
    for (size_t i = 0; i < symbols->count; i++) {
        kp_symbol *symbol = &symbols->items[i], *last = kept ? &symbols->items[kept - 1] : NULL;
        if (last && last->start == symbol->start) {
            int better = is_better_unnamed(last, symbol, choice);
            if (better < 0 && choice == KP_CHOOSE_PERF) better = is_better_name(symbols, last, symbol);
            if (better > 0) {
                while (kept && symbols->items[kept - 1].start == symbol->start) kept--;
                symbols->items[kept++] = *symbol;
            }
            if (better >= 0) continue;
        }
        symbols->items[kept++] = *symbol;
    }
    symbols->count = kept;
}

/* Labels within a function that has a size are not functions. */
static void drop_inner_labels(kp_symbols *symbols) {
    size_t kept = 0;
    uint64_t reach = 0;
    for (size_t i = 0; i < symbols->count; i++) {
        kp_symbol symbol = symbols->items[i];
        if (symbol.type == KP_TYPE_NONE && symbol.end == symbol.start && symbol.start < reach) continue;
        if (symbol.type != KP_TYPE_NONE && symbol.end > reach) reach = symbol.end;
        symbols->items[kept++] = symbol;
    }
    symbols->count = kept;
}

/* As perf, but a symbol does not reach beyond its module or section. */
static void end_right(kp_symbols *symbols) {
    size_t kept = 0, next = symbols->count; /* the first symbol that begins later */
    for (size_t i = symbols->count; i-- > 0;) {
        kp_symbol *symbol = &symbols->items[i];
        if (i + 1 < symbols->count && symbol[1].start != symbol->start) next = i + 1;
        if (symbol->end != symbol->start) continue;
        symbol->end = page_after(symbol->start);
        if (next == symbols->count) continue;
        const kp_symbol *later = &symbols->items[next];
        if (symbol->end > later->start || same_module(symbols, symbol, later)) symbol->end = later->start;
    }
    for (size_t i = 0; i < symbols->count; i++)
        if (symbols->items[i].type != KP_TYPE_STOP) symbols->items[kept++] = symbols->items[i];
    symbols->count = kept;
}

int kp_symbols_finish(kp_symbols *symbols, kp_choice choice) {
    if (sort_only(symbols)) return -1;
    if (choice == KP_CHOOSE_PERF) {
        end_as_perf(symbols);
        keep_best(symbols, choice);
    } else {
        keep_best(symbols, choice);
        symbols->aliases = 1;
        drop_inner_labels(symbols);
        end_right(symbols);
    }
    return note_reach(symbols);
}

/* Of several at one address, that with the best name. */
static size_t best_alias(const kp_symbols *symbols, size_t row) {
    size_t first = row, best;
    for (; first && row - first < MOST_ALIASES && symbols->items[first - 1].start == symbols->items[row].start;) first--;
    best = first;
    for (size_t i = first + 1; i <= row; i++)
        if (is_better_name(symbols, &symbols->items[best], &symbols->items[i])) best = i;
    return best;
}

int64_t kp_symbols_span(const kp_symbols *symbols, uint64_t address, uint64_t *start, uint64_t *end) {
    size_t low = 0, high = symbols->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->items[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    *start = low ? symbols->items[low - 1].start : 0;
    *end = low < symbols->count ? symbols->items[low].start : UINT64_MAX;
    for (size_t tries = LOOK_BACK; low && tries; low--, tries--) {
        if (symbols->reach[low - 1] <= address) {
            if (symbols->reach[low - 1] > *start) *start = symbols->reach[low - 1];
            break;
        }
        const kp_symbol *symbol = &symbols->items[low - 1];
        if (symbol->end > address) {
            if (symbol->end < *end) *end = symbol->end;
            return (int64_t)(symbols->aliases ? best_alias(symbols, low - 1) : low - 1);
        }
        if (symbol->end > *start) *start = symbol->end;
    }
    return -1;
}

void kp_symbols_find(const kp_symbols *symbols, const uint64_t *addresses, size_t count, int64_t *rows) {
    uint64_t start, end;
    for (size_t i = 0; i < count; i++) rows[i] = kp_symbols_span(symbols, addresses[i], &start, &end);
}

void kp_symbols_free(kp_symbols *symbols) {
    free(symbols->items);
    free(symbols->reach);
    *symbols = (kp_symbols){0};
}

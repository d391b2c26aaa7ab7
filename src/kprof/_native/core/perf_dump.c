/* Copies of stacks -> stacks: the kernel's part is a chain, the user's part is unwound. */
#include "perf_state.h"

enum { RECORDED_AS_32_BIT = 1, LINE = 64, LINES = 16 };

typedef struct {
    kp_perf *p;
    const kp_regions *regions;
} dump;

/* Call frame information of a mapping, asked for when it is needed first. */
static kp_cfi *cfi_of(kp_perf *p, int32_t mapping) {
    size_t have = p->cfi_count;
    if ((size_t)mapping >= have) {
        if (KP_RESERVE(p->cfi, p->cfi_room, have, p->mapping_count - have)) return NULL;
        for (size_t i = have; i < p->mapping_count; i++) p->cfi[i] = (kp_mapping_cfi){0};
        p->cfi_count = p->mapping_count;
    }
    kp_mapping_cfi *entry = &p->cfi[mapping];
    if (!entry->asked && p->options.load_cfi) {
        uint32_t kind = p->mappings[mapping].kind;
        entry->asked = 1;
        if (kind == KP_MAPPING_FILE || kind == KP_MAPPING_VDSO)
            entry->cfi = p->options.load_cfi(p->options.context, (uint32_t)mapping);
    }
    return entry->cfi;
}

static int find(void *context, uint64_t address, kp_unwind_map *map) {
    dump *d = context;
    const kp_region *region = kp_region_at(d->regions, address);
    if (!region) return -1;
    *map = (kp_unwind_map){region->start, region->end, region->offset, cfi_of(d->p, region->mapping)};
    return 0;
}

static int push_place(kp_perf *p, int32_t place) {
    if (place < 0) return -1;
    if (p->frame_count < KP_MAX_FRAMES)
        p->frames[p->frame_count++] = place;
    else
        p->cut = 1;
    return 0;
}

static int push_kernel(kp_perf *p, const kp_space *space, const kp_sample *s) {
    int inside = 0, innermost = 1;
    for (size_t i = 0; i < s->chain_length; i++) {
        uint64_t value = kp_word(p, s->chain + i * 8);
        if (value >= KP_CONTEXT_MAX) {
            inside = value == KP_CONTEXT_KERNEL;
            innermost = 1;
            continue;
        }
        if (!inside) continue;
        int is_return = !innermost && !p->options.compat;
        if (push_place(p, kp_place_of(p, space, value, KP_MODE_KERNEL, is_return))) return -1;
        innermost = 0;
    }
    return 0;
}

static void count_end(kp_perf *p, kp_unwind_end end) {
    p->counts.dumps++;
    if (end == KP_UNWIND_WHOLE) return;
    p->cut = 1;
    if (end == KP_UNWIND_OUT_OF_STACK)
        p->counts.cut_dumps++;
    else
        p->counts.broken_dumps++;
}

/* As perf with libunwind. Of the copy it does not read the last word, and a return address
 * that it cannot read is 0 (access_mem in tools/perf/util/unwind-libunwind-local.c), which it shows as a frame. */
static size_t unwind_as_perf(kp_perf *p, kp_unwind_input *input, kp_unwind_end *end) {
    size_t room = KP_PERF_SCRIPT_DEPTH; /* the kernel's frames do not count */
    input->as_libunwind = 1;
    input->stack_size--;
    size_t count = kp_unwind(p->unwinder, input, p->unwound, room, end);
    if (*end == KP_UNWIND_OUT_OF_STACK && count < room) p->unwound[count++] = (kp_unwind_frame){0, 1};
    return count;
}

void kp_fetch_dump(const kp_sample *s) {
    if (!s->stack_size) return;
    for (size_t i = 0; i < LINES; i++) __builtin_prefetch(s->registers + i * LINE);
}

/* Fill p->frames; perf, too, looks up what it unwinds in the call rather than behind it. */
int kp_push_dump(kp_perf *p, const kp_space *space, const kp_sample *s) {
    if (!p->unwinder && !(p->unwinder = kp_unwinder_new())) return -1;
    if (push_kernel(p, space, s)) return -1;
    dump d = {p, space->regions};
    kp_unwind_input input = {.machine = p->machine,
                             .swap = p->options.swap,
                             .registers_mask = p->events[s->event].registers,
                             .registers = s->registers,
                             .is_32bit = s->abi == RECORDED_AS_32_BIT,
                             .stack = s->stack,
                             .stack_size = s->stack_size,
                             .find = find,
                             .context = &d};
    kp_unwind_end end = KP_UNWIND_FULL;
    size_t count = p->options.compat ? unwind_as_perf(p, &input, &end)
                                     : kp_unwind(p->unwinder, &input, p->unwound, KP_MAX_FRAMES, &end);
    count_end(p, end);
    for (size_t i = 0; i < count; i++) {
        kp_unwind_frame frame = p->unwound[i];
        if (push_place(p, kp_place_of(p, space, frame.address, KP_MODE_USER, frame.is_return))) return -1;
    }
    return 0;
}

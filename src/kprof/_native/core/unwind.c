/* Walks a copy of a stack. */
#include "unwind.h"

#include <stdlib.h>

#include "unwind_state.h"

struct kp_unwinder {
    kp_walk walk;
};

kp_unwinder *kp_unwinder_new(void) { return calloc(1, sizeof(kp_unwinder)); }

void kp_unwinder_free(kp_unwinder *unwinder) { free(unwinder); }

/* Whether the pc of a caller is worth showing. One that is not mapped is, if the stack makes sense from there:
 * recordings lack mappings now and then. */
static int is_plausible(kp_walk *w) {
    if (w->is_exact || kp_is_mapped(w, w->pc - 1)) return 1;
    return kp_step_by_frame_pointer(w, 1) == KP_STEP_ON || kp_step_over_signal(w, 1) == KP_STEP_ON;
}

/* Frame pointers are followed in files that have rows, but none here (src/x86_64/Gstep.c of libunwind). */
static int step_as_libunwind(kp_walk *w, uint64_t looked_up) {
    const kp_cfi_row *row = kp_row_of(w, looked_up);
    if (row) return kp_step_by_row(w, row);
    int end = kp_is_mapped(w, looked_up) && w->map.cfi ? kp_step_by_frame_pointer(w, 0) : KP_STEP_NONE;
    return end == KP_STEP_NONE ? KP_UNWIND_NO_RULE : end;
}

static int step(kp_walk *w) {
    uint64_t looked_up = w->pc - !w->is_exact;
    if (w->in->as_libunwind) return step_as_libunwind(w, looked_up);
    if (w->is_exact && !kp_is_mapped(w, looked_up)) return kp_step_from_nowhere(w);
    const kp_cfi_row *row = kp_row_of(w, looked_up);
    /* The row that AArch64 had before Linux 5.8 loses the function that was interrupted. */
    if (!row || (row->flags & KP_CFI_SIGNAL && w->machine->link >= 0)) {
        int end = kp_step_over_signal(w, 0);
        if (end != KP_STEP_NONE) return end;
    }
    return row ? kp_step_by_row(w, row) : kp_step_without_row(w);
}

size_t kp_unwind(kp_unwinder *unwinder, const kp_unwind_input *input, kp_unwind_frame *frames, size_t room,
                 kp_unwind_end *end) {
    kp_walk *w = &unwinder->walk;
    size_t count = 0;
    int status = KP_UNWIND_NO_RULE;
    if (kp_walk_begin(w, input)) {
        *end = KP_UNWIND_NO_RULE;
        return 0;
    }
    for (;;) {
        if (count == room) {
            status = KP_UNWIND_FULL;
            break;
        }
        frames[count++] = (kp_unwind_frame){w->pc, (uint8_t)!w->is_exact};
        status = step(w);
        if (status != KP_STEP_ON) break;
        if (input->as_libunwind) continue;
        if (!w->pc && !w->is_exact) status = KP_UNWIND_WHOLE;
        else if (!is_plausible(w)) status = KP_UNWIND_BROKEN;
        if (status != KP_STEP_ON) break;
    }
    *end = (kp_unwind_end)status;
    return count;
}

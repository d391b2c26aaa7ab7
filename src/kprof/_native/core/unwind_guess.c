/* Steps for code without call frame information: what is JIT-compiled, written in assembler, or not code. */
#include <elf.h>

#include "unwind_state.h"

/* Addresses below are never mapped (vm.mmap_min_addr), and never code. */
enum { LOWEST_CODE = 4096 };

/* Frames of JIT-compiled code are small; farther away a frame pointer may be anything. */
enum { LONGEST_FRAME = 1 << 16 };

/* What a program may be given: the bytes are bounded by a quarter of the largest stack, _STK_LIM in
 * fs/exec.c of the Linux sources. */
enum { MOST_ARGUMENTS = 1 << 20, MOST_ARGUMENT_BYTES = 1 << 24 };

/* Whether something could return to this address; it loses its pointer authentication code, if it has one. */
static int could_return_to(kp_walk *w, uint64_t *address) {
    if (*address < LOWEST_CODE) return 0;
    if (kp_is_mapped(w, *address - 1)) return 1;
    uint64_t bare = kp_without_code(w, *address);
    if (bare == *address || bare < LOWEST_CODE || !kp_is_mapped(w, bare - 1)) return 0;
    *address = bare;
    return 1;
}

static void forget_all_but(kp_walk *w, uint64_t kept) { w->known &= kept; }

/* Both ABIs agree: the frame pointer points at that of the caller, and the return address is above it. Other
 * code may keep anything in that register, so that it must point into the copy, to what could be a frame. */
int kp_step_by_frame_pointer(kp_walk *w, int only_look) {
    const kp_machine *machine = w->machine;
    if (!kp_knows(w, machine->frame_pointer)) return KP_STEP_NONE;
    uint64_t at = w->registers[machine->frame_pointer], caller, address;
    if (at < w->floor || at % machine->width) return KP_STEP_NONE;
    if (kp_load(w, at, machine->width, &caller) || kp_load(w, at + machine->width, machine->width, &address))
        return KP_STEP_NONE;
    if (!caller && !address) return KP_UNWIND_WHOLE; /* both ABIs mark the outermost frame so */
    if (!could_return_to(w, &address)) return KP_STEP_NONE;
    if (only_look) return KP_STEP_ON;
    forget_all_but(w, 0);
    kp_put(w, machine->frame_pointer, caller);
    w->floor = at + 2 * machine->width;
    /* On AArch64 the pair lies anywhere in the frame, often at its lower end. */
    if (machine->link < 0) kp_put(w, machine->stack_pointer, w->floor);
    kp_step_to(w, address, 0);
    return KP_STEP_ON;
}

/* Whether the frame pointer is where the next frame would be if the copy were longer. */
static int leads_out(const kp_walk *w) {
    uint64_t at = w->registers[w->machine->frame_pointer], end = w->base + w->in->stack_size;
    if (!kp_knows(w, w->machine->frame_pointer) || at % w->machine->width) return 0;
    return at + 2 * w->machine->width > end && at - w->base < w->in->stack_size + LONGEST_FRAME;
}

/* Where the kernel starts a program there is no caller: the frame pointer is 0, and the stack pointer is at the
 * number of arguments and the pointers to them, which lie above (psABI x86-64, section 3.4.1). The entry of the
 * dynamic loader has no row that says so. */
static int is_entry(const kp_walk *w) {
    const kp_machine *machine = w->machine;
    uint64_t count, first;
    if (!kp_knows(w, machine->stack_pointer) || !kp_knows(w, machine->frame_pointer)) return 0;
    uint64_t at = w->registers[machine->stack_pointer];
    if (w->registers[machine->frame_pointer] || kp_load(w, at, machine->width, &count)) return 0;
    if (kp_load(w, at + machine->width, machine->width, &first)) return 0;
    return count - 1 < MOST_ARGUMENTS && first > at && first - at < MOST_ARGUMENT_BYTES;
}

static int return_by_link(kp_walk *w) {
    uint64_t address = w->registers[w->machine->link];
    if (!kp_knows(w, w->machine->link) || !could_return_to(w, &address)) return KP_STEP_NONE;
    kp_step_to(w, address, 0);
    return KP_STEP_ON;
}

/* The frame has nothing on the stack but the return address, or not even that. */
static int step_by_stack_pointer(kp_walk *w, int must_have_row) {
    const kp_machine *machine = w->machine;
    uint64_t address;
    if (machine->link >= 0) return return_by_link(w);
    if (!kp_knows(w, machine->stack_pointer)) return KP_STEP_NONE;
    uint64_t at = w->registers[machine->stack_pointer];
    if (kp_load(w, at, machine->width, &address) || !could_return_to(w, &address)) return KP_STEP_NONE;
    if (must_have_row && !kp_row_of(w, address - 1)) return KP_STEP_NONE;
    w->floor = at + machine->width;
    kp_put(w, machine->stack_pointer, w->floor);
    kp_step_to(w, address, 0);
    return KP_STEP_ON;
}

/* CPython's perf trampolines, since 3.12: "sub $8, %rsp; call *%rcx" (Python/asm_trampoline.S), with the frame pointer
 * left to the caller. The psABI has the stack aligned to 16 bytes before a call, so that in the smallest frame that
 * calls, the return address lies above one word. */
static int step_over_a_word(kp_walk *w) {
    const kp_machine *machine = w->machine;
    uint64_t address;
    if (machine->link >= 0 || machine->width != 8 || !kp_knows(w, machine->stack_pointer)) return KP_STEP_NONE;
    uint64_t at = w->registers[machine->stack_pointer] + machine->width;
    if (kp_load(w, at, machine->width, &address) || !could_return_to(w, &address)) return KP_STEP_NONE;
    if (!kp_row_of(w, address - 1)) return KP_STEP_NONE;
    w->floor = at + machine->width;
    kp_put(w, machine->stack_pointer, w->floor);
    kp_step_to(w, address, 0);
    return KP_STEP_ON;
}

/* Nothing is mapped at pc: a call through a bad pointer. It pushed the return address, or linked it. */
int kp_step_from_nowhere(kp_walk *w) {
    int end = step_by_stack_pointer(w, 0);
    return end == KP_STEP_NONE ? KP_UNWIND_BROKEN : end;
}

/* Assembler within a file is mostly small functions that push nothing, and stubs for calls to other files;
 * compilers that run with the program mostly keep frame pointers. */
int kp_step_without_row(kp_walk *w) {
    int is_assembler = kp_is_mapped(w, w->pc - !w->is_exact) && w->map.cfi != NULL;
    int end = is_entry(w) ? KP_UNWIND_WHOLE : KP_STEP_NONE;
    if (end == KP_STEP_NONE && w->is_exact && is_assembler && w->machine->link < 0) end = step_by_stack_pointer(w, 1);
    if (end == KP_STEP_NONE) end = kp_step_by_frame_pointer(w, 0);
    if (end == KP_STEP_NONE) end = w->is_exact ? step_by_stack_pointer(w, 1) : step_over_a_word(w);
    if (end == KP_STEP_NONE) end = leads_out(w) ? KP_UNWIND_OUT_OF_STACK : KP_UNWIND_NO_RULE;
    return end;
}

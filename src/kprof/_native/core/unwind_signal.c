/* Frames that the kernel made for a signal handler, by their shape, where no row describes them: those of musl,
 * and of AArch64 since Linux 5.8. They hold all registers of the function that was interrupted. */
#include <elf.h>

#include "unwind_state.h"

/* struct rt_sigframe in arch/arm64/kernel/signal.c; struct sigcontext, of which the last are the stack pointer
 * and the program counter, in arch/arm64/include/uapi/asm/sigcontext.h. */
enum { ARM_REGISTERS = 128 + 176 + 8, ARM_COUNT = 33, ARM_FRAME_POINTER = 29 };

/* struct ucontext in arch/x86/include/uapi/asm/ucontext.h, struct sigcontext_64 in sigcontext.h beside it. The
 * word of segments is that of every 64-bit program: GDT_ENTRY_DEFAULT_USER_CS and _DS in asm/segment.h. */
enum { X86_REGISTERS = 40, X86_COUNT = 17, X86_SEGMENTS = 40 + 18 * 8 };
#define X86_USER_SEGMENTS UINT64_C(0x002b000000000033)
static const uint8_t X86_ORDER[X86_COUNT] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};

static int load_all(const kp_walk *w, uint64_t at, uint64_t *values, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (kp_load(w, at + i * 8, 8, &values[i])) return -1;
    return 0;
}

/* The frame pointer points at a pair that repeats two of the registers which are saved below it. */
static int read_arm(const kp_walk *w, uint64_t at, uint64_t *saved) {
    uint64_t pair[2], record = w->registers[w->machine->frame_pointer];
    if (!kp_knows(w, w->machine->frame_pointer) || record < at) return -1;
    if (load_all(w, at + ARM_REGISTERS, saved, ARM_COUNT) || load_all(w, record, pair, 2)) return -1;
    return memcmp(pair, saved + ARM_FRAME_POINTER, sizeof pair) ? -1 : 0;
}

static int read_x86(const kp_walk *w, uint64_t at, uint64_t *saved) {
    uint64_t segments, values[X86_COUNT];
    if (kp_load(w, at + X86_SEGMENTS, 8, &segments) || segments != X86_USER_SEGMENTS) return -1;
    if (load_all(w, at + X86_REGISTERS, values, X86_COUNT)) return -1;
    for (unsigned i = 0; i < X86_COUNT; i++) saved[X86_ORDER[i]] = values[i];
    return 0;
}

int kp_step_over_signal(kp_walk *w, int only_look) {
    const kp_machine *machine = w->machine;
    uint64_t saved[KP_CFI_REGISTERS], at = w->registers[machine->stack_pointer];
    if (w->is_exact || !kp_knows(w, machine->stack_pointer)) return KP_STEP_NONE;
    unsigned count = machine->machine == EM_AARCH64 ? ARM_COUNT : X86_COUNT;
    if (machine->machine == EM_386 || (count == ARM_COUNT ? read_arm : read_x86)(w, at, saved)) return KP_STEP_NONE;
    if (only_look) return KP_STEP_ON;
    for (unsigned i = 0; i < count; i++) kp_put(w, (int)i, saved[i]);
    kp_step_to(w, saved[machine->counter], 1);
    w->floor = saved[machine->stack_pointer];
    return KP_STEP_ON;
}

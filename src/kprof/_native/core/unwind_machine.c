/* Registers of the instruction sets: their order in a sample, and their DWARF numbers.
 *
 * Samples: arch/x86/include/uapi/asm/perf_regs.h and arch/arm64/include/uapi/asm/perf_regs.h in the Linux
 * sources. DWARF: psABI x86-64 figure 3.36, psABI i386 table 2.14, aadwarf64 section 4.1. */
#include <elf.h>

#include "unwind_state.h"

static const int8_t X86_64[] = {0,  3,  2,  1,  4,  5, 6, 7, 16, -1, -1, -1,
                                -1, -1, -1, -1, 8, 9, 10, 11, 12, 13, 14, 15};
static const int8_t I386[] = {0, 3, 1, 2, 6, 7, 5, 4, 8};
static const int8_t AARCH64[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static const kp_machine MACHINES[] = {
    {EM_X86_64, 8, 7, 6, 16, -1, sizeof X86_64, X86_64},
    {EM_386, 4, 4, 5, 8, -1, sizeof I386, I386},
    {EM_AARCH64, 8, 31, 29, 32, 30, sizeof AARCH64, AARCH64},
};

const kp_machine *kp_machine_of(int machine, int is_32bit) {
    if (is_32bit) machine = machine == EM_X86_64 || machine == EM_386 ? EM_386 : EM_NONE;
    for (size_t i = 0; i < sizeof MACHINES / sizeof *MACHINES; i++)
        if (MACHINES[i].machine == machine) return &MACHINES[i];
    return 0;
}

/* Take the registers of a sample: 0, or -1 if they are not enough to begin with. */
int kp_walk_begin(kp_walk *w, const kp_unwind_input *in) {
    memset(w, 0, sizeof *w);
    w->in = in;
    w->machine = kp_machine_of(in->machine, in->is_32bit);
    if (!w->machine) return -1;
    kp_cursor c = kp_cursor_of(in->registers, (size_t)__builtin_popcountll(in->registers_mask) * 8, in->swap);
    for (uint64_t left = in->registers_mask; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t value = kp_u64(&c);
        if (i < w->machine->perf_count && w->machine->of_perf[i] >= 0) kp_put(w, w->machine->of_perf[i], value);
    }
    if (!kp_knows(w, w->machine->counter) || !kp_knows(w, w->machine->stack_pointer)) return -1;
    w->pc = w->registers[w->machine->counter];
    w->base = w->floor = w->registers[w->machine->stack_pointer];
    w->is_exact = 1;
    return 0;
}

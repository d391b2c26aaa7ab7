/* What the parts of the unwinder share. */
#ifndef KP_UNWIND_STATE_H
#define KP_UNWIND_STATE_H

#include "cfi_row.h"
#include "unwind.h"

/* Registers of an instruction set, by their DWARF numbers; -1 where it has none. */
typedef struct {
    int machine; /* EM_ number of the files that hold such code */
    unsigned width;
    int stack_pointer, frame_pointer, counter, link;
    size_t perf_count;
    const int8_t *of_perf; /* number of each bit of the mask */
} kp_machine;

/* The frame at hand: the values that registers had in it. */
typedef struct {
    const kp_unwind_input *in;
    const kp_machine *machine;
    uint64_t registers[KP_CFI_REGISTERS], known; /* and a bit for each whose value is known */
    uint64_t pc;
    int is_exact;      /* pc is an instruction that was about to run, not one that a call returns to */
    uint64_t base;     /* address of the first byte of the copy */
    uint64_t floor;    /* the frame at hand ends nowhere below */
    int left_a_signal; /* a signal frame was left: stacks may have changed */
    kp_unwind_map map; /* the one looked at last, if has_map */
    int has_map;
    int steps; /* of expressions, in this frame */
} kp_walk;

/* How a step ends: in a kp_unwind_end, or in the frame of the caller. */
enum { KP_STEP_ON = -1, KP_STEP_NONE = -2 };

/* Expressions may loop. All those of a frame take some dozens of steps in real files. */
enum { KP_MOST_STEPS = 500 };

static inline uint64_t kp_bit(unsigned number) { return (uint64_t)1 << number; }
static inline uint64_t kp_cut(const kp_walk *w, uint64_t value) {
    return w->machine->width == 4 ? (uint32_t)value : value;
}
static inline int kp_knows(const kp_walk *w, int number) { return number >= 0 && (w->known & kp_bit((unsigned)number)); }
static inline void kp_put(kp_walk *w, int number, uint64_t value) {
    w->registers[number] = kp_cut(w, value);
    w->known |= kp_bit((unsigned)number);
}
static inline void kp_step_to(kp_walk *w, uint64_t pc, int is_exact) {
    w->pc = kp_cut(w, pc);
    kp_put(w, w->machine->counter, w->pc);
    w->is_exact = is_exact;
    w->left_a_signal |= is_exact;
}

/* unwind_machine.c */
const kp_machine *kp_machine_of(int machine, int is_32bit);
int kp_walk_begin(kp_walk *w, const kp_unwind_input *in);

/* unwind_memory.c */
typedef enum { KP_LOADED, KP_ABOVE, KP_BELOW } kp_load_status;
kp_load_status kp_load(const kp_walk *w, uint64_t address, unsigned width, uint64_t *value);
int kp_is_mapped(kp_walk *w, uint64_t address);
const kp_cfi_row *kp_row_of(kp_walk *w, uint64_t address);
uint64_t kp_without_code(const kp_walk *w, uint64_t address);

/* unwind_expression.c: the value of an expression; 0, or -1. `cfa` (may be NULL) is pushed first. */
int kp_evaluate(kp_walk *w, kp_cursor c, const uint64_t *cfa, uint64_t *value);

/* unwind_step.c, unwind_guess.c, unwind_signal.c: to the caller's frame, or why not. */
int kp_step_by_row(kp_walk *w, const kp_cfi_row *row);
int kp_step_by_frame_pointer(kp_walk *w, int only_look);
int kp_step_without_row(kp_walk *w);
int kp_step_from_nowhere(kp_walk *w);
int kp_step_over_signal(kp_walk *w, int only_look);

#endif

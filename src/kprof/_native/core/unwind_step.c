/* From a frame to that of its caller, by a row of call frame information. */
#include "unwind_state.h"

typedef struct {
    uint64_t value;
    kp_load_status status;
    int is_kept, is_known;
} restored;

/* The CFA where the stack pointer is lost but the frame pointer is not, as after a step by frame pointers on
 * AArch64: there it points at the pair of it and the link register that the function saved (AAPCS64, 6.4.6). */
static int cfa_by_frame_record(const kp_walk *w, const kp_cfi_row *row, uint64_t *cfa) {
    const kp_machine *machine = w->machine;
    const kp_cfi_rule *pointer = NULL, *link = NULL;
    if (machine->link < 0 || row->cfa_register != machine->stack_pointer || !kp_knows(w, machine->frame_pointer))
        return -1;
    for (size_t i = 0; i < row->count; i++) {
        if (row->rules[i].how != KP_CFI_OFFSET) continue;
        if (row->rules[i].number == machine->frame_pointer) pointer = &row->rules[i];
        if (row->rules[i].number == machine->link) link = &row->rules[i];
    }
    if (!pointer || !link || (int64_t)link->value - pointer->value != machine->width) return -1;
    *cfa = w->registers[machine->frame_pointer] - (uint64_t)(int64_t)pointer->value;
    return 0;
}

static int find_cfa(kp_walk *w, const kp_cfi_row *row, uint64_t *cfa) {
    if (row->cfa_how == KP_CFI_EXPRESSION) {
        if (kp_evaluate(w, kp_cfi_expression(w->map.cfi, row, row->cfa_value), NULL, cfa)) return -1;
    } else if (row->cfa_how != KP_CFI_REGISTER) {
        return -1;
    } else if (kp_knows(w, row->cfa_register)) {
        *cfa = w->registers[row->cfa_register] + (uint64_t)(int64_t)row->cfa_value;
    } else if (cfa_by_frame_record(w, row, cfa)) {
        return -1;
    }
    *cfa = kp_cut(w, *cfa);
    return 0;
}

static restored load(const kp_walk *w, uint64_t address) {
    restored r = {0, KP_ABOVE, 0, 0};
    r.status = kp_load(w, address, w->machine->width, &r.value);
    r.is_known = r.status == KP_LOADED;
    /* Below the stack pointer: it was popped already, and so is in its register. */
    r.is_kept = r.status == KP_BELOW;
    return r;
}

static restored apply(kp_walk *w, const kp_cfi_row *row, const kp_cfi_rule *rule, uint64_t cfa) {
    restored r = {0, KP_LOADED, 0, 1};
    uint64_t beside = cfa + (uint64_t)(int64_t)rule->value;
    switch (rule->how) {
    case KP_CFI_OFFSET: return load(w, beside);
    case KP_CFI_VALUE_OFFSET: r.value = beside; return r;
    case KP_CFI_REGISTER:
        r.value = w->registers[rule->value];
        r.is_known = kp_knows(w, rule->value);
        return r;
    case KP_CFI_EXPRESSION:
    case KP_CFI_VALUE_EXPRESSION:
        r.is_known = !kp_evaluate(w, kp_cfi_expression(w->map.cfi, row, rule->value), &cfa, &r.value);
        return r.is_known && rule->how == KP_CFI_EXPRESSION ? load(w, r.value) : r;
    default: r.is_known = 0; return r;
    }
}

/* All rules are about the registers of the frame that is left, so none is changed before all are known. */
static void restore_all(kp_walk *w, const kp_cfi_row *row, const restored *values, uint64_t cfa) {
    kp_put(w, w->machine->stack_pointer, cfa);
    for (size_t i = 0; i < row->count; i++) {
        if (values[i].is_kept) continue;
        if (values[i].is_known)
            kp_put(w, row->rules[i].number, values[i].value);
        else
            w->known &= ~kp_bit(row->rules[i].number);
    }
}

/* Whether a frame may end at this CFA: stacks grow downwards, and only a function that has not yet touched
 * the stack, where calls do not touch it either, ends where it begins. */
static int is_above(const kp_walk *w, uint64_t cfa) {
    return cfa > w->floor || (cfa == w->floor && w->machine->link >= 0 && w->is_exact);
}

/* A return address that is still in its register, which is so only before a function's first call. */
static int return_in_register(const kp_walk *w, const kp_cfi_row *row, uint64_t *address) {
    if (!w->is_exact || row->return_register != w->machine->link || !kp_knows(w, w->machine->link))
        return KP_UNWIND_BROKEN;
    *address = w->registers[w->machine->link];
    return KP_STEP_ON;
}

static int find_return(const kp_walk *w, const kp_cfi_row *row, const restored *values, uint64_t *address) {
    size_t i = 0;
    while (i < row->count && row->rules[i].number != row->return_register) i++;
    if (i == row->count) return return_in_register(w, row, address);
    if (values[i].status == KP_ABOVE) return KP_UNWIND_OUT_OF_STACK;
    if (values[i].is_kept) return w->left_a_signal ? KP_UNWIND_OUT_OF_STACK : return_in_register(w, row, address);
    *address = values[i].value;
    return values[i].is_known ? KP_STEP_ON : KP_UNWIND_BROKEN;
}

/* The outermost function has a return address that is undefined, and sometimes no CFA. */
static int is_outermost(const kp_cfi_row *row) {
    for (size_t i = 0; i < row->count; i++)
        if (row->rules[i].number == row->return_register) return row->rules[i].how == KP_CFI_UNDEFINED;
    return 0;
}

int kp_step_by_row(kp_walk *w, const kp_cfi_row *row) {
    uint64_t cfa, address = 0;
    restored values[KP_CFI_REGISTERS];
    int is_signal = (row->flags & KP_CFI_SIGNAL) != 0;
    if (is_outermost(row)) return KP_UNWIND_WHOLE;
    w->steps = 0;
    if (find_cfa(w, row, &cfa)) return KP_UNWIND_NO_RULE;
    for (size_t i = 0; i < row->count; i++) values[i] = apply(w, row, &row->rules[i], cfa);
    int end = find_return(w, row, values, &address);
    if (end != KP_STEP_ON) return end;
    if (!is_signal && !is_above(w, cfa)) return KP_UNWIND_BROKEN;
    restore_all(w, row, values, cfa);
    kp_step_to(w, row->flags & KP_CFI_SIGNED ? kp_without_code(w, address) : address, is_signal);
    if (w->machine->link >= 0 && !is_signal) kp_put(w, w->machine->link, w->pc);
    w->floor = w->registers[w->machine->stack_pointer];
    return KP_STEP_ON;
}

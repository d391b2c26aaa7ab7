/* Instructions of call frame information, run up to one address (DWARF 5 section 6.4.2). */
#include "cfi_state.h"

/* DWARF 5 section 7.24; what lies above 0x1c are extensions of vendors, as binutils' dwarf2.def lists them. */
enum {
    CFA_ADVANCE_LOC = 0x40, /* these three hold an operand in their low bits */
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
    CFA_OPERAND = 0x3f,
    CFA_NOP = 0x00,
    CFA_SET_LOC = 0x01,
    CFA_ADVANCE_LOC1 = 0x02,
    CFA_ADVANCE_LOC2 = 0x03,
    CFA_ADVANCE_LOC4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER_STATE = 0x0a,
    CFA_RESTORE_STATE = 0x0b,
    CFA_DEF_CFA = 0x0c,
    CFA_DEF_CFA_REGISTER = 0x0d,
    CFA_DEF_CFA_OFFSET = 0x0e,
    CFA_DEF_CFA_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_EXTENDED_SF = 0x11,
    CFA_DEF_CFA_SF = 0x12,
    CFA_DEF_CFA_OFFSET_SF = 0x13,
    CFA_VAL_OFFSET = 0x14,
    CFA_VAL_OFFSET_SF = 0x15,
    CFA_VAL_EXPRESSION = 0x16,
    CFA_MIPS_ADVANCE_LOC8 = 0x1d,
    CFA_AARCH64_NEGATE_RA_STATE_WITH_PC = 0x2c,
    CFA_AARCH64_NEGATE_RA_STATE = 0x2d,
    CFA_GNU_ARGS_SIZE = 0x2e,
    CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f
};

/* Compilers nest remembered states once or twice. Programs have some dozens of instructions, the longest real
 * ones some ten thousand; a file may not keep us busy with such for every sample. */
enum { MOST_REMEMBERED = 32, MOST_INSTRUCTIONS = 1 << 17, FEW_INSTRUCTIONS = 1 << 12, MOST_PATIENCE = 1 << 26 };

typedef struct {
    kp_cfi_rule rules[KP_CFI_REGISTERS];
    int64_t cfa_offset;
    int32_t cfa_expression;
    uint8_t cfa_how, is_signed;
    uint64_t cfa_register;
} rows_state;

typedef struct {
    const kp_cfi_fde *fde;
    kp_cursor c;
    rows_state now, initial;
    rows_state remembered[MOST_REMEMBERED];
    size_t depth, done, most;
    uint64_t at, wanted;
    int is_over; /* the row that follows is behind the address */
} run;

static int advance(run *r, uint64_t by) {
    uint64_t next = r->at + by * r->fde->cie.code_factor;
    if (next > r->wanted || next < r->at) r->is_over = 1;
    r->at = next;
    return 0;
}

static int set_rule(run *r, uint64_t number, kp_cfi_how how, int64_t value) {
    if (number >= KP_CFI_REGISTERS) return 0; /* none that matters here, such as a vector register */
    if (value != (int32_t)value) return -1;
    r->now.rules[number] = (kp_cfi_rule){(int32_t)value, (uint8_t)how, (uint8_t)number};
    return 0;
}

static int64_t scaled(const run *r, uint64_t value) { return (int64_t)(value * (uint64_t)r->fde->cie.data_factor); }

static void restore(run *r, uint64_t number) {
    if (number < KP_CFI_REGISTERS) r->now.rules[number] = r->initial.rules[number];
}

/* Skip an expression; gives where its length is in the section. */
static int64_t expression(run *r) {
    int64_t offset = r->c.at - r->fde->section->at;
    kp_skip(&r->c, kp_uleb(&r->c));
    return offset;
}

static int run_location(run *r, uint8_t code) {
    uint64_t address;
    switch (code) {
    case CFA_ADVANCE_LOC1: return advance(r, kp_u8(&r->c));
    case CFA_ADVANCE_LOC2: return advance(r, kp_u16(&r->c));
    case CFA_ADVANCE_LOC4: return advance(r, kp_u32(&r->c));
    case CFA_MIPS_ADVANCE_LOC8: return advance(r, kp_u64(&r->c));
    default:
        kp_skip(&r->c, r->fde->cie.segment_width);
        if (kp_cfi_pointer(&r->c, r->fde->section, r->fde->cie.encoding, r->fde->cie.width, &address)) return -1;
        r->is_over = address > r->wanted;
        r->at = address;
        return 0;
    }
}

static int set_cfa(run *r, uint64_t number, int64_t offset) {
    r->now.cfa_how = KP_CFI_REGISTER;
    r->now.cfa_register = number;
    r->now.cfa_offset = offset;
    return 0;
}

static int run_cfa(run *r, uint8_t code) {
    rows_state *now = &r->now;
    uint64_t number = code == CFA_DEF_CFA || code == CFA_DEF_CFA_SF ? kp_uleb(&r->c) : now->cfa_register;
    switch (code) {
    case CFA_DEF_CFA:
    case CFA_DEF_CFA_OFFSET: return set_cfa(r, number, (int64_t)kp_uleb(&r->c));
    case CFA_DEF_CFA_SF:
    case CFA_DEF_CFA_OFFSET_SF: return set_cfa(r, number, scaled(r, (uint64_t)kp_sleb(&r->c)));
    case CFA_DEF_CFA_REGISTER: return set_cfa(r, kp_uleb(&r->c), now->cfa_offset);
    default:
        now->cfa_how = KP_CFI_EXPRESSION;
        now->cfa_expression = (int32_t)expression(r);
        return 0;
    }
}

static int run_register(run *r, uint8_t code) {
    uint64_t number = kp_uleb(&r->c);
    switch (code) {
    case CFA_OFFSET_EXTENDED: return set_rule(r, number, KP_CFI_OFFSET, scaled(r, kp_uleb(&r->c)));
    case CFA_OFFSET_EXTENDED_SF:
        return set_rule(r, number, KP_CFI_OFFSET, scaled(r, (uint64_t)kp_sleb(&r->c)));
    case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
        return set_rule(r, number, KP_CFI_OFFSET, scaled(r, -kp_uleb(&r->c)));
    case CFA_VAL_OFFSET: return set_rule(r, number, KP_CFI_VALUE_OFFSET, scaled(r, kp_uleb(&r->c)));
    case CFA_VAL_OFFSET_SF:
        return set_rule(r, number, KP_CFI_VALUE_OFFSET, scaled(r, (uint64_t)kp_sleb(&r->c)));
    case CFA_REGISTER: {
        uint64_t other = kp_uleb(&r->c);
        return other < KP_CFI_REGISTERS ? set_rule(r, number, KP_CFI_REGISTER, (int64_t)other)
                                        : set_rule(r, number, KP_CFI_UNDEFINED, 0);
    }
    case CFA_EXPRESSION: return set_rule(r, number, KP_CFI_EXPRESSION, expression(r));
    case CFA_VAL_EXPRESSION: return set_rule(r, number, KP_CFI_VALUE_EXPRESSION, expression(r));
    case CFA_UNDEFINED: return set_rule(r, number, KP_CFI_UNDEFINED, 0);
    case CFA_SAME_VALUE: return set_rule(r, number, KP_CFI_SAME, 0);
    default: restore(r, number); return 0;
    }
}

static int run_state(run *r, uint8_t code) {
    if (code == CFA_REMEMBER_STATE) {
        if (r->depth == MOST_REMEMBERED) return -1;
        r->remembered[r->depth++] = r->now;
        return 0;
    }
    if (!r->depth) return -1;
    r->now = r->remembered[--r->depth];
    return 0;
}

static int run_extended(run *r, uint8_t code) {
    switch (code) {
    case CFA_NOP: return 0;
    case CFA_GNU_ARGS_SIZE: (void)kp_uleb(&r->c); return 0;
    case CFA_AARCH64_NEGATE_RA_STATE:
    case CFA_AARCH64_NEGATE_RA_STATE_WITH_PC: r->now.is_signed ^= 1; return 0;
    case CFA_SET_LOC:
    case CFA_ADVANCE_LOC1:
    case CFA_ADVANCE_LOC2:
    case CFA_ADVANCE_LOC4:
    case CFA_MIPS_ADVANCE_LOC8: return run_location(r, code);
    case CFA_REMEMBER_STATE:
    case CFA_RESTORE_STATE: return run_state(r, code);
    case CFA_DEF_CFA:
    case CFA_DEF_CFA_REGISTER:
    case CFA_DEF_CFA_OFFSET:
    case CFA_DEF_CFA_EXPRESSION:
    case CFA_DEF_CFA_SF:
    case CFA_DEF_CFA_OFFSET_SF: return run_cfa(r, code);
    default:
        if (code > CFA_VAL_EXPRESSION && code != CFA_GNU_NEGATIVE_OFFSET_EXTENDED) return -1;
        return run_register(r, code);
    }
}

static int run_program(run *r, kp_cursor program) {
    r->c = program;
    while (kp_left(&r->c) && !r->is_over) {
        if (++r->done > r->most) return -1;
        uint8_t code = kp_u8(&r->c), operand = code & CFA_OPERAND;
        int status = 0;
        switch (code & ~CFA_OPERAND) {
        case CFA_ADVANCE_LOC: status = advance(r, operand); break;
        case CFA_OFFSET: status = set_rule(r, operand, KP_CFI_OFFSET, scaled(r, kp_uleb(&r->c))); break;
        case CFA_RESTORE: restore(r, operand); break;
        default: status = run_extended(r, code);
        }
        if (status || r->c.failed) return -1;
    }
    return 0;
}

static int write_row(const run *r, int is_debug, kp_cfi_row *row) {
    const rows_state *now = &r->now;
    row->return_register = r->fde->cie.return_register;
    row->flags = (r->fde->cie.is_signal ? KP_CFI_SIGNAL : 0) | (now->is_signed ? KP_CFI_SIGNED : 0) |
                 (is_debug ? KP_CFI_DEBUG : 0);
    row->cfa_how = now->cfa_how;
    if (now->cfa_how == KP_CFI_EXPRESSION) {
        row->cfa_value = now->cfa_expression;
    } else {
        if (now->cfa_register >= KP_CFI_REGISTERS || now->cfa_offset != (int32_t)now->cfa_offset) return -1;
        row->cfa_register = (uint8_t)now->cfa_register;
        row->cfa_value = (int32_t)now->cfa_offset;
    }
    for (size_t i = 0; i < KP_CFI_REGISTERS; i++)
        if (now->rules[i].how != KP_CFI_SAME) row->rules[row->count++] = now->rules[i];
    return 0;
}

static int run_both(run *r, uint64_t address) {
    if (run_program(r, r->fde->cie.program)) return -1;
    r->initial = r->now;
    r->at = r->fde->start;
    r->wanted = address;
    r->depth = 0;
    r->is_over = 0;
    return run_program(r, r->fde->program);
}

int kp_cfi_run(kp_cfi *cfi, const kp_cfi_fde *fde, uint64_t address, kp_cfi_row *row) {
    run r; /* the remembered states need not be cleared */
    r.fde = fde;
    memset(&r.now, 0, sizeof r.now);
    memset(&r.initial, 0, sizeof r.initial);
    r.now.cfa_how = KP_CFI_UNDEFINED;
    r.depth = r.done = 0;
    r.most = cfi->patience_used < MOST_PATIENCE ? MOST_INSTRUCTIONS : FEW_INSTRUCTIONS;
    r.at = 0;
    r.wanted = UINT64_MAX;
    r.is_over = 0;
    int status = run_both(&r, address);
    if (r.done > FEW_INSTRUCTIONS) cfi->patience_used += r.done;
    return status ? -1 : write_row(&r, kp_cfi_is_debug(cfi, fde->section), row);
}

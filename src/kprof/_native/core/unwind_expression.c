/* DWARF expressions, as far as call frame information uses them (DWARF 5 sections 2.5 and 6.4.2). */
#include "unwind_state.h"

/* DWARF 5 section 7.7.1. */
enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S,
    OP_CONST2U,
    OP_CONST2S,
    OP_CONST4U,
    OP_CONST4S,
    OP_CONST8U,
    OP_CONST8S,
    OP_CONSTU,
    OP_CONSTS,
    OP_DUP,
    OP_DROP,
    OP_OVER,
    OP_PICK,
    OP_SWAP,
    OP_ROT,
    OP_ABS = 0x19,
    OP_AND,
    OP_DIV,
    OP_MINUS,
    OP_MOD,
    OP_MUL,
    OP_NEG,
    OP_NOT,
    OP_OR,
    OP_PLUS,
    OP_PLUS_UCONST,
    OP_SHL,
    OP_SHR,
    OP_SHRA,
    OP_XOR,
    OP_BRA,
    OP_EQ,
    OP_GE,
    OP_GT,
    OP_LE,
    OP_LT,
    OP_NE,
    OP_SKIP,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
    OP_BREGX = 0x92,
    OP_DEREF_SIZE = 0x94,
    OP_NOP = 0x96
};

enum { DEEPEST = 64 };

typedef struct {
    kp_walk *w;
    const uint8_t *begin;
    kp_cursor c;
    uint64_t stack[DEEPEST];
    size_t depth;
    int failed;
} machine;

static void push(machine *m, uint64_t value) {
    if (m->depth == DEEPEST)
        m->failed = 1;
    else
        m->stack[m->depth++] = value;
}

static uint64_t pop(machine *m) {
    if (m->depth) return m->stack[--m->depth];
    m->failed = 1;
    return 0;
}

static void pick(machine *m, size_t below) {
    if (below >= m->depth)
        m->failed = 1;
    else
        push(m, m->stack[m->depth - 1 - below]);
}

static void push_register(machine *m, uint64_t number) {
    uint64_t offset = (uint64_t)kp_sleb(&m->c);
    if (number >= KP_CFI_REGISTERS || !kp_knows(m->w, (int)number))
        m->failed = 1;
    else
        push(m, m->w->registers[number] + offset);
}

static void dereference(machine *m, unsigned width) {
    uint64_t value = 0, address = pop(m);
    if ((width != 1 && width != 2 && width != 4 && width != 8) || kp_load(m->w, address, width, &value))
        m->failed = 1;
    push(m, value);
}

static void jump(machine *m, int is_taken) {
    int16_t by = (int16_t)kp_u16(&m->c);
    if (!is_taken) return;
    if (by < m->begin - m->c.at || by > m->c.end - m->c.at)
        m->failed = 1;
    else
        m->c.at += by;
}

static uint64_t divide(machine *m, uint64_t a, uint64_t b) {
    if (!b) m->failed = 1;
    if (!b || b == UINT64_MAX) return -a; /* the smallest number by -1 would overflow */
    return (uint64_t)((int64_t)a / (int64_t)b);
}

static uint64_t shift(unsigned code, uint64_t a, uint64_t by) {
    if (code == OP_SHRA) return (uint64_t)((int64_t)a >> (by < 63 ? by : 63));
    if (by > 63) return 0;
    return code == OP_SHL ? a << by : a >> by;
}

static uint64_t combine(machine *m, unsigned code, uint64_t a, uint64_t b) {
    int64_t left = (int64_t)a, right = (int64_t)b;
    switch (code) {
    case OP_AND: return a & b;
    case OP_DIV: return divide(m, a, b);
    case OP_MINUS: return a - b;
    case OP_MOD: m->failed |= !b; return b ? a % b : 0;
    case OP_MUL: return a * b;
    case OP_OR: return a | b;
    case OP_PLUS: return a + b;
    case OP_SHL:
    case OP_SHR:
    case OP_SHRA: return shift(code, a, b);
    case OP_XOR: return a ^ b;
    case OP_EQ: return left == right;
    case OP_GE: return left >= right;
    case OP_GT: return left > right;
    case OP_LE: return left <= right;
    case OP_LT: return left < right;
    case OP_NE: return left != right;
    default: m->failed = 1; return 0;
    }
}

static void run_constant(machine *m, unsigned code) {
    kp_cursor *c = &m->c;
    switch (code) {
    case OP_ADDR: push(m, m->w->machine->width == 4 ? kp_u32(c) : kp_u64(c)); break;
    case OP_CONST1U: push(m, kp_u8(c)); break;
    case OP_CONST1S: push(m, (uint64_t)(int64_t)(int8_t)kp_u8(c)); break;
    case OP_CONST2U: push(m, kp_u16(c)); break;
    case OP_CONST2S: push(m, (uint64_t)(int64_t)(int16_t)kp_u16(c)); break;
    case OP_CONST4U: push(m, kp_u32(c)); break;
    case OP_CONST4S: push(m, (uint64_t)(int64_t)(int32_t)kp_u32(c)); break;
    case OP_CONST8U:
    case OP_CONST8S: push(m, kp_u64(c)); break;
    case OP_CONSTU: push(m, kp_uleb(c)); break;
    default: push(m, (uint64_t)kp_sleb(c));
    }
}

static void run_stack(machine *m, unsigned code) {
    uint64_t top, second, third;
    switch (code) {
    case OP_DUP: pick(m, 0); break;
    case OP_DROP: (void)pop(m); break;
    case OP_OVER: pick(m, 1); break;
    case OP_PICK: pick(m, kp_u8(&m->c)); break;
    case OP_SWAP:
        top = pop(m), second = pop(m);
        push(m, top), push(m, second);
        break;
    default: /* OP_ROT */
        top = pop(m), second = pop(m), third = pop(m);
        push(m, top), push(m, third), push(m, second);
    }
}

static void run_other(machine *m, unsigned code) {
    uint64_t value;
    switch (code) {
    case OP_DEREF: dereference(m, m->w->machine->width); break;
    case OP_DEREF_SIZE: dereference(m, kp_u8(&m->c)); break;
    case OP_ABS:
        value = pop(m);
        push(m, (int64_t)value < 0 ? -value : value);
        break;
    case OP_NEG: push(m, -pop(m)); break;
    case OP_NOT: push(m, ~pop(m)); break;
    case OP_PLUS_UCONST: push(m, pop(m) + kp_uleb(&m->c)); break;
    case OP_BRA: jump(m, pop(m) != 0); break;
    case OP_SKIP: jump(m, 1); break;
    case OP_BREGX: push_register(m, kp_uleb(&m->c)); break;
    case OP_NOP: break;
    default: {
        uint64_t b = pop(m), a = pop(m);
        push(m, combine(m, code, a, b));
    }
    }
}

int kp_evaluate(kp_walk *w, kp_cursor c, const uint64_t *cfa, uint64_t *value) {
    machine m = {.w = w, .begin = c.at, .c = c};
    if (cfa) push(&m, *cfa);
    while (kp_left(&m.c) && !m.failed) {
        if (w->steps++ == KP_MOST_STEPS) return -1;
        unsigned code = kp_u8(&m.c);
        if (code >= OP_LIT0 && code <= OP_LIT31)
            push(&m, code - OP_LIT0);
        else if (code >= OP_BREG0 && code <= OP_BREG31)
            push_register(&m, code - OP_BREG0);
        else if (code == OP_ADDR || (code >= OP_CONST1U && code <= OP_CONSTS))
            run_constant(&m, code);
        else if (code >= OP_DUP && code <= OP_ROT)
            run_stack(&m, code);
        else
            run_other(&m, code);
        m.failed |= m.c.failed;
    }
    *value = pop(&m);
    return m.failed ? -1 : 0;
}

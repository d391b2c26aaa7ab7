/* The line number program (6.2.2, 6.2.5): which file and line an address is from. */
#include "dwarf_state.h"

/* The state machine, and the row that it made last. */
typedef struct {
    kp_lines *lines;
    const uint64_t *addresses;
    size_t count;
    kp_dwarf_place *places;
    uint64_t address, file, operation;
    int64_t line;
    int in_sequence;
    uint64_t row_address, row_file;
    int64_t row_line;
    size_t next; /* first address at or behind the last row */
} kp_machine;

static void begin_sequence(kp_machine *machine) {
    machine->address = machine->operation = 0;
    machine->file = machine->line = 1;
    machine->in_sequence = 0;
}

/* Addresses from the last row up to this one are from the last row's line. */
static void fill_up_to(kp_machine *machine, uint64_t end) {
    for (; machine->next < machine->count && machine->addresses[machine->next] < end; machine->next++) {
        kp_dwarf_place *place = &machine->places[machine->next];
        if (!kp_spend(machine->lines->dwarf, 1)) return;
        if (place->line || machine->row_line <= 0 || machine->row_line > UINT32_MAX) continue;
        place->file = kp_lines_file(machine->lines, machine->row_file);
        place->line = (uint32_t)machine->row_line;
    }
}

static void add_row(kp_machine *machine) {
    /* Linkers leave 0 where a function was thrown away. */
    if (machine->in_sequence && machine->row_address) fill_up_to(machine, machine->address);
    if (!machine->in_sequence || machine->address < machine->row_address)
        machine->next = kp_first_address(machine->addresses, machine->count, machine->address);
    machine->in_sequence = 1;
    machine->row_address = machine->address;
    machine->row_file = machine->file;
    machine->row_line = machine->line;
}

/* Go on by a number of instructions, of which very long ones hold several (6.2.5.1). */
static void advance(kp_machine *machine, uint64_t operations) {
    const kp_lines *lines = machine->lines;
    if (lines->most_operations == 1) {
        machine->address += operations * lines->min_length;
        return;
    }
    uint64_t sum = machine->operation + operations;
    machine->address += sum / lines->most_operations * lines->min_length;
    machine->operation = sum % lines->most_operations;
}

static void add_to_line(kp_machine *machine, int64_t more) {
    machine->line = (int64_t)((uint64_t)machine->line + (uint64_t)more);
}

static void run_special(kp_machine *machine, uint8_t opcode) {
    const kp_lines *lines = machine->lines;
    unsigned adjusted = (unsigned)opcode - lines->opcode_base;
    advance(machine, adjusted / lines->line_range);
    add_to_line(machine, lines->line_base + (int64_t)(adjusted % lines->line_range));
    add_row(machine);
}

static void run_extended(kp_machine *machine, kp_cursor *c) {
    uint64_t size = kp_uleb(c);
    if (!size || size > kp_left(c)) {
        kp_skip(c, size);
        return;
    }
    kp_cursor inner = *c;
    inner.end = inner.at + size;
    kp_skip(c, size);
    switch (kp_u8(&inner)) {
        case DW_LNE_end_sequence:
            add_row(machine);
            begin_sequence(machine);
            break;
        case DW_LNE_set_address:
            machine->address = kp_sized(&inner, (unsigned)kp_left(&inner));
            machine->operation = 0;
            break;
        default: break; /* DW_LNE_define_file: no compiler writes it */
    }
}

static void run_standard(kp_machine *machine, kp_cursor *c, uint8_t opcode) {
    switch (opcode) {
        case DW_LNS_copy: add_row(machine); return;
        case DW_LNS_advance_pc: advance(machine, kp_uleb(c)); return;
        case DW_LNS_advance_line: add_to_line(machine, kp_sleb(c)); return;
        case DW_LNS_set_file: machine->file = kp_uleb(c); return;
        case DW_LNS_const_add_pc:
            advance(machine, (255u - machine->lines->opcode_base) / machine->lines->line_range);
            return;
        case DW_LNS_fixed_advance_pc:
            machine->address += kp_u16(c);
            machine->operation = 0;
            return;
        default:
            for (unsigned i = machine->lines->operands[opcode]; i && kp_left(c); i--) (void)kp_uleb(c);
    }
}

void kp_lines_assign(kp_lines *lines, const uint64_t *addresses, size_t count, kp_dwarf_place *places) {
    kp_machine machine = {.lines = lines, .addresses = addresses, .count = count, .places = places};
    kp_cursor c = lines->program;
    begin_sequence(&machine);
    while (kp_left(&c)) {
        uint8_t opcode = kp_u8(&c);
        if (opcode >= lines->opcode_base) run_special(&machine, opcode);
        else if (opcode) run_standard(&machine, &c, opcode);
        else run_extended(&machine, &c);
    }
}

/* Units: their headers (7.5.1), and what their first entry says of them. */
#include <stdlib.h>

#include "dwarf_state.h"

int kp_units_list(kp_dwarf *dwarf, int number) {
    kp_debug_file *file = &dwarf->file[number];
    kp_cursor c = kp_section(dwarf, number, KP_DEBUG_INFO);
    const uint8_t *start = c.at;
    while (kp_left(&c)) {
        uint64_t offset = (uint64_t)(c.at - start);
        uint8_t offset_size;
        uint64_t length = kp_initial_length(&c, &offset_size);
        if (c.failed) break;
        if (KP_RESERVE(file->offsets, file->room, file->count, 1)) return -1;
        file->offsets[file->count++] = offset;
        kp_skip(&c, length);
    }
    file->units = calloc(file->count + 1, sizeof *file->units);
    return file->units ? 0 : -1;
}

int64_t kp_unit_find(const kp_dwarf *dwarf, int number, uint64_t offset) {
    const kp_debug_file *file = &dwarf->file[number];
    size_t low = 0, high = file->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->offsets[middle] <= offset) low = middle + 1;
        else high = middle;
    }
    return (int64_t)low - 1;
}

static int read_header(kp_cursor *c, const uint8_t *start, kp_unit *unit) {
    uint64_t length = kp_initial_length(c, &unit->encoding.offset_size);
    if (length > kp_left(c)) return -1;
    c->end = c->at + length;
    unit->end = (uint64_t)(c->end - start);
    uint16_t version = kp_u16(c);
    if (version < 2 || version > 5) return -1;
    unit->encoding.version = (uint8_t)version;
    if (version >= 5) {
        unit->type = kp_u8(c);
        unit->encoding.address_size = kp_u8(c);
    }
    unit->abbrev_offset = kp_sized(c, unit->encoding.offset_size);
    if (version < 5) unit->encoding.address_size = kp_u8(c);
    if (unit->type == DW_UT_skeleton || unit->type == DW_UT_split_compile) unit->dwo_id = kp_u64(c);
    if (unit->type == DW_UT_type || unit->type == DW_UT_split_type) kp_skip(c, 8u + unit->encoding.offset_size);
    unit->first_die = (uint64_t)(c->at - start);
    int size = unit->encoding.address_size;
    return c->failed || (size != 4 && size != 8 && size != 2) ? -1 : 0;
}

kp_unit *kp_unit_load(kp_dwarf *dwarf, int number, size_t index) {
    kp_debug_file *file = &dwarf->file[number];
    if (file->units[index]) return file->units[index];
    kp_unit *unit = calloc(1, sizeof *unit);
    if (!unit) {
        dwarf->no_memory = 1;
        return NULL;
    }
    unit->file = number;
    unit->offset = file->offsets[index];
    kp_cursor c = kp_section(dwarf, number, KP_DEBUG_INFO);
    const uint8_t *start = c.at;
    kp_skip(&c, unit->offset);
    if (read_header(&c, start, unit)) {
        free(unit);
        return NULL;
    }
    /* Where the tables begin if nothing else is said: behind their headers (7.26 to 7.28). */
    if (unit->encoding.version >= 5) {
        unit->str_offsets_base = unit->addr_base = unit->encoding.offset_size == 8 ? 16 : 8;
        unit->rnglists_base = unit->encoding.offset_size == 8 ? 20 : 12;
    }
    return file->units[index] = unit;
}

void kp_unit_drop(kp_dwarf *dwarf, int number, size_t index) {
    kp_unit_free(dwarf->file[number].units[index]);
    dwarf->file[number].units[index] = NULL;
}

void kp_unit_free(kp_unit *unit) {
    if (!unit) return;
    free(unit->scopes);
    free(unit);
}

kp_cursor kp_unit_cursor(const kp_dwarf *dwarf, const kp_unit *unit, uint64_t offset) {
    kp_cursor c = kp_section(dwarf, unit->file, KP_DEBUG_INFO);
    c.end = c.at + unit->end;
    kp_skip(&c, offset);
    return c;
}

static void take_offset(const kp_die *root, kp_slot slot, uint64_t *target) {
    if (kp_has(root, slot)) *target = root->value[slot].number;
}

static void take_facts(const kp_dwarf *dwarf, kp_unit *unit, const kp_die *root) {
    take_offset(root, KP_STR_OFFSETS_BASE, &unit->str_offsets_base);
    take_offset(root, KP_ADDR_BASE, &unit->addr_base);
    take_offset(root, KP_RNGLISTS_BASE, &unit->rnglists_base);
    take_offset(root, KP_GNU_RANGES_BASE, &unit->ranges_base);
    take_offset(root, KP_LANGUAGE, &unit->language);
    take_offset(root, KP_DWO_ID, &unit->dwo_id);
    if (kp_has(root, KP_DWO_NAME)) unit->dwo_name = kp_value_text(dwarf, unit, &root->value[KP_DWO_NAME]);
    /* That of a split unit is with its skeleton. */
    if (unit->file >= KP_FIXED_FILES) return;
    take_offset(root, KP_STMT_LIST, &unit->line);
    unit->has_line = (int8_t)kp_has(root, KP_STMT_LIST);
    if (kp_has(root, KP_NAME)) unit->name = kp_value_text(dwarf, unit, &root->value[KP_NAME]);
    if (kp_has(root, KP_COMP_DIR)) unit->folder = kp_value_text(dwarf, unit, &root->value[KP_COMP_DIR]);
    if (kp_has(root, KP_LOW_PC)) unit->low_pc = kp_value_address(dwarf, unit, &root->value[KP_LOW_PC]);
}

/* Read the first entry by a table that knows it. */
static uint16_t read_root(kp_dwarf *dwarf, kp_unit *unit, const kp_abbrevs *table, kp_die *root) {
    kp_cursor c = kp_unit_cursor(dwarf, unit, unit->first_die);
    uint64_t code;
    const kp_abbrev *abbrev = kp_die_begin(&c, table, &code);
    if (!abbrev) return 0;
    kp_die_read(&c, unit, table, abbrev, root);
    root->offset = unit->first_die;
    root->abbrev = NULL; /* the table may go away */
    take_facts(dwarf, unit, root);
    unit->has_root = 1;
    return abbrev->tag;
}

uint16_t kp_unit_root(kp_dwarf *dwarf, kp_unit *unit, kp_die *root) {
    kp_cursor c = kp_unit_cursor(dwarf, unit, unit->first_die);
    kp_abbrevs one = {0};
    const kp_abbrevs *table = &one;
    /* Most units are not looked into any further, so that their tables need not be kept. */
    if (!kp_abbrev_first(dwarf, unit, kp_uleb(&c), &one)) table = kp_abbrevs_of(dwarf, unit);
    uint16_t tag = table ? read_root(dwarf, unit, table, root) : 0;
    kp_abbrevs_clear(&one);
    return tag;
}

int kp_unit_know(kp_dwarf *dwarf, kp_unit *unit) {
    kp_die root;
    return unit->has_root || kp_unit_root(dwarf, unit, &root) ? 0 : -1;
}

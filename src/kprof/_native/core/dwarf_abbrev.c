/* Abbreviations: what the entries of a unit look like (7.5.3).
 *
 * They are turned into steps: adjacent attributes of fixed size that nobody wants become one number, so that most
 * entries are passed over with one addition. It also bounds the work: every step either gives one of the few wanted
 * attributes, or takes up at least one byte. */
#include <stdlib.h>

#include "dwarf_state.h"

static kp_slot slot_of(uint64_t attribute) {
    switch (attribute) {
        case DW_AT_sibling: return KP_SIBLING;
        case DW_AT_name: return KP_NAME;
        case DW_AT_linkage_name:
        case DW_AT_MIPS_linkage_name: return KP_LINKAGE_NAME;
        case DW_AT_abstract_origin:
        case DW_AT_specification: return KP_ORIGIN;
        case DW_AT_low_pc: return KP_LOW_PC;
        case DW_AT_high_pc: return KP_HIGH_PC;
        case DW_AT_ranges: return KP_RANGES;
        case DW_AT_call_file: return KP_CALL_FILE;
        case DW_AT_call_line: return KP_CALL_LINE;
        case DW_AT_stmt_list: return KP_STMT_LIST;
        case DW_AT_comp_dir: return KP_COMP_DIR;
        case DW_AT_language: return KP_LANGUAGE;
        case DW_AT_str_offsets_base: return KP_STR_OFFSETS_BASE;
        case DW_AT_addr_base:
        case DW_AT_GNU_addr_base: return KP_ADDR_BASE;
        case DW_AT_rnglists_base: return KP_RNGLISTS_BASE;
        case DW_AT_GNU_ranges_base: return KP_GNU_RANGES_BASE;
        case DW_AT_dwo_name:
        case DW_AT_GNU_dwo_name: return KP_DWO_NAME;
        case DW_AT_GNU_dwo_id: return KP_DWO_ID;
        default: return KP_NO_SLOT;
    }
}

static int add_step(kp_abbrevs *table, kp_abbrev *abbrev, kp_step step) {
    if (KP_RESERVE(table->steps, table->step_room, table->step_count, 1)) return -1;
    table->steps[table->step_count++] = step;
    abbrev->count++;
    return 0;
}

/* Read the attributes of one abbreviation. Returns -1 when memory is out or they make no sense. */
static int read_attributes(kp_cursor *c, kp_abbrevs *table, kp_abbrev *abbrev) {
    uint64_t before = 0;
    uint32_t seen = 0;
    while (!c->failed) {
        uint64_t attribute = kp_uleb(c), form = kp_uleb(c);
        if (!attribute && !form) break;
        int64_t constant = form == DW_FORM_implicit_const ? kp_sleb(c) : 0;
        if (form > UINT16_MAX) return -1;
        kp_slot slot = slot_of(attribute);
        /* The first of several counts. */
        if (slot != KP_NO_SLOT && seen >> slot & 1) slot = KP_NO_SLOT;
        int size = kp_form_size((uint16_t)form, table->encoding);
        if (slot == KP_NO_SLOT && size >= 0) {
            before += (uint64_t)size;
            continue;
        }
        if (before > UINT32_MAX) return -1;
        kp_step step = {constant, (uint32_t)before, (uint16_t)form, (uint8_t)slot};
        if (add_step(table, abbrev, step)) return -1;
        if (slot != KP_NO_SLOT) seen |= 1u << slot;
        before = 0;
    }
    if (before > UINT32_MAX) return -1;
    abbrev->after = (uint32_t)before;
    return c->failed ? -1 : 0;
}

/* Read one abbreviation. Returns 0 at the end of the table, or if there is nothing sensible. */
static int read_abbrev(kp_cursor *c, kp_abbrevs *table, kp_abbrev *abbrev) {
    *abbrev = (kp_abbrev){.code = kp_uleb(c), .first = (uint32_t)table->step_count};
    if (!abbrev->code || table->step_count > UINT32_MAX / 2) return 0;
    uint64_t tag = kp_uleb(c);
    abbrev->tag = tag > UINT16_MAX ? UINT16_MAX : (uint16_t)tag;
    abbrev->has_children = kp_u8(c) != 0;
    return !read_attributes(c, table, abbrev);
}

static int by_code(const void *a, const void *b) {
    const kp_abbrev *x = a, *y = b;
    return (x->code > y->code) - (x->code < y->code);
}

/* Read a whole table; one that breaks off has what came before. Returns -1 when memory is out. */
static int read_table(kp_dwarf *dwarf, kp_abbrevs *table) {
    kp_cursor c = kp_section_at(dwarf, table->file, KP_DEBUG_ABBREV, table->offset);
    const uint8_t *start = c.at;
    /* Tables of honest files do not overlap. */
    if (kp_left(&c) > dwarf->abbrev_left) c.end = c.at + dwarf->abbrev_left;
    kp_abbrev abbrev;
    table->dense = 1;
    while (read_abbrev(&c, table, &abbrev)) {
        if (KP_RESERVE(table->items, table->room, table->count, 1)) return -1;
        table->items[table->count++] = abbrev;
        table->dense &= abbrev.code == table->count;
    }
    dwarf->abbrev_left -= (uint64_t)(c.at - start);
    if (!table->dense) qsort(table->items, table->count, sizeof *table->items, by_code);
    return 0;
}

void kp_abbrevs_clear(kp_abbrevs *table) {
    free(table->items);
    free(table->steps);
    *table = (kp_abbrevs){0};
}

static uint64_t hash_of(const kp_unit *unit) {
    kp_encoding e = unit->encoding;
    uint64_t key[3] = {unit->abbrev_offset, (uint64_t)unit->file,
                       (uint64_t)e.version << 16 | (uint64_t)e.address_size << 8 | e.offset_size};
    return kp_hash(key, sizeof key, 0);
}

static int fits(const kp_abbrevs *table, const kp_unit *unit) {
    return table->offset == unit->abbrev_offset && table->file == unit->file &&
           !memcmp(&table->encoding, &unit->encoding, sizeof table->encoding);
}

/* A table that was not read before, at a free slot of the index. */
static const kp_abbrevs *add_table(kp_dwarf *dwarf, const kp_unit *unit, size_t slot, uint64_t hash) {
    kp_abbrevs *table = calloc(1, sizeof *table);
    if (!table || KP_RESERVE(dwarf->tables, dwarf->table_room, dwarf->table_count, 1)) {
        free(table);
        return NULL;
    }
    table->offset = unit->abbrev_offset;
    table->file = unit->file;
    table->encoding = unit->encoding;
    kp_table_put(&dwarf->table_index, slot, hash, (uint32_t)dwarf->table_count);
    dwarf->tables[dwarf->table_count++] = table;
    return read_table(dwarf, table) ? NULL : table;
}

const kp_abbrevs *kp_abbrevs_of(kp_dwarf *dwarf, kp_unit *unit) {
    if (unit->abbrevs) return unit->abbrevs;
    if (kp_table_ready(&dwarf->table_index)) {
        dwarf->no_memory = 1;
        return NULL;
    }
    const kp_table *index = &dwarf->table_index;
    uint64_t hash = hash_of(unit);
    size_t slot = kp_table_slot(index, hash);
    for (; index->at[slot].value; slot = kp_table_next(index, slot)) {
        const kp_abbrevs *table = dwarf->tables[index->at[slot].value - 1];
        if (kp_table_may_be(index, slot, hash) && fits(table, unit)) return unit->abbrevs = table;
    }
    unit->abbrevs = add_table(dwarf, unit, slot, hash);
    if (!unit->abbrevs) dwarf->no_memory = 1;
    return unit->abbrevs;
}

int kp_abbrev_first(kp_dwarf *dwarf, const kp_unit *unit, uint64_t code, kp_abbrevs *one) {
    *one = (kp_abbrevs){.offset = unit->abbrev_offset, .file = unit->file, .encoding = unit->encoding};
    kp_cursor c = kp_section_at(dwarf, unit->file, KP_DEBUG_ABBREV, unit->abbrev_offset);
    const uint8_t *start = c.at;
    kp_abbrev abbrev;
    if (!dwarf->work_left || !read_abbrev(&c, one, &abbrev) || abbrev.code != code) return 0;
    kp_spend(dwarf, (uint64_t)(c.at - start));
    if (KP_RESERVE(one->items, one->room, 0, 1)) {
        dwarf->no_memory = 1;
        return 0;
    }
    one->items[one->count++] = abbrev;
    return 1;
}

const kp_abbrev *kp_abbrev_find(const kp_abbrevs *table, uint64_t code) {
    if (table->dense) return code && code <= table->count ? &table->items[code - 1] : NULL;
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->items[middle].code < code) low = middle + 1;
        else high = middle;
    }
    return low < table->count && table->items[low].code == code ? &table->items[low] : NULL;
}

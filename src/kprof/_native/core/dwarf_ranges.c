/* The addresses that an entry covers: DW_AT_ranges (2.17.3, 7.25), or from DW_AT_low_pc to DW_AT_high_pc. */
#include "dwarf_state.h"

/* Where the list of an entry lies, in the section that its version uses. */
static uint64_t list_offset(const kp_dwarf *dwarf, const kp_unit *unit, const kp_value *value) {
    if (unit->encoding.version < 5) return value->number + (unit->file >= KP_FIXED_FILES ? unit->ranges_base : 0);
    if (value->form != DW_FORM_rnglistx) return value->number;
    kp_cursor c = kp_section_at(dwarf, unit->file, KP_DEBUG_RNGLISTS, unit->rnglists_base);
    if (value->number > kp_left(&c) / unit->encoding.offset_size) return UINT64_MAX;
    kp_skip(&c, value->number * unit->encoding.offset_size);
    uint64_t offset = kp_sized(&c, unit->encoding.offset_size);
    return c.failed ? UINT64_MAX : unit->rnglists_base + offset;
}

kp_ranges kp_ranges_of(kp_dwarf *dwarf, const kp_unit *unit, const kp_die *die) {
    kp_ranges ranges = {.dwarf = dwarf, .unit = unit, .base = unit->low_pc, .kind = KP_NO_RANGE};
    if (kp_has(die, KP_RANGES)) {
        int is_new = unit->encoding.version >= 5;
        uint64_t offset = list_offset(dwarf, unit, &die->value[KP_RANGES]);
        ranges.list = kp_section_at(dwarf, unit->file, is_new ? KP_DEBUG_RNGLISTS : KP_DEBUG_RANGES, offset);
        ranges.kind = is_new ? KP_RANGE_LIST_5 : KP_RANGE_LIST;
    } else if (kp_has(die, KP_LOW_PC) && kp_has(die, KP_HIGH_PC)) {
        const kp_value *high = &die->value[KP_HIGH_PC];
        ranges.low = kp_value_address(dwarf, unit, &die->value[KP_LOW_PC]);
        /* A size since DWARF 4. */
        ranges.high = kp_value_is_address(high) ? kp_value_address(dwarf, unit, high) : ranges.low + high->number;
        ranges.kind = KP_ONE_RANGE;
    }
    return ranges;
}

/* An entry of .debug_ranges (DWARF 4, 2.17.3). Returns 0 at the end; empty if it is no range. */
static int next_old(kp_ranges *ranges) {
    unsigned size = ranges->unit->encoding.address_size;
    uint64_t highest = size == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * size) - 1;
    uint64_t low = kp_sized(&ranges->list, size), high = kp_sized(&ranges->list, size);
    if (!low && !high) return 0;
    if (low == highest) {
        ranges->base = high;
        high = low;
    }
    ranges->low = ranges->base + low;
    ranges->high = ranges->base + high;
    return 1;
}

/* An entry of .debug_rnglists (7.25), likewise. */
static int next_new(kp_ranges *ranges) {
    kp_cursor *c = &ranges->list;
    unsigned size = ranges->unit->encoding.address_size;
    ranges->low = ranges->high = 0;
    uint8_t kind = kp_u8(c);
    switch (kind) {
        case DW_RLE_base_addressx: ranges->base = kp_address_at(ranges->dwarf, ranges->unit, kp_uleb(c)); return 1;
        case DW_RLE_base_address: ranges->base = kp_sized(c, size); return 1;
        case DW_RLE_startx_endx:
        case DW_RLE_startx_length: ranges->low = kp_address_at(ranges->dwarf, ranges->unit, kp_uleb(c)); break;
        case DW_RLE_start_end:
        case DW_RLE_start_length: ranges->low = kp_sized(c, size); break;
        case DW_RLE_offset_pair: ranges->low = ranges->base + kp_uleb(c); break;
        default: return 0;
    }
    switch (kind) {
        case DW_RLE_startx_endx: ranges->high = kp_address_at(ranges->dwarf, ranges->unit, kp_uleb(c)); break;
        case DW_RLE_start_end: ranges->high = kp_sized(c, size); break;
        case DW_RLE_offset_pair: ranges->high = ranges->base + kp_uleb(c); break;
        default: ranges->high = ranges->low + kp_uleb(c);
    }
    return 1;
}

int kp_ranges_next(kp_ranges *ranges) {
    if (ranges->kind == KP_ONE_RANGE) {
        ranges->kind = KP_NO_RANGE;
        /* Linkers leave 0 where a function was thrown away. */
        return ranges->low && ranges->low < ranges->high;
    }
    while (ranges->kind != KP_NO_RANGE) {
        const uint8_t *before = ranges->list.at;
        int more = ranges->kind == KP_RANGE_LIST ? next_old(ranges) : next_new(ranges);
        if (!more || ranges->list.failed) break;
        if (!kp_spend(ranges->dwarf, (uint64_t)(ranges->list.at - before))) break;
        if (ranges->low && ranges->low < ranges->high) return 1;
    }
    ranges->kind = KP_NO_RANGE;
    return 0;
}

/* Which unit holds an address: .debug_aranges (6.1.2) where it speaks of a unit, else the unit's first entry. */
#include <stdlib.h>

#include "dwarf_state.h"

size_t kp_first_address(const uint64_t *addresses, size_t count, uint64_t low) {
    size_t first = 0;
    while (count) {
        size_t half = count / 2;
        if (addresses[first + half] < low) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

typedef struct {
    kp_dwarf *dwarf;
    const uint64_t *addresses;
    size_t count, missing;
    int64_t *units;
} kp_search;

/* Say which unit holds a range. The first that claims an address has it. */
static void claim(kp_search *search, uint64_t low, uint64_t high, int64_t unit) {
    size_t i = kp_first_address(search->addresses, search->count, low);
    for (; i < search->count && search->addresses[i] < high; i++) {
        if (!kp_spend(search->dwarf, 1)) return;
        if (search->units[i] >= 0) continue;
        search->units[i] = unit;
        search->missing--;
    }
}

/* One set of .debug_aranges, whose header begins at `c`; c.end is its end. */
static void read_set(kp_search *search, kp_cursor c, uint8_t offset_size, uint64_t header, uint8_t *is_listed) {
    const uint8_t *start = c.at;
    kp_skip(&c, 2); /* version */
    uint64_t offset = kp_sized(&c, offset_size);
    unsigned size = kp_u8(&c);
    kp_skip(&c, 1); /* size of segment selectors */
    int64_t unit = kp_unit_find(search->dwarf, KP_MAIN, offset);
    if (c.failed || (size != 8 && size != 4)) return;
    if (unit < 0 || search->dwarf->file[KP_MAIN].offsets[unit] != offset) return;
    /* The first pair is aligned, counted from the beginning of the set. */
    uint64_t used = header + (uint64_t)(c.at - start);
    kp_skip(&c, (2 * size - used % (2 * size)) % (2 * size));
    is_listed[unit] = 1;
    while (kp_left(&c) >= 2 * size) {
        uint64_t low = kp_sized(&c, size), length = kp_sized(&c, size);
        if (!low && !length) break;
        if (low && low + length > low) claim(search, low, low + length, unit);
    }
}

static void read_aranges(kp_search *search, uint8_t *is_listed) {
    kp_cursor c = kp_section(search->dwarf, KP_MAIN, KP_DEBUG_ARANGES);
    while (kp_left(&c) && search->missing) {
        uint8_t offset_size;
        uint64_t length = kp_initial_length(&c, &offset_size);
        kp_cursor set = c;
        kp_skip(&c, length);
        if (c.failed) return;
        set.end = set.at + length;
        read_set(search, set, offset_size, offset_size == 8 ? 12 : 4, is_listed);
    }
}

static void claim_root(kp_search *search, kp_unit *unit, int64_t number) {
    kp_die root;
    uint16_t tag = kp_unit_root(search->dwarf, unit, &root);
    if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit) return;
    kp_ranges ranges = kp_ranges_of(search->dwarf, unit, &root);
    while (kp_ranges_next(&ranges)) claim(search, ranges.low, ranges.high, number);
}

/* Units that .debug_aranges does not know of: those of clang and rustc, and all if there is no such section. */
static void read_roots(kp_search *search, const uint8_t *is_listed) {
    kp_dwarf *dwarf = search->dwarf;
    for (size_t i = 0; i < dwarf->file[KP_MAIN].count && search->missing; i++) {
        int is_new = !dwarf->file[KP_MAIN].units[i];
        size_t before = search->missing;
        kp_unit *unit = is_listed[i] ? NULL : kp_unit_load(dwarf, KP_MAIN, i);
        if (!unit) continue;
        claim_root(search, unit, (int64_t)i);
        if (is_new && search->missing == before) kp_unit_drop(dwarf, KP_MAIN, i);
    }
}

void kp_units_of(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, int64_t *units) {
    kp_search search = {dwarf, addresses, count, count, units};
    for (size_t i = 0; i < count; i++) units[i] = -1;
    uint8_t *is_listed = calloc(dwarf->file[KP_MAIN].count + 1, 1);
    if (!is_listed) {
        dwarf->no_memory = 1;
        return;
    }
    read_aranges(&search, is_listed);
    read_roots(&search, is_listed);
    free(is_listed);
}

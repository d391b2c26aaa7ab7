/* Split units: a skeleton in the main file, the entries in another one (3.1.2, 7.3.2). */
#include <stdlib.h>

#include "dwarf_state.h"

/* Put a unit on the list, if it is a skeleton that was not listed before. */
static int list_unit(kp_dwarf *dwarf, size_t number) {
    kp_unit *unit = kp_unit_load(dwarf, KP_MAIN, number);
    if (!unit || unit->was_listed || kp_unit_know(dwarf, unit) || !unit->dwo_name.size) return 0;
    if (KP_RESERVE(dwarf->split_units, dwarf->split_room, dwarf->split_count, 1)) return -1;
    unit->was_listed = 1;
    dwarf->split_units[dwarf->split_count++] = (kp_split_unit){number, unit->dwo_id, unit->folder, unit->dwo_name};
    return 0;
}

int kp_dwarf_split_units(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, const kp_split_unit **units,
                         size_t *unit_count) {
    *unit_count = dwarf->split_count = 0;
    /* Skeletons keep the addresses of their units. */
    if (!count || !dwarf->file[KP_MAIN].section[KP_DEBUG_ADDR].size) return 0;
    kp_work_begin(dwarf, count);
    int64_t *numbers = malloc(count * sizeof *numbers);
    if (!numbers) return -1;
    kp_units_of(dwarf, addresses, count, numbers);
    int status = 0;
    for (size_t i = 0; i < count && !status; i++)
        if (numbers[i] >= 0 && (!i || numbers[i] != numbers[i - 1])) status = list_unit(dwarf, (size_t)numbers[i]);
    free(numbers);
    *units = dwarf->split_units;
    *unit_count = dwarf->split_count;
    return status || dwarf->no_memory ? -1 : 0;
}

/* The unit of a file that belongs to a skeleton; a file that was compiled later has none. */
static kp_unit *find_split(kp_dwarf *dwarf, int file, const kp_unit *skeleton) {
    for (size_t i = 0; i < dwarf->file[file].count; i++) {
        kp_unit *unit = kp_unit_load(dwarf, file, i);
        if (!unit || unit->type == DW_UT_split_type || kp_unit_know(dwarf, unit)) continue;
        if (unit->dwo_id == skeleton->dwo_id) return unit;
    }
    return NULL;
}

int kp_dwarf_add_split(kp_dwarf *dwarf, size_t number, const kp_debug_sections *sections) {
    if (number >= dwarf->file[KP_MAIN].count) return 0;
    kp_unit *skeleton = kp_unit_load(dwarf, KP_MAIN, number);
    if (!skeleton || skeleton->split || kp_unit_know(dwarf, skeleton)) return 0;
    /* These stay with the skeleton. */
    kp_debug_sections all = *sections;
    static const kp_debug_section shared[] = {KP_DEBUG_ADDR, KP_DEBUG_RANGES, KP_DEBUG_LINE, KP_DEBUG_LINE_STR};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        all.section[shared[i]] = dwarf->file[KP_MAIN].section[shared[i]];
    if (kp_file_add(dwarf, &all)) return -1;
    kp_unit *unit = find_split(dwarf, (int)dwarf->file_count - 1, skeleton);
    if (!unit) return dwarf->no_memory ? -1 : 0;
    unit->low_pc = skeleton->low_pc;
    unit->addr_base = skeleton->addr_base;
    unit->ranges_base = skeleton->ranges_base;
    unit->line = skeleton->line;
    unit->has_line = skeleton->has_line;
    unit->folder = skeleton->folder;
    if (skeleton->name.size) unit->name = skeleton->name;
    skeleton->split = unit;
    return 0;
}

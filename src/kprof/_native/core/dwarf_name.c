/* What a function is called: its linkage name, or its name with the namespaces and types that it lies in. */
#include "dwarf_state.h"

enum { MOST_REFERENCES = 16, MOST_SCOPES = 32, LONGEST_NAME = 1 << 14 };

int32_t kp_function_name(kp_dwarf *dwarf, int file, uint64_t offset) {
    kp_span name = {"??", 2};
    int is_mangled = 0, is_named = 0;
    for (int i = 0; i < MOST_REFERENCES && !is_mangled; i++) {
        kp_die die;
        kp_unit *unit = kp_die_at(dwarf, file, offset, &die);
        if (!unit) break;
        kp_die root;
        if (!unit->has_root && !kp_unit_root(dwarf, unit, &root)) break;
        if (kp_has(&die, KP_LINKAGE_NAME)) {
            name = kp_value_text(dwarf, unit, &die.value[KP_LINKAGE_NAME]);
            is_mangled = 1;
        } else if (!is_named && kp_has(&die, KP_NAME)) {
            name = kp_value_text(dwarf, unit, &die.value[KP_NAME]);
            is_named = 1;
        }
        if (!kp_has(&die, KP_ORIGIN)) break;
        offset = kp_value_reference(unit, &die.value[KP_ORIGIN], &file);
    }
    int64_t number = kp_strings_add(&dwarf->names, name, (uint32_t)is_mangled, NULL);
    if (number < 0) dwarf->no_memory = 1;
    return (int32_t)number;
}

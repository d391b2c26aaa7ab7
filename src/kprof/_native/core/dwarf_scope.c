/* Namespaces and types of a unit. Entries do not know what they lie in, so it takes a walk; but it is seldom needed. */
#include "dwarf_state.h"

enum { DEEPEST = 64 };

int kp_is_scope(uint16_t tag) {
    switch (tag) {
        case DW_TAG_namespace:
        case DW_TAG_module:
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
        case DW_TAG_enumeration_type:
        case DW_TAG_interface_type: return 1;
        default: return 0;
    }
}

/* C has none, and much code is written in it. */
static int may_have_scopes(const kp_unit *unit) {
    switch (unit->language) {
        case DW_LANG_C89:
        case DW_LANG_C:
        case DW_LANG_C99:
        case DW_LANG_C11:
        case DW_LANG_C17: return 0;
        default: return unit->end - unit->offset <= UINT32_MAX;
    }
}

/* Add a scope whose end is not known yet. Returns its number, -1 when memory is out. */
static int32_t add_scope(kp_unit *unit, uint64_t offset, int32_t parent) {
    if (unit->scope_count >= INT32_MAX || KP_RESERVE(unit->scopes, unit->scope_room, unit->scope_count, 1)) return -1;
    kp_scope scope = {(uint32_t)(offset - unit->offset), (uint32_t)(unit->end - unit->offset), parent};
    unit->scopes[unit->scope_count] = scope;
    return (int32_t)unit->scope_count++;
}

static int list_scopes(kp_unit *unit, const kp_abbrevs *table, kp_cursor c) {
    const uint8_t *end = c.end;
    int32_t open[DEEPEST] = {-1};
    int depth = 0;
    while (kp_left(&c)) {
        uint64_t offset = unit->end - (uint64_t)(end - c.at), code;
        const kp_abbrev *abbrev = kp_die_begin(&c, table, &code);
        if (!abbrev) {
            if (depth && open[depth] >= 0) unit->scopes[open[depth]].end = (uint32_t)(offset - unit->offset);
            if (--depth <= 0) break;
        } else if (!depth || (kp_is_scope(abbrev->tag) && abbrev->has_children && depth < DEEPEST - 1)) {
            int32_t scope = depth ? add_scope(unit, offset, open[depth]) : -1;
            if (depth && scope < 0) return -1;
            kp_die_skip(&c, unit, table, abbrev);
            open[++depth] = scope;
        } else {
            kp_die_skip_tree(&c, unit, table, abbrev);
        }
    }
    return 0;
}

int32_t kp_scope_of(kp_dwarf *dwarf, kp_unit *unit, uint64_t offset) {
    if (!unit->has_scopes && may_have_scopes(unit)) {
        const kp_abbrevs *table = kp_abbrevs_of(dwarf, unit);
        if (!table || list_scopes(unit, table, kp_unit_cursor(dwarf, unit, unit->first_die))) dwarf->no_memory = 1;
    }
    unit->has_scopes = 1;
    size_t low = 0, high = unit->scope_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unit->scopes[middle].offset < offset - unit->offset) low = middle + 1;
        else high = middle;
    }
    int32_t scope = (int32_t)low - 1;
    while (scope >= 0 && unit->scopes[scope].end <= offset - unit->offset) scope = unit->scopes[scope].parent;
    return scope;
}

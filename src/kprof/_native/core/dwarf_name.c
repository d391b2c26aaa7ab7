/* What a function is called: its linkage name, or its name with the namespaces and types that it lies in. */
#include "dwarf_state.h"

enum { MOST_REFERENCES = 16, MOST_PARTS = 32, LONGEST_NAME = 1 << 13 };

/* A name as it is found: that of one entry, and the entry that says where it lies. */
typedef struct {
    kp_span text;
    int is_mangled;
    kp_unit *unit;
    uint64_t offset;
} kp_found;

static kp_span text_of(const kp_dwarf *dwarf, const kp_unit *unit, const kp_die *die, kp_slot slot) {
    return kp_has(die, slot) ? kp_value_text(dwarf, unit, &die->value[slot]) : (kp_span){"", 0};
}

/* Go from a function to what it was made from: to its abstract instance, and on to its declaration. */
static kp_found find_name(kp_dwarf *dwarf, int file, uint64_t offset) {
    kp_found found = {.unit = NULL};
    for (int i = 0; i < MOST_REFERENCES; i++) {
        kp_die die;
        kp_unit *unit = kp_die_at(dwarf, file, offset, &die);
        if (!unit || kp_unit_know(dwarf, unit)) break;
        found.unit = unit;
        found.offset = offset;
        kp_span linkage_name = text_of(dwarf, unit, &die, KP_LINKAGE_NAME);
        if (linkage_name.size) {
            found.text = linkage_name;
            found.is_mangled = 1;
            break;
        }
        if (!found.text.size) found.text = text_of(dwarf, unit, &die, KP_NAME);
        if (!kp_has(&die, KP_ORIGIN)) break;
        offset = kp_value_reference(unit, &die.value[KP_ORIGIN], &file);
    }
    return found;
}

/* The name of a namespace or type; a type may be declared elsewhere. */
static kp_span scope_name(kp_dwarf *dwarf, kp_unit *unit, uint64_t offset) {
    static const kp_span anonymous = {"(anonymous namespace)", 21};
    kp_die die;
    if (!kp_die_at(dwarf, unit->file, offset, &die)) return (kp_span){"", 0};
    int is_namespace = die.abbrev->tag == DW_TAG_namespace;
    kp_span name = text_of(dwarf, unit, &die, KP_NAME);
    if (!name.size && kp_has(&die, KP_ORIGIN)) {
        int file;
        uint64_t origin = kp_value_reference(unit, &die.value[KP_ORIGIN], &file);
        kp_unit *other = kp_die_at(dwarf, file, origin, &die);
        if (other && !kp_unit_know(dwarf, other)) name = text_of(dwarf, other, &die, KP_NAME);
    }
    return name.size || !is_namespace ? name : anonymous;
}

/* The name with all that it lies in, written backwards so that its end is that of `buffer`. */
static kp_span qualify(kp_dwarf *dwarf, const kp_found *found, char *buffer) {
    size_t at = LONGEST_NAME;
    kp_span part = found->text;
    int32_t scope = kp_scope_of(dwarf, found->unit, found->offset);
    for (int parts = 0; parts < MOST_PARTS; parts++) {
        if (part.size + 2 > at) break;
        if (part.size && at < LONGEST_NAME) memcpy(buffer + (at -= 2), "::", 2);
        memcpy(buffer + (at -= part.size), part.at, part.size);
        if (scope < 0) break;
        const kp_scope *here = &found->unit->scopes[scope];
        part = scope_name(dwarf, found->unit, found->unit->offset + here->offset);
        scope = here->parent;
    }
    return (kp_span){buffer + at, LONGEST_NAME - at};
}

int32_t kp_function_name(kp_dwarf *dwarf, int file, uint64_t offset) {
    char buffer[LONGEST_NAME];
    kp_found found = find_name(dwarf, file, offset);
    kp_span name = found.text.size ? found.text : (kp_span){"", 0};
    if (name.size && !found.is_mangled && name.size < LONGEST_NAME / 2) name = qualify(dwarf, &found, buffer);
    /* Names may overlap, so that together they are much longer than what holds them. */
    if (!kp_spend(dwarf, name.size)) name.size = 0;
    int64_t number = kp_strings_add(&dwarf->names, name, (uint32_t)found.is_mangled, NULL);
    if (number < 0) dwarf->no_memory = 1;
    return (int32_t)number;
}

/* Reading debugging information entries, and passing over them. */
#include "dwarf_state.h"

const kp_abbrev *kp_die_begin(kp_cursor *c, const kp_abbrevs *table, uint64_t *code) {
    *code = kp_uleb(c);
    const kp_abbrev *abbrev = c->failed ? NULL : kp_abbrev_find(table, *code);
    /* Nothing after an unknown kind makes sense. */
    if (!abbrev && *code) kp_skip(c, UINT64_MAX);
    return abbrev;
}

void kp_die_read(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev, kp_die *die) {
    die->abbrev = abbrev;
    die->has = 0;
    for (uint32_t i = 0; i < abbrev->count; i++) {
        const kp_step *step = &table->steps[abbrev->first + i];
        kp_skip(c, step->before);
        kp_value value = kp_value_read(c, step->form, step->constant, unit->encoding);
        if (step->slot == KP_NO_SLOT || c->failed) continue;
        die->value[step->slot] = value;
        die->has |= 1u << step->slot;
    }
    kp_skip(c, abbrev->after);
}

/* Past an entry's attributes. Returns the offset of its sibling, 0 if there is none. */
static uint64_t skip_attributes(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev) {
    uint64_t sibling = 0;
    for (uint32_t i = 0; i < abbrev->count; i++) {
        const kp_step *step = &table->steps[abbrev->first + i];
        kp_skip(c, step->before);
        int size = step->slot == KP_SIBLING ? -1 : kp_form_size(step->form, unit->encoding);
        if (size >= 0) {
            kp_skip(c, (uint64_t)size);
            continue;
        }
        kp_value value = kp_value_read(c, step->form, step->constant, unit->encoding);
        int file;
        if (step->slot == KP_SIBLING) sibling = kp_value_reference(unit, &value, &file);
    }
    kp_skip(c, abbrev->after);
    return sibling;
}

void kp_die_skip(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev) {
    (void)skip_attributes(c, unit, table, abbrev);
}

/* Go to a sibling. Only forward, so that every loop ends. Returns whether that was possible. */
static int jump(kp_cursor *c, const kp_unit *unit, uint64_t sibling) {
    if (sibling <= unit->offset || sibling > unit->end) return 0;
    uint64_t left = unit->end - sibling;
    if (left > kp_left(c)) return 0;
    kp_skip(c, kp_left(c) - left);
    return 1;
}

/* Past all that lies below an entry, one by one or from sibling to sibling. */
static void skip_below(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table) {
    for (uint64_t depth = 1; depth && kp_left(c);) {
        uint64_t code;
        const kp_abbrev *abbrev = kp_die_begin(c, table, &code);
        if (!abbrev) {
            depth--;
            continue;
        }
        uint64_t sibling = skip_attributes(c, unit, table, abbrev);
        if (abbrev->has_children && !jump(c, unit, sibling)) depth++;
    }
}

void kp_die_skip_tree(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev) {
    uint64_t sibling = skip_attributes(c, unit, table, abbrev);
    if (abbrev->has_children && !jump(c, unit, sibling)) skip_below(c, unit, table);
}

void kp_die_skip_children(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_die *die) {
    if (!die->abbrev->has_children) return;
    int file;
    uint64_t sibling = kp_has(die, KP_SIBLING) ? kp_value_reference(unit, &die->value[KP_SIBLING], &file) : 0;
    if (!jump(c, unit, sibling)) skip_below(c, unit, table);
}

kp_unit *kp_die_at(kp_dwarf *dwarf, int file, uint64_t offset, kp_die *die) {
    int64_t number = kp_unit_find(dwarf, file, offset);
    kp_unit *unit = number < 0 ? NULL : kp_unit_load(dwarf, file, (size_t)number);
    if (!unit || offset < unit->first_die || offset >= unit->end) return NULL;
    const kp_abbrevs *table = kp_abbrevs_of(dwarf, unit);
    if (!table) return NULL;
    kp_cursor c = kp_unit_cursor(dwarf, unit, offset);
    const uint8_t *start = c.at;
    uint64_t code;
    const kp_abbrev *abbrev = kp_die_begin(&c, table, &code);
    if (!abbrev || !dwarf->work_left) return NULL;
    kp_die_read(&c, unit, table, abbrev, die);
    die->offset = offset;
    return c.failed || !kp_spend(dwarf, (uint64_t)(c.at - start)) ? NULL : unit;
}

/* The whole: addresses are put in order by unit, and each unit is read once. */
#include <stdlib.h>

#include "dwarf_state.h"

/* See kp_spend: what lists may cost, for each byte of the sections and for each address. */
enum { WORK_A_BYTE = 16, WORK_AN_ADDRESS = 1024, KEPT_A_BYTE = 2 };

int kp_file_add(kp_dwarf *dwarf, const kp_debug_sections *sections) {
    if (dwarf->file_count >= KP_MOST_FILES) return -1;
    if (KP_RESERVE(dwarf->file, dwarf->file_room, dwarf->file_count, 1)) return -1;
    kp_debug_file *file = &dwarf->file[dwarf->file_count];
    *file = (kp_debug_file){0};
    for (int k = 0; k < KP_DEBUG_SECTIONS; k++)
        file->section[k] = sections->section[k].size ? sections->section[k] : (kp_span){"", 0};
    dwarf->abbrev_left += KEPT_A_BYTE * (uint64_t)file->section[KP_DEBUG_ABBREV].size;
    return kp_units_list(dwarf, (int)dwarf->file_count++);
}

kp_dwarf *kp_dwarf_open(const kp_debug_sections *main, const kp_debug_sections *alt, int swap) {
    kp_dwarf *dwarf = calloc(1, sizeof *dwarf);
    if (!dwarf) return NULL;
    dwarf->swap = swap;
    kp_debug_sections none = {0};
    if (!kp_file_add(dwarf, main) && !kp_file_add(dwarf, alt ? alt : &none)) return dwarf;
    kp_dwarf_free(dwarf);
    return NULL;
}

static void free_file(kp_debug_file *file) {
    for (size_t i = 0; file->units && i < file->count; i++) kp_unit_free(file->units[i]);
    free(file->units);
    free(file->offsets);
}

void kp_dwarf_free(kp_dwarf *dwarf) {
    if (!dwarf) return;
    for (size_t i = 0; i < dwarf->file_count; i++) free_file(&dwarf->file[i]);
    free(dwarf->file);
    free(dwarf->split_units);
    for (size_t i = 0; i < dwarf->table_count; i++) {
        kp_abbrevs_clear(dwarf->tables[i]);
        free(dwarf->tables[i]);
    }
    free(dwarf->tables);
    kp_table_free(&dwarf->table_index);
    kp_strings_free(&dwarf->names);
    kp_strings_free(&dwarf->files);
    free(dwarf->nodes);
    free(dwarf);
}

/* An address on its way through the units. */
typedef struct {
    int64_t unit;
    size_t index;
} kp_turn;

static int by_unit(const void *a, const void *b) {
    const kp_turn *x = a, *y = b;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

typedef struct {
    int64_t *units;
    kp_turn *turns;
    uint64_t *addresses;    /* in order of the turns */
    kp_dwarf_place *places; /* likewise */
} kp_batch;

static int batch_make(kp_batch *batch, size_t count) {
    batch->units = malloc(count * sizeof *batch->units);
    batch->turns = malloc(count * sizeof *batch->turns);
    batch->addresses = malloc(count * sizeof *batch->addresses);
    batch->places = malloc(count * sizeof *batch->places);
    return batch->units && batch->turns && batch->addresses && batch->places ? 0 : -1;
}

static void batch_free(kp_batch *batch) {
    free(batch->units);
    free(batch->turns);
    free(batch->addresses);
    free(batch->places);
}

static void read_units(kp_dwarf *dwarf, const kp_batch *batch, size_t count) {
    for (size_t first = 0, end; first < count && !dwarf->no_memory; first = end) {
        int64_t number = batch->turns[first].unit;
        for (end = first + 1; end < count && batch->turns[end].unit == number;) end++;
        kp_unit *unit = number < 0 ? NULL : kp_unit_load(dwarf, KP_MAIN, (size_t)number);
        if (unit && unit->split) unit = unit->split;
        if (unit) kp_unit_walk(dwarf, unit, batch->addresses + first, end - first, batch->places + first);
    }
}

static void look_up(kp_dwarf *dwarf, const kp_batch *batch, const uint64_t *addresses, size_t count,
                    kp_dwarf_place *places) {
    kp_units_of(dwarf, addresses, count, batch->units);
    for (size_t i = 0; i < count; i++) batch->turns[i] = (kp_turn){batch->units[i], i};
    qsort(batch->turns, count, sizeof *batch->turns, by_unit);
    for (size_t i = 0; i < count; i++) {
        batch->addresses[i] = addresses[batch->turns[i].index];
        batch->places[i] = (kp_dwarf_place){-1, -1, 0};
    }
    read_units(dwarf, batch, count);
    for (size_t i = 0; i < count; i++) places[batch->turns[i].index] = batch->places[i];
}

void kp_work_begin(kp_dwarf *dwarf, size_t count) {
    dwarf->work_left = WORK_AN_ADDRESS * (uint64_t)count;
    for (size_t i = 0; i < dwarf->file_count; i++) {
        const kp_span *sections = dwarf->file[i].section;
        /* Split units share all other sections. */
        for (int k = 0; k < KP_DEBUG_SECTIONS; k++)
            if (i < KP_FIXED_FILES || k == KP_DEBUG_INFO || k == KP_DEBUG_ABBREV || k == KP_DEBUG_RNGLISTS)
                dwarf->work_left += WORK_A_BYTE * (uint64_t)sections[k].size;
    }
}

int kp_dwarf_look_up(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, kp_dwarf_place *places) {
    if (!count) return 0;
    kp_work_begin(dwarf, count);
    kp_batch batch = {0};
    if (batch_make(&batch, count)) dwarf->no_memory = 1;
    else look_up(dwarf, &batch, addresses, count, places);
    batch_free(&batch);
    return dwarf->no_memory ? -1 : 0;
}

const kp_dwarf_node *kp_dwarf_nodes(const kp_dwarf *dwarf, size_t *count) {
    *count = dwarf->node_count;
    return dwarf->nodes;
}

const kp_strings *kp_dwarf_names(const kp_dwarf *dwarf) { return &dwarf->names; }
const kp_strings *kp_dwarf_files(const kp_dwarf *dwarf) { return &dwarf->files; }

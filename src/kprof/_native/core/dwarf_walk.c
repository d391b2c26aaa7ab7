/* The tree of one unit: which functions, and which calls inlined into them, cover the addresses asked for. */
#include "dwarf_state.h"

/* A node costs work, so that there are not many more of them than honest entries would make. */
enum { DEEPEST = 256, WORK_A_NODE = 64 };

typedef struct {
    kp_dwarf *dwarf;
    kp_unit *unit;
    const kp_abbrevs *table;
    const uint64_t *addresses;
    kp_dwarf_place *places;
    size_t count;
    kp_lines lines;
    int into_all; /* look for functions within functions that hold no address themselves */
    int depth;
    int32_t node[DEEPEST]; /* that holds the entries of each depth */
} kp_walk;

/* Add what covers addresses, called at a line of the unit. */
static int32_t add_node(kp_walk *walk, const kp_die *die, int32_t parent) {
    kp_dwarf *dwarf = walk->dwarf;
    if (!kp_spend(dwarf, WORK_A_NODE)) return -1;
    if (dwarf->node_count >= INT32_MAX || KP_RESERVE(dwarf->nodes, dwarf->node_room, dwarf->node_count, 1)) {
        dwarf->no_memory = 1;
        return -1;
    }
    kp_dwarf_node node = {parent, kp_function_name(dwarf, walk->unit->file, die->offset), -1, 0};
    if (kp_has(die, KP_CALL_FILE)) node.file = kp_lines_file(&walk->lines, die->value[KP_CALL_FILE].number);
    if (kp_has(die, KP_CALL_LINE)) node.line = (uint32_t)die->value[KP_CALL_LINE].number;
    dwarf->nodes[dwarf->node_count] = node;
    return (int32_t)dwarf->node_count++;
}

/* Give addresses that lie in `parent` to an entry, if it covers them. Returns its node, -1 if it has none. */
static int32_t cover(kp_walk *walk, const kp_die *die, int32_t parent) {
    int32_t node = -1;
    kp_ranges ranges = kp_ranges_of(walk->dwarf, walk->unit, die);
    while (kp_ranges_next(&ranges)) {
        size_t i = kp_first_address(walk->addresses, walk->count, ranges.low);
        for (; i < walk->count && walk->addresses[i] < ranges.high; i++) {
            if (!kp_spend(walk->dwarf, 1)) return node;
            if (walk->places[i].node != parent) continue;
            if (node < 0) node = add_node(walk, die, parent);
            if (node < 0) return -1;
            walk->places[i].node = node;
        }
    }
    return node;
}

/* Whether entries of a kind may have functions below them. */
static int is_container(uint16_t tag) {
    switch (tag) {
        case DW_TAG_compile_unit:
        case DW_TAG_skeleton_unit:
        case DW_TAG_lexical_block:
        case DW_TAG_try_block:
        case DW_TAG_catch_block: return 1;
        default: return kp_is_scope(tag);
    }
}

static void descend(kp_walk *walk, int32_t node) { walk->node[walk->depth++] = node; }

/* A function, or a call that was inlined. */
static void visit_function(kp_walk *walk, kp_cursor *c, const kp_abbrev *abbrev, uint64_t offset, int32_t parent) {
    kp_die die;
    kp_die_read(c, walk->unit, walk->table, abbrev, &die);
    die.offset = offset;
    int is_call = abbrev->tag == DW_TAG_inlined_subroutine;
    int32_t node = is_call && parent < 0 ? -1 : cover(walk, &die, is_call ? parent : -1);
    if (node < 0 && (is_call || !walk->into_all)) kp_die_skip_children(c, walk->unit, walk->table, &die);
    else if (abbrev->has_children) descend(walk, node);
}

static void visit(kp_walk *walk, kp_cursor *c, const kp_abbrev *abbrev, uint64_t offset) {
    int32_t parent = walk->depth ? walk->node[walk->depth - 1] : -1;
    if (walk->depth == DEEPEST) {
        kp_die_skip_tree(c, walk->unit, walk->table, abbrev);
    } else if (abbrev->tag == DW_TAG_subprogram || abbrev->tag == DW_TAG_inlined_subroutine) {
        visit_function(walk, c, abbrev, offset, parent);
    } else if (is_container(abbrev->tag)) {
        kp_die_skip(c, walk->unit, walk->table, abbrev);
        if (abbrev->has_children) descend(walk, parent);
    } else {
        kp_die_skip_tree(c, walk->unit, walk->table, abbrev);
    }
}

static void walk_once(kp_walk *walk) {
    kp_cursor c = kp_unit_cursor(walk->dwarf, walk->unit, walk->unit->first_die);
    const uint8_t *end = c.end;
    walk->depth = 0;
    do {
        uint64_t offset = walk->unit->end - (uint64_t)(end - c.at), code;
        const kp_abbrev *abbrev = kp_die_begin(&c, walk->table, &code);
        if (abbrev) visit(walk, &c, abbrev, offset);
        else if (!code && walk->depth) walk->depth--;
    } while (walk->depth && kp_left(&c) && !walk->dwarf->no_memory);
}

static int is_complete(const kp_walk *walk) {
    for (size_t i = 0; i < walk->count; i++)
        if (walk->places[i].node < 0) return 0;
    return 1;
}

void kp_unit_walk(kp_dwarf *dwarf, kp_unit *unit, const uint64_t *addresses, size_t count, kp_dwarf_place *places) {
    kp_walk walk = {.dwarf = dwarf, .unit = unit, .addresses = addresses, .count = count, .places = places};
    if (kp_unit_know(dwarf, unit)) return;
    walk.table = kp_abbrevs_of(dwarf, unit);
    if (!walk.table) return;
    kp_lines_open(&walk.lines, dwarf, unit);
    walk_once(&walk);
    /* Functions of C and Fortran may lie within others that do not cover them. */
    walk.into_all = 1;
    if (!is_complete(&walk)) walk_once(&walk);
    kp_lines_assign(&walk.lines, addresses, count, places);
    kp_lines_close(&walk.lines);
}

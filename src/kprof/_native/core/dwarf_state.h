/* What the parts of the DWARF reader share. Section numbers in dwarf_*.c are those of DWARF 5. */
#ifndef KP_DWARF_STATE_H
#define KP_DWARF_STATE_H

#include "cursor.h"
#include "dwarf.h"
#include "dwarf_constants.h"

/* The attributes that are looked at, each a slot of a kp_die. */
typedef enum {
    KP_SIBLING,
    KP_NAME,
    KP_LINKAGE_NAME,
    KP_ORIGIN, /* abstract origin or specification */
    KP_LOW_PC,
    KP_HIGH_PC,
    KP_RANGES,
    KP_CALL_FILE,
    KP_CALL_LINE,
    KP_STMT_LIST,
    KP_COMP_DIR,
    KP_LANGUAGE,
    KP_STR_OFFSETS_BASE,
    KP_ADDR_BASE,
    KP_RNGLISTS_BASE,
    KP_GNU_RANGES_BASE,
    KP_DWO_NAME,
    KP_DWO_ID,
    KP_SLOTS,
    KP_NO_SLOT = 255
} kp_slot;

/* One attribute as it is read: `before` bytes that nobody wants, then a form. */
typedef struct {
    int64_t constant; /* of DW_FORM_implicit_const */
    uint32_t before;
    uint16_t form;
    uint8_t slot;
} kp_step;

/* Entries of one kind: `count` steps, then `after` bytes. */
typedef struct {
    uint64_t code;
    uint32_t first, count, after;
    uint16_t tag;
    uint8_t has_children;
} kp_abbrev;

/* What the size of forms depends on. */
typedef struct {
    uint8_t version, address_size, offset_size;
} kp_encoding;

/* A table of .debug_abbrev. */
typedef struct {
    uint64_t offset;
    int file;
    kp_encoding encoding;
    int dense; /* codes count from 1 */
    kp_abbrev *items;
    size_t count, room;
    kp_step *steps;
    size_t step_count, step_room;
} kp_abbrevs;

/* The value of an attribute, not looked up yet: what it refers to may depend on attributes that follow. */
typedef struct {
    uint16_t form;
    uint64_t number;
    kp_span text; /* of DW_FORM_string */
} kp_value;

/* A debugging information entry. */
typedef struct {
    uint64_t offset; /* in .debug_info */
    const kp_abbrev *abbrev;
    uint32_t has; /* a bit a slot */
    kp_value value[KP_SLOTS];
} kp_die;

static inline int kp_has(const kp_die *die, kp_slot slot) { return die->has >> slot & 1; }

/* A namespace or type, from `offset` to `end`, counted from the beginning of its unit. */
typedef struct {
    uint32_t offset, end;
    int32_t parent; /* -1 for none */
} kp_scope;

typedef struct kp_unit {
    uint64_t offset, end, first_die; /* in .debug_info */
    uint64_t abbrev_offset, low_pc, line;
    uint64_t str_offsets_base, addr_base, rnglists_base, ranges_base;
    uint64_t language;
    uint64_t dwo_id;
    kp_span name, folder, dwo_name;
    struct kp_unit *split; /* where the entries of this one lie, if they were found */
    kp_encoding encoding;
    uint8_t type;
    int file;
    int8_t has_line, has_root, has_scopes, was_listed;
    const kp_abbrevs *abbrevs;
    kp_scope *scopes;
    size_t scope_count, scope_room;
} kp_unit;

/* Files of split units follow. */
enum { KP_MAIN, KP_ALT, KP_FIXED_FILES };
enum { KP_MOST_FILES = 1 << 20 };

typedef struct {
    kp_span section[KP_DEBUG_SECTIONS];
    uint64_t *offsets; /* of units, ascending */
    kp_unit **units;   /* NULL until needed */
    size_t count, room;
} kp_debug_file;

struct kp_dwarf {
    kp_debug_file *file;
    size_t file_count, file_room;
    kp_split_unit *split_units;
    size_t split_count, split_room;
    int swap;
    int no_memory;        /* something could not be kept; whatever was made is thrown away */
    uint64_t work_left;   /* see kp_spend */
    uint64_t abbrev_left; /* bytes of abbreviations that may still be kept */
    kp_abbrevs **tables;
    size_t table_count, table_room;
    kp_table table_index;
    kp_strings names, files;
    kp_dwarf_node *nodes;
    size_t node_count, node_room;
};

/* Lists can be referred to from many places. Those of honest files are not; so what reading them may cost
 * in all is limited, lest a small file keep us busy for hours. Returns whether the work may be done. */
static inline int kp_spend(kp_dwarf *dwarf, uint64_t work) {
    if (work > dwarf->work_left) work = dwarf->work_left;
    dwarf->work_left -= work;
    return dwarf->work_left > 0;
}

static inline kp_cursor kp_section(const kp_dwarf *dwarf, int file, kp_debug_section section) {
    kp_span span = dwarf->file[file].section[section];
    return kp_cursor_of(span.at, span.size, dwarf->swap);
}

/* From `offset` to the end of a section; empty if that lies outside. */
static inline kp_cursor kp_section_at(const kp_dwarf *dwarf, int file, kp_debug_section section, uint64_t offset) {
    kp_cursor cursor = kp_section(dwarf, file, section);
    kp_skip(&cursor, offset);
    return cursor;
}

static inline uint64_t kp_sized(kp_cursor *c, unsigned size) {
    switch (size) {
        case 1: return kp_u8(c);
        case 2: return kp_u16(c);
        case 4: return kp_u32(c);
        case 8: return kp_u64(c);
        default: kp_skip(c, UINT64_MAX); return 0;
    }
}

/* The length of a unit (7.4); *offset_size says whether it is 32-bit or 64-bit DWARF. */
static inline uint64_t kp_initial_length(kp_cursor *c, uint8_t *offset_size) {
    uint64_t length = kp_u32(c);
    *offset_size = length == 0xffffffff ? 8 : 4;
    return length == 0xffffffff ? kp_u64(c) : length;
}

/* dwarf_abbrev.c */
const kp_abbrevs *kp_abbrevs_of(kp_dwarf *dwarf, kp_unit *unit);
/* Only the first, into `one`, if it has `code`, as that of a unit's first entry mostly is. Returns whether it has;
 * kp_abbrevs_clear follows either way. */
int kp_abbrev_first(kp_dwarf *dwarf, const kp_unit *unit, uint64_t code, kp_abbrevs *one);
void kp_abbrevs_clear(kp_abbrevs *table);
const kp_abbrev *kp_abbrev_find(const kp_abbrevs *table, uint64_t code);

/* dwarf_form.c */
int kp_form_size(uint16_t form, kp_encoding encoding); /* -1 if it varies */
kp_value kp_value_read(kp_cursor *c, uint16_t form, int64_t constant, kp_encoding encoding);
kp_span kp_value_text(const kp_dwarf *dwarf, const kp_unit *unit, const kp_value *value);
int kp_value_is_address(const kp_value *value);
uint64_t kp_value_address(const kp_dwarf *dwarf, const kp_unit *unit, const kp_value *value);
uint64_t kp_address_at(const kp_dwarf *dwarf, const kp_unit *unit, uint64_t index);
/* Offset in .debug_info of *file; UINT64_MAX for references that are not followed. */
uint64_t kp_value_reference(const kp_unit *unit, const kp_value *value, int *file);

/* dwarf_die.c */
/* The next entry's kind; NULL at the end of a row of siblings (*code is 0) or if it cannot be read. */
const kp_abbrev *kp_die_begin(kp_cursor *c, const kp_abbrevs *table, uint64_t *code);
/* The attributes of an entry. */
void kp_die_read(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev, kp_die *die);
/* Past an entry's attributes. */
void kp_die_skip(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev);
/* Past an entry and all that lies below it. */
void kp_die_skip_tree(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_abbrev *abbrev);
/* Past all that lies below an entry whose attributes were read. */
void kp_die_skip_children(kp_cursor *c, const kp_unit *unit, const kp_abbrevs *table, const kp_die *die);
/* The entry at an offset. Returns its unit, or NULL if there is none. */
kp_unit *kp_die_at(kp_dwarf *dwarf, int file, uint64_t offset, kp_die *die);

/* dwarf_unit.c */
int kp_units_list(kp_dwarf *dwarf, int file);
int64_t kp_unit_find(const kp_dwarf *dwarf, int file, uint64_t offset);
/* NULL if its header cannot be read. */
kp_unit *kp_unit_load(kp_dwarf *dwarf, int file, size_t number);
/* Forget a unit that nothing refers to. */
void kp_unit_drop(kp_dwarf *dwarf, int file, size_t number);
void kp_unit_free(kp_unit *unit);
/* A cursor that stands at `offset` and ends with the unit. */
kp_cursor kp_unit_cursor(const kp_dwarf *dwarf, const kp_unit *unit, uint64_t offset);
/* Read the first entry of a unit into `root`, and what it says of the unit into the unit. Returns its tag, 0 if
 * it cannot be read. */
uint16_t kp_unit_root(kp_dwarf *dwarf, kp_unit *unit, kp_die *root);
/* The same where only the latter is wanted; does nothing if it is known. Returns -1 if it cannot be read. */
int kp_unit_know(kp_dwarf *dwarf, kp_unit *unit);

/* dwarf_ranges.c */
typedef struct {
    kp_dwarf *dwarf;
    const kp_unit *unit;
    kp_cursor list;
    uint64_t base, low, high;
    enum { KP_NO_RANGE, KP_ONE_RANGE, KP_RANGE_LIST, KP_RANGE_LIST_5 } kind;
} kp_ranges;
kp_ranges kp_ranges_of(kp_dwarf *dwarf, const kp_unit *unit, const kp_die *die);
/* Whether there is another one, now in `low` and `high`; empty ones are left out. */
int kp_ranges_next(kp_ranges *ranges);

/* dwarf_index.c */
/* Numbers of the units that hold addresses, -1 where none does. */
void kp_units_of(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, int64_t *units);
/* First of the ascending addresses that is not below `low`. */
size_t kp_first_address(const uint64_t *addresses, size_t count, uint64_t low);

/* dwarf_line_header.c */
typedef struct {
    kp_span name;
    uint64_t folder;
    int32_t number; /* among dwarf->files; -1 if nobody asked yet */
} kp_line_file;

/* The line table of a unit. It is kept no longer than the unit is worked on. */
typedef struct {
    kp_dwarf *dwarf;
    const kp_unit *unit;
    kp_encoding encoding;
    kp_cursor program;
    uint8_t min_length, most_operations, line_range, opcode_base;
    int8_t line_base;
    uint8_t operands[256]; /* of standard opcodes */
    kp_span *folders;
    size_t folder_count, folder_room;
    kp_line_file *files;
    size_t file_count, file_room;
} kp_lines;
/* Read the header; an empty table if there is none. kp_lines_close follows. */
void kp_lines_open(kp_lines *lines, kp_dwarf *dwarf, const kp_unit *unit);
void kp_lines_close(kp_lines *lines);
/* Number among dwarf->files of a file of the table, -1 if it has no such file. */
int32_t kp_lines_file(kp_lines *lines, uint64_t index);

/* dwarf_line.c */
/* Fill in file and line of the addresses that the table covers. */
void kp_lines_assign(kp_lines *lines, const uint64_t *addresses, size_t count, kp_dwarf_place *places);

/* dwarf_lookup.c */
/* Add a file; its units are listed. Returns -1 when memory is out. */
int kp_file_add(kp_dwarf *dwarf, const kp_debug_sections *sections);
void kp_work_begin(kp_dwarf *dwarf, size_t count);

/* dwarf_walk.c */
void kp_unit_walk(kp_dwarf *dwarf, kp_unit *unit, const uint64_t *addresses, size_t count, kp_dwarf_place *places);

/* dwarf_scope.c */
int kp_is_scope(uint16_t tag); /* entries of this kind are part of the names of those within */
/* The innermost scope of the unit that holds an entry, -1 if none does; `unit->scopes` is filled. */
int32_t kp_scope_of(kp_dwarf *dwarf, kp_unit *unit, uint64_t offset);

/* dwarf_name.c */
int32_t kp_function_name(kp_dwarf *dwarf, int file, uint64_t offset);

#endif

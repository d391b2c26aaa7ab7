/* Which functions were inlined at an address, and the lines they stand on: DWARF 2 to 5.
 *
 * Only the compile units that hold the addresses asked for are read. Nothing in the sections is trusted:
 * what contradicts itself is left out, and work and memory are bounded by the size of the sections. */
#ifndef KP_DWARF_H
#define KP_DWARF_H

#include "intern.h"

typedef enum {
    KP_DEBUG_INFO,
    KP_DEBUG_ABBREV,
    KP_DEBUG_STR,
    KP_DEBUG_LINE_STR,
    KP_DEBUG_STR_OFFSETS,
    KP_DEBUG_ADDR,
    KP_DEBUG_RANGES,
    KP_DEBUG_RNGLISTS,
    KP_DEBUG_ARANGES,
    KP_DEBUG_LINE,
    KP_DEBUG_SECTIONS
} kp_debug_section;

/* The sections of one file, unpacked; empty where there is none. */
typedef struct {
    kp_span section[KP_DEBUG_SECTIONS];
} kp_debug_sections;

/* A function, or a call that was inlined: in `parent`, at `file`:`line`. -1 and 0 stand for none. */
typedef struct {
    int32_t parent;
    int32_t name; /* empty if it is not known; its tag says whether it is mangled */
    int32_t file;
    uint32_t line;
} kp_dwarf_node;

/* What is known of an address: the innermost function, and the row of the line table. */
typedef struct {
    int32_t node;
    int32_t file;
    uint32_t line;
} kp_dwarf_place;

typedef struct kp_dwarf kp_dwarf;

/* The sections must outlive it. `alt` (may be NULL) is the file that dwz moved shared entries to. NULL: no memory. */
kp_dwarf *kp_dwarf_open(const kp_debug_sections *main, const kp_debug_sections *alt, int swap);
void kp_dwarf_free(kp_dwarf *dwarf);

/* A unit whose entries the compiler left in a file of their own (.dwo), whose name is relative to `folder`. */
typedef struct {
    size_t unit;
    uint64_t id;
    kp_span folder, name;
} kp_split_unit;

/* The split units among those that hold addresses, valid until the next call. Returns -1 when memory is out. */
int kp_dwarf_split_units(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, const kp_split_unit **units,
                         size_t *unit_count);
/* Use the sections of a .dwo file, or a package's part, for a split unit; what is not that unit's is not used. Returns
 * -1 when memory is out. */
int kp_dwarf_add_split(kp_dwarf *dwarf, size_t unit, const kp_debug_sections *sections);

/* Fill a place for each of `count` addresses, which must ascend. Returns -1 when memory is out. */
int kp_dwarf_look_up(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, kp_dwarf_place *places);

/* What the numbers in nodes and places stand for. */
const kp_dwarf_node *kp_dwarf_nodes(const kp_dwarf *dwarf, size_t *count);
const kp_strings *kp_dwarf_names(const kp_dwarf *dwarf);
const kp_strings *kp_dwarf_files(const kp_dwarf *dwarf);

#endif

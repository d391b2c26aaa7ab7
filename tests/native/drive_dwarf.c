/* Drives the DWARF reader alone, for sanitizers: 64-bit ELF files of this machine's byte order, whole and with bytes
 * of their debug sections changed and cut. A .dwo file belongs to the program before it.
 * Usage: drive_dwarf ROUNDS FILE... */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dwarf.h"

enum { ADDRESSES = 2000 };

static const char *const names[KP_DEBUG_SECTIONS] = {
    ".debug_info", ".debug_abbrev", ".debug_str",      ".debug_line_str", ".debug_str_offsets",
    ".debug_addr", ".debug_ranges", ".debug_rnglists", ".debug_aranges",  ".debug_line",
};

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

typedef struct {
    kp_debug_sections sections;
    uint64_t low, high; /* of the code */
} debug_file;

static int is_called(const char *name, const char *wanted) {
    size_t size = strlen(wanted);
    return !strncmp(name, wanted, size) && (!name[size] || !strcmp(name + size, ".dwo"));
}

static void read_elf(const char *bytes, debug_file *file) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(bytes + header->e_shoff);
    const char *texts = bytes + sections[header->e_shstrndx].sh_offset;
    for (size_t i = 0; i < header->e_shnum; i++) {
        const char *name = texts + sections[i].sh_name;
        for (size_t k = 0; k < KP_DEBUG_SECTIONS; k++)
            if (is_called(name, names[k]))
                file->sections.section[k] = (kp_span){bytes + sections[i].sh_offset, sections[i].sh_size};
        if (strcmp(name, ".text")) continue;
        file->low = sections[i].sh_addr;
        file->high = file->low + sections[i].sh_size;
    }
}

/* Whatever the input: numbers lead somewhere, and chains end. */
static void check(const kp_dwarf *dwarf, const kp_dwarf_place *places, size_t count) {
    size_t nodes, names_count = kp_dwarf_names(dwarf)->count, files = kp_dwarf_files(dwarf)->count;
    const kp_dwarf_node *node = kp_dwarf_nodes(dwarf, &nodes);
    for (size_t i = 0; i < nodes; i++) {
        if (node[i].parent >= (int32_t)i) abort();
        if (node[i].name >= (int64_t)names_count || node[i].file >= (int64_t)files) abort();
    }
    for (size_t i = 0; i < count; i++)
        if (places[i].node >= (int64_t)nodes || places[i].file >= (int64_t)files) abort();
}

static void add_splits(kp_dwarf *dwarf, const uint64_t *addresses, const debug_file *split) {
    const kp_split_unit *units;
    size_t count;
    if (kp_dwarf_split_units(dwarf, addresses, ADDRESSES, &units, &count)) abort();
    for (size_t i = 0; i < count; i++)
        if (kp_dwarf_add_split(dwarf, units[i].unit, &split->sections)) abort();
}

static size_t look_up(const debug_file *file, const debug_file *alt, const debug_file *split, int swap) {
    static uint64_t addresses[ADDRESSES];
    static kp_dwarf_place places[ADDRESSES];
    size_t known = 0;
    for (size_t i = 0; i < ADDRESSES; i++) addresses[i] = file->low + (file->high - file->low) * i / ADDRESSES;
    kp_dwarf *dwarf = kp_dwarf_open(&file->sections, alt ? &alt->sections : NULL, swap);
    if (!dwarf) abort();
    add_splits(dwarf, addresses, split);
    if (kp_dwarf_look_up(dwarf, addresses, ADDRESSES, places)) abort();
    check(dwarf, places, ADDRESSES);
    for (size_t i = 0; i < ADDRESSES; i++) known += places[i].node >= 0;
    kp_dwarf_free(dwarf);
    return known;
}

/* An exact allocation, so that the sanitizer sees every byte read past the end. */
static kp_span copy_of(kp_span from, size_t size) {
    char *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, from.at, size);
    return (kp_span){copy, size};
}

static void damage(kp_span section) {
    static const unsigned char striking[] = {0, 1, 0x7f, 0x80, 0xff};
    char *bytes = (char *)section.at;
    for (uint64_t n = draw() % 12; n && section.size; n--) {
        uint64_t kind = draw() % 8;
        bytes[draw() % section.size] = kind < sizeof striking ? (char)striking[kind] : (char)draw();
    }
}

static debug_file damaged_copy(const debug_file *file) {
    debug_file copy = *file;
    for (size_t k = 0; k < KP_DEBUG_SECTIONS; k++) {
        kp_span whole = file->sections.section[k];
        size_t part = whole.size && draw() % 16 == 0 ? draw() % whole.size : whole.size;
        copy.sections.section[k] = copy_of(whole, part);
        if (draw() % 2) damage(copy.sections.section[k]);
    }
    return copy;
}

static void drop(debug_file *file) {
    for (size_t k = 0; k < KP_DEBUG_SECTIONS; k++) free((char *)file->sections.section[k].at);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return NULL;
    size_t size = (size_t)ftell(file);
    char *bytes = malloc(size);
    rewind(file);
    if (fread(bytes, 1, size, file) != size) return NULL;
    fclose(file);
    return bytes;
}

static int drive(const char *path, const char *split_path, int rounds) {
    char *bytes = read_file(path), *split_bytes = split_path ? read_file(split_path) : NULL;
    debug_file file = {0}, split = {0};
    if (!bytes || (split_path && !split_bytes)) return 2;
    read_elf(bytes, &file);
    if (split_bytes) read_elf(split_bytes, &split);
    if (!look_up(&file, NULL, &split, 0)) return 3;
    look_up(&file, NULL, &split, 1);
    for (int round = 0; round < rounds; round++) {
        debug_file damaged = damaged_copy(&file), alt = damaged_copy(&file), damaged_split = damaged_copy(&split);
        look_up(&damaged, draw() % 4 ? NULL : &alt, &damaged_split, draw() % 32 == 0);
        drop(&damaged);
        drop(&alt);
        drop(&damaged_split);
    }
    free(bytes);
    free(split_bytes);
    return 0;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        int has_split = i + 1 < argc && strstr(argv[i + 1], ".dwo");
        int status = drive(argv[i], has_split ? argv[i + 1] : NULL, rounds);
        if (status) return status;
        i += has_split;
    }
    return 0;
}

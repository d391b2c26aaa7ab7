/* The header of a line table: its folders and files (6.2.4; DWARF 4, 6.2.4 for older ones). */
#include <stdlib.h>

#include "dwarf_state.h"

enum { LONGEST_PATH = 4096 };

static int add_folder(kp_lines *lines, kp_span folder) {
    if (KP_RESERVE(lines->folders, lines->folder_room, lines->folder_count, 1)) return -1;
    lines->folders[lines->folder_count++] = folder;
    return 0;
}

static int add_file(kp_lines *lines, kp_span name, uint64_t folder) {
    if (KP_RESERVE(lines->files, lines->file_room, lines->file_count, 1)) return -1;
    lines->files[lines->file_count++] = (kp_line_file){name, folder, -1};
    return 0;
}

/* Before DWARF 5, folder and file 0 are those of the unit, and an empty name ends a list. */
static int read_old_names(kp_lines *lines, kp_cursor *c) {
    if (add_folder(lines, lines->unit->folder) || add_file(lines, lines->unit->name, 0)) return -1;
    for (;;) {
        kp_span folder;
        folder.at = kp_text_z(c, &folder.size);
        if (!folder.size || c->failed) break;
        if (add_folder(lines, folder)) return -1;
    }
    for (;;) {
        kp_span name;
        name.at = kp_text_z(c, &name.size);
        if (!name.size || c->failed) return 0;
        uint64_t folder = kp_uleb(c);
        (void)kp_uleb(c); /* time */
        (void)kp_uleb(c); /* size */
        if (add_file(lines, name, folder)) return -1;
    }
}

typedef struct {
    uint64_t content[255];
    uint16_t form[255];
    unsigned count;
} kp_entry_format;

static void read_format(kp_cursor *c, kp_entry_format *format) {
    format->count = kp_u8(c);
    for (unsigned i = 0; i < format->count; i++) {
        format->content[i] = kp_uleb(c);
        format->form[i] = (uint16_t)kp_uleb(c);
    }
}

/* One list of entries, of folders or of files. */
static int read_entries(kp_lines *lines, kp_cursor *c, int are_files) {
    kp_entry_format format;
    read_format(c, &format);
    uint64_t count = kp_uleb(c);
    for (uint64_t i = 0; i < count && kp_left(c); i++) {
        const uint8_t *before = c->at;
        kp_span path = {"", 0};
        uint64_t folder = 0;
        for (unsigned k = 0; k < format.count; k++) {
            kp_value value = kp_value_read(c, format.form[k], 0, lines->encoding);
            if (format.content[k] == DW_LNCT_path) path = kp_value_text(lines->dwarf, lines->unit, &value);
            if (format.content[k] == DW_LNCT_directory_index) folder = value.number;
        }
        /* An entry that takes no room could be there any number of times. */
        if (c->failed || c->at == before || !kp_spend(lines->dwarf, format.count)) return 0;
        if (are_files ? add_file(lines, path, folder) : add_folder(lines, path)) return -1;
    }
    return 0;
}

static void read_operands(kp_lines *lines, kp_cursor *c) {
    for (unsigned i = 1; i < lines->opcode_base; i++) lines->operands[i] = kp_u8(c);
}

/* Up to the lists of names. Returns where the program begins, NULL if the header makes no sense. */
static const uint8_t *read_start(kp_lines *lines, kp_cursor *c) {
    uint64_t length = kp_initial_length(c, &lines->encoding.offset_size);
    if (length > kp_left(c)) return NULL;
    c->end = c->at + length;
    uint16_t version = kp_u16(c);
    if (version < 2 || version > 5) return NULL;
    lines->encoding.version = (uint8_t)version;
    lines->encoding.address_size = lines->unit->encoding.address_size;
    if (version == 5) {
        lines->encoding.address_size = kp_u8(c);
        kp_skip(c, 1); /* size of segment selectors */
    }
    uint64_t header_length = kp_sized(c, lines->encoding.offset_size);
    if (c->failed || header_length > kp_left(c)) return NULL;
    const uint8_t *program = c->at + header_length;
    lines->min_length = kp_u8(c);
    lines->most_operations = version >= 4 ? kp_u8(c) : 1;
    kp_skip(c, 1); /* is_stmt */
    lines->line_base = (int8_t)kp_u8(c);
    lines->line_range = kp_u8(c);
    lines->opcode_base = kp_u8(c);
    read_operands(lines, c);
    return c->failed || !lines->line_range || !lines->most_operations || !lines->opcode_base ? NULL : program;
}

void kp_lines_open(kp_lines *lines, kp_dwarf *dwarf, const kp_unit *unit) {
    *lines = (kp_lines){.dwarf = dwarf, .unit = unit};
    if (!unit->has_line) return;
    kp_cursor c = kp_section_at(dwarf, unit->file, KP_DEBUG_LINE, unit->line);
    const uint8_t *program = read_start(lines, &c);
    if (!program) return;
    lines->program = c;
    lines->program.at = program;
    c.end = program;
    /* Several units may share a table; each pays for it. */
    if (c.at > c.end || !kp_spend(dwarf, (uint64_t)(lines->program.end - c.at))) {
        lines->program.at = lines->program.end;
        return;
    }
    int status = lines->encoding.version < 5 ? read_old_names(lines, &c)
                                             : (read_entries(lines, &c, 0) || read_entries(lines, &c, 1));
    if (status) dwarf->no_memory = 1;
}

void kp_lines_close(kp_lines *lines) {
    free(lines->folders);
    free(lines->files);
    *lines = (kp_lines){0};
}

static int is_absolute(kp_span path) { return path.size && path.at[0] == '/'; }

static void join(char *path, size_t *size, kp_span part) {
    if (!part.size) return;
    if (*size && path[*size - 1] != '/') path[(*size)++] = '/';
    memcpy(path + *size, part.at, part.size);
    *size += part.size;
}

/* A file below its folder below the folder that the compiler ran in, as far as each is not absolute. */
static int32_t add_path(kp_lines *lines, const kp_line_file *file) {
    kp_span none = {"", 0};
    kp_span folder = file->folder < lines->folder_count ? lines->folders[file->folder] : none;
    if (is_absolute(file->name)) folder = none;
    kp_span top = is_absolute(file->name) || is_absolute(folder) ? none : lines->unit->folder;
    if (!file->folder && lines->encoding.version < 5) top = none;
    kp_span parts[3] = {top, folder, file->name};
    char path[LONGEST_PATH];
    size_t size = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i].size >= LONGEST_PATH - size - 1) return -1;
        join(path, &size, parts[i]);
    }
    if (!size || !kp_spend(lines->dwarf, size)) return -1;
    int64_t number = kp_strings_add(&lines->dwarf->files, (kp_span){path, size}, 0, NULL);
    if (number < 0) lines->dwarf->no_memory = 1;
    return (int32_t)number;
}

int32_t kp_lines_file(kp_lines *lines, uint64_t index) {
    if (index >= lines->file_count) return -1;
    kp_line_file *file = &lines->files[index];
    if (file->number < 0) file->number = add_path(lines, file);
    return file->number;
}

/* What the parts of the reader of call frame information share. */
#ifndef KP_CFI_STATE_H
#define KP_CFI_STATE_H

#include "cfi_row.h"

typedef struct {
    uint64_t start, size;
    uint32_t entry; /* offset of the FDE in its section */
} kp_cfi_range;

/* The FDEs of a section by address, made when there is no table for it in the file. */
typedef struct {
    kp_cfi_range *items;
    size_t count, room;
    int is_made;
} kp_cfi_index;

struct kp_cfi {
    kp_cfi_image image;
    kp_cfi_segment *segments;
    unsigned width; /* bytes of an address */
    const uint8_t *table; /* of .eh_frame_hdr: pairs of 32-bit offsets, of a function and of its FDE */
    size_t table_count;
    kp_cfi_index eh_index, debug_index;
    kp_cfi_row *rows; /* cache by address */
    unsigned row_bits;
    uint64_t patience_used; /* instructions that were run in long programs */
};

/* Common information entry: what several FDEs have in common. */
typedef struct {
    uint64_t code_factor;
    int64_t data_factor;
    unsigned width, segment_width;
    uint8_t encoding, return_register, is_signal, is_sized;
    kp_cursor program;
} kp_cfi_cie;

/* Frame description entry: one range of code. */
typedef struct {
    kp_cfi_cie cie;
    const kp_cfi_section *section;
    uint64_t start, size;
    kp_cursor program;
} kp_cfi_fde;

/* An entry of either kind, as far as both are alike. */
typedef struct {
    size_t offset, next; /* of this entry and the next in the section */
    size_t cie;          /* of an FDE: where its CIE is */
    int is_cie;
    kp_cursor body;
} kp_cfi_entry;

/* A CIE that was read, to be used for the next FDE of the same. */
typedef struct {
    size_t offset;
    int is_read;
    kp_cfi_cie cie;
} kp_cfi_last;

static inline int kp_cfi_is_debug(const kp_cfi *cfi, const kp_cfi_section *section) {
    return section == &cfi->image.debug_frame;
}

static inline uint64_t kp_cfi_cut(uint64_t value, unsigned width) {
    return width == 4 ? (uint32_t)value : value;
}

/* cfi_entry.c: all return 0, or -1 for what is damaged or of an unknown kind. */
int kp_cfi_pointer(kp_cursor *c, const kp_cfi_section *section, uint8_t encoding, unsigned width, uint64_t *value);
int kp_cfi_entry_at(const kp_cfi *cfi, const kp_cfi_section *section, size_t offset, kp_cfi_entry *entry);
int kp_cfi_fde_of(const kp_cfi *cfi, const kp_cfi_section *section, const kp_cfi_entry *entry, kp_cfi_last *last,
                  kp_cfi_fde *fde);

/* cfi_index.c */
void kp_cfi_open_table(kp_cfi *cfi);
int kp_cfi_find(kp_cfi *cfi, uint64_t address, kp_cfi_fde *fde);

/* cfi_program.c */
int kp_cfi_run(kp_cfi *cfi, const kp_cfi_fde *fde, uint64_t address, kp_cfi_row *row);

#endif

/* The table of one file, with a cache of the rows that were asked for. */
#include "cfi.h"

#include <elf.h>
#include <stdlib.h>

#include "cfi_state.h"

/* Rows in the cache: their memory stays below about twice that of the sections. */
enum { BYTES_A_ROW = 128, FEWEST_BITS = 6, MOST_BITS = 14 };

/* Offsets into a section are kept in 31 bits. */
static void drop_if_huge(kp_cfi_section *section) {
    if (section->size > INT32_MAX) section->at = NULL;
    if (!section->at) section->size = 0;
}

kp_cfi *kp_cfi_new(const kp_cfi_image *image) {
    kp_cfi *cfi = calloc(1, sizeof *cfi);
    if (!cfi) return NULL;
    cfi->image = *image;
    cfi->segments = calloc(image->segment_count + 1, sizeof *cfi->segments);
    if (!cfi->segments) {
        free(cfi);
        return NULL;
    }
    if (image->segment_count) memcpy(cfi->segments, image->segments, image->segment_count * sizeof *cfi->segments);
    cfi->image.segments = cfi->segments;
    cfi->width = image->machine == EM_386 ? 4 : 8;
    drop_if_huge(&cfi->image.eh_frame);
    drop_if_huge(&cfi->image.eh_frame_hdr);
    drop_if_huge(&cfi->image.debug_frame);
    size_t rows = (cfi->image.eh_frame.size + cfi->image.debug_frame.size) / BYTES_A_ROW;
    cfi->row_bits = FEWEST_BITS;
    while (cfi->row_bits < MOST_BITS && (size_t)1 << cfi->row_bits < rows) cfi->row_bits++;
    kp_cfi_open_table(cfi);
    return cfi;
}

void kp_cfi_free(kp_cfi *cfi) {
    if (!cfi) return;
    free(cfi->segments);
    free(cfi->eh_index.items);
    free(cfi->debug_index.items);
    free(cfi->rows);
    free(cfi);
}

int kp_cfi_machine(const kp_cfi *cfi) { return cfi->image.machine; }

int kp_cfi_address(const kp_cfi *cfi, uint64_t file_offset, uint64_t *address) {
    for (size_t i = 0; i < cfi->image.segment_count; i++) {
        const kp_cfi_segment *segment = &cfi->segments[i];
        if (file_offset - segment->offset >= segment->size) continue;
        *address = file_offset - segment->offset + segment->address;
        return 0;
    }
    return -1;
}

const kp_cfi_row *kp_cfi_row_at(kp_cfi *cfi, uint64_t address) {
    if (!cfi->rows) cfi->rows = calloc((size_t)1 << cfi->row_bits, sizeof *cfi->rows);
    if (!cfi->rows || address == UINT64_MAX) return NULL;
    kp_cfi_row *row = &cfi->rows[address * 0x9e3779b97f4a7c15u >> (64 - cfi->row_bits)];
    if (row->key != address + 1) {
        kp_cfi_fde fde;
        memset(row, 0, sizeof *row);
        row->key = address + 1;
        if (kp_cfi_find(cfi, address, &fde) || kp_cfi_run(cfi, &fde, address, row)) row->flags = KP_CFI_NONE;
    }
    return row->flags & KP_CFI_NONE ? NULL : row;
}

kp_cursor kp_cfi_expression(const kp_cfi *cfi, const kp_cfi_row *row, int32_t value) {
    const kp_cfi_section *section = row->flags & KP_CFI_DEBUG ? &cfi->image.debug_frame : &cfi->image.eh_frame;
    kp_cursor c = kp_cursor_of(section->at + value, section->size - (size_t)value, cfi->image.swap);
    uint64_t size = kp_uleb(&c);
    const uint8_t *at = kp_take(&c, size);
    return kp_cursor_of(at ? at : section->at, at ? size : 0, cfi->image.swap);
}

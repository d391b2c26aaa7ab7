/* Which FDE describes an address. */
#include <stdlib.h>

#include "cfi_state.h"
#include "memory.h"

/* Offsets from the start of .eh_frame_hdr in four bytes: what every linker writes. */
enum { HDR_VERSION = 1, HDR_PAIRS = 0x3b, PAIR = 8 };

static uint32_t word_at(const kp_cfi *cfi, const uint8_t *at) {
    kp_cursor c = kp_cursor_of(at, 4, cfi->image.swap);
    return kp_u32(&c);
}

/* .eh_frame_hdr: Linux Standard Base 5.0, section 10.6.2. */
void kp_cfi_open_table(kp_cfi *cfi) {
    const kp_cfi_section *hdr = &cfi->image.eh_frame_hdr;
    if (!hdr->at || !cfi->image.eh_frame.at) return;
    kp_cursor c = kp_cursor_of(hdr->at, hdr->size, cfi->image.swap);
    uint8_t version = kp_u8(&c), of_frame = kp_u8(&c), of_count = kp_u8(&c), of_table = kp_u8(&c);
    uint64_t unused, count;
    if (c.failed || version != HDR_VERSION || of_table != HDR_PAIRS) return;
    if (kp_cfi_pointer(&c, hdr, of_frame, cfi->width, &unused)) return;
    if (kp_cfi_pointer(&c, hdr, of_count, cfi->width, &count)) return;
    cfi->table = c.at;
    cfi->table_count = count < kp_left(&c) / PAIR ? count : kp_left(&c) / PAIR;
}

static int in_code(const kp_cfi *cfi, uint64_t address) {
    for (size_t i = 0; i < cfi->image.segment_count; i++)
        if (address - cfi->segments[i].address < cfi->segments[i].size) return 1;
    return 0;
}

static int by_start(const void *a, const void *b) {
    const kp_cfi_range *left = a, *right = b;
    if (left->start != right->start) return left->start < right->start ? -1 : 1;
    return left->entry < right->entry ? -1 : 1;
}

/* Without memory for it, or behind what is damaged, the index is short. */
static void make_index(const kp_cfi *cfi, const kp_cfi_section *section, kp_cfi_index *index) {
    kp_cfi_last last = {0};
    index->is_made = 1;
    for (size_t offset = 0; section->size - offset > 4;) {
        kp_cfi_entry entry;
        kp_cfi_fde fde;
        if (!word_at(cfi, section->at + offset)) { /* where the end was for one of the linked files */
            offset += 4;
            continue;
        }
        if (kp_cfi_entry_at(cfi, section, offset, &entry)) break;
        offset = entry.next;
        /* Functions that the linker dropped are left at addresses where there is no code. */
        if (entry.is_cie || kp_cfi_fde_of(cfi, section, &entry, &last, &fde) || !in_code(cfi, fde.start)) continue;
        if (KP_RESERVE(index->items, index->room, index->count, 1)) break;
        index->items[index->count++] = (kp_cfi_range){fde.start, fde.size, (uint32_t)entry.offset};
    }
    if (index->count) qsort(index->items, index->count, sizeof *index->items, by_start);
}

static int fde_at(const kp_cfi *cfi, const kp_cfi_section *section, uint64_t offset, uint64_t address, kp_cfi_fde *fde) {
    kp_cfi_last last = {0};
    kp_cfi_entry entry;
    if (offset >= section->size || kp_cfi_entry_at(cfi, section, offset, &entry) || entry.is_cie) return -1;
    if (kp_cfi_fde_of(cfi, section, &entry, &last, fde)) return -1;
    return address - fde->start < fde->size ? 0 : -1;
}

static int find_in_table(const kp_cfi *cfi, uint64_t address, kp_cfi_fde *fde) {
    uint64_t base = cfi->image.eh_frame_hdr.address;
    int64_t wanted = (int64_t)(address - base);
    size_t low = 0, high = cfi->table_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((int32_t)word_at(cfi, cfi->table + middle * PAIR) <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low) return -1;
    int64_t entry = (int32_t)word_at(cfi, cfi->table + (low - 1) * PAIR + 4);
    const kp_cfi_section *section = &cfi->image.eh_frame;
    return fde_at(cfi, section, kp_cfi_cut(base + (uint64_t)entry - section->address, cfi->width), address, fde);
}

static int find_in_index(const kp_cfi *cfi, const kp_cfi_section *section, kp_cfi_index *index, uint64_t address,
                         kp_cfi_fde *fde) {
    if (!section->at) return -1;
    if (!index->is_made) make_index(cfi, section, index);
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->items[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || address - index->items[low - 1].start >= index->items[low - 1].size) return -1;
    return fde_at(cfi, section, index->items[low - 1].entry, address, fde);
}

/* .debug_frame comes last: some compilers describe there what they leave out of .eh_frame. */
int kp_cfi_find(kp_cfi *cfi, uint64_t address, kp_cfi_fde *fde) {
    const kp_cfi_image *image = &cfi->image;
    int missing = cfi->table_count ? find_in_table(cfi, address, fde)
                                   : find_in_index(cfi, &image->eh_frame, &cfi->eh_index, address, fde);
    return missing ? find_in_index(cfi, &image->debug_frame, &cfi->debug_index, address, fde) : 0;
}

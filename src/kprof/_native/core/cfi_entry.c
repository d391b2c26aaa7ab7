/* Entries of .eh_frame and .debug_frame, and the pointers in them. */
#include "cfi_state.h"

/* Encodings of pointers: Linux Standard Base 5.0, tables 10.5 and 10.6. */
enum {
    PE_ABSPTR = 0x00,
    PE_ULEB = 0x01,
    PE_UDATA2 = 0x02,
    PE_UDATA4 = 0x03,
    PE_UDATA8 = 0x04,
    PE_SLEB = 0x09,
    PE_SDATA2 = 0x0a,
    PE_SDATA4 = 0x0b,
    PE_SDATA8 = 0x0c,
    PE_FORMAT = 0x0f,
    PE_PCREL = 0x10,
    PE_DATAREL = 0x30,
    PE_ALIGNED = 0x50,
    PE_BASE = 0x70,
    PE_INDIRECT = 0x80
};

/* No head of an entry is longer; whoever claims so may not keep us busy. */
enum { LONGEST_HEAD = 256, LONGEST_AUGMENTATION = 16 };

static int read_number(kp_cursor *c, unsigned format, unsigned width, uint64_t *value) {
    switch (format) {
    case PE_ABSPTR: *value = width == 4 ? kp_u32(c) : kp_u64(c); break;
    case PE_ULEB: *value = kp_uleb(c); break;
    case PE_UDATA2: *value = kp_u16(c); break;
    case PE_UDATA4: *value = kp_u32(c); break;
    case PE_UDATA8:
    case PE_SDATA8: *value = kp_u64(c); break;
    case PE_SLEB: *value = (uint64_t)kp_sleb(c); break;
    case PE_SDATA2: *value = (uint64_t)(int64_t)(int16_t)kp_u16(c); break;
    case PE_SDATA4: *value = (uint64_t)(int64_t)(int32_t)kp_u32(c); break;
    default: return -1;
    }
    return c->failed ? -1 : 0;
}

int kp_cfi_pointer(kp_cursor *c, const kp_cfi_section *section, uint8_t encoding, unsigned width, uint64_t *value) {
    uint64_t base = 0, here = section->address + (uint64_t)(c->at - section->at);
    switch (encoding & PE_BASE) {
    case PE_ABSPTR: break;
    case PE_PCREL: base = here; break;
    case PE_DATAREL: base = section->address; break; /* true of .eh_frame_hdr, the only one to use it */
    case PE_ALIGNED:
        if (encoding != PE_ALIGNED) return -1;
        kp_skip(c, -here & (width - 1));
        break;
    default: return -1;
    }
    if (read_number(c, encoding & PE_FORMAT, width, value)) return -1;
    *value = kp_cfi_cut(*value + base, width);
    /* What an indirect pointer points at is filled in at run time. */
    return encoding & PE_INDIRECT ? -1 : 0;
}

int kp_cfi_entry_at(const kp_cfi *cfi, const kp_cfi_section *section, size_t offset, kp_cfi_entry *entry) {
    if (offset >= section->size) return -1;
    kp_cursor c = kp_cursor_of(section->at + offset, section->size - offset, cfi->image.swap);
    int is_debug = kp_cfi_is_debug(cfi, section), is_wide = 0;
    uint64_t size = kp_u32(&c);
    if (size == UINT32_MAX) {
        is_wide = 1;
        size = kp_u64(&c);
    }
    const uint8_t *at = kp_take(&c, size);
    if (c.failed || !at) return -1;
    entry->offset = offset;
    entry->next = (size_t)(c.at - section->at);
    entry->body = kp_cursor_of(at, size, cfi->image.swap);
    /* In .eh_frame the link is four bytes wide always, 0 in a CIE, and counts back from itself. */
    uint64_t link = is_debug && is_wide ? kp_u64(&entry->body) : kp_u32(&entry->body);
    uint64_t here = (uint64_t)(at - section->at);
    entry->is_cie = link == (is_debug ? (is_wide ? UINT64_MAX : UINT32_MAX) : 0);
    entry->cie = is_debug ? link : here - link;
    return entry->body.failed || (!entry->is_cie && entry->cie >= section->size) ? -1 : 0;
}

static kp_cursor head_of(kp_cursor body) {
    if (kp_left(&body) > LONGEST_HEAD) body.end = body.at + LONGEST_HEAD;
    return body;
}

/* What the letters of an augmentation announce: Linux Standard Base 5.0, section 10.6.1.1.1. */
static int read_augmentation(kp_cursor *c, const kp_cfi_section *section, const char *letters, kp_cfi_cie *cie) {
    if (!*letters) return 0;
    if (*letters != 'z') return -1;
    cie->is_sized = 1;
    uint64_t size = kp_uleb(c), unused;
    const uint8_t *at = kp_take(c, size);
    if (!at) return -1;
    kp_cursor data = kp_cursor_of(at, size, c->swap);
    while (*++letters) {
        switch (*letters) {
        case 'R': cie->encoding = kp_u8(&data); break;
        case 'L': kp_skip(&data, 1); break;
        case 'S': cie->is_signal = 1; break;
        case 'B': /* AArch64: return addresses are signed with the other key */
        case 'G': /* AArch64: the stack frame is tagged */ break;
        case 'P': {
            uint8_t encoding = kp_u8(&data) & ~PE_INDIRECT;
            if (kp_cfi_pointer(&data, section, encoding, cie->width, &unused)) return -1;
            break;
        }
        default: return 0; /* unknown, and so is all that follows; its size is known */
        }
    }
    return data.failed ? -1 : 0;
}

static int read_cie(const kp_cfi *cfi, const kp_cfi_section *section, size_t offset, kp_cfi_cie *cie) {
    kp_cfi_entry entry;
    if (kp_cfi_entry_at(cfi, section, offset, &entry) || !entry.is_cie) return -1;
    memset(cie, 0, sizeof *cie);
    cie->width = cfi->width;
    kp_cursor c = head_of(entry.body);
    uint8_t version = kp_u8(&c);
    size_t size;
    const char *letters = kp_text_z(&c, &size);
    if ((version != 1 && version != 3 && version != 4) || size > LONGEST_AUGMENTATION || c.failed) return -1;
    if (!strncmp(letters, "eh", 2)) { /* GCC 2 */
        letters += 2;
        kp_skip(&c, cie->width);
    }
    if (version == 4) {
        cie->width = kp_u8(&c);
        cie->segment_width = kp_u8(&c);
        if ((cie->width != 4 && cie->width != 8) || cie->segment_width > 8) return -1;
    }
    cie->code_factor = kp_uleb(&c);
    cie->data_factor = kp_sleb(&c);
    uint64_t number = version == 1 ? kp_u8(&c) : kp_uleb(&c);
    if (number >= KP_CFI_REGISTERS || read_augmentation(&c, section, letters, cie) || c.failed) return -1;
    cie->return_register = (uint8_t)number;
    cie->program = entry.body;
    cie->program.at = c.at;
    return 0;
}

int kp_cfi_fde_of(const kp_cfi *cfi, const kp_cfi_section *section, const kp_cfi_entry *entry, kp_cfi_last *last,
                  kp_cfi_fde *fde) {
    if (!last->is_read || last->offset != entry->cie) {
        last->is_read = 0;
        if (read_cie(cfi, section, entry->cie, &last->cie)) return -1;
        last->is_read = 1;
        last->offset = entry->cie;
    }
    fde->cie = last->cie;
    fde->section = section;
    kp_cursor c = head_of(entry->body);
    const kp_cfi_cie *cie = &fde->cie;
    kp_skip(&c, cie->segment_width);
    if (kp_cfi_pointer(&c, section, cie->encoding, cie->width, &fde->start)) return -1;
    if (read_number(&c, cie->encoding & PE_FORMAT, cie->width, &fde->size)) return -1;
    fde->size = kp_cfi_cut(fde->size, cie->width);
    if (cie->is_sized) kp_skip(&c, kp_uleb(&c));
    if (c.failed) return -1;
    fde->program = entry->body;
    fde->program.at = c.at;
    return 0;
}

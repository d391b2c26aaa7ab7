/* Values of attributes (7.5.5, 7.5.6), and what they refer to. */
#include "dwarf_state.h"

int kp_form_size(uint16_t form, kp_encoding encoding) {
    switch (form) {
        case DW_FORM_flag_present:
        case DW_FORM_implicit_const: return 0;
        case DW_FORM_data1:
        case DW_FORM_flag:
        case DW_FORM_ref1:
        case DW_FORM_strx1:
        case DW_FORM_addrx1: return 1;
        case DW_FORM_data2:
        case DW_FORM_ref2:
        case DW_FORM_strx2:
        case DW_FORM_addrx2: return 2;
        case DW_FORM_strx3:
        case DW_FORM_addrx3: return 3;
        case DW_FORM_data4:
        case DW_FORM_ref4:
        case DW_FORM_ref_sup4:
        case DW_FORM_strx4:
        case DW_FORM_addrx4: return 4;
        case DW_FORM_data8:
        case DW_FORM_ref8:
        case DW_FORM_ref_sig8:
        case DW_FORM_ref_sup8: return 8;
        case DW_FORM_data16: return 16;
        case DW_FORM_addr: return encoding.address_size;
        /* An address until DWARF 3 made it an offset. */
        case DW_FORM_ref_addr: return encoding.version == 2 ? encoding.address_size : encoding.offset_size;
        case DW_FORM_strp:
        case DW_FORM_line_strp:
        case DW_FORM_strp_sup:
        case DW_FORM_sec_offset:
        case DW_FORM_GNU_ref_alt:
        case DW_FORM_GNU_strp_alt: return encoding.offset_size;
        default: return -1;
    }
}

static uint64_t three_bytes(kp_cursor *c) {
    const uint8_t *at = kp_take(c, 3);
    if (!at) return 0;
    return c->swap == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) ? (uint64_t)at[0] << 16 | at[1] << 8 | at[2]
                                                                  : (uint64_t)at[2] << 16 | at[1] << 8 | at[0];
}

static uint64_t varying_number(kp_cursor *c, uint16_t form) {
    switch (form) {
        case DW_FORM_sdata: return (uint64_t)kp_sleb(c);
        case DW_FORM_udata:
        case DW_FORM_ref_udata:
        case DW_FORM_strx:
        case DW_FORM_addrx:
        case DW_FORM_loclistx:
        case DW_FORM_rnglistx:
        case DW_FORM_GNU_addr_index:
        case DW_FORM_GNU_str_index: return kp_uleb(c);
        case DW_FORM_block:
        case DW_FORM_exprloc: kp_skip(c, kp_uleb(c)); return 0;
        case DW_FORM_block1: kp_skip(c, kp_u8(c)); return 0;
        case DW_FORM_block2: kp_skip(c, kp_u16(c)); return 0;
        case DW_FORM_block4: kp_skip(c, kp_u32(c)); return 0;
        default: kp_skip(c, UINT64_MAX); return 0; /* a form we have never heard of: nothing after it makes sense */
    }
}

kp_value kp_value_read(kp_cursor *c, uint16_t form, int64_t constant, kp_encoding encoding) {
    while (form == DW_FORM_indirect && !c->failed) form = (uint16_t)kp_uleb(c);
    kp_value value = {.form = form};
    int size = kp_form_size(form, encoding);
    if (form == DW_FORM_implicit_const) value.number = (uint64_t)constant;
    else if (form == DW_FORM_flag_present) value.number = 1;
    else if (form == DW_FORM_string) value.text.at = kp_text_z(c, &value.text.size);
    else if (size == 3) value.number = three_bytes(c);
    else if (size == 16) kp_skip(c, 16);
    else if (size >= 0) value.number = kp_sized(c, (unsigned)size);
    else value.number = varying_number(c, form);
    return value;
}

/* Text that ends nowhere near is no name and no path. */
enum { LONGEST_TEXT = 1 << 16 };

static kp_span text_at(const kp_dwarf *dwarf, int file, kp_debug_section section, uint64_t offset) {
    kp_span text = {"", 0};
    kp_cursor c = kp_section_at(dwarf, file, section, offset);
    if (kp_left(&c) > LONGEST_TEXT) c.end = c.at + LONGEST_TEXT;
    if (!kp_left(&c)) return text;
    text.at = kp_text_z(&c, &text.size);
    return text;
}

static kp_span indexed_text(const kp_dwarf *dwarf, const kp_unit *unit, uint64_t index) {
    kp_span none = {"", 0};
    kp_cursor c = kp_section_at(dwarf, unit->file, KP_DEBUG_STR_OFFSETS, unit->str_offsets_base);
    if (index > kp_left(&c) / unit->encoding.offset_size) return none;
    kp_skip(&c, index * unit->encoding.offset_size);
    uint64_t offset = kp_sized(&c, unit->encoding.offset_size);
    return c.failed ? none : text_at(dwarf, unit->file, KP_DEBUG_STR, offset);
}

kp_span kp_value_text(const kp_dwarf *dwarf, const kp_unit *unit, const kp_value *value) {
    switch (value->form) {
        case DW_FORM_string: return value->text;
        case DW_FORM_strp: return text_at(dwarf, unit->file, KP_DEBUG_STR, value->number);
        case DW_FORM_line_strp: return text_at(dwarf, unit->file, KP_DEBUG_LINE_STR, value->number);
        case DW_FORM_strp_sup:
        case DW_FORM_GNU_strp_alt: return text_at(dwarf, KP_ALT, KP_DEBUG_STR, value->number);
        case DW_FORM_strx:
        case DW_FORM_strx1:
        case DW_FORM_strx2:
        case DW_FORM_strx3:
        case DW_FORM_strx4:
        case DW_FORM_GNU_str_index: return indexed_text(dwarf, unit, value->number);
        default: return (kp_span){"", 0};
    }
}

static int is_index(uint16_t form) {
    int is_sized = form >= DW_FORM_addrx1 && form <= DW_FORM_addrx4;
    return is_sized || form == DW_FORM_addrx || form == DW_FORM_GNU_addr_index;
}

int kp_value_is_address(const kp_value *value) { return value->form == DW_FORM_addr || is_index(value->form); }

uint64_t kp_address_at(const kp_dwarf *dwarf, const kp_unit *unit, uint64_t index) {
    kp_cursor c = kp_section_at(dwarf, unit->file, KP_DEBUG_ADDR, unit->addr_base);
    if (index > kp_left(&c) / unit->encoding.address_size) return 0;
    kp_skip(&c, index * unit->encoding.address_size);
    return kp_sized(&c, unit->encoding.address_size);
}

uint64_t kp_value_address(const kp_dwarf *dwarf, const kp_unit *unit, const kp_value *value) {
    return is_index(value->form) ? kp_address_at(dwarf, unit, value->number) : value->number;
}

uint64_t kp_value_reference(const kp_unit *unit, const kp_value *value, int *file) {
    *file = unit->file;
    switch (value->form) {
        case DW_FORM_ref1:
        case DW_FORM_ref2:
        case DW_FORM_ref4:
        case DW_FORM_ref8:
        case DW_FORM_ref_udata:
            return value->number < unit->end - unit->offset ? unit->offset + value->number : UINT64_MAX;
        case DW_FORM_ref_addr: return value->number;
        case DW_FORM_ref_sup4:
        case DW_FORM_ref_sup8:
        case DW_FORM_GNU_ref_alt: *file = KP_ALT; return value->number;
        default: return UINT64_MAX; /* DW_FORM_ref_sig8 leads to types only */
    }
}

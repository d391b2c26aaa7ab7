/* The copy of the stack, and what is mapped at an address. */
#include <elf.h>

#include "unwind_state.h"

kp_load_status kp_load(const kp_walk *w, uint64_t address, unsigned width, uint64_t *value) {
    address = kp_cut(w, address);
    if (address < w->base) return KP_BELOW;
    uint64_t offset = address - w->base;
    if (offset > w->in->stack_size || w->in->stack_size - offset < width) return KP_ABOVE;
    kp_cursor c = kp_cursor_of(w->in->stack + offset, width, w->in->swap);
    switch (width) {
    case 1: *value = kp_u8(&c); break;
    case 2: *value = kp_u16(&c); break;
    case 4: *value = kp_u32(&c); break;
    default: *value = kp_u64(&c);
    }
    return KP_LOADED;
}

int kp_is_mapped(kp_walk *w, uint64_t address) {
    if (w->has_map && address - w->map.start < w->map.end - w->map.start) return 1;
    kp_unwind_map found;
    if (w->in->find(w->in->context, address, &found) || address < found.start || address >= found.end) return 0;
    w->map = found;
    w->has_map = 1;
    return 1;
}

/* The row of an address, or NULL: there is none, or nothing is mapped there. */
const kp_cfi_row *kp_row_of(kp_walk *w, uint64_t address) {
    uint64_t inside;
    if (!kp_is_mapped(w, address) || !w->map.cfi || kp_cfi_machine(w->map.cfi) != w->machine->machine) return NULL;
    if (kp_cfi_address(w->map.cfi, address - w->map.start + w->map.file_offset, &inside)) return NULL;
    return kp_cfi_row_at(w->map.cfi, inside);
}

/* A return address without its pointer authentication code, which lies above the 48 bits that addresses of
 * programs have unless they ask for more (Documentation/arch/arm64/{pointer-authentication,memory}.rst). */
uint64_t kp_without_code(const kp_walk *w, uint64_t address) {
    return w->machine->machine == EM_AARCH64 ? address & (kp_bit(48) - 1) : address;
}

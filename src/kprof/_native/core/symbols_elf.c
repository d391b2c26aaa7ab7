/* The symbol table of an ELF file (gABI, "Symbol Table"). */
#include "cursor.h"
#include "symbols.h"

enum { SHN_UNDEF = 0, SHN_LORESERVE = 0xff00, STV_INTERNAL = 1, STV_HIDDEN = 2 };

typedef struct {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
} elf_symbol;

static elf_symbol read_symbol(const uint8_t *at, const kp_elf_symbols *in) {
    kp_cursor c = kp_cursor_of(at, in->entry_size, in->swap);
    elf_symbol symbol = {.name = kp_u32(&c)};
    if (in->bits == 32) {
        symbol.value = kp_u32(&c);
        symbol.size = kp_u32(&c);
    }
    symbol.info = kp_u8(&c);
    symbol.other = kp_u8(&c);
    symbol.section = kp_u16(&c);
    if (in->bits == 64) {
        symbol.value = kp_u64(&c);
        symbol.size = kp_u64(&c);
    }
    return symbol;
}

/* Whether a symbol may be the name of code. perf counts data, too: it ends what comes before it. */
static int is_wanted(const elf_symbol *symbol, const kp_elf_symbols *in) {
    if (!symbol->name || symbol->section == SHN_UNDEF || symbol->section >= SHN_LORESERVE) return 0;
    if (symbol->section >= in->section_count) return 0;
    int kind = in->section_kind[symbol->section];
    if (!(kind & KP_SECTION_LOADED)) return 0;
    switch (symbol->info & 0xf) {
        case KP_TYPE_FUNC:
        case KP_TYPE_IFUNC: return 1;
        case KP_TYPE_OBJECT: return in->choice == KP_CHOOSE_PERF;
        case KP_TYPE_NONE: break;
        default: return 0;
    }
    if (in->choice == KP_CHOOSE_RIGHT) return kind & KP_SECTION_CODE;
    int visibility = symbol->other & 3;
    return visibility != STV_HIDDEN && visibility != STV_INTERNAL && (kind & KP_SECTION_NAMED);
}

/* "$x", "$d.1" and the like (ELF for the Arm architecture, "Mapping symbols"). */
static int is_mapping_symbol(const char *name, size_t left) {
    return left > 2 && name[0] == '$' && memchr("adtx", name[1], 4) && (!name[2] || name[2] == '.');
}

static int add_section_ends(kp_symbols *symbols, const kp_elf_symbols *in) {
    for (size_t i = 0; i < in->section_count; i++) {
        kp_symbol stop = {.start = in->section_end[i], .end = in->section_end[i], .type = KP_TYPE_STOP};
        if ((in->section_kind[i] & KP_SECTION_CODE) && kp_symbols_add(symbols, &stop)) return -1;
    }
    return 0;
}

int kp_symbols_add_elf(kp_symbols *symbols, const kp_elf_symbols *in) {
    size_t least = in->bits == 64 ? 24 : 16;
    if (in->entry_size < least) return 0;
    size_t count = in->size / in->entry_size;
    kp_span names = symbols->blobs[in->source];
    for (size_t i = 0; i < count; i++) {
        elf_symbol symbol = read_symbol(in->bytes + i * in->entry_size, in);
        if (!is_wanted(&symbol, in) || symbol.name >= names.size) continue;
        const char *name = names.at + symbol.name;
        size_t left = names.size - symbol.name;
        if (in->mapping_symbols && is_mapping_symbol(name, left)) continue;
        uint8_t type = symbol.info & 0xf;
        if (in->choice == KP_CHOOSE_RIGHT && type == KP_TYPE_NONE && left > 1 && name[0] == '.' && name[1] == 'L')
            continue; /* a label that the assembler made */
        if (in->thumb && type == KP_TYPE_FUNC) symbol.value &= ~(uint64_t)1;
        uint64_t end = symbol.size > UINT64_MAX - symbol.value ? UINT64_MAX : symbol.value + symbol.size;
        kp_symbol made = {symbol.value, end, symbol.name, KP_NAME_Z, in->source, symbol.info >> 4, type, 0};
        if (kp_symbols_add(symbols, &made)) return -1;
    }
    return in->choice == KP_CHOOSE_RIGHT ? add_section_ends(symbols, in) : 0;
}

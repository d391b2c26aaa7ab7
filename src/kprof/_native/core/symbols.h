/* Tables of symbols: from ELF symbol tables, /proc/kallsyms and perf maps to "which function is this?".
 *
 * A table does not own its names: it knows where they lie in up to KP_SYMBOL_SOURCES blobs of bytes,
 * which the caller keeps. Nothing in the bytes is trusted. */
#ifndef KP_SYMBOLS_H
#define KP_SYMBOLS_H

#include "memory.h"

enum { KP_SYMBOL_SOURCES = 4 };
enum { KP_NAME_Z = UINT32_MAX }; /* the name ends at a zero byte */

/* What a section holds, as far as its symbols matter. */
enum { KP_SECTION_CODE = 1, KP_SECTION_LOADED = 2, KP_SECTION_NAMED = 4 /* like text or data */ };

/* Values of ELF: kept as they are. STOP is ours: a place where a symbol without a size ends at the latest. */
enum { KP_BIND_LOCAL = 0, KP_BIND_GLOBAL = 1, KP_BIND_WEAK = 2 };
enum { KP_TYPE_NONE = 0, KP_TYPE_OBJECT = 1, KP_TYPE_FUNC = 2, KP_TYPE_IFUNC = 10, KP_TYPE_STOP = 255 };

typedef struct {
    uint64_t start, end; /* `end` is exclusive; equal to `start` while it is not known */
    uint64_t name;       /* offset in its blob */
    uint32_t size;       /* of the name */
    uint8_t source, binding, type;
    uint8_t module; /* size of the module's name, which stands one byte behind the name: 0 is none */
} kp_symbol;

typedef struct {
    kp_symbol *items;
    size_t count, room;
    kp_span blobs[KP_SYMBOL_SOURCES];
    uint64_t *reach; /* highest end of all symbols up to each, for looking behind nested ones */
    int aliases;     /* there may be several at one address, of which the name decides */
    size_t skipped;  /* lines that could not be understood */
} kp_symbols;

/* How perf 6.1 orders names, or as we think right. */
typedef enum { KP_CHOOSE_RIGHT, KP_CHOOSE_PERF } kp_choice;

typedef struct {
    const uint8_t *bytes; /* the symbol table */
    size_t size, entry_size;
    int bits, swap;
    int mapping_symbols; /* ARM: names such as "$x" mark data and instructions */
    int thumb;           /* 32-bit ARM: bit 0 of an address tells the instruction set */
    uint8_t source;      /* blob of the names */
    const uint8_t *section_kind; /* KP_SECTION_ bits of every section */
    const uint64_t *section_end; /* where every section ends in memory */
    size_t section_count;
    kp_choice choice;
} kp_elf_symbols;

/* All return 0, or -1 when memory is out. */
int kp_symbols_add(kp_symbols *symbols, const kp_symbol *symbol);
int kp_symbols_add_elf(kp_symbols *symbols, const kp_elf_symbols *in);
int kp_symbols_add_kallsyms(kp_symbols *symbols, uint8_t source);
int kp_symbols_add_perf_map(kp_symbols *symbols, uint8_t source);
int kp_symbols_add_jitdump(kp_symbols *symbols, uint8_t source);

/* Sort, give an end to those that have none, and keep the best of several at one address. */
int kp_symbols_finish(kp_symbols *symbols, kp_choice choice);
/* Only sort: what was added is whole. */
int kp_symbols_sort(kp_symbols *symbols);
/* Cut symbols that lie over each other so that the one added last is seen. */
int kp_symbols_overlay(kp_symbols *symbols);

/* Row of the symbol that holds an address, -1 if none does; the same is true from *start up to *end. */
int64_t kp_symbols_span(const kp_symbols *symbols, uint64_t address, uint64_t *start, uint64_t *end);
/* Row of the symbol that holds each address, -1 where none does. */
void kp_symbols_find(const kp_symbols *symbols, const uint64_t *addresses, size_t count, int64_t *rows);
kp_span kp_symbols_name(const kp_symbols *symbols, const kp_symbol *symbol);
kp_span kp_symbols_module(const kp_symbols *symbols, const kp_symbol *symbol);
void kp_symbols_free(kp_symbols *symbols);

#endif

# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/symbols.h and core/demangle.h: converts, decides nothing."""

from libc.stdint cimport UINT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memset

import numpy as np

cdef extern from "core/memory.h" nogil:
    ctypedef struct kp_span:
        const char *at
        size_t size

cdef extern from "core/symbols.h" nogil:
    enum:
        KP_SYMBOL_SOURCES, KP_BIND_GLOBAL, KP_TYPE_FUNC
    ctypedef enum kp_choice:
        KP_CHOOSE_RIGHT, KP_CHOOSE_PERF
    ctypedef struct kp_symbol:
        uint64_t start, end, name
        uint32_t size
        uint8_t source, binding, type, module
    ctypedef struct kp_symbols:
        kp_symbol *items
        size_t count
        kp_span *blobs
        size_t skipped
    ctypedef struct kp_elf_symbols:
        const uint8_t *bytes
        size_t size, entry_size
        int bits, swap, mapping_symbols, thumb
        uint8_t source
        const uint8_t *section_kind
        const uint64_t *section_end
        size_t section_count
        kp_choice choice
    int kp_symbols_add(kp_symbols *symbols, const kp_symbol *symbol)
    int kp_symbols_add_elf(kp_symbols *symbols, const kp_elf_symbols *input)
    int kp_symbols_add_kallsyms(kp_symbols *symbols, uint8_t source)
    int kp_symbols_add_perf_map(kp_symbols *symbols, uint8_t source)
    int kp_symbols_add_jitdump(kp_symbols *symbols, uint8_t source)
    int kp_symbols_finish(kp_symbols *symbols, kp_choice choice)
    int kp_symbols_sort(kp_symbols *symbols)
    int kp_symbols_overlay(kp_symbols *symbols)
    void kp_symbols_find(const kp_symbols *symbols, const uint64_t *addresses, size_t count, int64_t *rows)
    int64_t kp_symbols_span(const kp_symbols *symbols, uint64_t address, uint64_t *start, uint64_t *end)
    kp_span kp_symbols_name(const kp_symbols *symbols, const kp_symbol *symbol)
    kp_span kp_symbols_module(const kp_symbols *symbols, const kp_symbol *symbol)
    void kp_symbols_free(kp_symbols *symbols)

cdef extern from "core/demangle.h" nogil:
    ctypedef struct kp_text_buffer:
        char *at
        size_t size
    ctypedef enum kp_language:
        KP_NOT_MANGLED, KP_CPP, KP_RUST
    kp_language kp_demangle(kp_span name, kp_text_buffer *out)
    kp_span kp_without_return_type(kp_span name)

SECTION_CODE, SECTION_LOADED, SECTION_NAMED = 1, 2, 4
NOT_MANGLED, CPP, RUST = KP_NOT_MANGLED, KP_CPP, KP_RUST


cdef class SymbolTable:
    """Symbols by address. Blobs of bytes in which names lie are kept alive with it."""

    cdef kp_symbols _symbols
    cdef list _keep

    def __cinit__(self):
        self._keep = []

    def __dealloc__(self):
        kp_symbols_free(&self._symbols)

    def __len__(self):
        return self._symbols.count

    @property
    def skipped(self):
        """Lines that could not be understood."""
        return self._symbols.skipped

    cdef int _blob(self, const uint8_t[::1] names) except -1:
        cdef size_t source = len(self._keep)
        if source >= KP_SYMBOL_SOURCES:
            raise ValueError("too many sources of names")
        self._keep.append(names)
        if names.shape[0]:
            self._symbols.blobs[source].at = <const char *>&names[0]
        self._symbols.blobs[source].size = names.shape[0]
        return <int>source

    def add_elf(self, const uint8_t[::1] table, size_t entry_size, const uint8_t[::1] names, *, int bits,
                bint swap, bint mapping_symbols, bint thumb, const uint8_t[::1] section_kind,
                const uint64_t[::1] section_end, bint as_perf):
        """Add an ELF symbol table."""
        cdef kp_elf_symbols input
        if not table.shape[0] or section_kind.shape[0] != section_end.shape[0] or not section_kind.shape[0]:
            return
        input.source = <uint8_t>self._blob(names)
        input.bytes = &table[0]
        input.size = table.shape[0]
        input.entry_size = entry_size
        input.bits = bits
        input.swap = swap
        input.mapping_symbols = mapping_symbols
        input.thumb = thumb
        input.section_kind = &section_kind[0]
        input.section_end = &section_end[0]
        input.section_count = section_kind.shape[0]
        input.choice = KP_CHOOSE_PERF if as_perf else KP_CHOOSE_RIGHT
        with nogil:
            status = kp_symbols_add_elf(&self._symbols, &input)
        if status:
            raise MemoryError

    def add_kallsyms(self, const uint8_t[::1] text):
        """Add the lines of /proc/kallsyms."""
        cdef uint8_t source = <uint8_t>self._blob(text)
        with nogil:
            status = kp_symbols_add_kallsyms(&self._symbols, source)
        if status:
            raise MemoryError

    def add_perf_map(self, const uint8_t[::1] text):
        """Add the lines of a perf map."""
        cdef uint8_t source = <uint8_t>self._blob(text)
        with nogil:
            status = kp_symbols_add_perf_map(&self._symbols, source)
        if status:
            raise MemoryError

    def add_jitdump(self, const uint8_t[::1] dump):
        """Add the code that a jitdump file lists."""
        cdef uint8_t source = <uint8_t>self._blob(dump)
        with nogil:
            status = kp_symbols_add_jitdump(&self._symbols, source)
        if status:
            raise MemoryError

    def add(self, const uint64_t[::1] start, const uint64_t[::1] end, const uint8_t[::1] names,
            const uint64_t[::1] name, const uint32_t[::1] size):
        """Add functions given by columns; `name` and `size` say where in `names` each is called what."""
        cdef kp_symbol symbol
        cdef Py_ssize_t i, count = start.shape[0]
        if end.shape[0] != count or name.shape[0] != count or size.shape[0] != count:
            raise ValueError("columns differ in length")
        symbol.source = <uint8_t>self._blob(names)
        symbol.binding = KP_BIND_GLOBAL
        symbol.type = KP_TYPE_FUNC
        symbol.module = 0
        for i in range(count):
            symbol.start = start[i]
            symbol.end = end[i]
            symbol.name = name[i]
            symbol.size = size[i]
            if kp_symbols_add(&self._symbols, &symbol):
                raise MemoryError

    def finish(self, *, bint as_perf=False):
        """Sort, give ends to those without a size, and keep the best name of an address."""
        cdef kp_choice choice = KP_CHOOSE_PERF if as_perf else KP_CHOOSE_RIGHT
        with nogil:
            status = kp_symbols_finish(&self._symbols, choice)
        if status:
            raise MemoryError

    def sort(self):
        """Sort only."""
        if kp_symbols_sort(&self._symbols):
            raise MemoryError

    def overlay(self):
        """Sort, and let what was added later hide what lies below it."""
        with nogil:
            status = kp_symbols_overlay(&self._symbols)
        if status:
            raise MemoryError

    def find(self, const uint64_t[::1] addresses):
        """Return the row of the symbol that holds each address, -1 where none does; `finish` comes first."""
        rows = np.full(addresses.shape[0], -1, np.int64)
        cdef int64_t[::1] view = rows
        cdef size_t count = addresses.shape[0]
        if count and self._symbols.count:
            with nogil:
                kp_symbols_find(&self._symbols, &addresses[0], count, &view[0])
        return rows

    def find_spans(self, const uint64_t[::1] addresses):
        """Return what `find` does, and from where up to where (exclusive) it would say the same."""
        rows = np.full(addresses.shape[0], -1, np.int64)
        starts = np.zeros(addresses.shape[0], np.uint64)
        ends = np.full(addresses.shape[0], UINT64_MAX, np.uint64)
        cdef int64_t[::1] row = rows
        cdef uint64_t[::1] start = starts, end = ends
        cdef Py_ssize_t i
        if self._symbols.count:
            for i in range(addresses.shape[0]):
                row[i] = kp_symbols_span(&self._symbols, addresses[i], &start[i], &end[i])
        return rows, starts, ends

    cdef kp_symbol *_row(self, size_t row) except NULL:
        if row >= self._symbols.count:
            raise IndexError(row)
        return &self._symbols.items[row]

    def name(self, size_t row):
        """Return the name of a row."""
        cdef kp_span name = kp_symbols_name(&self._symbols, self._row(row))
        return name.at[:name.size]

    def module(self, size_t row):
        """Return the module of a row of kallsyms, in brackets; empty if there is none."""
        cdef kp_span name = kp_symbols_module(&self._symbols, self._row(row))
        return name.at[:name.size]

    def span(self, size_t row):
        """Return start and end of a row."""
        cdef kp_symbol *symbol = self._row(row)
        return symbol.start, symbol.end


def demangle(bytes name):
    """Return the demangled name, and NOT_MANGLED, CPP or RUST."""
    cdef kp_span span
    cdef kp_text_buffer out
    memset(&out, 0, sizeof(out))
    span.at = name
    span.size = len(name)
    cdef kp_language language = kp_demangle(span, &out)
    try:
        return (name if language == KP_NOT_MANGLED else out.at[:out.size]), <int>language
    finally:
        free(out.at)


def without_return_type(bytes name):
    """Return a C++ name, already without its argument list, without the return type before it."""
    cdef kp_span span
    span.at = name
    span.size = len(name)
    span = kp_without_return_type(span)
    return span.at[:span.size]

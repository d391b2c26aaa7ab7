# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/dwarf.h: converts, decides nothing."""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

import numpy as np

cdef extern from "core/memory.h" nogil:
    ctypedef struct kp_span:
        const char *at
        size_t size

cdef extern from "core/intern.h" nogil:
    ctypedef struct kp_string:
        kp_span text
        uint32_t tag
    ctypedef struct kp_strings:
        kp_string *items
        size_t count

cdef extern from "core/dwarf.h" nogil:
    enum:
        KP_DEBUG_SECTIONS
    ctypedef struct kp_debug_sections:
        kp_span section[KP_DEBUG_SECTIONS]
    ctypedef struct kp_dwarf_node:
        pass
    ctypedef struct kp_dwarf_place:
        pass
    ctypedef struct kp_split_unit:
        size_t unit
        uint64_t id
        kp_span folder, name
    ctypedef struct kp_dwarf:
        pass
    kp_dwarf *kp_dwarf_open(const kp_debug_sections *main, const kp_debug_sections *alt, int swap)
    void kp_dwarf_free(kp_dwarf *dwarf)
    int kp_dwarf_split_units(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, const kp_split_unit **units,
                             size_t *unit_count)
    int kp_dwarf_add_split(kp_dwarf *dwarf, size_t unit, const kp_debug_sections *sections)
    int kp_dwarf_look_up(kp_dwarf *dwarf, const uint64_t *addresses, size_t count, kp_dwarf_place *places)
    const kp_dwarf_node *kp_dwarf_nodes(const kp_dwarf *dwarf, size_t *count)
    const kp_strings *kp_dwarf_names(const kp_dwarf *dwarf)
    const kp_strings *kp_dwarf_files(const kp_dwarf *dwarf)

# In the order of kp_debug_section.
SECTIONS = (".debug_info", ".debug_abbrev", ".debug_str", ".debug_line_str", ".debug_str_offsets", ".debug_addr",
            ".debug_ranges", ".debug_rnglists", ".debug_aranges", ".debug_line")
assert len(SECTIONS) == KP_DEBUG_SECTIONS

NODE = np.dtype([("parent", "i4"), ("name", "i4"), ("file", "i4"), ("line", "u4")])
PLACE = np.dtype([("node", "i4"), ("file", "i4"), ("line", "u4")])
assert NODE.itemsize == sizeof(kp_dwarf_node) and PLACE.itemsize == sizeof(kp_dwarf_place)


cdef list _texts(const kp_strings *strings):
    return [strings.items[i].text.at[:strings.items[i].text.size] for i in range(strings.count)]


cdef class DwarfReader:
    """Functions and lines of addresses; see core/dwarf.h.

    Args:
        main: The sections of the file, in the order of SECTIONS; None for those that it has not.
        alt: Likewise those of the file that dwz made, or None.
        swap: The bytes are in the other order than this machine's.
    """

    cdef kp_dwarf *_dwarf
    cdef list _keep

    def __cinit__(self, main, alt, *, bint swap):
        cdef kp_debug_sections main_sections
        cdef kp_debug_sections alt_sections
        self._keep = []
        self._fill(&main_sections, main)
        if alt is not None:
            self._fill(&alt_sections, alt)
        self._dwarf = kp_dwarf_open(&main_sections, &alt_sections if alt is not None else NULL, swap)
        if self._dwarf is NULL:
            raise MemoryError

    cdef int _fill(self, kp_debug_sections *target, sections) except -1:
        cdef const uint8_t[::1] view
        memset(target, 0, sizeof(kp_debug_sections))
        for i, section in enumerate(sections[:KP_DEBUG_SECTIONS]):
            if section is None or not len(section):
                continue
            view = section
            self._keep.append(view)
            target.section[i].at = <const char *>&view[0]
            target.section[i].size = view.shape[0]
        return 0

    def __dealloc__(self):
        kp_dwarf_free(self._dwarf)

    def split_units(self, const uint64_t[::1] addresses):
        """Return what addresses need that lies in other files, as (unit, id, folder, name); addresses must ascend."""
        cdef size_t count = addresses.shape[0], found = 0
        cdef const kp_split_unit *units = NULL
        cdef int status = 0
        if count:
            with nogil:
                status = kp_dwarf_split_units(self._dwarf, &addresses[0], count, &units, &found)
        if status:
            raise MemoryError
        return [(units[i].unit, units[i].id, units[i].folder.at[:units[i].folder.size],
                 units[i].name.at[:units[i].name.size]) for i in range(found)]

    def add_split(self, size_t unit, sections):
        """Use sections, in the order of SECTIONS, for a split unit."""
        cdef kp_debug_sections split_sections
        self._fill(&split_sections, sections)
        if kp_dwarf_add_split(self._dwarf, unit, &split_sections):
            raise MemoryError

    def look_up(self, const uint64_t[::1] addresses):
        """Return an array of PLACE for addresses, which must ascend."""
        cdef size_t count = addresses.shape[0]
        places = np.zeros(count, PLACE)
        cdef unsigned char[::1] view
        cdef int status
        if count:
            view = places.view(np.uint8)
            with nogil:
                status = kp_dwarf_look_up(self._dwarf, &addresses[0], count, <kp_dwarf_place *>&view[0])
            if status:
                raise MemoryError
        return places

    def nodes(self):
        """Return an array of NODE: everything that places have referred to so far."""
        cdef size_t count
        cdef const kp_dwarf_node *nodes = kp_dwarf_nodes(self._dwarf, &count)
        result = np.empty(count, NODE)
        cdef unsigned char[::1] view
        if count:
            view = result.view(np.uint8)
            memcpy(&view[0], nodes, count * sizeof(kp_dwarf_node))
        return result

    def names(self):
        """Return the names of functions, and whether each is mangled."""
        cdef const kp_strings *names = kp_dwarf_names(self._dwarf)
        return _texts(names), [bool(names.items[i].tag) for i in range(names.count)]

    def files(self):
        """Return the paths of source files."""
        return _texts(kp_dwarf_files(self._dwarf))

# cython: language_level=3
"""Thin binding of core/cfi.h and core/unwind.h: converts, decides nothing."""

from libc.stdint cimport int32_t, uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc

cdef extern from "core/cfi.h" nogil:
    ctypedef struct kp_cfi_section:
        const uint8_t *at
        size_t size
        uint64_t address
    ctypedef struct kp_cfi_segment:
        uint64_t offset, address, size
    ctypedef struct kp_cfi_image:
        int machine, swap
        kp_cfi_section eh_frame, eh_frame_hdr, debug_frame
        const kp_cfi_segment *segments
        size_t segment_count
    ctypedef struct kp_cfi:
        pass
    kp_cfi *kp_cfi_new(const kp_cfi_image *image)
    void kp_cfi_free(kp_cfi *cfi)

cdef extern from "core/cfi_row.h" nogil:
    enum:
        KP_CFI_SIGNAL, KP_CFI_SIGNED
    ctypedef struct kp_cfi_rule:
        int32_t value
        uint8_t how, number
    ctypedef struct kp_cfi_row:
        int32_t cfa_value
        uint8_t cfa_how, cfa_register, return_register, flags
        size_t count
        kp_cfi_rule *rules
    const kp_cfi_row *kp_cfi_row_at(kp_cfi *cfi, uint64_t address)
    int kp_cfi_address(const kp_cfi *cfi, uint64_t file_offset, uint64_t *address)

cdef extern from "core/unwind.h" nogil:
    ctypedef struct kp_unwind_map:
        uint64_t start, end, file_offset
        kp_cfi *cfi
    ctypedef struct kp_unwind_input:
        int machine, swap
        uint64_t registers_mask
        const uint8_t *registers
        int is_32bit
        const uint8_t *stack
        size_t stack_size
        int (*find)(void *, uint64_t, kp_unwind_map *) noexcept nogil
        void *context
        int as_libunwind
    ctypedef enum kp_unwind_end:
        KP_UNWIND_WHOLE
    ctypedef struct kp_unwind_frame:
        uint64_t address
        uint8_t is_return
    ctypedef struct kp_unwinder:
        pass
    kp_unwinder *kp_unwinder_new()
    void kp_unwinder_free(kp_unwinder *unwinder)
    size_t kp_unwind(kp_unwinder *unwinder, const kp_unwind_input *input, kp_unwind_frame *frames, size_t room,
                     kp_unwind_end *end)

# In the order of kp_cfi_how and of kp_unwind_end.
HOW = ("same", "undefined", "offset", "value_offset", "register", "expression", "value_expression")
ENDS = ("whole", "out_of_stack", "no_rule", "broken", "full")


cdef enum:
    MOST_FRAMES = 1 << 20


cdef kp_cfi_section _section(const uint8_t[::1] view, uint64_t address):
    cdef kp_cfi_section section
    section.at = NULL
    section.size = 0
    section.address = address
    if view is not None and view.shape[0]:
        section.at = &view[0]
        section.size = view.shape[0]
    return section


cdef class CfiTable:
    """Call frame information of one file; see core/cfi.h. Serves one thread at a time.

    Args:
        machine: EM_ number of the file.
        swap: Whether its bytes are in the other order than this machine's.
        segments: File offset, address and size of each executable part.
        eh_frame: Content and address of the section; kept alive.
        eh_frame_hdr: As above.
        debug_frame: As above.

    Attributes:
        pointer: Address of the table in memory, for other modules of this build; valid while this object is.
    """

    cdef kp_cfi *_cfi
    cdef const uint8_t[::1] _eh_frame, _eh_frame_hdr, _debug_frame

    def __cinit__(self, int machine, bint swap, segments, *, eh_frame=None, eh_frame_hdr=None, debug_frame=None):
        cdef kp_cfi_image image
        cdef size_t i
        self._eh_frame, at_frame = eh_frame or (None, 0)
        self._eh_frame_hdr, at_hdr = eh_frame_hdr or (None, 0)
        self._debug_frame, at_debug = debug_frame or (None, 0)
        image.machine = machine
        image.swap = swap
        image.eh_frame = _section(self._eh_frame, at_frame)
        image.eh_frame_hdr = _section(self._eh_frame_hdr, at_hdr)
        image.debug_frame = _section(self._debug_frame, at_debug)
        image.segment_count = len(segments)
        cdef kp_cfi_segment *parts = <kp_cfi_segment *>malloc((image.segment_count + 1) * sizeof(kp_cfi_segment))
        if parts is NULL:
            raise MemoryError
        try:
            for i, (offset, address, size) in enumerate(segments):
                parts[i].offset = offset
                parts[i].address = address
                parts[i].size = size
            image.segments = parts
            self._cfi = kp_cfi_new(&image)
        finally:
            free(parts)
        if self._cfi is NULL:
            raise MemoryError

    def __dealloc__(self):
        kp_cfi_free(self._cfi)

    @property
    def pointer(self):
        return <uintptr_t>self._cfi

    def address(self, uint64_t file_offset):
        """Return the virtual address of a byte of the file, None if it is not in executable code."""
        cdef uint64_t address
        return None if kp_cfi_address(self._cfi, file_offset, &address) else address

    def row(self, uint64_t address):
        """Return how to undo the frame at a virtual address, None if nothing is known of it.

        Returns:
            How the CFA is found, its register and its value; a dict from register to how and value; the column
            of the return address; whether it is a signal frame; whether the return address is signed.
        """
        cdef const kp_cfi_row *row = kp_cfi_row_at(self._cfi, address)
        cdef kp_cfi_rule rule
        cdef size_t i
        # Cython 3.3 never ends on a tuple of const values, as they are in *row.
        cdef int how, flags, register, value, column
        if row is NULL:
            return None
        rules = {}
        for i in range(row.count):
            rule = row.rules[i]
            rules[rule.number] = (HOW[rule.how], rule.value)
        how = row.cfa_how
        flags = row.flags
        register = row.cfa_register
        value = row.cfa_value
        column = row.return_register
        return (HOW[how], register, value), rules, column, bool(flags & KP_CFI_SIGNAL), bool(flags & KP_CFI_SIGNED)


cdef struct _maps:
    kp_unwind_map *items
    size_t count


cdef int _find(void *context, uint64_t address, kp_unwind_map *found) noexcept nogil:
    cdef _maps *maps = <_maps *>context
    cdef size_t low = 0, high = maps.count, middle
    while low < high:
        middle = (low + high) // 2
        if maps.items[middle].start <= address:
            low = middle + 1
        else:
            high = middle
    if not low or address >= maps.items[low - 1].end:
        return -1
    found[0] = maps.items[low - 1]
    return 0


cdef class Maps:
    """What is mapped where in one process, for `unwind`.

    Args:
        regions: Start, end, file offset and table (or None) of each; none overlap.
    """

    cdef _maps _maps
    cdef list _tables

    def __cinit__(self, regions):
        cdef size_t i
        ordered = sorted(regions, key=lambda region: region[0])
        self._tables = [region[3] for region in ordered]
        self._maps.items = <kp_unwind_map *>malloc((len(ordered) + 1) * sizeof(kp_unwind_map))
        if self._maps.items is NULL:
            raise MemoryError
        for i, (start, end, file_offset, table) in enumerate(ordered):
            self._maps.items[i].start = start
            self._maps.items[i].end = end
            self._maps.items[i].file_offset = file_offset
            self._maps.items[i].cfi = NULL if table is None else (<CfiTable?>table)._cfi
        self._maps.count = len(ordered)

    def __dealloc__(self):
        free(self._maps.items)


def unwind(int machine, uint64_t registers_mask, const uint8_t[::1] registers, const uint8_t[::1] stack,
           Maps maps not None, *, bint swap=False, bint is_32bit=False, bint as_libunwind=False,
           size_t most=1024):
    """Walk a copy of a stack.

    Args:
        machine: EM_ number of the kernel.
        registers_mask: Which registers there are, as in perf_event_attr.sample_regs_user.
        registers: Their values, 8 bytes each.
        stack: The stack from its pointer upwards.
        maps: What is mapped where.
        swap: Whether registers and stack are in the other byte order than this machine's.
        is_32bit: Whether the process ran in the 32-bit mode of the machine.
        as_libunwind: Guess as little as perf with libunwind does.
        most: Frames to give at most.

    Returns:
        (address, is_return) of each frame, leaf first, and one of `ENDS`: why there are no more.

    Raises:
        ValueError: There are fewer registers than the mask says.
    """
    cdef kp_unwind_input given
    cdef kp_unwind_end end
    cdef size_t count = 0
    if registers.shape[0] < 8 * bin(registers_mask).count("1"):
        raise ValueError("fewer registers than the mask says")
    given.machine = machine
    given.swap = swap
    given.registers_mask = registers_mask
    given.registers = &registers[0] if registers.shape[0] else NULL
    given.is_32bit = is_32bit
    given.stack = &stack[0] if stack.shape[0] else NULL
    given.stack_size = stack.shape[0]
    given.find = _find
    given.context = &maps._maps
    given.as_libunwind = as_libunwind
    most = min(most, MOST_FRAMES)
    cdef kp_unwind_frame *frames = <kp_unwind_frame *>malloc((most + 1) * sizeof(kp_unwind_frame))
    cdef kp_unwinder *unwinder = kp_unwinder_new()
    try:
        if frames is NULL or unwinder is NULL:
            raise MemoryError
        count = kp_unwind(unwinder, &given, frames, most, &end)
        return [(frames[i].address, bool(frames[i].is_return)) for i in range(count)], ENDS[end]
    finally:
        free(frames)
        kp_unwinder_free(unwinder)

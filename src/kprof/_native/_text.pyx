# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/text.h and core/fold.h: converts, decides nothing."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

import numpy as np

cdef extern from "core/memory.h" nogil:
    ctypedef struct kp_span:
        const char *at
        size_t size

cdef extern from "core/intern.h" nogil:
    ctypedef struct kp_string:
        kp_span text
    ctypedef struct kp_strings:
        kp_string *items
        size_t count

cdef extern from "core/text.h" nogil:
    ctypedef enum kp_dialect:
        KP_RIGHT, KP_FLAMEGRAPH, KP_INFERNO
    enum:
        KP_OK, KP_NO_MEMORY, KP_LINE_TOO_LONG, KP_OVERFLOW
    ctypedef struct kp_text_options:
        kp_dialect dialect
        int with_pid, with_tid, with_addresses, annotate_kernel, annotate_jit
        int keep_arguments, keep_ids, every_sample
        kp_span event
    ctypedef struct kp_frame:
        uint32_t name, kind
        int32_t module, source
        uint64_t address
    ctypedef struct kp_row:
        int32_t stack, event, comm, pid, tid, cpu
        int64_t time, weight, count
    ctypedef struct kp_text_counts:
        uint64_t read, without_stack, skipped_lines, lost, other_records, filtered
    ctypedef struct kp_text:
        pass
    kp_text *kp_text_new(const kp_text_options *options)
    void kp_text_free(kp_text *text)
    char *kp_text_room(kp_text *text, size_t size)
    int kp_text_commit(kp_text *text, size_t size, int last)
    const kp_strings *kp_text_names(const kp_text *text)
    const kp_strings *kp_text_modules(const kp_text *text)
    const kp_strings *kp_text_sources(const kp_text *text)
    const kp_strings *kp_text_comms(const kp_text *text)
    const kp_strings *kp_text_events(const kp_text *text)
    const kp_frame *kp_text_frames(const kp_text *text, size_t *count)
    size_t kp_text_stacks(const kp_text *text, const int32_t **parent, const int32_t **frame)
    const kp_row *kp_text_rows(const kp_text *text, size_t *count)
    kp_text_counts kp_text_count(const kp_text *text)
    size_t kp_short_name(kp_span name, char *to)

cdef extern from "core/fold.h" nogil:
    ctypedef struct kp_fold_input:
        const kp_span *labels
        size_t label_count
        const int32_t *frame_label
        size_t frame_count
        const int32_t *parent
        const int32_t *frame
        size_t stack_count
        const int32_t *row_root
        const int32_t *row_stack
        const int64_t *row_weight
        size_t row_count
    int kp_fold(const kp_fold_input *input, char **text, size_t *size, size_t *lines)

FRAME = np.dtype([("name", "u4"), ("kind", "u4"), ("module", "i4"), ("source", "i4"), ("address", "u8")])
ROW = np.dtype([("stack", "i4"), ("event", "i4"), ("comm", "i4"), ("pid", "i4"), ("tid", "i4"), ("cpu", "i4"),
                ("time", "i8"), ("weight", "i8"), ("count", "i8")])
assert FRAME.itemsize == sizeof(kp_frame) and ROW.itemsize == sizeof(kp_row)

_DIALECTS = {"right": KP_RIGHT, "flamegraph": KP_FLAMEGRAPH, "inferno": KP_INFERNO}


cdef _raise(int status):
    if status == KP_NO_MEMORY:
        raise MemoryError
    if status == KP_LINE_TOO_LONG:
        raise ValueError("a line is longer than 16 MiB")
    if status == KP_OVERFLOW:
        raise OverflowError("the weights add up to more than 9223372036854775807")


cdef object _array(const void *source, size_t count, object dtype):
    """A copy as a numpy array."""
    result = np.empty(count, dtype)
    cdef unsigned char[::1] view
    if count:
        view = result.view(np.uint8)
        memcpy(&view[0], source, count * <size_t>dtype.itemsize)
    return result


cdef list _texts(const kp_strings *strings):
    return [strings.items[i].text.at[:strings.items[i].text.size] for i in range(strings.count)]


cdef class TextReader:
    """Reads `perf script` text that is written piece by piece into `room()`."""

    cdef kp_text *_text

    def __cinit__(self, str dialect="right", *, bint pid=False, bint tid=False, bint addresses=False,
                  bint kernel=False, bint jit=False, bytes event=b"", bint keep_arguments=False,
                  bint keep_ids=False, bint every_sample=False):
        cdef kp_text_options options
        options.dialect = _DIALECTS[dialect]
        options.with_pid = pid
        options.with_tid = tid
        options.with_addresses = addresses
        options.annotate_kernel = kernel
        options.annotate_jit = jit
        options.keep_arguments = keep_arguments
        options.keep_ids = keep_ids
        options.every_sample = every_sample
        options.event.at = event
        options.event.size = len(event)
        self._text = kp_text_new(&options)
        if self._text is NULL:
            raise MemoryError

    def __dealloc__(self):
        kp_text_free(self._text)

    def room(self, size_t size):
        """Return a writable view of `size` bytes. It is valid until the next call of any method."""
        cdef char *at = kp_text_room(self._text, size)
        if at is NULL:
            raise MemoryError
        return <char[:size]>at

    def commit(self, size_t size, bint last=False):
        """Read the first `size` bytes of the view that `room` returned."""
        cdef int status
        with nogil:
            status = kp_text_commit(self._text, size, last)
        _raise(status)

    def tables(self):
        """Return everything that was read, as a dict of lists of bytes and numpy arrays."""
        cdef size_t frame_count, row_count, stack_count
        cdef const int32_t *parent
        cdef const int32_t *leaf
        cdef const kp_frame *frames = kp_text_frames(self._text, &frame_count)
        cdef const kp_row *rows = kp_text_rows(self._text, &row_count)
        stack_count = kp_text_stacks(self._text, &parent, &leaf)
        counts = kp_text_count(self._text)
        i4 = np.dtype("i4")
        return {
            "names": _texts(kp_text_names(self._text)),
            "modules": _texts(kp_text_modules(self._text)),
            "sources": _texts(kp_text_sources(self._text)),
            "comms": _texts(kp_text_comms(self._text)),
            "events": _texts(kp_text_events(self._text)),
            "frames": _array(frames, frame_count, FRAME),
            "parent": _array(parent, stack_count, i4),
            "leaf": _array(leaf, stack_count, i4),
            "rows": _array(rows, row_count, ROW),
            "counts": counts,
        }


def short_name(bytes name):
    """Return a function's name without its argument lists."""
    cdef kp_span span
    span.at = name
    span.size = len(name)
    cdef char *buffer = <char *>malloc(span.size + 1)
    if buffer is NULL:
        raise MemoryError
    size = kp_short_name(span, buffer)
    try:
        return buffer[:size]
    finally:
        free(buffer)


def fold(list labels, const int32_t[::1] frame_label, const int32_t[::1] parent, const int32_t[::1] frame,
         const int32_t[::1] row_root, const int32_t[::1] row_stack, const int64_t[::1] row_weight):
    """Return folded text and its number of lines. All numbers must be in range: see Profile.check."""
    cdef kp_fold_input input
    cdef char *text = NULL
    cdef size_t size = 0, lines = 0
    cdef kp_span *spans = <kp_span *>malloc((len(labels) + 1) * sizeof(kp_span))
    if spans is NULL:
        raise MemoryError
    try:
        for i, label in enumerate(labels):
            spans[i].at = label
            spans[i].size = len(<bytes>label)
        input.labels = spans
        input.label_count = len(labels)
        input.frame_count = frame_label.shape[0]
        input.frame_label = &frame_label[0] if frame_label.shape[0] else NULL
        input.stack_count = parent.shape[0]
        input.parent = &parent[0] if parent.shape[0] else NULL
        input.frame = &frame[0] if frame.shape[0] else NULL
        input.row_count = row_stack.shape[0]
        input.row_root = &row_root[0] if row_root.shape[0] else NULL
        input.row_stack = &row_stack[0] if row_stack.shape[0] else NULL
        input.row_weight = &row_weight[0] if row_weight.shape[0] else NULL
        with nogil:
            status = kp_fold(&input, &text, &size, &lines)
        _raise(status)
        return text[:size] if size else b"", lines
    finally:
        free(text)
        free(spans)

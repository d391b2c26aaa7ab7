# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/folded.h: converts, decides nothing."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
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

cdef extern from "core/folded.h" nogil:
    ctypedef enum kp_folded_status:
        KP_FOLDED_OK, KP_FOLDED_NO_MEMORY, KP_FOLDED_LINE_TOO_LONG, KP_FOLDED_OVERFLOW
    ctypedef struct kp_folded:
        pass
    kp_folded *kp_folded_new()
    void kp_folded_free(kp_folded *folded)
    kp_folded_status kp_folded_feed(kp_folded *folded, const char *bytes, size_t size, int last)
    const kp_strings *kp_folded_names(const kp_folded *folded)
    size_t kp_folded_stacks(const kp_folded *folded, const int32_t **parent, const int32_t **label,
                            const int64_t **weight)
    uint64_t kp_folded_skipped(const kp_folded *folded, uint64_t *number, kp_span *line)


cdef object _array(const void *source, size_t count, object dtype):
    """A copy as a numpy array."""
    result = np.empty(count, dtype)
    cdef unsigned char[::1] view
    if count:
        view = result.view(np.uint8)
        memcpy(&view[0], source, count * <size_t>dtype.itemsize)
    return result


cdef class FoldedReader:
    """Reads folded text that is fed piece by piece."""

    cdef kp_folded *_folded

    def __cinit__(self):
        self._folded = kp_folded_new()
        if self._folded is NULL:
            raise MemoryError

    def __dealloc__(self):
        kp_folded_free(self._folded)

    def feed(self, bytes piece, bint last=False):
        """Read the next piece of the text. After an error the reader is of no use."""
        cdef const char *at = piece
        cdef size_t size = len(piece)
        cdef kp_folded_status status
        with nogil:
            status = kp_folded_feed(self._folded, at, size, last)
        if status == KP_FOLDED_NO_MEMORY:
            raise MemoryError
        if status == KP_FOLDED_LINE_TOO_LONG:
            raise ValueError("a line is longer than 16 MiB")
        if status == KP_FOLDED_OVERFLOW:
            raise OverflowError("the weights of one stack sum to more than int64 holds")

    def tables(self):
        """Return what was read, as a dict of a list of bytes and numpy arrays.

        `bad` is the number and the text of the first line that could not be read, None if there is none.
        """
        cdef const int32_t *parent
        cdef const int32_t *label
        cdef const int64_t *weight
        cdef uint64_t number
        cdef kp_span line
        cdef size_t count = kp_folded_stacks(self._folded, &parent, &label, &weight)
        cdef const kp_strings *names = kp_folded_names(self._folded)
        skipped = kp_folded_skipped(self._folded, &number, &line)
        return {
            "names": [names.items[i].text.at[:names.items[i].text.size] for i in range(names.count)],
            "parent": _array(parent, count, np.dtype("i4")),
            "label": _array(label, count, np.dtype("i4")),
            "weight": _array(weight, count, np.dtype("i8")),
            "skipped": skipped,
            "bad": (number, line.at[:line.size]) if number else None,
        }

# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/tree.h: converts, decides nothing."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

import numpy as np

cdef extern from "core/tree.h" nogil:
    ctypedef enum kp_tree_status:
        KP_TREE_OK, KP_TREE_NO_MEMORY, KP_TREE_BAD
    ctypedef struct kp_tree_input:
        const int32_t *parent
        const int32_t *frame
        size_t count
        const int64_t *start
        const int32_t *items
        size_t frame_count
    ctypedef struct kp_tree_output:
        int32_t *parent
        int32_t *frame
        size_t count
    kp_tree_status kp_tree_replace(const kp_tree_input *input, kp_tree_output *out, int32_t *node_of)


cdef object _array(const int32_t *source, size_t count):
    result = np.empty(count, np.int32)
    cdef int32_t[::1] view = result
    if count:
        memcpy(&view[0], source, count * sizeof(int32_t))
    return result


def replace(const int32_t[::1] parent, const int32_t[::1] frame, const int64_t[::1] start, const int32_t[::1] items):
    """Return a tree in which frame f is items[start[f]:start[f + 1]], outermost first, as (parent, frame, node_of)."""
    cdef kp_tree_input input
    cdef kp_tree_output out
    cdef kp_tree_status status
    nodes = np.empty(parent.shape[0], np.int32)
    cdef int32_t[::1] view = nodes
    steps = np.asarray(start)
    if not len(steps) or frame.shape[0] != parent.shape[0]:
        raise ValueError("columns of a tree must be of one length")
    if steps[0] < 0 or steps[-1] > items.shape[0] or (np.diff(steps) < 0).any():
        raise ValueError("paths out of range")
    input.parent = &parent[0] if parent.shape[0] else NULL
    input.frame = &frame[0] if frame.shape[0] else NULL
    input.count = parent.shape[0]
    input.start = &start[0]
    input.items = &items[0] if items.shape[0] else NULL
    input.frame_count = start.shape[0] - 1
    with nogil:
        status = kp_tree_replace(&input, &out, &view[0] if parent.shape[0] else NULL)
    try:
        if status == KP_TREE_NO_MEMORY:
            raise MemoryError
        if status == KP_TREE_BAD:
            raise ValueError("a parent or a frame of the tree is out of range")
        return _array(out.parent, out.count), _array(out.frame, out.count), nodes
    finally:
        free(out.parent)
        free(out.frame)

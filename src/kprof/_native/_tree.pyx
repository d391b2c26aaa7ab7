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
    kp_tree_status kp_tree_sum_down(const int32_t *parent, size_t count, int64_t *values)
    kp_tree_status kp_tree_sum_up(const int32_t *parent, size_t count, int64_t *values)
    kp_tree_status kp_tree_sum_up_real(const int32_t *parent, size_t count, double *values)


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


def sum_down(const int32_t[::1] parent, int64_t[::1] values):
    """Make of each value the sum over its path to the root, in place."""
    _check(parent.shape[0], values.shape[0])
    if parent.shape[0] and kp_tree_sum_down(&parent[0], parent.shape[0], &values[0]) != KP_TREE_OK:
        raise ValueError("a parent of the tree is out of range")


def sum_up(const int32_t[::1] parent, int64_t[::1] values):
    """Make of each value the sum over all that grows out of it, in place."""
    _check(parent.shape[0], values.shape[0])
    if parent.shape[0] and kp_tree_sum_up(&parent[0], parent.shape[0], &values[0]) != KP_TREE_OK:
        raise ValueError("a parent of the tree is out of range")


def sum_up_real(const int32_t[::1] parent, double[::1] values):
    """As sum_up, of real numbers."""
    _check(parent.shape[0], values.shape[0])
    if parent.shape[0] and kp_tree_sum_up_real(&parent[0], parent.shape[0], &values[0]) != KP_TREE_OK:
        raise ValueError("a parent of the tree is out of range")


def _check(size_t parents, size_t values):
    if parents != values:
        raise ValueError("columns of a tree must be of one length")

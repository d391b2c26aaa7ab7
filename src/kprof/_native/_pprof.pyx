# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/pprof.h: converts, decides nothing."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

import numpy as np

cdef extern from "core/pprof.h" nogil:
    ctypedef enum kp_pprof_status:
        KP_PPROF_OK, KP_PPROF_ENDS_IN_NUMBER, KP_PPROF_LONG_NUMBER, KP_PPROF_UNKNOWN_KIND
        KP_PPROF_ENDS_IN_FIELD, KP_PPROF_NUMBER_FOR_MESSAGE
    ctypedef struct kp_pprof_field:
        uint32_t number, is_bytes
        uint64_t value, start
    ctypedef struct kp_pprof_columns:
        uint64_t *location_end
        uint64_t *value_end
        uint64_t *locations
        int64_t *values
        uint64_t *label_sample
        uint64_t *label_key
        uint64_t *label_text
        int64_t *label_number
    ctypedef struct kp_pprof_counts:
        size_t fields, samples, locations, values, labels
    kp_pprof_status kp_pprof_fields(const uint8_t *data, size_t size, kp_pprof_field *fields,
                                    kp_pprof_counts *counts)
    kp_pprof_status kp_pprof_samples(const uint8_t *data, size_t size, const kp_pprof_columns *columns,
                                     kp_pprof_counts *counts)

_FIELD = np.dtype([("number", np.uint32), ("is_bytes", np.uint32), ("value", np.uint64), ("start", np.uint64)])
_REASONS = {
    KP_PPROF_ENDS_IN_NUMBER: "it ends within a number",
    KP_PPROF_LONG_NUMBER: "a number is longer than ten bytes",
    KP_PPROF_UNKNOWN_KIND: "a field is of an unknown kind",
    KP_PPROF_ENDS_IN_FIELD: "it ends within a field",
    KP_PPROF_NUMBER_FOR_MESSAGE: "a number stands where a message belongs",
}


cdef int _check(kp_pprof_status status) except -1:
    if status != KP_PPROF_OK:
        raise ValueError(_REASONS[status])
    return 0


def fields(const uint8_t[::1] data):
    """Return the fields of the outermost message but for samples: `number`, `is_bytes`, `value` or size, `start`.

    Raises:
        ValueError: The bytes are no message.
    """
    cdef kp_pprof_counts counts
    cdef size_t size = data.shape[0]
    if not size:
        return np.empty(0, _FIELD)
    _check(kp_pprof_fields(&data[0], size, NULL, &counts))
    found = np.empty(counts.fields, _FIELD)
    cdef uint8_t[::1] view = found.view(np.uint8)
    if counts.fields:
        _check(kp_pprof_fields(&data[0], size, <kp_pprof_field *>&view[0], &counts))
    return found


def samples(const uint8_t[::1] data):
    """Return the columns of all samples by name; see kp_pprof_columns.

    Raises:
        ValueError: The bytes are no message.
    """
    cdef kp_pprof_counts counts
    cdef kp_pprof_columns columns
    cdef size_t size = data.shape[0]
    if not size:
        raise ValueError("there is nothing")
    with nogil:
        status = kp_pprof_samples(&data[0], size, NULL, &counts)
    _check(status)
    # One more than is needed, so that each has an address.
    made = {
        name: np.zeros(length + 1, kind)
        for name, length, kind in (
            ("location_end", counts.samples, np.uint64), ("value_end", counts.samples, np.uint64),
            ("locations", counts.locations, np.uint64), ("values", counts.values, np.int64),
            ("label_sample", counts.labels, np.uint64), ("label_key", counts.labels, np.uint64),
            ("label_text", counts.labels, np.uint64), ("label_number", counts.labels, np.int64),
        )
    }
    cdef uint64_t[::1] location_end = made["location_end"], value_end = made["value_end"]
    cdef uint64_t[::1] locations = made["locations"], label_sample = made["label_sample"]
    cdef uint64_t[::1] label_key = made["label_key"], label_text = made["label_text"]
    cdef int64_t[::1] values = made["values"], label_number = made["label_number"]
    columns.location_end, columns.value_end = &location_end[0], &value_end[0]
    columns.locations, columns.values = &locations[0], &values[0]
    columns.label_sample, columns.label_key = &label_sample[0], &label_key[0]
    columns.label_text, columns.label_number = &label_text[0], &label_number[0]
    with nogil:
        status = kp_pprof_samples(&data[0], size, &columns, &counts)
    _check(status)
    return {name: column[:-1] for name, column in made.items()}

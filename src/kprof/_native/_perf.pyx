# cython: language_level=3, freethreading_compatible=True
"""Thin binding of core/perf.h: converts, decides nothing."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.errno cimport errno
from libc.string cimport memcpy
from posix.types cimport off_t
from posix.unistd cimport pread

import os

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

cdef extern from "core/cfi.h" nogil:
    ctypedef struct kp_cfi:
        pass

cdef extern from "core/perf.h" nogil:
    enum:
        KP_PERF_OK, KP_PERF_NO_MEMORY, KP_PERF_BAD_RECORD, KP_PERF_NO_EVENT, KP_PERF_BAD_ZSTD, KP_PERF_OVERFLOW
    ctypedef struct kp_perf_options:
        int swap, compat, keep_ids, every_sample, keep_unmapped, keep_raw, rounds
        int (*inflate)(void *, const uint8_t *, size_t, const uint8_t **, size_t *) noexcept nogil
        kp_cfi *(*load_cfi)(void *, uint32_t) noexcept nogil
        void *context
    ctypedef struct kp_perf_mapping:
        uint32_t kind
        int32_t pid
        uint8_t build_id[20]
        uint32_t build_id_size
    ctypedef struct kp_perf_place:
        int32_t mapping
    ctypedef struct kp_perf_node:
        int32_t parent
    ctypedef struct kp_perf_row:
        int32_t stack
    ctypedef struct kp_perf_raw:
        uint64_t offset, size
    ctypedef struct kp_perf_counts:
        uint64_t records, samples, without_stack, truncated, broken_chains, lost, lost_samples, filtered, throttled
        uint64_t unordered, unknown_records, unknown_events, bad_records, aux, switches, deferred, guest
        uint64_t dumps, cut_dumps, broken_dumps, unreadable_samples, cut_off
    ctypedef struct kp_perf_kept:
        uint32_t type
        kp_span bytes
    ctypedef struct kp_perf:
        pass
    kp_perf *kp_perf_new(const kp_perf_options *options)
    void kp_perf_free(kp_perf *perf)
    int kp_perf_add_event(kp_perf *perf, const uint8_t *attr, size_t attr_size, const uint8_t *ids, size_t ids_size)
    int64_t kp_perf_event_of(const kp_perf *perf, uint64_t id)
    void kp_perf_set_arch(kp_perf *perf, const char *name, size_t size)
    size_t kp_perf_events(const kp_perf *perf)
    void kp_perf_event_type(const kp_perf *perf, size_t number, uint32_t *type, uint64_t *config)
    void kp_perf_begin(kp_perf *perf)
    int kp_perf_feed(kp_perf *perf, const uint8_t *bytes, size_t size, size_t *used)
    int kp_perf_feed_piece(kp_perf *perf, const uint8_t *bytes, size_t size)
    enum:
        KP_PERF_PIECE
    uint8_t *kp_perf_piece(kp_perf *perf, size_t size)
    int kp_perf_take_piece(kp_perf *perf, size_t size)
    int kp_perf_end(kp_perf *perf)
    const kp_perf_counts *kp_perf_count(const kp_perf *perf)
    const kp_strings *kp_perf_paths(const kp_perf *perf)
    const kp_strings *kp_perf_names(const kp_perf *perf)
    const kp_strings *kp_perf_comms(const kp_perf *perf)
    const kp_strings *kp_perf_cgroups(const kp_perf *perf)
    const kp_perf_mapping *kp_perf_mappings(const kp_perf *perf, size_t *count)
    const kp_perf_place *kp_perf_places(const kp_perf *perf, size_t *count)
    const kp_perf_node *kp_perf_nodes(const kp_perf *perf, size_t *count)
    const kp_perf_row *kp_perf_rows(const kp_perf *perf, size_t *count)
    const kp_perf_raw *kp_perf_raws(const kp_perf *perf, size_t *count)
    kp_span kp_perf_raw_bytes(const kp_perf *perf)
    const kp_perf_kept *kp_perf_kept_records(const kp_perf *perf, size_t *count)
    kp_span kp_perf_tracing_data(const kp_perf *perf)

PLACE = np.dtype([("mapping", "i4"), ("name", "i4"), ("mode", "u4"), ("is_return", "u4"), ("address", "u8")])
NODE = np.dtype([("parent", "i4"), ("place", "i4")])
ROW = np.dtype([("stack", "i4"), ("event", "i4"), ("comm", "i4"), ("pid", "i4"), ("tid", "i4"), ("cpu", "i4"),
                ("cgroup", "i4"), ("unused", "i4"), ("time", "i8"), ("weight", "i8"), ("count", "i8")])
RAW = np.dtype([("offset", "u8"), ("size", "u8")])
assert RAW.itemsize == sizeof(kp_perf_raw)
assert PLACE.itemsize == sizeof(kp_perf_place) and NODE.itemsize == sizeof(kp_perf_node) and ROW.itemsize == sizeof(kp_perf_row)

_MESSAGES = {
    KP_PERF_BAD_RECORD: "the description of an event is cut off",
    KP_PERF_NO_EVENT: "it holds records, but no event that they could belong to",
    KP_PERF_BAD_ZSTD: "its compressed records are damaged",
}


cdef _raise(int status):
    if status == KP_PERF_NO_MEMORY:
        raise MemoryError
    if status == KP_PERF_OVERFLOW:
        raise OverflowError("the weights add up to more than 9223372036854775807")
    if status:
        raise ValueError(_MESSAGES[status])


cdef object _array(const void *source, size_t count, object dtype):
    result = np.empty(count, dtype)
    cdef unsigned char[::1] view
    if count:
        view = result.view(np.uint8)
        memcpy(&view[0], source, count * <size_t>dtype.itemsize)
    return result


cdef list _texts(const kp_strings *strings):
    return [strings.items[i].text.at[:strings.items[i].text.size] for i in range(strings.count)]


cdef int _inflate(void *context, const uint8_t *data, size_t size, const uint8_t **out, size_t *out_size) noexcept with gil:
    cdef PerfReader reader = <PerfReader>context
    cdef const uint8_t[::1] view
    try:
        reader._inflated = reader._decompress(data[:size])
        view = reader._inflated
    except ValueError:
        return -1  # damaged, which the reader counts
    except BaseException as error:
        reader._failure = error
        return -1
    out[0] = &view[0] if view.shape[0] else NULL
    out_size[0] = view.shape[0]
    return 0


cdef kp_cfi *_load_cfi(void *context, uint32_t mapping) noexcept with gil:
    """The table behind a CfiTable of the module for unwinding: both are built of the same sources."""
    cdef PerfReader reader = <PerfReader>context
    cdef size_t address
    if reader._failure is not None:
        return NULL
    try:
        table = reader._load(*reader.mapping(mapping))
        if table is None:
            return NULL
        address = table.pointer
    except BaseException as error:
        reader._failure = error
        return NULL
    reader._kept_alive.append(table)
    return <kp_cfi *>address


cdef class PerfReader:
    """Reads the records of one recording; see core/perf.h.

    Args:
        decompress: Called with the bytes of each compressed record; returns what they become, or raises
            ValueError if they are damaged.
        arch: The machine that was recorded, as `uname -m` calls it; empty if not known.
        load: Called with path, pid and build-id in hex of a mapping that a copy of a stack leads to;
            returns its CfiTable, or None.
    """

    cdef kp_perf *_perf
    cdef object _decompress
    cdef object _load
    cdef object _inflated
    cdef object _failure
    cdef list _kept_alive

    def __cinit__(self, *, bint swap=False, bint compat=False, bint keep_ids=False, bint every_sample=False,
                  bint keep_unmapped=False, bint keep_raw=False, bint rounds=True, bytes arch=b"",
                  decompress=None, load=None):
        cdef kp_perf_options options
        options.swap = swap
        options.compat = compat
        options.keep_ids = keep_ids
        options.every_sample = every_sample
        options.keep_unmapped = keep_unmapped
        options.keep_raw = keep_raw
        options.rounds = rounds
        options.inflate = NULL
        if decompress is not None:
            options.inflate = _inflate
        options.load_cfi = NULL
        if load is not None:
            options.load_cfi = _load_cfi
        options.context = <void *>self
        self._load = load
        self._decompress = decompress
        self._kept_alive = []
        self._perf = kp_perf_new(&options)
        if self._perf is NULL:
            raise MemoryError
        if arch:
            kp_perf_set_arch(self._perf, arch, len(arch))

    def __dealloc__(self):
        kp_perf_free(self._perf)

    def add_event(self, bytes attr, bytes ids):
        """Add an event: its perf_event_attr and the ids of its samples."""
        _raise(kp_perf_add_event(self._perf, attr, len(attr), ids, len(ids)))

    def event_of(self, uint64_t number):
        """Return the event that an id belongs to, or -1."""
        return kp_perf_event_of(self._perf, number)

    def event_types(self):
        """Return (type, config) of every event."""
        cdef uint32_t kind
        cdef uint64_t config
        found = []
        for i in range(kp_perf_events(self._perf)):
            kp_perf_event_type(self._perf, i, &kind, &config)
            found.append((kind, config))
        return found

    cdef _done(self, int status):
        """Raise what went wrong: in what we call first, such as Ctrl-C; C cannot pass it on."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        _raise(status)

    def begin(self):
        """Begin another stream of records."""
        kp_perf_begin(self._perf)

    def feed(self, const uint8_t[::1] data):
        """Read records of a buffer that is kept as long as the reader; return where the first cut one begins."""
        self._kept_alive.append(data)
        cdef int status = 0
        cdef size_t size = data.shape[0], used = 0
        if size:
            with nogil:
                status = kp_perf_feed(self._perf, &data[0], size, &used)
        self._done(status)
        return used

    def feed_piece(self, const uint8_t[::1] data):
        """Read a piece of a stream; pieces may end anywhere."""
        cdef int status = 0
        cdef size_t size = data.shape[0]
        if size:
            with nogil:
                status = kp_perf_feed_piece(self._perf, &data[0], size)
        self._done(status)

    def feed_file(self, int descriptor, uint64_t begin, uint64_t end):
        """Read records of a file, from one place of it to another; return how many bytes of them were there."""
        cdef uint64_t at = begin
        cdef size_t size
        cdef ssize_t got = 1
        cdef int status = 0, failure = 0
        cdef uint8_t *room
        with nogil:
            while at < end and got > 0 and not status:
                size = KP_PERF_PIECE if end - at > KP_PERF_PIECE else <size_t>(end - at)
                room = kp_perf_piece(self._perf, size)
                if room == NULL:
                    status = KP_PERF_NO_MEMORY
                    break
                got = pread(descriptor, room, size, <off_t>at)
                failure = errno if got < 0 else 0
                status = kp_perf_take_piece(self._perf, <size_t>got if got > 0 else 0)
                at += <uint64_t>got if got > 0 else 0
        if failure:
            raise OSError(failure, os.strerror(failure))
        self._done(status)
        return at - begin

    def end(self):
        """Nothing more comes."""
        cdef int status
        with nogil:
            status = kp_perf_end(self._perf)
        self._done(status)

    cdef tuple mapping(self, uint32_t number):
        cdef size_t count
        cdef const kp_perf_mapping *found = &kp_perf_mappings(self._perf, &count)[number]
        cdef kp_span path = kp_perf_paths(self._perf).items[number].text
        return path.at[:path.size], found.pid, (<const char *>found.build_id)[:found.build_id_size].hex()

    def kept(self):
        """Return the records of perf's own that are not interpreted here, as (type, bytes)."""
        cdef size_t count
        cdef const kp_perf_kept *kept = kp_perf_kept_records(self._perf, &count)
        return [(kept[i].type, kept[i].bytes.at[:kept[i].bytes.size]) for i in range(count)]

    def tracing_data(self):
        """Return the formats of tracepoints that a piped recording holds."""
        cdef kp_span span = kp_perf_tracing_data(self._perf)
        return span.at[:span.size] if span.size else b""

    def counts(self):
        """Return how often things were met."""
        return kp_perf_count(self._perf)[0]

    def raw(self):
        """Return the raw data of the samples as bytes, and where in it that of each row lies."""
        cdef size_t count
        cdef const kp_perf_raw *raws = kp_perf_raws(self._perf, &count)
        cdef kp_span span = kp_perf_raw_bytes(self._perf)
        return span.at[:span.size] if span.size else b"", _array(raws, count, RAW)

    def tables(self):
        """Return everything that was read, as a dict of lists and numpy arrays."""
        cdef size_t mapping_count, place_count, row_count, node_count
        cdef const kp_perf_node *nodes = kp_perf_nodes(self._perf, &node_count)
        cdef const kp_perf_mapping *mappings = kp_perf_mappings(self._perf, &mapping_count)
        cdef const kp_perf_place *places = kp_perf_places(self._perf, &place_count)
        cdef const kp_perf_row *rows = kp_perf_rows(self._perf, &row_count)
        tree = _array(nodes, node_count, NODE)
        return {
            "paths": _texts(kp_perf_paths(self._perf)),
            "mappings": [(mappings[i].kind, mappings[i].pid,
                          (<const char *>mappings[i].build_id)[:mappings[i].build_id_size].hex())
                         for i in range(mapping_count)],
            "names": _texts(kp_perf_names(self._perf)),
            "comms": _texts(kp_perf_comms(self._perf)),
            "cgroups": _texts(kp_perf_cgroups(self._perf)),
            "places": _array(places, place_count, PLACE),
            "parent": np.ascontiguousarray(tree["parent"]),
            "leaf": np.ascontiguousarray(tree["place"]),
            "rows": _array(rows, row_count, ROW),
        }

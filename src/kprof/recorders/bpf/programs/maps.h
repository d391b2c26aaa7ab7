/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps. Objects that are loaded together share them: the loader hands the first one's to the others.
 *
 * Their memory is taken when they are made and never grows; the loader sets how many rows and stacks there
 * is room for. */
#ifndef KP_MAPS_H
#define KP_MAPS_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#include "events.h"

struct kp_rows {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, struct kp_key);
    __type(value, struct kp_row);
    __uint(max_entries, 16384);
};

struct kp_rows rows_a SEC(".maps");
struct kp_rows rows_b SEC(".maps");

/* The one of the two that programs count in. User space puts in the other one, by which the kernel waits for all
 * programs that still use the first (maybe_wait_bpf_programs in kernel/bpf/syscall.c), and empties the first in
 * peace: no count is lost between reading a row and deleting it. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __array(values, struct kp_rows);
} active SEC(".maps") = {.values = {&rows_a}};

/* By hash. Emptied while in use, which does no harm: a stack never changes, and one that is met again is put
 * in again. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, __u64);
    __type(value, struct kp_stack);
    __uint(max_entries, 16384);
} stacks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_tally);
    __uint(max_entries, KP_MAX_EVENTS);
} tallies SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, struct kp_open_key);
    __type(value, struct kp_open);
    __uint(max_entries, 32768);
} open SEC(".maps");

#include "scope.h"

static __always_inline struct kp_tally *kp_tally_of(__u32 event) { return bpf_map_lookup_elem(&tallies, &event); }

#endif

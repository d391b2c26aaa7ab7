/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is recorded: the settings, and the maps that the filters look into. */
#ifndef KP_SCOPE_H
#define KP_SCOPE_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>

#include "events.h"

/* Processes or threads that are recorded. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, 16384);
} targets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, 1);
} cgroups SEC(".maps");

/* A section of its own: it holds nothing else, so that user space writes it as a whole. */
const volatile struct kp_settings settings SEC(".rodata.settings");

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whether the task at hand is to be recorded. */
#ifndef KP_FILTERS_H
#define KP_FILTERS_H

#include "scope.h"

static __always_inline int kp_is_target(__u32 tgid, __u32 tid) {
    if (settings.targets == KP_EVERYTHING) return 1;
    __u32 key = settings.targets == KP_PROCESSES ? tgid : tid;
    return bpf_map_lookup_elem(&targets, &key) != 0;
}

static __always_inline int kp_has_name(const char *comm) {
    for (__u32 i = 0; i < KP_COMM && i < settings.comm_length; i++)
        if (comm[i] != settings.comm[i]) return 0;
    return 1;
}

static __always_inline int kp_on_cpu(void) {
    __u32 cpu = bpf_get_smp_processor_id();
    if (!settings.on_cpus) return 1;
    return cpu / 64 < KP_CPU_WORDS && settings.cpus[cpu / 64 % KP_CPU_WORDS] >> cpu % 64 & 1;
}

/* Fills in whose row it would be. The idle task is nobody's. */
static __always_inline int kp_is_wanted(struct kp_key *key) {
    __u64 id = bpf_get_current_pid_tgid();
    key->tgid = id >> 32;
    key->tid = (__u32)id;
    if (!key->tid || key->tgid == settings.self || key->tgid == settings.client) return 0;
    if (!kp_is_target(key->tgid, key->tid) || !kp_on_cpu()) return 0;
    if (settings.in_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1) return 0;
    bpf_get_current_comm(key->comm, sizeof key->comm);
    return kp_has_name(key->comm);
}

#endif

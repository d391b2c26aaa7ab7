/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Children of a recorded process are recorded, from their first instruction on. */
#include "maps.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Children that were not recorded because `targets` was full. */
__u64 untracked;

SEC("raw_tp/sched_process_fork")
int on_fork(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
    __u32 from = BPF_CORE_READ(parent, tgid), to = BPF_CORE_READ(child, tgid), one = 1;
    if (from == to || !bpf_map_lookup_elem(&targets, &from)) return 0;
    if (bpf_map_update_elem(&targets, &to, &one, BPF_ANY)) __sync_fetch_and_add(&untracked, 1);
    return 0;
}

/* Not at its exit: giving its memory back may take long, and is its own work, too. */
SEC("raw_tp/sched_process_free")
int on_free(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *task = (void *)ctx->args[0];
    __u32 tgid = BPF_CORE_READ(task, tgid);
    if (BPF_CORE_READ(task, pid) == (int)tgid) bpf_map_delete_elem(&targets, &tgid);
    return 0;
}

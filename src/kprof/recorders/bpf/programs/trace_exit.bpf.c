/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Processes that end, with what they leave to whoever waits for them. */
#include "trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { SIGNAL_GROUP_EXIT = 4, BY_SIGNAL = 0x7f, DUMPED = 0x80 };

SEC("raw_tp/sched_process_exit")
int exits(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct___traced *task = (void *)ctx->args[0];
    struct kp_exit left = {};
    /* The last of its threads. */
    if (BPF_CORE_READ(task, signal, live.counter) || !kp_is_traced()) return 0;
    /* As wait_task_zombie in kernel/exit.c has it. */
    __u32 status = BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT
                       ? BPF_CORE_READ(task, signal, group_exit_code)
                       : BPF_CORE_READ(task, group_leader, exit_code);
    left.code = status >> 8 & 0xff;
    left.signal = status & BY_SIGNAL;
    left.dumped = (status & DUMPED) != 0;
    left.age_ns = bpf_ktime_get_ns() - BPF_CORE_READ(task, group_leader, start_time);
    BPF_CORE_READ_INTO(&left.parent, task, real_parent, comm);
    return kp_trace_event(ctx, (__u64)&left, 0);
}

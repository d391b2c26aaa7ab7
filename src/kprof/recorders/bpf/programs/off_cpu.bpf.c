/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Time that threads are blocked, by the stack with which they gave up their CPU.
 *
 * The interval ends when the thread runs again, so that its wait for a CPU is part of it. A thread that is
 * preempted is not blocked: it is left out. */
#include "interval.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { TASK_STATES = 0xff, TASK_DEAD = 0x80 };

SEC("raw_tp/sched_switch")
int off_cpu(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *next = (void *)ctx->args[2];
    __u32 state = (__u32)ctx->args[3];
    int preempted = ctx->args[0] & 1;
    /* The task at hand is still the one that gives up the CPU. */
    __u32 tid = (__u32)bpf_get_current_pid_tgid();
    if (!preempted && state && !(state & TASK_DEAD)) kp_begin(ctx, tid, state & TASK_STATES, 0);
    return kp_end((__u32)BPF_CORE_READ(next, pid));
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Calls of the system, from entry to exit, by the stack that made them. */
#include "interval.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx) {
    return kp_begin(ctx, (__u32)bpf_get_current_pid_tgid(), (__u32)ctx->args[1], 0);
}

SEC("raw_tp/sys_exit")
int sys_exit(void *ctx __attribute__((unused))) { return kp_end((__u32)bpf_get_current_pid_tgid()); }

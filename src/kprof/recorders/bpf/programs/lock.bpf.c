/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Waiting for locks of the kernel, by the stack that waits. */
#include "interval.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A task may be interrupted while it waits for one lock, by something that waits for another. */
static __always_inline __u64 wait_of(struct bpf_raw_tracepoint_args *ctx) {
    return ctx->args[0] ^ (__u64)(__u32)bpf_get_current_pid_tgid() << 32;
}

SEC("raw_tp/contention_begin")
int contention_begin(struct bpf_raw_tracepoint_args *ctx) {
    return kp_begin(ctx, wait_of(ctx), (__u32)ctx->args[1], 0);
}

SEC("raw_tp/contention_end")
int contention_end(struct bpf_raw_tracepoint_args *ctx) { return kp_end(wait_of(ctx)); }

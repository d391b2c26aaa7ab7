/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Requests to block devices, by the stack that issued them, from there to their end. */
#include "interval.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline int begin(struct bpf_raw_tracepoint_args *ctx) {
    struct request *request = (void *)ctx->args[0];
    return kp_begin(ctx, (__u64)request, 0, BPF_CORE_READ(request, __data_len));
}

/* Since Linux 6.5: from when the request is queued, in the task that issues it. */
SEC("raw_tp/block_io_start")
int io_start(struct bpf_raw_tracepoint_args *ctx) { return begin(ctx); }

SEC("raw_tp/block_io_done")
int io_done(struct bpf_raw_tracepoint_args *ctx) { return kp_end(ctx->args[0]); }

/* Before that: from when the driver gets it. */
SEC("raw_tp/block_rq_issue")
int rq_issue(struct bpf_raw_tracepoint_args *ctx) { return begin(ctx); }

SEC("raw_tp/block_rq_complete")
int rq_complete(struct bpf_raw_tracepoint_args *ctx) { return kp_end(ctx->args[0]); }

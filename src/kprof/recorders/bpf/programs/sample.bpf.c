/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Events that happen at one moment: of perf, tracepoints, functions of programs. A cookie tells which. */
#include "arguments.h"
#include "count.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline __u32 event_of(void *ctx) {
    return bpf_get_attach_cookie(ctx) & ((1 << KP_COOKIE_SHIFT) - 1);
}

/* Clocks, hardware counters, page faults. */
SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx) { return kp_count(ctx, event_of(ctx), 0, ctx->sample_period, 0); }

SEC("tp")
int tracepoint(void *ctx) { return kp_count(ctx, event_of(ctx), 0, 1, 0); }

/* A function of a program or a library. */
SEC("uprobe")
int function(void *ctx) {
    __u64 cookie = bpf_get_attach_cookie(ctx);
    __u32 measure = cookie >> KP_COOKIE_SHIFT & 0xff;
    if (measure == KP_SECOND_IF_FIRST && !first_argument(ctx)) return 0;
    __u64 caller = cookie & KP_COOKIE_INSIDE ? 0 : return_address(ctx);
    return kp_count(ctx, cookie & ((1 << KP_COOKIE_SHIFT) - 1), 0, measured(ctx, measure), caller);
}

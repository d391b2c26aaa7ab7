/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Events that happen at one moment: of perf, tracepoints, functions of programs. A cookie tells which. */
#include "count.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline __u32 event_of(void *ctx) {
    return bpf_get_attach_cookie(ctx) & ((1 << KP_COOKIE_SHIFT) - 1);
}

/* Clocks, hardware counters, page faults. */
SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx) { return kp_count(ctx, event_of(ctx), 0, ctx->sample_period, 0); }

SEC("tp")
int tracepoint(void *ctx) { return kp_count(ctx, event_of(ctx), 0, 1, 0); }

/* Copied, not read in place: the compiler would join the two machines' offsets, which the verifier forbids. */
static __always_inline __u64 first_argument(void *ctx) {
    struct pt_regs___x86 *x86 = ctx;
    struct pt_regs___arm64 *arm64 = ctx;
    if (bpf_core_field_exists(x86->di)) return BPF_CORE_READ(x86, di);
    return bpf_core_field_exists(arm64->regs) ? BPF_CORE_READ(arm64, regs[0]) : 0;
}

static __always_inline __u64 second_argument(void *ctx) {
    struct pt_regs___x86 *x86 = ctx;
    struct pt_regs___arm64 *arm64 = ctx;
    if (bpf_core_field_exists(x86->si)) return BPF_CORE_READ(x86, si);
    return bpf_core_field_exists(arm64->regs) ? BPF_CORE_READ(arm64, regs[1]) : 0;
}

static __always_inline __u64 third_argument(void *ctx) {
    struct pt_regs___x86 *x86 = ctx;
    struct pt_regs___arm64 *arm64 = ctx;
    if (bpf_core_field_exists(x86->dx)) return BPF_CORE_READ(x86, dx);
    return bpf_core_field_exists(arm64->regs) ? BPF_CORE_READ(arm64, regs[2]) : 0;
}

static __always_inline __u64 return_address(void *ctx) {
    struct pt_regs___x86 *x86 = ctx;
    struct pt_regs___arm64 *arm64 = ctx;
    __u64 address = 0;
    if (bpf_core_field_exists(x86->sp)) {
        bpf_probe_read_user(&address, sizeof address, (void *)BPF_CORE_READ(x86, sp));
        return address;
    }
    return bpf_core_field_exists(arm64->regs) ? BPF_CORE_READ(arm64, regs[30]) : 0;
}

/* A function of a program or a library. */
SEC("uprobe")
int function(void *ctx) {
    __u64 cookie = bpf_get_attach_cookie(ctx), weight = 1;
    switch (cookie >> KP_COOKIE_SHIFT & 0xff) {
    case KP_FIRST: weight = first_argument(ctx); break;
    case KP_FIRST_TIMES_SECOND: weight = first_argument(ctx) * second_argument(ctx); break;
    case KP_SECOND: weight = second_argument(ctx); break;
    case KP_THIRD: weight = third_argument(ctx); break;
    case KP_SECOND_IF_FIRST:
        if (!first_argument(ctx)) return 0;
        weight = second_argument(ctx);
    }
    __u64 caller = cookie & KP_COOKIE_INSIDE ? 0 : return_address(ctx);
    return kp_count(ctx, cookie & ((1 << KP_COOKIE_SHIFT) - 1), 0, weight, caller);
}

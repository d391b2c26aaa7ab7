/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a function of a program is given, and what it gives back. */
#ifndef KP_ARGUMENTS_H
#define KP_ARGUMENTS_H

#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "events.h"

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

/* Where it has just returned. */
static __always_inline __u64 result(void *ctx) {
    struct pt_regs___x86 *x86 = ctx;
    struct pt_regs___arm64 *arm64 = ctx;
    if (bpf_core_field_exists(x86->ax)) return BPF_CORE_READ(x86, ax);
    return bpf_core_field_exists(arm64->regs) ? BPF_CORE_READ(arm64, regs[0]) : 0;
}

/* What a call weighs. */
static __always_inline __u64 measured(void *ctx, __u32 measure) {
    switch (measure) {
    case KP_FIRST: return first_argument(ctx);
    case KP_FIRST_TIMES_SECOND: return first_argument(ctx) * second_argument(ctx);
    case KP_SECOND:
    case KP_SECOND_IF_FIRST: return second_argument(ctx);
    case KP_THIRD: return third_argument(ctx);
    }
    return 1;
}

#endif

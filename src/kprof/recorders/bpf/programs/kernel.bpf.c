/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Functions and tracepoints of the kernel. Programs are attached to any of them by name: kprobes by a breakpoint, the others where
 * the kernel has left room for a call, which is cheaper, and which they are told before they are loaded. */
#include "count.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("kprobe")
int kprobe_function(void *ctx) { return kp_count(ctx, settings.event, 0, 1, 0); }

/* A tracepoint, without what perf's way to it adds to each time that it happens. */
SEC("raw_tp")
int raw_tracepoint(void *ctx) { return kp_count(ctx, settings.event, 0, 1, 0); }

SEC("fentry")
int fentry_function(void *ctx) { return kp_count(ctx, settings.event, 0, 1, 0); }

SEC("fexit")
int fexit_function(void *ctx) { return kp_count(ctx, settings.event, 0, 1, 0); }

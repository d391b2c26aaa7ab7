/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Any event, once or as a pair of entry and return. */
#include "trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __noinline int kp_trace_once(void *ctx) {
    return kp_is_traced() ? kp_trace_event(ctx, (__u64)ctx, 0) : 0;
}

SEC("tp")
int tracepoint(void *ctx) { return kp_trace_once(ctx); }

SEC("raw_tp")
int raw_tracepoint(void *ctx) { return kp_trace_once(ctx); }

SEC("kprobe")
int kprobe_function(void *ctx) { return kp_trace_once(ctx); }

SEC("fentry")
int fentry_function(void *ctx) { return kp_trace_once(ctx); }

SEC("fexit")
int fexit_function(void *ctx) { return kp_trace_once(ctx); }

/* How deep a thread is in calls of a function that calls itself. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, struct kp_begun_key);
    __type(value, __u32);
    __uint(max_entries, 16384);
} depths SEC(".maps");

/* What is begun by the task at hand is kept until it ends. */
static __noinline int kp_enter(void *ctx, int may_nest) {
    struct kp_begun_key key = {.id = bpf_get_current_pid_tgid(), .event = settings.event};
    struct kp_begun now = {};
    struct kp_trace *trace = kp_trace_of();
    struct kp_traced *tally = kp_traced_of();
    if (!trace || !tally || !kp_is_traced()) return 0;
    if (may_nest) {
        __u32 *depth = bpf_map_lookup_elem(&depths, &key), next = depth ? *depth + 1 : 1;
        bpf_map_update_elem(&depths, &key, &next, BPF_ANY);
        key.depth = next;
    }
    for (__u32 i = 0; i < KP_ARGUMENTS; i++)
        if (i < trace->arguments)
            bpf_probe_read_kernel(&now.argument[i], sizeof now.argument[i], (char *)ctx + (trace->argument[i] & 0xfff));
    kp_tell_who(&now.who);
    now.time_ns = bpf_ktime_get_ns();
    if (bpf_map_update_elem(&begun, &key, &now, BPF_ANY)) __sync_fetch_and_add(&tally->unpaired, 1);
    return 0;
}

static __noinline int kp_leave(void *ctx, int may_nest) {
    struct kp_begun_key key = {.id = bpf_get_current_pid_tgid(), .event = settings.event};
    struct kp_trace *trace = kp_trace_of();
    struct kp_pair pair = {};
    if (!trace) return 0;
    if (may_nest) {
        __u32 *depth = bpf_map_lookup_elem(&depths, &key);
        if (!depth) return 0;
        struct kp_begun_key outer = key;
        key.depth = *depth;
        if (key.depth <= 1)
            bpf_map_delete_elem(&depths, &outer);
        else
            __sync_fetch_and_add(depth, -1);
    }
    struct kp_begun *found = bpf_map_lookup_elem(&begun, &key);
    if (!found) return 0;
    bpf_probe_read_kernel(&pair.result, sizeof pair.result, (char *)ctx + (trace->result & 0xfff));
    __builtin_memcpy(pair.argument, found->argument, sizeof pair.argument);
    kp_trace_event(ctx, (__u64)&pair, found);
    bpf_map_delete_elem(&begun, &key);
    return 0;
}

SEC("tp")
int syscall_enters(void *ctx) { return kp_enter(ctx, 0); }

SEC("tp")
int syscall_returns(void *ctx) { return kp_leave(ctx, 0); }

SEC("kprobe")
int function_enters(void *ctx) { return kp_enter(ctx, 1); }

SEC("kprobe")
int function_returns(void *ctx) { return kp_leave(ctx, 1); }

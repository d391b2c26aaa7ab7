/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Requests to block devices, from their being queued, or issued, to their end. */
#include "trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { DEVICE, SECTOR, BYTES, FLAGS, MINOR_BITS = 20, OPERATION = 0xff };

static __always_inline int begin(struct bpf_raw_tracepoint_args *ctx) {
    struct request___traced *request = (void *)ctx->args[0];
    struct kp_begun_key key = {.id = (__u64)request, .event = settings.event};
    struct kp_begun now = {.time_ns = bpf_ktime_get_ns()};
    struct kp_traced *tally = kp_traced_of();
    if (!tally || !kp_is_traced()) return 0;
    kp_tell_who(&now.who);
    struct gendisk *disk = BPF_CORE_READ(request, q, disk);
    now.argument[DEVICE] = (__u64)BPF_CORE_READ(disk, major) << MINOR_BITS | BPF_CORE_READ(disk, first_minor);
    if (BPF_CORE_READ(request, part)) now.argument[DEVICE] = BPF_CORE_READ(request, part, bd_dev);
    now.argument[SECTOR] = BPF_CORE_READ(request, __sector);
    now.argument[BYTES] = BPF_CORE_READ(request, __data_len);
    now.argument[FLAGS] = BPF_CORE_READ(request, cmd_flags);
    if (bpf_map_update_elem(&begun, &key, &now, BPF_ANY)) __sync_fetch_and_add(&tally->unpaired, 1);
    return 0;
}

/* Since Linux 6.5: in the task that issues it. */
SEC("raw_tp/block_io_start")
int io_start(struct bpf_raw_tracepoint_args *ctx) { return begin(ctx); }

/* Before that: when the driver gets it. */
SEC("raw_tp/block_rq_issue")
int rq_issue(struct bpf_raw_tracepoint_args *ctx) { return begin(ctx); }

SEC("raw_tp/block_rq_complete")
int rq_complete(struct bpf_raw_tracepoint_args *ctx) {
    struct request___traced *request = (void *)ctx->args[0];
    struct kp_begun_key key = {.id = (__u64)request, .event = settings.event};
    struct kp_begun *found = bpf_map_lookup_elem(&begun, &key);
    /* A part of it: the rest follows. */
    if (!found || (__u32)ctx->args[2] < BPF_CORE_READ(request, __data_len)) return 0;
    struct kp_block told = {
        .device = (__u32)found->argument[DEVICE], .operation = (__u32)found->argument[FLAGS] & OPERATION,
        .sector = found->argument[SECTOR], .bytes = (__u32)found->argument[BYTES], .result = (__s32)ctx->args[1],
    };
    kp_trace_event(ctx, (__u64)&told, found);
    bpf_map_delete_elem(&begun, &key);
    return 0;
}

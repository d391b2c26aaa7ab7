/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Bytes that go through sockets of TCP, by the stack that sends or receives them. */
#include "count.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { IPPROTO_TCP = 6 };

static __always_inline int moved(struct bpf_raw_tracepoint_args *ctx) {
    struct sock *socket = (void *)ctx->args[0];
    int bytes = (int)ctx->args[1];
    if (bytes <= 0 || BPF_CORE_READ(socket, sk_protocol) != IPPROTO_TCP) return 0;
    return kp_count(ctx, settings.event, 0, (__u64)bytes, 0);
}

SEC("raw_tp/sock_send_length")
int sends(struct bpf_raw_tracepoint_args *ctx) { return moved(ctx); }

SEC("raw_tp/sock_recv_length")
int receives(struct bpf_raw_tracepoint_args *ctx) { return moved(ctx); }

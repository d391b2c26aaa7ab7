/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Connections of TCP that this host opens, from the call to their being there, or not. */
#include "trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { TCP = 6, ESTABLISHED = 1, SYN_SENT = 2, CLOSED = 7, IPV4 = 2, ECANCELED = 125 };

static __always_inline void tell_addresses(struct kp_connect *told, struct sock___traced *socket) {
    told->family = BPF_CORE_READ(socket, __sk_common.skc_family);
    told->sport = BPF_CORE_READ(socket, __sk_common.skc_num);
    told->dport = __builtin_bswap16(BPF_CORE_READ(socket, __sk_common.skc_dport));
    if (told->family == IPV4) {
        /* As IPv6 has them: ::ffff:a.b.c.d. */
        told->saddr[10] = told->saddr[11] = told->daddr[10] = told->daddr[11] = 0xff;
        bpf_core_read(told->saddr + 12, 4, &socket->__sk_common.skc_rcv_saddr);
        bpf_core_read(told->daddr + 12, 4, &socket->__sk_common.skc_daddr);
    } else {
        bpf_core_read(told->saddr, 16, &socket->__sk_common.skc_v6_rcv_saddr);
        bpf_core_read(told->daddr, 16, &socket->__sk_common.skc_v6_daddr);
    }
}

SEC("raw_tp/inet_sock_set_state")
int connects(struct bpf_raw_tracepoint_args *ctx) {
    struct sock___traced *socket = (void *)ctx->args[0];
    struct kp_begun_key key = {.id = (__u64)socket, .event = settings.event};
    struct kp_traced *tally = kp_traced_of();
    struct kp_connect told = {};
    int state = (int)ctx->args[2];
    if (!tally || BPF_CORE_READ(socket, sk_protocol) != TCP) return 0;
    if (state == SYN_SENT) {
        struct kp_begun now = {.time_ns = bpf_ktime_get_ns()};
        if (!kp_is_traced()) return 0;
        kp_tell_who(&now.who);
        if (bpf_map_update_elem(&begun, &key, &now, BPF_ANY)) __sync_fetch_and_add(&tally->unpaired, 1);
        return 0;
    }
    struct kp_begun *found = bpf_map_lookup_elem(&begun, &key);
    if (!found || (state != ESTABLISHED && state != CLOSED)) return 0;
    if (state == CLOSED) {
        int error = BPF_CORE_READ(socket, sk_err);
        /* The program did not wait for it. */
        told.result = error ? -error : -ECANCELED;
    }
    tell_addresses(&told, socket);
    kp_trace_event(ctx, (__u64)&told, found);
    bpf_map_delete_elem(&begun, &key);
    return 0;
}

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Time that threads are blocked, by the stack that wakes them. Which threads is up to the filters; the row is the
 * waker's, for the stack is. */
#include "interval.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { TASK_DEAD = 0x80 };

SEC("raw_tp/sched_switch")
int blocks(struct bpf_raw_tracepoint_args *ctx) {
    __u32 state = (__u32)ctx->args[3];
    struct kp_open_key name = {.id = (__u32)bpf_get_current_pid_tgid(), .event = settings.event};
    struct kp_open blocked = {};
    struct kp_tally *tally = kp_tally_of(settings.event);
    if (ctx->args[0] & 1 || !state || state & TASK_DEAD || !tally || !kp_is_wanted(&blocked.key)) return 0;
    blocked.begun_ns = bpf_ktime_get_ns();
    if (bpf_map_update_elem(&open, &name, &blocked, BPF_ANY)) {
        __sync_fetch_and_add(&tally->seen, 1);
        __sync_fetch_and_add(&tally->no_room, 1);
    }
    return 0;
}

SEC("raw_tp/sched_waking")
int wakes(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *woken = (void *)ctx->args[0];
    struct kp_open_key name = {.id = (__u32)BPF_CORE_READ(woken, pid), .event = settings.event};
    struct kp_open *blocked = bpf_map_lookup_elem(&open, &name);
    struct kp_tally *tally = kp_tally_of(settings.event);
    if (!blocked || !tally) return 0;
    __u64 elapsed = bpf_ktime_get_ns() - blocked->begun_ns, id = bpf_get_current_pid_tgid();
    bpf_map_delete_elem(&open, &name);
    struct kp_key waker = {.event = settings.event, .tgid = id >> 32, .tid = (__u32)id};
    if (waker.tgid == settings.self || (waker.tgid && waker.tgid == settings.client)) return 0;
    const volatile struct kp_event_settings *limits = &settings.events[settings.event % KP_MAX_EVENTS];
    if (elapsed < limits->least || elapsed > limits->most) {
        __sync_fetch_and_add(&tally->left_out, 1);
        return 0;
    }
    bpf_get_current_comm(waker.comm, sizeof waker.comm);
    __sync_fetch_and_add(&tally->seen, 1);
    if (kp_take_stacks(ctx, &waker, tally, 0))
        kp_count_row(&waker, limits->weight == KP_WEIGH_TIME ? elapsed : 1, tally);
    else
        __sync_fetch_and_add(&tally->nested, 1);
    return 0;
}

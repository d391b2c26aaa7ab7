/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Time that threads are blocked, by the stack with which they gave up their CPU, and perhaps by what woke them.
 *
 * The interval ends when the thread runs again, so that its wait for a CPU is part of it. A thread that is
 * preempted is not blocked: it is left out. */
#include "interval.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Of include/linux/sched.h: they did not change since Linux 4.14. */
enum {
    TASK_INTERRUPTIBLE = 0x1,
    TASK_UNINTERRUPTIBLE = 0x2,
    TASK_STOPPED = 0x4,
    TASK_TRACED = 0x8,
    TASK_PARKED = 0x40,
    TASK_DEAD = 0x80,
    TASK_NOLOAD = 0x400,
};

/* By hash. Emptied while in use, like `stacks`. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, __u64);
    __type(value, struct kp_join);
    __uint(max_entries, 16384);
} joins SEC(".maps");

static __always_inline __u32 letter_of(__u32 state) {
    if (state & TASK_UNINTERRUPTIBLE) return state & TASK_NOLOAD ? KP_IDLE : KP_WAITS;
    if (state & TASK_INTERRUPTIBLE) return KP_SLEEPS;
    if (state & TASK_STOPPED) return KP_STOPPED;
    if (state & TASK_TRACED) return KP_TRACED;
    return state & TASK_PARKED ? KP_PARKED : 0;
}

SEC("raw_tp/sched_switch")
int off_cpu(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *next = (void *)ctx->args[2];
    __u32 state = (__u32)ctx->args[3];
    int preempted = ctx->args[0] & 1;
    /* The task at hand is still the one that gives up the CPU. */
    __u32 tid = (__u32)bpf_get_current_pid_tgid();
    if (!preempted && state && !(state & TASK_DEAD)) kp_begin(ctx, tid, letter_of(state), 0);
    return kp_end((__u32)BPF_CORE_READ(next, pid));
}

static __always_inline __u64 hash_of(const struct kp_join *join) {
    const __u64 *word = (const void *)join;
    __u64 hash = 0x9e3779b97f4a7c15ULL;
    for (__u32 i = 0; i < sizeof *join / 8; i++) {
        hash = (hash ^ word[i]) * 0xff51afd7ed558ccdULL;
        hash ^= hash >> 32;
    }
    return hash < KP_FIRST_HASH ? hash + KP_FIRST_HASH : hash;
}

/* The task at hand wakes another one, which still is blocked: nobody else changes what is open of it. */
SEC("raw_tp/sched_waking")
int waker(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *woken = (void *)ctx->args[0];
    struct kp_open_key name = {.id = (__u32)BPF_CORE_READ(woken, pid), .event = settings.event};
    struct kp_open *blocked = bpf_map_lookup_elem(&open, &name);
    struct kp_tally *tally = kp_tally_of(settings.event);
    struct kp_key here = {.event = settings.event};
    struct kp_join join = {};
    /* Its bytes, which it has none of, say whether it is known already. */
    if (!blocked || !tally || blocked->bytes || !kp_take_stacks(ctx, &here, tally, 0)) return 0;
    join.user_stack = blocked->key.user_stack;
    join.waker_user = here.user_stack;
    join.waker_kernel = here.kernel_stack;
    join.tgid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(join.comm, sizeof join.comm);
    __u64 hash = hash_of(&join);
    long status = bpf_map_update_elem(&joins, &hash, &join, BPF_NOEXIST);
    if (status && status != -KP_EEXIST) {
        __sync_fetch_and_add(&tally->stacks_lost, 1);
        return 0;
    }
    blocked->bytes = 1;
    blocked->key.user_stack = hash;
    return 0;
}

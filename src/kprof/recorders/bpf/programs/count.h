/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Stacks are captured, and their rows counted. */
#ifndef KP_COUNT_H
#define KP_COUNT_H

#include "maps.h"

#include "copy.h"
#include "filters.h"

struct kp_scratch {
    __u32 taken, unused;
    struct kp_stack stack;
};

/* Too large for a program's stack. A program may be interrupted by another one, or be preempted, on its CPU. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_scratch);
    __uint(max_entries, KP_SCRATCHES);
} scratches SEC(".maps");

static __always_inline struct kp_scratch *kp_take_scratch(void) {
    for (__u32 i = 0; i < KP_SCRATCHES; i++) {
        __u32 number = i;
        struct kp_scratch *scratch = bpf_map_lookup_elem(&scratches, &number);
        if (scratch && !__sync_val_compare_and_swap(&scratch->taken, 0, 1)) return scratch;
    }
    return 0;
}

static __always_inline void kp_release_scratch(struct kp_scratch *scratch) {
    __sync_lock_test_and_set(&scratch->taken, 0);
}

/* 64 bits for up to 127 addresses: among a million stacks, two fall together once in 30 million recordings. */
static __always_inline __u64 kp_hash(const struct kp_stack *stack) {
    __u64 hash = 0x9e3779b97f4a7c15ULL + stack->length;
    for (__u32 i = 0; i < KP_MAX_FRAMES; i++) {
        if (i >= stack->length) break;
        hash = (hash ^ stack->address[i]) * 0xff51afd7ed558ccdULL;
        hash ^= hash >> 32;
    }
    return hash < KP_FIRST_HASH ? hash + KP_FIRST_HASH : hash;
}

/* Not a global function's work, and not inlined either: it is met twice in each program. */
static __noinline __u64 kp_keep(struct kp_stack *stack, struct kp_tally *tally) {
    if (!stack || !tally) return KP_NO_STACK;
    __u64 hash = kp_hash(stack);
    if (bpf_map_lookup_elem(&stacks, &hash)) return hash;
    long status = bpf_map_update_elem(&stacks, &hash, stack, BPF_NOEXIST);
    if (!status || status == -KP_EEXIST) return hash;
    __sync_fetch_and_add(&tally->stacks_lost, 1);
    return KP_LOST_STACK;
}

static __always_inline __u64 kp_capture(void *ctx, struct kp_scratch *scratch, struct kp_tally *tally, __u64 flags) {
    long size = bpf_get_stack(ctx, scratch->stack.address, sizeof scratch->stack.address, flags);
    if (size <= 0) return KP_NO_STACK;
    scratch->stack.length = (__u32)size / 8;
    return kp_keep(&scratch->stack, tally);
}

/* The user's stack where a function has just been entered. It has not made its frame yet, so that following frame
 * pointers leads past its caller, whom only the return address tells. Some kernels know that. */
static __always_inline __u64 kp_capture_call(void *ctx, struct kp_scratch *scratch, struct kp_tally *tally, __u64 caller) {
    __u64 *address = scratch->stack.address;
    long size = bpf_get_stack(ctx, address + 1, (KP_MAX_FRAMES - 1) * 8, BPF_F_USER_STACK);
    if (size <= 0 || !caller || address[2] == caller) return kp_capture(ctx, scratch, tally, BPF_F_USER_STACK);
    address[0] = address[1];
    address[1] = caller;
    scratch->stack.length = (__u32)size / 8 + 1;
    return kp_keep(&scratch->stack, tally);
}

/* The stacks of a key; 0 if there is no buffer for them. `caller` is the return address of a function that has just
 * been entered, else 0. */
static __always_inline int kp_take_stacks(void *ctx, struct kp_key *key, struct kp_tally *tally, __u64 caller) {
    struct kp_scratch *scratch = kp_take_scratch();
    if (!scratch) return 0;
    __u32 sides = settings.events[key->event % KP_MAX_EVENTS].sides;
    if (sides & KP_USER && kp_is_copied(key->event, key->tgid))
        key->user_stack = kp_copy_stack(tally);
    else if (caller)
        key->user_stack = kp_capture_call(ctx, scratch, tally, caller);
    else if (sides & KP_USER)
        key->user_stack = kp_capture(ctx, scratch, tally, BPF_F_USER_STACK);
    if (sides & KP_KERNEL) key->kernel_stack = kp_capture(ctx, scratch, tally, 0);
    kp_release_scratch(scratch);
    return 1;
}

static __always_inline void kp_send_row(const struct kp_key *key, __u64 weight, struct kp_tally *tally) {
    struct kp_record record = {.key = *key, .row = {1, weight, bpf_ktime_get_ns()}};
    record.key.cpu = bpf_get_smp_processor_id();
    long failed = bpf_ringbuf_output(&records, &record, sizeof record, kp_wakes(&records));
    __sync_fetch_and_add(failed ? &tally->no_room : &tally->counted, 1);
}

static __always_inline void kp_count_row(struct kp_key *key, __u64 weight, struct kp_tally *tally) {
    __u32 zero = 0;
    if (settings.timestamps) {
        kp_send_row(key, weight, tally);
        return;
    }
    void *rows = bpf_map_lookup_elem(&active, &zero);
    if (!rows) {
        __sync_fetch_and_add(&tally->no_room, 1);
        return;
    }
    struct kp_row *row = bpf_map_lookup_elem(rows, key);
    if (!row) {
        struct kp_row fresh = {.first_ns = bpf_ktime_get_ns()};
        bpf_map_update_elem(rows, key, &fresh, BPF_NOEXIST);
        row = bpf_map_lookup_elem(rows, key);
    }
    if (!row) {
        __sync_fetch_and_add(&tally->no_room, 1);
        return;
    }
    __sync_fetch_and_add(&row->count, 1);
    __sync_fetch_and_add(&row->weight, weight);
    __sync_fetch_and_add(&tally->counted, 1);
}

/* One occurrence of an event in the task at hand; see kp_take_stacks for `caller`. */
static __always_inline int kp_count(void *ctx, __u32 event, __u32 detail, __u64 weight, __u64 caller) {
    struct kp_key key = {.event = event, .detail = detail};
    struct kp_tally *tally = kp_tally_of(event);
    if (!tally || !kp_is_wanted(&key)) return 0;
    const volatile struct kp_event_settings *limits = &settings.events[event % KP_MAX_EVENTS];
    if (weight < limits->least || weight > limits->most) {
        __sync_fetch_and_add(&tally->left_out, 1);
        return 0;
    }
    __sync_fetch_and_add(&tally->seen, 1);
    if (kp_take_stacks(ctx, &key, tally, caller))
        kp_count_row(&key, weight, tally);
    else
        __sync_fetch_and_add(&tally->nested, 1);
    return 0;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Intervals: what begins in one program and ends in another is counted at its end, with the stacks of its beginning. */
#ifndef KP_INTERVAL_H
#define KP_INTERVAL_H

#include "count.h"

/* Something of the task at hand begins. `id` tells it from others of its event, `bytes` is what it will move. */
static __always_inline int kp_begin(void *ctx, __u64 id, __u32 detail, __u64 bytes) {
    struct kp_open_key name = {.id = id, .event = settings.event};
    struct kp_open open_now = {.bytes = bytes, .key = {.event = settings.event, .detail = detail}};
    struct kp_tally *tally = kp_tally_of(settings.event);
    if (!tally || !kp_is_wanted(&open_now.key)) return 0;
    if (!kp_take_stacks(ctx, &open_now.key, tally, 0)) {
        __sync_fetch_and_add(&tally->seen, 1);
        __sync_fetch_and_add(&tally->nested, 1);
        return 0;
    }
    open_now.begun_ns = bpf_ktime_get_ns();
    if (bpf_map_update_elem(&open, &name, &open_now, BPF_ANY)) {
        __sync_fetch_and_add(&tally->seen, 1);
        __sync_fetch_and_add(&tally->no_room, 1);
    }
    return 0;
}

/* It ends. One that began before the recording is not known. */
static __always_inline int kp_end(__u64 id) {
    struct kp_open_key name = {.id = id, .event = settings.event};
    struct kp_open *began = bpf_map_lookup_elem(&open, &name);
    struct kp_tally *tally = kp_tally_of(settings.event);
    if (!began || !tally) return 0;
    const volatile struct kp_event_settings *limits = &settings.events[settings.event % KP_MAX_EVENTS];
    __u64 elapsed = bpf_ktime_get_ns() - began->begun_ns;
    struct kp_key key = began->key;
    __u64 bytes = began->bytes;
    bpf_map_delete_elem(&open, &name);
    if (elapsed < limits->least || elapsed > limits->most) {
        __sync_fetch_and_add(&tally->left_out, 1);
        return 0;
    }
    __sync_fetch_and_add(&tally->seen, 1);
    __u64 weight = limits->weight == KP_WEIGH_TIME ? elapsed : limits->weight == KP_WEIGH_BYTES ? bytes : 1;
    kp_count_row(&key, weight, tally);
    return 0;
}

#endif

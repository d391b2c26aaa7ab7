/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What goes to user space one by one. */
#ifndef KP_RING_H
#define KP_RING_H

#include "maps.h"

/* Rows with time stamps: each is one occurrence. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} records SEC(".maps");

/* Nobody is woken for less than half of the room. */
static __always_inline __u64 kp_wakes(void *ring) {
    __u64 waiting = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA), room = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);
    return waiting * 2 > room ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

#endif

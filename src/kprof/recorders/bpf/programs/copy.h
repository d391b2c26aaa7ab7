/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Copies of users' stacks, where frame pointers lead nowhere: readers unwind them.
 *
 * A copy stands for a stack by a number of its own, where others have a hash. To unwind here instead would be to give
 * kp_keep the addresses that a walk finds: nothing else would change, here or in user space. */
#ifndef KP_COPY_H
#define KP_COPY_H

#include "ring.h"
#include <bpf/bpf_core_read.h>

/* Bytes that are copied from above where the first frame begins. */
enum { KP_ABOVE_START = 256 };

struct kp_copier {
    __u32 taken, unused;
    struct kp_copy copy;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_copier);
    __uint(max_entries, KP_COPIERS);
} copiers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} copies SEC(".maps");

/* Processes whose code keeps frame pointers. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, __u32);
    __type(value, __u32);
    __uint(max_entries, 16384);
} framed SEC(".maps");

static __always_inline int kp_is_copied(__u32 event, __u32 tgid) {
    __u32 how = settings.events[event % KP_MAX_EVENTS].copies;
    return how == KP_COPY_ALL || (how == KP_COPY_UNFRAMED && !bpf_map_lookup_elem(&framed, &tgid));
}

static __always_inline struct kp_copier *kp_take_copier(void) {
    for (__u32 i = 0; i < KP_COPIERS; i++) {
        __u32 number = i;
        struct kp_copier *copier = bpf_map_lookup_elem(&copiers, &number);
        if (copier && !__sync_val_compare_and_swap(&copier->taken, 0, 1)) return copier;
    }
    return 0;
}

/* The registers with which the task at hand left its own code, as the kernel keeps them; returns their size, which
 * is known when the program is loaded. */
static __always_inline __u32 kp_copy_registers(struct kp_copy *copy, struct task_struct *task) {
    __u32 size = bpf_core_type_size(struct pt_regs);
    if (size > KP_REGISTER_BYTES) size = KP_REGISTER_BYTES;
    copy->registers = size;
    return bpf_probe_read_kernel(copy->bytes, size, (void *)bpf_task_pt_regs(task)) ? 0 : size;
}

static __always_inline __u64 kp_stack_pointer(const struct kp_copy *copy) {
    struct pt_regs___x86 *x86 = 0;
    if (bpf_core_field_exists(x86->sp)) return *(__u64 *)(copy->bytes + bpf_core_field_offset(struct pt_regs___x86, sp));
    return *(__u64 *)(copy->bytes + 31 * 8);
}

/* How much of a stack is worth copying: what a program was started with lies above its first frame, and is not. */
static __always_inline __u32 kp_live_bytes(struct task_struct *task, __u64 from) {
    struct mm_struct___stack *mm = (void *)BPF_CORE_READ(task, mm);
    __u64 live = BPF_CORE_READ(mm, start_stack) + KP_ABOVE_START - from;
    /* A thread's stack is elsewhere, above or below. */
    return live < settings.copy_bytes ? (__u32)live & ~7U : settings.copy_bytes;
}

/* Up to the end of a page each, because what is mapped ends there: so all that there is is read. */
static __always_inline __u32 kp_copy_pages(__u8 *to, __u64 from, __u32 most) {
    __u32 done = 0;
    for (__u32 i = 0; i <= KP_MOST_COPIED / KP_PAGE; i++) {
        __u64 at = from + done;
        __u32 left = most - done, piece = KP_PAGE - (at & (KP_PAGE - 1));
        if (done >= most || done >= KP_MOST_COPIED) break;
        if (piece > left) piece = left;
        /* Or the compiler, who knows it already, would leave it out. */
        asm volatile("" : "+r"(piece), "+r"(done));
        if (piece > KP_PAGE || done >= KP_MOST_COPIED) break;
        if (bpf_probe_read_user(to + done, piece, (void *)at)) break;
        done += piece;
    }
    return done;
}

/* Copies the stack of the task at hand; returns what stands for it. */
static __noinline __u64 kp_copy_stack(struct kp_tally *tally) {
    if (!tally) return KP_NO_STACK;
    struct task_struct *task = bpf_get_current_task_btf();
    /* A thread of the kernel, or one that is ending. */
    if (!BPF_CORE_READ(task, mm)) return KP_NO_STACK;
    struct kp_copier *copier = kp_take_copier();
    if (copier) {
        struct kp_copy *copy = &copier->copy;
        __u32 size = kp_copy_registers(copy, task);
        __u64 from = kp_stack_pointer(copy);
        copy->stack = size ? kp_copy_pages(copy->bytes + size, from, kp_live_bytes(task, from)) : 0;
        __u64 number = bpf_ktime_get_ns() << 12 | (bpf_get_smp_processor_id() & 0xfff), sent = copy->stack;
        copy->number = number;
        if (size && sent <= KP_MOST_COPIED + KP_PAGE) {
            sent = bpf_ringbuf_output(&copies, copy, KP_COPY_HEAD + size + sent, kp_wakes(&copies));
            __sync_lock_test_and_set(&copier->taken, 0);
            if (!sent) return number;
        } else {
            __sync_lock_test_and_set(&copier->taken, 0);
        }
    }
    __sync_fetch_and_add(&tally->stacks_lost, 1);
    return KP_LOST_STACK;
}

#endif

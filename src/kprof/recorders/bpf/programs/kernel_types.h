/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The little of the kernel's types that our programs look at, by hand instead of a generated vmlinux.h.
 *
 * Members of the kernel's own structures are found by name when a program is loaded (CO-RE): each structure
 * lists only what is read, in any order, and the loader puts in the offsets that the running kernel tells in
 * its BTF. Numbers are those of include/uapi/linux/bpf.h. */
#ifndef KP_KERNEL_TYPES_H
#define KP_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;

enum {
    BPF_MAP_TYPE_HASH = 1,
    BPF_MAP_TYPE_ARRAY = 2,
    BPF_MAP_TYPE_PERCPU_ARRAY = 6,
    BPF_MAP_TYPE_CGROUP_ARRAY = 8,
    BPF_MAP_TYPE_LRU_HASH = 9,
    BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
    BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST };
enum { BPF_F_NO_PREALLOC = 1 << 0, BPF_F_USER_STACK = 1 << 8 };
enum { BPF_RB_NO_WAKEUP = 1 << 0, BPF_RB_FORCE_WAKEUP = 1 << 1 };
enum { BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE };
enum { KP_EEXIST = 17 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_perf_event_data {
    __u64 sample_period;
};

/* What stands behind ___ is no part of the name: other programs read other members. */
struct mm_struct___stack {
    unsigned long start_stack;
};

struct thread_info {
    __u32 status;
};

struct task_struct {
    struct thread_info thread_info;
    int pid, tgid;
    char comm[16];
    struct mm_struct *mm;
};

/* Only its size is asked for. */
struct pt_regs {};

struct request {
    unsigned int __data_len;
};

struct sock {
    __u16 sk_protocol;
};

/* A function's arguments, by the machine that runs it: what is not there is never read. */
struct pt_regs___x86 {
    unsigned long ax, di, si, dx, sp;
};

struct pt_regs___arm64 {
    __u64 regs[31];
};

#pragma clang attribute pop

struct bpf_raw_tracepoint_args {
    __u64 args[0];
};

#endif

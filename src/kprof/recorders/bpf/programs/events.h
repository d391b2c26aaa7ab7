/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What programs and user space hand each other: keys and values of the maps, and the settings.
 *
 * The same layouts stand in kprof/wire/bpf_events.py; a test compiles this file and compares every offset. */
#ifndef KP_EVENTS_H
#define KP_EVENTS_H

enum {
    KP_MAX_FRAMES = 127, /* kernel.perf_event_max_stack, unless somebody raised it */
    KP_MAX_EVENTS = 16,
    KP_CPU_WORDS = 64, /* 4,096 CPUs */
    KP_COMM = 16,
    KP_SCRATCHES = 8, /* programs that may interrupt each other on one CPU */
    KP_COPIERS = 3,   /* the same, those that copy stacks */
    KP_PAGE = 4096,
    KP_MOST_COPIED = 24576,  /* bytes of a stack: what there is room for in an array of each CPU */
    KP_REGISTER_BYTES = 272, /* of the machine with most; the kernel's struct pt_regs begins with them */
    KP_COPY_HEAD = 16,
};

/* A cookie is the number of an event, above it what an occurrence weighs (1, or arguments of a function), and above
 * that whether it is anything but the start of a function. */
enum { KP_COOKIE_SHIFT = 8, KP_COOKIE_INSIDE = 1 << 16 };
enum { KP_ONE, KP_FIRST, KP_FIRST_TIMES_SECOND, KP_SECOND, KP_SECOND_IF_FIRST, KP_THIRD };

/* Values of a row's stack that are neither a hash nor the number of a copy. */
enum { KP_NO_STACK = 0, KP_LOST_STACK = 1, KP_FIRST_HASH = 2 };

/* What `targets` holds. */
enum { KP_EVERYTHING, KP_PROCESSES, KP_THREADS };

enum { KP_USER = 1, KP_KERNEL = 2 };

/* How the user's stack is found: by frame pointers, by a copy, or by one where code keeps no frame pointers. */
enum { KP_FOLLOW, KP_COPY_ALL, KP_COPY_UNFRAMED };

/* What an interval weighs: its time, the bytes that it moved, or 1. */
enum { KP_WEIGH_TIME, KP_WEIGH_BYTES, KP_WEIGH_ONE };

struct kp_event_settings {
    __u32 sides;  /* of the stack: KP_USER, KP_KERNEL */
    __u32 weight; /* of an interval */
    __u32 copies, unused;
    __u64 least, most; /* shorter and longer intervals, or smaller and larger weights of all else, are left out */
};

/* Set before the programs are loaded, so that the verifier removes what is switched off. */
struct kp_settings {
    __u32 self;    /* the recorder's own process, which is never recorded */
    __u32 client;  /* nor is the one that it works for, if there is one */
    __u32 unused;
    __u32 targets; /* whether `targets` decides, and what it holds */
    __u32 in_cgroup;
    __u32 on_cpus;
    __u32 event;       /* which of the recording's events this object counts, where no cookie tells */
    __u32 comm_length; /* with its closing zero; 0 for any name */
    __u32 timestamps;  /* whether every occurrence is a row of its own, which goes to `records` */
    __u32 copy_bytes;  /* of a stack, at most */
    char comm[KP_COMM];
    __u64 cpus[KP_CPU_WORDS];
    struct kp_event_settings events[KP_MAX_EVENTS];
};

/* A row: what is counted together. */
struct kp_key {
    __u64 user_stack, kernel_stack;
    __u32 tgid, tid, event, detail;
    __u32 cpu; /* with time stamps, else 0 */
    __u32 unused;
    char comm[KP_COMM];
};

struct kp_row {
    __u64 count, weight;
    __u64 first_ns; /* CLOCK_MONOTONIC */
};

/* A row with time stamps, whole. */
struct kp_record {
    struct kp_key key;
    struct kp_row row;
};

/* A copy of a user's stack. */
struct kp_copy {
    __u64 number;
    __u32 registers, stack; /* bytes of each, in this order */
    __u8 bytes[KP_REGISTER_BYTES + KP_MOST_COPIED + KP_PAGE];
};

/* What has begun, and not ended: told apart by the event and whatever names it, such as a thread. */
struct kp_open_key {
    __u64 id, event;
};

struct kp_open {
    __u64 begun_ns, bytes;
    struct kp_key key;
};

/* Instead of the number of a system call: 32-bit programs have others. */
#define KP_COMPAT 0x80000000U

/* Why a thread is not on a CPU: the letter by which ps calls it, or 0. */
enum { KP_SLEEPS = 'S', KP_WAITS = 'D', KP_STOPPED = 'T', KP_TRACED = 't', KP_PARKED = 'P', KP_IDLE = 'I' };

/* A blocked thread's stack, and who woke it. Its hash stands where a user's stack would. */
struct kp_join {
    __u64 user_stack, waker_user, waker_kernel;
    __u32 tgid, unused;
    char comm[KP_COMM];
};

/* Memory that a program has asked for and not given back, with what it will be counted as. */
struct kp_allocation_key {
    __u64 address, tgid;
};

struct kp_allocation {
    __u64 bytes, user_stack, begun_ns;
    __u32 tid, unused;
    char comm[KP_COMM];
};

/* What became of them, of one CPU. */
struct kp_turnover {
    __u64 allocated, freed;
    __u64 foreign; /* frees of what was not seen being allocated */
};

struct kp_stack {
    __u32 length, unused;
    __u64 address[KP_MAX_FRAMES]; /* leaf first */
};

/* What became of an event's occurrences, of one CPU: seen = counted + no_room + nested. */
struct kp_tally {
    __u64 seen, counted;
    __u64 no_room;     /* the map of rows, or the buffer of records, was full */
    __u64 nested;      /* no buffer was free: programs interrupted each other too deeply */
    __u64 stacks_lost; /* there was no room for a stack: the row is there, without it */
    __u64 left_out;    /* outside of `least` and `most`; not part of `seen` */
};

#endif

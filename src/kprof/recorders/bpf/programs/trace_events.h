/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What tracing programs and user space hand each other: what is to be read of an event, and the records of what was.
 *
 * The same layouts stand in kprof/wire/trace_events.py; a test compiles this file and compares every offset. */
#ifndef KP_TRACE_EVENTS_H
#define KP_TRACE_EVENTS_H

enum {
    KP_MAX_FIELDS = 24,
    KP_MAX_STEPS = 5,
    KP_MAX_TESTS = 32,
    KP_MAX_PATTERNS = 8,
    KP_PATTERN = 96,
    KP_ARGUMENTS = 6,
    KP_TEXT = 4096,  /* the longest text, with its closing zero */
    KP_DATA = 16384, /* room for all texts and bytes of a record; a power of 2 */
    KP_TRACE_FRAMES = 64,
    KP_PIECE = 8192,  /* of the arguments of a program that is executed */
    KP_PIECES = 256,
    KP_FAILED_WORDS = 512, /* arguments that are kept of a program that cannot be executed */
    KP_TRACE_SCRATCHES = 3, /* programs that may interrupt each other on one CPU */
    KP_DEEPEST = 64,       /* directories of a path */
    KP_NAME = 256,
};

/* Where a field's value comes from. */
enum {
    KP_FROM_DATA, /* what the event gives: a record of a tracepoint, arguments, registers, or a layout of ours */
    KP_FROM_PID,
    KP_FROM_TID,
    KP_FROM_PPID,
    KP_FROM_UID,
    KP_FROM_GID,
    KP_FROM_CPU,
    KP_FROM_COMM,
    KP_FROM_DURATION,
    KP_FROM_CWD,
    KP_FROM_CGROUP,
};

/* What stands there. */
enum {
    KP_IS_NUMBER,
    KP_IS_TEXT,     /* ends with a zero */
    KP_IS_BYTES,
    KP_IS_LOCATED,  /* a word says where in the data: offset, size, 16 bits each */
    KP_IS_RELATIVE, /* so, counted from the end of the word */
    KP_IS_WORDS,    /* arguments of a program: where they are, and how many bytes */
    KP_IS_PATH,     /* struct path: its names, from the last to the first */
};

enum {
    KP_SIGNED = 1,  /* numbers are */
    KP_USERS = 2,   /* behind the first step lies memory of the process, not of the kernel */
    KP_EITHER = 4,  /* it may be memory of either */
};

/* What a value of text or bytes is where it could not be read: the page may not be in memory. */
#define KP_UNREADABLE 0xffffffffffffffffULL

/* From the event's data on: each step reads a pointer and goes `step` bytes on from what it points to. */
struct kp_field {
    __u32 from, kind, flags;
    __u32 offset, size;
    __u32 shift, bits; /* of a bit field; bits is 0 for none */
    __u32 steps;
    __s32 step[KP_MAX_STEPS];
    __u32 unused;
};

/* The filter, for a machine with a stack of truths. */
enum { KP_COMPARE, KP_AND, KP_OR, KP_NOT };
enum { KP_EQUAL, KP_UNEQUAL, KP_LESS, KP_AT_MOST, KP_MORE, KP_AT_LEAST, KP_HAS_BITS, KP_LIKE, KP_UNLIKE };

struct kp_test {
    __u32 what, compare;
    __u32 field;
    __u32 pattern;
    __u64 value;
};

/* Codes of a pattern that are no byte. Arguments of a program are apart by zeros: a blank stands for one. */
enum { KP_ANY_ONE = 256, KP_ANY_RUN, KP_ANY_BLANK };

struct kp_pattern {
    __u32 length, unused;
    __u16 code[KP_PATTERN];
};

struct kp_trace {
    __u32 fields, tests;
    __u32 stacks;    /* KP_USER, KP_KERNEL */
    __u32 arguments; /* whether entry and return are a pair whose arguments the entry keeps */
    __u32 argument[KP_ARGUMENTS]; /* where the entry's data has them */
    __u32 result, unused;         /* where the data of the return has the result */
    __u64 least;                  /* shorter intervals are left out */
    struct kp_field field[KP_MAX_FIELDS];
    struct kp_test test[KP_MAX_TESTS];
    struct kp_pattern pattern[KP_MAX_PATTERNS];
};

/* The task that an event belongs to. */
struct kp_who {
    __u32 tgid, tid, ppid, uid, gid, cpu;
    char comm[KP_COMM];
};

enum { KP_RECORD_EVENT, KP_RECORD_PIECE };

struct kp_head {
    __u32 kind, event;
    __u64 id; /* tells which event a piece belongs to */
};

/* One event; its data follows. A value of text or bytes tells where in the data it lies: offset above 32 bits of size. */
struct kp_told {
    struct kp_head head;
    __u64 time_ns; /* CLOCK_MONOTONIC; of a pair, when it ended */
    __u64 duration_ns;
    struct kp_who who;
    __u32 user_frames, kernel_frames; /* addresses at the end of the data, those of the user first */
    __u32 size;                       /* of the data */
    __u32 cut, unread;                /* bit of each field that did not fit, or could not be read */
    __u32 unused;
    __u64 value[KP_MAX_FIELDS];
};

/* A piece of the arguments of a program that is executed; it comes before its event. */
struct kp_piece {
    struct kp_head head;
    __u32 size, unused;
    char text[KP_PIECE];
};

/* What has begun, and not ended. */
struct kp_begun_key {
    __u64 id;
    __u32 event, depth;
};

struct kp_begun {
    __u64 time_ns;
    struct kp_who who;
    __u64 argument[KP_ARGUMENTS];
};

/* What pairs of entry and return give. */
struct kp_pair {
    __s64 result;
    __u64 argument[KP_ARGUMENTS];
};

/* What became of an event's occurrences, of one CPU: seen = sent + left_out + no_room + nested. */
struct kp_traced {
    __u64 seen;
    __u64 sent;
    __u64 left_out; /* by the filter */
    __u64 no_room;  /* the ring buffer was full */
    __u64 nested;   /* no buffer was free: programs interrupted each other too deeply */
    __u64 unpaired; /* what began and was not kept; not part of `seen` */
};

/* Layouts of events that have programs of their own. */
struct kp_exec {
    __u64 words, bytes; /* where the arguments are, and how many bytes */
    __u64 filename;     /* memory of the kernel, or of the process if it failed */
    __s32 result;
    __u32 is_at; /* execveat */
    __u32 cut;   /* there are more arguments than these */
    __u32 unused;
    char parent[KP_COMM];
};

struct kp_exit {
    __u32 code, signal;
    __u32 dumped, unused;
    __u64 age_ns;
    char parent[KP_COMM];
};

struct kp_connect {
    __s32 result;
    __u16 family, sport, dport, unused;
    __u8 saddr[16], daddr[16];
};

struct kp_block {
    __u32 device, operation;
    __u64 sector;
    __u32 bytes;
    __s32 result;
};

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Fields of an event are read as a table says, put to the filter, and sent. */
#ifndef KP_TRACE_H
#define KP_TRACE_H

#include "trace_types.h"
#include "filters.h"
#include <bpf/bpf_core_read.h>

#include "trace_events.h"

/* The work of one program; too large for its stack. Loops of the kernel's keep their state here, too. */
struct kp_trace_scratch {
    __u32 taken, used; /* bytes of `data` */
    __u64 base;        /* of the event's data */
    __u32 truths, unused;
    struct {
        struct dentry *dentry, *root_dentry;
        struct vfsmount *mount, *root_mount;
        __u32 ended, unused;
    } walk;
    struct {
        __u32 at, end, code, length;
        __u32 retry_at, retry_code; /* behind the last run, one byte further each time */
        __u32 can_retry, fits;
    } match;
    struct {
        __u64 at, bytes, argv;
        __u32 used, cut;
    } words;
    struct kp_told record;
    char data[KP_DATA + KP_TEXT];
    struct kp_piece piece;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_trace_scratch);
    __uint(max_entries, KP_TRACE_SCRATCHES);
} trace_scratches SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 8 << 20);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_trace);
    __uint(max_entries, KP_MAX_EVENTS);
} traces SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_traced);
    __uint(max_entries, KP_MAX_EVENTS);
} traced SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __type(key, struct kp_begun_key);
    __type(value, struct kp_begun);
    __uint(max_entries, 16384);
} begun SEC(".maps");

struct kp_trace_loop {
    struct kp_trace_scratch *scratch;
    const struct kp_trace *trace;
};

static __always_inline struct kp_trace *kp_trace_of(void) {
    __u32 event = settings.event;
    return bpf_map_lookup_elem(&traces, &event);
}

static __always_inline struct kp_traced *kp_traced_of(void) {
    __u32 event = settings.event;
    return bpf_map_lookup_elem(&traced, &event);
}

static __always_inline struct kp_trace_scratch *kp_take_trace_scratch(void) {
    for (__u32 i = 0; i < KP_TRACE_SCRATCHES; i++) {
        __u32 number = i;
        struct kp_trace_scratch *scratch = bpf_map_lookup_elem(&trace_scratches, &number);
        if (scratch && !__sync_val_compare_and_swap(&scratch->taken, 0, 1)) return scratch;
    }
    return 0;
}

static __always_inline void kp_release_trace_scratch(struct kp_trace_scratch *scratch) {
    __sync_lock_test_and_set(&scratch->taken, 0);
}

/* Unlike what is recorded with stacks, what happens while a CPU is idle counts: interrupts do. */
static __always_inline int kp_is_traced(void) {
    char comm[KP_COMM] = {};
    __u64 id = bpf_get_current_pid_tgid();
    __u32 tgid = id >> 32;
    if (tgid == settings.self || !kp_is_target(tgid, (__u32)id) || !kp_on_cpu()) return 0;
    if (settings.in_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1) return 0;
    if (!settings.comm_length) return 1;
    bpf_get_current_comm(comm, sizeof comm);
    return kp_has_name(comm);
}

static __noinline void kp_tell_who(struct kp_who *who) {
    struct task_struct___traced *task = (void *)bpf_get_current_task();
    __u64 id = bpf_get_current_pid_tgid(), owner = bpf_get_current_uid_gid();
    who->tgid = id >> 32;
    who->tid = (__u32)id;
    who->ppid = BPF_CORE_READ(task, real_parent, tgid);
    who->uid = (__u32)owner;
    who->gid = owner >> 32;
    who->cpu = bpf_get_smp_processor_id();
    bpf_get_current_comm(who->comm, sizeof who->comm);
}

static __always_inline __u64 kp_where(__u32 offset, __u32 size) { return (__u64)offset << 32 | size; }

/* A value that is text or bytes, of `got` bytes at the end of the data; negative if they could not be read. */
static __always_inline __u64 kp_added(struct kp_trace_scratch *scratch, long got) {
    __u32 used = scratch->used;
    if (got < 0) return KP_UNREADABLE;
    scratch->used = used + (__u32)got;
    return kp_where(used, (__u32)got);
}

static long kp_step_up(__u32 i __attribute__((unused)), struct kp_trace_loop *loop) {
    struct kp_trace_scratch *scratch = loop->scratch;
    struct dentry *dentry = scratch->walk.dentry, *parent = BPF_CORE_READ(dentry, d_parent);
    struct vfsmount *mount = scratch->walk.mount;
    __u32 used = scratch->used;
    if (dentry == scratch->walk.root_dentry && mount == scratch->walk.root_mount) goto ended;
    if (dentry == parent || dentry == BPF_CORE_READ(mount, mnt_root)) {
        struct mount *whole = (void *)mount - bpf_core_field_offset(struct mount, mnt);
        struct mount *above = BPF_CORE_READ(whole, mnt_parent);
        if (whole == above) goto ended;
        scratch->walk.dentry = BPF_CORE_READ(whole, mnt_mountpoint);
        scratch->walk.mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
        return 0;
    }
    if (used >= KP_DATA) return 1;
    long got = bpf_probe_read_kernel_str(scratch->data + used, KP_NAME, BPF_CORE_READ(dentry, d_name.name));
    if (got <= 0) return 1;
    scratch->used = used + (__u32)got;
    scratch->walk.dentry = parent;
    return 0;
ended:
    scratch->walk.ended = 1;
    return 1;
}

/* The names of a path, from the last to the first, as the task sees it. */
static __noinline __u64 kp_read_path(struct kp_trace_scratch *scratch, __u64 address, __u32 number) {
    struct task_struct___traced *task = (void *)bpf_get_current_task();
    struct path *path = (void *)address;
    struct kp_trace_loop loop = {.scratch = scratch};
    if (!scratch) return KP_UNREADABLE;
    __u32 before = scratch->used;
    scratch->walk.dentry = BPF_CORE_READ(path, dentry);
    scratch->walk.mount = BPF_CORE_READ(path, mnt);
    scratch->walk.root_dentry = BPF_CORE_READ(task, fs, root.dentry);
    scratch->walk.root_mount = BPF_CORE_READ(task, fs, root.mnt);
    scratch->walk.ended = 0;
    if (!scratch->walk.dentry || !scratch->walk.mount) return KP_UNREADABLE;
    bpf_loop(KP_DEEPEST, kp_step_up, &loop, 0);
    if (!scratch->walk.ended) scratch->record.cut |= 1u << (number & 31);
    return kp_where(before, scratch->used - before);
}

static __always_inline __u64 kp_read_cwd(struct kp_trace_scratch *scratch, __u32 number) {
    struct task_struct___traced *task = (void *)bpf_get_current_task();
    struct fs_struct *fs = BPF_CORE_READ(task, fs);
    return fs ? kp_read_path(scratch, (__u64)&fs->pwd, number) : KP_UNREADABLE;
}

static __always_inline long kp_read_memory(void *to, __u32 size, __u64 from, __u32 is_users, __u32 flags) {
    long status = -1;
    if (!is_users) status = bpf_probe_read_kernel(to, size, (void *)from);
    if (is_users || (status && flags & KP_EITHER)) status = bpf_probe_read_user(to, size, (void *)from);
    return status;
}

static __noinline __u64 kp_read_text(struct kp_trace_scratch *scratch, __u64 from, __u32 is_users, __u32 flags, __u32 number) {
    if (!scratch) return KP_UNREADABLE;
    __u32 used = scratch->used;
    long got = -1;
    if (used >= KP_DATA) goto cut;
    if (!is_users) got = bpf_probe_read_kernel_str(scratch->data + used, KP_TEXT, (void *)from);
    if (is_users || (got < 0 && flags & KP_EITHER))
        got = bpf_probe_read_user_str(scratch->data + used, KP_TEXT, (void *)from);
    if (got == KP_TEXT) scratch->record.cut |= 1u << (number & 31);
    return kp_added(scratch, got);
cut:
    scratch->record.cut |= 1u << (number & 31);
    return KP_UNREADABLE;
}

static __noinline __u64 kp_read_bytes(struct kp_trace_scratch *scratch, __u64 from, __u32 size, __u32 flags, __u32 number) {
    enum { LEAST = 16 };
    if (!scratch) return KP_UNREADABLE;
    __u32 used = scratch->used, is_users = flags & KP_USERS;
    if (used >= KP_DATA || size > KP_TEXT) scratch->record.cut |= 1u << (number & 31);
    if (used >= KP_DATA) return KP_UNREADABLE;
    if (size > KP_TEXT) size = KP_TEXT;
    if (!kp_read_memory(scratch->data + used, size, from, is_users, flags)) return kp_added(scratch, size);
    /* The end may lie on a page that is not there. */
    if (size > LEAST && !kp_read_memory(scratch->data + used, LEAST, from, is_users, flags)) return kp_added(scratch, LEAST);
    return KP_UNREADABLE;
}

static __always_inline __u64 kp_read_number(
    struct kp_trace_scratch *scratch, const struct kp_field *field, __u64 from, __u32 is_users, __u32 number) {
    __u64 value = 0;
    __u32 size = field->size;
    if (size > 8) size = 8;
    if (kp_read_memory(&value, size, from, is_users, field->flags)) {
        scratch->record.unread |= 1u << (number & 31);
        return 0;
    }
    if (field->bits) value = value >> (field->shift & 63) & ((1ULL << (field->bits & 63)) - 1);
    __u32 unused = 64 - (field->bits ? field->bits : size * 8);
    if (field->flags & KP_SIGNED) value = (__u64)((__s64)(value << (unused & 63)) >> (unused & 63));
    return value;
}

static __always_inline __u64 kp_read_words(struct kp_trace_scratch *scratch, __u64 from, __u32 number) {
    struct {
        __u64 at, bytes;
    } words = {};
    bpf_probe_read_kernel(&words, sizeof words, (void *)from);
    if (!words.at) return KP_UNREADABLE;
    __u32 size = words.bytes > KP_TEXT ? KP_TEXT : (__u32)words.bytes;
    return kp_read_bytes(scratch, words.at, size, KP_EITHER, number);
}

/* The value of a field that lies in the event's data, or behind a pointer there. */
static __always_inline __u64 kp_read_data(struct kp_trace_scratch *scratch, const struct kp_field *field, __u32 number) {
    __u64 at = scratch->base + field->offset;
    __u32 is_users = 0, where = 0;
    for (__u32 i = 0; i < KP_MAX_STEPS; i++) {
        __u64 next = 0;
        if (i >= field->steps) break;
        if (kp_read_memory(&next, sizeof next, at, is_users, field->flags) || !next) {
            scratch->record.unread |= 1u << (number & 31);
            return KP_UNREADABLE;
        }
        at = next + field->step[i];
        is_users = field->flags & KP_USERS;
    }
    switch (field->kind) {
    case KP_IS_NUMBER: return kp_read_number(scratch, field, at, is_users, number);
    case KP_IS_TEXT: return kp_read_text(scratch, at, is_users, field->flags, number);
    case KP_IS_BYTES:
        return kp_read_bytes(scratch, at, field->size, is_users ? field->flags : field->flags & ~KP_USERS, number);
    case KP_IS_WORDS: return kp_read_words(scratch, at, number);
    case KP_IS_PATH: return kp_read_path(scratch, at, number);
    }
    bpf_probe_read_kernel(&where, sizeof where, (void *)at);
    at = (field->kind == KP_IS_RELATIVE ? at + sizeof where : scratch->base) + (where & 0xffff);
    if (field->flags & KP_EITHER) return kp_read_bytes(scratch, at, where >> 16, 0, number);
    return kp_read_text(scratch, at, 0, 0, number);
}

static __always_inline __u64 kp_read_comm(struct kp_trace_scratch *scratch) {
    __u32 used = scratch->used;
    if (used >= KP_DATA) return KP_UNREADABLE;
    __builtin_memcpy(scratch->data + used, scratch->record.who.comm, KP_COMM);
    return kp_added(scratch, KP_COMM);
}

static long kp_read_field(__u32 i, struct kp_trace_loop *loop) {
    struct kp_trace_scratch *scratch = loop->scratch;
    if (i >= KP_MAX_FIELDS || i >= loop->trace->fields) return 1;
    const struct kp_field *field = &loop->trace->field[i];
    const struct kp_told *record = &scratch->record;
    __u64 value = 0;
    switch (field->from) {
    case KP_FROM_DATA: value = kp_read_data(scratch, field, i); break;
    case KP_FROM_PID: value = record->who.tgid; break;
    case KP_FROM_TID: value = record->who.tid; break;
    case KP_FROM_PPID: value = record->who.ppid; break;
    case KP_FROM_UID: value = record->who.uid; break;
    case KP_FROM_GID: value = record->who.gid; break;
    case KP_FROM_CPU: value = record->who.cpu; break;
    case KP_FROM_DURATION: value = record->duration_ns; break;
    case KP_FROM_CGROUP: value = bpf_get_current_cgroup_id(); break;
    case KP_FROM_COMM: value = kp_read_comm(scratch); break;
    case KP_FROM_CWD: value = kp_read_cwd(scratch, i); break;
    }
    scratch->record.value[i] = value;
    return 0;
}

#include "trace_filter.h"

/* The stacks, at the end of the data. */
static __always_inline void kp_add_stacks(void *ctx, struct kp_trace_scratch *scratch, __u32 stacks) {
    __u32 used = (scratch->used + 7) & ~7u;
    if (!stacks || used >= KP_DATA) return;
    long got = 0;
    if (stacks & KP_USER) got = bpf_get_stack(ctx, scratch->data + used, KP_TRACE_FRAMES * 8, BPF_F_USER_STACK);
    if (got > 0) {
        scratch->record.user_frames = (__u32)got / 8;
        used += (__u32)got;
    }
    got = 0;
    if (stacks & KP_KERNEL && used < KP_DATA) got = bpf_get_stack(ctx, scratch->data + used, KP_TRACE_FRAMES * 8, 0);
    if (got > 0) {
        scratch->record.kernel_frames = (__u32)got / 8;
        used += (__u32)got;
    }
    scratch->used = used;
}

/* Reads all fields; says whether the filter lets the event pass. */
static __noinline int kp_collect(struct kp_trace_scratch *scratch, const struct kp_trace *trace, __u64 base) {
    struct kp_trace_loop loop = {.scratch = scratch, .trace = trace};
    struct kp_told *record = &scratch->record;
    record->head.kind = KP_RECORD_EVENT;
    record->head.event = settings.event;
    record->time_ns = bpf_ktime_get_ns();
    record->head.id = record->time_ns ^ (__u64)record->who.tid << 40;
    record->cut = record->unread = record->user_frames = record->kernel_frames = 0;
    scratch->used = 0;
    scratch->base = base;
    bpf_loop(KP_MAX_FIELDS, kp_read_field, &loop, 0);
    return record->duration_ns >= trace->least && kp_passes(scratch, trace);
}

static __always_inline void kp_send(struct kp_trace_scratch *scratch, struct kp_traced *tally) {
    __u32 size = scratch->used;
    scratch->record.size = size;
    if (size > KP_DATA + KP_TEXT - 8) size = KP_DATA + KP_TEXT - 8;
    if (bpf_ringbuf_output(&ring, &scratch->record, sizeof scratch->record + size, 0))
        __sync_fetch_and_add(&tally->no_room, 1);
    else
        __sync_fetch_and_add(&tally->sent, 1);
}

static __always_inline void kp_finish(
    void *ctx, struct kp_trace_scratch *scratch, const struct kp_trace *trace, struct kp_traced *tally, int passes) {
    if (passes) {
        kp_add_stacks(ctx, scratch, trace->stacks);
        kp_send(scratch, tally);
    } else {
        __sync_fetch_and_add(&tally->left_out, 1);
    }
    kp_release_trace_scratch(scratch);
}

/* One occurrence. `begun` is its beginning, or 0 if it has no duration: then it is that of the task at hand. */
__attribute__((unused)) static __noinline int kp_trace_event(void *ctx, __u64 base, const struct kp_begun *begun) {
    struct kp_trace *trace = kp_trace_of();
    struct kp_traced *tally = kp_traced_of();
    if (!trace || !tally) return 0;
    __u64 elapsed = begun ? bpf_ktime_get_ns() - begun->time_ns : 0;
    __sync_fetch_and_add(&tally->seen, 1);
    struct kp_trace_scratch *scratch = kp_take_trace_scratch();
    if (!scratch) {
        __sync_fetch_and_add(&tally->nested, 1);
        return 0;
    }
    scratch->record.duration_ns = elapsed;
    if (begun)
        scratch->record.who = begun->who;
    else
        kp_tell_who(&scratch->record.who);
    kp_finish(ctx, scratch, trace, tally, kp_collect(scratch, trace, base));
    return 0;
}

#endif

/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What counts, as BCC compiles it: the same as programs/count.h and interval.h, in BCC's dialect of C. In front of it
 * stand programs/events.h and the settings of one recording, as macros. */

#include <uapi/linux/bpf_perf_event.h>
#include <uapi/linux/ptrace.h>

BPF_TABLE("hash", struct kp_key, struct kp_row, rows_a, KP_ROOM);
BPF_TABLE("hash", struct kp_key, struct kp_row, rows_b, KP_ROOM);
/* The one of the two that programs count in; see programs/maps.h. */
BPF_ARRAY_OF_MAPS(active, "rows_a", 1);
BPF_TABLE("hash", u64, struct kp_stack, stacks, KP_ROOM);
BPF_PERCPU_ARRAY(tallies, struct kp_tally, KP_MAX_EVENTS);
BPF_TABLE("hash", struct kp_open_key, struct kp_open, begun, 32768);
BPF_TABLE("hash", u32, u32, targets, 16384);
BPF_ARRAY(untracked, u64, 1);

/* BCC knows atomic operations of 64 bits only. */
struct kp_scratch {
    u64 taken;
    struct kp_stack stack;
};
BPF_PERCPU_ARRAY(scratches, struct kp_scratch, KP_SCRATCHES);
#if KP_IN_CGROUP
BPF_CGROUP_ARRAY(cgroups, 1);
#endif

static inline struct kp_scratch *kp_take_scratch(void) {
    for (u32 i = 0; i < KP_SCRATCHES; i++) {
        u32 number = i;
        struct kp_scratch *scratch = scratches.lookup(&number);
        if (scratch && !__sync_val_compare_and_swap(&scratch->taken, 0ULL, 1ULL)) return scratch;
    }
    return 0;
}

static inline u64 kp_keep(struct kp_stack *stack, struct kp_tally *tally) {
    u64 hash = 0x9e3779b97f4a7c15ULL + stack->length;
    /* Read anew each time, or the compiler would count down from it, or unroll, and the verifier of Linux 6.1 would not
     * see where that ends. */
    const volatile u32 *length = (const volatile u32 *)&stack->length;
#pragma clang loop unroll(disable)
    for (u32 i = 0; i < KP_MAX_FRAMES; i++) {
        if (i >= *length) break;
        hash = (hash ^ stack->address[i]) * 0xff51afd7ed558ccdULL;
        hash ^= hash >> 32;
    }
    if (hash < KP_FIRST_HASH) hash += KP_FIRST_HASH;
    if (stacks.lookup(&hash)) return hash;
    int status = stacks.insert(&hash, stack);
    if (!status || status == -17) return hash;
    __sync_fetch_and_add(&tally->stacks_lost, 1);
    return KP_LOST_STACK;
}

static inline u64 kp_capture(void *ctx, struct kp_scratch *scratch, struct kp_tally *tally, u64 flags) {
    int size = bpf_get_stack(ctx, scratch->stack.address, sizeof scratch->stack.address, flags);
    if (size <= 0) return KP_NO_STACK;
    scratch->stack.length = (u32)size / 8;
    return kp_keep(&scratch->stack, tally);
}

/* The user's stack where a function has just been entered; see programs/count.h. */
static inline u64 kp_capture_call(void *ctx, struct kp_scratch *scratch, struct kp_tally *tally, u64 caller) {
    u64 *address = scratch->stack.address;
    int size = bpf_get_stack(ctx, address + 1, (KP_MAX_FRAMES - 1) * 8, BPF_F_USER_STACK);
    if (size <= 0 || !caller || address[2] == caller) return kp_capture(ctx, scratch, tally, BPF_F_USER_STACK);
    address[0] = address[1];
    address[1] = caller;
    scratch->stack.length = (u32)size / 8 + 1;
    return kp_keep(&scratch->stack, tally);
}

static inline int kp_take_stacks(void *ctx, struct kp_key *key, struct kp_tally *tally, u32 sides, u64 caller) {
    struct kp_scratch *scratch = kp_take_scratch();
    if (!scratch) return 0;
    if (caller)
        key->user_stack = kp_capture_call(ctx, scratch, tally, caller);
    else if (sides & KP_USER)
        key->user_stack = kp_capture(ctx, scratch, tally, BPF_F_USER_STACK);
    if (sides & KP_KERNEL) key->kernel_stack = kp_capture(ctx, scratch, tally, 0);
    __sync_lock_test_and_set(&scratch->taken, 0ULL);
    return 1;
}

static inline int kp_is_wanted(struct kp_key *key) {
    u64 id = bpf_get_current_pid_tgid();
    key->tgid = id >> 32;
    key->tid = (u32)id;
    if (!key->tid || key->tgid == KP_SELF || key->tgid == KP_DRIVER) return 0;
#if KP_TARGETS != 0
    u32 target = KP_TARGETS == 1 ? key->tgid : key->tid;
    if (!targets.lookup(&target)) return 0;
#endif
#ifdef KP_ON_CPU
    u32 cpu = bpf_get_smp_processor_id();
    if (!(KP_ON_CPU)) return 0;
#endif
#if KP_IN_CGROUP
    if (cgroups.check_current_task(0) <= 0) return 0;
#endif
    bpf_get_current_comm(key->comm, sizeof key->comm);
#ifdef KP_HAS_NAME
    char *comm = key->comm;
    if (!(KP_HAS_NAME)) return 0;
#endif
    return 1;
}

static inline int kp_is_outside(u64 value) { return value < KP_LEAST || value > KP_MOST; }

static inline void kp_count_row(struct kp_key *key, u64 weight, struct kp_tally *tally) {
    u32 zero = 0;
    void *rows = active.lookup(&zero);
    if (!rows) {
        __sync_fetch_and_add(&tally->no_room, 1);
        return;
    }
#if KP_TIMESTAMPS
    key->cpu = bpf_get_smp_processor_id();
    /* Keeps them apart; user space takes it away. */
    key->unused = (u32)(bpf_ktime_get_ns() / 1000000);
#endif
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

static inline void kp_count(void *ctx, u32 event, u32 sides, u64 weight, u64 caller) {
    struct kp_key key = {.event = event};
    struct kp_tally *tally = tallies.lookup(&event);
    if (!tally || !kp_is_wanted(&key)) return;
    if (kp_is_outside(weight)) {
        __sync_fetch_and_add(&tally->left_out, 1);
        return;
    }
    __sync_fetch_and_add(&tally->seen, 1);
    if (kp_take_stacks(ctx, &key, tally, sides, caller))
        kp_count_row(&key, weight, tally);
    else
        __sync_fetch_and_add(&tally->nested, 1);
}

static inline void kp_begin(void *ctx, u32 event, u32 sides, u64 id, u32 detail, u64 bytes) {
    struct kp_open_key name = {.id = id, .event = event};
    struct kp_open now = {.bytes = bytes, .key = {.event = event, .detail = detail}};
    struct kp_tally *tally = tallies.lookup(&event);
    if (!tally || !kp_is_wanted(&now.key)) return;
    if (sides && !kp_take_stacks(ctx, &now.key, tally, sides, 0)) {
        __sync_fetch_and_add(&tally->seen, 1);
        __sync_fetch_and_add(&tally->nested, 1);
        return;
    }
    now.begun_ns = bpf_ktime_get_ns();
    if (begun.update(&name, &now)) {
        __sync_fetch_and_add(&tally->seen, 1);
        __sync_fetch_and_add(&tally->no_room, 1);
    }
}

/* `kind` is what an interval weighs. With `here`, the task at hand and its stacks count, not those of the beginning. */
static inline void kp_end(void *ctx, u32 event, u32 sides, u64 id, u32 kind, int here) {
    struct kp_open_key name = {.id = id, .event = event};
    struct kp_open *began = begun.lookup(&name);
    struct kp_tally *tally = tallies.lookup(&event);
    if (!began || !tally) return;
    u64 elapsed = bpf_ktime_get_ns() - began->begun_ns, bytes = began->bytes;
    struct kp_key key = began->key;
    begun.delete(&name);
    if (here) {
        u64 who = bpf_get_current_pid_tgid();
        struct kp_key waker = {.event = event, .tgid = who >> 32, .tid = (u32)who};
        if (waker.tgid == KP_SELF || waker.tgid == KP_DRIVER) return;
        bpf_get_current_comm(waker.comm, sizeof waker.comm);
        key = waker;
    }
    if (kp_is_outside(elapsed)) {
        __sync_fetch_and_add(&tally->left_out, 1);
        return;
    }
    __sync_fetch_and_add(&tally->seen, 1);
    if (here && !kp_take_stacks(ctx, &key, tally, sides, 0)) {
        __sync_fetch_and_add(&tally->nested, 1);
        return;
    }
    kp_count_row(&key, kind == KP_WEIGH_TIME ? elapsed : kind == KP_WEIGH_BYTES ? bytes : 1, tally);
}

static inline u64 kp_return_address(struct pt_regs *ctx) {
    u64 address = 0;
#ifdef __x86_64__
    bpf_probe_read_user(&address, sizeof address, (void *)PT_REGS_SP(ctx));
#elif defined(__aarch64__)
    address = ctx->regs[30];
#endif
    return address;
}

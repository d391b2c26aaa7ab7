/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Memory that programs ask for and do not give back: what is left in `blocks` when the recording ends.
 *
 * A function that allocates is seen twice. At its start its stack is there, and what it was asked for; at its end, where
 * the memory is. What is given back leaves before it really is, or another thread might get it meanwhile. */
#include "arguments.h"
#include "count.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Taken from the kernel as needed, for there may be many. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct kp_allocation_key);
    __type(value, struct kp_allocation);
    __uint(max_entries, 1 << 20);
} blocks SEC(".maps");

/* A call that has not returned. A thread may be within several of them, of different functions. */
struct call_key {
    __u32 tid, measure;
};

struct call {
    struct kp_allocation block;
    __u64 argument; /* where memory was, or where to it will be told where it is */
    struct kp_allocation before;
    __u64 had_before;
};

/* The oldest are forgotten: threads may end within a call. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __type(key, struct call_key);
    __type(value, struct call);
    __uint(max_entries, 16384);
} calls SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __type(key, __u32);
    __type(value, struct kp_turnover);
    __uint(max_entries, 1);
} turnover SEC(".maps");

static __always_inline struct kp_turnover *turnover_here(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&turnover, &zero);
}

/* Take a block of a task's process out; keep what it was if asked to. */
static __always_inline int forget(struct kp_key *task, __u64 address, int wanted, struct kp_allocation *kept) {
    struct kp_allocation_key key = {.address = address, .tgid = task->tgid};
    struct kp_turnover *sums = turnover_here();
    struct kp_allocation *block = bpf_map_lookup_elem(&blocks, &key);
    if (!sums || !address) return 0;
    if (!block) {
        if (wanted) __sync_fetch_and_add(&sums->foreign, 1);
        return 0;
    }
    if (kept) *kept = *block;
    bpf_map_delete_elem(&blocks, &key);
    __sync_fetch_and_add(&sums->freed, 1);
    return 1;
}

static __always_inline void keep(__u64 tgid, __u64 address, struct kp_allocation *block, struct kp_tally *tally) {
    struct kp_allocation_key key = {.address = address, .tgid = tgid};
    struct kp_turnover *sums = turnover_here();
    if (!sums) return;
    /* Functions that allocate may call each other: the outermost returns last, and what it got counts once. */
    long status = bpf_map_update_elem(&blocks, &key, block, BPF_NOEXIST);
    if (status == -KP_EEXIST) {
        bpf_map_update_elem(&blocks, &key, block, BPF_EXIST);
        return;
    }
    __sync_fetch_and_add(&sums->allocated, 1);
    if (!status) return;
    __sync_fetch_and_add(&tally->seen, 1);
    __sync_fetch_and_add(&tally->no_room, 1);
}

SEC("uprobe")
int allocates(void *ctx) {
    __u32 measure = bpf_get_attach_cookie(ctx) >> KP_COOKIE_SHIFT & 0xff;
    struct kp_key key = {.event = settings.event};
    struct kp_tally *tally = kp_tally_of(settings.event);
    if (!tally) return 0;
    if (!kp_is_wanted(&key)) {
        /* What was wanted from one thread may be given back by another. */
        if (measure == KP_SECOND_IF_FIRST) forget(&key, first_argument(ctx), 0, 0);
        return 0;
    }
    if (!kp_take_stacks(ctx, &key, tally, return_address(ctx))) {
        __sync_fetch_and_add(&tally->seen, 1);
        __sync_fetch_and_add(&tally->nested, 1);
        return 0;
    }
    struct call_key name = {.tid = key.tid, .measure = measure};
    struct call call = {.argument = first_argument(ctx)};
    call.block.bytes = measured(ctx, measure);
    call.block.user_stack = key.user_stack;
    call.block.begun_ns = bpf_ktime_get_ns();
    call.block.tid = key.tid;
    __builtin_memcpy(call.block.comm, key.comm, sizeof key.comm);
    if (measure == KP_SECOND_IF_FIRST) call.had_before = forget(&key, call.argument, 1, &call.before);
    bpf_map_update_elem(&calls, &name, &call, BPF_ANY);
    return 0;
}

SEC("uretprobe")
int allocated(void *ctx) {
    __u64 id = bpf_get_current_pid_tgid(), address = result(ctx);
    struct call_key name = {.tid = (__u32)id, .measure = bpf_get_attach_cookie(ctx) >> KP_COOKIE_SHIFT & 0xff};
    struct call *call = bpf_map_lookup_elem(&calls, &name);
    struct kp_tally *tally = kp_tally_of(settings.event);
    if (!call || !tally) return 0;
    if (name.measure == KP_THIRD) {
        /* posix_memalign returns an error, or 0. */
        __u64 error = (__u32)address;
        address = 0;
        if (!error) bpf_probe_read_user(&address, sizeof address, (void *)call->argument);
    }
    if (address)
        keep(id >> 32, address, &call->block, tally);
    else if (call->had_before && call->block.bytes)
        /* realloc failed, and what was there is there still. */
        keep(id >> 32, call->argument, &call->before, tally);
    bpf_map_delete_elem(&calls, &name);
    return 0;
}

SEC("uprobe")
int frees(void *ctx) {
    struct kp_key key = {};
    int wanted = kp_is_wanted(&key);
    forget(&key, first_argument(ctx), wanted, 0);
    return 0;
}

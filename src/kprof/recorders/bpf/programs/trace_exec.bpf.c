/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Programs that are executed, with all their arguments, and attempts that fail.
 *
 * When a program has just been executed, its arguments lie in one piece in its memory, which holds them all. Where it
 * could not be, they lie where the caller has them: what the kernel has looked at is there, the rest may be. */
#include "trace.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { FILENAME, ARGV, IS_AT };
enum { LOST_WORD_BYTES = 4 };

static __always_inline int begin(__u64 filename, __u64 argv, __u64 is_at) {
    struct kp_begun_key key = {.id = (__u32)bpf_get_current_pid_tgid(), .event = settings.event};
    struct kp_begun now = {.time_ns = bpf_ktime_get_ns(), .argument = {filename, argv, is_at}};
    struct kp_traced *tally = kp_traced_of();
    if (!tally) return 0;
    kp_tell_who(&now.who);
    if (bpf_map_update_elem(&begun, &key, &now, BPF_ANY)) __sync_fetch_and_add(&tally->unpaired, 1);
    return 0;
}

static __always_inline __u64 argument(void *ctx, __u32 number) {
    __u64 value = 0;
    bpf_probe_read_kernel(&value, sizeof value, (char *)ctx + 16 + 8 * number);
    return value;
}

SEC("tp")
int execve_enters(void *ctx) { return begin(argument(ctx, 0), argument(ctx, 1), 0); }

SEC("tp")
int execveat_enters(void *ctx) { return begin(argument(ctx, 1), argument(ctx, 2), 1); }

static __always_inline int send_piece(struct kp_trace_scratch *scratch, __u32 size) {
    scratch->piece.head.kind = KP_RECORD_PIECE;
    scratch->piece.head.event = settings.event;
    scratch->piece.head.id = scratch->record.head.id;
    scratch->piece.size = size;
    if (size > KP_PIECE) return 1;
    return bpf_ringbuf_output(&ring, &scratch->piece, sizeof scratch->piece - KP_PIECE + size, 0) != 0;
}

static long send_next(__u32 i, struct kp_trace_loop *loop) {
    struct kp_trace_scratch *scratch = loop->scratch;
    __u64 done = (__u64)i * KP_PIECE, left = scratch->words.bytes - done;
    if (done >= scratch->words.bytes) return 1;
    __u32 size = left > KP_PIECE ? KP_PIECE : (__u32)left;
    if (bpf_probe_read_user(scratch->piece.text, size, (void *)(scratch->words.at + done))) return 1;
    return send_piece(scratch, size);
}

static __always_inline void tell_parent(struct kp_exec *exec) {
    struct task_struct___traced *task = (void *)bpf_get_current_task();
    BPF_CORE_READ_INTO(&exec->parent, task, real_parent, comm);
}

SEC("raw_tp/sched_process_exec")
int executed(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct___traced *task = (void *)ctx->args[0];
    struct linux_binprm *binary = (void *)ctx->args[2];
    struct kp_begun_key key = {.id = (__u32)ctx->args[1], .event = settings.event};
    struct kp_exec exec = {.filename = (__u64)BPF_CORE_READ(binary, filename)};
    struct kp_trace *trace = kp_trace_of();
    struct kp_traced *tally = kp_traced_of();
    struct kp_trace_scratch *scratch = 0;
    struct kp_begun *found = bpf_map_lookup_elem(&begun, &key);
    if (!trace || !tally || !kp_is_traced()) goto done;
    __sync_fetch_and_add(&tally->seen, 1);
    scratch = kp_take_trace_scratch();
    if (!scratch) {
        __sync_fetch_and_add(&tally->nested, 1);
        goto done;
    }
    struct kp_trace_loop loop = {.scratch = scratch};
    exec.words = BPF_CORE_READ(task, mm, arg_start);
    exec.bytes = BPF_CORE_READ(task, mm, arg_end) - exec.words;
    exec.is_at = found ? (__u32)found->argument[IS_AT] : 0;
    tell_parent(&exec);
    kp_tell_who(&scratch->record.who);
    /* The thread that asked for it: the kernel has given it the process's number by now. */
    scratch->record.who.tid = (__u32)key.id;
    scratch->record.duration_ns = found ? bpf_ktime_get_ns() - found->time_ns : 0;
    scratch->words.at = exec.words;
    scratch->words.bytes = exec.bytes;
    int passes = kp_collect(scratch, trace, (__u64)&exec);
    if (passes) bpf_loop(KP_PIECES, send_next, &loop, 0);
    kp_finish(ctx, scratch, trace, tally, passes);
done:
    if (found) bpf_map_delete_elem(&begun, &key);
    return 0;
}

/* One argument more of a program that could not be executed; its place is kept if it cannot be read. */
static long gather_next(__u32 i, struct kp_trace_loop *loop) {
    struct kp_trace_scratch *scratch = loop->scratch;
    __u64 word = 0;
    __u32 used = scratch->words.used;
    if (bpf_probe_read_user(&word, sizeof word, (void *)(scratch->words.argv + 8ULL * i))) {
        scratch->words.cut = 1;
        return 1;
    }
    if (!word) return 1;
    if (used >= KP_PIECE - KP_TEXT || i == KP_FAILED_WORDS - 1) {
        scratch->words.cut = 1;
        return 1;
    }
    long got = bpf_probe_read_user_str(scratch->piece.text + used, KP_TEXT, (void *)word);
    if (got <= 0) {
        __builtin_memcpy(scratch->piece.text + used, "\xef\xbf\xbd", LOST_WORD_BYTES);
        got = LOST_WORD_BYTES;
        scratch->words.cut = 1;
    } else if (got == KP_TEXT) {
        scratch->words.cut = 1;
    }
    scratch->words.used = used + (__u32)got;
    return 0;
}

static __always_inline int failed(void *ctx) {
    struct kp_begun_key key = {.id = (__u32)bpf_get_current_pid_tgid(), .event = settings.event};
    struct kp_trace *trace = kp_trace_of();
    struct kp_traced *tally = kp_traced_of();
    struct kp_begun *found = bpf_map_lookup_elem(&begun, &key);
    struct kp_trace_scratch *scratch = 0;
    __s64 result = (__s64)argument(ctx, 0);
    if (!found) return 0;
    if (!trace || !tally || result >= 0 || !kp_is_traced()) goto done;
    __sync_fetch_and_add(&tally->seen, 1);
    scratch = kp_take_trace_scratch();
    if (!scratch) {
        __sync_fetch_and_add(&tally->nested, 1);
        goto done;
    }
    struct kp_trace_loop loop = {.scratch = scratch};
    scratch->words.argv = found->argument[ARGV];
    scratch->words.used = scratch->words.cut = 0;
    bpf_loop(KP_FAILED_WORDS, gather_next, &loop, 0);
    __u32 used = scratch->words.used;
    struct kp_exec exec = {
        .words = (__u64)scratch->piece.text, .bytes = used, .filename = found->argument[FILENAME],
        .result = (__s32)result, .is_at = (__u32)found->argument[IS_AT], .cut = scratch->words.cut,
    };
    tell_parent(&exec);
    scratch->record.who = found->who;
    scratch->record.duration_ns = bpf_ktime_get_ns() - found->time_ns;
    int passes = kp_collect(scratch, trace, (__u64)&exec);
    if (passes && used) send_piece(scratch, used);
    kp_finish(ctx, scratch, trace, tally, passes);
done:
    bpf_map_delete_elem(&begun, &key);
    return 0;
}

SEC("tp")
int execve_returns(void *ctx) { return failed(ctx); }

SEC("tp")
int execveat_returns(void *ctx) { return failed(ctx); }

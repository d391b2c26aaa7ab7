/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Calls of the system, from entry to exit, by the stack that made them. */
#include "interval.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Of arch/x86/include/asm/thread_info.h; other machines have no such member. */
enum { TS_COMPAT = 0x2 };

static __always_inline int has_32_bits(void) {
    struct task_struct *task = (void *)bpf_get_current_task();
    return bpf_core_field_exists(task->thread_info.status) && BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

SEC("raw_tp/sys_enter")
int sys_enter(struct bpf_raw_tracepoint_args *ctx) {
    __u32 number = has_32_bits() ? KP_COMPAT : (__u32)ctx->args[1];
    return kp_begin(ctx, (__u32)bpf_get_current_pid_tgid(), number, 0);
}

SEC("raw_tp/sys_exit")
int sys_exit(void *ctx __attribute__((unused))) { return kp_end((__u32)bpf_get_current_pid_tgid()); }

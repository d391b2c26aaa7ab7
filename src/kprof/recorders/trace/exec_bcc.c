/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* `exec`, for BCC to compile. It looks into no structure by its name: where members lie comes in by -D, from the
 * running kernel's BTF, so that headers of another kernel will do. */

enum { WORDS, WORDS_END, FAILED_WORD, NAME, NAMES_END, REST };
enum { PIECE = 1024, PIECES = 128, FAILED_WORDS = 64, DEEPEST = 32, LONGEST_NAME = 256 };

struct piece {
    u32 kind, thread;
    s64 number;
    u32 size, unused;
    /* Twice as much as is used, so that a size that is masked fits in any case. */
    char data[2 * PIECE];
};

struct rest {
    u32 kind, thread;
    u64 now, begun;
    u32 pid, tid, ppid, uid, gid, cpu;
    s32 result;
    u32 is_at;
    char comm[16], parent[16], filename[256];
};

struct begun {
    u64 time, filename, argv, is_at;
};

BPF_PERF_OUTPUT(told);
BPF_PERCPU_ARRAY(pieces, struct piece, 1);
BPF_PERCPU_ARRAY(rests, struct rest, 1);
BPF_HASH(begun, u32, struct begun);
BPF_HASH(targets, u32, u32, 16384);

static inline u64 pointer_at(u64 address) {
    u64 found = 0;
    bpf_probe_read_kernel(&found, sizeof found, (void *)address);
    return found;
}

static inline int is_wanted(void) {
    u64 id = bpf_get_current_pid_tgid();
    u32 pid = id >> 32, thread = (u32)id;
    char comm[16] = {}, wanted[16] = COMM;
    if (pid == SELF || pid == DRIVER) return 0;
    if (TARGETS == 1 && !targets.lookup(&pid)) return 0;
    if (TARGETS == 2 && !targets.lookup(&thread)) return 0;
    if (ON_CPUS && !(CPUS >> bpf_get_smp_processor_id() & 1)) return 0;
    if (!COMM_LENGTH) return 1;
    bpf_get_current_comm(comm, sizeof comm);
#pragma unroll
    for (int i = 0; i < 16; i++)
        if (i < COMM_LENGTH && comm[i] != wanted[i]) return 0;
    return 1;
}

static inline int begin(u64 filename, u64 argv, u64 is_at) {
    u32 thread = (u32)bpf_get_current_pid_tgid();
    struct begun now = {.time = bpf_ktime_get_ns(), .filename = filename, .argv = argv, .is_at = is_at};
    begun.update(&thread, &now);
    return 0;
}

static inline u64 argument(void *ctx, int number) { return pointer_at((u64)ctx + 16 + 8 * number); }

int execve_enters(void *ctx) { return begin(argument(ctx, 0), argument(ctx, 1), 0); }

int execveat_enters(void *ctx) { return begin(argument(ctx, 1), argument(ctx, 2), 1); }

static inline void tell_end(void *ctx, struct piece *piece, u32 kind, s64 number) {
    piece->kind = kind;
    piece->number = number;
    piece->size = 0;
    told.perf_submit(ctx, piece, offsetof(struct piece, data));
}

static inline void tell_names(void *ctx, struct piece *piece) {
    u64 task = bpf_get_current_task(), fs = pointer_at(task + task_struct_fs);
    u64 entry = pointer_at(fs + fs_struct_pwd + path_dentry), mount = pointer_at(fs + fs_struct_pwd + path_mnt);
    u64 top = pointer_at(fs + fs_struct_root + path_dentry), above = pointer_at(fs + fs_struct_root + path_mnt);
    int ended = 0;
    for (int i = 0; i < DEEPEST; i++) {
        if (entry == top && mount == above) {
            ended = 1;
            break;
        }
        if (entry == pointer_at(mount + vfsmount_mnt_root)) {
            u64 whole = mount - mount_mnt;
            entry = pointer_at(whole + mount_mnt_mountpoint);
            mount = pointer_at(whole + mount_mnt_parent) + mount_mnt;
            continue;
        }
        long size = bpf_probe_read_kernel_str(piece->data, LONGEST_NAME, (void *)pointer_at(entry + dentry_d_name + qstr_name));
        if (size <= 0 || size > LONGEST_NAME) break;
        piece->kind = NAME;
        piece->size = size;
        told.perf_submit(ctx, piece, offsetof(struct piece, data) + LONGEST_NAME);
        entry = pointer_at(entry + dentry_d_parent);
    }
    tell_end(ctx, piece, NAMES_END, ended);
}

static inline void tell_rest(void *ctx, u32 tid, s32 result, u64 filename, int is_users, struct begun *before) {
    u32 zero = 0;
    u64 id = bpf_get_current_pid_tgid(), owner = bpf_get_current_uid_gid();
    u64 parent = pointer_at(bpf_get_current_task() + task_struct_real_parent);
    struct rest *rest = rests.lookup(&zero);
    if (!rest) return;
    rest->kind = REST;
    rest->thread = (u32)id;
    rest->now = bpf_ktime_get_ns();
    rest->begun = before ? before->time : 0;
    rest->is_at = before ? before->is_at : 0;
    rest->pid = id >> 32;
    rest->tid = tid;
    rest->ppid = (u32)pointer_at(parent + task_struct_tgid);
    rest->uid = (u32)owner;
    rest->gid = owner >> 32;
    rest->cpu = bpf_get_smp_processor_id();
    rest->result = result;
    bpf_get_current_comm(rest->comm, sizeof rest->comm);
    bpf_probe_read_kernel_str(rest->parent, sizeof rest->parent, (void *)(parent + task_struct_comm));
    rest->filename[0] = 0;
    if (is_users)
        bpf_probe_read_user_str(rest->filename, sizeof rest->filename, (void *)filename);
    else
        bpf_probe_read_kernel_str(rest->filename, sizeof rest->filename, (void *)filename);
    told.perf_submit(ctx, rest, sizeof *rest);
}

int executed(void *ctx) {
    u32 zero = 0, place = (u32)pointer_at((u64)ctx + 8), tid = (u32)pointer_at((u64)ctx + 16);
    struct piece *piece = pieces.lookup(&zero);
    if (!piece || !is_wanted()) goto done;
    u64 mm = pointer_at(bpf_get_current_task() + task_struct_mm);
    u64 at = pointer_at(mm + mm_struct_arg_start), bytes = pointer_at(mm + mm_struct_arg_end) - at;
    piece->thread = (u32)bpf_get_current_pid_tgid();
    for (u32 i = 0; i < PIECES; i++) {
        u64 done = (u64)i * PIECE, left = bytes - done;
        if (done >= bytes) break;
        u64 size = left > PIECE ? PIECE : left;
        asm volatile("" : "+r"(size));
        size &= 2 * PIECE - 1;
        if (bpf_probe_read_user(piece->data, size, (void *)(at + done))) break;
        piece->kind = WORDS;
        piece->size = size;
        told.perf_submit(ctx, piece, offsetof(struct piece, data) + PIECE);
    }
    tell_end(ctx, piece, WORDS_END, bytes);
    tell_names(ctx, piece);
    tell_rest(ctx, tid, 0, (u64)ctx + (place & 0xffff), 0, begun.lookup(&tid));
done:
    begun.delete(&tid);
    return 0;
}

int fails(void *ctx) {
    u32 zero = 0, thread = (u32)bpf_get_current_pid_tgid();
    s64 result = argument(ctx, 0);
    struct begun *before = begun.lookup(&thread);
    struct piece *piece = pieces.lookup(&zero);
    int all = 0;
    if (!before) return 0;
    if (result >= 0 || !piece || !is_wanted()) goto done;
    u64 argv = before->argv;
    piece->thread = thread;
    for (u32 i = 0; i < FAILED_WORDS; i++) {
        u64 word = 0;
        if (bpf_probe_read_user(&word, sizeof word, (void *)(argv + 8 * i))) break;
        if (!word) {
            all = 1;
            break;
        }
        long size = bpf_probe_read_user_str(piece->data, PIECE, (void *)word);
        piece->kind = FAILED_WORD;
        piece->size = size > 0 && size <= PIECE ? size : 0;
        told.perf_submit(ctx, piece, offsetof(struct piece, data) + PIECE);
    }
    tell_end(ctx, piece, WORDS_END, all ? 0 : -1);
    tell_names(ctx, piece);
    tell_rest(ctx, thread, result, before->filename, 1, before);
done:
    begun.delete(&thread);
    return 0;
}

int forks(void *ctx) {
    u32 parent = bpf_get_current_pid_tgid() >> 32, child = (u32)pointer_at((u64)ctx + FORKED_CHILD), one = 1;
    if (TARGETS == 1 && targets.lookup(&parent)) targets.update(&child, &one);
    return 0;
}

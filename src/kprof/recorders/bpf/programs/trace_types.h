/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What tracing looks at of the kernel's types, beside kernel_types.h; see there. */
#ifndef KP_TRACE_TYPES_H
#define KP_TRACE_TYPES_H

#include "kernel_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct dentry;
struct mm_struct {
    unsigned long arg_start, arg_end;
};

struct vfsmount {
    struct dentry *mnt_root;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct qstr {
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct fs_struct {
    struct path root, pwd;
};


struct signal_struct {
    struct {
        int counter;
    } live;
    int group_exit_code;
    unsigned int flags;
};

struct task_struct___traced {
    int pid, tgid, exit_code;
    char comm[16];
    __u64 start_time;
    struct task_struct___traced *real_parent, *group_leader;
    struct signal_struct *signal;
    struct mm_struct *mm;
    struct fs_struct *fs;
};

struct linux_binprm {
    const char *filename;
};

struct in6_addr {
    __u8 bytes[16];
};

struct sock_common {
    __u16 skc_family, skc_num;
    __be16 skc_dport;
    __be32 skc_daddr, skc_rcv_saddr;
    struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock___traced {
    struct sock_common __sk_common;
    __u16 sk_protocol;
    int sk_err;
};

struct gendisk {
    int major, first_minor;
};

struct request_queue {
    struct gendisk *disk;
};

struct block_device {
    __u32 bd_dev;
};

struct request___traced {
    struct request_queue *q;
    struct block_device *part;
    __u32 cmd_flags;
    unsigned int __data_len;
    __u64 __sector;
};

#pragma clang attribute pop

#endif

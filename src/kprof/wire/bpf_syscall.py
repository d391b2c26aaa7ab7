"""What the system call `bpf` takes where libbpf 1.1 does not know it: see `union bpf_attr` of linux/bpf.h."""

import numpy as np

LINK_CREATE = 28
PROG_TYPE_KPROBE = 2
TRACE_UPROBE_MULTI = 48
UPROBE_MULTI_RETURN = 1

LINK_UPROBE_MULTI = np.dtype(
    [
        ("prog_fd", "u4"),
        ("target_fd", "u4"),
        ("attach_type", "u4"),
        ("flags", "u4"),
        ("path", "u8"),
        ("offsets", "u8"),
        ("ref_ctr_offsets", "u8"),
        ("cookies", "u8"),
        ("cnt", "u4"),
        ("uprobe_flags", "u4"),
        ("pid", "u4"),
        ("unused", "u4"),
    ]
)
# struct bpf_prog_load_opts of libbpf, as far as it is used.
PROG_LOAD_OPTIONS = np.dtype([("size", "u8"), ("attempts", "i4"), ("expected_attach_type", "u4")])
# A program that sets its result to 0, and ends.
NOTHING = bytes.fromhex("b7000000000000009500000000000000")

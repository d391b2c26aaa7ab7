"""Numbers and layouts of the kernel's perf interface: `include/uapi/linux/perf_event.h`."""

import numpy as np

TYPE_HARDWARE, TYPE_SOFTWARE, TYPE_TRACEPOINT = 0, 1, 2
HARDWARE_CYCLES = 0
SOFTWARE_CPU_CLOCK = 0
SOFTWARE_DUMMY = 9

SAMPLE_TID = 1 << 1
SAMPLE_TIME = 1 << 2
SAMPLE_CALLCHAIN = 1 << 5
SAMPLE_CPU = 1 << 7
SAMPLE_PERIOD = 1 << 8
SAMPLE_REGS_USER = 1 << 12
SAMPLE_STACK_USER = 1 << 13
SAMPLE_IDENTIFIER = 1 << 16

# Bits of the flags word of perf_event_attr.
DISABLED = 1 << 0
INHERIT = 1 << 1
EXCLUDE_USER = 1 << 4
EXCLUDE_KERNEL = 1 << 5
EXCLUDE_HV = 1 << 6
EXCLUDE_IDLE = 1 << 7
MMAP = 1 << 8
COMM = 1 << 9
FREQ = 1 << 10
TASK = 1 << 13
WATERMARK = 1 << 14
SAMPLE_ID_ALL = 1 << 18
MMAP2 = 1 << 23
COMM_EXEC = 1 << 24
USE_CLOCKID = 1 << 25
KSYMBOL = 1 << 29
BUILD_ID = 1 << 34

RECORD_COMM = 3
RECORD_EXIT = 4
RECORD_FORK = 7
RECORD_SAMPLE = 9
RECORD_MMAP2 = 10
RECORD_HEADER_ATTR = 64

MISC_KERNEL, MISC_USER = 1, 2
MISC_COMM_EXEC = 1 << 13
MISC_MMAP_BUILD_ID = 1 << 14

CONTEXT_KERNEL = (1 << 64) - 128
CONTEXT_USER = (1 << 64) - 512
# No context that exists: a chain ends here, and is known to be cut.
CONTEXT_CUT = (1 << 64) - 1

FLAG_FD_CLOEXEC = 8

ATTR = np.dtype(
    [
        ("type", "u4"),
        ("size", "u4"),
        ("config", "u8"),
        ("period", "u8"),
        ("sample_type", "u8"),
        ("read_format", "u8"),
        ("flags", "u8"),
        ("wakeup", "u4"),
        ("bp_type", "u4"),
        ("config1", "u8"),
        ("config2", "u8"),
        ("branch_sample_type", "u8"),
        ("sample_regs_user", "u8"),
        ("sample_stack_user", "u4"),
        ("clockid", "i4"),
        ("sample_regs_intr", "u8"),
        ("aux_watermark", "u4"),
        ("max_stack", "u2"),
        ("reserved", "u2"),
    ]
)

HEADER = np.dtype([("type", "u4"), ("misc", "u2"), ("size", "u2")])

# What stands at the end of every record but samples, for events with these bits: the order is the kernel's.
ID_BITS = SAMPLE_TID | SAMPLE_TIME | SAMPLE_CPU | SAMPLE_IDENTIFIER
SAMPLE_ID = np.dtype(
    [("pid", "u4"), ("tid", "u4"), ("time", "u8"), ("cpu", "u4"), ("unused", "u4"), ("identifier", "u8")]
)

# struct perf_event_mmap_page: where the ring buffer is written and read.
RING_HEAD, RING_TAIL = 1024, 1032

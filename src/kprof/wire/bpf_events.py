"""Layouts of `recorders/bpf/programs/events.h`, as numpy sees them.

A test compiles the header and compares every offset.
"""

import numpy as np

MAX_FRAMES = 127
MAX_EVENTS = 16
CPU_WORDS = 64

NO_STACK, LOST_STACK = 0, 1
EVERYTHING, PROCESSES, THREADS = 0, 1, 2
USER, KERNEL = 1, 2
FOLLOW, COPY_ALL, COPY_UNFRAMED = 0, 1, 2
MOST_COPIED = 24576
REGISTER_BYTES = 272
PAGE = 4096
COPY_HEAD = 16

# A cookie: the number of an event, what an occurrence weighs, and whether it is no function's start.
COOKIE_SHIFT, COOKIE_INSIDE = 8, 1 << 16
ONE, FIRST, FIRST_TIMES_SECOND, SECOND, SECOND_IF_FIRST, THIRD = range(6)
# What an interval weighs.
WEIGH_TIME, WEIGH_BYTES, WEIGH_ONE = 0, 1, 2

EVENT_SETTINGS = np.dtype(
    [
        ("sides", "u4"),
        ("weight", "u4"),
        ("copies", "u4"),
        ("unused", "u4"),
        ("least", "u8"),
        ("most", "u8"),
    ]
)
SETTINGS = np.dtype(
    [
        ("self", "u4"),
        ("client", "u4"),
        ("unused", "u4"),
        ("targets", "u4"),
        ("in_cgroup", "u4"),
        ("on_cpus", "u4"),
        ("event", "u4"),
        ("comm_length", "u4"),
        ("timestamps", "u4"),
        ("copy_bytes", "u4"),
        ("comm", "S16"),
        ("cpus", "u8", (CPU_WORDS,)),
        ("events", EVENT_SETTINGS, (MAX_EVENTS,)),
    ]
)
KEY = np.dtype(
    [
        ("user_stack", "u8"),
        ("kernel_stack", "u8"),
        ("tgid", "u4"),
        ("tid", "u4"),
        ("event", "u4"),
        ("detail", "u4"),
        ("cpu", "u4"),
        ("unused", "u4"),
        ("comm", "S16"),
    ]
)
ROW = np.dtype([("count", "u8"), ("weight", "u8"), ("first_ns", "u8")])
OPEN_KEY = np.dtype([("id", "u8"), ("event", "u8")])
OPEN = np.dtype([("begun_ns", "u8"), ("bytes", "u8"), ("key", KEY)])
RECORD = np.dtype([("key", KEY), ("row", ROW)])
COPY = np.dtype(
    [
        ("number", "u8"),
        ("registers", "u4"),
        ("stack", "u4"),
        ("bytes", "u1", (REGISTER_BYTES + MOST_COPIED + PAGE,)),
    ]
)
JOIN = np.dtype(
    [
        ("user_stack", "u8"),
        ("waker_user", "u8"),
        ("waker_kernel", "u8"),
        ("tgid", "u4"),
        ("unused", "u4"),
        ("comm", "S16"),
    ]
)
# What a recording keeps of it.
KEPT_JOIN = np.dtype([("hash", "u8"), *((name, JOIN[name]) for name in JOIN.names or ())])
# Instead of the number of a system call, which is another one for programs of 32 bits.
COMPAT = 1 << 31
SLEEPS, WAITS, STOPPED, TRACED, PARKED, IDLE = map(ord, "SDTtPI")
ALLOCATION_KEY = np.dtype([("address", "u8"), ("tgid", "u8")])
ALLOCATION = np.dtype(
    [
        ("bytes", "u8"),
        ("user_stack", "u8"),
        ("begun_ns", "u8"),
        ("tid", "u4"),
        ("unused", "u4"),
        ("comm", "S16"),
    ]
)
TURNOVER = np.dtype([("allocated", "u8"), ("freed", "u8"), ("foreign", "u8")])
STACK = np.dtype([("length", "u4"), ("unused", "u4"), ("address", "u8", (MAX_FRAMES,))])
TALLY = np.dtype(
    [(name, "u8") for name in ("seen", "counted", "no_room", "nested", "stacks_lost", "left_out")]
)

# What a recording keeps of a row: key and value side by side.
KEPT_ROW = np.dtype([(name, layout[name]) for layout in (KEY, ROW) for name in layout.names or ()])

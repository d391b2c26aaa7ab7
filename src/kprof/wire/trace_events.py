"""Layouts of `recorders/bpf/programs/trace_events.h`, as numpy sees them.

A test compiles the header and compares every offset.
"""

import numpy as np

MAX_FIELDS, MAX_STEPS, MAX_TESTS, MAX_PATTERNS, PATTERN, ARGUMENTS = 24, 5, 32, 8, 96, 6
TEXT, DATA, PIECE, PIECES, FRAMES = 4096, 16384, 8192, 256, 64

(
    FROM_DATA, FROM_PID, FROM_TID, FROM_PPID, FROM_UID, FROM_GID, FROM_CPU, FROM_COMM, FROM_DURATION,
    FROM_CWD, FROM_CGROUP,
) = range(11)  # fmt: skip
IS_NUMBER, IS_TEXT, IS_BYTES, IS_LOCATED, IS_RELATIVE, IS_WORDS, IS_PATH = range(7)
SIGNED, USERS, EITHER = 1, 2, 4
UNREADABLE = (1 << 64) - 1
POINTER = 8

COMPARE, AND, OR, NOT = range(4)
EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST, HAS_BITS, LIKE, UNLIKE = range(9)
ANY_ONE, ANY_RUN, ANY_BLANK = 256, 257, 258

RECORD_EVENT, RECORD_PIECE = 0, 1

_COMM = "S16"
FIELD = np.dtype(
    [
        ("from", "u4"), ("kind", "u4"), ("flags", "u4"), ("offset", "u4"), ("size", "u4"), ("shift", "u4"),
        ("bits", "u4"), ("steps", "u4"), ("step", "i4", (MAX_STEPS,)), ("unused", "u4"),
    ]
)  # fmt: skip
TEST = np.dtype([("what", "u4"), ("compare", "u4"), ("field", "u4"), ("pattern", "u4"), ("value", "u8")])
PATTERN_CODES = np.dtype([("length", "u4"), ("unused", "u4"), ("code", "u2", (PATTERN,))])
TRACE = np.dtype(
    [
        ("fields", "u4"), ("tests", "u4"), ("stacks", "u4"), ("arguments", "u4"),
        ("argument", "u4", (ARGUMENTS,)), ("result", "u4"), ("unused", "u4"), ("least", "u8"),
        ("field", FIELD, (MAX_FIELDS,)), ("test", TEST, (MAX_TESTS,)),
        ("pattern", PATTERN_CODES, (MAX_PATTERNS,)),
    ]
)  # fmt: skip
WHO = np.dtype(
    [
        ("tgid", "u4"), ("tid", "u4"), ("ppid", "u4"), ("uid", "u4"), ("gid", "u4"), ("cpu", "u4"),
        ("comm", _COMM),
    ]
)  # fmt: skip
HEAD = np.dtype([("kind", "u4"), ("event", "u4"), ("id", "u8")])
RECORD = np.dtype(
    [
        ("head", HEAD), ("time_ns", "u8"), ("duration_ns", "u8"), ("who", WHO), ("user_frames", "u4"),
        ("kernel_frames", "u4"), ("size", "u4"), ("cut", "u4"), ("unread", "u4"), ("unused", "u4"),
        ("value", "u8", (MAX_FIELDS,)),
    ]
)  # fmt: skip
PIECE_OF_WORDS = np.dtype([("head", HEAD), ("size", "u4"), ("unused", "u4"), ("text", "V", PIECE)])
BEGUN_KEY = np.dtype([("id", "u8"), ("event", "u4"), ("depth", "u4")])
BEGUN = np.dtype([("time_ns", "u8"), ("who", WHO), ("argument", "u8", (ARGUMENTS,))])
PAIR = np.dtype([("result", "i8"), ("argument", "u8", (ARGUMENTS,))])
TALLY = np.dtype([(name, "u8") for name in ("seen", "sent", "left_out", "no_room", "nested", "unpaired")])
EXEC = np.dtype(
    [
        ("words", "u8"), ("bytes", "u8"), ("filename", "u8"), ("result", "i4"), ("is_at", "u4"),
        ("cut", "u4"), ("unused", "u4"), ("parent", _COMM),
    ]
)  # fmt: skip
EXIT = np.dtype(
    [
        ("code", "u4"),
        ("signal", "u4"),
        ("dumped", "u4"),
        ("unused", "u4"),
        ("age_ns", "u8"),
        ("parent", _COMM),
    ]
)
CONNECT = np.dtype(
    [
        ("result", "i4"), ("family", "u2"), ("sport", "u2"), ("dport", "u2"), ("unused", "u2"),
        ("saddr", "u1", (16,)), ("daddr", "u1", (16,)),
    ]
)  # fmt: skip
# Where a pair has its arguments.
PAIR_ARGUMENTS = 8
BLOCK = np.dtype([("device", "u4"), ("operation", "u4"), ("sector", "u8"), ("bytes", "u4"), ("result", "i4")])

"""How much a recording moved from the kernel to us."""

import os
import struct
from pathlib import Path

import numpy as np

from kprof.wire import bpf_dump as wire
from kprof.wire import bpf_events as layout


def bytes_moved(backend: str, path: str) -> int:
    """Return the bytes that the kernel handed over for a recording.

    For perf that is the file: what was in its buffers is written as it is. The bpf backend copies rows and
    whole slots of stacks out of maps, which takes more than what it keeps of them; records of mappings are
    kept as they are.

    Args:
        backend: `perf` or `bpf`.
        path: What its recorder left.
    """
    if backend == "perf":
        return os.stat(path).st_size  # noqa: PTH116 - one number of one file
    moved, data = 0, memoryview(Path(path).read_bytes())
    row = layout.KEY.itemsize + layout.ROW.itemsize
    slot = 8 + layout.STACK.itemsize
    at = struct.calcsize(wire.HEAD)
    head = struct.calcsize(wire.BLOCK)
    while at + head <= len(data):
        kind, _, size = struct.unpack_from(wire.BLOCK, data, at)
        payload = data[at + head : at + head + size]
        if kind == wire.SPACE:
            moved += size
        elif kind == wire.ROWS:
            rows = np.frombuffer(payload, layout.KEPT_ROW)
            # A stack is copied whenever rows with it are.
            stacks = np.unique(np.concatenate((rows["user_stack"], rows["kernel_stack"])))
            moved += len(rows) * row + int((stacks > layout.LOST_STACK).sum()) * slot
        at += head + size + -size % wire.ALIGN
    return moved

"""How much a recording moved from the kernel to us."""

import json
import os
import struct
from pathlib import Path

from kprof.wire import bpf_dump as wire


def bytes_moved(backend: str, path: str) -> int | None:
    """Return the bytes that the kernel handed over for a recording; None if its recorder does not tell.

    For perf that is the file: what was in its buffers is written as it is. The bpf backend counts what it
    copies out of maps and ring buffers; records of mappings are kept as they are.

    Args:
        backend: `perf` or `bpf`.
        path: What its recorder left.
    """
    if backend == "perf":
        return os.stat(path).st_size  # noqa: PTH116 - one number of one file
    copied: int | None = None
    moved, data = 0, memoryview(Path(path).read_bytes())
    at = struct.calcsize(wire.HEAD)
    head = struct.calcsize(wire.BLOCK)
    while at + head <= len(data):
        kind, _, size = struct.unpack_from(wire.BLOCK, data, at)
        if kind == wire.SPACE:
            moved += size
        elif kind == wire.TALLIES:
            copied = json.loads(bytes(data[at + head : at + head + size])).get("copied", copied)
        at += head + size + -size % wire.ALIGN
    return None if copied is None else moved + copied

"""Writing the recording, block by block, so that a recorder that is killed leaves what it had."""

import json
import os
import struct
import zlib
from collections.abc import Sequence
from itertools import chain
from typing import Any, Self

import numpy as np

from kprof.errors import OutputError
from kprof.wire import bpf_dump as wire
from kprof.wire import bpf_events as layout

Array = np.ndarray[Any, Any]
# Beyond this, stacks are written again rather than remembered: some 100 MB.
_MOST_KNOWN = 1 << 20


class DumpWriter:
    """Writes one recording.

    Args:
        path: Where to.
        meta: What is known of the recording.

    Raises:
        OutputError: It cannot be written.
    """

    def __init__(self, path: str, meta: dict[str, Any]) -> None:
        self.path = path
        self.size = 0
        self._known: set[int] = set()
        self._joined: set[int] = set()
        # Without a buffer: what was written is there even if we are killed.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._write(struct.pack(wire.HEAD, wire.MAGIC, wire.VERSION, 0))
        self.meta(meta)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def meta(self, meta: dict[str, Any]) -> None:
        """Say what is known of the recording; the last one counts."""
        self._block(wire.META, json.dumps(meta).encode())

    def space(self, records: bytes) -> None:
        """Add records of perf about address spaces, as the kernel wrote them."""
        if records:
            self._block(wire.SPACE, records)

    def stacks(self, hashes: Array, stacks: Array) -> None:
        """Add stacks that are not there yet: columns of hashes, lengths, and all addresses."""
        new = np.fromiter((h not in self._known for h in hashes.tolist()), bool, len(hashes))
        hashes, stacks = hashes[new], stacks[new]
        if not len(hashes):
            return
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update(hashes.tolist())
        length = np.minimum(stacks["length"], layout.MAX_FRAMES).astype(np.uint64)
        present = np.arange(layout.MAX_FRAMES, dtype=np.uint64) < length[:, None]
        columns = [np.array([len(hashes)], np.uint64), hashes, length, stacks["address"][present]]
        self._block(wire.STACKS, b"".join(np.ascontiguousarray(column).tobytes() for column in columns))

    def rows(self, keys: Array, rows: Array) -> None:
        """Add rows: what was counted together."""
        if not len(keys):
            return
        kept = np.empty(len(keys), layout.KEPT_ROW)
        for part in (keys, rows):
            for name in part.dtype.names or ():
                kept[name] = part[name]
        self._block(wire.ROWS, kept.tobytes())

    def records(self, records: Sequence[Any] | Array) -> None:
        """Add rows with time stamps, of `bpf_events.RECORD`: the same bytes."""
        if len(records):
            self._block(wire.ROWS, np.asarray(records).tobytes())

    def copies(self, copies: Sequence[bytes | memoryview]) -> None:
        """Add copies of stacks: each begins as `kp_copy` does."""
        if copies:
            parts = ((copy, bytes(-len(copy) % wire.ALIGN)) for copy in copies)
            self._block(wire.COPIES, b"".join(chain.from_iterable(parts)))

    def joins(self, hashes: Array, joins: Array) -> None:
        """Add stacks of blocked threads that are joined with those that woke them."""
        new = np.fromiter((h not in self._joined for h in hashes.tolist()), bool, len(hashes))
        hashes, joins = hashes[new], joins[new]
        if not len(hashes):
            return
        if len(self._joined) > _MOST_KNOWN:
            self._joined.clear()
        self._joined.update(hashes.tolist())
        kept = np.empty(len(hashes), layout.KEPT_JOIN)
        kept["hash"] = hashes
        for name in layout.JOIN.names or ():
            kept[name] = joins[name]
        self._block(wire.JOINS, kept.tobytes())

    def tallies(self, tallies: dict[str, Any]) -> None:
        """Add the accounting so far; the last one counts."""
        self._block(wire.TALLIES, json.dumps(tallies).encode())

    def end(self) -> None:
        """Say that all is there."""
        self._block(wire.END, b"")

    def _block(self, kind: int, payload: bytes) -> None:
        head = struct.pack(wire.BLOCK, kind, zlib.crc32(payload), len(payload))
        self._write(head + payload + bytes(-len(payload) % wire.ALIGN))

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise OutputError(
                f"cannot write the recording: {error.strerror}",
                "set TMPDIR to a place with room: raw data is written there",
            ) from None
        self.size += len(data)

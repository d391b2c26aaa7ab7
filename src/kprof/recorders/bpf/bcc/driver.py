"""Runs in the system's Python, which has BCC; kprof itself is not there.

It reads a line of JSON for each thing to do and answers with a frame: 4 bytes, the length of a line of JSON,
then that line, which gives the `sizes` of the binary parts that follow it. It ends when nobody writes to it
any more.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import struct
import sys
from typing import Any

_AT_ONCE = 1024
Answer = tuple[dict[str, Any], list[bytes]]


class Driver:
    """One program, compiled and loaded by BCC.

    Args:
        answers: Where frames are written.
    """

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.listening = False
        self.events: list[int] = []
        self.others: list[int] = []

    def run(self) -> None:
        """Do what is asked for, until nothing more is."""
        pending = b""
        while True:
            ready = select.select([0], [], [], 0 if self.listening else None)[0]
            if self.listening and not ready:
                self.bpf.perf_buffer_poll(timeout=100)
                continue
            part = os.read(0, 1 << 20)
            if not part:
                return
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                self.answer(json.loads(line))

    def answer(self, asked: dict[str, Any]) -> None:
        """Do one thing and answer."""
        try:
            facts, parts = getattr(self, "do_" + asked.pop("do"))(**asked)
        except Exception as error:  # BCC raises nothing more exact
            facts, parts = (
                {"error": str(error) or type(error).__name__, "errno": getattr(error, "errno", 0)},
                [],
            )
        self.send(facts, *parts)

    def send(self, facts: dict[str, Any], *parts: bytes) -> None:
        """Write a frame."""
        line = json.dumps({**facts, "sizes": [len(part) for part in parts]}).encode()
        data = b"".join([struct.pack("<I", len(line)), line, *parts])
        while data:
            data = data[os.write(self.answers, data) :]

    def do_load(self, text: str, flags: Any = (), functions: Any = ()) -> Answer:
        """Compile a program; load its functions, given with their types."""
        from bcc import BPF

        self.bpf = BPF(text=text, cflags=list(flags))
        for name, kind in functions:
            self.bpf.load_func(name.encode(), getattr(BPF, kind))
        return {}, []

    def do_attach(self, hook: dict[str, Any]) -> Answer:
        """Attach a function: `to` is the method of BCC, the rest what it takes."""
        to = hook.pop("to")
        texts = {key: value.encode() if isinstance(value, str) else value for key, value in hook.items()}
        getattr(self.bpf, "attach_" + to)(**texts)
        # BCC remembers one attachment to a place; there may be several.
        for kept in (self.bpf.tracepoint_fds, self.bpf.uprobe_fds):
            self.events += [kept.pop(name) for name in list(kept)]
        self.others += [self.bpf.raw_tracepoint_fds.pop(name) for name in list(self.bpf.raw_tracepoint_fds)]
        for name in list(self.bpf.open_perf_events):
            self.events += self.bpf.open_perf_events.pop(name).values()
        return {}, []

    def do_detach(self) -> Answer:
        """Detach all: none of them runs any more when this returns."""
        from bcc.libbcc import lib

        for name in list(self.bpf.kprobe_fds):
            self.bpf.detach_kprobe_event(name)
        while self.events:
            lib.bpf_close_perf_event_fd(self.events.pop())
        while self.others:
            os.close(self.others.pop())
        return {}, []

    def do_put(self, table: str, key: str, value: str) -> Answer:
        """Set an element, given as hexadecimal bytes."""
        from bcc.libbcc import lib

        found = self.bpf[table.encode()]
        status = lib.bpf_update_elem(found.map_fd, bytes.fromhex(key), bytes.fromhex(value), 0)
        if status:
            raise OSError(
                ctypes.get_errno(), f"setting an element of {table}: {os.strerror(ctypes.get_errno())}"
            )
        return {}, []

    def do_put_table(self, table: str, key: int, other: str) -> Answer:
        """Set an element that is another table."""
        descriptor = self.bpf[other.encode()].map_fd
        return self.do_put(table, struct.pack("<I", key).hex(), struct.pack("<I", descriptor).hex())

    def do_put_group(self, table: str, path: str) -> Answer:
        """Set a control group."""
        self.bpf[table.encode()][0] = path
        return {}, []

    def do_look(self, table: str, key: str) -> Answer:
        """Return an element; of a table that has one for each CPU, all of them."""
        from bcc.libbcc import lib
        from bcc.utils import get_possible_cpus

        found = self.bpf[table.encode()]
        value = ctypes.create_string_buffer(
            lib.bpf_table_leaf_size_id(self.bpf.module, found.map_id) * len(get_possible_cpus())
        )
        if lib.bpf_lookup_elem(found.map_fd, bytes.fromhex(key), value):
            raise OSError(ctypes.get_errno(), f"reading {table}")
        return {}, [value.raw]

    def do_drain(self, table: str) -> Answer:
        """Take all elements out of a hash table; return keys and values."""
        from bcc.libbcc import lib

        found = self.bpf[table.encode()]
        sizes = [
            getattr(lib, f"bpf_table_{what}_size_id")(self.bpf.module, found.map_id)
            for what in ("key", "leaf")
        ]
        keys, values, at_once = [], [], _AT_ONCE
        before, after, first = (ctypes.c_uint32 * 16)(), (ctypes.c_uint32 * 16)(), True
        while True:
            some = [ctypes.create_string_buffer(at_once * size) for size in sizes]
            count = ctypes.c_uint32(at_once)
            status = lib.bpf_lookup_and_delete_batch(
                found.map_fd, None if first else before, after, some[0], some[1], ctypes.byref(count)
            )
            number = ctypes.get_errno() if status else 0
            if number == errno.ENOSPC:  # a bucket holds more than there is room for
                at_once *= 2
                continue
            if number not in (0, errno.ENOENT):
                raise OSError(number, f"emptying {table}: {os.strerror(number)}")
            keys.append(some[0].raw[: count.value * sizes[0]])
            values.append(some[1].raw[: count.value * sizes[1]])
            if number:
                return {}, [b"".join(keys), b"".join(values)]
            ctypes.memmove(before, after, ctypes.sizeof(after))
            first = False

    def do_listen(self, table: str, pages: int) -> Answer:
        """Send a frame for each event of a perf buffer, and for those that were lost."""

        def came(cpu: int, data: Any, size: int) -> None:
            self.send({"event": table, "cpu": cpu}, ctypes.string_at(data, size))

        def lost(count: int) -> None:
            self.send({"event": table, "lost": count})

        self.bpf[table.encode()].open_perf_buffer(came, page_cnt=pages, lost_cb=lost)
        self.listening = True
        return {}, []

    def do_flush(self) -> Answer:
        """Send what still stands in the perf buffers."""
        self.bpf.perf_buffer_poll(timeout=0)
        return {}, []


if __name__ == "__main__":
    # What BCC and what it starts print must not be taken for an answer.
    place = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    Driver(place).run()

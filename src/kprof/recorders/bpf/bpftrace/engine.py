"""The bpftrace engine: a program of its language counts, and its maps are read as it prints them."""

import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

from kprof.errors import KprofError
from kprof.recorders.bpf.bpftrace.child import Bpftrace, Message
from kprof.recorders.bpf.bpftrace.program import END, READY, SAMPLING_MS, UNEXPECTED_MS, key_form, program
from kprof.recorders.bpf.bpftrace.rows import Array, KeyForm, Stacks, rows_of
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.scope import Job, Room
from kprof.system.tools import Tool
from kprof.wire import bpf_events as layout

_MAP = re.compile(r"@(rows|open|seen|left|untracked)(\d*)([ab]?)$")
# What an element of a hash map takes: key, value, and the kernel's part.
_ELEMENT = 64 + 24 + 64
# EEXIST: two stacks fell together in the kernel's table of stacks, and only the first is there.
_LOST_STACK = "failed to look up stack id -17 "
Elements = list[tuple[str, Any]]


class BpftraceEngine:
    """A recording by bpftrace.

    Args:
        tool: bpftrace.
        job: What it records.

    Attributes:
        title: Its name and version.
        rooms: How much its maps hold.
        notes: What a user must be told; more may come with each step.
    """

    def __init__(self, tool: Tool, job: Job) -> None:
        sources = job.sources
        self._tool, self._sources, self._scope, self._folder = tool, sources, job.scope, job.folder
        # It takes one process, or looks at all.
        self._pid = job.pids[0] if len(job.pids) == 1 else 0
        self.rooms = Room(job.room, job.room * _ELEMENT * 2 * len(sources))
        self.title = f"bpftrace {tool.version}"
        self.notes: list[str] = []
        self._stack = ExitStack()
        self._stacks = Stacks()
        self._forms: list[KeyForm] = [key_form(source, job.scope) for source in sources]
        self._seen, self._left = [0] * len(sources), [0] * len(sources)
        self._counted = [0] * len(sources)
        self._untracked, self._shift = 0, 0
        # Rows that were printed and perhaps not cleared; those printed at the end; and what is open.
        self._held: dict[str, Elements] = {}
        self._last: dict[str, Elements] = {}
        self._open: dict[int, Elements] = {}
        self._ending = False
        self._came: list[Message] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def load(self) -> None:
        """Start the program if it waits for a word of ours; else nothing comes before attaching."""
        if self._scope.held:
            self._start()

    def attach(self) -> None:
        """Let the program run; all of it is attached when this returns.

        Raises:
            NotAvailableError: bpftrace, or the kernel, refuses.
        """
        if self._scope.held:
            # To rename itself, even to its own name, is a tracepoint that nobody else fires.
            name = Path("/proc/thread-self/comm")
            name.write_bytes(name.read_bytes().rstrip(b"\n"))
        else:
            self._start()

    def _start(self) -> None:
        known = all(source.frequency for source in self._sources)
        text = program(self._sources, self._scope, SAMPLING_MS if known else UNEXPECTED_MS)
        self._child = self._stack.enter_context(
            Bpftrace(
                self._tool, text, self._folder, pid=self._pid,
                variables={"BPFTRACE_MAP_KEYS_MAX": str(self.rooms.rows)},
            )
        )  # fmt: skip
        came = self._child.wait_for(READY, times=2)
        said = next(m.data.split() for m in came if m.kind == "printf")
        self._shift = _shift(int(said[1]))
        self._came = came

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Nothing: what was counted is asked for."""
        return ()

    @property
    def is_crowded(self) -> bool:
        """Not told."""
        return False

    def mark_framed(self, pid: int, *, kept: bool) -> None:
        """Do nothing: it copies no stacks."""

    def drain(self, dump: DumpWriter) -> int:
        """Move what was printed so far to the recording; return how many rows that was."""
        came, self._came = self._came, []
        return sum(self._take(message, dump) for message in (*came, *self._child.messages()))

    def detach(self) -> None:
        """Stop counting."""
        self._came += self._child.stop()

    def finish(self, dump: DumpWriter, ended_ns: int) -> None:
        """Move the rest to the recording; what has begun and not ended counts up to now.

        Raises:
            KprofError: More was counted than was seen.
        """
        self.drain(dump)
        for name, held in self._held.items():
            # bpftrace prints all maps when it ends: those that it was about to clear come again.
            if _total(self._last.get(name, [])) < _total(held):
                self._write(name, held, dump)
        for name, last in self._last.items():
            self._write(name, last, dump)
        for event, elements in self._open.items():
            self._close(event, elements, dump, ended_ns)
        for source, seen, counted in zip(self._sources, self._seen, self._counted, strict=True):
            if counted > seen:
                raise KprofError(f"bpftrace counted {counted:,} of {source.name} and saw {seen:,}")
        if lost := self._lost_stacks():
            self.notes.append(f"{lost:,} rows lack a stack: two fell together in bpftrace's table of stacks")

    def tallies(self) -> dict[str, Any]:
        """Return the accounting so far."""
        events = []
        for number, source in enumerate(self._sources):
            counted = self._counted[number]
            # What was seen is told after what was counted.
            seen = max(self._seen[number], counted)
            events.append(
                {
                    "event": source.name, "seen": seen, "counted": counted, "no_room": seen - counted,
                    "nested": 0, "stacks_lost": 0, "left_out": self._left[number],
                }
            )  # fmt: skip
        return {
            "events": events, "untracked": self._untracked, "unknown": ["nested", "stacks_lost"],
            "rows_without_stack": self._lost_stacks(), "copied": self._child.printed,
        }  # fmt: skip

    def _lost_stacks(self) -> int:
        return self._child.said().count(_LOST_STACK)

    def _take(self, message: Message, dump: DumpWriter) -> int:
        """Keep what a message tells; return how many rows were written."""
        if message.kind == "printf":
            self._ending = self._ending or message.data.strip() == END
        if message.kind not in {"map", "stats"}:
            return 0
        written = 0
        for name, found in message.data.items():
            if match := _MAP.match(name):
                written += self._keep(match[1], int(match[2] or 0), name, found, dump)
        return written

    def _keep(self, kind: str, event: int, name: str, found: Any, dump: DumpWriter) -> int:
        if kind == "rows":
            (self._last if self._ending else self._held)[name] = found.pairs
        elif kind == "open":
            self._open[event] = found.pairs
        elif kind == "left":
            self._left[event] = found
        elif kind == "untracked":
            self._untracked = found
        else:
            self._seen[event] = found
            # It is printed when the maps of rows are cleared.
            if not self._ending and event == len(self._sources) - 1:
                held, self._held = self._held, {}
                return sum(self._write(each, elements, dump) for each, elements in held.items())
        return 0

    def _write(self, name: str, elements: Elements, dump: DumpWriter) -> int:
        match = _MAP.match(name)
        event = int(match[2]) if match else 0
        keys, rows = rows_of(elements, event, self._forms[event], self._stacks, self._shift)
        self._put(event, keys, rows, dump)
        return len(keys)

    def _put(self, event: int, keys: Array, rows: Array, dump: DumpWriter) -> None:
        rows["weight"] *= np.uint64(self._sources[event].period)
        dump.stacks(*self._stacks.take())
        dump.rows(keys, rows)
        self._counted[event] += int(rows["count"].sum())

    def _close(self, event: int, elements: Elements, dump: DumpWriter, ended_ns: int) -> None:
        """Write what was open at the end."""
        source = self._sources[event]
        if source.weight != layout.WEIGH_TIME or not source.counts_open:
            return
        keys, rows = [], []
        for _, (begun, _, pid, tid, detail, *stacks, comm) in elements:
            elapsed = max(ended_ns - (begun - self._shift), 0)
            if self._scope.keeps(elapsed):
                text = ",".join([str(pid), str(tid), str(detail), *stacks, comm])
                keys.append(self._forms[event].plain.read(text, event, self._stacks))
                rows.append((1, elapsed, begun - self._shift))
        self._seen[event] += len(keys)
        self._put(event, np.array(keys, layout.KEY), np.array(rows, layout.ROW), dump)


def _shift(now: int) -> int:
    """Return how far a program's clock is from CLOCK_MONOTONIC: bpftrace takes CLOCK_BOOTTIME if it can."""
    mono = time.monotonic_ns()
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return 0 if abs(now - mono) <= abs(now - boot) else boot - mono


def _total(elements: Elements) -> int:
    return sum(count for _, (count, _, _) in elements)

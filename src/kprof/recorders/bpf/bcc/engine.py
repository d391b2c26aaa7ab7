"""The BCC engine: C that BCC compiles here and now counts, and its maps are read as those of libbpf's are."""

from contextlib import ExitStack
from typing import Any, Self

import numpy as np

from kprof.recorders.bpf.bcc.child import Bcc, BccError, translate
from kprof.recorders.bpf.bcc.program import program
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.opened import rows_of_open
from kprof.recorders.bpf.scope import Job, Room
from kprof.system.headers import find_headers
from kprof.system.tools import Tool
from kprof.wire import bpf_events as layout

_OPEN_ROOM, _TARGET_ROOM = 1 << 15, 1 << 14
_ELEMENT = 64
_TABLES = ("rows_a", "rows_b")
Array = np.ndarray[Any, Any]


def _memory(room: int) -> int:
    row = layout.KEY.itemsize + layout.ROW.itemsize + _ELEMENT
    stack = 8 + layout.STACK.itemsize + _ELEMENT
    begun = layout.OPEN_KEY.itemsize + layout.OPEN.itemsize + _ELEMENT
    return room * (2 * row + stack) + _OPEN_ROOM * begun + _TARGET_ROOM * (8 + _ELEMENT)


class BccEngine:
    """A recording by BCC.

    Args:
        tool: The system's Python.
        job: What it records.

    Attributes:
        title: Its name and version, and the headers if they are another kernel's.
        rooms: How much its maps hold.
        notes: What a user must be told.
    """

    def __init__(self, tool: Tool, job: Job) -> None:
        self._tool, self._job, self._sources, self._scope = tool, job, job.sources, job.scope
        self.rooms = Room(job.room, _memory(job.room))
        self.title = f"BCC {tool.version}"
        self.notes: list[str] = []
        self._stack = ExitStack()
        self._current = self._copied = 0
        self._still_open = np.zeros(len(job.sources), np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

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

    def load(self) -> None:
        """Compile and load the program.

        Raises:
            NotAvailableError: There are no headers, or BCC, or the kernel, refuses.
        """
        headers = find_headers(self._job.folder)
        if headers.variables:
            self.title += f", headers of {headers.release}"
        self._child = self._stack.enter_context(Bcc(self._tool, self._job.folder, headers.variables))
        self._program = program(self._job, self._child.pid)
        self._ask("load", text=self._program.text, functions=self._program.functions)
        self._ask("put_table", table="active", key=0, other=_TABLES[self._current])
        for task in self._scope.tasks:
            self._put("targets", np.array([task], "u4"), np.array([1], "u4"))
        if self._scope.cgroup:
            self._ask("put_group", table="cgroups", path=self._scope.cgroup)

    def attach(self) -> None:
        """Let the functions run.

        Raises:
            NotAvailableError: The kernel refuses, or there is nothing to attach to.
        """
        refused: list[BccError] = []
        for hook in self._program.hooks:
            try:
                self._child.ask("attach", hook=hook)
            except BccError as error:
                # The instruction there cannot be replaced by a breakpoint; other places do.
                if not hook["to"].endswith("uprobe") or "Invalid argument" not in error.said:
                    raise translate(error) from None
                refused.append(error)
        if not refused:
            return
        if len(refused) == sum(hook["to"].endswith("uprobe") for hook in self._program.hooks):
            raise translate(refused[0])
        self.notes.append(f"{len(refused):,} of the places in programs can hold no breakpoint")

    def drain(self, dump: DumpWriter) -> int:
        """Move what was counted so far to the recording; return how many rows that was."""
        emptied = _TABLES[self._current]
        self._current = 1 - self._current
        self._ask("put_table", table="active", key=0, other=_TABLES[self._current])
        keys, rows = self._drain(emptied, layout.KEY, layout.ROW)
        if self._scope.timestamps:
            # What kept rows of different times apart; when they were first seen stands in the row.
            keys = keys.copy()
            keys["unused"] = 0
        # Stacks after rows: those of rows that are taken are there by now, or in the recording.
        dump.stacks(*self._drain("stacks", np.dtype("u8"), layout.STACK))
        dump.rows(keys, rows)
        return len(keys)

    def detach(self) -> None:
        """Stop counting."""
        self._ask("detach")

    def finish(self, dump: DumpWriter, ended_ns: int) -> None:
        """Move the rest to the recording; what has begun and not ended counts up to now."""
        for _ in _TABLES:
            self.drain(dump)
        _, begun = self._drain("begun", layout.OPEN_KEY, layout.OPEN)
        keys, rows = rows_of_open(begun, self._sources, self._scope.keeps, ended_ns)
        dump.rows(keys, rows)
        self._still_open = np.bincount(keys["event"], minlength=len(self._sources))

    def tallies(self) -> dict[str, Any]:
        """Return the accounting so far: what was seen, and what became of it."""
        events = []
        for number, source in enumerate(self._sources):
            (data,) = self._ask("look", table="tallies", key=np.array([number], "u4").tobytes().hex())
            per_cpu = np.frombuffer(data, layout.TALLY)
            counts = {name: int(per_cpu[name].sum()) for name in layout.TALLY.names or ()}
            for name in ("seen", "counted"):
                counts[name] += int(self._still_open[number])
            events.append({"event": source.name, **counts})
        (untracked,) = self._ask("look", table="untracked", key=bytes(4).hex())
        return {
            "events": events, "untracked": int(np.frombuffer(untracked, "u8")[0]), "copied": self._copied
        }  # fmt: skip

    def _ask(self, do: str, **what: Any) -> list[bytes]:
        try:
            return self._child.ask(do, **what)
        except BccError as error:
            raise translate(error) from None

    def _put(self, table: str, key: Array, value: Array) -> None:
        self._ask("put", table=table, key=key.tobytes().hex(), value=value.tobytes().hex())

    def _drain(self, table: str, key: np.dtype[Any], value: np.dtype[Any]) -> tuple[Array, Array]:
        keys, values = self._ask("drain", table=table)
        self._copied += len(keys) + len(values)
        return np.frombuffer(keys, key), np.frombuffer(values, value)

"""The programs of a recording: loaded, attached, and emptied of what they counted."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from kprof.recorders.bpf import libbpf
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.plan import Source
from kprof.wire import bpf_events as layout
from kprof.wire import perf_abi as abi

PROGRAMS = Path(__file__).parent / "programs"
_SHARED = ("rows_a", "rows_b", "active", "stacks", "tallies", "targets", "cgroups", "scratches")
_FAMILY = "family"
_ROOM = (1 << 14, 1 << 18)
_DRAIN_AT_ONCE = 1024
# What an element takes besides key and value, in a hash map of the kernel.
_ELEMENT = 64


class Engine:
    """Programs and maps of one recording.

    Args:
        settings: One `bpf_events.SETTINGS`.
        sources: The events, in their order.
        cpus: Where events of perf are opened.
        rate: About how many rows a second may come at most.
    """

    def __init__(
        self, settings: np.ndarray[Any, Any], sources: Sequence[Source], cpus: Sequence[int], rate: int
    ) -> None:
        self._settings, self._sources, self._cpus = settings, sources, cpus
        self.room = min(max(_ROOM[0], 1 << (rate - 1).bit_length()), _ROOM[1])
        self._objects: dict[str, BpfObject] = {}
        self._current = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for loaded in self._objects.values():
            loaded.close()

    @property
    def memory(self) -> int:
        """Bytes that the maps take in the kernel."""
        row = layout.KEY.itemsize + layout.ROW.itemsize + _ELEMENT
        stack = 8 + layout.STACK.itemsize + _ELEMENT
        return self.room * (2 * row + stack)

    def load(self) -> None:
        """Load the programs.

        Raises:
            LibbpfError: The kernel refuses.
        """
        needed = {source.file: None for source in self._sources}
        if self._settings["targets"][0] == layout.PROCESSES:
            needed[_FAMILY] = None
        for name in needed:
            programs = {source.program for source in self._sources if source.file == name}
            self._load(name, sorted(programs) or None)
        first = next(iter(self._objects.values()))
        self._rows = [first.map(name, layout.KEY, layout.ROW) for name in ("rows_a", "rows_b")]
        self._active = first.map("active", "u4", "u4")
        self._stacks = first.map("stacks", "u8", layout.STACK)
        self._tallies = first.map("tallies", "u4", layout.TALLY)
        self.targets = first.map("targets", "u4", "u4")
        self.cgroups = first.map("cgroups", "u4", "u4")

    def _load(self, name: str, programs: Sequence[str] | None) -> None:
        loaded = BpfObject((PROGRAMS / f"{name}.bpf.o").read_bytes(), programs)
        shared = next(iter(self._objects.values()), None)
        self._objects[name] = loaded
        for number, source in enumerate(self._sources):
            if source.file == name:
                self._settings["event"] = number
        if ".rodata.settings" in loaded.maps:
            loaded.set_section(".rodata.settings", self._settings.tobytes())
        for each in loaded.maps:
            if shared and each in _SHARED and each in shared.maps:
                loaded.share(each, shared.map(each, "u4", "u4").descriptor)
            elif each in {"rows_a", "rows_b", "stacks"}:
                loaded.set_room(each, self.room)
        loaded.load()

    def attach(self) -> None:
        """Let the programs run.

        Raises:
            LibbpfError: The kernel refuses to attach one.
            OSError: The kernel refuses an event.
        """
        if _FAMILY in self._objects:
            for name in ("on_fork", "on_free"):
                self._objects[_FAMILY].attach(name)
        for number, source in enumerate(self._sources):
            for cpu in self._cpus:
                event = libbpf.perf_event_open(_attr(source), cpu=cpu)
                try:
                    self._objects[source.file].attach_to_event(source.program, event, number)
                except libbpf.LibbpfError:
                    os.close(event)
                    raise

    def drain(self, dump: DumpWriter) -> int:
        """Move what was counted so far to the recording; return how many rows that was.

        Programs go on counting in the other map of rows: see `active` in programs/maps.h.
        """
        emptied = self._rows[self._current]
        self._current = 1 - self._current
        self._active.put(0, self._rows[self._current].descriptor)
        keys, rows = emptied.drain(_DRAIN_AT_ONCE)
        # Stacks after rows: those of rows that are taken are there by now, or in the recording.
        dump.stacks(*self._stacks.drain(_DRAIN_AT_ONCE))
        dump.rows(keys, rows)
        return len(keys)

    def detach(self) -> None:
        """Stop counting."""
        for loaded in self._objects.values():
            loaded.detach()

    def finish(self, dump: DumpWriter) -> None:
        """Stop counting, and move the rest to the recording."""
        self.detach()
        for _ in self._rows:
            self.drain(dump)

    def tallies(self) -> dict[str, Any]:
        """Return the accounting so far: what was seen, and what became of it."""
        events = []
        for number, source in enumerate(self._sources):
            per_cpu = self._tallies.of_each_cpu(number)
            counts = {name: int(per_cpu[name].sum()) for name in layout.TALLY.names or ()}
            events.append({"event": source.name, **counts})
        missed = sum(
            self._objects[file].missed(program)
            for file, program in {(s.file, s.program) for s in self._sources}
        )
        return {"events": events, "missed": missed}


def _attr(source: Source) -> np.ndarray[Any, Any]:
    attr = np.zeros(1, abi.ATTR)
    attr["size"] = abi.ATTR.itemsize
    attr["type"], attr["config"] = source.kind
    attr["period"] = source.period or source.frequency
    flags = abi.EXCLUDE_IDLE | (0 if source.period else abi.FREQ)
    if not source.sides & layout.USER:
        flags |= abi.EXCLUDE_USER
    if not source.sides & layout.KERNEL:
        flags |= abi.EXCLUDE_KERNEL | abi.EXCLUDE_HV
    attr["flags"] = flags
    return attr

"""The programs of a recording: loaded, attached, and emptied of what they counted."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from kprof.errors import UsageError
from kprof.recorders.bpf import live
from kprof.recorders.bpf.dump import DumpWriter
from kprof.recorders.bpf.hooks import Reach, attach
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.recipes import LIVE
from kprof.recorders.bpf.ring import RingBuffer
from kprof.recorders.bpf.rooms import rooms_for
from kprof.recorders.bpf.sources import Source
from kprof.recorders.bpf.uprobes import many_at_once
from kprof.wire import bpf_events as layout
from kprof.wire.bpf_syscall import TRACE_UPROBE_MULTI

PROGRAMS = Path(__file__).parent / "programs"
_SHARED = (
    "rows_a", "rows_b", "active", "stacks", "tallies", "targets", "cgroups", "scratches", "open", "records",
    "copies", "copiers", "framed",
)  # fmt: skip
_SETTINGS = ".rodata.settings"
_SYMBOLS = "inlined functions are none; see /sys/kernel/tracing/available_filter_functions"
_FAMILY, _FAMILY_PROGRAMS = "family", ("on_fork", "on_free")
# Rings are emptied early when this share is taken.
_CROWDED = 4
_COPIES_AT_ONCE = 256


class Engine:
    """Programs and maps of one recording.

    Args:
        settings: One `bpf_events.SETTINGS`.
        sources: The events, in their order.
        cpus: Where events of perf are opened.
        rate: About how many rows a second may come at most.

    Attributes:
        rooms: How much the maps hold; may be changed before they are loaded.
        inherits: Whether children of recorded processes are recorded; likewise.
    """

    def __init__(
        self, settings: np.ndarray[Any, Any], sources: Sequence[Source], cpus: Sequence[int], rate: int
    ) -> None:
        self._settings, self._sources, self._cpus = settings, sources, cpus
        blocks = live.ROOM if any(source.file == LIVE for source in sources) else 0
        self.rooms = replace(rooms_for(settings, rate), blocks=blocks)
        self.inherits = True
        self._objects: list[BpfObject] = []
        self._family: BpfObject | None = None
        self._stack = ExitStack()
        self._current = 0
        self.notes: list[str] = []
        self._live: dict[int, live.LiveBlocks] = {}
        self._still_open = np.zeros(len(sources), np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def load(self) -> None:
        """Load the programs.

        Raises:
            LibbpfError: The kernel refuses.
        """
        for number, source in enumerate(self._sources):
            self._settings["event"] = number
            self._objects.append(
                self._load(source.file, source.programs, source.target, at_places=source.places > 0)
            )
            if source.file == LIVE:
                ones = source.unit == "events"
                self._live[number] = live.LiveBlocks(self._objects[-1], number, ones=ones)
        if self.inherits and self._settings["targets"][0] == layout.PROCESSES:
            self._family = self._load(_FAMILY, _FAMILY_PROGRAMS)
        first = self._objects[0]
        self._rows = [first.map(name, layout.KEY, layout.ROW) for name in ("rows_a", "rows_b")]
        self._active = first.map("active", "u4", "u4")
        self._stacks = first.map("stacks", "u8", layout.STACK)
        self._tallies = first.map("tallies", "u4", layout.TALLY)
        with_joins = next((each for each in self._objects if "joins" in each.maps), None)
        self._joins = with_joins.map("joins", "u8", layout.JOIN) if with_joins else None
        self._open = first.map("open", layout.OPEN_KEY, layout.OPEN)
        self.targets = first.map("targets", "u4", "u4")
        self.cgroups = first.map("cgroups", "u4", "u4")
        self.framed = first.map("framed", "u4", "u4")
        self._records = self._ring("records", self.rooms.records)
        self._copies = self._ring("copies", self.rooms.copies)

    def _ring(self, name: str, size: int) -> RingBuffer | None:
        if not size:
            return None
        ring = RingBuffer(self._objects[0].map(name, "u4", "u4").descriptor, size)
        self._stack.callback(ring.close)
        return ring

    @property
    def _rings(self) -> list[RingBuffer]:
        return [ring for ring in (self._records, self._copies) if ring]

    @property
    def descriptors(self) -> list[int]:
        """What is ready when a ring buffer is half full."""
        return [ring.descriptor for ring in self._rings]

    @property
    def is_crowded(self) -> bool:
        """Whether what was counted should be moved before its time."""
        return any(ring.waiting * _CROWDED > ring.size for ring in self._rings)

    def _load(
        self, name: str, programs: Sequence[str], target: str = "", *, at_places: bool = False
    ) -> BpfObject:
        """Load an object; all but the first use the first one's maps."""
        loaded = self._stack.enter_context(BpfObject((PROGRAMS / f"{name}.bpf.o").read_bytes(), programs))
        if target:
            try:
                loaded.set_target(programs[0], target)
            except LibbpfError:
                raise UsageError(f"there is no kernel function {target} to attach to", _SYMBOLS) from None
        if at_places and many_at_once():
            for program in programs:
                loaded.set_attach_type(program, TRACE_UPROBE_MULTI)
        if _SETTINGS in loaded.maps:
            loaded.set_section(_SETTINGS, self._settings.tobytes())
        rooms = self.rooms.of_maps()
        for each in loaded.maps:
            if self._objects and each in _SHARED:
                loaded.share(each, self._objects[0].map(each, "u4", "u4").descriptor)
            elif each in rooms:
                loaded.set_room(each, rooms[each])
        loaded.load()
        return loaded

    def attach(self, pids: Sequence[int]) -> None:
        """Let the programs run.

        Args:
            pids: Processes in whose programs functions are looked at; of all if there are none.

        Raises:
            LibbpfError: The kernel refuses to attach one.
            OSError: The kernel refuses an event.
        """
        if self._family:
            for name in _FAMILY_PROGRAMS:
                self._family.attach(name)
        for number, (source, loaded) in enumerate(zip(self._sources, self._objects, strict=True)):
            if not source.hooks:
                for program in source.programs:
                    loaded.attach(program)
            reach = Reach(number, self._cpus, pids)
            refused = sum(attach(loaded, source, hook, reach) for hook in source.hooks)
            if refused and refused == source.places:
                raise UsageError(f"{source.name}: no breakpoint can stand there", "name another function")
            if refused:
                self.notes.append(f"{refused:,} of the places of {source.name} can hold no breakpoint")

    def drain(self, dump: DumpWriter) -> int:
        """Move what was counted so far to the recording; return how many rows that was.

        Programs go on counting in the other map of rows: see `active` in programs/maps.h.
        """
        emptied = self._rows[self._current]
        self._current = 1 - self._current
        self._active.put(0, self._rows[self._current].descriptor)
        keys, rows = emptied.drain()
        records = self._records.read_all(layout.RECORD) if self._records else ()
        if self._joins:
            dump.joins(*self._joins.drain())
        # Stacks after rows: those of rows that are taken are there by now, or in the recording.
        for copies in self._copies.read(_COPIES_AT_ONCE) if self._copies else ():
            dump.copies(copies)
        dump.stacks(*self._stacks.drain())
        dump.rows(keys, rows)
        dump.records(records)
        return len(keys) + len(records)

    def detach(self) -> None:
        """Stop counting."""
        for loaded in (*self._objects, *([self._family] if self._family else [])):
            loaded.detach()

    def finish(self, dump: DumpWriter, ended_ns: int) -> None:
        """Move the rest to the recording; what has begun and not ended counts up to now.

        Args:
            dump: The recording.
            ended_ns: When programs stopped to count, on the clock of their times.
        """
        for _ in self._rows:
            self.drain(dump)
        _, begun = self._open.drain()
        timed = np.array([s.weight == layout.WEIGH_TIME and s.counts_open for s in self._sources])
        begun = begun[timed[begun["key"]["event"]]]
        rows = np.zeros(len(begun), layout.ROW)
        rows["count"], rows["first_ns"] = 1, begun["begun_ns"]
        rows["weight"] = np.maximum(ended_ns - begun["begun_ns"].astype(np.int64), 0)
        limits = self._settings["events"][0][begun["key"]["event"]]
        within = (rows["weight"] >= limits["least"]) & (rows["weight"] <= limits["most"])
        dump.rows(begun["key"][within], rows[within])
        self._still_open = np.bincount(begun["key"]["event"][within], minlength=len(self._sources))
        for number, blocks in self._live.items():
            keys, left = blocks.rows(self._settings["events"][0, number])
            dump.rows(keys, left)
            self._still_open[number] += int(left["count"].sum())

    def tallies(self) -> dict[str, Any]:
        """Return the accounting so far: what was seen, and what became of it."""
        events = []
        for number, source in enumerate(self._sources):
            per_cpu = self._tallies.of_each_cpu(number)
            counts = {name: int(per_cpu[name].sum()) for name in layout.TALLY.names or ()}
            # What is still open at the end was counted here, not by a program.
            for name in ("seen", "counted"):
                counts[name] += int(self._still_open[number])
            if number in self._live:
                counts |= self._live[number].turnover()
            events.append({"event": source.name, **counts})
        missed = sum(
            loaded.missed(program)
            for source, loaded in zip(self._sources, self._objects, strict=True)
            for program in source.programs
        )
        # Children that were not recorded because there was no room to remember them.
        untracked = self._family.map(".bss", "u4", "u8").of_each_cpu(0)[0] if self._family else 0
        copied = sum(each.copied for each in (*self._rows, self._stacks, self._open))
        copied += sum(ring.copied for ring in self._rings)
        return {"events": events, "missed": missed, "untracked": int(untracked), "copied": copied}

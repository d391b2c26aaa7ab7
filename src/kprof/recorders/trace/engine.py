"""The programs that trace: loaded, attached, and read."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Self

import numpy as np

from kprof.errors import UsageError
from kprof.recorders.bpf.engine import PROGRAMS
from kprof.recorders.bpf.hooks import Reach, attach
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.sources import Places, Source
from kprof.recorders.bpf.uprobes import many_at_once
from kprof.recorders.trace.events import TracedEvent
from kprof.recorders.trace.plan import PlannedEvent
from kprof.recorders.trace.ring import Ring
from kprof.wire import bpf_events as layout
from kprof.wire import trace_events as wire
from kprof.wire.bpf_syscall import TRACE_UPROBE_MULTI

_SETTINGS = ".rodata.settings"
_SHARED = ("ring", "traces", "traced", "targets", "cgroups", "trace_scratches", "begun", "depths")
_FAMILY, _FAMILY_PROGRAMS = "family", ("on_fork", "on_free")
# What programs that count have, and these do not need.
_OF_COUNTING = ("rows_a", "rows_b", "stacks", "open")
_LEAST_RING = 8 << 20
_INLINED = "inlined functions are none; kprof events FUNCTION tells what can be reached"


class TraceEngine:
    """Programs and maps.

    Args:
        settings: One `bpf_events.SETTINGS`.
        events: The events.
    """

    def __init__(self, settings: np.ndarray[Any, Any], events: Sequence[PlannedEvent]) -> None:
        self._settings, self._events = settings, events
        self._objects: list[BpfObject] = []
        self._family: BpfObject | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def load(self) -> None:
        """Load the programs.

        Raises:
            LibbpfError: The kernel refuses.
            UsageError: A kernel function is not there.
        """
        for number, planned in enumerate(self._events):
            self._settings["event"] = number
            names = [program.name for program in planned.event.programs]
            self._objects.append(self._load(planned.event.file, names, planned.event))
        if self._settings["targets"][0] == layout.PROCESSES:
            self._family = self._load(_FAMILY, _FAMILY_PROGRAMS)
        first = self._objects[0]
        self._tallies = first.map("traced", "u4", wire.TALLY)
        self.targets = first.map("targets", "u4", "u4")
        self.cgroups = first.map("cgroups", "u4", "u4")
        tables = first.map("traces", "u4", wire.TRACE)
        for number, planned in enumerate(self._events):
            tables.put(number, planned.table[0])
        descriptor = first.map("ring", "u4", "u4").descriptor
        self.ring = self._stack.enter_context(Ring(descriptor, _LEAST_RING))

    def _load(self, name: str, programs: Sequence[str], event: TracedEvent | None = None) -> BpfObject:
        """Load an object; all but the first use the first one's maps."""
        image = (PROGRAMS / f"{name}.bpf.o").read_bytes()
        loaded = self._stack.enter_context(BpfObject(image, programs))
        if event and event.target:
            try:
                loaded.set_target(programs[0], event.target)
            except LibbpfError:
                what = f"there is no kernel function {event.target} to attach to"
                raise UsageError(what, _INLINED) from None
        if event and _at_places(event) and many_at_once():
            for program in programs:
                loaded.set_attach_type(program, TRACE_UPROBE_MULTI)
        if _SETTINGS in loaded.maps:
            loaded.set_section(_SETTINGS, self._settings.tobytes())
        for each in loaded.maps:
            if each in _OF_COUNTING:
                loaded.set_room(each, 1)
            owner = next((other for other in self._objects if each in other.maps), None)
            if owner and each in _SHARED:
                loaded.share(each, owner.map(each, "u4", "u4").descriptor)
        loaded.load()
        return loaded

    def attach(self, pids: Sequence[int]) -> None:
        """Let the programs run, those that end something before those that begin it.

        Args:
            pids: Processes in whose programs functions are looked at; of all if there are none.

        Raises:
            LibbpfError: The kernel refuses to attach one.
            OSError: The kernel refuses an event.
        """
        if self._family:
            for name in _FAMILY_PROGRAMS:
                self._family.attach(name)
        for number, (planned, loaded) in enumerate(zip(self._events, self._objects, strict=True)):
            for program in reversed(planned.event.programs):
                if not program.hooks:
                    loaded.attach(program.name)
                source = Source(planned.event.name, "events", planned.event.file, (program.name,))
                for hook in program.hooks:
                    if attach(loaded, source, hook, Reach(number, (0,), pids)):
                        raise UsageError(
                            f"{source.name}: no breakpoint can stand there", "name another function"
                        )

    def read(self) -> Iterator[bytes]:
        """Give the records that came."""
        return self.ring.read()

    def detach(self) -> None:
        """Stop: when this returns, nothing more comes."""
        for loaded in self._objects:
            loaded.detach()

    def tallies(self, number: int) -> dict[str, int]:
        """Return what became of the occurrences of an event."""
        found = self._tallies.of_each_cpu(number)
        return {name: int(found[name].sum()) for name in found.dtype.names or ()}

    def missed(self, number: int) -> int:
        """Return how often the kernel did not run a program of an event, because it was running already."""
        programs = self._events[number].event.programs
        return sum(self._objects[number].missed(program.name) for program in programs)


def _at_places(event: TracedEvent) -> bool:
    return any(isinstance(hook, Places) for program in event.programs for hook in program.hooks)

"""The programs that trace: loaded, attached, and read."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from kprof.errors import KprofError, UsageError
from kprof.recorders.bpf.engine import PROGRAMS
from kprof.recorders.bpf.hooks import Reach, attach
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.sources import Places, Source
from kprof.recorders.bpf.targeting import fill_scope, scope_settings
from kprof.recorders.bpf.uprobes import many_at_once
from kprof.recorders.request import RecordRequest
from kprof.recorders.trace.decode import HEAD, Decoder, Row, piece_of
from kprof.recorders.trace.events import TracedEvent
from kprof.recorders.trace.plan import TracePlan
from kprof.recorders.trace.ring import Ring
from kprof.system.cpus import chosen_cpus
from kprof.wire import bpf_events as layout
from kprof.wire import trace_events as wire
from kprof.wire.bpf_syscall import TRACE_UPROBE_MULTI

_SETTINGS = ".rodata.settings"
_SHARED = ("ring", "traces", "traced", "targets", "cgroups", "trace_scratches", "begun", "depths")
_FAMILY, _FAMILY_PROGRAMS = "family", ("on_fork", "on_free")
# What programs that count have, and these do not need.
_OF_COUNTING = ("rows_a", "rows_b", "stacks", "open")
# As programs/trace.h has it.
_RING_BYTES = 8 << 20
_INLINED = "inlined functions are none; kprof events FUNCTION tells what can be reached"


_CAUSES = {
    "no_room": "the buffer was full",
    "nested": "programs interrupted each other too deeply",
    "unpaired": "too many had begun at once",
}
_MISSED = "the program was running already"


class LibbpfEngine:
    """Programs that are compiled already, and what they tell through a ring buffer.

    Args:
        scope: Whose events.
        planned: The events.
    """

    def __init__(self, scope: RecordRequest, planned: TracePlan) -> None:
        self._scope, self._events = scope, planned.events
        self._settings = scope_settings(scope, chosen_cpus(scope.cpus))
        self._objects: list[BpfObject] = []
        self._family: BpfObject | None = None
        self._pieces: dict[int, bytearray] = {}
        self._stack = ExitStack()

    def close(self) -> None:
        """Give all back."""
        self._stack.close()

    @property
    def descriptors(self) -> Sequence[int]:
        """The ring buffer."""
        return [self._ring.descriptor]

    def load(self, tasks: Sequence[int], folder: str) -> None:
        """Load the programs.

        Raises:
            LibbpfError: The kernel refuses.
            UsageError: A kernel function is not there.
        """
        del folder  # all is in memory
        for number, planned in enumerate(self._events):
            self._settings["event"] = number
            names = [program.name for program in planned.event.programs]
            self._objects.append(self._load(planned.event.file, names, planned.event))
        if self._settings["targets"][0] == layout.PROCESSES:
            self._family = self._load(_FAMILY, _FAMILY_PROGRAMS)
        first = self._objects[0]
        self._tallies = first.map("traced", "u4", wire.TALLY)
        fill_scope(self._scope, tasks, first.map("targets", "u4", "u4"), first.map("cgroups", "u4", "u4"))
        tables = first.map("traces", "u4", wire.TRACE)
        for number, planned in enumerate(self._events):
            tables.put(number, planned.table[0])
        self._ring = self._stack.enter_context(Ring(first.map("ring", "u4", "u4").descriptor, _RING_BYTES))
        since_epoch = time.time_ns() - time.monotonic_ns()
        self._decoders = [Decoder(each.event, each.shown, each.numbers, since_epoch) for each in self._events]

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

    def attach(self) -> None:
        """Let the programs run, those that end something before those that begin it.

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
                    if attach(loaded, source, hook, Reach(number, (0,), self._scope.pids)):
                        raise UsageError(
                            f"{source.name}: no breakpoint can stand there", "name another function"
                        )

    def rows(self) -> Iterator[Row]:
        """Give what came."""
        for record in self._ring.read():
            kind, event, number = HEAD.unpack_from(record)
            if kind == wire.RECORD_PIECE:
                self._pieces.setdefault(number, bytearray()).extend(piece_of(record))
            else:
                yield self._decoders[event].row(record, bytes(self._pieces.pop(number, b"")))

    def detach(self) -> None:
        """Stop: when this returns, nothing more comes."""
        for loaded in self._objects:
            loaded.detach()

    def account(self) -> tuple[int, dict[str, int]]:
        """Return how many events the filter left out, and how many were lost, by cause.

        Raises:
            KprofError: What was sent and what was lost is not what was seen.
        """
        left_out, lost = 0, dict.fromkeys([*_CAUSES.values(), _MISSED], 0)
        for number, planned in enumerate(self._events):
            found = self._tallies.of_each_cpu(number)
            tally = {name: int(found[name].sum()) for name in found.dtype.names or ()}
            if tally["seen"] != sum(tally[name] for name in ("sent", "left_out", "no_room", "nested")):
                raise KprofError(f"the accounting of {planned.event.name} does not add up: {tally}")
            left_out += tally["left_out"]
            for name, cause in _CAUSES.items():
                lost[cause] += tally[name]
            names = [program.name for program in planned.event.programs]
            lost[_MISSED] += sum(map(self._objects[number].missed, names))
        return left_out, {cause: count for cause, count in lost.items() if count}


def _at_places(event: TracedEvent) -> bool:
    return any(isinstance(hook, Places) for program in event.programs for hook in program.hooks)

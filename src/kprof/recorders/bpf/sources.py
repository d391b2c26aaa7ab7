"""What is counted, and what its programs are attached to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kprof.wire import bpf_events as layout


@dataclass(frozen=True, slots=True)
class PerfEvent:
    """An event of perf, on each CPU.

    Attributes:
        kind: Type of perf_event_attr.
        config: Config of perf_event_attr.
        period: Its period; 0 where the kernel adapts it to the frequency.
        frequency: Samples a second and CPU; 0 where every one is counted.
    """

    kind: int
    config: int
    period: int = 1
    frequency: int = 0


@dataclass(frozen=True, slots=True)
class Tracepoint:
    """A tracepoint of the kernel, on all CPUs at once.

    Attributes:
        number: Its id in tracefs.
    """

    number: int


@dataclass(frozen=True, slots=True)
class Place:
    """An instruction of a program or a library.

    Attributes:
        name: Of the function or the probe that it belongs to; empty for an offset alone.
        offset: Of the instruction, in bytes from the start of the file.
        semaphore: Where in the file the counter of a probe's tracers lies; 0 if it has none.
        weight: What an occurrence weighs: `ONE`, or arguments of the function.
        starts: Whether it is the first one of its function, which has not made its frame there.
    """

    name: str
    offset: int
    semaphore: int = 0
    weight: int = layout.ONE
    starts: bool = True


@dataclass(frozen=True, slots=True)
class Places:
    """Instructions of one file.

    Attributes:
        path: The file.
        places: The instructions.
        returns: Whether the returns of the functions that begin there count, and not their calls.
        program: What runs there; empty for the one program of the source.
    """

    path: str
    places: Sequence[Place]
    returns: bool = False
    program: str = ""


@dataclass(frozen=True, slots=True)
class RawTracepoint:
    """A tracepoint of the kernel, as it is before tracefs describes it.

    Attributes:
        name: Its name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Kprobe:
    """A function of the kernel, by a breakpoint.

    Attributes:
        symbol: Its name.
        offset: Bytes behind its start.
        returns: Whether its return counts, and not its call.
    """

    symbol: str
    offset: int = 0
    returns: bool = False


Hook = PerfEvent | Tracepoint | RawTracepoint | Places | Kprobe


@dataclass(frozen=True, slots=True)
class Source:
    """An event of a recording.

    Attributes:
        name: What the recording calls it.
        unit: Of its weights.
        file: The object, without its suffix.
        programs: Those of the object that are loaded.
        hooks: What the one program is attached to; none if programs tell that themselves.
        sides: Of the stack: `USER`, `KERNEL`, both.
        weight: What an interval weighs; None for what has no duration.
        target: The kernel function that its program is for; the loader must know it.
        copies: How the user's part of the stack is found: `FOLLOW`, `COPY_ALL`, `COPY_UNFRAMED`.
        details: What a row's detail means, as a frame above its stack.
        is_by_others: Whether stacks may be of processes that are not recorded.
        counts_open: Whether what has not ended when the recording does counts until then.
    """

    name: str
    unit: str
    file: str
    programs: Sequence[str]
    hooks: Sequence[Hook] = ()
    sides: int = layout.USER | layout.KERNEL
    weight: int | None = None
    target: str = ""
    details: Mapping[int, str] = field(default_factory=dict)
    is_by_others: bool = False
    counts_open: bool = True
    copies: int = layout.FOLLOW

    @property
    def places(self) -> int:
        """At how many places of programs its program is."""
        return sum(len(hook.places) for hook in self.hooks if isinstance(hook, Places))

    @property
    def period(self) -> int:
        """What an occurrence weighs that tells no weight: nanoseconds of a clock, or 1."""
        return next((hook.period for hook in self.hooks if isinstance(hook, PerfEvent)), 1)

    @property
    def frequency(self) -> int:
        """Samples a second and CPU; 0 where every occurrence is counted."""
        return max((hook.frequency for hook in self.hooks if isinstance(hook, PerfEvent)), default=0)

"""What is counted, and what its programs are attached to."""

from collections.abc import Sequence
from dataclasses import dataclass

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
class Function:
    """A function of a program or a library.

    Attributes:
        path: The file.
        symbol: The function's name; empty for an offset alone.
        offset: Bytes behind its start, or within the file.
        returns: Whether its return counts, and not its call.
        weight: What a call weighs: `ONE`, or arguments.
        optional: Whether the file may lack it.
    """

    path: str
    symbol: str
    offset: int = 0
    returns: bool = False
    weight: int = layout.ONE
    optional: bool = False


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


Hook = PerfEvent | Tracepoint | Function | Kprobe


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
    counts_open: bool = True

    @property
    def frequency(self) -> int:
        """Samples a second and CPU; 0 where every occurrence is counted."""
        return max((hook.frequency for hook in self.hooks if isinstance(hook, PerfEvent)), default=0)

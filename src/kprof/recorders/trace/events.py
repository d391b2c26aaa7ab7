"""An event that is traced: its programs, and what may be read of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kprof.recorders.bpf.sources import Hook
from kprof.recorders.trace.fields import BUILT_IN, DURATION, OF_TASK, Field


@dataclass(frozen=True, slots=True)
class Program:
    """A program of an object.

    Attributes:
        name: Of the program.
        hooks: What it is attached to; none if it tells that itself.
    """

    name: str
    hooks: Sequence[Hook] = ()


@dataclass(frozen=True, slots=True)
class TracedEvent:
    """An event.

    Attributes:
        name: As it is shown.
        file: The object, without its suffix.
        programs: Those of the object that are loaded.
        own: What it gives, by name.
        usual: Names of the fields that are shown if nothing else is asked for.
        target: The kernel function that its program is for; the loader must know it.
        arguments: For pairs: where the data of the entry has the arguments, in bytes.
        result: For pairs: where the data of the return has the result.
        has_duration: Whether it is an interval.
        in_task: Whether the task at hand, when it is seen, is the event's.
        has_words: Whether arguments of a program come in pieces before it.
        note: What a user must know of it; empty if nothing.
    """

    name: str
    file: str
    programs: Sequence[Program]
    own: Mapping[str, Field]
    usual: Sequence[str]
    target: str = ""
    arguments: Sequence[int] = ()
    result: int = 0
    has_duration: bool = False
    in_task: bool = True
    has_words: bool = False
    note: str = field(default="")

    @property
    def fields(self) -> dict[str, Field]:
        """All that may be asked for, by name; its own before what every event has."""
        found = {**BUILT_IN, **(OF_TASK if self.in_task else {})}
        if self.has_duration:
            found[DURATION.name] = DURATION
        return {**found, **self.own}

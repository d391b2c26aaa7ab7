"""V8's CPU profiles, alone (`.cpuprofile`) or in pieces within a trace.

Source: https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile. A sample is a node, and
`timeDeltas` are microseconds since the sample before; lines and columns count from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kprof.model import Frame, Kind
from kprof.readers.interning import Interner
from kprof.readers.json_input import ShapeError, array, member, text, whole
from kprof.readers.names import kind_of_name

_US = 1000
# Nodes of V8's own: what they say is said of the thread, not of code.
IDLE, ROOT = "(idle)", "(root)"


@dataclass(frozen=True, slots=True)
class Call:
    """What a node calls.

    Attributes:
        name: The function.
        source: Its file, and the line if there is one.
        script: A number that V8 gives to a script, and kprof to a frame.
        is_code: Whether it is JavaScript.
    """

    name: str
    source: str
    script: int
    is_code: bool


@dataclass(slots=True)
class V8Profile:
    """A profile that is put together piece by piece.

    Attributes:
        start: Microseconds on the clock of V8.
        tid: The thread, -1 if not known.
        calls: What each node calls, by its number.
        parents: The node above each.
        samples: The node of each sample.
        deltas: Microseconds before each sample.
    """

    start: int = 0
    tid: int = -1
    calls: dict[int, Call] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    samples: list[int] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)

    def add(self, profile: Any, deltas: Sequence[Any]) -> None:
        """Add nodes and samples.

        Raises:
            ShapeError: They are not as they should be.
        """
        for node in array(profile, "nodes") if isinstance(profile, dict) and "nodes" in profile else ():
            number = whole(member(node, "id"), 1, "a node")
            self.calls[number] = _call(member(node, "callFrame"))
            if "parent" in node:
                self.parents[number] = whole(node["parent"], 1, "a node")
            for child in array(node, "children") if "children" in node else ():
                self.parents[whole(child, 1, "a node")] = number
        found = array(profile, "samples") if isinstance(profile, dict) and "samples" in profile else []
        self.samples += [whole(node, 1, "a node") for node in found]
        for delta in deltas:
            if isinstance(delta, bool) or not isinstance(delta, int):
                raise ShapeError(f"a time is no number: {delta!r:.40}")
            self.deltas.append(delta)
        if len(self.deltas) != len(self.samples):
            raise ShapeError(f"there are {len(self.samples)} samples, but {len(self.deltas)} times")

    def times(self) -> Iterator[int]:
        """Give nanoseconds of each sample; pieces that came late may make them go back a little."""
        now = self.start
        for delta in self.deltas:
            now += delta
            yield whole(max(now, 0), _US, "a time")

    def stacks(self, frame_of: Callable[[Call], int], interner: Interner) -> Iterator[tuple[str, int]]:
        """Give what each sample called, and its stack.

        Args:
            frame_of: Gives the number of a call's frame.
            interner: Where stacks go.
        """
        known: dict[int, int] = {}
        for node in self.samples:
            stack = self._stack(node, known, frame_of, interner)
            yield self.calls[node].name, stack

    def _stack(
        self, node: int, known: dict[int, int], frame_of: Callable[[Call], int], interner: Interner
    ) -> int:
        path: list[int] = []
        at, seen = node, set[int]()
        while at not in known and at in self.calls and at not in seen:
            seen.add(at)
            path.append(at)
            at = self.parents.get(at, -1)
        if at in seen or (at >= 0 and at not in known):
            raise ShapeError(f"a node is not there: {at}")
        stack = known.get(at, -1)
        for step in reversed(path):
            call = self.calls[step]
            if call.name != ROOT or step in self.parents:
                stack = interner.grow(stack, frame_of(call))
            known[step] = stack
        return stack


def frame_of_call(call: Call) -> Frame:
    """Return the frame of a call of another program's profile."""
    kind = kind_of_name(call.name)
    return Frame(call.name, "", Kind.JS if call.is_code and kind == Kind.USER else kind, 0, call.source)


def _call(call: Any) -> Call:
    name, url = text(call, "functionName"), text(call, "url")
    line, script = (call.get(key) if isinstance(call, dict) else None for key in ("lineNumber", "scriptId"))
    has_line = isinstance(line, int) and not isinstance(line, bool) and line >= 0
    source = f"{url}:{line + 1}" if url and has_line and line is not None else url
    is_code = text(call, "codeType", "JS" if url else "") == "JS"
    return Call(name or "(anonymous)", source, script if type(script) is int else -1, is_code)

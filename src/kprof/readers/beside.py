"""What kprof wrote beside the data of other programs' formats, in a member `kprof`.

Source: `kprof.exporters.beside`.
"""

from __future__ import annotations

from typing import Any

from kprof.model import Event, Frame, Kind, Mappings
from kprof.model.labels import UNKNOWN
from kprof.readers.interning import Interner, Row
from kprof.readers.json_input import array, index, member, optional, text, whole
from kprof.readers.statements import quality_of

_LARGEST_ADDRESS = (1 << 64) - 1
_COLUMNS = ("cpu", "time_ns")


class Beside:
    """The member, checked as it is asked for.

    Args:
        found: The member.
        interner: Where frames and samples go.
        threads: How many threads the file has.

    Attributes:
        mappings: The files.
        events: The events.
        facts: What was known of the recording.
        quality: The counts.

    Raises:
        ShapeError: It does not fit the file.
    """

    def __init__(self, found: dict[str, Any], interner: Interner, threads: int) -> None:
        self._found, self._interner = found, interner
        self._threads = array(found, "profiles", threads)
        paths = [str(path) for path in array(member(found, "mappings"), "path")]
        ids = array(member(found, "mappings"), "build_id", len(paths))
        self.mappings = Mappings(paths, [str(build_id) for build_id in ids])
        self.events = tuple(
            Event(text(e, "name"), text(e, "unit", "samples")) for e in array(found, "events")
        )
        facts = found.get("facts")
        self.facts = {str(k): str(v) for k, v in facts.items()} if isinstance(facts, dict) else {}
        self.quality = quality_of(found.get("quality"))

    def frames(self, named: list[tuple[str, str]]) -> list[int]:
        """Return the numbers of the file's frames.

        Args:
            named: Name and source of each.
        """
        table, size = member(self._found, "frames"), len(named)
        kinds = [Kind(index(kind, len(Kind), "a kind")) for kind in array(table, "kind", size)]
        addresses = array(table, "address", size)
        mappings = optional(array(table, "mapping", size), len(self.mappings), "a mapping")
        unknown = {index(row, size, "a frame") for row in array(table, "unknown")}
        found = []
        for row, ((name, source), kind, address, mapping) in enumerate(
            zip(named, kinds, addresses, mappings, strict=True)
        ):
            place = index(address, _LARGEST_ADDRESS + 1, "an address")
            frame = Frame(UNKNOWN if row in unknown else name, "", kind, place, source)
            found.append(self._interner.frame(frame, mapping))
        return found

    def samples(self, number: int, stacks: list[int]) -> None:
        """Add the samples of a thread, with all that is known of them.

        Args:
            number: Which thread of the file.
            stacks: The stacks of its samples, in order.
        """
        thread, size = self._threads[number], len(stacks)
        event = index(member(thread, "event"), len(self.events), "an event")
        known: dict[str, Any] = {
            name: thread[name] for name in ("comm", "cgroup") if isinstance(thread.get(name), str)
        }
        for name in ("pid", "tid"):
            if thread.get(name, -1) != -1:
                known[name] = whole(thread[name], 1, f"a {name}")
        weights, counts = array(thread, "weight", size), array(thread, "count", size)
        more = {name: array(thread, name, size) for name in _COLUMNS if name in thread}
        for row, stack in enumerate(stacks):
            extra: dict[str, Any] = {
                name: whole(column[row], 1, name) for name, column in more.items() if column[row] != -1
            }
            weight, count = whole(weights[row]), whole(counts[row], 1, "a count")
            self._interner.sample(Row(stack, event, weight, count, **known, **extra))

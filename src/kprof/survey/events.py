"""An event that may be recorded, and how one is looked for."""

import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

ENGINES = ("perf", "libbpf", "bpftrace", "bcc")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an engine reaches an event.

    Attributes:
        reason: Why not; empty if it does.
    """

    reason: str = ""

    @property
    def reached(self) -> bool:
        """Whether it does."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Event:
    """An event.

    Attributes:
        name: As `kprof record -e` takes it.
        kind: What sort it is of.
        what: What it is, in one line.
        reach: A verdict for each of `ENGINES`.
        aliases: Other words by which it is found.
    """

    name: str
    kind: str
    what: str
    reach: Mapping[str, Verdict]
    aliases: Sequence[str] = field(default=())


class Pattern:
    """What is looked for: words with `*`, `?` or `[...]` fit a whole name or a part, others any piece.

    A part of a name is what stands between colons. Case does not matter.

    Args:
        text: The pattern; all events fit an empty one.
    """

    def __init__(self, text: str) -> None:
        self._has_wildcards = bool(re.search(r"[*?\[]", text))
        self._text = text.lower()
        self._compiled = re.compile(fnmatch.translate(self._text))

    def fits(self, *names: str) -> bool:
        """Say whether one of some names fits."""
        if not self._has_wildcards:
            return any(self._text in name.lower() for name in names)
        matches: Callable[[str], object] = self._compiled.match
        return any(
            matches(lowered) or any(map(matches, lowered.split(":")))
            for lowered in (name.lower() for name in names)
        )

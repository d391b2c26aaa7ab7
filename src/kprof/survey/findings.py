"""What was found out about a host."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How good a finding is for recording."""

    GOOD = "good"
    LIMITED = "limited"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact of a host.

    Attributes:
        topic: What it belongs to: `kernel`, `settings`, `tools` or `binaries`.
        name: What was looked at.
        value: What was found.
        state: How good that is.
        meaning: What follows from it; empty where nothing does.
        mend: The command that makes it better; empty where there is none, or nothing to mend.
    """

    topic: str
    name: str
    value: str
    state: State = State.GOOD
    meaning: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """What may record, and whether it does so here and now.

    Attributes:
        backend: `perf` or `bpf`.
        name: `perf`, `libbpf`, `bpftrace` or `bcc`.
        purpose: What it is for.
        needs: What it needs.
        works: Whether it was seen to work; None if it was not tried.
        proof: What was tried, and what came of it.
        mend: The command that makes it work; empty if it works, or none is known.
        in_use: Whether `kprof record` drives it.
    """

    backend: str
    name: str
    purpose: str
    needs: str
    works: bool | None
    proof: str
    mend: str = ""
    in_use: bool = True

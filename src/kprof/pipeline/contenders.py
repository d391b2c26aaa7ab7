"""What can record the same thing at the same time: backends, and engines of the bpf backend."""

from dataclasses import dataclass, replace

from kprof.errors import UsageError
from kprof.recorders import RecordRequest, choose_backend

_ENGINES = ("libbpf", "bpftrace", "bcc")


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those that record.

    Attributes:
        name: What it is called; a second one of a kind has a number.
        backend: `perf` or `bpf`.
        engine: What loads the programs of `bpf`; empty for the default.
    """

    name: str
    backend: str
    engine: str = ""

    def request(self, request: RecordRequest) -> RecordRequest:
        """Return what of a request this one can record: off-cpu, for example, is not for perf.

        Raises:
            UsageError: Nothing of it.
        """
        asked = [event for item in request.events for event in item.split(",") if event]
        kept = [e for e in asked if self.backend == "bpf" or choose_backend("auto", [e]) == "perf"]
        if asked and not kept:
            raise UsageError(
                f"{self.name} cannot record {', '.join(asked)}, so there is nothing to compare",
                "add an event that all can, such as -e on-cpu",
            )
        return replace(request, events=kept, engine=self.engine or request.engine)


def parse_contenders(text: str) -> list[Contender]:
    """Read `perf,libbpf`; `bpf` is its default engine, and one may be named twice.

    Raises:
        UsageError: One is not known, or there are fewer than two.
    """
    found: list[Contender] = []
    kinds: list[str] = []
    for kind in filter(None, (part.strip() for part in text.split(","))):
        if kind not in {"perf", "bpf", *_ENGINES}:
            known = ", ".join(("perf", "bpf", *_ENGINES))
            raise UsageError(f"--engines {kind} is not known", f"choose from {known}")
        kinds.append(kind)
        name = kind if kinds.count(kind) == 1 else f"{kind} {kinds.count(kind)}"
        found.append(Contender(name, "perf" if kind == "perf" else "bpf", kind if kind in _ENGINES else ""))
    if len(found) < 2:  # noqa: PLR2004 - a pair
        raise UsageError(f"--engines {text}: there are not two to compare", "such as --engines perf,libbpf")
    return found

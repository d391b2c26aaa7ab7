"""Which events bpftrace and BCC reach: the kernel allows all engines the same; each has limits of its own."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from kprof.errors import KprofError
from kprof.recorders.bpf.attempt import attempt
from kprof.survey.events import Verdict

YES = Verdict()
OTHERS = ("bpftrace", "bcc")
# Each is loaded and attached once; all kernels have them.
_TRIED, _FENTRY, _KPROBE, _UPROBE = "cpu-clock", "fentry:vfs_read", "kprobe:vfs_read", "malloc"
_OWN_REASONS = {"no libbpf", "no BTF"}
_LONGEST = 60
# What is said, in lower case, and the word for it.
_WORDS = (
    ("not installed", "not installed"),
    ("needs root", "needs root"),
    ("not permitted", "needs root"),
    ("loading bpf programs needs", "needs root"),
    ("headers", "no kernel headers"),
)


class OtherEngines:
    """Verdicts of the engines beside libbpf.

    Args:
        try_bpf: Loads and attaches the programs of an event with an engine; raises KprofError if that fails.
    """

    def __init__(self, try_bpf: Callable[[str, str], object] = attempt) -> None:
        self._attempt = try_bpf
        self._trials: dict[str, Future[Verdict]] = {}
        self.tried = cache(self._tried)

    def verdicts(
        self, name: str, kind: str, libbpf: Verdict, *, counts_tracers: bool = False
    ) -> Mapping[str, Verdict]:
        """Return a verdict for each.

        Args:
            name: The event, as `-e` takes it.
            kind: What sort it is of.
            libbpf: The verdict of the libbpf engine, whose reasons are the kernel's but for its own.
            counts_tracers: Whether a probe of a program wants its tracers counted.
        """
        found = {}
        for engine in OTHERS:
            verdict = self._at_all(engine)
            if verdict.reached:
                verdict = self._as_kernel(engine, name, libbpf)
            if verdict.reached:
                verdict = Verdict(_limit(engine, name, kind, counts_tracers=counts_tracers))
            found[engine] = verdict
        return found

    def _as_kernel(self, engine: str, name: str, libbpf: Verdict) -> Verdict:
        if name.startswith("fentry:"):
            return self.tried(_FENTRY, engine) if libbpf.reached and engine == "bpftrace" else libbpf
        if libbpf.reason not in _OWN_REASONS:
            return libbpf
        for prefix, example in (("kprobe:", _KPROBE), ("uprobe:", _UPROBE), ("usdt:", _UPROBE)):
            if name.startswith(prefix):
                return self.tried(example, engine)
        return YES

    def _at_all(self, engine: str) -> Verdict:
        """Return whether an engine loads anything; both are tried at once, for each takes a second."""
        if not self._trials:
            pool = ThreadPoolExecutor(len(OTHERS))
            self._trials = {each: pool.submit(self.tried, _TRIED, each) for each in OTHERS}
            pool.shutdown(wait=False)
        return self._trials[engine].result()

    def _tried(self, event: str, engine: str) -> Verdict:
        try:
            self._attempt(event, engine)
        except KprofError as error:
            return Verdict(_word(str(error)))
        return YES


def _limit(engine: str, name: str, kind: str, *, counts_tracers: bool) -> str:
    """Return what keeps an engine from an event, whatever the kernel allows; empty if nothing does."""
    if engine == "bpftrace":
        if kind == "raw tracepoint":
            return "tracepoints only"
        return "not at a rate" if kind == "hardware event" and name != "cycles" else ""
    if name.startswith("fentry:"):
        return "kprobe only"
    return "does not count its tracers" if counts_tracers else ""


def _word(text: str) -> str:
    lowered = text.lower()
    for said, word in _WORDS:
        if said in lowered:
            return word
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

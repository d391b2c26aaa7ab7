"""What may record here, each shown to work, or not, by letting it."""

from collections.abc import Callable, Iterator

from kprof.errors import KprofError
from kprof.survey.findings import Engine
from kprof.system.permissions import Permissions
from kprof.system.tools import SYSTEM_PYTHON

# What each kind of hook is tried on: every kernel that has the kind at all has these.
HOOKS = {
    "samples": "cpu-clock",
    "tracepoints": "sched:sched_switch",
    "raw tracepoints": "raw_tp:sched_switch",
    "kprobe": "kprobe:vfs_read",
    "fentry": "fentry:vfs_read",
    "uprobe": "malloc",
}
_ABORTS = "assertion failed"
# What the other engines are tried on.
_SAMPLES = "cpu-clock"
_LONGEST = 160

Attempt = Callable[[str], object]
AttemptWith = Callable[..., object]


def engines(allowed: Permissions, *, try_perf: Attempt, try_bpf: AttemptWith) -> Iterator[Engine]:
    """Give all engines.

    Args:
        allowed: What is allowed here.
        try_perf: Records an event with perf; raises KprofError if that fails.
        try_bpf: Loads and attaches the programs of an event, with an engine if one is named; raises
            KprofError if that fails.
    """
    yield _perf(allowed, try_perf)
    yield _libbpf(try_bpf)
    yield _bpftrace(try_bpf)
    yield _bcc(try_bpf)


def _perf(allowed: Permissions, attempt: Attempt) -> Engine:
    purpose = "samples and tracepoints anywhere; stacks without frame pointers (-g dwarf)"
    needs = "the perf tool"
    try:
        try:
            attempt("")
        except KprofError as error:
            # perf 6.1 aborts on newer kernels if BPF programs come and go at the moment it starts.
            if _ABORTS not in str(error):
                raise
            attempt("")
    except KprofError as error:
        return Engine(
            "perf", "perf", purpose, needs, works=False, proof=_short(str(error)), mend=error.help_text
        )
    if not allowed.may_see_kernel:
        scope = "user code of own processes only"
    elif not allowed.may_see_all:
        scope = "own processes only"
    else:
        scope = "the whole host too"
    return Engine("perf", "perf", purpose, needs, works=True, proof=f"recorded a command; {scope}")


def _libbpf(attempt: AttemptWith) -> Engine:
    purpose = "counting within the kernel; time off CPU, locks, malloc, functions of kernel and programs"
    needs = "libbpf, BTF, Linux 5.18, CAP_BPF and CAP_PERFMON"
    works: list[str] = []
    fails: dict[str, KprofError] = {}
    for kind, event in HOOKS.items():
        try:
            attempt(event)
            works.append(kind)
        except KprofError as error:
            fails[kind] = error
    if not works:
        refusal = fails["samples"]
        return Engine(
            "bpf", "libbpf", purpose, needs, works=False, proof=_short(str(refusal)), mend=refusal.help_text
        )
    proof = f"loaded and attached: {', '.join(works)}"
    proof += f"; refused: {', '.join(fails)}" if fails else ""
    mend = "; ".join(f"{kind}: {error.help_text}" for kind, error in fails.items() if error.help_text)
    return Engine("bpf", "libbpf", purpose, needs, works=True, proof=proof, mend=mend)


def _bpftrace(attempt: AttemptWith) -> Engine:
    purpose = "the same events where libbpf is not; programs that can be read (--show-program)"
    return _other("bpftrace", purpose, "the bpftrace tool, root", "compiled, loaded and attached", attempt)


def _bcc(attempt: AttemptWith) -> Engine:
    purpose = "the same events on kernels without BTF; compiles C here"
    needs = f"BCC for {SYSTEM_PYTHON}, headers of a kernel, root"
    return _other("bcc", purpose, needs, "compiled, loaded and attached", attempt)


def _other(name: str, purpose: str, needs: str, success: str, attempt: AttemptWith) -> Engine:
    try:
        attempt(_SAMPLES, name)
    except KprofError as error:
        return Engine(
            "bpf", name, purpose, needs, works=False, proof=_short(str(error)), mend=error.help_text
        )
    return Engine("bpf", name, purpose, needs, works=True, proof=f"{success}: samples")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

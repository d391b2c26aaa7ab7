"""What may record here, each shown to work, or not, by letting it."""

from collections.abc import Callable, Iterator

from kprof.errors import KprofError
from kprof.survey.findings import Engine
from kprof.survey.tools import bcc_version, installing
from kprof.system.kernel_config import has_headers
from kprof.system.permissions import Permissions
from kprof.system.process import Result, find_program, run
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
_BCC = """
from bcc import BPF
BPF(text="int f(void *ctx) { return 0; }").load_func("f", BPF.TRACEPOINT)
print("loaded")
"""
_BPFTRACE = 'BEGIN { printf("loaded\\n"); exit(); }'
_SECONDS, _BCC_SECONDS = 60.0, 240.0
_LONGEST = 160

Attempt = Callable[[str], object]


def engines(allowed: Permissions, *, try_perf: Attempt, try_bpf: Attempt) -> Iterator[Engine]:
    """Give all engines.

    Args:
        allowed: What is allowed here.
        try_perf: Records an event with perf; raises KprofError if that fails.
        try_bpf: Loads and attaches the programs of an event; raises KprofError if that fails.
    """
    yield _perf(allowed, try_perf)
    yield _libbpf(try_bpf)
    yield _bpftrace()
    yield _bcc()


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


def _libbpf(attempt: Attempt) -> Engine:
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


def _bpftrace() -> Engine:
    purpose, needs = "programs of your own; kprof record does not drive it yet", "the bpftrace tool, root"
    path = find_program("bpftrace")
    if not path:
        works, proof, mend = False, "not installed", installing("bpftrace")
    else:
        works, proof, mend = _proved([path, "-e", _BPFTRACE], _SECONDS, "ran a one-liner", "run as root")
    return Engine("bpf", "bpftrace", purpose, needs, works=works, proof=proof, mend=mend, in_use=False)


def _bcc() -> Engine:
    purpose = "its ready-made tools; kprof record does not drive it yet"
    needs = f"BCC for {SYSTEM_PYTHON}, kernel headers, root"
    if not bcc_version():
        works, proof, mend = False, "not installed", installing("bcc")
    else:
        mend = "run as root" if has_headers() else installing("headers")
        command = [SYSTEM_PYTHON, "-c", _BCC]
        works, proof, mend = _proved(command, _BCC_SECONDS, "compiled and loaded a program", mend)
    return Engine("bpf", "bcc", purpose, needs, works=works, proof=proof, mend=mend, in_use=False)


def _proved(command: list[str], seconds: float, success: str, mend: str) -> tuple[bool, str, str]:
    """Run a command that prints `loaded`; return whether it did, in words, and what mends it."""
    try:
        done = run(command, timeout=seconds)
    except KprofError as error:
        return False, _short(str(error)), mend
    if done.code == 0 and "loaded" in done.out:
        return True, success, ""
    return False, _short(_reason(done)), mend


def _reason(done: Result) -> str:
    """Return the line that says most: the last of a traceback, else the first."""
    lines = [line.strip() for line in (done.err or done.out).splitlines() if line.strip()]
    if not lines:
        return f"it ended with {done.code} and said nothing"
    return next((line for line in lines if "error" in line.lower() or "headers" in line.lower()), lines[-1])


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

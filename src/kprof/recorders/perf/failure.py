"""What perf's complaints mean, in one line, and what to do."""

import re

from kprof.errors import KprofError, NotAvailableError, OutputError, TargetError, UsageError
from kprof.system.permissions import Permissions, explain

_NO_MEMORY_LOCK = ("mlock", "permission error mapping pages", "failed to mmap")


def is_memory_lock(message: str) -> bool:
    """Say whether perf's ring buffer was refused: a smaller one may do."""
    return any(text in message.lower() for text in _NO_MEMORY_LOCK)


def translate(message: str, permissions: Permissions, *, cpu_wide: bool) -> KprofError:
    """Return the error for what perf wrote to its standard error before it failed."""
    lowered = message.lower()
    if match := re.search(r"event syntax error: '(.*)'", message):
        detail = re.search(r"\\___ (.*)", message)
        reason = f" ({detail[1].strip()})" if detail else ""
        return UsageError(
            f"perf does not know the event {match[1]}{reason}", "`perf list` shows those it knows"
        )
    if "access to performance monitoring" in lowered or "permission denied" in lowered:
        return NotAvailableError(*explain(permissions, "all" if cpu_wide else "other"))
    if "no such process" in lowered:
        return TargetError(
            "the target ended before it could be recorded", "start it again, or record with -- COMMAND"
        )
    if "branch stack" in lowered:
        return NotAvailableError("this CPU does not offer branch records (LBR)", "use -g fp or -g dwarf")
    if "not supported" in lowered or "no such device" in lowered:
        return NotAvailableError(
            f"perf: {_first(message)}", "this host does not have the event; try -e cpu-clock"
        )
    if "no space left" in lowered:
        return OutputError("the disk is full", "set TMPDIR to a place with room: raw data is written there")
    if is_memory_lock(message):
        return NotAvailableError(
            "perf may not lock memory for its buffer",
            "sudo sysctl kernel.perf_event_mlock_kb=2048, or --root",
        )
    if "a password is required" in lowered or "sudo:" in lowered:
        return NotAvailableError(f"sudo refuses: {_first(message)}", "run `sudo -v` first")
    if "cgroup" in lowered:
        return UsageError(
            f"perf: {_first(message)}", "give the path below the root of the hierarchy, as in `system.slice`"
        )
    return NotAvailableError(
        f"perf failed: {_first(message)}", "run it yourself with `perf record` to see more"
    )


def _first(message: str) -> str:
    lines = [line.strip() for line in message.splitlines()]
    told = [
        line
        for line in lines
        if line and line not in {"Error:", "Warning:"} and not line.startswith("[ perf")
    ]
    return told[0] if told else "it does not say why"

"""What perf's complaints mean, in one line, and what to do."""

import re
from collections.abc import Callable

from kprof.errors import KprofError, NotAvailableError, OutputError, TargetError, UsageError
from kprof.system.permissions import Permissions, explain

_NO_MEMORY_LOCK = ("mlock", "permission error mapping pages", "failed to mmap")
_LOST_WRITE = "failed to write perf data"
_NOT_ADVICE = re.compile(r"^(Error:|Warning:|\[ perf.*|Events (en|dis)abled|Usage:.*)$")


def is_memory_lock(message: str) -> bool:
    """Say whether perf's ring buffer was refused: a smaller one may do."""
    return any(text in message.lower() for text in _NO_MEMORY_LOCK)


def is_unknown_option(message: str, option: str) -> bool:
    """Say whether this perf is too old for an option."""
    return f"unknown option `{option}'" in message


def is_incomplete(message: str) -> bool:
    """Say whether perf could not write all that it recorded, whatever its exit code."""
    return _LOST_WRITE in message


def warnings(message: str) -> list[str]:
    """Return what perf warned of although it recorded: a rate that the kernel does not allow."""
    found = re.search(r"throttling from (\d+) Hz to (\d+) Hz", message)
    if not found:
        return []
    return [f"the kernel allows {found[2]} Hz, not {found[1]} (kernel.perf_event_max_sample_rate)"]


def late(seconds: float) -> KprofError:
    """Return the error for a perf that runs, but does not begin to sample."""
    return NotAvailableError(
        f"perf has not begun to sample within {seconds:.0f} s",
        "is this host overloaded? A target of many threads, or many events on many CPUs, take long, too",
    )


def translate(message: str, permissions: Permissions, *, cpu_wide: bool) -> KprofError:
    """Return the error for what perf wrote to its standard error before it failed."""
    lowered = message.lower()
    if match := re.search(r"event syntax error: '(.*)'", message):
        return _bad_event(match[1], message, permissions)
    if "access to performance monitoring" in lowered or "permission denied" in lowered:
        return NotAvailableError(*explain(permissions, "all" if cpu_wide else "other"))
    for marks, build in _MEANINGS:
        if any(mark in lowered for mark in marks):
            return build(_first(message))
    return NotAvailableError(
        f"perf failed: {_first(message)}", "run it yourself with `perf record` to see more"
    )


def _bad_event(event: str, message: str, permissions: Permissions) -> KprofError:
    if "No permissions to read" in message or "can't access trace events" in message:
        return NotAvailableError(*explain(permissions, "tracefs"))
    detail = re.search(r"\\___ (.*)", message)
    reason = f" ({detail[1].strip()})" if detail else ""
    return UsageError(f"perf does not know the event {event}{reason}", "`perf list` shows those it knows")


# Looked up in this order, in lower case; the function is given perf's first line.
_MEANINGS: tuple[tuple[tuple[str, ...], Callable[[str], KprofError]], ...] = (
    (
        ("no such process",),
        lambda _: TargetError(
            "the target ended before it could be recorded", "start it again, or record with -- COMMAND"
        ),
    ),
    (
        ("perf not found for kernel",),
        lambda _: NotAvailableError(
            "the perf on PATH is only a stub: the one for this kernel is missing",
            "install it: apt-get install linux-tools-$(uname -r)",
        ),
    ),
    (
        ("branch stack",),
        lambda _: NotAvailableError("this CPU does not offer branch records (LBR)", "use -g fp or -g dwarf"),
    ),
    (
        ("streaming masks", "invalid cpu"),
        lambda _: UsageError("perf does not accept these CPUs", "give CPUs that are online, as in -C 0,2-3"),
    ),
    (
        ("not supported", "no such device"),
        lambda first: NotAvailableError(
            f"perf: {first}", "this host does not have the event; try -e cpu-clock"
        ),
    ),
    (
        ("no space left", _LOST_WRITE),
        lambda _: OutputError(
            "the disk is full", "set TMPDIR to a place with room: raw data is written there"
        ),
    ),
    (
        _NO_MEMORY_LOCK,
        lambda _: NotAvailableError(
            "perf may not lock memory for its buffer",
            "sudo sysctl kernel.perf_event_mlock_kb=2048, or run with --root",
        ),
    ),
    (
        ("a password is required", "sudo:"),
        lambda first: NotAvailableError(
            f"sudo refuses: {first.removeprefix('sudo: ')}", "run `sudo -v` first"
        ),
    ),
    (
        ("cgroup",),
        lambda first: UsageError(
            f"perf: {first}", "give the path below the root of the hierarchy, as in `system.slice`"
        ),
    ),
)


def _first(message: str) -> str:
    lines = [line.strip() for line in message.splitlines()]
    told = [line for line in lines if line and not _NOT_ADVICE.match(line)]
    return told[0] if told else "it does not say why"

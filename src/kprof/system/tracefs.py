"""The kernel's tracepoints, as tracefs shows them."""

import os
from contextlib import suppress
from pathlib import Path

from kprof.errors import NotAvailableError, UsageError
from kprof.system.process import run

_PLACES = ("sys/kernel/tracing", "sys/kernel/debug/tracing")


def tracepoint_number(name: str, root: str = "/") -> int:
    """Return the id of a tracepoint such as `sched:sched_switch`.

    Raises:
        UsageError: There is no such tracepoint.
        NotAvailableError: tracefs is not mounted, or may not be read.
    """
    group, _, event = name.partition(":")
    folder = event_folder(root)
    try:
        return int((folder / group / event / "id").read_text(encoding="ascii"))
    except PermissionError:
        raise NotAvailableError(
            f"{folder} may not be read, which tells the number of a tracepoint",
            "run as root, or grant cap_dac_read_search",
        ) from None
    except (OSError, ValueError):
        raise UsageError(f"there is no tracepoint {name}", f"`ls {folder}` shows groups of them") from None


def has_tracepoint(name: str, root: str = "/") -> bool:
    """Say whether the kernel has a tracepoint; no if it cannot be told.

    tracefs may be closed to us. The types of the kernel are not, which have one for each.
    """
    try:
        return tracepoint_number(name, root) >= 0
    except UsageError:
        return False
    except NotAvailableError:
        kind = f"\0btf_trace_{name.partition(':')[2]}\0".encode()
        with suppress(OSError):
            return kind in Path(root, "sys/kernel/btf/vmlinux").read_bytes()
    return False


def tracepoints(root: str = "/") -> list[str]:
    """Return the names of all tracepoints that can be switched on, such as `sched:sched_switch`.

    Raises:
        NotAvailableError: tracefs is not mounted, or may not be read.
    """
    folder = event_folder(root).parent
    try:
        return (folder / "available_events").read_text(encoding="utf-8").split()
    except OSError:
        raise NotAvailableError(
            f"{folder} may not be read, which lists the tracepoints",
            "run as root, or grant cap_dac_read_search",
        ) from None


def tracepoint_format(name: str, root: str = "/") -> bytes:
    """Return how the kernel describes the fields of a tracepoint; empty if it does not."""
    group, _, event = name.partition(":")
    with suppress(OSError, NotAvailableError):
        return (event_folder(root) / group / event / "format").read_bytes()
    return b""


def traceable_functions(root: str = "/") -> frozenset[str] | None:
    """Return the kernel functions that can be traced at their start; None if the kernel does not tell."""
    with suppress(OSError, NotAvailableError):
        text = (event_folder(root).parent / "available_filter_functions").read_text(encoding="utf-8")
        return frozenset(line.partition(" ")[0] for line in text.splitlines())
    return None


def event_folder(root: str = "/") -> Path:
    """Return the folder of all events, mounted if need be.

    Raises:
        NotAvailableError: tracefs is not mounted, or may not be read.
    """
    for place in _PLACES:
        with suppress(PermissionError):
            if (Path(root, place) / "events").is_dir():
                return Path(root, place) / "events"
    first = Path(root, _PLACES[0])
    if os.geteuid() == 0 and first.is_dir():
        run(["mount", "-t", "tracefs", "nodev", str(first)])
    try:
        if (first / "events").is_dir():
            return first / "events"
    except PermissionError:
        raise NotAvailableError(
            f"{first} may not be read, which lists the kernel's tracepoints",
            "run as root, or grant cap_dac_read_search",
        ) from None
    raise NotAvailableError(
        "tracefs is not mounted, which lists the kernel's tracepoints", f"sudo mount -t tracefs nodev {first}"
    )

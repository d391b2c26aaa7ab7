"""Control groups that can be sampled."""

from contextlib import suppress
from pathlib import Path

from kprof.errors import NotAvailableError, TargetError


def below_root(name: str, proc: str = "/proc") -> str:
    """Return a control group as perf takes it: below the root of its hierarchy, no leading slash.

    Args:
        name: `system.slice`, `/system.slice`, or the directory `/sys/fs/cgroup/system.slice`.
        proc: Where /proc is.

    Raises:
        TargetError: There is no such group.
        NotAvailableError: No hierarchy that perf knows is mounted.
    """
    root = _root(proc)
    path = Path(name)
    inside = path if path.is_relative_to(root) else root / name.lstrip("/")
    if not inside.is_dir():
        raise TargetError(f"there is no cgroup {name} below {root}", "`systemd-cgls` or `find` shows them")
    return str(inside.relative_to(root))


def _root(proc: str) -> Path:
    """Return where perf looks: the perf_event hierarchy of version 1, else that of version 2."""
    second = None
    with suppress(OSError):
        for line in Path(proc, "mounts").read_text(encoding="utf-8", errors="replace").splitlines():
            _, where, kind, options, *_ = line.split()
            if kind == "cgroup" and "perf_event" in options.split(","):
                return Path(where)
            if kind == "cgroup2" and second is None:
                second = Path(where)
    if second is None:
        raise NotAvailableError("no cgroup hierarchy is mounted that perf knows", "mount cgroup2, or use -p")
    return second


def unified_directory(name: str, proc: str = "/proc") -> str:
    """Return the directory of a control group of version 2, the only one that BPF programs can tell.

    Args:
        name: `system.slice`, `/system.slice`, or the directory `/sys/fs/cgroup/system.slice`.
        proc: Where /proc is.

    Raises:
        TargetError: There is no such group.
        NotAvailableError: No hierarchy of version 2 is mounted.
    """
    with suppress(OSError):
        for line in Path(proc, "mounts").read_text(encoding="utf-8", errors="replace").splitlines():
            _, where, kind, *_ = line.split()
            if kind == "cgroup2":
                path = Path(name) if Path(name).is_relative_to(where) else Path(where, name.lstrip("/"))
                if path.is_dir():
                    return str(path)
                raise TargetError(f"there is no cgroup {name} below {where}", "`systemd-cgls` shows them")
    raise NotAvailableError("no cgroup hierarchy of version 2 is mounted", "mount cgroup2, or use -p")


def cpu_seconds_of(name: str, proc: str = "/proc") -> float:
    """Return how long a control group of version 2 has run on CPUs, in seconds; 0 if it is not told."""
    with suppress(OSError, NotAvailableError, TargetError, ValueError):
        text = Path(unified_directory(name, proc), "cpu.stat").read_text(encoding="ascii")
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6
    return 0.0

"""Processes as /proc shows them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Fields of /proc/PID/stat behind the name, counted from the state; see proc_pid_stat(5).
_STATE, _USER, _SYSTEM, _START = 0, 11, 12, 19
_ENDED = {"Z", "X", "x"}
# PROC_PID_INIT_INO of linux/proc_ns.h.
_FIRST_PID_NAMESPACE = 0xEFFFFFFC


def start_of(task: int, proc: str = "/proc") -> int | None:
    """Return when a process or thread began, in clock ticks since boot; None if it has ended.

    A number alone does not name a task: it is used again. A zombie has ended.
    """
    with suppress(OSError, IndexError, ValueError):
        text = Path(proc, str(task), "stat").read_text(encoding="utf-8", errors="replace")
        # The name stands in parentheses and may hold any character, `)` included.
        fields = text.rpartition(")")[2].split()
        if fields[_STATE] not in _ENDED:
            return int(fields[_START])
    return None


def all_processes(proc: str = "/proc") -> Iterator[int]:
    """Give the ids of the processes that there are now."""
    return (int(name) for name in os.listdir(proc) if name.isdigit())  # noqa: PTH208 - only names


def is_alive(task: int, proc: str = "/proc") -> bool:
    """Say whether a process or thread exists and has not ended; a zombie has."""
    return start_of(task, proc) is not None


def name_of(task: int, proc: str = "/proc") -> str:
    """Return the name of a process or thread, empty if it is gone."""
    with suppress(OSError):
        return Path(proc, str(task), "comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    return ""


def process_of(task: int, proc: str = "/proc") -> int:
    """Return the process that a thread belongs to, 0 if it is gone."""
    with suppress(OSError):
        status = Path(proc, str(task), "status").read_text(encoding="utf-8", errors="replace")
        for line in status.splitlines():
            if line.startswith("Tgid:"):
                return int(line.split()[1])
    return 0


def last_descendant(task: int, proc: str = "/proc") -> int:
    """Return the program behind wrappers such as sudo; the task itself if it has no child."""
    while True:
        try:
            children = (
                Path(proc, str(task), "task", str(task), "children").read_text(encoding="ascii").split()
            )
        except OSError:
            return task
        if not children:
            return task
        task = int(children[-1])


def own_pid_is_global(proc: str = "/proc") -> bool:
    """Say whether we are in the first pid namespace, whose ids are those of the kernel itself."""
    with suppress(OSError):
        return Path(proc, "self/ns/pid").stat().st_ino == _FIRST_PID_NAMESPACE
    return True


def cpu_seconds(task: int, proc: str = "/proc", *, thread: bool = False) -> float:
    """Return how long a process has run on CPUs, in seconds; 0 if it is gone.

    Args:
        task: The process, with all its threads and the children that it waited for; or a thread.
        proc: Where /proc is.
        thread: Whether the thread alone is meant.
    """
    path = Path(proc, str(task), "task", str(task), "stat") if thread else Path(proc, str(task), "stat")
    with suppress(OSError, IndexError, ValueError):
        text = path.read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        ticks = sum(int(field) for field in fields[_USER : _SYSTEM + (1 if thread else 3)])
        return ticks / os.sysconf("SC_CLK_TCK")
    return 0.0

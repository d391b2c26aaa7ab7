"""Processes as /proc shows them."""

from contextlib import suppress
from pathlib import Path


def is_alive(task: int, proc: str = "/proc") -> bool:
    """Say whether a process or thread exists and has not ended; a zombie has."""
    with suppress(OSError):
        status = Path(proc, str(task), "stat").read_text(encoding="utf-8", errors="replace")
        return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
    return False


def name_of(task: int, proc: str = "/proc") -> str:
    """Return the name of a process or thread, empty if it is gone."""
    with suppress(OSError):
        return Path(proc, str(task), "comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    return ""


def process_of(task: int, proc: str = "/proc") -> int:
    """Return the process that a thread belongs to, 0 if it is gone."""
    with suppress(OSError):
        for line in (
            Path(proc, str(task), "status").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            if line.startswith("Tgid:"):
                return int(line.split()[1])
    return 0

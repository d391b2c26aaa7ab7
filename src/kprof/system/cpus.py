"""The CPUs of this machine."""

from contextlib import suppress
from pathlib import Path

from kprof.errors import UsageError


def online_cpus(sys: str = "/sys") -> tuple[int, ...]:
    """Return the numbers of the CPUs that are online; (0,) if the kernel does not tell."""
    with suppress(OSError, ValueError):
        return _numbers(Path(sys, "devices/system/cpu/online").read_text(encoding="ascii"))
    return (0,)


def chosen_cpus(text: str, sys: str = "/sys") -> tuple[int, ...]:
    """Return the CPUs of a list such as `0,2-3`; all that are online if it is empty.

    Raises:
        UsageError: It is no such list, or names a CPU that is not online.
    """
    online = online_cpus(sys)
    if not text:
        return online
    try:
        chosen = _numbers(text)
    except ValueError:
        raise UsageError(
            f"-C {text}: not a list of CPUs", "give numbers and ranges, as in -C 0,2-3"
        ) from None
    if missing := sorted(set(chosen) - set(online)):
        raise UsageError(f"CPU {missing[0]} is not online", f"online are {_spelled(online)}")
    return chosen


def _numbers(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.partition("-")
        found.update(range(int(first), int(last if dash else first) + 1))
    return tuple(sorted(found))


def _spelled(cpus: tuple[int, ...]) -> str:
    return (
        f"{cpus[0]}-{cpus[-1]}" if cpus == tuple(range(cpus[0], cpus[-1] + 1)) else ",".join(map(str, cpus))
    )

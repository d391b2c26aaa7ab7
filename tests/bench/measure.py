"""Run commands and say what they cost: CPU seconds, wall seconds and peak memory of the child alone."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Cost:
    cpu: float
    wall: float
    rss_mb: float


def run(command: list[str], folder: Path, pipe_from: Path | None = None) -> Cost:
    """Run `command` in `folder`, its output thrown away; `pipe_from` reaches its stdin through `cat FILE |`.

    wait4 gives the usage of that one child, so neither cat nor earlier runs are in the figures.
    """
    source = subprocess.Popen(["cat", str(pipe_from)], stdout=subprocess.PIPE) if pipe_from else None
    log = folder / "stderr"
    # Where it is set, Python compiles all of its modules at every start, as no user's does.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as errors:
        start = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=source.stdout if source else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        if source and source.stdout:
            source.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if source:
        source.wait()
    if child.returncode:
        tail = log.read_text(errors="replace")[-500:]
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}: {tail}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def medians(costs: list[Cost]) -> Cost:
    return Cost(median(c.cpu for c in costs), median(c.wall for c in costs), median(c.rss_mb for c in costs))

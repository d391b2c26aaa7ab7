"""Run commands and say what they cost: CPU seconds, wall seconds and peak memory of the child alone."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Cost:
    cpu: float
    wall: float
    rss_mb: float


def run(
    command: list[str],
    folder: Path,
    pipe_from: Path | None = None,
    *,
    limit: float = 0,
    output: Path | None = None,
) -> Cost:
    """Run `command` in `folder`, its output thrown away or in a file; `pipe_from` reaches its stdin through `cat FILE |`.

    One that takes longer than `limit` seconds, if there is a limit, is ended, and TimeoutError raised.

    wait4 gives the usage of that one child, so neither cat nor earlier runs are in the figures.
    """
    source = subprocess.Popen(["cat", str(pipe_from)], stdout=subprocess.PIPE) if pipe_from else None
    log = folder / "stderr"
    # Where it is set, Python compiles all of its modules at every start, as no user's does.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as errors, (output or Path(os.devnull)).open("wb") as out:
        start = time.perf_counter()
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=source.stdout if source else subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
        )
        alarm = threading.Timer(limit, child.kill) if limit else None
        if alarm:
            alarm.start()
        if source and source.stdout:
            source.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        if alarm:
            alarm.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    if source:
        source.wait()
    if limit and wall >= limit:
        raise TimeoutError(f"did not finish in {limit:.0f} s")
    if child.returncode:
        tail = log.read_text(errors="replace")[-500:]
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}: {tail}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def medians(costs: list[Cost]) -> Cost:
    return Cost(median(c.cpu for c in costs), median(c.wall for c in costs), median(c.rss_mb for c in costs))

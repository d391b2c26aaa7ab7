"""The events that perf itself lists, besides tracepoints."""

import re

from kprof.errors import KprofError
from kprof.system.process import run
from kprof.system.tools import find_perf

_LINE = re.compile(r"^ {2}(\S.*?)\s+\[([\w ]+)\]$", re.MULTILINE)
_SECONDS = 60.0


def perf_events() -> list[tuple[str, str]]:
    """Return names and kinds, as in `("cpu-clock", "software event")`; none if perf does not run.

    A name that is spelled in several ways has a line for each.
    """
    try:
        done = run([find_perf(), "list", "--no-desc", "hw", "sw", "cache", "pmu"], timeout=_SECONDS)
    except KprofError:
        return []
    found: dict[str, str] = {}
    for names, kind in _LINE.findall(done.out):
        for name in names.split(" OR "):
            found.setdefault(name.strip(), kind.removeprefix("Kernel ").lower())
    return list(found.items())

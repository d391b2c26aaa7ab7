"""Where the tools are that kprof drives."""

from pathlib import Path

from kprof.errors import NotAvailableError
from kprof.system.packages import install_command
from kprof.system.process import find_program


def find_perf(root: str = "/") -> str:
    """Return the path of perf.

    Raises:
        NotAvailableError: It is not installed; the help names the package.
    """
    if found := find_program("perf"):
        return found
    patterns = ("usr/bin/perf_*", "usr/lib/linux-tools/*/perf", "usr/lib/linux-tools-*/perf")
    versions = sorted(path for pattern in patterns for path in Path(root).glob(pattern))
    if versions:
        return str(versions[-1])
    command = install_command("perf", root) or "the package is called perf, linux-perf or linux-tools"
    raise NotAvailableError("perf is not installed", f"install it: {command}")

"""Where the tools are that kprof drives."""

from dataclasses import dataclass
from pathlib import Path

from kprof.errors import NotAvailableError
from kprof.system.packages import install_command
from kprof.system.process import find_program, run

# The one of the distribution: its package of BCC is for that, not for a virtual environment's.
SYSTEM_PYTHON = "/usr/bin/python3"
# Under emulation, LLVM alone takes half a minute to load.
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that is installed.

    Attributes:
        path: The program that is run.
        version: As it tells it, without a leading v.
    """

    path: str
    version: str


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


def find_bpftrace(root: str = "/") -> Tool:
    """Return bpftrace.

    Raises:
        NotAvailableError: It is not installed, or does not run; the help names the package.
    """
    path = find_program("bpftrace")
    if not path:
        raise _missing("bpftrace", root)
    done = run([path, "--version"], timeout=_SECONDS)
    version = done.out.strip().removeprefix("bpftrace ").removeprefix("v")
    if done.code or not version:
        raise NotAvailableError(
            f"{path} does not run: {_first_line(done.err or done.out)}", "install it again"
        )
    return Tool(path, version)


def find_bcc(root: str = "/") -> Tool:
    """Return the system's Python, and the version of the BCC that it has.

    Raises:
        NotAvailableError: It has none; the help names the package.
    """
    try:
        done = run([SYSTEM_PYTHON, "-c", "import bcc; print(bcc.__version__)"], timeout=_SECONDS)
    except NotAvailableError:
        raise _missing("bcc", root) from None
    if done.code:
        raise _missing("bcc", root)
    return Tool(SYSTEM_PYTHON, done.out.strip())


def _missing(tool: str, root: str) -> NotAvailableError:
    name = f"BCC for {SYSTEM_PYTHON}" if tool == "bcc" else tool
    advice = install_command(tool, root) or "the package manager of this distribution has it"
    return NotAvailableError(f"{name} is not installed", f"install it: {advice}")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]

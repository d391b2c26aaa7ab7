"""The tools that record, and what they are built with."""

import platform
from collections.abc import Iterator

from kprof.errors import KprofError
from kprof.recorders.bpf import libbpf
from kprof.survey.findings import Finding, State
from kprof.system.headers import other_headers
from kprof.system.kernel_config import has_headers
from kprof.system.packages import install_command
from kprof.system.process import find_program, run
from kprof.system.tools import SYSTEM_PYTHON, find_bcc, find_perf

_UNKNOWN_PACKAGE = "the package manager of this distribution has it"
_SECONDS = 20.0


def tool_findings(root: str = "/") -> Iterator[Finding]:
    """Give what is installed."""
    yield _perf()
    yield _libbpf(root)
    yield _program("bpftrace", "no bpftrace engine", root)
    yield _bcc(root)
    yield _headers(root)
    yield _program("clang", "BPF programs cannot be compiled anew; kprof ships its own", root)


def installing(tool: str, root: str = "/") -> str:
    """Return the command that installs a tool, or the nearest to it."""
    return install_command(tool, root) or _UNKNOWN_PACKAGE


def _perf() -> Finding:
    try:
        path = find_perf()
        done = run([path, "--version"], timeout=_SECONDS)
    except KprofError as error:
        return Finding("tools", "perf", str(error), State.MISSING, "no perf backend", error.help_text)
    version = done.out.strip().removeprefix("perf version ")
    if done.code or not version:
        said = (done.err or done.out).strip().partition("\n")[0]
        return Finding(
            "tools", "perf", f"{path}: {said}", State.MISSING, "no perf backend", installing("perf")
        )
    return Finding("tools", "perf", f"{version} ({path})")


def _libbpf(root: str) -> Finding:
    try:
        return Finding("tools", "libbpf", libbpf.version())
    except KprofError:
        return Finding(
            "tools", "libbpf", "not installed", State.MISSING, "no bpf backend", installing("libbpf", root)
        )  # fmt: skip


def _program(name: str, lost: str, root: str) -> Finding:
    path = find_program(name)
    if not path:
        return Finding("tools", name, "not installed", State.LIMITED, lost, installing(name, root))
    try:
        said = run([path, "--version"], timeout=_SECONDS).out.strip().partition("\n")[0]
    except KprofError as error:
        return Finding("tools", name, str(error), State.LIMITED, lost)
    return Finding("tools", name, f"{said.removeprefix(f'{name} ')} ({path})")


def _bcc(root: str) -> Finding:
    version = bcc_version()
    if version:
        return Finding("tools", "bcc", f"{version} (for {SYSTEM_PYTHON})")
    return Finding("tools", "bcc", "not installed", State.LIMITED, "no bcc engine", installing("bcc", root))


def bcc_version() -> str:
    """Return the version of BCC for the system's Python; empty if it is not installed."""
    try:
        return find_bcc().version
    except KprofError:
        return ""


def _headers(root: str) -> Finding:
    name = "kernel headers"
    if has_headers(root):
        return Finding("tools", name, f"for {platform.release()}")
    mend = f"{installing('headers', root)}, or: sudo modprobe kheaders"
    if other := other_headers(root):
        value = f"none for {platform.release()}; those of {other} do for kprof's own programs"
        return Finding("tools", name, value, State.GOOD, "other programs of BCC need the kernel's own")
    return Finding(
        "tools", name, f"none for {platform.release()}", State.LIMITED, "BCC compiles against them", mend
    )

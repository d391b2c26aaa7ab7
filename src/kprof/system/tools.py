"""Where the tools are that kprof drives."""

import platform
from pathlib import Path

from kprof.errors import NotAvailableError
from kprof.system.process import find_program

_PACKAGES = {
    "debian": "apt-get install linux-perf",
    "ubuntu": f"apt-get install linux-tools-{platform.release()}",
    "fedora": "dnf install perf",
    "rhel": "dnf install perf",
    "centos": "dnf install perf",
    "arch": "pacman -S perf",
    "suse": "zypper install perf",
    "alpine": "apk add perf",
}


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
    raise NotAvailableError("perf is not installed", f"install it: {_install_command(root)}")


def _install_command(root: str) -> str:
    try:
        text = Path(root, "etc/os-release").read_text(encoding="utf-8")
    except OSError:
        text = ""
    facts = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    for name in (facts.get("ID", ""), *facts.get("ID_LIKE", "").strip('"').split()):
        if command := _PACKAGES.get(name.strip('"')):
            return command
    return "the package is called perf, linux-perf or linux-tools"

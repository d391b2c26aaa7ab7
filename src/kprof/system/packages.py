"""How the tools that kprof drives are installed on this distribution."""

import platform
from pathlib import Path

_RELEASE = platform.release()
_APT = {
    "perf": "linux-perf",
    "libbpf": "libbpf1",
    "bpftrace": "bpftrace",
    "bcc": "python3-bpfcc",
    "headers": f"linux-headers-{_RELEASE}",
    "clang": "clang",
    "libc-debug": "libc6-dbg",
}
_DNF = {
    "perf": "perf",
    "libbpf": "libbpf",
    "bpftrace": "bpftrace",
    "bcc": "python3-bcc",
    "headers": f"kernel-devel-{_RELEASE}",
    "clang": "clang",
}
_PACMAN = {
    "perf": "perf",
    "libbpf": "libbpf",
    "bpftrace": "bpftrace",
    "bcc": "python-bcc",
    "headers": "linux-headers",
    "clang": "clang",
}
_ZYPPER = {
    "perf": "perf",
    "libbpf": "libbpf1",
    "bpftrace": "bpftrace",
    "bcc": "python3-bcc",
    "headers": "kernel-default-devel",
    "clang": "clang",
}
_APK = {
    "perf": "perf",
    "libbpf": "libbpf",
    "bpftrace": "bpftrace",
    "bcc": "py3-bcc",
    "headers": "linux-lts-dev",
    "clang": "clang",
}
_DISTRIBUTIONS = {
    "debian": ("apt-get install", _APT),
    "ubuntu": ("apt-get install", {**_APT, "perf": f"linux-tools-{_RELEASE}"}),
    "fedora": ("dnf install", _DNF),
    "rhel": ("dnf install", _DNF),
    "centos": ("dnf install", _DNF),
    "arch": ("pacman -S", _PACMAN),
    "suse": ("zypper install", _ZYPPER),
    "alpine": ("apk add", _APK),
}


def install_command(tool: str, root: str = "/") -> str:
    """Return the command that installs a tool here; empty if it is not known.

    Args:
        tool: `perf`, `libbpf`, `bpftrace`, `bcc`, `headers` (of the kernel that runs), `clang`, or
            `libc-debug`.
        root: Where the file system is.
    """
    try:
        text = Path(root, "etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return ""
    facts = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    for name in (facts.get("ID", ""), *facts.get("ID_LIKE", "").strip('"').split()):
        command, packages = _DISTRIBUTIONS.get(name.strip('"'), ("", {}))
        if tool in packages:
            return f"{command} {packages[tool]}"
    return ""

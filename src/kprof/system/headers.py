"""What C is compiled against that BCC compiles for the kernel."""

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kprof.errors import NotAvailableError
from kprof.system.kernel_config import has_headers
from kprof.system.packages import install_command

_FOLDERS = ("include", "arch/{}/include")
_ARCHITECTURES = {
    "x86_64": "x86",
    "aarch64": "arm64",
    "riscv64": "riscv",
    "s390x": "s390",
    "ppc64le": "powerpc",
}


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers of a kernel.

    Attributes:
        release: The kernel that they are of.
        variables: What tells BCC where they are; none if it finds them by itself.
    """

    release: str
    variables: dict[str, str]


def find_headers(folder: str, root: str = "/") -> Headers:
    """Return the headers of the running kernel, or of another one that is installed.

    A program that looks into no structure of the kernel is the same with either; it is the only kind that
    may be compiled against those of another kernel.

    Args:
        folder: A private directory of ours, where those of another kernel are put together.
        root: Where the file system is.

    Raises:
        NotAvailableError: There are none.
    """
    release = platform.release()
    if has_headers(root):
        return Headers(release, {})
    for other, parts in _others(Path(root, "lib/modules")):
        whole = Path(folder, "headers")
        _join(whole, parts)
        return Headers(other, {"BCC_KERNEL_SOURCE": str(whole)})
    advice = install_command("headers", root) or "the package manager of this distribution has them"
    raise NotAvailableError(
        f"BCC compiles against headers of the kernel, and there are none for {release}",
        f"install them: {advice} (of another kernel will do), or: sudo modprobe kheaders",
    )


def other_headers(root: str = "/") -> str:
    """Return the release of the newest other kernel that has headers; empty if there is none."""
    return next((release for release, _ in _others(Path(root, "lib/modules"))), "")


def _others(modules: Path) -> Iterator[tuple[str, list[Path]]]:
    """Give kernels that have headers, the newest first, and where these are."""
    found = sorted(modules.glob("*/build"), key=lambda path: _version(path.parent.name), reverse=True)
    for build in found:
        parts = [part for part in (build.parent / "source", build) if (part / "include").is_dir()]
        if any((part / "include/linux/kconfig.h").is_file() for part in parts) and any(
            (part / "include/generated").is_dir() for part in parts
        ):
            yield build.parent.name, parts


def _version(release: str) -> list[int]:
    return [int(word) for word in re.findall(r"\d+", release)]


def _join(whole: Path, parts: list[Path]) -> None:
    """Put directories that lie apart, as Debian has them, into one, which is what BCC_KERNEL_SOURCE names."""
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    for pattern in _FOLDERS:
        name = pattern.format(architecture)
        (whole / name).mkdir(parents=True, exist_ok=True)
        for part in parts:
            for entry in (part / name).iterdir() if (part / name).is_dir() else ():
                link = whole / name / entry.name
                if not link.is_symlink():
                    link.symlink_to(entry.resolve())

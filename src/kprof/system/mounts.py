"""What is mounted where."""

from contextlib import suppress
from pathlib import Path


def mount_point(kind: str, root: str = "/") -> str:
    """Return where a file system of a kind is mounted; empty if it is not, or that is not told.

    Args:
        kind: Such as `tracefs`.
        root: Where the file system is.
    """
    with suppress(OSError):
        for line in Path(root, "proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) > 2 and words[2] == kind:  # noqa: PLR2004 - source, place, kind
                return words[1]
    return ""

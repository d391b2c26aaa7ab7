"""How the running kernel was built."""

import gzip
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_OPTION = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)


def kernel_config(root: str = "/", release: str = "") -> tuple[str, Mapping[str, str]]:
    """Return where the configuration stands, and the options that are set; nothing if it is not told.

    Args:
        root: Where the file system is.
        release: The kernel's release; that of the running one if empty.
    """
    release = release or platform.release()
    places = (
        "proc/config.gz",
        f"boot/config-{release}",
        f"lib/modules/{release}/config",
        f"lib/modules/{release}/build/.config",
    )
    for place in places:
        path = Path(root, place)
        with suppress(OSError, EOFError):
            data = path.read_bytes()
            text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
            if options := dict(_OPTION.findall(text)):
                return str(path), options
    return "", {}


def has_headers(root: str = "/", release: str = "") -> bool:
    """Say whether C can be compiled against this kernel, as BCC does."""
    release = release or platform.release()
    if Path(root, "sys/kernel/kheaders.tar.xz").exists():
        return True
    return any(Path(root, "lib/modules", release, name, "include").is_dir() for name in ("build", "source"))

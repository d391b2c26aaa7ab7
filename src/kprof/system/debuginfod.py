"""Debug files from the servers that DEBUGINFOD_URLS names. Nothing is asked unless the user wants it."""

import os
import tempfile
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import IO

MOST_BYTES = 4 << 30
_PIECE = 1 << 20
_SECONDS = 30.0


def fetch(
    build_id: str, folder: Path, *, urls: str | None = None, most_bytes: int = MOST_BYTES
) -> Path | None:
    """Fetch the debug file of a binary, and keep it as debuginfod's own client does.

    Args:
        build_id: Build-id in hex.
        folder: Where fetched files are kept.
        urls: Servers, with spaces between; from the environment if None.
        most_bytes: What is larger is not kept.

    Returns:
        The file; None if no server has it or can be reached.
    """
    servers = (os.environ.get("DEBUGINFOD_URLS", "") if urls is None else urls).split()
    if not build_id or not build_id.isalnum():
        return None
    target = folder / build_id / "debuginfo"
    if target.is_file() and target.stat().st_size:
        return target
    for server in servers:
        if not server.startswith(("http://", "https://")):
            continue
        url = f"{server.rstrip('/')}/buildid/{build_id}/debuginfo"
        with suppress(OSError, ValueError, urllib.error.URLError):
            request = urllib.request.Request(url, headers={"User-Agent": "kprof"})  # noqa: S310 - see above
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - see above
                if _keep(answer, target, most_bytes):
                    return target
    return None


def _keep(answer: IO[bytes], target: Path, most_bytes: int) -> bool:
    """Write an answer to a file that is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=target.parent)
    size = 0
    try:
        with os.fdopen(descriptor, "wb") as file:
            while piece := answer.read(_PIECE):
                size += len(piece)
                if size > most_bytes:
                    return False
                file.write(piece)
        Path(temporary).replace(target)
    finally:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
    return size > 0

"""A folder with all that naming a recording's frames takes, for another machine.

The layout is that of perf's store of binaries: `.build-id/xx/rest/elf` and `debug` beside it; `kallsyms` and
perf maps lie at the top. `FileFinder(archive=...)` reads it.
"""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from kprof.elf import ElfFile
from kprof.elf.search import FileFinder
from kprof.elf.vdso import NAME as VDSO
from kprof.errors import OutputError
from kprof.model.labels import unknown_frames
from kprof.model.profile import Profile
from kprof.model.tables import Kind
from kprof.symbols.kernel import running_build_id
from kprof.symbols.options import KALLSYMS

_PERF_MAP = re.compile(r"/tmp/perf-\d+\.map")  # noqa: S108 - the place is fixed by perf


def archive(profile: Profile, finder: FileFinder, target: Path) -> int:
    """Copy what the frames of a profile need for their names.

    Args:
        profile: As a reader of addresses leaves it.
        finder: Finds the files here.
        target: Folder to copy to; made if it is not there.

    Returns:
        How many files were copied.

    Raises:
        OutputError: The folder cannot be written.
    """
    frames, mappings = profile.frames, profile.mappings
    rows = [row for row in unknown_frames(frames) if frames.mapping[row] >= 0]
    used = np.unique(frames.mapping[rows]).tolist()
    kinds = {int(frames.mapping[row]): Kind(int(frames.kind[row])) for row in rows}
    count = 0
    try:
        target.mkdir(parents=True, exist_ok=True)
        for mapping in used:
            path = mappings.path[mapping]
            build_id = mappings.build_id[mapping] if mappings.build_id else ""
            pid = mappings.pid[mapping] if mappings.pid else -1
            if kinds[mapping] in (Kind.KERNEL, Kind.MODULE):
                count += _archive_kernel(path, build_id, target)
            elif kinds[mapping] == Kind.JIT:
                count += _archive_map(path, pid, finder, target)
            else:
                count += _archive_elf(finder.find(path, build_id, pid), finder, target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from None
    return count


def _archive_elf(elf: ElfFile | None, finder: FileFinder, target: Path) -> int:
    if elf is None or not elf.build_id:
        return 0
    folder = target / ".build-id" / elf.build_id[:2] / elf.build_id[2:]
    count = _write(folder / ("vdso" if elf.path == VDSO else "elf"), elf.data)
    debug = finder.find_debug(elf)
    if debug is None or debug.data.obj is elf.data.obj:
        return count
    count += _write(folder / "debug", debug.data)
    alt = finder.find_alt(debug)
    if alt is not None and alt.build_id:
        count += _write(target / ".build-id" / alt.build_id[:2] / alt.build_id[2:] / "debug", alt.data)
    return count


def _archive_kernel(path: str, build_id: str, target: Path) -> int:
    """Copy /proc/kallsyms, if it is of the kernel that was recorded."""
    own = not path.startswith("[kernel") or not build_id or build_id == running_build_id()
    with suppress(OSError):
        if own:
            return _write(target / "kallsyms", Path(KALLSYMS).read_bytes())
    return 0


def _archive_map(path: str, pid: int, finder: FileFinder, target: Path) -> int:
    if not _PERF_MAP.fullmatch(path):
        return 0
    for place in finder.map_places(path, pid):
        with suppress(OSError, ValueError):
            return _write(target / Path(path).name, Path(place).read_bytes())
    return 0


def _write(path: Path, data: bytes | memoryview) -> int:
    """Write a file that is not there yet, whole or not at all."""
    if path.exists():
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(data)
        except OSError:
            Path(file.name).unlink()
            raise
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    return 1

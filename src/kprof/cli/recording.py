"""What `kprof record` does once it knows what is wanted: record, keep the raw data, write the output."""

import os
import shutil
import signal
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from kprof.cli import options as o
from kprof.cli.console import is_watched, progress_line, reading, status, summary, warn
from kprof.errors import EmptyProfileError, KprofError, OutputError, UsageError
from kprof.exporters.suffixes import ALL_SUFFIXES, without_suffix
from kprof.recorders import AbortedError, Recording, RecordRequest, find_recorder

# What each backend leaves: its suffix, and its name where the output has none.
_RAW = {"perf": (".data", "perf.data"), "bpf": (".kprof", "recording.kprof")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a recording is to leave; checked before anything is recorded.

    Attributes:
        backend: `perf` or `bpf`.
        output: Name of the output.
        keep_raw: Leave the raw recording beside the output.
        archive: Leave what names its frames, too.
        force: Overwrite what is there.
        kept: Where the raw recording goes; empty if it is not kept.

    Raises:
        UsageError: The suffix is not known, or the file exists.
        OutputError: The directory is missing or may not be written to.
    """

    backend: str
    output: str
    keep_raw: bool = False
    archive: bool = False
    force: bool = False
    kept: str = field(init=False)

    def __post_init__(self) -> None:
        suffix, (raw, name) = PurePath(self.output).suffix, _RAW[self.backend]
        if suffix != raw and suffix in dict(_RAW.values()) and suffix not in ALL_SUFFIXES:
            other = next(backend for backend, (found, _) in _RAW.items() if found == suffix)
            raise UsageError(f"{suffix} is what --backend {other} leaves", f"end it in {raw}")
        if self.output != "-" and not self.output.endswith(known := (*ALL_SUFFIXES, raw)):
            raise UsageError(
                f"cannot tell a format from {self.output}", f"end it in one of {', '.join(known)}"
            )
        kept = self.output if suffix == raw else ""
        if self.keep_raw and not kept:
            kept = name if self.output == "-" else without_suffix(self.output) + raw
        object.__setattr__(self, "kept", kept)
        for file in {self.output, kept} - {"-", ""}:
            self._check(file)

    def _check(self, name: str) -> None:
        path = Path(name)
        if path.exists() and path.is_file() and not self.force:
            raise UsageError(f"{name} exists", "overwrite it with --force, or name another with -o")
        if not path.parent.is_dir():
            raise OutputError(f"cannot write {name}: {path.parent} is not a directory", "make it first")
        if not os.access(path.parent, os.W_OK):
            raise OutputError(
                f"cannot write {name}: {path.parent} may not be written to", "choose another place"
            )


def run(request: RecordRequest, wanted: Wanted) -> int:
    """Record, leave what is wanted, and return the exit code."""
    folder = tempfile.mkdtemp(prefix="kprof-")
    keep_folder = False
    try:
        code = _record_into(folder, request, wanted)
        if wanted.archive:
            _archive(wanted.kept)
    except KprofError as error:
        keep_folder = folder in str(error)
        raise
    finally:
        if not keep_folder:
            shutil.rmtree(folder, ignore_errors=True)
    return code


def _record_into(folder: str, request: RecordRequest, wanted: Wanted) -> int:
    if wanted.backend == "bpf":
        o.start_numpy()
    record = find_recorder(wanted.backend)
    status(f"recording {request.title}{'' if request.duration else '; Ctrl-C ends it'}")
    with progress_line() as update:

        def show(elapsed: float, size: int) -> None:
            left = f", {max(request.duration - elapsed, 0):.0f} s left" if request.duration else ""
            update(f"recording {request.title}: {elapsed:.1f} s{left}, {size / 1e6:.2f} MB")

        recording = record(request, folder, note=status, progress=show if is_watched() else None)
    if wanted.kept:
        _move(recording.path, wanted.kept)
        status(f"wrote {wanted.kept}")
    if wanted.output != wanted.kept:
        _write(wanted.kept or recording.path, recording, request, wanted.output)
    return recording.command_status or 0


def _write(path: str, recording: Recording, request: RecordRequest, output: str) -> None:
    """Write the output, and say where the raw data is if that fails."""
    # From here on SIGTERM aborts as Ctrl-C does: what was recorded must not be left unnamed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _convert(path, recording, request, output)
    except EmptyProfileError:
        from kprof import pipeline  # noqa: PLC0415 - needs numpy

        raise pipeline.nothing_seen(recording, request) from None
    except KprofError as error:
        raise type(error)(f"{error}; the raw data is in {path}", error.help_text) from None
    except KeyboardInterrupt:
        raise AbortedError(f"aborted; the raw data is in {path}") from None


def _convert(path: str, recording: Recording, request: RecordRequest, output: str) -> None:
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy
    from kprof.readers import ReadOptions  # noqa: PLC0415

    choice = pipeline.fitting(pipeline.Choice(ReadOptions(ids=False)), output)
    if not choice.every_event:
        choice = replace(choice, event=recording.event)
    with reading([]) as progress:
        profile = pipeline.read(
            [path], choice, facts=recording.facts, elevate=request.elevate, progress=progress
        )
    summary(profile, pipeline.write(profile, output, title=request.title))


def _archive(path: str) -> None:
    o.start_numpy()
    from kprof import pipeline  # noqa: PLC0415 - needs numpy

    status(f"wrote {pipeline.archive(path)}")


def _move(source: str, target: str) -> None:
    from kprof.system.files import whole_file  # noqa: PLC0415

    try:
        with Path(source).open("rb") as data, whole_file(target) as file:
            shutil.copyfileobj(data, file, 1 << 20)
    except KprofError as error:
        warn(f"the recording is still in {source}")
        raise type(error)(f"{error}; the recording is in {source}", error.help_text) from None
    Path(source).unlink()

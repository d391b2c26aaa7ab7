"""What names a recording's frames elsewhere, kept beside it."""

from pathlib import Path

from kprof.pipeline.inputs import archive_of
from kprof.readers import ReadOptions, Source, find_format
from kprof.system.files import open_input


def archive(recording: str) -> str:
    """Copy binaries, debug files, kernel symbols and perf maps of a recording to a folder beside it.

    Args:
        recording: Name of a perf.data file. Every command that reads it finds the folder by its name.

    Returns:
        What was written, for a summary.

    Raises:
        KprofError: The recording cannot be read, or the folder cannot be written.
    """
    from kprof.elf.search import FileFinder  # noqa: PLC0415 - few recordings are archived
    from kprof.symbols.archive import archive as copy_files  # noqa: PLC0415

    target, files = archive_of(Path(recording)), FileFinder()
    with open_input(recording) as stream:
        source = Source(stream, recording, recording)
        profile = find_format(source).read(source, ReadOptions(files=files))
    return f"{target} ({copy_files(profile, files, target):,} files)"

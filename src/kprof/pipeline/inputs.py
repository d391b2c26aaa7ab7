"""Inputs of any format -> one profile."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kprof.errors import EmptyProfileError, UsageError
from kprof.model import Filter, Profile, merge
from kprof.model.events import NO_EVENT, pick_event
from kprof.model.labels import COMPILED
from kprof.readers import PERF_DATA, ReadOptions, Source, find_format
from kprof.system.files import open_input, plain_file, spooled
from kprof.wire import tables

if TYPE_CHECKING:
    from kprof.elf.search import FileFinder

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the inputs is wanted.

    Attributes:
        read: How to read them.
        event: The event to keep; the first that has samples if empty.
        filter: What to keep.
        inline: Show inlined functions as frames. None is yes, except where perf has to find them, for
            a dialect: that takes it minutes.
        source_lines: Find file and line of every frame.
        every_event: Keep all events, for what can hold several; they are still never added up.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    event: str = ""
    filter: Filter = field(default_factory=Filter)
    inline: bool | None = None
    source_lines: bool = False
    every_event: bool = False


def read(
    inputs: Sequence[str],
    choice: Choice | None = None,
    *,
    facts: dict[str, str] | None = None,
    elevate: Sequence[str] = (),
    progress: Progress | None = None,
) -> Profile:
    """Read inputs of any format into one profile, of one event unless all are wanted, filtered.

    Args:
        inputs: File names; `-` is standard input.
        choice: What of them is wanted.
        facts: What else is known of the recording.
        elevate: Command put before what needs more rights, such as `sudo`.
        progress: Called with an input's name and the bytes read of it so far.

    Raises:
        KprofError: An input cannot be read, or is no format that kprof reads.
        EmptyProfileError: Nothing is left.
    """
    choice = choice or Choice()
    return _kept(_read_all(inputs, choice, elevate, progress), inputs, choice, facts)


def read_with_begin(
    inputs: Sequence[str], choice: Choice, *, progress: Progress | None = None
) -> tuple[Profile, int]:
    """Read inputs as `read` does; also return the time of the first sample, be it kept or not.

    Args:
        inputs: As of `read`.
        choice: As of `read`; a filter by time is in it, so that there are times.
        progress: As of `read`.
    """
    profile = _read_all(inputs, choice, (), progress)
    kept = _kept(profile, inputs, choice, None)
    times = profile.samples.time_ns
    return kept, -1 if times is None else int(times[times >= 0].min())


def _read_all(
    inputs: Sequence[str], choice: Choice, elevate: Sequence[str], progress: Progress | None
) -> Profile:
    profiles: list[Profile] = []
    for name in inputs:
        profiles.append(_tidied(_read_one(name, choice, elevate, progress), choice.read))
        choice = _same_event(choice, profiles[-1])
    profile = merge(profiles)
    return profile if choice.read.dialect or choice.every_event else pick_event(profile, choice.event)


def _kept(profile: Profile, inputs: Sequence[str], choice: Choice, facts: dict[str, str] | None) -> Profile:
    if choice.filter.needs_times:
        _check_times(profile, inputs)
    profile = choice.filter.apply(profile)
    if not len(profile.samples):
        _raise_empty(profile, inputs)
    known = {**profile.meta.facts, **(facts or {})}
    return replace(profile, meta=replace(profile.meta, facts=known))


def _check_times(profile: Profile, inputs: Sequence[str]) -> None:
    """Raise if no sample has a time."""
    times = profile.samples.time_ns
    if times is None or not (times >= 0).any():
        raise UsageError(
            f"{', '.join(inputs)}: its samples have no times",
            "perf.data and perf script text have them, and .kprof, Parquet, Firefox, Chrome and OTLP files of"
            " these: record with kprof record -o out.data, or with --backend bpf --timestamps",
        )


def _tidied(profile: Profile, options: ReadOptions) -> Profile:
    """Write names in the form that is wanted, and find what runtimes compiled, unless a tool is imitated."""
    if options.compat or not (options.names == "short" or np.isin(profile.frames.kind, COMPILED).any()):
        return profile
    from kprof.symbols.tidy import tidy  # noqa: PLC0415 - most profiles have nothing of it

    return tidy(profile, options.names)


def _same_event(choice: Choice, first: Profile) -> Choice:
    """Return a choice of the event that the first input held: a compat dialect chooses while it reads."""
    event = first.meta.events[0].name
    if not choice.read.dialect or choice.read.event or event == NO_EVENT:
        return choice
    return replace(choice, read=replace(choice.read, event=event))


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open an input; `-` is standard input.

    A folder is one that `perf record --threads` left, or the Parquet files of a profile.

    Raises:
        KprofError: It cannot be read.
    """
    heads = (Path(name, head) for head in ("data", tables.HEAD))
    head = next((str(head) for head in heads if head.is_file()), "")
    with open_input(head or name) as opened:
        title = "standard input" if name == "-" else name
        yield Source(opened, title, name if head else plain_file(name))


def _read_one(name: str, choice: Choice, elevate: Sequence[str], progress: Progress | None) -> Profile:
    options = replace(
        choice.read,
        ids=choice.read.ids or choice.filter.needs_ids,
        every_sample=choice.read.every_sample or choice.filter.needs_every_sample,
    )
    with ExitStack() as stack:
        source = stack.enter_context(open_source(name))
        title = source.name
        if progress:
            source.on_read = partial(progress, title)
        found = find_format(source)
        if found.name != PERF_DATA:
            if options.compat == "perf":
                raise UsageError(f"--compat perf is for perf.data; {title} is {found.name}")
            if found.has_names:
                return found.read(source, options)
        elif options.dialect:
            # These tools read what perf prints, so that only its text has their faults.
            plain = source.path if source.path and not source.packed else stack.enter_context(spooled(source))
            return _read_script(plain, title, options, choice, elevate)
        files = _files_of(Path(name))
        profile = found.read(source, replace(options, files=files))
    return _symbolised(profile, choice, files, elevate)


def archive_of(recording: Path) -> Path:
    """Return the folder in which all that names a recording's frames is kept, if it is kept."""
    return recording.with_name(recording.name + ".archive")


def _files_of(path: Path) -> "FileFinder":
    """Return what finds the binaries of a recording: here, or in the archive beside it."""
    from kprof.elf.search import FileFinder  # noqa: PLC0415 - text comes with names

    archive = archive_of(path)
    return FileFinder(archive=archive if archive.is_dir() else None)


def _symbolised(profile: Profile, choice: Choice, files: "FileFinder", elevate: Sequence[str]) -> Profile:
    """Name the frames of a recording, as far as this machine or what was kept beside it tells."""
    from kprof.symbols import SymbolOptions, symbolise  # noqa: PLC0415
    from kprof.system.kallsyms import readable_kallsyms  # noqa: PLC0415

    compat = choice.read.compat == "perf"
    with readable_kallsyms(elevate) as kallsyms:
        options = SymbolOptions(
            inline=choice.inline is not False and not compat,
            source_lines=choice.source_lines,
            compat=compat,
            names=choice.read.names,
            kallsyms=kallsyms,
            places=choice.read.addresses,
        )
        return symbolise(profile, options, files)


def _read_script(
    path: str, title: str, options: ReadOptions, choice: Choice, elevate: Sequence[str]
) -> Profile:
    """Read a recording as the text that `perf script` prints."""
    from kprof.system.perf_script import open_script  # noqa: PLC0415 - few recordings need perf

    with open_script(
        path, inline=bool(choice.inline), srcline=choice.source_lines, elevate=elevate
    ) as printed:
        text = Source(printed, title)
        if not text.head.strip():
            raise EmptyProfileError(f"{title} holds no samples", "record for longer, or with -a")
        found = find_format(text)
        if found.name == PERF_DATA:
            raise UsageError(f"{title} is a recording within a recording")
        return found.read(text, replace(options, compat=options.dialect))


def _raise_empty(profile: Profile, inputs: Sequence[str]) -> None:
    what = ", ".join(inputs)
    filtered = profile.meta.quality.filtered
    if filtered:
        causes = ", ".join(f"{cause} left out {n:,}" for cause, n in filtered.items())
        raise EmptyProfileError(f"nothing is left of {what}: {causes}", "loosen the filter")
    if "hardware trace" in profile.meta.facts:
        decode = "have it decoded: perf inject --itrace -i RECORDING -o DECODED"
        raise EmptyProfileError(f"{what} holds a hardware trace, but no samples", decode)
    raise EmptyProfileError(f"{what} holds no samples", "is it the text of `perf script`, whole?")

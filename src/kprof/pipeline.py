"""The order of things: inputs -> one profile -> an output."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from kprof.analysis.quality import counted, judge
from kprof.errors import EmptyProfileError, UsageError
from kprof.exporters import folded as folded_exporter
from kprof.exporters.folded import FoldedOptions
from kprof.model import Filter, Profile, merge
from kprof.model.events import NO_EVENT, pick_event
from kprof.readers import ReadOptions, Source, find_format
from kprof.system.files import is_same_file, open_input, spooled, write_whole

if TYPE_CHECKING:
    from kprof.exporters.html import PageOptions

OUTPUT_SUFFIXES = (".folded", ".html")

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the inputs is wanted.

    Attributes:
        read: How to read them.
        event: The event to keep; the first if empty.
        filter: What to keep.
        inline: Ask `perf script` for inlined functions, where it has to be asked.
        source_lines: Ask it for source lines.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    event: str = ""
    filter: Filter = field(default_factory=Filter)
    inline: bool = False
    source_lines: bool = False


def read(
    inputs: Sequence[str],
    choice: Choice | None = None,
    *,
    facts: dict[str, str] | None = None,
    elevate: Sequence[str] = (),
    progress: Progress | None = None,
) -> Profile:
    """Read inputs of any format into one profile, of one event, filtered.

    Args:
        inputs: File names; `-` is standard input.
        choice: What of them is wanted.
        facts: What else is known of the recording.
        elevate: Command put before `perf script`, such as `sudo`.
        progress: Called with an input's name and the bytes read of it so far.

    Raises:
        KprofError: An input cannot be read, or is no format that kprof reads.
        EmptyProfileError: Nothing is left.
    """
    choice = choice or Choice()
    profiles: list[Profile] = []
    for name in inputs:
        profiles.append(_read_one(name, choice, elevate, progress))
        choice = _same_event(choice, profiles[-1])
    profile = merge(profiles)
    if not choice.read.compat:
        profile = pick_event(profile, choice.event)
    profile = choice.filter.apply(profile)
    if not len(profile.samples):
        _raise_empty(profile, inputs)
    known = {**profile.meta.facts, **(facts or {})}
    return replace(profile, meta=replace(profile.meta, facts=known))


def _same_event(choice: Choice, first: Profile) -> Choice:
    """Return a choice of the event that the first input held: a compat dialect chooses while it reads."""
    event = first.meta.events[0].name
    if not choice.read.compat or choice.read.event or event == NO_EVENT:
        return choice
    return replace(choice, read=replace(choice.read, event=event))


def _read_one(name: str, choice: Choice, elevate: Sequence[str], progress: Progress | None) -> Profile:
    title = _title(name, "standard input")
    options = choice.read
    options = replace(
        options,
        ids=options.ids or choice.filter.needs_ids,
        every_sample=options.every_sample or choice.filter.needs_every_sample,
    )
    with ExitStack() as stack:
        source = Source(stack.enter_context(open_input(name)), title)
        found = find_format(source)
        if found.read is None:
            from kprof.system.perf_script import open_script  # noqa: PLC0415 - text needs no perf

            plain = name != "-" and not source.packed
            path = name if plain else stack.enter_context(spooled(source))
            printed = open_script(path, inline=choice.inline, srcline=choice.source_lines, elevate=elevate)
            source = Source(stack.enter_context(printed), title)
            if not source.head.strip():
                raise EmptyProfileError(f"{title} holds no samples", "record for longer, or with -a")
            found = find_format(source)
        if progress:
            source.on_read = partial(progress, title)
        if found.read is None:
            raise UsageError(f"{title} is a recording within a recording")
        return found.read(source, options)


def _raise_empty(profile: Profile, inputs: Sequence[str]) -> None:
    what = ", ".join(inputs)
    filtered = profile.meta.quality.filtered
    if filtered:
        causes = ", ".join(f"{cause} left out {n:,}" for cause, n in filtered.items())
        raise EmptyProfileError(f"nothing is left of {what}: {causes}", "loosen the filter")
    raise EmptyProfileError(f"{what} holds no samples", "is it the text of `perf script`, whole?")


def check_output(output: str) -> None:
    """Raise if no exporter writes a file of this name.

    Raises:
        UsageError: The suffix is not known.
    """
    if output != "-" and PurePath(output).suffix not in OUTPUT_SUFFIXES:
        raise UsageError(
            f"cannot tell a format from {output}", f"end it in one of {', '.join(OUTPUT_SUFFIXES)}"
        )


def check_not_an_input(output: str, inputs: Sequence[str]) -> None:
    """Raise if an output would take the place of an input.

    Raises:
        UsageError: It would.
    """
    for name in inputs:
        if "-" not in {name, output} and is_same_file(name, output):
            raise UsageError(f"{output} is an input, and would be overwritten", "name another output with -o")


def write(profile: Profile, output: str, *, title: str | None = None) -> str:
    """Write a profile in the format that the suffix names; `-` is folded stacks on standard output.

    Returns:
        What was written, for a summary.
    """
    check_output(output)
    if PurePath(output).suffix == ".html":
        from kprof.exporters.html import PageOptions  # noqa: PLC0415 - the page's library is not needed to fold

        return write_page(profile, output, PageOptions(title or PurePath(output).stem))
    return write_folded(profile, output)


def write_folded(profile: Profile, output: str, options: FoldedOptions | None = None) -> str:
    """Write folded stacks; returns what was written, for a summary."""
    data, lines = folded_exporter.render(profile, options)
    write_whole(output, data)
    return f"{_title(output, 'standard output')} ({counted(lines, 'stack')})"


def write_page(profile: Profile, output: str, options: "PageOptions") -> str:
    """Write the interactive page; returns what was written, for a summary."""
    from kprof.exporters import html  # noqa: PLC0415 - the page's library is not needed to fold

    report = judge(profile)
    data = html.render(profile, options, report.facts, report.warnings).encode(errors="replace")
    write_whole(output, data)
    return f"{_title(output, 'standard output')} ({len(data) / 1e6:.1f} MB)"


def _title(name: str, standard: str) -> str:
    return standard if name == "-" else name

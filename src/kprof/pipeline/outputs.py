"""A profile -> an output."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from kprof.analysis.quality import counted, judge
from kprof.errors import UsageError
from kprof.exporters import folded as folded_exporter
from kprof.exporters.folded import FoldedOptions
from kprof.exporters.suffixes import without_suffix
from kprof.model import Profile, compact
from kprof.pipeline.inputs import Choice
from kprof.system.files import is_same_file, write_folder, write_whole

if TYPE_CHECKING:
    from kprof.exporters.html import PageOptions
    from kprof.exporters.registry import Output


def fitting(choice: Choice, output: str, to: str = "") -> Choice:
    """Return a choice that reads what a format of output can hold.

    Args:
        choice: What is wanted otherwise.
        output: Name of the output, whose suffix tells the format.
        to: Name of the format, which wins over the suffix.

    Raises:
        UsageError: There is no such format.
    """
    found = _find_output(output, to)
    read = replace(
        choice.read,
        addresses=choice.read.addresses or found.places,
        every_sample=choice.read.every_sample or found.every_sample,
        ids=choice.read.ids or found.several_events,
    )
    return replace(choice, read=read, every_event=found.several_events and not choice.event)


def check_not_an_input(output: str, inputs: Sequence[str]) -> None:
    """Raise if an output would take the place of an input.

    Raises:
        UsageError: It would.
    """
    for name in inputs:
        if "-" not in {name, output} and is_same_file(name, output):
            raise UsageError(f"{output} is an input, and would be overwritten", "name another output with -o")


def write(profile: Profile, output: str, *, title: str | None = None, to: str = "") -> str:
    """Write a profile in the format that the suffix names; `-` is folded stacks on standard output.

    Args:
        profile: The profile.
        output: Name of the output.
        title: What the profile is called in viewers.
        to: Name of the format, which wins over the suffix.

    Returns:
        What was written, for a summary.

    Raises:
        UsageError: The suffix is not known.
        OutputError: It cannot be written.
    """
    found = _find_output(output, to)
    title = title or PurePath(without_suffix(output)).name
    if found.name == "html":
        from kprof.exporters.html import PageOptions  # noqa: PLC0415 - the page's library is not needed to fold

        return write_page(profile, output, PageOptions(title))
    if found.name == "folded":
        return write_folded(profile, output)
    profile = compact(profile)
    if found.members:
        files = found.members(profile)
        write_folder(output, files)
        return f"{output} ({len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB)"
    data = found.render(profile, title)
    write_whole(output, data)
    return f"{_title(output, 'standard output')} ({found.name}, {len(data) / 1e6:.1f} MB)"


def write_folded(profile: Profile, output: str, options: FoldedOptions | None = None) -> str:
    """Write folded stacks; returns what was written, for a summary."""
    data, lines = folded_exporter.render(profile, options)
    write_whole(output, data)
    return f"{_title(output, 'standard output')} ({counted(lines, 'stack')})"


def write_text(text: str, output: str) -> None:
    """Write a text such as a report; `-` is standard output."""
    write_whole(output, text.encode(errors="replace"))


def holds_several_events(output: str, to: str = "") -> bool:
    """Say whether a format of output keeps all events of a profile.

    Raises:
        UsageError: There is no such format.
    """
    return _find_output(output, to).several_events


def render_page(profile: Profile, options: "PageOptions") -> str:
    """Return the interactive page, with what the profile's quality says at its head."""
    from kprof.exporters import html  # noqa: PLC0415 - the page's library is not needed to fold

    report = judge(profile)
    return html.render(profile, options, report.facts, report.warnings)


def write_page(profile: Profile, output: str, options: "PageOptions") -> str:
    """Write the interactive page; returns what was written, for a summary."""
    data = render_page(profile, options).encode(errors="replace")
    write_whole(output, data)
    return f"{_title(output, 'standard output')} ({len(data) / 1e6:.1f} MB)"


def check_picture(output: str) -> None:
    """Raise if a picture of that name cannot be drawn here.

    Raises:
        NotAvailableError: It cannot.
    """
    from kprof.exporters import picture  # noqa: PLC0415 - few need it

    picture.check(output)


def write_picture(profile: Profile, output: str, options: "PageOptions") -> str:
    """Write a static flame graph; returns what was written, for a summary.

    Raises:
        NotAvailableError: It cannot be drawn here.
    """
    from kprof.exporters import picture  # noqa: PLC0415 - few need it

    data = picture.render(profile, options, output)
    write_whole(output, data)
    return f"{output} ({len(data) / 1e6:.1f} MB)"


def _find_output(output: str, wanted: str) -> "Output":
    from kprof.exporters.registry import find_output  # noqa: PLC0415 - folding needs none of the other formats

    return find_output(output, wanted)


def _title(name: str, standard: str) -> str:
    return standard if name == "-" else name

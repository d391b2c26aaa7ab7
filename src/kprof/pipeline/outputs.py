"""A profile -> an output."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from kprof.analysis.quality import counted, judge
from kprof.errors import UsageError
from kprof.exporters import folded as folded_exporter
from kprof.exporters.folded import FoldedOptions
from kprof.model import Profile
from kprof.system.files import is_same_file, write_whole

if TYPE_CHECKING:
    from kprof.exporters.html import PageOptions

OUTPUT_SUFFIXES = (".folded", ".html")


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


def write_text(text: str, output: str) -> None:
    """Write a text such as a report; `-` is standard output."""
    write_whole(output, text.encode(errors="replace"))


def write_page(profile: Profile, output: str, options: "PageOptions") -> str:
    """Write the interactive page; returns what was written, for a summary."""
    from kprof.exporters import html  # noqa: PLC0415 - the page's library is not needed to fold

    report = judge(profile)
    data = html.render(profile, options, report.facts, report.warnings).encode(errors="replace")
    write_whole(output, data)
    return f"{_title(output, 'standard output')} ({len(data) / 1e6:.1f} MB)"


def _title(name: str, standard: str) -> str:
    return standard if name == "-" else name

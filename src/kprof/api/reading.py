"""Recordings and profiles of any format, for Python and notebooks."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kprof import pipeline
from kprof.api.comparing import DiffView, compare
from kprof.api.views import ProfileView
from kprof.errors import UsageError
from kprof.readers import ReadOptions


def read(
    *inputs: str | os.PathLike[str],
    event: str = "",
    every_sample: bool = False,
    source_lines: bool = False,
    inline: bool = True,
    names: str = "plain",
) -> ProfileView:
    """Read recordings or profiles of any format, which is found by content.

    Args:
        inputs: File names; several are merged.
        event: Keep this event; all of them if empty.
        every_sample: Keep samples apart, with their CPUs and times.
        source_lines: Find file and line of every frame.
        inline: Show inlined functions as frames.
        names: How functions are called: `plain`, without argument lists; `short`, without template
            arguments either; `full`, as the language writes them; `raw`, as they stand in symbol tables.

    Raises:
        KprofError: An input cannot be read, or nothing is in it.
    """
    options = ReadOptions(names=names, every_sample=every_sample)
    choice = pipeline.Choice(options, event, inline=inline, source_lines=source_lines, every_event=not event)
    files = [os.fspath(name) for name in inputs]
    return ProfileView(pipeline.read(files, choice), os.path.basename(files[0]))  # noqa: PTH119 - a name, no path


def diff(
    before: ProfileView | Sequence[ProfileView],
    after: ProfileView | Sequence[ProfileView],
    by: str = "function",
    *,
    absolute: bool = False,
    least: float = 0.001,
) -> DiffView:
    """Compare two sides; with two recordings or more a side, also say which changes are significant.

    Args:
        before: One recording, or several of the same.
        after: Likewise.
        by: What a row stands for: `function`, `module`, `kind` or `line`.
        absolute: Compare weights rather than shares of each side's total.
        least: Leave out what has a smaller share of both sides, from 0 to 1.

    Raises:
        UsageError: Their units differ, or a side is empty.
    """
    sides = [[side] if isinstance(side, ProfileView) else list(side) for side in (before, after)]
    if not all(sides):
        raise UsageError("each side needs a recording")
    title = " and ".join(side[0].title for side in sides)
    profiles = pipeline.alike([view.one for side in sides for view in side])
    first, second = profiles[: len(sides[0])], profiles[len(sides[0]) :]
    return compare(first, second, title, by=by, absolute=absolute, least=least)

"""Recordings that are to be compared: read so that they can be, and written as one page."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kprof.analysis.quality import knows_samples
from kprof.exporters import folded
from kprof.model import Profile, merge, pick_event
from kprof.pipeline.inputs import Choice, Progress, read
from kprof.readers import ReadOptions, Source, find_format
from kprof.system.files import write_whole


def read_each(
    inputs: Sequence[str], choice: Choice | None = None, *, progress: Progress | None = None
) -> list[Profile]:
    """Read inputs of any format into a profile each, all told in the same way.

    Folded text has a thread's name as a frame and knows no files. If one input is folded, all are made so.

    Args:
        inputs: File names.
        choice: What of each is wanted.
        progress: As of `read`.

    Raises:
        KprofError: As of `read`.
    """
    return alike([read([name], choice, progress=progress) for name in inputs])


def read_comparable(
    inputs: Sequence[str], choice: Choice, event: str = "", *, progress: Progress | None = None
) -> list[Profile]:
    """Read as `read_each` does, but with all events, as one may have what another has not.

    Args:
        inputs: File names.
        choice: What of each is wanted; its event does not matter.
        event: The event to keep where one input is folded text.
        progress: As of `read`.

    Raises:
        KprofError: As of `read`.
    """
    every = replace(choice, event="", every_event=True)
    return alike([read([name], every, progress=progress) for name in inputs], event)


def alike(profiles: list[Profile], event: str = "") -> list[Profile]:
    """Return profiles that are all told in the same way: if one was folded text, as if all were.

    Args:
        profiles: Read from any format.
        event: The event to keep in that case, as folded text holds one.

    Raises:
        UsageError: There is no such event.
    """
    if all(map(knows_samples, profiles)):
        return profiles
    picked = [pick_event(profile, event) for profile in profiles]
    return [_folded(profile) if knows_samples(profile) else profile for profile in picked]


def _folded(profile: Profile) -> Profile:
    text, _ = folded.render(profile)
    source = Source(io.BytesIO(text), "folded stacks")
    return find_format(source).read(source, ReadOptions())


def render_difference(
    before: Sequence[Profile], after: Sequence[Profile], *, title: str, facts: Mapping[str, str]
) -> str:
    """Return the page of a differential flame graph, runs of a side put together."""
    from kprof.exporters import pair  # noqa: PLC0415 - the page's library is needed for a page alone

    sides = merge(before), merge(after)
    counts = tuple(int(side.samples.count.sum()) for side in sides)
    known = all(map(knows_samples, sides))
    return pair.render_difference(
        *sides, title=title, facts=facts, counts=(counts[0], counts[1]) if known else None
    )


def write_difference(
    before: Sequence[Profile], after: Sequence[Profile], output: str, *, title: str, facts: Mapping[str, str]
) -> str:
    """Write the page of a differential flame graph; returns what was written, for a summary.

    Raises:
        OutputError: It cannot be written.
    """
    return _written(render_difference(before, after, title=title, facts=facts), output)


def write_beside(
    first: Profile,
    second: Profile,
    output: str,
    *,
    title: str,
    names: tuple[str, str],
    facts: Mapping[str, str],
    quality: Sequence[str] = (),
) -> str:
    """Write the page of two linked flame graphs; see `kprof.exporters.pair.render_beside`.

    Returns:
        What was written, for a summary.

    Raises:
        OutputError: It cannot be written.
    """
    text = render_beside(first, second, title=title, names=names, facts=facts, quality=quality)
    return _written(text, output)


def render_beside(
    first: Profile,
    second: Profile,
    *,
    title: str,
    names: tuple[str, str],
    facts: Mapping[str, str],
    quality: Sequence[str] = (),
) -> str:
    """Return the page that `write_beside` writes."""
    from kprof.exporters import pair  # noqa: PLC0415 - the page's library is needed for a page alone

    return pair.render_beside(first, second, title=title, names=names, facts=facts, quality=quality)


def _written(text: str, output: str) -> str:
    data = text.encode(errors="replace")
    write_whole(output, data)
    return f"{output} ({len(data) / 1e6:.1f} MB)"

"""Exporter of pages of two profiles: one differential flame graph, or two side by side."""

from collections.abc import Mapping, Sequence

from flamegraph.html_page import page
from flamegraph.pairs import align, differential
from flamegraph.tree import Tree
from kprof.errors import FormatError
from kprof.exporters.html import tree
from kprof.model import Profile

# Less of what was before is not worth a word.
_SEEN = 0.005


def render_difference(
    before: Profile,
    after: Profile,
    *,
    title: str,
    facts: Mapping[str, str],
    quality: Sequence[str] = (),
    counts: tuple[int, int] | None = None,
) -> str:
    """Return the page of a differential flame graph: widths of `after`, colours of the change of share.

    Args:
        before: What is compared with.
        after: What is drawn.
        title: Heading of the page.
        facts: What is shown on demand, by name.
        quality: Short statements at the head.
        counts: How many samples each holds, so that what chance explains is not coloured; None if not known.
    """
    try:
        drawn = differential(tree(before), tree(after))
    except OverflowError as error:
        raise FormatError(f"the profiles are too large to draw: {error}") from None
    said = [*quality, *_gone(drawn)]
    return page(drawn, title=title, unit=_unit(after), facts=facts, quality=said, counts=counts)


def _gone(drawn: Tree) -> list[str]:
    """Say how much of what was before has no width, and how to see it."""
    other = drawn.other_weight if drawn.other_weight is not None else drawn.self_weight
    whole = sum(other.tolist())
    share = sum(other[drawn.total == 0].tolist()) / whole if whole else 0.0
    return [f"{share:.1%} of before is in stacks that are gone: w shows them"] if share >= _SEEN else []


def render_beside(
    first: Profile,
    second: Profile,
    *,
    title: str,
    names: tuple[str, str],
    facts: Mapping[str, str],
    quality: Sequence[str] = (),
) -> str:
    """Return the page of two linked flame graphs; arguments as of `render_difference`.

    Args:
        first: Drawn on the left.
        second: Drawn on the right.
        title: Heading of the page.
        names: Headings of the two.
        facts: What is shown on demand, by name.
        quality: Short statements at the head.
    """
    left, right = align(tree(first), tree(second))
    return page(left, beside=right, names=names, title=title, unit=_unit(first), facts=facts, quality=quality)


def _unit(profile: Profile) -> str:
    return profile.meta.events[0].unit if profile.meta.events else "samples"

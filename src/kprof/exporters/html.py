"""Exporter of the interactive page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from flamegraph.html_page import page
from flamegraph.samples import Facet, grouped, time_facet
from flamegraph.samples import Samples as Parts
from flamegraph.tree import Labels, Tree, build_tree_with_places
from kprof.errors import FormatError
from kprof.model import Kind, Profile
from kprof.model.labels import frame_labels, module_name, root_labels
from kprof.model.tables import Int64

_PROCESS = "process"
_SECOND = 10**9
# More rows than that make the page larger than the stacks do; the finest facet goes first.
_MOST_PARTS = 1_000_000


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How the page looks.

    Attributes:
        title: Its heading.
        icicle: Roots on top.
        theme: `auto`, `light` or `dark`.
        color: `kind`, `module`, `name` or `heat`.
        unit: Unit of the weights, where the input does not say.
        min_width: Frames narrower than that many pixels are not drawn one by one.
        heat_rows: Parts of a second that a heat map shows, whose columns are seconds; it then stands in
            front. 0 for one over time that is opened on demand.
        heat_begin_ns: When the first second begins; None for the first sample.
    """

    title: str = "Flame graph"
    icicle: bool = False
    theme: str = "auto"
    color: str = "kind"
    unit: str = ""
    min_width: float = 0.5
    heat_rows: int = 0
    heat_begin_ns: int | None = None


def tree(profile: Profile) -> Tree:
    """Return the tree of a profile, threads' names below the stacks."""
    return _tree_and_places(profile)[0]


def _tree_and_places(profile: Profile) -> tuple[Tree, Int64]:
    """Return the tree, and the node of each sample in it: -1 for one without a stack."""
    names = frame_labels(profile.frames, profile.mappings)
    roots, root = root_labels(profile.samples, profile.comms)
    modules = [module_name(path) for path in profile.mappings.path]
    kinds = [kind.name.lower() for kind in Kind]
    mapping = profile.frames.mapping.tolist()
    sources = profile.frames.source or [""] * len(names)
    keys = [
        (name, kinds[kind], modules[m] if m >= 0 else "", source)
        for name, kind, m, source in zip(names, profile.frames.kind.tolist(), mapping, sources, strict=True)
    ]
    distinct: dict[tuple[str, str, str, str], int] = {}
    label = np.array([distinct.setdefault(key, len(distinct)) for key in keys], np.int32)
    root_label = np.array(
        [distinct.setdefault((r, _PROCESS, "", ""), len(distinct)) for r in roots], np.int32
    )
    columns = list(zip(*distinct, strict=True)) or [(), (), (), ()]
    try:
        parent, of_node, row = _rooted_stacks(profile, label, root, root_label)
        weight, others = _weights(profile, row, len(parent))
        made, place = build_tree_with_places(parent, of_node, weight, Labels(*columns), other=others)
    except OverflowError as error:
        raise FormatError(f"the profile is too large to draw: {error}") from None
    return replace(made, other_weight=None), np.concatenate((place, [-1]))[row]


def _weights(profile: Profile, row: Int64, size: int) -> tuple[Int64, Int64 | None]:
    """Return the weights of the event shown first, and where others have samples: their boxes are kept."""
    stacked = row >= 0
    first = stacked & (profile.samples.event == _shown_event(profile))
    weight = np.zeros(size, np.int64)
    np.add.at(weight, row[first], profile.samples.weight[first])
    if first.sum() == stacked.sum():
        return weight, None
    return weight, np.bincount(row[stacked & ~first], minlength=size)


def parts(
    profile: Profile, place: Int64, heat_rows: int = 0, heat_begin_ns: int | None = None
) -> Parts | None:
    """Return what the samples can be told apart by, None if by nothing.

    Args:
        profile: the profile.
        place: (n,) node of each sample in the page's tree, -1 for none.
        heat_rows: as of `PageOptions`.
        heat_begin_ns: as of `PageOptions`.
    """
    needed, facets = _events(profile), [*_comms(profile), *_threads(profile), *_cpus(profile)]
    (needed if heat_rows else facets).extend(_times(profile, heat_rows, heat_begin_ns))
    while needed or facets:
        found = grouped(place, profile.samples.weight, [*needed, *facets])
        if len(found.node) <= _MOST_PARTS or not facets:
            return found
        facets.pop()
    return None


def _shown_event(profile: Profile) -> int:
    """Return the event that is shown first: the first that was seen."""
    return int(profile.samples.event.min(initial=len(profile.meta.events) - 1))


def _events(profile: Profile) -> list[Facet]:
    seen, of_sample = np.unique(profile.samples.event, return_inverse=True)
    if len(seen) < 2:  # noqa: PLR2004 - one event needs no choice
        return []
    events = [profile.meta.events[row] for row in seen.tolist()]
    return [Facet("event", [e.name for e in events], of_sample, units=[e.unit for e in events])]


def _comms(profile: Profile) -> list[Facet]:
    """Tell threads apart by their names, where that is less than telling them apart by their ids."""
    if profile.samples.comm is None:
        return []
    comms, of_sample = np.unique(profile.samples.comm, return_inverse=True)
    names = [profile.comms[comm] if comm >= 0 else "?" for comm in comms.tolist()]
    threads = _threads(profile)
    few = len(names) < len(threads[0].values) if threads else True
    return [Facet("comm", names, of_sample.astype(np.int64))] if len(names) > 1 and few else []


def _threads(profile: Profile) -> list[Facet]:
    if profile.samples.tid is None or profile.samples.comm is None:
        return []
    names, of_sample = root_labels(profile.samples, profile.comms, pid=True, tid=True)
    return [Facet("thread", names, of_sample.astype(np.int64))] if len(names) > 1 else []


def _cpus(profile: Profile) -> list[Facet]:
    if profile.samples.cpu is None:
        return []
    cpus, of_sample = np.unique(profile.samples.cpu, return_inverse=True)
    names = [str(cpu) if cpu >= 0 else "?" for cpu in cpus.tolist()]
    return [Facet("CPU", names, of_sample.astype(np.int64))] if len(names) > 1 else []


def _times(profile: Profile, heat_rows: int, heat_begin_ns: int | None) -> list[Facet]:
    times = profile.samples.time_ns
    if times is None or not len(times) or int(times.min()) < 0:
        return []
    if heat_rows:
        return [time_facet(times, heat_rows, _SECOND, heat_begin_ns)]
    return [time_facet(times)] if int(times.max()) > int(times.min()) else []


def _rooted_stacks(
    profile: Profile, label: np.ndarray, root: np.ndarray, root_label: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parent and label of a tree that has a copy of the stacks below each root.

    Last comes the row of each sample in these columns, -1 for a sample without stack and root.

    Only the stacks that a root's samples reach are copied, and equal (root, stack) pairs are one.
    """
    stack = profile.samples.stack
    if not np.any(root >= 0):
        return profile.stacks.parent, label[profile.stacks.frame], stack.astype(np.int64)
    parents: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    size = 0
    # Made once: to clear them for each of many threads would cost more than all else.
    place = np.full(len(profile.stacks) + 1, -1, np.int64)
    seen = np.zeros(len(profile.stacks) + 1, bool)
    row = np.full(len(stack), -1, np.int64)
    order = np.argsort(root, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(root[order])) + 1):
        if not len(rows):
            continue
        used = _reached(profile.stacks.parent, stack[rows], seen)
        own = 1 if root[rows[0]] >= 0 else 0
        place[used] = size + own + np.arange(len(used))
        below = np.int64(size) if own else np.int64(-1)
        place[-1] = below
        if own:
            parents.append(np.array([-1]))
            labels.append(root_label[root[rows[:1]]])
        parents.append(place[profile.stacks.parent[used]])
        labels.append(label[profile.stacks.frame[used]])
        row[rows] = place[stack[rows]]
        size += own + len(used)
    join = [np.concatenate(x) if x else np.zeros(0, np.int64) for x in (parents, labels)]
    return join[0].astype(np.int32), join[1].astype(np.int32), row


def _reached(parent: np.ndarray, stacks: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return, in order, the stacks given and all on their paths to the root; `seen` is all false."""
    front = np.unique(stacks)
    found = []
    while len(front := front[(front >= 0) & ~seen[front]]):
        seen[front] = True
        found.append(front)
        front = np.unique(parent[front])
    reached = np.sort(np.concatenate(found)) if found else front
    seen[reached] = False
    return reached


def render(profile: Profile, options: PageOptions, facts: Sequence[str], warnings: Sequence[str]) -> str:
    """Return the page. `facts` and `warnings` are the quality statements at its head."""
    events = profile.meta.events
    unit = options.unit or (events[_shown_event(profile)].unit if events else "samples")
    event = {"event": ", ".join(event.name for event in events)} if events else {}
    drawn, place = _tree_and_places(profile)
    return page(
        drawn,
        samples=parts(profile, place, options.heat_rows, options.heat_begin_ns),
        title=options.title,
        unit=unit,
        facts={**event, **profile.meta.facts},
        quality=facts,
        warnings=warnings,
        icicle=options.icicle,
        theme=options.theme,
        color=options.color,
        min_width=options.min_width,
        times_first=options.heat_rows > 0,
    )

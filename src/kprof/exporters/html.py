"""Exporter of the interactive page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flamegraph.html_page import page
from flamegraph.tree import Labels, Tree, build_tree
from kprof.errors import FormatError
from kprof.model import Kind, Profile
from kprof.model.labels import frame_labels, module_name, root_labels

_PROCESS = "process"


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How the page looks.

    Attributes:
        title: Its heading.
        icicle: Roots on top.
        theme: `auto`, `light` or `dark`.
        color: `kind` or `module`.
        unit: Unit of the weights, where the input does not say.
    """

    title: str = "Flame graph"
    icicle: bool = False
    theme: str = "auto"
    color: str = "kind"
    unit: str = ""


def tree(profile: Profile) -> Tree:
    """Return the tree of a profile, threads' names below the stacks."""
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
        parent, of_node, weight = _rooted_stacks(profile, label, root, root_label)
        return build_tree(parent, of_node, weight, Labels(*columns))
    except OverflowError as error:
        raise FormatError(f"the profile is too large to draw: {error}") from None


def _rooted_stacks(
    profile: Profile, label: np.ndarray, root: np.ndarray, root_label: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return parent, label and weight of a tree that has a copy of the stacks below each root.

    Only the stacks that a root's samples reach are copied, and equal (root, stack) pairs are one.
    """
    stack, weight = profile.samples.stack, profile.samples.weight
    parents: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    size = 0
    # Made once: to clear them for each of many threads would cost more than all else.
    place = np.full(len(profile.stacks) + 1, -1, np.int64)
    seen = np.zeros(len(profile.stacks) + 1, bool)
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
        sums = np.zeros(own + len(used), np.int64)
        target = place[stack[rows]] - size
        np.add.at(sums, target[target >= 0], weight[rows][target >= 0])
        weights.append(sums)
        size += own + len(used)
    join = [np.concatenate(x) if x else np.zeros(0, np.int64) for x in (parents, labels, weights)]
    return join[0].astype(np.int32), join[1].astype(np.int32), join[2]


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
    unit = options.unit or (profile.meta.events[0].unit if profile.meta.events else "samples")
    event = {"event": profile.meta.events[0].name} if profile.meta.events else {}
    return page(
        tree(profile),
        title=options.title,
        unit=unit,
        facts={**event, **profile.meta.facts},
        quality=facts,
        warnings=warnings,
        icicle=options.icicle,
        theme=options.theme,
        color=options.color,
    )

"""What a frame and a thread are called in folded text, on a flame graph and in a table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kprof.model.tables import Frames, Int32, Kind, Mappings, Samples, Stacks

UNKNOWN = "[unknown]"
# What was compiled while the program ran.
COMPILED = (Kind.JIT, Kind.PYTHON, Kind.JS, Kind.JAVA)
NAME_FORMS = ("plain", "short", "full", "raw")
_MARKS = {
    Kind.KERNEL: "_[k]",
    Kind.MODULE: "_[k]",
    Kind.INLINED: "_[i]",
    **dict.fromkeys(COMPILED, "_[j]"),
}


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """How frames are written.

    Attributes:
        mark: Kinds that get the field's suffix: `_[k]` kernel, `_[j]` JIT, `_[i]` inlined.
        addresses: Write the address of a frame without a symbol.
        sources: Write `:file:line` behind the name where it is known.
    """

    mark: frozenset[Kind] = frozenset()
    addresses: bool = False
    sources: bool = False


def module_name(path: str) -> str:
    """Return the last part of a mapping's path; `[kernel.kallsyms]` and the like stay whole."""
    return path if path.startswith("[") else path.rpartition("/")[2]


def frame_labels(frames: Frames, mappings: Mappings, options: LabelOptions | None = None) -> list[str]:
    """Return one label a frame.

    A frame without a symbol is called by its module, `[libc.so.6]`, if that is known.
    """
    options = options or LabelOptions()
    modules = [module_name(path) for path in mappings.path]
    labels = list(frames.name)
    mapping = frames.mapping
    for i in unknown_frames(frames):
        name = modules[mapping[i]].strip("[]") if mapping[i] >= 0 else "unknown"
        labels[i] = f"[{name} <{int(frames.address[i]):x}>]" if options.addresses else f"[{name}]"
    if options.sources and frames.source:
        # A path says more than a label has room for.
        short = [source.rpartition("/")[2] for source in frames.source]
        labels = [f"{x}:{s}" if s else x for x, s in zip(labels, short, strict=True)]
    for kind, suffix in _MARKS.items():
        if kind in options.mark:
            for row in np.flatnonzero(frames.kind == kind).tolist():
                labels[row] += "" if labels[row].endswith(suffix) else suffix
    return labels


def stack_texts(mappings: Mappings, frames: Frames, stacks: Stacks, used: Sequence[int]) -> list[str]:
    """Return the chosen stacks as folded text, root first; `;` within a name becomes `:`."""
    labels = [label.replace(";", ":") for label in frame_labels(frames, mappings)]
    parent, frame = stacks.parent.tolist(), stacks.frame.tolist()
    texts = []
    for node in used:
        path = []
        at = node
        while at >= 0:
            path.append(labels[frame[at]])
            at = parent[at]
        texts.append(";".join(reversed(path)))
    return texts


def split_source(source: str) -> tuple[str, int]:
    """Return file and line of `file:line`; the line is 0 if there is none."""
    file, colon, line = source.rpartition(":")
    return (file, int(line)) if colon and line.isascii() and line.isdigit() else (source, 0)


def unknown_frames(frames: Frames) -> list[int]:
    """Return the rows of the frames that have no symbol."""
    return [i for i, name in enumerate(frames.name) if name == UNKNOWN]


def root_labels(
    samples: Samples, comms: Sequence[str], *, pid: bool = False, tid: bool = False
) -> tuple[list[str], Int32]:
    """Return the labels put below the stacks, and which of them each sample has (-1: none).

    The label is the thread's name, with `-PID` or `-PID/TID` behind it if asked for; `?` stands for
    an id that the source does not have.
    """
    if samples.comm is None:
        return [], np.full(len(samples), -1, np.int32)
    if not (pid or tid):
        return list(comms), samples.comm
    nothing = np.full(len(samples), -1, np.int32)
    ids = [samples.pid if samples.pid is not None else nothing]
    if tid:
        ids.append(samples.tid if samples.tid is not None else nothing)
    keys, rows = np.unique(np.stack([samples.comm, *ids], axis=1), axis=0, return_inverse=True)
    labels = []
    for comm, *numbers in keys.tolist():
        who = "/".join("?" if n == -1 else str(n) for n in numbers)
        labels.append(f"{comms[comm] if comm >= 0 else ''}-{who}")
    return labels, rows.reshape(-1).astype(np.int32)

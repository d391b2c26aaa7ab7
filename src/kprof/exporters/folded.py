"""Exporter of folded stacks: one line a distinct stack, in the order of its bytes."""

from dataclasses import dataclass, field

import numpy as np

from flamegraph.folded import clean_name
from kprof._native._text import fold
from kprof.errors import FormatError
from kprof.model import Profile
from kprof.model.labels import LabelOptions, frame_labels, root_labels

_NO_STACK = "[no stack]"


@dataclass(frozen=True, slots=True)
class FoldedOptions:
    """How stacks are written.

    Attributes:
        labels: How frames are written.
        pid: Write the process id behind the thread's name.
        tid: Write process and thread id behind the thread's name.
        raw: Write names as they are, without making them safe; for text read in a compat dialect.
    """

    labels: LabelOptions = field(default_factory=LabelOptions)
    pid: bool = False
    tid: bool = False
    raw: bool = False


def render(profile: Profile, options: FoldedOptions | None = None) -> tuple[bytes, int]:
    """Return the text and the number of its lines.

    A thread's name is put below its stacks. `;` within a name becomes `:`.

    Raises:
        FormatError: The weights of a stack do not add up within int64.
    """
    options = options or FoldedOptions()
    names = frame_labels(profile.frames, profile.mappings, options.labels)
    roots, root = root_labels(profile.samples, profile.comms, pid=options.pid, tid=options.tid)
    stack = profile.samples.stack
    labels = [*names, *roots, _NO_STACK]
    root = np.where(root >= 0, root + len(names), root)
    root = np.where((root < 0) & (stack < 0), len(labels) - 1, root).astype(np.int32)
    if not options.raw:
        labels = [clean_name(label) for label in labels]
        # A line that begins with # would be read as a comment.
        labels[len(names) : -1] = [f" {r}" if r.startswith("#") else r for r in labels[len(names) : -1]]
    distinct: dict[bytes, int] = {}
    rows = [distinct.setdefault(t.encode(errors="surrogateescape"), len(distinct)) for t in labels]
    number = np.array(rows, np.int32)
    try:
        return fold(
            list(distinct),
            number[: len(names)],
            profile.stacks.parent,
            profile.stacks.frame,
            np.where(root >= 0, number[root], np.int32(-1)).astype(np.int32),
            stack,
            profile.samples.weight,
        )
    except OverflowError as error:
        raise FormatError(f"the profile is too large to fold: {error}") from None

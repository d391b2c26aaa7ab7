"""Frames of a notebook's cells: called as the notebook calls them, and without what is below a cell."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kprof.model import Kind, Profile
from kprof.model.tables import Stacks
from kprof.model.tree import path_any

# As `kprof.symbols.runtimes` writes functions of Python.
_FUNCTION = re.compile(r"(.+) \(([^()/]+)\)")


def named_by_cell(profile: Profile, folder: str, label: Callable[[str], str]) -> Profile:
    """Write `work (In[3])` instead of `work (1234567.py)`.

    Args:
        profile: With names.
        folder: Where the files lie that IPython says its cells come from.
        label: Gives what the notebook calls a file, nothing if it is no cell's.
    """
    names = list(profile.frames.name)
    for row in np.flatnonzero(profile.frames.kind == Kind.PYTHON).tolist():
        found = _FUNCTION.fullmatch(names[row])
        if found and (cell := label(os.path.join(folder, found[2]))):  # noqa: PTH118 - a name, no path
            names[row] = f"{found[1]} ({cell})"
    return replace(profile, frames=replace(profile.frames, name=names))


def rooted_at(profile: Profile, name: str) -> Profile:
    """Make the outermost frame of a name the root of its stack; stacks without it stay as they are."""
    parent = profile.stacks.parent
    marked = np.array([own == name for own in profile.frames.name], np.bool_)[profile.stacks.frame]
    inside = path_any(parent, marked)
    outermost = inside & ~np.append(inside, False)[parent]
    cut = np.where(outermost, np.int32(-1), parent)
    return replace(profile, stacks=Stacks(cut, profile.stacks.frame))

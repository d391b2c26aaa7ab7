"""The pass that makes names readable which a source has already: Profile -> Profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kprof.model.labels import COMPILED
from kprof.model.profile import Profile
from kprof.model.tables import Kind
from kprof.symbols.runtimes import runtime_name
from kprof.symbols.templates import collapsed

_FORMS_AS_THEY_ARE = ("full", "raw")


def tidy(profile: Profile, form: str = "plain") -> Profile:
    """Tell what runtimes compiled from other code of theirs, and write names in a form.

    Args:
        profile: With names.
        form: One of `kprof.model.labels.NAME_FORMS`. `plain` makes names of perf maps readable, `short` also
            leaves out template arguments; the others only find the kinds of frames.

    Returns:
        A profile that shares what did not change.
    """
    frames, names = profile.frames, list(profile.frames.name)
    compiled = np.isin(frames.kind, COMPILED)
    kinds = frames.kind
    if compiled.any():
        kinds = kinds.copy()
        known: dict[str, tuple[Kind, str]] = {}
        for row in np.flatnonzero(compiled).tolist():
            old = names[row]
            if (found := known.get(old)) is None:
                found = known[old] = runtime_name(old)
            kinds[row] = found[0] if found[0] != Kind.JIT else kinds[row]
            names[row] = old if form in _FORMS_AS_THEY_ARE else found[1]
    if form == "short":
        made: dict[str, str] = {}
        for row in np.flatnonzero(~compiled).tolist():
            old = names[row]
            if (short := made.get(old)) is None:
                short = made[old] = collapsed(old)
            names[row] = short
    return replace(profile, frames=replace(frames, name=names, kind=kinds))

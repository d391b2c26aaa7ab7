"""The pass that names frames: Profile -> Profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import numpy as np

from kprof.elf.search import FileFinder
from kprof.model.labels import UNKNOWN, unknown_frames
from kprof.model.profile import Profile
from kprof.model.tables import Frames, Kind
from kprof.symbols.expand import Inlined, expand
from kprof.symbols.inlined import Function
from kprof.symbols.lookup import Answer, Lookup
from kprof.symbols.names import Namer, is_python
from kprof.symbols.options import SymbolOptions

_FACT = "without symbols"
_MOST_PROBLEMS = 3


def symbolise(profile: Profile, options: SymbolOptions, finder: FileFinder) -> Profile:
    """Name the frames that have no name but lie in a known mapping.

    Args:
        profile: As a reader of addresses leaves it.
        options: How to name.
        finder: Finds the files that were mapped.

    Returns:
        The profile with names. Functions that were inlined are frames of their own. The fact
        `without symbols` says which files could not be read, and why, the most frequent first.
    """
    return _Symboliser(profile, options, finder).run()


class _Symboliser:
    def __init__(self, profile: Profile, options: SymbolOptions, finder: FileFinder) -> None:
        self._profile = profile
        self._options = options
        self._finder = finder
        self._lookup = Lookup(profile.mappings, options, finder)
        self._namer = Namer(full=options.full_names, as_perf=options.compat)
        self._names = list(profile.frames.name)
        self._kinds = profile.frames.kind.copy()
        self._sources = list(profile.frames.source) or [""] * len(self._names) * options.source_lines
        self._inlined = Inlined()

    def run(self) -> Profile:
        frames = self._profile.frames
        rows = np.array(unknown_frames(frames), np.int64)
        rows = rows[(frames.mapping[rows] >= 0) & (frames.address[rows] > 0)]
        rows = rows[np.lexsort((frames.address[rows], frames.mapping[rows], frames.kind[rows]))]
        ends = np.flatnonzero(np.diff(frames.kind[rows]) | np.diff(frames.mapping[rows])) + 1
        for group in np.split(rows, ends) if len(rows) else ():
            kind, mapping = Kind(int(frames.kind[group[0]])), int(frames.mapping[group[0]])
            answer = self._lookup.find(kind, mapping, np.ascontiguousarray(frames.address[group]))
            if answer is not None:
                self._name(group, answer)
        named = Frames(self._names, frames.mapping, frames.address, self._kinds, self._sources)
        facts = {**self._profile.meta.facts, **self._facts(rows)}
        profile = replace(self._profile, frames=named, meta=replace(self._profile.meta, facts=facts))
        return expand(profile, self._inlined)

    def _name(self, group: np.ndarray, answer: Answer) -> None:
        """Give names to the frames of one mapping."""
        texts = [self._namer(raw) for raw in answer.names]
        python = [is_python(raw) for raw in answer.names]
        for row, name in zip(group.tolist(), answer.rows.tolist(), strict=True):
            if name < 0:
                continue
            self._names[row] = texts[name]
            if python[name] and self._kinds[row] == Kind.JIT:
                self._kinds[row] = Kind.PYTHON
        if answer.chains:
            for row, chain in zip(group.tolist(), answer.chains, strict=True):
                if chain:
                    self._add_chain(row, chain)

    def _add_chain(self, row: int, chain: list[Function]) -> None:
        """Put what was inlined above a frame; the symbol table knows best what the frame itself is."""
        if self._names[row] == UNKNOWN:
            self._names[row] = self._readable(chain[0])
        if self._options.source_lines:
            self._sources[row] = chain[0][2]
        if self._options.inline:
            for function in chain[1:]:
                self._inlined.add(row, self._readable(function), function[2])

    def _readable(self, function: Function) -> str:
        name, mangled, _ = function
        return self._namer(name) if mangled else name.decode("utf-8", "surrogateescape")

    def _facts(self, rows: np.ndarray) -> dict[str, str]:
        """Say which mappings stay without names, and why."""
        frames, mappings = self._profile.frames, self._profile.mappings
        missing = [row for row in rows.tolist() if self._names[row] == UNKNOWN]
        counts = np.bincount(frames.mapping[missing], minlength=len(mappings)) if missing else ()
        told: dict[str, str] = {}
        for mapping in np.argsort(-np.asarray(counts), kind="stable").tolist():
            path = mappings.path[mapping]
            if not counts[mapping]:
                break
            kernel = path.startswith("[kernel") or frames_are_kernel(frames, mapping)
            reason = self._lookup.problems.get("kernel") if kernel else self._finder.problems.get(path)
            if reason:
                told.setdefault("kernel" if kernel else PurePath(path).name, reason)
        shown = [f"{name}: {reason}" for name, reason in list(told.items())[:_MOST_PROBLEMS]]
        if len(told) > _MOST_PROBLEMS:
            shown.append(f"and {len(told) - _MOST_PROBLEMS} more")
        return {_FACT: "; ".join(shown)} if shown else {}


def frames_are_kernel(frames: Frames, mapping: int) -> bool:
    """Say whether a mapping is of the kernel or one of its modules."""
    rows = np.flatnonzero(frames.mapping == mapping)
    return len(rows) > 0 and int(frames.kind[rows[0]]) in (Kind.KERNEL, Kind.MODULE)

"""The pass that names frames: Profile -> Profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import numpy as np

from kprof.elf.search import FileFinder
from kprof.model.distinct import distinct
from kprof.model.labels import UNKNOWN
from kprof.model.profile import Profile
from kprof.model.tables import Frames, Int64, Kind
from kprof.symbols.answer import Answer
from kprof.symbols.chains import Chains
from kprof.symbols.frame_table import FrameTable
from kprof.symbols.interrupts import ENTRIES, PADDING, interrupted
from kprof.symbols.languages import LIBRARY, has_library
from kprof.symbols.lookup import Lookup
from kprof.symbols.names import Namer
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
        self._namer = Namer(options.names, as_perf=options.compat)
        self._table = FrameTable(profile.frames, sources=options.source_lines)
        self._unknown = self._table.number(UNKNOWN)

    def run(self) -> Profile:
        frames, table = self._profile.frames, self._table
        nameless = (table.name == self._unknown) & (frames.mapping >= 0) & (frames.address > 0)
        rows = np.flatnonzero(nameless)
        self._name_all(rows)
        if not self._options.compat:
            is_entry, is_padding = (table.beginning(names) for names in (ENTRIES, PADDING))
            self._name_all(interrupted(frames, is_entry, is_padding, self._profile.stacks), ahead=1)
        facts = {**self._profile.meta.facts, **self._facts(rows)}
        profile = replace(self._profile, meta=replace(self._profile.meta, facts=facts))
        return table.finish(profile, places=self._options.places)

    def _name_all(self, rows: Int64, *, ahead: int = 0) -> None:
        """Give names to frames by what is at their address, or `ahead` bytes farther."""
        frames = self._profile.frames
        rows = rows[np.lexsort((frames.address[rows], frames.mapping[rows], frames.kind[rows]))]
        ends = np.flatnonzero(np.diff(frames.kind[rows]) | np.diff(frames.mapping[rows])) + 1
        for group in np.split(rows, ends) if len(rows) else ():
            kind, mapping = Kind(int(frames.kind[group[0]])), int(frames.mapping[group[0]])
            answer = self._lookup.find(kind, mapping, frames.address[group] + np.uint64(ahead))
            if answer is not None:
                self._name(group, answer)

    def _name(self, group: Int64, answer: Answer) -> None:
        """Give names to the frames of one mapping."""
        table = self._table
        names = table.numbers(self._namer(raw) for raw in answer.names)
        known = np.flatnonzero(answer.rows >= 0)
        table.name[group[known]] = names[answer.rows[known]]
        if len(answer.chain):
            self._add_chains(group, answer.chains, answer.chain)

    def _add_chains(self, group: Int64, chains: Chains, chain: Int64) -> None:
        """Put what was inlined above the frames; the symbol table knows best what a frame itself is."""
        length = np.where(chain >= 0, np.diff(chains.start)[chain], 0) if len(chains.addresses) else chain * 0
        group, chain, length = group[length > 0], chain[length > 0], length[length > 0]
        start = chains.start[chain].astype(np.int64)
        table, names, sources = self._table, *self._texts(chains, chain)
        outer = chains.items[start]
        nameless = table.name[group] == self._unknown
        table.name[group[nameless]] = names[outer[nameless]]
        if self._options.source_lines:
            table.source[group] = sources[outer]
        if self._options.inline:
            inner = np.repeat(group, length - 1)
            ends = np.cumsum(length - 1)
            at = (
                np.arange(len(inner))
                - np.repeat(ends - (length - 1), length - 1)
                + np.repeat(start + 1, length - 1)
            )
            table.add_inlined(inner, names[chains.items[at]], sources[chains.items[at]])

    def _texts(self, chains: Chains, chain: Int64) -> tuple[Int64, Int64]:
        """Return the numbers of names and sources of functions by row; 0 if in none of the chains."""
        used = np.zeros(len(chains.start) - 1, np.bool_)
        used[chain] = True
        rows, _ = distinct(chains.items[np.repeat(used, np.diff(chains.start))])
        names, sources = np.zeros((2, len(chains.mangled)), np.int64)
        names[rows] = self._table.numbers(
            self._namer(name) if mangled else name.decode("utf-8", "surrogateescape")
            for name, mangled in chains.names(rows)
        )
        if self._options.source_lines:
            sources[rows] = self._table.numbers(chains.sources(rows))
        return names, sources

    def _facts(self, rows: np.ndarray) -> dict[str, str]:
        """Say which mappings stay without names, and why."""
        frames, mappings = self._profile.frames, self._profile.mappings
        missing = rows[self._table.name[rows] == self._unknown]
        counts = np.bincount(frames.mapping[missing], minlength=len(mappings)) if len(missing) else ()
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
        if self._namer.mangled and not has_library():
            shown.append(LIBRARY)
        return {_FACT: "; ".join(shown)} if shown else {}


def frames_are_kernel(frames: Frames, mapping: int) -> bool:
    """Say whether a mapping is of the kernel or one of its modules."""
    rows = np.flatnonzero(frames.mapping == mapping)
    return len(rows) > 0 and int(frames.kind[rows[0]]) in (Kind.KERNEL, Kind.MODULE)

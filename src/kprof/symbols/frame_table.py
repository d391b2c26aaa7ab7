"""Frames while they are named: columns of numbers, whose texts are held once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kprof._native._tree import replace as replace_frames
from kprof.model.distinct import distinct
from kprof.model.profile import Profile
from kprof.model.tables import Frames, Int64, Kind, Stacks


class FrameTable:
    """The frames of a profile, open to change.

    Args:
        frames: As they are.
        sources: Whether `file:line` is wanted.

    Attributes:
        name: Number of each frame's name, see `number`; shape (n,). int64.
        kind: `Kind` values, shape (n,). uint8.
        source: Number of each frame's source, shape (n,). int64.
    """

    def __init__(self, frames: Frames, *, sources: bool) -> None:
        self._frames = frames
        self._texts: dict[str, int] = {"": 0}
        self._sources = sources or bool(frames.source)
        self.name = self.numbers(frames.name)
        self.kind = frames.kind.copy()
        self.source = self.numbers(frames.source) if frames.source else np.zeros(len(frames), np.int64)
        self._inner: list[tuple[Int64, Int64, Int64]] = []

    def number(self, text: str) -> int:
        """Return the number of a text; equal texts have one."""
        return self._texts.setdefault(text, len(self._texts))

    def numbers(self, texts: Iterable[str]) -> Int64:
        """Return the numbers of texts."""
        known = self._texts
        return np.array([known.setdefault(text, len(known)) for text in texts], np.int64)

    def beginning(self, prefixes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Say of every frame whether its name begins with one of these, shape (n,)."""
        fits = np.array([text.startswith(prefixes) for text in self._texts], np.bool_)
        return fits[self.name]

    def add_inlined(self, frame: Int64, name: Int64, source: Int64) -> None:
        """Add functions that were inlined into frames; those of one frame stand together, outermost first."""
        self._inner.append((frame, name, source))

    def finish(self, profile: Profile, *, places: bool) -> Profile:
        """Return the profile with these frames.

        Args:
            profile: Of whose frames this was made.
            places: Keep places apart. Otherwise one frame stands for all places in a function (at a line, if
                sources are known), and has the lowest of their addresses.
        """
        nothing = np.empty(0, np.int64)
        columns = zip(*self._inner, strict=True) if self._inner else (nothing, nothing, nothing)
        inner, names, sources = (np.concatenate(c) if isinstance(c, tuple) else c for c in columns)
        order = np.argsort(inner, kind="stable")
        inner, names, sources = inner[order], names[order], sources[order]
        if places and not len(inner):
            return replace(
                profile, frames=self._frames_of(np.arange(len(self.name)), nothing, nothing, nothing)
            )
        row, number = self._distinct(inner, names, sources, places=places)
        frames = self._frames_of(row, inner, names, sources)
        depth = np.bincount(inner, minlength=len(self.name)) + 1
        start = np.concatenate([[0], np.cumsum(depth)])
        items = np.empty(int(start[-1]), np.int32)
        own = start[:-1]
        items[own] = number[: len(self.name)]
        is_inner = np.ones(len(items), np.bool_)
        is_inner[own] = False
        items[is_inner] = number[len(self.name) :]
        stacks = profile.stacks
        parent, frame, node = replace_frames(stacks.parent, stacks.frame, start, items)
        samples = replace(profile.samples, stack=np.append(node, np.int32(-1))[profile.samples.stack])
        return replace(profile, frames=frames, stacks=Stacks(parent, frame), samples=samples)

    def _distinct(self, inner: Int64, names: Int64, sources: Int64, *, places: bool) -> tuple[Int64, Int64]:
        """Return which rows stay, of frames and the inlined functions behind them, and what each became."""
        count = len(self.name) + len(inner)
        if places:
            return np.arange(count), np.arange(count)
        mapping = self._frames.mapping.astype(np.int64)
        address = np.concatenate([self._frames.address, self._frames.address[inner]])
        key = np.concatenate([self.name, names])
        for more in (
            np.concatenate([mapping, mapping[inner]]) + 1,
            np.concatenate([self.kind, np.full(len(inner), Kind.INLINED, np.uint8)]).astype(np.int64),
            np.concatenate([self.source, sources]),
        ):
            if more.any():
                # Numbered anew at every step, so that nothing overflows.
                key = distinct(key * (int(more.max()) + 1) + more)[1]
        order = np.lexsort((address, key))
        first = np.concatenate([[True], np.diff(key[order]) > 0])[: len(order)]
        number = np.empty(count, np.int64)
        number[order] = np.cumsum(first) - 1
        return order[first], number

    def _frames_of(self, row: Int64, inner: Int64, names: Int64, sources: Int64) -> Frames:
        """Return rows of the frames and of the inlined functions behind them."""
        frames, texts = self._frames, list(self._texts)
        place = np.concatenate([np.arange(len(frames)), inner])[row]
        kind = np.concatenate([self.kind, np.full(len(inner), Kind.INLINED, np.uint8)])
        source = np.concatenate([self.source, sources])[row].tolist() if self._sources else ()
        return Frames(
            [texts[i] for i in np.concatenate([self.name, names])[row].tolist()],
            frames.mapping[place],
            frames.address[place],
            kind[row],
            [texts[i] for i in source],
        )

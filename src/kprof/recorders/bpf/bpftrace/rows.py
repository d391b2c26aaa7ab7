"""What bpftrace prints of the maps of rows -> rows and stacks as a recording holds them.

A key is printed as its parts with commas between them. A stack is an empty line and one for each frame, with
a tab and the address in front, or nothing at all; a thread's name, which may hold anything, comes last.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from kprof.errors import KprofError
from kprof.wire import bpf_events as layout

Array = np.ndarray[Any, Any]
_STACK = r"((?:\n(?:\t[^\n]*\n)+)?),"
_ADDRESS = re.compile(r"\n\t([0-9a-f]+) ")
_ALL = (1 << 64) - 1


class Stacks:
    """The stacks of a recording, each once, by the text that bpftrace prints of it."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[str, int], int] = {}
        self._new: list[tuple[int, list[int]]] = []

    def hash_of(self, text: str, caller: int = 0) -> int:
        """Return the hash of a stack.

        Args:
            text: As it was printed.
            caller: The return address of a function that has just been entered, else 0. It has not made its
                frame yet, so that frame pointers lead past its caller. Some kernels know that.
        """
        found = self._hashes.get((text, caller))
        if found is None:
            found = self._hashes[text, caller] = self._keep(text, caller)
        return found

    def _keep(self, text: str, caller: int) -> int:
        addresses = [int(word, 16) for word in _ADDRESS.findall(text.replace("\n\t", "\n\n\t"))]
        if not addresses:
            return layout.NO_STACK
        if caller and addresses[1:2] != [caller]:
            addresses.insert(1, caller)
        addresses = addresses[: layout.MAX_FRAMES]
        data = np.array(addresses, np.uint64).tobytes()
        number = int.from_bytes(blake2b(data, digest_size=8).digest(), "little")
        number += 2 if number <= layout.LOST_STACK else 0
        self._new.append((number, addresses))
        return number

    def take(self) -> tuple[Array, Array]:
        """Return hashes and stacks that came since the last call."""
        stacks = np.zeros(len(self._new), layout.STACK)
        for row, (_, addresses) in zip(stacks, self._new, strict=True):
            row["length"] = len(addresses)
            row["address"][: len(addresses)] = addresses
        hashes = np.array([number for number, _ in self._new], np.uint64)
        self._new.clear()
        return hashes, stacks


class KeyForm:
    """How the keys of an event's rows are printed.

    Args:
        sides: Of the stack: `USER`, `KERNEL`, both.
        apart: Whether CPU and time stand in them.
        called: Whether a return address does.
    """

    def __init__(self, sides: int, *, apart: bool, called: bool) -> None:
        self._apart, self._called = apart, called
        self._sides = [side for side in (layout.USER, layout.KERNEL) if sides & side]
        numbers = 3 + 2 * apart + called
        self._pattern = re.compile(
            r"(-?\d+)," * numbers + _STACK * len(self._sides) + r"(.*)", re.DOTALL | re.ASCII
        )

    @property
    def plain(self) -> "KeyForm":
        """The form without CPU, time and return address."""
        return KeyForm(sum(self._sides), apart=False, called=False)

    def read(self, text: str, event: int, stacks: Stacks) -> tuple[Any, ...]:
        """Return the fields of `bpf_events.KEY`.

        Raises:
            KprofError: It is not understood.
        """
        match = self._pattern.fullmatch(text)
        if not match:
            raise KprofError(f"bpftrace printed a key that is not understood: {text[:200]!r}")
        *parts, comm = match.groups()
        pid, tid, detail, *more = (int(word) for word in parts[: len(parts) - len(self._sides)])
        cpu = more[0] if self._apart else 0
        caller = more[-1] & _ALL if self._called else 0
        hashes = dict.fromkeys((layout.USER, layout.KERNEL), layout.NO_STACK)
        for side, stack in zip(self._sides, parts[len(parts) - len(self._sides) :], strict=True):
            hashes[side] = stacks.hash_of(stack, caller if side == layout.USER else 0)
        return (
            hashes[layout.USER], hashes[layout.KERNEL], pid, tid, event, detail & 0xFFFFFFFF, cpu, 0,
            comm.encode("utf-8", "surrogateescape")[:15],
        )  # fmt: skip


def rows_of(
    printed: Iterable[tuple[str, Sequence[int]]], event: int, form: KeyForm, stacks: Stacks, shift_ns: int
) -> tuple[Array, Array]:
    """Return keys and rows of a map.

    Args:
        printed: Its elements: the key, and how often, the sum of weights, and when it was first seen.
        event: Number of the event.
        form: How its keys are printed.
        stacks: Where its stacks go.
        shift_ns: How far its clock is ahead of CLOCK_MONOTONIC.
    """
    elements = list(printed)
    keys = np.array([form.read(text, event, stacks) for text, _ in elements], layout.KEY)
    rows = np.zeros(len(elements), layout.ROW)
    for row, (_, (count, weight, first)) in zip(rows, elements, strict=True):
        row["count"], row["weight"], row["first_ns"] = count, weight & _ALL, max(first - shift_ns, 0)
    return keys, rows

"""The types of the running kernel and its modules."""

from __future__ import annotations

from pathlib import Path

from kprof.elf.btf import Argument, Btf, Prototype
from kprof.errors import FormatError

KERNEL = "vmlinux"


class KernelTypes:
    """What the kernel tells of its types; nothing where it tells nothing.

    Args:
        root: Where the file system is.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root
        self._read: dict[str, Btf | None] = {}

    def of(self, module: str = KERNEL) -> Btf | None:
        """Return the types of a module, or of the kernel itself; None if they are not told."""
        if module not in self._read:
            base = self.of() if module != KERNEL else None
            try:
                self._read[module] = Btf(Path(self._root, "sys/kernel/btf", module).read_bytes(), base)
            except (OSError, FormatError):
                self._read[module] = None
        return self._read[module]

    def prototype(self, name: str, module: str = "") -> Prototype | None:
        """Return how a kernel function is called; None if the kernel does not tell."""
        btf = self.of(module or KERNEL)
        return btf.prototype(btf.functions[name]) if btf and name in btf.functions else None

    def raw_prototype(self, name: str) -> Prototype | None:
        """Return what a raw tracepoint is given; None if there is none, or the kernel does not tell."""
        btf = self.of()
        if btf is None or name not in btf.raw_tracepoints:
            return None
        # The function that calls the programs has the names of the arguments, too.
        number = btf.functions.get(f"__traceiter_{name}", btf.raw_tracepoints[name])
        found = btf.prototype(number)
        return Prototype(Argument("", "void", 0), found.arguments[1:])

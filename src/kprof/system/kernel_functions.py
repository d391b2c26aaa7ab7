"""The functions of the running kernel, and which of them no breakpoint may be put into."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kprof.system.kernel_config import kernel_config
from kprof.system.mounts import mount_point
from kprof.system.process import run
from kprof.system.tracefs import traceable_functions

# Address, kind, name, and the module in brackets.
_LINE = re.compile(r"^([0-9a-f]+) ([a-zA-Z]) (\S+)(?:\t\[(\S+)\])?$", re.MULTILINE)
# What compilers put beside functions, and programs of BPF.
_NO_FUNCTION = re.compile(
    r"^(__pfx_|__cfi_|__SCT__|__traceiter_|bpf_prog_|bpf_trampoline_)|\.cold(\.|$)|^[.$]"
)


@dataclass(frozen=True, slots=True)
class KernelFunction:
    """A function of the kernel.

    Attributes:
        name: Its name.
        module: The module that holds it; empty for the kernel itself.
    """

    name: str
    module: str = ""


class KernelFunctions:
    """The functions, and what the kernel tells of them.

    Args:
        root: Where the file system is.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root

    @cached_property
    def _lines(self) -> list[tuple[str, str, str, str]]:
        with suppress(OSError):
            text = Path(self._root, "proc/kallsyms").read_text(encoding="utf-8", errors="replace")
            return _LINE.findall(text)
        return []

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(name for _, _, name, _ in self._lines)

    def matching(self, fits: Callable[[str], bool]) -> Iterator[KernelFunction]:
        """Give the functions with a name that fits, each once."""
        seen: set[str] = set()
        for _, kind, name, module in self._lines:
            if kind in "tTwW" and name not in seen and fits(name) and not _NO_FUNCTION.search(name):
                seen.add(name)
                if module != "bpf" and not module.startswith("__builtin__"):
                    yield KernelFunction(name, module)

    def times(self, name: str) -> int:
        """Return how many symbols have a name."""
        return self._counts[name]

    @cached_property
    def traceable(self) -> frozenset[str] | None:
        """Those that can be traced at their start; None if the kernel does not tell."""
        return traceable_functions(self._root)

    @cached_property
    def blocked(self) -> frozenset[str]:
        """Those that may hold no breakpoint: what the kernel lists, and where it keeps them."""
        return self._listed() | self._in_closed_sections()

    def _listed(self) -> frozenset[str]:
        place = mount_point("debugfs", self._root)
        usual = Path(self._root, "sys/kernel/debug")
        if not place and os.geteuid() == 0 and self._root == "/" and usual.is_dir():
            run(["mount", "-t", "debugfs", "nodev", str(usual)])
        folder = Path(self._root, place.lstrip("/")) if place else usual
        with suppress(OSError):
            lines = (folder / "kprobes/blacklist").read_text(encoding="utf-8").splitlines()
            return frozenset(line.split("\t")[1].split(" ")[0] for line in lines if "\t" in line)
        return frozenset()

    def _in_closed_sections(self) -> frozenset[str]:
        bounds: dict[str, int] = {}
        for address, _, name, _ in self._lines:
            if name.endswith(("_text_start", "_text_end")):
                bounds[name] = int(address, 16)
        closed = [
            (bounds.get(f"__{name}_text_start", 0), bounds.get(f"__{name}_text_end", 0))
            for name in ("noinstr", "kprobes", "entry")
        ]
        closed = [(start, end) for start, end in closed if 0 < start < end]
        if not closed:
            return frozenset()
        return frozenset(
            name
            for address, kind, name, _ in self._lines
            if kind in "tT" and any(start <= int(address, 16) < end for start, end in closed)
        )

    @cached_property
    def probes_need_traceable(self) -> bool:
        """Whether kprobes, too, are refused on functions that cannot be traced at their start."""
        _, options = kernel_config(self._root)
        return not options or (
            options.get("CONFIG_DYNAMIC_FTRACE") == "y"
            and options.get("CONFIG_KPROBE_EVENTS_ON_NOTRACE") != "y"
        )

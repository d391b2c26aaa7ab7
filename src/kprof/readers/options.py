"""What a caller may ask of a reader. A reader ignores what its format does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kprof.errors import UsageError
from kprof.model.labels import NAME_FORMS

if TYPE_CHECKING:
    from kprof.elf.search import FileFinder


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read.

    Attributes:
        compat: `flamegraph` or `inferno` to read `perf script` text as that tool does, faults
            included; the options up to `event` then do what that tool's options do. `perf` to resolve
            perf.data as `perf script --no-inline` does.
        pid: Write the process id behind the thread's name.
        tid: Write process and thread id behind the thread's name.
        kernel: Mark kernel frames.
        jit: Mark JIT frames.
        addresses: Write addresses where there is no symbol.
        event: The event to keep.
        names: How functions are called, one of `kprof.model.labels.NAME_FORMS`: `plain`, without argument
            lists; `short`, without template arguments either; `full`, as the language writes them; `raw`,
            as they stand in symbol tables.
        ids: Keep samples of different processes and threads apart.
        every_sample: Keep samples apart, with ids, time and CPU, instead of adding up equal ones.
        files: Finds the files that copies of stacks are unwound with; None for those of this machine.

    Raises:
        UsageError: There is no such form of names.
    """

    compat: str = ""
    pid: bool = False
    tid: bool = False
    kernel: bool = False
    jit: bool = False
    addresses: bool = False
    event: str = ""
    names: str = "plain"
    ids: bool = True
    every_sample: bool = False
    files: FileFinder | None = None

    def __post_init__(self) -> None:
        if self.names not in NAME_FORMS:
            raise UsageError(
                f"there is no form of names {self.names}", f"choose one of {', '.join(NAME_FORMS)}"
            )

    @property
    def dialect(self) -> str:
        """The tool whose reading of text is wanted, if any."""
        return "" if self.compat == "perf" else self.compat

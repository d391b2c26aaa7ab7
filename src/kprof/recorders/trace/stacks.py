"""Names of the frames of events' stacks, while the processes may still be there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePath

import numpy as np

from kprof._native._symbols import SymbolTable, demangle
from kprof.elf import ElfFile
from kprof.errors import KprofError
from kprof.recorders.trace.decode import Row
from kprof.symbols.elf_symbols import read_symbols

_KALLSYMS = "/proc/kallsyms"
_OUR_WAY = ("bpf_prog_", "bpf_trace_run", "__bpf_trace_", "__traceiter_", "trace_call_bpf", "perf_trace_")


class StackNames:
    """Names frames by /proc/kallsyms, and by the maps and files of processes.

    What is gone keeps its address. Inlined functions are not told apart: `kprof record` does.
    """

    def __init__(self) -> None:
        self._kernel: SymbolTable | None = None
        self._files: dict[tuple[str, int], tuple[ElfFile, SymbolTable] | None] = {}

    def of(self, row: Row) -> list[str]:
        """Return the frames of an event, leaf first: those of the kernel, then those of the process."""
        kernel = [self._in_kernel(address) for address in row.kernel_stack]
        while kernel and kernel[0].startswith(_OUR_WAY):
            del kernel[0]
        return [*(f"{name}_[k]" for name in kernel), *self._in_process(row.pid, row.user_stack)]

    def _in_kernel(self, address: int) -> str:
        if self._kernel is None:
            self._kernel = SymbolTable()
            self._kernel.add_kallsyms(Path(_KALLSYMS).read_bytes())
            self._kernel.finish()
        return _named(self._kernel, address) or hex(address)

    def _in_process(self, pid: int, addresses: Sequence[int]) -> list[str]:
        if not addresses:
            return []
        maps = []
        with suppress(OSError):
            text = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="surrogateescape")
            maps = [line.split(maxsplit=5) for line in text.splitlines()]
        # All but the first are where calls return to, behind them.
        return [self._frame(pid, address - (number > 0), maps) for number, address in enumerate(addresses)]

    def _frame(self, pid: int, address: int, maps: Sequence[Sequence[str]]) -> str:
        for words in maps:
            start, _, end = words[0].partition("-")
            if not int(start, 16) <= address < int(end, 16):
                continue
            path = words[5] if len(words) > 5 else ""  # noqa: PLR2004 - range, rights, offset, device, inode
            if not path.startswith("/"):
                return f"{path or '[anonymous]'}+{hex(address)}"
            offset = address - int(start, 16) + int(words[2], 16)
            return (
                self._in_file(f"/proc/{pid}/root{path}", int(words[4]), offset) or f"[{PurePath(path).name}]"
            )
        return hex(address)

    def _in_file(self, path: str, inode: int, offset: int) -> str:
        key = (path.partition("/root")[2], inode)
        if key not in self._files:
            self._files[key] = None
            with suppress(OSError, KprofError):
                elf = ElfFile.open(path)
                self._files[key] = (elf, read_symbols(elf, None, as_perf=False, plt=False))
        found = self._files[key]
        if found is None:
            return ""
        elf, table = found
        address = elf.offset_to_address(offset)
        return "" if address is None else _named(table, address)


def _named(table: SymbolTable, address: int) -> str:
    row = int(table.find(np.array([address], np.uint64))[0])
    return demangle(table.name(row))[0].decode(errors="replace") if row >= 0 else ""

from typing_extensions import Buffer

import numpy as np
import numpy.typing as npt

SECTION_CODE: int
SECTION_LOADED: int
SECTION_NAMED: int
NOT_MANGLED: int
CPP: int
RUST: int

class SymbolTable:
    def __len__(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    def add_elf(
        self,
        table: Buffer,
        entry_size: int,
        names: Buffer,
        *,
        bits: int,
        swap: bool,
        mapping_symbols: bool,
        thumb: bool,
        section_kind: npt.NDArray[np.uint8],
        section_end: npt.NDArray[np.uint64],
        as_perf: bool,
    ) -> None: ...
    def add_kallsyms(self, text: Buffer) -> None: ...
    def add_perf_map(self, text: Buffer) -> None: ...
    def add(
        self,
        start: npt.NDArray[np.uint64],
        end: npt.NDArray[np.uint64],
        names: Buffer,
        name: npt.NDArray[np.uint64],
        size: npt.NDArray[np.uint32],
    ) -> None: ...
    def finish(self, *, as_perf: bool = False) -> None: ...
    def sort(self) -> None: ...
    def overlay(self) -> None: ...
    def find(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]: ...
    def name(self, row: int) -> bytes: ...
    def module(self, row: int) -> bytes: ...
    def span(self, row: int) -> tuple[int, int]: ...

def demangle(name: bytes) -> tuple[bytes, int]: ...
def without_return_type(name: bytes) -> bytes: ...

from collections.abc import Iterable, Sequence
from typing import TypeAlias

HOW: tuple[str, ...]
ENDS: tuple[str, ...]

_Buffer: TypeAlias = bytes | memoryview
_Section: TypeAlias = tuple[_Buffer, int]
_Rule: TypeAlias = tuple[str, int]

class CfiTable:
    def __init__(
        self,
        machine: int,
        swap: bool,
        segments: Sequence[tuple[int, int, int]],
        *,
        eh_frame: _Section | None = None,
        eh_frame_hdr: _Section | None = None,
        debug_frame: _Section | None = None,
    ) -> None: ...
    @property
    def pointer(self) -> int: ...
    def address(self, file_offset: int) -> int | None: ...
    def row(self, address: int) -> tuple[tuple[str, int, int], dict[int, _Rule], int, bool, bool] | None: ...

class Maps:
    def __init__(self, regions: Iterable[tuple[int, int, int, CfiTable | None]]) -> None: ...

def unwind(
    machine: int,
    registers_mask: int,
    registers: _Buffer,
    stack: _Buffer,
    maps: Maps,
    *,
    swap: bool = False,
    is_32bit: bool = False,
    as_libunwind: bool = False,
    most: int = 1024,
) -> tuple[list[tuple[int, bool]], str]: ...

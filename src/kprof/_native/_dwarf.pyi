from typing import Any

import numpy as np
import numpy.typing as npt

SECTIONS: tuple[str, ...]
NODE: np.dtype[Any]
PLACE: np.dtype[Any]

class DwarfReader:
    def __init__(
        self,
        main: list[memoryview | None],
        alt: list[memoryview | None] | None,
        *,
        swap: bool,
    ) -> None: ...
    def look_up(self, addresses: npt.NDArray[np.uint64]) -> npt.NDArray[Any]: ...
    def nodes(self) -> npt.NDArray[Any]: ...
    def names(self) -> tuple[list[bytes], list[bool]]: ...
    def files(self) -> list[bytes]: ...

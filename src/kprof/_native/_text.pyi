from typing import Any

import numpy as np
import numpy.typing as npt

class TextReader:
    def __init__(
        self,
        dialect: str = "right",
        *,
        pid: bool = False,
        tid: bool = False,
        addresses: bool = False,
        kernel: bool = False,
        jit: bool = False,
        event: bytes = b"",
        keep_arguments: bool = False,
        keep_ids: bool = False,
        every_sample: bool = False,
    ) -> None: ...
    def room(self, size: int) -> memoryview: ...
    def commit(self, size: int, last: bool = False) -> None: ...
    def tables(self) -> dict[str, Any]: ...

def short_name(name: bytes) -> bytes: ...
def fold(
    labels: list[bytes],
    frame_label: npt.NDArray[np.int32],
    parent: npt.NDArray[np.int32],
    frame: npt.NDArray[np.int32],
    row_root: npt.NDArray[np.int32],
    row_stack: npt.NDArray[np.int32],
    row_weight: npt.NDArray[np.int64],
) -> tuple[bytes, int]: ...

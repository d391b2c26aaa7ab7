from typing import Any

import numpy as np
import numpy.typing as npt

def fields(data: bytes | memoryview) -> npt.NDArray[np.void]: ...
def samples(data: bytes | memoryview) -> dict[str, npt.NDArray[Any]]: ...

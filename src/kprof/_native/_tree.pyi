import numpy as np
import numpy.typing as npt

def replace(
    parent: npt.NDArray[np.int32],
    frame: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    items: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]: ...

"""Addresses of the kernel that no call is before: where it was interrupted, and where it is about to go."""

import numpy as np
import numpy.typing as npt

from kprof.model.distinct import distinct
from kprof.model.tables import Frames, Int64, Kind, Stacks

# Entries of exceptions and interrupts: arch/x86/include/asm/idtentry.h, arch/arm64/kernel/entry.S.
ENTRIES = ("asm_exc_", "asm_sysvec_", "asm_common_interrupt", "el1h_64_")
# Padding before functions, named by tools/objtool of the Linux sources: no call ends with it. A thunk for an
# indirect call has put the address of the function where return addresses are.
PADDING = ("__pfx_",)


def interrupted(
    frames: Frames, is_entry: npt.NDArray[np.bool_], is_padding: npt.NDArray[np.bool_], stacks: Stacks
) -> Int64:
    """Return the frames of the kernel that an exception or interrupt came upon, or a thunk that led to them.

    What was recorded is the address of an instruction, but its frame has one less, as if a call returned
    there. That is in another function if the instruction is the first of its own.

    Args:
        frames: The frames.
        is_entry: Which of them are called as one of `ENTRIES`, shape (n,).
        is_padding: The same for `PADDING`.
        stacks: The stacks that they are in.

    Returns:
        Rows of `frames`, sorted.
    """
    kernel: npt.NDArray[np.bool_] = (frames.kind == Kind.KERNEL) | (frames.kind == Kind.MODULE)
    below = stacks.parent[(is_entry & kernel)[stacks.frame]]
    both = np.concatenate([stacks.frame[below[below >= 0]], np.flatnonzero(is_padding)])
    rows = distinct(both)[0].astype(np.int64)
    kept: Int64 = rows[kernel[rows] & (frames.mapping[rows] >= 0)]
    return kept

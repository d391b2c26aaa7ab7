"""The symbols of the running kernel, as far as one may read them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kprof.system.process import run

_KALLSYMS = "/proc/kallsyms"


@contextmanager
def readable_kallsyms(elevate: Sequence[str] = ()) -> Iterator[str]:
    """Give the name of a file with the kernel's symbols.

    Args:
        elevate: Command to read them through: most users see all addresses as 0.
    """
    if not elevate:
        yield _KALLSYMS
        return
    done = run([*elevate, "cat", _KALLSYMS])
    if done.code:
        yield _KALLSYMS
        return
    with tempfile.NamedTemporaryFile("w", prefix="kprof-kallsyms-") as file:
        file.write(done.out)
        file.flush()
        yield file.name

"""The symbols of the running kernel, as far as one may read them."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kprof.system.process import run

_PAGE = 4096
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


def ranges_of(pattern: bytes, path: str = _KALLSYMS) -> list[tuple[int, int]]:
    """Return where the kernel functions lie whose whole names match a pattern; none if that is hidden.

    They are taken to be no longer than a page.

    Args:
        pattern: A regular expression without groups.
        path: A file like /proc/kallsyms, in the order of addresses.
    """
    with suppress(OSError):
        lines = re.findall(
            rb"^([0-9a-f]+) [tT] (?:%s)$(?=(?:\n([0-9a-f]+) )?)" % pattern,
            Path(path).read_bytes(),
            re.MULTILINE,
        )
        ranges = [(int(start, 16), int(end or b"0", 16)) for start, end in lines]
        # Those of BPF stand at the end, in no order.
        return [(a, b if a < b < a + _PAGE else a + _PAGE) for a, b in ranges if a]
    return []

"""The vdso of this machine: a small ELF file that the kernel maps into every process."""

from contextlib import suppress
from pathlib import Path

from kprof.elf.file import ElfFile
from kprof.errors import FormatError

NAME = "[vdso]"
_LARGEST = 1 << 20


def own_vdso(proc: str = "/proc") -> ElfFile | None:
    """Return the vdso that this process has, None if it has none. It is as wide as this process."""
    with suppress(OSError, ValueError, FormatError), Path(proc, "self/maps").open("rb") as maps:
        for line in maps:
            if not line.rstrip().endswith(NAME.encode()):
                continue
            start, end = (int(part, 16) for part in line.split()[0].split(b"-"))
            with Path(proc, "self/mem").open("rb", buffering=0) as memory:
                memory.seek(start)
                return ElfFile(memory.read(min(end - start, _LARGEST)), NAME)
    return None

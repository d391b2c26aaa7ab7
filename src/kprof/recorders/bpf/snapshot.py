"""What was mapped before the recording began, as the records that the log would have held."""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path

from kprof.elf.layout import NT_GNU_BUILD_ID, native_notes
from kprof.recorders.bpf.build_ids import BuildIds
from kprof.system.procfs import all_processes
from kprof.wire import perf_abi as abi

_NOTES = "/sys/kernel/notes"
_KERNEL = "[kernel.kallsyms]"
_HEAD = struct.Struct("<IHHIIQQQ")
_ID = struct.Struct("<IIQIIQ")
_FILE = struct.Struct("<IIQQ")
_BUILD_ID = struct.Struct("<B3x20s")
_EXECUTABLE = 5
_LONGEST_BUILD_ID = 20
# Where kallsyms tells the start of the kernel's text: among its first lines.
_KALLSYMS_HEAD = 1 << 20
_KERNEL_SIZE = 1 << 20


class Snapshot:
    """Makes records of mappings, all of one time.

    Args:
        time_ns: On the clock of the log.
        build_ids: Of what is mapped.
        proc: Where /proc is.
    """

    def __init__(self, time_ns: int, build_ids: BuildIds, proc: str = "/proc") -> None:
        self._time, self._build_ids, self._proc = time_ns, build_ids, proc

    def of(self, pids: Iterable[int]) -> bytes:
        """Return the records of the kernel, its modules, and processes; those that have ended have none."""
        return b"".join([*self._kernel(), *(record for pid in pids for record in self._process(pid))])

    def everything(self) -> bytes:
        """Return the records of all processes."""
        return self.of(all_processes(self._proc))

    def _kernel(self) -> Iterator[bytes]:
        """Give the kernel and its modules. Only where they begin must be right: symbols tell the rest."""
        start = 0
        with suppress(OSError, ValueError):
            with Path(self._proc, "kallsyms").open("rb") as file:
                # No more than it takes: the kernel writes each line when it is read.
                lines = takewhile(lambda _: file.tell() < _KALLSYMS_HEAD, file)
                found = next((line for line in lines if line.endswith(b" T _text\n")), b"0")
            start = int(found.split()[0], 16)
        size = _KERNEL_SIZE if start else 0
        yield self._record(-1, start, size, start, _KERNEL, _kernel_build_id(), mode=abi.MISC_KERNEL)
        with suppress(OSError, ValueError):
            for line in Path(self._proc, "modules").read_text(encoding="ascii").splitlines():
                name, length, *_, address = line.partition(" (")[0].split()
                if int(address, 16):
                    yield self._record(
                        -1, int(address, 16), int(length), 0, f"[{name}]", mode=abi.MISC_KERNEL
                    )

    def _process(self, pid: int) -> Iterator[bytes]:
        with suppress(OSError):
            text = Path(self._proc, str(pid), "maps").read_text(encoding="utf-8", errors="surrogateescape")
            for line in text.splitlines():
                parts = line.split(maxsplit=5)
                if "x" not in parts[1] or parts[-1] == "[vsyscall]":
                    continue
                start, end = (int(bound, 16) for bound in parts[0].split("-"))
                path = parts[5] if len(parts) > 5 else "//anon"  # noqa: PLR2004 - a path, or none
                major, minor = (int(half, 16) for half in parts[3].split(":"))
                file = (major, minor, int(parts[4]))
                build_id = self._build_ids.find(pid, path, file)
                yield self._record(pid, start, end - start, int(parts[2], 16), path, build_id, file)

    def _record(  # noqa: PLR0917 - the fields of the record, in its order
        self,
        pid: int,
        start: int,
        size: int,
        offset: int,
        path: str,
        build_id: bytes = b"",
        inode: tuple[int, ...] = (0, 0, 0),
        *,
        mode: int = abi.MISC_USER,
    ) -> bytes:
        """Return a PERF_RECORD_MMAP2 with its sample id."""
        name = path.encode("utf-8", "surrogateescape") + b"\0"
        name += bytes(-len(name) % 8)
        if 0 < len(build_id) <= _LONGEST_BUILD_ID:
            mode |= abi.MISC_MMAP_BUILD_ID
            file = _BUILD_ID.pack(len(build_id), build_id)
        else:
            file = _FILE.pack(*inode, 0)
        number = pid % (1 << 32)
        body = file + struct.pack("<II", _EXECUTABLE, 0) + name
        whole = _HEAD.size + len(body) + _ID.size
        head = _HEAD.pack(abi.RECORD_MMAP2, mode, whole, number, number, start, size, offset)
        return head + body + _ID.pack(number, number, self._time, 0, 0, 0)


def _kernel_build_id() -> bytes:
    with suppress(OSError):
        for owner, kind, value in native_notes(memoryview(Path(_NOTES).read_bytes())):
            if owner == b"GNU" and kind == NT_GNU_BUILD_ID:
                return bytes(value)
    return b""

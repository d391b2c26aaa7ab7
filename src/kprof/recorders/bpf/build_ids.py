"""Build-ids of what is mapped, read while the files are there.

The kernel would tell them itself if the log asked. But while anybody asks, Linux (seen with 6.18;
perf_event_mmap_output in kernel/events/core.c) marks the records of all others as if theirs had build-ids,
too, and perf 6.1 takes the device that stands there for a length, and aborts. To record must not break what
others record.
"""

import struct
from contextlib import suppress
from pathlib import Path

from kprof.elf import ElfFile
from kprof.errors import KprofError
from kprof.wire import perf_abi as abi

_HEAD = struct.Struct("<IHH")
_PLACE = struct.Struct("<IIQQQIIQ")  # pid, tid, start, size, offset; major, minor, inode
_BUILD_ID = struct.Struct("<B3x20s")
_FILE, _PROTECTION, _PATH = 40, 64, 72
_EXECUTABLE = 4
_LONGEST = 20


class BuildIds:
    """Build-ids by device and inode, each read once.

    Args:
        proc: Where /proc is.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._known: dict[tuple[int, int, int], bytes] = {}

    def find(self, pid: int, path: str, file: tuple[int, int, int]) -> bytes:
        """Return a build-id, empty if the file has none or is not there any more.

        Args:
            pid: A process that has it mapped.
            path: Where, as that process sees it.
            file: Device (major, minor) and inode.
        """
        if not path.startswith("/"):
            return b""
        if file not in self._known:
            # It may live in a container; or be gone, and its file is still there.
            places = (f"{self._proc}/{pid}/root{path}", path)
            self._known[file] = next(filter(None, (_read(place, file[2]) for place in places)), b"")
        return self._known[file]

    def add_to(self, records: bytes) -> bytes:
        """Return records of the kernel, with build-ids instead of inodes where code was mapped."""
        data, at = bytearray(records), 0
        while at + _HEAD.size <= len(data):
            kind, misc, size = _HEAD.unpack_from(data, at)
            if size < _HEAD.size or at + size > len(data):
                break
            if kind == abi.RECORD_MMAP2 and not misc & abi.MISC_MMAP_BUILD_ID and size > _PATH:
                self._add(data, at, misc, size)
            at += size
        return bytes(data)

    def _add(self, data: bytearray, at: int, misc: int, size: int) -> None:
        if not data[at + _PROTECTION] & _EXECUTABLE:
            return
        pid, _, _, _, _, *file = _PLACE.unpack_from(data, at + _HEAD.size)
        key = (file[0], file[1], file[2])
        build_id = self._known.get(key)
        if build_id is None:
            path = bytes(data[at + _PATH : at + size]).partition(b"\0")[0].decode("utf-8", "surrogateescape")
            build_id = self.find(pid, path, key)
        if build_id:
            _BUILD_ID.pack_into(data, at + _FILE, len(build_id), build_id)
            struct.pack_into("<H", data, at + 4, misc | abi.MISC_MMAP_BUILD_ID)


def _read(place: str, inode: int) -> bytes:
    with suppress(OSError, KprofError, ValueError):
        if Path(place).stat().st_ino == inode:
            build_id = bytes.fromhex(ElfFile.open(place).build_id)
            return build_id if len(build_id) <= _LONGEST else b""
    return b""

"""Names of numbers that the kernel's formats do not tell."""

import errno
import os
import signal
import socket
from collections.abc import Mapping

ERRNO: Mapping[int, str] = errno.errorcode
SIGNALS: Mapping[int, str] = {each.value: each.name for each in signal.Signals}
FAMILIES: Mapping[int, str] = {
    each.value: each.name for each in reversed(socket.AddressFamily) if each.name.startswith("AF_")
}
AT_FDCWD = -100
DESCRIPTORS: Mapping[int, str] = {AT_FDCWD: "AT_FDCWD"}
ACCESS: Mapping[int, str] = {os.O_RDONLY: "O_RDONLY", os.O_WRONLY: "O_WRONLY", os.O_RDWR: "O_RDWR"}
# The kernel's own bit for large files, which the C library hides.
OPEN_FLAGS: Mapping[int, str] = {
    0o100000: "O_LARGEFILE",
    **{
        getattr(os, name): name
        for name in (
            "O_CREAT", "O_EXCL", "O_NOCTTY", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DSYNC", "O_ASYNC",
            "O_DIRECT", "O_DIRECTORY", "O_NOFOLLOW", "O_NOATIME", "O_CLOEXEC", "O_SYNC", "O_PATH",
            "O_TMPFILE",
        )
        if getattr(os, name, 0)
    },
}  # fmt: skip
_PROTECTION = {1: "PROT_READ", 2: "PROT_WRITE", 4: "PROT_EXEC"}
_MAPPING = {1: "MAP_SHARED", 2: "MAP_PRIVATE", 0x10: "MAP_FIXED", 0x20: "MAP_ANONYMOUS", 0x2000: "MAP_LOCKED"}
_WHENCE = {0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END"}
_SOCKETS = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET"}
# include/linux/blk_types.h, enum req_op
OPERATIONS: Mapping[int, str] = {
    0: "read", 1: "write", 2: "flush", 3: "discard", 5: "secure erase", 7: "zone append", 9: "write zeroes",
    34: "driver in", 35: "driver out",
}  # fmt: skip
# include/uapi/asm-generic/siginfo.h
SIGNAL_CODES: Mapping[int, str] = {
    0: "SI_USER", 128: "SI_KERNEL", -1: "SI_QUEUE", -2: "SI_TIMER", -3: "SI_MESGQ", -4: "SI_ASYNCIO",
    -5: "SI_SIGIO", -6: "SI_TKILL",
}  # fmt: skip
# include/trace/events/signal.h
SIGNAL_RESULTS: Mapping[int, str] = {
    0: "delivered", 1: "ignored", 2: "pending already", 3: "no room", 4: "information lost",
}  # fmt: skip


def of_argument(call: str, name: str, kind: str) -> tuple[str, Mapping[int, str]] | None:
    """Return form and names of an argument of a system call; None if nothing is known.

    Args:
        call: The system call.
        name: The argument, as the kernel's formats have it.
        kind: Its type, as C writes it.
    """
    if name in {"dfd", "olddfd", "newdfd"}:
        return "descriptor", DESCRIPTORS
    if "umode_t" in kind or (name == "mode" and "int" not in kind):
        return "octal", {}
    if name == "flags" and call in {"open", "openat", "openat2", "pipe2", "dup3"}:
        return "open flags", OPEN_FLAGS
    if name == "sig":
        return "signal", SIGNALS
    known = _OF_ARGUMENTS.get((call, name)) or _OF_ARGUMENTS.get(("", name))
    return known or (("hex", {}) if "*" in kind or name in {"flags", "addr", "start"} else None)


_OF_ARGUMENTS: Mapping[tuple[str, str], tuple[str, Mapping[int, str]]] = {
    ("", "prot"): ("flags", _PROTECTION),
    ("mmap", "flags"): ("flags", _MAPPING),
    ("lseek", "whence"): ("symbol", _WHENCE),
    ("socket", "family"): ("symbol", FAMILIES),
    ("socket", "type"): ("symbol", _SOCKETS),
}

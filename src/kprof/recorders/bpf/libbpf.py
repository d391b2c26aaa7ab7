"""libbpf and the system calls that Python lacks: the only module that calls C by itself.

Memory goes in and out as addresses of numpy arrays. What libbpf and the verifier say is kept, and handed on
when something fails. No ELF and no BTF is looked into here: libbpf does that.
"""

import ctypes
import os
import platform
from functools import cache
from typing import Any

import numpy as np

from kprof.errors import NotAvailableError
from kprof.wire import bpf_syscall, perf_abi

_LIBRARY = "libbpf.so.1"
_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241, "riscv64": 241, "ppc64le": 319, "s390x": 331}
_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
_WORST_LEVEL_TO_KEEP = 1  # warnings and information; 2 is for those who debug libbpf
_LONGEST_LINE = 1 << 16
# linux/capability.h
_CAPABILITY_VERSION = 0x20080522
_CAPABILITY_DATA = np.dtype([("effective", "u4"), ("permitted", "u4"), ("inheritable", "u4")])

_P, _I, _U32, _U64, _S = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_char_p
_SIZE = ctypes.c_size_t
_PRINT = ctypes.CFUNCTYPE(_I, _I, _S, _P)
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "libbpf_version_string": (_S, ()),
    "libbpf_set_print": (_P, (_PRINT,)),
    "libbpf_num_possible_cpus": (_I, ()),
    "bpf_object__open_mem": (_P, (_P, _SIZE, _P)),
    "bpf_object__load": (_I, (_P,)),
    "bpf_object__close": (None, (_P,)),
    "bpf_object__next_program": (_P, (_P, _P)),
    "bpf_object__find_program_by_name": (_P, (_P, _S)),
    "bpf_object__find_map_by_name": (_P, (_P, _S)),
    "bpf_object__next_map": (_P, (_P, _P)),
    "bpf_map__name": (_S, (_P,)),
    "bpf_program__name": (_S, (_P,)),
    "bpf_program__fd": (_I, (_P,)),
    "bpf_program__set_autoload": (_I, (_P, ctypes.c_bool)),
    "bpf_program__set_expected_attach_type": (_I, (_P, _I)),
    "bpf_program__attach": (_P, (_P,)),
    "bpf_program__attach_perf_event_opts": (_P, (_P, _I, _P)),
    "bpf_program__set_attach_target": (_I, (_P, _I, _S)),
    "bpf_program__attach_kprobe_opts": (_P, (_P, _S, _P)),
    "bpf_program__attach_uprobe_opts": (_P, (_P, _I, _S, _SIZE, _P)),
    "bpf_program__attach_raw_tracepoint": (_P, (_P, _S)),
    "bpf_prog_load": (_I, (_I, _S, _S, _P, _SIZE, _P)),
    "bpf_link__destroy": (_I, (_P,)),
    "bpf_map__fd": (_I, (_P,)),
    "bpf_map__reuse_fd": (_I, (_P, _I)),
    "bpf_map__set_max_entries": (_I, (_P, _U32)),
    "bpf_map__initial_value": (_P, (_P, _P)),
    "bpf_map_lookup_elem": (_I, (_I, _P, _P)),
    "bpf_map_update_elem": (_I, (_I, _P, _P, _U64)),
    "bpf_map_delete_elem": (_I, (_I, _P)),
    "bpf_map_lookup_and_delete_batch": (_I, (_I, _P, _P, _P, _P, _P, _P)),
    "bpf_obj_get_info_by_fd": (_I, (_I, _P, _P)),
}  # fmt: skip


class LibbpfError(Exception):
    """Something was refused.

    Attributes:
        what: What was tried.
        number: The errno.
        log: What libbpf and the verifier said meanwhile.
    """

    def __init__(self, what: str, number: int, log: str = "") -> None:
        super().__init__(f"{what}: {os.strerror(number)}")
        self.what, self.number, self.log = what, number, log


_said: list[str] = []


@cache
def library() -> ctypes.CDLL:
    """Return libbpf, its functions declared.

    Raises:
        NotAvailableError: It is not installed.
    """
    try:
        library = ctypes.CDLL(_LIBRARY, use_errno=True)
    except OSError:
        raise NotAvailableError(
            f"{_LIBRARY} is not installed, which the bpf backend needs",
            "install it: apt-get install libbpf1, or: dnf install libbpf",
        ) from None
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    # Held by the library's object, or the callback would be freed while libbpf still has it.
    callback = _PRINT(_keep_message)
    library.__dict__["kprof_callback"] = callback
    library.libbpf_set_print(callback)
    return library


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _keep_message(level: int, form: bytes, arguments: int) -> int:
    if level <= _WORST_LEVEL_TO_KEEP:
        line = ctypes.create_string_buffer(_LONGEST_LINE)
        _libc().vsnprintf(line, _SIZE(_LONGEST_LINE), _S(form), _P(arguments))
        _said.append(line.value.decode(errors="replace"))
    return 0


def forget_messages() -> None:
    """Begin a new log."""
    _said.clear()


def error(what: str, number: int = 0) -> LibbpfError:
    """Return the error for what was just refused, with the log; the number is errno if it is not given."""
    return LibbpfError(what, abs(number) or ctypes.get_errno(), "".join(_said))


def possible_cpus() -> int:
    """Return how many CPUs the kernel keeps room for."""
    return max(int(library().libbpf_num_possible_cpus()), 1)


def version() -> str:
    """Return libbpf's version.

    Raises:
        NotAvailableError: It is not installed.
    """
    return bytes(library().libbpf_version_string()).decode().removeprefix("v")


def perf_event_open(attr: np.ndarray[Any, Any], *, pid: int = -1, cpu: int = -1) -> int:
    """Open an event and return its file descriptor.

    Args:
        attr: One `perf_abi.ATTR`.
        pid: A process, or -1 for all on the CPU.
        cpu: A CPU, or -1 for any.

    Raises:
        OSError: The kernel refuses.
    """
    descriptor = _system_call(_PERF_EVENT_OPEN, pointer(attr), pid, cpu, -1, perf_abi.FLAG_FD_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


def bpf(command: int, attr: np.ndarray[Any, Any], what: str) -> int:
    """Do what libbpf does not know of by itself; return what the kernel does, such as a file descriptor.

    Args:
        command: Of the system call `bpf`.
        attr: Its argument, one row.
        what: What it is for, in words.

    Raises:
        LibbpfError: The kernel refuses.
    """
    done = _system_call(_BPF, command, pointer(attr), attr.itemsize)
    if done < 0:
        raise error(what)
    return done


def load_nothing(kind: int, attach_type: int) -> int:
    """Load a program that does nothing, and return its file descriptor.

    Raises:
        LibbpfError: The kernel refuses.
    """
    options = np.zeros(1, bpf_syscall.PROG_LOAD_OPTIONS)
    options["size"], options["expected_attach_type"] = options.itemsize, attach_type
    nothing = np.frombuffer(bpf_syscall.NOTHING, np.uint8)
    done = library().bpf_prog_load(
        kind, b"nothing", b"Dual BSD/GPL", pointer(nothing), len(nothing) // 8, pointer(options)
    )
    if done < 0:
        raise error("loading a program that does nothing", done)
    return int(done)


def effective_capabilities() -> int:
    """Return the capabilities of this thread that are in force, one a bit."""
    return _pair(_capabilities()["effective"])


def set_capabilities(effective: int, permitted: int | None = None) -> None:
    """Put capabilities of this thread in force.

    Args:
        effective: Those, one a bit; of those that are permitted.
        permitted: Those that it may put in force later; as they are if None.

    Raises:
        OSError: The kernel refuses.
    """
    data = _capabilities()
    for half in range(2):
        data["effective"][half] = effective >> 32 * half & 0xFFFFFFFF
        if permitted is not None:
            data["permitted"][half] = permitted >> 32 * half & 0xFFFFFFFF
            data["inheritable"][half] &= data["permitted"][half]
    header = _capability_header()
    if _libc().capset(_P(pointer(header)), _P(pointer(data))):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _capability_header() -> np.ndarray[Any, Any]:
    return np.array([_CAPABILITY_VERSION, 0], np.uint32)


def _capabilities() -> np.ndarray[Any, Any]:
    header, data = _capability_header(), np.zeros(2, _CAPABILITY_DATA)
    if _libc().capget(_P(pointer(header)), _P(pointer(data))):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return data


def _pair(words: np.ndarray[Any, Any]) -> int:
    return int(words[0]) | int(words[1]) << 32


def _system_call(numbers: dict[str, int], *arguments: int) -> int:
    number = numbers.get(platform.machine())
    if number is None:
        raise NotAvailableError(f"the bpf backend does not know {platform.machine()}", "use --backend perf")
    # A plain int would be passed as 32 bits, and the rest of the register is not defined.
    return int(_libc().syscall(*(ctypes.c_long(value) for value in (number, *arguments))))


def pointer(array: np.ndarray[Any, Any]) -> int:
    """Return the address of an array's memory."""
    return int(array.__array_interface__["data"][0])


def write_memory(address: int, data: bytes) -> None:
    """Write to memory that libbpf gave."""
    ctypes.memmove(address, data, len(data))

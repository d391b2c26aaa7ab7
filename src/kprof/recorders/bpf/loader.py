"""BPF objects and maps.

Thin: an object is opened from memory, told which of its programs to load and with which settings, loaded and
attached; maps are read in batches into numpy arrays.
"""

import errno
import os
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from kprof.recorders.bpf.libbpf import (
    LibbpfError,
    error,
    forget_messages,
    library,
    pointer,
    possible_cpus,
    write_memory,
)
from kprof.recorders.bpf.sources import Kprobe, Place, Places

Array = np.ndarray[Any, Any]
# Elements that are taken out of a map at once.
_AT_ONCE = 1024
_MAX_INFO = 1024
_MISSES_AT = 208  # struct bpf_prog_info, recursion_misses
# struct bpf_kprobe_opts
_KPROBE = np.dtype([("size", "u8"), ("cookie", "u8"), ("offset", "u8"), ("returns", "u8")])
# struct bpf_uprobe_opts
_UPROBE = np.dtype(
    {
        "names": ["size", "counter", "cookie", "returns", "symbol"],
        "formats": ["u8", "u8", "u8", "u1", "u8"],
        "offsets": [0, 8, 16, 24, 32],
        "itemsize": 40,
    }
)
_OPTIONS = np.dtype([("size", "u8"), ("cookie", "u8")])  # struct bpf_perf_event_opts


class BpfMap:
    """A map of a loaded object.

    Args:
        descriptor: Its file descriptor, which the object owns.
        key: Layout of its keys.
        value: Layout of its values.

    Attributes:
        copied: Bytes that `drain` has copied so far.
    """

    def __init__(self, descriptor: int, key: Any, value: Any) -> None:
        self.descriptor, self.copied = descriptor, 0
        self._key, self._value = np.dtype(key), np.dtype(value)
        self._buffers = self._room(_AT_ONCE)

    def put(self, key: int, value: Any) -> None:
        """Set an element; its key is a number.

        Raises:
            LibbpfError: There is no room.
        """
        keys, values = np.array([key], self._key), np.array([value], self._value)
        status = library().bpf_map_update_elem(self.descriptor, pointer(keys), pointer(values), 0)
        if status:
            raise error("setting an element of a map", status)

    def remove(self, key: int) -> None:
        """Take an element out; it need not be there."""
        library().bpf_map_delete_elem(self.descriptor, pointer(np.array([key], self._key)))

    def of_each_cpu(self, key: int) -> Array:
        """Return the values that the CPUs have under a key."""
        keys, values = np.array([key], self._key), np.zeros(possible_cpus(), self._value)
        status = library().bpf_map_lookup_elem(self.descriptor, pointer(keys), pointer(values))
        if status:
            raise error("reading a map", status)
        return values

    def drain(self) -> tuple[Array, Array]:
        """Take all elements out of a hash map."""
        parts = []
        tokens, first = np.zeros((2, 8), np.uint64), True
        while True:
            keys, values = self._buffers
            count = np.array([len(keys)], np.uint32)
            status = library().bpf_map_lookup_and_delete_batch(
                self.descriptor, None if first else pointer(tokens[0]), pointer(tokens[1]),
                pointer(keys), pointer(values), pointer(count), None,
            )  # fmt: skip
            if status == -errno.ENOSPC:  # a bucket holds more than there is room for
                self._buffers = self._room(2 * len(keys))
                continue
            if status not in {0, -errno.ENOENT}:
                raise error("emptying a map", status)
            parts.append((keys[: count[0]].copy(), values[: count[0]].copy()))
            if status:
                keys, values = (np.concatenate(part) for part in zip(*parts, strict=True))
                self.copied += keys.nbytes + values.nbytes
                return keys, values
            tokens[0], first = tokens[1], False

    def _room(self, elements: int) -> tuple[Array, Array]:
        """Return buffers, which are kept: new ones would cost a page fault for each of their pages."""
        return np.empty(elements, self._key), np.empty(elements, self._value)


class BpfObject:
    """A compiled object, from its bytes to attached programs.

    Args:
        image: Content of a `.bpf.o` file.
        programs: Those to load; all if None.

    Raises:
        NotAvailableError: libbpf is not installed.
        LibbpfError: It is no such object.
    """

    def __init__(self, image: bytes, programs: Sequence[str] | None = None) -> None:
        forget_messages()
        # libbpf reads the image until the object is loaded.
        self._image = np.frombuffer(image, np.uint8)
        self._links: list[int] = []
        self._descriptors: list[int] = []
        self._object = library().bpf_object__open_mem(pointer(self._image), len(image), None)
        if not self._object:
            raise error("opening the BPF object")
        program = library().bpf_object__next_program(self._object, None)
        while program:
            name = library().bpf_program__name(program).decode()
            library().bpf_program__set_autoload(program, programs is None or name in programs)
            program = library().bpf_object__next_program(self._object, program)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def maps(self) -> list[str]:
        """Names of its maps, sections of data among them."""
        names, found = [], library().bpf_object__next_map(self._object, None)
        while found:
            names.append(library().bpf_map__name(found).decode())
            found = library().bpf_object__next_map(self._object, found)
        return names

    def _map(self, name: str) -> int:
        found = library().bpf_object__find_map_by_name(self._object, name.encode())
        if not found:
            raise LibbpfError(f"looking for the map {name}", errno.ENOENT)
        return int(found)

    def set_section(self, name: str, data: bytes) -> None:
        """Fill a section of read-only data before loading."""
        size = np.zeros(1, np.uint64)
        start = library().bpf_map__initial_value(self._map(name), pointer(size))
        if not start or size[0] != len(data):
            raise LibbpfError(f"setting {name}, which has {size[0]} bytes and not {len(data)}", errno.EINVAL)
        write_memory(start, data)

    def set_target(self, program: str, function: str) -> None:
        """Say which kernel function a program is for, before loading."""
        status = library().bpf_program__set_attach_target(self._program(program), 0, function.encode())
        if status:
            raise error(f"looking for the kernel function {function}", status)

    def set_attach_type(self, program: str, kind: int) -> None:
        """Say how a program will be attached, before loading."""
        if status := library().bpf_program__set_expected_attach_type(self._program(program), kind):
            raise error(f"choosing how {program} is attached", status)

    def set_room(self, name: str, entries: int) -> None:
        """Set how many elements a map holds, before loading."""
        if status := library().bpf_map__set_max_entries(self._map(name), entries):
            raise error(f"giving {name} room for {entries}", status)

    def share(self, name: str, descriptor: int) -> None:
        """Use the map of another object, before loading."""
        if status := library().bpf_map__reuse_fd(self._map(name), descriptor):
            raise error(f"sharing the map {name}", status)

    def load(self) -> None:
        """Load the chosen programs.

        Raises:
            LibbpfError: The kernel refuses.
        """
        if status := library().bpf_object__load(self._object):
            raise error("loading the BPF programs", status)

    def map(self, name: str, key: Any, value: Any) -> BpfMap:
        """Return a map of the loaded object."""
        return BpfMap(library().bpf_map__fd(self._map(name)), key, value)

    def _program(self, name: str) -> int:
        found = library().bpf_object__find_program_by_name(self._object, name.encode())
        if not found:
            raise LibbpfError(f"looking for the program {name}", errno.ENOENT)
        return int(found)

    def attach(self, name: str) -> None:
        """Attach a program to what its section names."""
        self._keep(library().bpf_program__attach(self._program(name)), name)

    def attach_to_event(self, name: str, event: int, cookie: int) -> None:
        """Attach a program to an event of perf, whose descriptor the link owns from then on."""
        options = np.array([(_OPTIONS.itemsize, cookie)], _OPTIONS)
        link = library().bpf_program__attach_perf_event_opts(self._program(name), event, pointer(options))
        self._keep(link, name)

    def attach_to_place(self, name: str, where: Places, place: Place, pid: int, cookie: int) -> None:
        """Attach a program to a place in the program of a process, or of all if `pid` is -1."""
        options = np.array([(_UPROBE.itemsize, place.semaphore, cookie, where.returns, 0)], _UPROBE)
        path = where.path.encode("utf-8", "surrogateescape")
        link = library().bpf_program__attach_uprobe_opts(
            self._program(name), pid, path, place.offset, pointer(options)
        )
        self._keep(link, f"{name} to {place.name or hex(place.offset)} of {where.path}")

    def attach_to_raw_tracepoint(self, name: str, tracepoint: str) -> None:
        """Attach a program to a tracepoint by its name."""
        link = library().bpf_program__attach_raw_tracepoint(self._program(name), tracepoint.encode())
        self._keep(link, f"{name} to the raw tracepoint {tracepoint}")

    def attach_to_kernel_function(self, name: str, where: Kprobe) -> None:
        """Attach a program to a function of the kernel, by a breakpoint."""
        options = np.array([(_KPROBE.itemsize, 0, where.offset, where.returns)], _KPROBE)
        link = library().bpf_program__attach_kprobe_opts(
            self._program(name), where.symbol.encode(), pointer(options)
        )
        self._keep(link, f"a kprobe to {where.symbol}")

    def descriptor(self, name: str) -> int:
        """Return the file descriptor of a loaded program, which the object owns."""
        return int(library().bpf_program__fd(self._program(name)))

    def keep_descriptor(self, link: int) -> None:
        """Own the file descriptor of a link, which is detached when it is closed."""
        self._descriptors.append(link)

    def _keep(self, link: int | None, name: str) -> None:
        if not link:
            raise error(f"attaching {name}")
        self._links.append(link)

    def missed(self, name: str) -> int:
        """Return how often the kernel did not run a program because it was running already."""
        info, size = np.zeros(_MAX_INFO, np.uint8), np.array([_MAX_INFO], np.uint32)
        descriptor = library().bpf_program__fd(self._program(name))
        if descriptor < 0 or library().bpf_obj_get_info_by_fd(descriptor, pointer(info), pointer(size)):
            return 0
        return int(info[_MISSES_AT : _MISSES_AT + 8].view(np.uint64)[0])

    def detach(self) -> None:
        """Detach all programs: none of them runs any more when this returns."""
        while self._links:
            library().bpf_link__destroy(self._links.pop())
        while self._descriptors:
            os.close(self._descriptors.pop())

    def close(self) -> None:
        """Detach, and give back programs and maps."""
        self.detach()
        if self._object:
            library().bpf_object__close(self._object)
            self._object = None

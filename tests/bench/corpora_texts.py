"""What projects that read perf.data expect of their recordings, from the texts beside them.

quipper of google/perf_data_converter ships all records as protobuf, as text (`.pb_text`) or bytes (`.pb_data`).
They are replayed here in the simplest way, with no code of kprof's. perfparser of KDAB ships one block of text
a sample (`.expected.txt`), which it made with the binaries that lie beside it; simpleperf of Android what its
`report_sample.py` prints (`.perf-script`), of which only the heads are taken: it makes Java frames of others.
"""

import codecs
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

Message = dict[str, list[Any]]
Frame = tuple[str, int]
Stack = tuple[Frame | str, ...]
Map = tuple[int, int, int, str]
# quipper/perf_data.proto, as far as it is needed: numbers of fields, and what is nested in them.
_SAMPLE = {1: "ip", 2: "pid", 3: "tid", 4: "sample_time_ns", 6: "id", 8: "period", 9: "cpu", 11: "callchain"}
_EVENT = {1: "header", 2: "mmap_event", 3: "sample_event", 4: "comm_event", 5: "fork_event", 10: "timestamp"}
_ATTR = {1: "type", 4: "sample_period", 6: "sample_type", 18: "freq"}
_FIELDS = {
    "": {1: "file_attrs", 2: "events"},
    "file_attrs": {1: "attr", 2: "ids"},
    "attr": _ATTR,
    "events": _EVENT,
    "header": {1: "type", 2: "misc"},
    "mmap_event": {1: "pid", 2: "tid", 3: "start", 4: "len", 5: "pgoff", 6: "filename", 13: "prot"},
    "sample_event": _SAMPLE,
    "comm_event": {1: "pid", 2: "tid", 3: "comm"},
    "fork_event": {1: "pid", 2: "ppid", 3: "tid", 4: "ptid"},
}
_TEXTS = {"filename", "comm"}
ANONYMOUS = ("//anon", "/dev/zero", "/anon_hugepage", "[stack", "/SYSV", "[heap]", "/tmp/perf-")
_PERIOD = 1 << 8
_EXEC = 1 << 13
_CONTEXTS = {-128: 1, -512: 2, -32: 3, -2048: 5, -2176: 4, -2560: 5}


class Sample(NamedTuple):
    """One sample; parts that a text does not tell are None. The stack is leaf first: places in files, or names."""

    event: int | str
    pid: int
    tid: int
    time: int
    cpu: int | None
    weight: int
    comm: str | None
    stack: Stack | None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def from_bytes(data: bytes, kind: str = "") -> Message:
    """Read a message of protobuf; fields that are not needed are left out."""
    message: Message = defaultdict(list)
    at, known = 0, _FIELDS[kind]
    value: Any
    while at < len(data):
        tag, at = _varint(data, at)
        name = known.get(tag >> 3)
        if tag & 7 == 0:
            value, at = _varint(data, at)
        elif tag & 7 == 2:
            size, at = _varint(data, at)
            part = data[at : at + size]
            at += size
            value = part.decode("utf-8", "surrogateescape") if name in _TEXTS else part
            if name in _FIELDS:
                value = from_bytes(part, name)
        else:
            at, value = at + (8 if tag & 7 == 1 else 4), None
        if name:
            message[name].append(value)
    return message


def from_text(text: str) -> Message:
    """Read a message of protobuf as text."""
    top: Message = defaultdict(list)
    open_ones = [top]
    for line in text.splitlines():
        name, colon, value = line.strip().partition(": ")
        if colon and value.startswith('"'):
            raw = codecs.escape_decode(value[1:-1].encode())[0]
            open_ones[-1][name].append(raw.decode("utf-8", "surrogateescape"))
        elif colon:
            open_ones[-1][name].append(int(value) if value.lstrip("-").isdigit() else value == "true")
        elif name.endswith("{"):
            inner: Message = defaultdict(list)
            open_ones[-1][name[:-2]].append(inner)
            open_ones.append(inner)
        elif name == "}":
            open_ones.pop()
    return top


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def one(message: Message, name: str, default: Any = 0) -> Any:
    """Return a field that is there once or not at all."""
    return message[name][0] if name in message else default


class Twin:
    """Replays the records of a recording."""

    def __init__(self, recording: Message) -> None:
        self.attrs = [one(part, "attr") for part in recording["file_attrs"]]
        self.ids = {id_: i for i, part in enumerate(recording["file_attrs"]) for id_ in part["ids"]}
        self.records = sorted(recording["events"], key=lambda event: one(event, "timestamp"))
        self.maps: dict[int, list[Map]] = defaultdict(list)
        self.comms: dict[int, str] = {0: "swapper"}
        self.replaced: set[int] = set()

    def samples(self) -> Iterator[Sample]:
        """Give the samples in the order of time."""
        for record in self.records:
            misc = one(one(record, "header"), "misc")
            if "sample_event" in record:
                yield self._sample(one(record, "sample_event"), misc)
            elif "mmap_event" in record:
                self._mmap(one(record, "mmap_event"), misc)
            elif "comm_event" in record:
                comm = one(record, "comm_event")
                self.comms[_signed(one(comm, "tid"))] = one(comm, "comm", "")
                if misc & _EXEC:
                    self.replaced.add(_signed(one(comm, "pid")))
            elif "fork_event" in record:
                self._fork(one(record, "fork_event"), misc)

    def _fork(self, fork: Message, misc: int) -> None:
        pid, ppid, tid, ptid = (_signed(one(fork, name)) for name in ("pid", "ppid", "tid", "ptid"))
        if tid == ptid:
            return
        self.comms[tid] = self._comm(ptid)
        if pid != ppid and pid == tid:
            self.maps[pid] = [] if misc & _EXEC else list(self.maps[ppid])

    def _comm(self, tid: int) -> str:
        return self.comms.get(tid, f":{tid}")

    def _mmap(self, mmap: Message, misc: int) -> None:
        mode, pid, path = misc & 7, _signed(one(mmap, "pid")), one(mmap, "filename", "")
        start, offset = one(mmap, "start"), one(mmap, "pgoff")
        if mode == 1:
            kernel = path.startswith("[kernel.kallsyms]")
            pid, path, offset = -1, "[kernel.kallsyms]" if kernel else path, start
        elif path.startswith(ANONYMOUS):
            path, offset = "anonymous", start
        elif path == "[vdso]":
            offset = 0
        if pid in self.replaced:
            self.replaced.remove(pid)
            self.maps[pid] = []
        self.maps[pid].append((start, start + one(mmap, "len"), offset, path))

    def _place(self, pid: int, address: int, mode: int) -> Frame:
        maps = self.maps[-1 if mode == 1 else pid] if mode in (1, 2) else ()
        for start, end, offset, path in reversed(maps):
            if start <= address < end:
                return path, address - start + offset
        beyond = mode == 1 and address >> 63 and any(part[3] == "[kernel.kallsyms]" for part in maps)
        return "[kernel.kallsyms]" if beyond else "", address

    def _stack(self, sample: Message, pid: int, misc: int) -> tuple[Frame, ...]:
        if not sample["callchain"]:
            return (self._place(pid, one(sample, "ip"), misc & 7),)
        frames, mode, innermost = [], 2, True
        for value in sample["callchain"]:
            context = value - (1 << 64)
            if context >= -4095:
                if context not in _CONTEXTS:
                    break
                mode, innermost = _CONTEXTS[context], True
                continue
            # A return address stands behind its call.
            frames.append(self._place(pid, value if innermost else (value - 1) % (1 << 64), mode))
            innermost = False
        return tuple(frames)

    def _sample(self, sample: Message, misc: int) -> Sample:
        event = self.ids.get(one(sample, "id"), 0) if len(self.attrs) > 1 else 0
        attr = self.attrs[event]
        pid, tid = (_signed(one(sample, name, -1)) for name in ("pid", "tid"))
        period = one(attr, "sample_period") if not one(attr, "freq") else 1
        weight = one(sample, "period") if one(attr, "sample_type") & _PERIOD else period
        time, cpu = one(sample, "sample_time_ns"), _signed(one(sample, "cpu", -1))
        return Sample(
            event, pid, tid, time, cpu, weight or 1, self._comm(tid), self._stack(sample, pid, misc)
        )


_SIMPLEPERF = re.compile(r"(.*)\t(\d+)/(\d+) \[(\d+)\] (\d+)\.(\d{6}): (\d+) (\S+):")


def simpleperf(text: str) -> Iterator[Sample]:
    """Give the samples of a text that simpleperf's `report_sample.py` printed, in microseconds."""
    for head in _SIMPLEPERF.finditer(text):
        comm, pid, tid, cpu, seconds, micros, period, event = head.groups()
        time = int(seconds) * 10**6 + int(micros)
        yield Sample(event, int(pid), int(tid), time, int(cpu), int(period), comm, None)


def _frame(line: str) -> str:
    """Return the name in a frame of perfparser's, empty if it is the kernel's or there is none."""
    symbol = line.rpartition("\t")[2].removesuffix(" (inlined)")
    name = symbol.strip().rsplit(" ", 2)
    return name[0] if len(name) == 3 and not symbol.endswith("[kernel]") else ""


def perfparser(text: str) -> Iterator[Sample]:
    """Give the samples of perfparser's text; it names the process at its end, and only some of the frames."""
    for block in re.split(r"\n(?=[^\t\n])", text):
        head, *lines = block.splitlines()
        _, pid, tid, time = head.rsplit("\t", 3)
        values, frames = [part.split("\n") for part in "\n".join(lines).split("\n\n", 1)]
        event, _, cost = values[0].strip().rpartition(": ")
        names = [name for line in frames if (name := _frame(line))]
        weight = int(cost) if cost.isdigit() else 1
        yield Sample(event, int(pid), int(tid), int(time.replace(".", "")), None, weight, None, tuple(names))

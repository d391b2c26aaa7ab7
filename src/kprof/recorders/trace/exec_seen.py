"""What other engines tell of a program that is executed, put together as rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from kprof.elf.btf_members import members_of
from kprof.elf.kernel_types import KernelTypes
from kprof.errors import NotAvailableError
from kprof.recorders.trace.decode import Row, words_of
from kprof.recorders.trace.evaluate import Raw, passes
from kprof.recorders.trace.plan import PlannedEvent
from kprof.recorders.trace.values import value_of
from kprof.wire import trace_events as wire

_MASK = (1 << 64) - 1
_COMM = 16
# What is told of it; all but the control group.
TOLD = frozenset(
    {
        "pid", "tid", "ppid", "uid", "gid", "cpu", "comm", "pcomm", "ret", "call", "filename", "args",
        "args_bytes", "cut", "cwd", "duration",
    }
)  # fmt: skip
# Members of the kernel's structures by which the programs find their way: where each lies, in bytes.
_MEMBERS = {
    "task_struct": ("mm", "fs", "real_parent", "tgid", "comm"),
    "mm_struct": ("arg_start", "arg_end"),
    "fs_struct": ("root", "pwd"),
    "dentry": ("d_parent", "d_name"),
    "qstr": ("name",),
    "vfsmount": ("mnt_root",),
    "mount": ("mnt_parent", "mnt_mountpoint", "mnt"),
    "path": ("mnt", "dentry"),
}


def offsets(types: KernelTypes) -> dict[str, int]:
    """Return where members lie that the programs need, as `STRUCTURE_MEMBER`, in bytes.

    Raises:
        NotAvailableError: The kernel does not tell.
    """
    btf = types.of()
    if btf is None:
        raise NotAvailableError(
            "this kernel does not tell its types (no /sys/kernel/btf/vmlinux)", "boot one that does"
        )
    found: dict[str, int] = {}
    for name, wanted in _MEMBERS.items():
        for member in members_of(btf, btf.structures[name]):
            if member.name in wanted:
                found.setdefault(f"{name}_{member.name}", member.offset // 8)
    return found


@dataclass(slots=True)
class ExecSeen:
    """A program that is executed, or could not be, as far as it was told.

    Attributes:
        numbers: Values by the names of fields.
        texts: Likewise.
        time_ns: When, in nanoseconds since 1970.
        words: Its arguments, each with a zero behind it.
        names: The directories of its working directory, from the last to the first.
        cut: Names of what is not complete.
        parts: What was told: arguments, directory, and the rest, which come in any order.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    time_ns: int = 0
    words: bytearray = field(default_factory=bytearray)
    names: list[bytes] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)

    def row(self, planned: PlannedEvent) -> Row | None:
        """Return it as a row; None if the filter leaves it out."""
        raw: dict[str, Raw] = {name: value & _MASK for name, value in self.numbers.items()}
        raw |= {name: value + b"\0" for name, value in self.texts.items()}
        raw["comm"] = self.texts.get("comm", b"").ljust(_COMM, b"\0")
        raw["cwd"] = b"".join(name + b"\0" for name in self.names)
        raw["args"] = bytes(self.words[: wire.TEXT])
        raw["cut"] = int("args" in self.cut)
        slots: list[Raw] = [None] * wire.MAX_FIELDS
        for name, number in planned.numbers.items():
            slots[number] = raw.get(name)
        if self.numbers["duration"] < int(planned.table["least"][0]) or not passes(planned.table, slots):
            return None
        values = {
            each.name: words_of(bytes(self.words))
            if each.form == "words"
            else value_of(each, raw.get(each.name))
            for each in planned.shown
        }
        cut = [name for name in values if name in self.cut]
        return Row(planned.event.name, self.time_ns, values, cut, self.numbers["pid"])


@dataclass(slots=True)
class Gathering:
    """Programs of which not all was told yet, by thread.

    Attributes:
        planned: The event.
        left_out: How many the filter left out.
    """

    planned: PlannedEvent
    left_out: int = 0
    _open: dict[int, ExecSeen] = field(default_factory=dict)

    def of(self, thread: int) -> ExecSeen:
        """Return what was told so far of what a thread executes."""
        return self._open.setdefault(thread, ExecSeen())

    def told(self, thread: int, part: str) -> Iterator[Row]:
        """Give the row if a part was the last one: `words`, `cwd`, `rest`."""
        seen = self.of(thread)
        seen.parts.add(part)
        if len(seen.parts) < 3:  # noqa: PLR2004 - those named above
            return
        del self._open[thread]
        row = seen.row(self.planned)
        if row is None:
            self.left_out += 1
        else:
            yield row

    @property
    def unfinished(self) -> int:
        """Of how many a part did not come."""
        return sum(bool(seen.parts) for seen in self._open.values())

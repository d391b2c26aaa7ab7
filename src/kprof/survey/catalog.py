"""All events of this host that fit a pattern."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from kprof.elf import ElfFile
from kprof.elf.functions import functions_of
from kprof.elf.kernel_types import KernelTypes
from kprof.elf.usdt import probes_of
from kprof.errors import KprofError
from kprof.recorders.bpf.binaries import open_binary
from kprof.survey.events import Event, Pattern, Verdict
from kprof.survey.other_engines import OtherEngines
from kprof.survey.reach import NEEDS_BPF, Reach
from kprof.survey.words import HARDWARE, MEANINGS, RECIPES
from kprof.system.event_formats import Field, fields_of
from kprof.system.kernel_functions import KernelFunctions
from kprof.system.perf_list import perf_events
from kprof.system.tracefs import tracepoint_format, tracepoints

_SYSCALL = re.compile(r"^syscalls:sys_(enter|exit)_(\w+)$")
_SYSCALL_FUNCTION = re.compile(r"^__(?:x64|arm64|riscv|s390x|ia32)_(?:compat_)?sys_(\w+)$")


class Catalog:
    """The events of this host.

    Args:
        binaries: Programs and libraries whose functions and probes are listed, too.
        root: Where the file system is.
        others: Verdicts of the engines beside libbpf; tried on this host if None.

    Attributes:
        notes: What could not be listed, and what to do about it.
    """

    def __init__(
        self, binaries: Sequence[str] = (), root: str = "/", others: OtherEngines | None = None
    ) -> None:
        self.notes: list[str] = []
        self._binaries, self._root = binaries, root
        self.functions = KernelFunctions(root)
        self.reach = Reach(self.functions, root=root)
        self._others = others or OtherEngines()
        self.types = KernelTypes(root)

    def matching(self, text: str) -> Iterator[Event]:
        """Give the events that fit a pattern, a kind after the other.

        Raises:
            UsageError: A binary is none, or cannot be read.
        """
        pattern = Pattern(text)
        yield from self._recipes(pattern)
        yield from self._perf(pattern)
        yield from self._tracepoints(pattern)
        yield from self._raw_tracepoints(pattern)
        for path in self._binaries:
            yield from self._of_binary(path, pattern)
        yield from self._functions(pattern)

    def _reach(
        self, name: str, kind: str, perf: Verdict, libbpf: Verdict, *, counts_tracers: bool = False
    ) -> Mapping[str, Verdict]:
        others = self._others.verdicts(name, kind, libbpf, counts_tracers=counts_tracers)
        return {"perf": perf, "libbpf": libbpf, **others}

    def _recipes(self, pattern: Pattern) -> Iterator[Event]:
        for name, what in RECIPES.items():
            if pattern.fits(name):
                verdict = self.reach.hook("samples")
                verdict = self.reach.tried(name) if verdict.reached else verdict
                perf = self.reach.perf(name, "recipe") if name == "on-cpu" else NEEDS_BPF
                yield Event(name, "recipe", what, self._reach(name, "recipe", perf, verdict))

    def _perf(self, pattern: Pattern) -> Iterator[Event]:
        listed = dict.fromkeys(HARDWARE, "hardware event") | dict(perf_events() or MEANINGS.items())
        for name, kind in listed.items():
            if pattern.fits(name):
                kind = kind if kind.endswith(" event") else "software event"  # noqa: PLW2901
                reach = self._reach(name, kind, self.reach.perf(name, kind), self.reach.planned(name))
                yield Event(name, kind, MEANINGS.get(name, HARDWARE.get(name, "")), reach)

    @cached_property
    def names(self) -> list[str]:
        """Names of the tracepoints."""
        try:
            return sorted(tracepoints(self._root))
        except KprofError as error:
            self.notes.append(f"no tracepoints are listed: {error}; {error.help_text}")
            return []

    def _tracepoints(self, pattern: Pattern) -> Iterator[Event]:
        for name in self.names:
            syscall = _SYSCALL.match(name)
            aliases = (syscall[2],) if syscall else ()
            if not pattern.fits(name, *aliases):
                continue
            fields = ", ".join(field.name for field in self.fields(name))
            if syscall:
                fields = fields.removeprefix("__syscall_nr, ")
                entry = f"{syscall[2]}({fields}) begins".replace("__syscall_nr", "")
                what = entry if syscall[1] == "enter" else f"{syscall[2]} returns ret"
            else:
                what = fields
            perf, libbpf = self.reach.perf(name, "tracepoint"), self.reach.hook("tracepoints")
            reach = self._reach(name, "tracepoint", perf, libbpf)
            yield Event(name, "syscall" if syscall else "tracepoint", what, reach, aliases)

    def fields(self, name: str) -> list[Field]:
        """Return the fields of a tracepoint, without those that all have."""
        try:
            found = fields_of(tracepoint_format(name, self._root))
        except ValueError:
            return []
        return [field for field in found if not field.name.startswith("common_")]

    def _raw_tracepoints(self, pattern: Pattern) -> Iterator[Event]:
        btf = self.types.of()
        twins = {name.partition(":")[2]: name for name in self.names}
        for name in sorted(btf.raw_tracepoints) if btf else ():
            if pattern.fits(f"raw_tp:{name}"):
                prototype = self.types.raw_prototype(name)
                what = prototype.spelled(name).partition(" ")[2] if prototype else ""
                what += f"; its fields: {twins[name]}" if name in twins else ""
                libbpf = self.reach.hook("raw tracepoints")
                reach = self._reach(f"raw_tp:{name}", "raw tracepoint", NEEDS_BPF, libbpf)
                yield Event(f"raw_tp:{name}", "raw tracepoint", what, reach)

    def _functions(self, pattern: Pattern) -> Iterator[Event]:
        def fits(name: str) -> bool:
            syscall = _SYSCALL_FUNCTION.match(name)
            return pattern.fits(f"kprobe:{name}", f"fentry:{name}", *((syscall[1],) if syscall else ()))

        for function in self.functions.matching(fits):
            prototype = self.types.prototype(function.name, function.module)
            what = prototype.spelled(function.name) if prototype else "a function without BTF"
            what += f"  [{function.module}]" if function.module else ""
            for hook, verdict in (
                ("kprobe", self.reach.kprobe(function.name)),
                ("fentry", self.reach.fentry(function.name, prototype)),
            ):
                name = f"{hook}:{function.name}"
                reach = self._reach(name, "kernel function", NEEDS_BPF, verdict)
                yield Event(name, "kernel function", what, reach)

    def _of_binary(self, path: str, pattern: Pattern) -> Iterator[Event]:
        elf = open_binary(path)
        for probe in probes_of(elf):
            name = f"usdt:{path}:{probe.provider}:{probe.name}"
            if pattern.fits(name):
                what = f"at {probe.address:#x}, {len(probe.arguments)} arguments"
                what += ", counts its tracers" if probe.semaphore else ""
                libbpf, counts = self.reach.hook("uprobe"), bool(probe.semaphore)
                reach = self._reach(name, "usdt probe", NEEDS_BPF, libbpf, counts_tracers=counts)
                yield Event(name, "usdt probe", what, reach)
        yield from self._user_functions(elf, path, pattern)

    def _user_functions(self, elf: ElfFile, path: str, pattern: Pattern) -> Iterator[Event]:
        for function in functions_of(elf):
            name = f"uprobe:{path}:{function.name}"
            if pattern.fits(name):
                what = f"{_demangled(function.name)}, {function.size:,} bytes"
                what += f", one of {function.namesakes} of this name" if function.namesakes > 1 else ""
                reach = self._reach(name, "function", NEEDS_BPF, self.reach.hook("uprobe"))
                yield Event(name, "function", what, reach)


def _demangled(name: str) -> str:
    from kprof._native._symbols import demangle  # noqa: PLC0415 - only where there are binaries

    return demangle(name.encode())[0].decode(errors="replace")

"""What is counted where, in a form that programs of other languages are written from.

Expressions are C over the fields of tracepoints (`args->name`), with `{tid}` for the thread at hand and
`{arg0}`, `{arg1}`, `{arg2}` for what a function is given: the least that bpftrace and C for BCC have in
common. No program looks into a structure of the kernel, so that none depends on its layout.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kprof.elf import ElfFile
from kprof.errors import NotAvailableError
from kprof.recorders.bpf.recipes import LIVE
from kprof.recorders.bpf.sources import (
    Hook,
    Kprobe,
    PerfEvent,
    Place,
    Places,
    RawTracepoint,
    Source,
    Tracepoint,
)
from kprof.wire import bpf_events as layout

# Each takes a program, and a file descriptor.
MOST_PLACES = 400
_BLOCKED = "(args->prev_state & 0xff) && !(args->prev_state & 0x30)"
_LOCK = "(uint64)args->lock_addr ^ ((uint64){tid} << 32)"
_WEIGHTS = {
    layout.ONE: ("1", ""),
    layout.FIRST: ("{arg0}", ""),
    layout.FIRST_TIMES_SECOND: ("{arg0} * {arg1}", ""),
    layout.SECOND: ("{arg1}", ""),
    layout.SECOND_IF_FIRST: ("{arg1}", "{arg0}"),
    layout.THIRD: ("{arg2}", ""),
}


@dataclass(frozen=True, slots=True)
class Count:
    """Something happens.

    Attributes:
        weight: What it weighs.
        when: Whether it counts; always if empty.
        called: Whether a function has just been entered, and has not made its frame.
    """

    weight: str = "1"
    when: str = ""
    called: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """An interval of the thread at hand begins, whose stacks are kept.

    Attributes:
        id: Tells it from others of its event.
        detail: What else keeps rows apart.
        bytes: What it will move.
        when: Whether it does; always if empty.
        stacks: Whether its stacks are those that count.
    """

    id: str
    detail: str = "0"
    bytes: str = "0"
    when: str = ""
    stacks: bool = True


@dataclass(frozen=True, slots=True)
class End:
    """An interval ends.

    Attributes:
        id: The one that began.
        here: Whether the thread at hand and its stacks count, and not those of the beginning.
    """

    id: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class KernelFunction:
    """A function of the kernel, at its start or its return, where it has room for a call.

    Attributes:
        symbol: Its name.
        returns: Whether its return counts, and not its call.
    """

    symbol: str
    returns: bool = False


@dataclass(frozen=True, slots=True)
class NamedTracepoint:
    """A tracepoint of the kernel.

    Attributes:
        name: `GROUP:NAME`.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Address:
    """An instruction of a program or a library.

    Attributes:
        path: The file.
        address: Where it stands, as the file's symbols tell it.
        place: What the plan knows of it.
        returns: Whether the return of the function that begins there counts, and not its call.
    """

    path: str
    address: int
    place: Place
    returns: bool


Where = PerfEvent | NamedTracepoint | RawTracepoint | Address | Kprobe | KernelFunction


@dataclass(frozen=True, slots=True)
class Probe:
    """A program.

    Attributes:
        where: What it is attached to.
        steps: What it does, in order.
    """

    where: Where
    steps: Sequence[Count | Begin | End]


def _pair(begin: str, end: str, identity: str, **how: str) -> list[Probe]:
    return [
        Probe(NamedTracepoint(begin), [Begin(identity, **how)]),  # type: ignore[arg-type]
        Probe(NamedTracepoint(end), [End(identity)]),
    ]


_REQUEST = "((uint64)args->dev << 48) ^ (uint64)args->sector"
# By the object of the libbpf engine, and its programs.
_RECIPES = {
    ("off_cpu", ("off_cpu",)): [
        Probe(
            NamedTracepoint("sched:sched_switch"),
            [
                Begin("(uint64){tid}", detail="args->prev_state & 0xff", when=_BLOCKED),
                End("(uint64)args->next_pid"),
            ],
        )
    ],
    ("wakeup", ("blocks", "wakes")): [
        Probe(NamedTracepoint("sched:sched_switch"), [Begin("(uint64){tid}", when=_BLOCKED, stacks=False)]),
        Probe(NamedTracepoint("sched:sched_waking"), [End("(uint64)args->pid", here=True)]),
    ],
    ("block_io", ("io_start", "io_done")): _pair(
        "block:block_io_start", "block:block_io_done", _REQUEST, bytes="args->bytes"
    ),
    ("block_io", ("rq_issue", "rq_complete")): _pair(
        "block:block_rq_issue", "block:block_rq_complete", _REQUEST, bytes="args->bytes"
    ),
    ("syscall", ("sys_enter", "sys_exit")): _pair(
        "raw_syscalls:sys_enter", "raw_syscalls:sys_exit", "(uint64){tid}", detail="args->id"
    ),
    ("lock", ("contention_begin", "contention_end")): _pair(
        "lock:contention_begin", "lock:contention_end", _LOCK, detail="args->flags"
    ),
    ("tcp", ("sends", "receives")): [
        Probe(
            NamedTracepoint(f"sock:sock_{way}_length"),
            [Count("args->ret", "args->protocol == 6 && args->ret > 0")],
        )
        for way in ("send", "recv")
    ],
}


def probes_of(source: Source) -> list[Probe]:
    """Return the programs of an event.

    Raises:
        NotAvailableError: Only the libbpf engine has it.
    """
    if source.file == LIVE or "waker" in source.programs:
        asked = "--live" if source.file == LIVE else "--waker"
        raise NotAvailableError(f"only the libbpf engine knows {asked}")
    if recipe := _RECIPES.get((source.file, tuple(source.programs))):
        return list(recipe)
    if source.target:
        returns = source.programs[0].startswith("fexit")
        return [Probe(KernelFunction(source.target, returns), [Count()])]
    if source.file == "kernel" and isinstance(source.hooks[0], RawTracepoint):
        return [Probe(source.hooks[0], [Count()])]
    if not source.hooks or source.file not in {"sample", "kernel"}:
        raise NotAvailableError(f"only the libbpf engine records {source.name} in this way")
    if source.places > MOST_PLACES:
        raise NotAvailableError(
            f"{source.name} is {source.places:,} places:"
            f" only the libbpf engine attaches to more than {MOST_PLACES}"
        )
    return [probe for hook in source.hooks for probe in _attached(source, hook)]


def _attached(source: Source, hook: Hook) -> Iterator[Probe]:
    if isinstance(hook, Places):
        elf = ElfFile.open(hook.path)
        for place in hook.places:
            weight, when = _WEIGHTS[place.weight]
            address = elf.offset_to_address(place.offset)
            if address is not None:
                where = Address(hook.path, address, place, hook.returns)
                yield Probe(where, [Count(weight, when, called=place.starts and not hook.returns)])
    elif isinstance(hook, Tracepoint):
        yield Probe(NamedTracepoint(source.name), [Count()])
    else:
        yield Probe(hook, [Count()])

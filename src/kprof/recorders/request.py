"""What is to be recorded, and what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kprof.errors import TargetError, UsageError
from kprof.system.cgroups import below_root
from kprof.system.process import find_program
from kprof.system.procfs import is_alive, name_of

CALL_GRAPHS = ("auto", "fp", "dwarf", "lbr")
# Of a stack, with each sample: what perf copies by itself.
STACK_BYTES = 8192
# The size of a record is told in 16 bits, and the kernel wants a multiple of 8.
_MOST_STACK_BYTES = 65528


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What to record. Exactly one kind of target is given.

    Attributes:
        pids: Processes, with all their threads and future children.
        tids: Threads.
        all_cpus: The whole host.
        cpus: CPUs as perf takes them: `0,2-3`.
        cgroup: A control group, below the root of its hierarchy.
        command: Program and arguments to start.
        comm: Only threads of this name; any if empty.
        inherit: Record the children of the processes, too.
        weight: What intervals weigh: `ns`, `bytes` or `count`; what is usual for them if empty.
        least: Shorter intervals, and smaller weights, are left out.
        waker: Join what wakes a blocked thread to its stack.
        live: Of memory that is allocated, count only what is not freed.
        timestamps: Keep the time and the CPU of every sample, rather than adding up equal ones.
        most: Longer intervals, and larger weights, are left out; None for no limit.
        frequency: Samples a second and CPU; None for the default.
        duration: Seconds; None until the target ends or a signal comes.
        events: Events as perf takes them; none for the default.
        engine: What loads BPF programs: `libbpf`, `bpftrace`, `bcc`, or `auto` for the first that can.
        call_graph: `fp`, `dwarf` or `lbr`; `auto` for what suits each process, where the backend can tell.
        stack_bytes: How much of a stack is copied, where it is.
        elevate: Command put before perf, such as `sudo`; empty to run it as we are.
        waits: The process of `pids` is about to become a command: what it has mapped so far does not count.
        hold: Called when all is ready, right before sampling begins: returns when it may.
        stdout_is_taken: The result goes to standard output: the command writes to standard error instead.
        title: The target in words, with the names that tasks have now: they may end, or be renamed.
    """

    pids: Sequence[int] = ()
    tids: Sequence[int] = ()
    all_cpus: bool = False
    cpus: str = ""
    cgroup: str = ""
    command: Sequence[str] = ()
    comm: str = ""
    inherit: bool = True
    weight: str = ""
    least: int = 0
    most: int | None = None
    waker: bool = False
    live: bool = False
    timestamps: bool = False
    frequency: int | None = None
    duration: float | None = None
    events: Sequence[str] = ()
    engine: str = "auto"
    call_graph: str = "auto"
    stack_bytes: int = STACK_BYTES
    elevate: Sequence[str] = ()
    waits: bool = False
    hold: Callable[[], None] | None = None
    stdout_is_taken: bool = False
    title: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self._title())

    @property
    def is_cpu_wide(self) -> bool:
        """Whether CPUs are sampled rather than tasks."""
        return self.all_cpus or bool(self.cpus) or bool(self.cgroup)

    def _title(self) -> str:
        if self.command:
            return " ".join(" ".join(self.command).split())
        if self.pids or self.tids:
            tasks = [("pid", pid) for pid in self.pids] + [("tid", tid) for tid in self.tids]
            names = [" ".join(name_of(task).split()) for _, task in tasks]
            return ", ".join(
                f"{name} ({kind} {task})" if name else f"{kind} {task}"
                for name, (kind, task) in zip(names, tasks, strict=True)
            )
        if self.cgroup:
            return f"cgroup {self.cgroup}"
        return f"CPUs {self.cpus}" if self.cpus else "all CPUs"

    def check(self) -> None:
        """Raise if this cannot be recorded.

        Raises:
            UsageError: No target, two targets, or a value out of range.
            TargetError: The target does not exist.
        """
        kinds = [self.pids, self.tids, self.all_cpus or self.cpus, self.cgroup, self.command]
        given = sum(map(bool, kinds))
        if given == 0:
            raise UsageError(
                "nothing to record", "give -p PID, -t TID, -a, -C CPUS, --cgroup PATH or -- COMMAND"
            )
        if given > 1:
            raise UsageError(
                "more than one kind of target", "give one of -p, -t, -a or -C, --cgroup, -- COMMAND"
            )
        if self.frequency is not None and not 1 <= self.frequency <= 100_000:  # noqa: PLR2004 - no kernel allows more
            raise UsageError(f"-F {self.frequency} is out of range", "99 and 997 are good choices")
        if self.duration is not None and self.duration <= 0:
            raise UsageError(f"-d {self.duration:g} is not a duration", "give seconds above 0")
        self._check_call_graph()
        for task in (*self.pids, *self.tids):
            if not is_alive(task):
                kind = "process" if self.pids else "thread"
                raise TargetError(
                    f"there is no {kind} {task}", "it may have ended; `pgrep -a NAME` finds processes"
                )
        if self.cgroup:
            below_root(self.cgroup)
        if self.command and not find_program(self.command[0]):
            raise TargetError(f"there is no command {self.command[0]}", "is it on PATH, and executable?")

    def _check_call_graph(self) -> None:
        if self.call_graph not in CALL_GRAPHS:
            raise UsageError(f"-g {self.call_graph} is not known", f"choose one of {', '.join(CALL_GRAPHS)}")
        if self.stack_bytes not in range(8, _MOST_STACK_BYTES + 1, 8):
            raise UsageError(
                f"--stack-size {self.stack_bytes} is not possible",
                f"give a multiple of 8 up to {_MOST_STACK_BYTES:,}",
            )


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recorder left.

    Attributes:
        path: The recording.
        facts: What is known of it, for the head of a report.
        event: The event that was asked for first, as the recording names it.
        command_status: Exit code of the command that was started (128 and the signal's number if one
            killed it), None if none was.
        interrupted: Whether a signal ended it.
    """

    path: str
    facts: dict[str, str] = field(default_factory=dict)
    event: str = ""
    command_status: int | None = None
    interrupted: bool = False

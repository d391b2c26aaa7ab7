"""`exec` by bpftrace: its program, and what it prints put together.

bpftrace reads 192 bytes at once and knows no loop but a short one, so that arguments come in pieces, up to
7,871 bytes; what it prints of other strings ends after 191 bytes. Each kind of line has a probe of its own,
for a probe has a stack of 512 bytes.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from kprof.elf.kernel_types import KernelTypes
from kprof.errors import NotAvailableError
from kprof.recorders.bpf.bpftrace.child import Bpftrace, Message, watch
from kprof.recorders.request import RecordRequest
from kprof.recorders.trace.decode import Row
from kprof.recorders.trace.exec_seen import ExecSeen, Gathering, offsets
from kprof.recorders.trace.plan import PlannedEvent
from kprof.system.cpus import chosen_cpus
from kprof.system.tools import Tool

_AT_ONCE = 192
# It reads the types of the kernel first, which takes minutes under emulation.
_PATIENCE = 400.0
_READY, _MARK = "ready", "mark"
_SUCCESS = "tracepoint:sched:sched_process_exec"
_FAILURES = "tracepoint:syscalls:sys_exit_execve", "tracepoint:syscalls:sys_exit_execveat"
_TEXTS = {"K": "comm", "Q": "pcomm", "F": "filename"}
_LOST_WORD = "\ufffd".encode()
_WORDS = """
  $at = (uint64)curtask->mm->arg_start; $end = (uint64)curtask->mm->arg_end; $i = 0;
  while ($i < 40) {{
    if ($at + {at_once} > $end) {{ break; }}
    printf("W %d %rx\\n", tid, buf(uptr($at), {at_once}));
    $at = $at + {at_once};
    $i++;
  }}
  if ($at + {at_once} > $end) {{ printf("W %d %rx\\n", tid, buf(uptr($at), $end - $at)); }}
  printf("V %d %lld\\n", tid, $end - (uint64)curtask->mm->arg_start);
"""
_FAILED_WORDS = """
  $i = 0;
  while ($i < 24) {{
    $word = *uptr((uint64 *)(@argv[tid] + 8 * $i));
    if ($word == 0) {{ break; }}
    printf("A %d %s\\n", tid, str(uptr((uint8 *)$word)));
    $i++;
  }}
  printf("V %d %lld\\n", tid, $i < 24 ? (int64)0 : (int64)-1);
"""
_CWD = """
  $entry = (uint64)curtask->fs->pwd.dentry; $mount = (uint64)curtask->fs->pwd.mnt;
  $top = (uint64)curtask->fs->root.dentry; $above = (uint64)curtask->fs->root.mnt; $i = 0; $ended = 0;
  while ($i < 24) {{
    if ($entry == $top && $mount == $above) {{ $ended = 1; break; }}
    $names = (struct dentry *)$entry;
    if ($entry == (uint64)((struct vfsmount *)$mount)->mnt_root) {{
      $whole = (struct mount *)($mount - {mount_mnt});
      $entry = (uint64)$whole->mnt_mountpoint;
      $mount = (uint64)$whole->mnt_parent + {mount_mnt};
    }} else {{
      printf("D %d %rx\\n", tid, buf($names->d_name.name, $names->d_name.len));
      $entry = (uint64)$names->d_parent;
    }}
    $i++;
  }}
  printf("C %d %d\\n", tid, $ended);
"""
_REST = """
  printf("K %d %s\\n", tid, comm);
  printf("Q %d %s\\n", tid, curtask->real_parent->comm);
  printf("F %d %s\\n", tid, str({filename}));
  printf("E %d %d %d %d %d %d %d %d %d %lld %lld\\n", tid, pid, {tid}, curtask->real_parent->tgid, uid,
         gid, cpu, {result}, @at[{tid}], nsecs, @begun[{tid}]);
  delete(@begun[{tid}]); delete(@file[{tid}]); delete(@argv[{tid}]); delete(@at[{tid}]);
"""


def program(scope: RecordRequest, tasks: Sequence[int], places: dict[str, int]) -> str:
    """Return the program.

    Args:
        scope: Whose programs.
        tasks: Processes or threads; all if there are none.
        places: See `kprof.recorders.trace.exec_seen.offsets`.

    Raises:
        NotAvailableError: bpftrace cannot tell whose they are.
    """
    condition = _condition(scope, tasks)
    ready = f'interval:ms:20 /!@ready{{0}}/ {{{{ @ready{{0}} = 1; printf("{_READY}\\n"); }}}}'
    lines = [ready.format(1), watch(os.getpid())]
    lines.append(f'tracepoint:task:task_rename /pid == {os.getpid()}/ {{ printf("{_MARK}\\n"); }}')
    if tasks:
        keep = " ".join(f"@task[{task}] = 1;" for task in tasks)
        lines.append(f"BEGIN {{ {keep} }}")
    if tasks and not scope.tids:
        lines.append("tracepoint:sched:sched_process_fork /@task[pid]/ { @task[args->child_pid] = 1; }")
        # Not at its exit: a first thread may exit while another one executes a program in its place.
        lines.append("tracepoint:sched:sched_process_free /@task[args->pid]/ { delete(@task[args->pid]); }")
    for at, call in enumerate(("execve", "execveat")):
        lines.append(
            f"tracepoint:syscalls:sys_enter_{call} {{ @begun[tid] = nsecs; @at[tid] = {at};"
            " @file[tid] = (uint64)args->filename; @argv[tid] = (uint64)args->argv; }"
        )
    probe = f"{_SUCCESS} /{condition}/ {{{{{{body}}}}}}"
    success = _REST.format(filename="args->filename", tid="args->old_pid", result="0")
    words = _WORDS.format(at_once=_AT_ONCE)
    cwd = _CWD.format(**places)
    lines += [probe.format(body=body) for body in (words, cwd, success)]
    failed = ", ".join(f"{each}" for each in _FAILURES)
    rest = _REST.format(filename="uptr((uint8 *)@file[tid])", tid="tid", result="args->ret")
    for body in (_FAILED_WORDS.format(), cwd, rest):
        lines.append(f"{failed} /args->ret < 0 && {condition}/ {{{body}}}")
    # It notices a signal when it has something to read.
    lines.append('interval:ms:250 { printf("tick\\n"); }')
    return "\n".join([*lines, ready.format(2), ""])


def _condition(scope: RecordRequest, tasks: Sequence[int]) -> str:
    if scope.cgroup:
        raise NotAvailableError(
            "bpftrace does not know which control groups are below another", "use --engine libbpf"
        )
    parts = [f"pid != {os.getpid()}"]
    if tasks:
        parts.append("@task[tid]" if scope.tids else "@task[pid]")
    if scope.comm:
        parts.append('comm == "{}"'.format(scope.comm[:15].replace("\\", "\\\\").replace('"', '\\"')))
    if scope.cpus:
        parts.append("({})".format(" || ".join(f"cpu == {cpu}" for cpu in chosen_cpus(scope.cpus))))
    return " && ".join(parts)


class BpftraceExec:
    """What bpftrace tells of programs that are executed.

    Args:
        tool: bpftrace.
        scope: Whose programs.
        planned: The event.
    """

    def __init__(self, tool: Tool, scope: RecordRequest, planned: PlannedEvent) -> None:
        self._tool, self._scope = tool, scope
        self._gathering = Gathering(planned)
        self._stack = ExitStack()
        self._came: list[Message] = []
        self._lost = 0
        # bpftrace counts from the start of the kernel, time in suspend included.
        self._since = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    @property
    def descriptors(self) -> Sequence[int]:
        """None: a thread takes what it prints."""
        return ()

    def close(self) -> None:
        """End it."""
        self._stack.close()

    def load(self, tasks: Sequence[int], folder: str) -> None:
        """Write the program.

        Raises:
            NotAvailableError: bpftrace cannot do it.
        """
        self._text, self._folder = program(self._scope, tasks, offsets(KernelTypes())), folder

    def attach(self) -> None:
        """Start it; all of it is attached when this returns.

        Raises:
            NotAvailableError: bpftrace, or the kernel, refuses.
        """
        self._child = self._stack.enter_context(
            Bpftrace(
                self._tool, self._text, self._folder,
                variables={"BPFTRACE_STRLEN": str(_AT_ONCE), "BPFTRACE_PERF_RB_PAGES": "256"},
            )
        )  # fmt: skip
        self._came = self._child.wait_for(_READY, times=2, seconds=_PATIENCE)

    def rows(self) -> Iterator[Row]:
        """Give what came."""
        came, self._came = self._came, []
        for message in (*came, *self._child.messages()):
            if message.kind == "lost_events":
                self._lost += int(message.data["events"])
            elif message.kind == "printf" and message.data[1:2] == " ":
                yield from self._take(message.data.removesuffix("\n"))

    def _take(self, line: str) -> Iterator[Row]:
        kind, _, rest = line.partition(" ")
        number, _, rest = rest.partition(" ")
        if not number:
            return
        thread = int(number)
        seen = self._gathering.of(thread)
        if kind == "V":
            whole = int(rest)
            seen.numbers["args_bytes"] = whole if whole > 0 else len(seen.words)
            if whole < 0 or len(seen.words) < whole:
                seen.cut.add("args")
            yield from self._gathering.told(thread, "words")
        elif kind == "C":
            if rest == "0":
                seen.cut.add("cwd")
            yield from self._gathering.told(thread, "cwd")
        elif kind == "E":
            names = ("pid", "tid", "ppid", "uid", "gid", "cpu", "ret", "call")
            *numbers, now, begun = map(int, rest.split())
            seen.numbers |= dict(zip(names, numbers, strict=True))
            seen.numbers["duration"] = now - begun if begun else 0
            seen.time_ns = now + self._since
            yield from self._gathering.told(thread, "rest")
        else:
            _add(seen, kind, rest)

    def detach(self) -> None:
        """Stop it, when it has printed what came so far: it drops what it has not read.

        It reads the buffers of all CPUs in turn, so that what came before the first mark is read before the
        second one.
        """
        for _ in range(2):
            # To rename itself, even to its own name, is a tracepoint that only we fire here.
            name = Path("/proc/thread-self/comm")
            name.write_bytes(name.read_bytes().rstrip(b"\n"))
            self._came += self._child.wait_for(_MARK)
        self._came += self._child.stop()

    def account(self) -> tuple[int, dict[str, int]]:
        """Return how many the filter left out, and how many lines and events were lost."""
        lost = {"lines that bpftrace lost": self._lost, "a part did not come": self._gathering.unfinished}
        return self._gathering.left_out, {cause: count for cause, count in lost.items() if count}


def _add(seen: ExecSeen, kind: str, rest: str) -> None:
    """Add a piece, or a text that ends where bpftrace's do."""
    text = rest.encode(errors="surrogateescape")
    is_cut = len(text) >= _AT_ONCE - 1
    if kind == "W":
        seen.words += _bytes(rest)
    elif kind == "D":
        seen.names.append(_bytes(rest))
    elif kind == "A":
        # One that is empty may be one that could not be read.
        seen.words += (text or _LOST_WORD) + b"\0"
        seen.cut |= {"args"} if is_cut or not text else set()
    elif kind in _TEXTS:
        seen.texts[_TEXTS[kind]] = text
        seen.cut |= {_TEXTS[kind]} if is_cut else set()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))

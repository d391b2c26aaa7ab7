"""kprof record with the real perf on this kernel."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KPROF = [sys.executable, "-m", "kprof"]
BUSY = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: sum(range(2000))"
NOBODY = 65534


def kprof(*arguments, cwd, **options):
    return subprocess.run(
        [*KPROF, *arguments], cwd=cwd, check=False, capture_output=True, text=True, timeout=120, **options
    )


@pytest.fixture
def busy():
    process = subprocess.Popen([sys.executable, "-c", BUSY.format(60)])
    time.sleep(0.3)
    yield process
    process.kill()
    process.wait()


def weights(path):
    lines = [line.rpartition(" ") for line in Path(path).read_text(errors="surrogateescape").splitlines()]
    return {stack: int(weight) for stack, _, weight in lines}


def samples_kept(done):
    return int(re.search(r"([\d,]+) kept", done.stderr)[1].replace(",", ""))


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_running_process(tmp_path, busy):
    before = cpu_seconds(busy.pid)
    done = kprof("record", "-p", str(busy.pid), "-d", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    used = cpu_seconds(busy.pid) - before
    stacks = weights(tmp_path / "out.folded")
    # Its C functions are there, and the kernel's, as they are called.
    assert any("PyEval" in stack or "Py" in stack.rpartition(";")[2] for stack in stacks)
    # It ran a little before and after the recording as well, and other programs share the CPUs.
    assert 0.3 * used * 997 < samples_kept(done) < 1.1 * used * 997
    assert sum(stacks.values()) == pytest.approx(samples_kept(done) / 997 * 1e9, rel=0.02)


def test_one_thread(tmp_path, busy):
    done = kprof("record", "-t", str(busy.pid), "-d", "0.5", "-o", "x.folded", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert weights(tmp_path / "x.folded")


def test_the_whole_host_and_one_cpu(tmp_path, busy):
    done = kprof("record", "-a", "-d", "0.6", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert samples_kept(done) < 99 * 2 * (os.cpu_count() or 1)
    done = kprof("record", "-C", "0", "-d", "0.6", "-o", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert " " in done.stdout.splitlines()[0]


def test_a_command_gives_its_exit_code(tmp_path):
    done = kprof(
        "record", "--", sys.executable, "-c", BUSY.format(0.5) + "\nraise SystemExit(7)", cwd=tmp_path
    )
    assert done.returncode == 7, done.stderr
    assert weights(tmp_path / "out.folded")


def test_a_command_killed_by_a_signal(tmp_path):
    code = BUSY.format(0.3) + "\nimport os; os.kill(os.getpid(), 9)"
    done = kprof("record", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 128 + 9, done.stderr
    assert weights(tmp_path / "out.folded")


def test_a_command_keeps_its_streams(tmp_path):
    code = BUSY.format(0.2) + "\nimport sys; print(sys.stdin.read()); print('oops', file=sys.stderr)"
    done = kprof("record", "--", sys.executable, "-c", code, cwd=tmp_path, input="hello")
    assert done.stdout == "hello\n"
    assert "oops\n" in done.stderr


def test_children_are_recorded(tmp_path):
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY.format(0.5)!r}])"
    done = kprof("record", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert samples_kept(done) > 50, done.stderr


def test_the_end_of_the_time_ends_the_command(tmp_path):
    start = time.monotonic()
    done = kprof("record", "-d", "1", "--", "sh", "-c", "while :; do :; done", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - start < 30
    assert weights(tmp_path / "out.folded")


def test_the_end_of_the_target_ends_the_recording(tmp_path):
    target = subprocess.Popen([sys.executable, "-c", BUSY.format(4)])
    time.sleep(0.2)
    recorder = subprocess.Popen(
        [*KPROF, "record", "-p", str(target.pid)], cwd=tmp_path, stderr=subprocess.PIPE
    )
    target.wait()
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert weights(tmp_path / "out.folded")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_keeps_what_was_recorded(tmp_path, busy, number):
    recorder = subprocess.Popen([*KPROF, "record", "-p", str(busy.pid)], cwd=tmp_path, stderr=subprocess.PIPE)
    time.sleep(4)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert weights(tmp_path / "out.folded")


def test_a_second_signal_aborts_and_says_where_the_data_is(tmp_path, busy):
    tool = tmp_path / "perf"
    tool.write_text(SLOW_PERF.format(perf=_which("perf")))
    tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    recorder = subprocess.Popen(
        [*KPROF, "record", "-p", str(busy.pid)], cwd=tmp_path, stderr=subprocess.PIPE, env=environment
    )
    time.sleep(2)
    for _ in range(2):
        recorder.send_signal(signal.SIGINT)
        time.sleep(0.5)
    _, errors = recorder.communicate(timeout=60)
    path = re.search(rb"the raw data, perhaps not whole, is in (\S+)", errors)
    assert recorder.returncode == 130, errors
    assert Path(os.fsdecode(path[1])).exists()
    assert not (tmp_path / "out.folded").exists()


# A perf that takes its time to finish: there is no other way to be sure that the second signal is in time.
SLOW_PERF = """#!/bin/sh
trap 'sleep 5' INT
{perf} "$@" &
wait
sleep 5
"""


def _which(name):
    return subprocess.run(
        ["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_tracepoints_count_every_time(tmp_path):
    done = kprof(
        "record", "-e", "syscalls:sys_enter_getppid", "--",
        sys.executable, "-c", "import os\nfor _ in range(2345): os.getppid()", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == 2345


def test_several_events_are_never_added_up(tmp_path):
    done = kprof(
        "record", "-e", "cpu-clock", "-e", "sched:sched_switch,page-faults", "--keep-data", "--",
        sys.executable, "-c", BUSY.format(0.5) + "\ntime.sleep(0.01)", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "left out by event sched:sched_switch" in done.stderr
    assert sum(weights(tmp_path / "out.folded").values()) == pytest.approx(5e8, rel=0.95)
    again = kprof("fold", "-e", "sched:sched_switch", "out.data", "-q", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "__schedule" in again.stdout


def test_the_first_event_is_found_whatever_stands_beside_it(tmp_path):
    done = kprof(
        "record", "-e", "cpu-clock:u", "-e", "sched:sched_switch", "--",
        sys.executable, "-c", BUSY.format(0.3), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "cpu-clock-u" in done.stderr


def test_a_rate_on_a_tracepoint_keeps_its_weights(tmp_path):
    done = kprof(
        "record", "-F", "100", "-e", "syscalls:sys_enter_getppid", "--",
        sys.executable, "-c", "import os\nfor _ in range(400_000): os.getppid()", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # Few samples, each of which stands for many calls.
    assert samples_kept(done) < 100_000
    assert sum(weights(tmp_path / "out.folded").values()) > 10 * samples_kept(done)


def test_standard_output_holds_the_result_alone(tmp_path):
    code = "print('mine', flush=True)\n" + BUSY.format(0.3)
    done = kprof("record", "-o", "-", "--", sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mine\n" in done.stderr
    assert all(re.fullmatch(r".+ \d+", line) for line in done.stdout.splitlines())


STUBBORN = "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass"
GRACEFUL = """import signal, sys
def end(number, frame):
    print(number, flush=True)
    sys.exit(3)
for n in (2, 15): signal.signal(n, end)
while True: pass
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_reaches_the_command(tmp_path, number):
    recorder = subprocess.Popen(
        [*KPROF, "record", "--", sys.executable, "-c", GRACEFUL],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    time.sleep(2)
    recorder.send_signal(number)
    output, errors = recorder.communicate(timeout=60)
    assert (recorder.returncode, output) == (3, b"%d\n" % number), errors
    assert weights(tmp_path / "out.folded")


def test_no_command_outlives_us(tmp_path):
    recorder = subprocess.Popen(
        [*KPROF, "record", "--", sys.executable, "-c", STUBBORN],
        cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    time.sleep(2)
    for _ in range(2):
        recorder.send_signal(signal.SIGINT)
        time.sleep(1)
    # Its end closes the pipe, which the command holds as well.
    recorder.communicate(timeout=60)
    assert recorder.returncode in {130, 128 + 9}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_abort_while_writing_says_where_the_data_is(tmp_path, busy, number):
    """Writing goes on for as long as nobody reads: the pipe is full from the start."""
    reading, writing = os.pipe()
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, bytes(size))
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    recorder = subprocess.Popen(
        [*KPROF, "record", "-p", str(busy.pid), "-d", "0.5", "-o", "-"],
        cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(writing)
    deadline = time.monotonic() + 60
    waits = Path(f"/proc/{recorder.pid}/wchan")
    while "pipe_write" not in waits.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    os.close(reading)
    assert recorder.returncode == 130, errors
    path = re.search(rb"the raw data is in (\S+)", errors)
    assert Path(os.fsdecode(path[1])).stat().st_size > 1000


@pytest.fixture
def small_disk(tmp_path):
    """A file system that is full soon."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_a_full_disk_while_recording(tmp_path, small_disk, busy):
    environment = {**os.environ, "TMPDIR": str(small_disk)}
    done = kprof(
        "record", "-g", "dwarf", "-F", "4999", "-p", str(busy.pid), "-d", "2", cwd=tmp_path, env=environment
    )
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert not (tmp_path / "out.folded").exists()


def test_a_full_disk_while_writing_keeps_what_was_recorded(tmp_path, small_disk, busy):
    (small_disk / "ballast").write_bytes(bytes(400_000))
    page = small_disk / "page.html"
    done = kprof("record", "-p", str(busy.pid), "-d", "0.5", "-o", str(page), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    path = re.search(r"the raw data is in ([^;\s]+)", done.stderr)
    assert Path(path[1]).exists()
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    shutil.rmtree(Path(path[1]).parent)


def test_a_cgroup(tmp_path):
    root = Path("/sys/fs/cgroup/unified")
    root = root if root.is_dir() else Path("/sys/fs/cgroup")
    group = root / f"kprof-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"cannot make a cgroup: {error}")
    process = subprocess.Popen([sys.executable, "-c", BUSY.format(60)])
    try:
        (group / "cgroup.procs").write_text(str(process.pid))
        for name in (group.name, str(group)):
            done = kprof(
                "record", "--cgroup", name, "-e", "cpu-clock,page-faults", "-d", "1", "--force", cwd=tmp_path
            )
            assert done.returncode == 0, done.stderr
            assert {stack.partition(";")[0] for stack in weights(tmp_path / "out.folded")} <= {
                "python",
                "python3",
            }
    finally:
        process.kill()
        process.wait()
        group.rmdir()


def test_dwarf_stacks_reach_the_start(tmp_path):
    code = BUSY.format(0.4)
    done = kprof("record", "-g", "dwarf", "-F", "199", "--", "/usr/bin/python3", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    stacks = weights(tmp_path / "out.folded")
    reaching = sum(weight for stack, weight in stacks.items() if ";_start;" in stack)
    assert reaching > 0.8 * sum(stacks.values())


def test_raw_data_and_page(tmp_path, busy):
    done = kprof("record", "-p", str(busy.pid), "-d", "0.5", "-o", "raw.data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "raw.data").read_bytes()[:8] == b"PERFILE2"
    done = kprof("record", "-p", str(busy.pid), "-d", "0.5", "-o", "page.html", "--keep-data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cpu-clock" in (tmp_path / "page.html").read_text()
    assert (tmp_path / "page.data").exists()


def test_nothing_is_overwritten_unasked(tmp_path):
    (tmp_path / "out.folded").write_text("mine")
    done = kprof("record", "--", "true", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "out.folded").read_text()) == (2, "mine")
    assert "--force" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-p", "4194304"], 2, "there is no process 4194304"),
        (["-p", "x"], 2, "not an id"),
        (["-p", "1", "-a"], 2, "more than one kind of target"),
        ([], 2, "nothing to record"),
        (["-e", "nonsense", "-a", "-d", "1"], 2, "perf does not know the event nonsense"),
        (["-e", "sched:nothing", "-a", "-d", "1"], 2, "perf does not know the event sched:nothing"),
        (["--backend", "perf", "-e", "off-cpu", "-a"], 3, "bpf backend"),
        (["-g", "lbr", "-a", "-d", "1"], 3, "branch records"),
        (["-F", "0", "-a"], 2, "out of range"),
        (["-d", "0", "-a"], 2, "not a duration"),
        (["-o", "out.xyz", "-a"], 2, "cannot tell a format"),
        (["-o", "/nowhere/out.folded", "-a"], 1, "not a directory"),
        (["--", "no-such-command"], 2, "there is no command no-such-command"),
        (["-d", "0.3", "-e", "minor-faults", "--", "sleep", "5"], 0, "kept"),
        (["--cgroup", "no/such/group", "-d", "0.3"], 2, "cgroup"),
    ],
)
def test_one_line_and_the_right_exit_code(tmp_path, arguments, code, says):
    done = kprof("record", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert not list(tmp_path.iterdir())


def test_a_sleeping_target_has_no_samples(tmp_path):
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        done = kprof("record", "-p", str(sleeper.pid), "-d", "0.3", cwd=tmp_path)
    finally:
        sleeper.kill()
        sleeper.wait()
    assert done.returncode == 1
    assert "no samples" in done.stderr
    assert not list(tmp_path.iterdir())


def as_nobody(*arguments, cwd):
    command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *KPROF, *arguments]
    return subprocess.run(
        command,
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": "/tmp"},
    )


@pytest.fixture
def public(tmp_path_factory):
    """A directory that nobody may write to, reached through directories that nobody may enter."""
    if not os.access(sys.executable, os.X_OK) or not _nobody_can_run():
        pytest.skip("nobody cannot reach this Python, which lies in another user's home")
    path = Path("/tmp") / f"kprof-nobody-{os.getpid()}"
    path.mkdir()
    os.chown(path, NOBODY, NOBODY)
    yield path
    subprocess.run(["rm", "-rf", path], check=True)


def _nobody_can_run():
    return as_nobody("--version", cwd="/").returncode == 0


def paranoid():
    return int(Path("/proc/sys/kernel/perf_event_paranoid").read_text())


def test_an_unprivileged_user_gets_user_code_only(public):
    if paranoid() != 2:
        pytest.skip(f"perf_event_paranoid is {paranoid()}, the message is about 2")
    done = as_nobody(
        "record", "--", "/bin/sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", cwd=public
    )
    assert done.returncode == 0, done.stderr
    assert "perf_event_paranoid is 2: recording user code only" in done.stderr
    assert "do_syscall_64" not in (public / "out.folded").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-a", "-d", "1"], "sampling whole CPUs is not permitted: kernel.perf_event_paranoid is 2"),
        (["-e", "sched:sched_switch", "--", "true"], "recording tracepoints is not permitted"),
        (["-p", "1", "-d", "1"], "sampling a process of another user needs CAP_PERFMON"),
    ],
)
def test_what_is_not_permitted_is_explained(public, arguments, says):
    if paranoid() != 2:
        pytest.skip(f"perf_event_paranoid is {paranoid()}, the message is about 2")
    done = as_nobody("record", *arguments, cwd=public)
    assert done.returncode == 3, done.stderr
    assert says in done.stderr
    assert "--root" in done.stderr

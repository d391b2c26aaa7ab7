"""kprof record --root: only perf runs through sudo, and everything that is left belongs to the user."""

import os
import pty
import pwd
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import kprof

BUSY = "dd if=/dev/zero of=/dev/null bs=1 count={} 2>/dev/null"
COMMAND = ["sh", "-c", f"id -u > who; {BUSY.format(500_000)}; exit 5"]
ENDLESS = ["sh", "-c", "while :; do " + BUSY.format(10_000) + "; done"]
# Opens directories such as /root for what lies in them and is needed, and for this process only.
OPEN = """
set -eu
while [ "$1" != -- ]; do
    closed=$1 stash=$2
    shift 2
    mount --bind "$closed" "$stash"
    mount -t tmpfs -o mode=755 none "$closed"
    while [ "$1" != , ]; do
        mkdir -p "$1"
        mount --bind "$stash/${1#"$closed"}" "$1"
        shift
    done
    shift
done
shift
exec "$@"
"""


def _why_not():
    if os.geteuid() != 0:
        return "only root can make a user and a rule for sudo"
    missing = [
        tool for tool in ("sudo", "visudo", "useradd", "setpriv", "unshare", "perf") if not shutil.which(tool)
    ]
    return f"needs {', '.join(missing)}" if missing else ""


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())


class Account:
    """A user of this machine.

    Attributes:
        name: Their name.
        uid: Their number.
        home: Where they work; theirs.
        temporary: Their TMPDIR.
        log: What sudo did for them.
    """

    def __init__(self, name, home):
        self.name, self.uid, self.home = name, pwd.getpwnam(name).pw_uid, home
        self.temporary, self.log = home / "tmp", home.with_suffix(".log")
        self.work = home / "work"
        for path in (home, self.temporary, self.work):
            path.mkdir(exist_ok=True)
            os.chown(path, self.uid, self.uid)

    def command(self, *arguments):
        line = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups", *arguments]
        opened = _opened(self.home)
        return ["unshare", "--mount", "sh", "-c", OPEN, "sh", *opened, "--", *line] if opened else line

    @property
    def options(self):
        environment = {**os.environ, "HOME": str(self.home), "TMPDIR": str(self.temporary), "USER": self.name}
        return {"cwd": self.work, "env": environment}

    def start(self, *arguments, **options):
        return subprocess.Popen(self.command(*arguments), **self.options, **options)

    def record(self, *arguments):
        line = self.command(sys.executable, "-m", "kprof", "record", "--root", *arguments)
        return subprocess.run(
            line,
            **self.options,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    def ran_as_root(self):
        """Programs that sudo ran, and what they were told to do first."""
        text = self.log.read_text() if self.log.exists() else ""
        return [tuple(command.split()[:2]) for command in re.findall(r"COMMAND=(.*)", text)]


def _opened(home):
    """Arguments of OPEN: each directory that others may not enter, a place for it, what is needed of it, a comma."""
    source = Path(kprof.__file__).resolve().parents[2]
    needed = {Path(path).resolve() for path in (sys.prefix, sys.base_prefix, source)}
    by_closed = {}
    for path in needed:
        closed = [parent for parent in path.parents if not parent.stat().st_mode & 0o001]
        if closed:
            by_closed.setdefault(closed[-1], set()).add(path)
    arguments = []
    for number, (closed, paths) in enumerate(by_closed.items()):
        stash = home.parent / f"stash{number}"
        stash.mkdir(exist_ok=True)
        arguments += [closed, stash, *sorted(paths), ","]
    return list(map(str, arguments))


@contextmanager
def account(base, name):
    subprocess.run(
        ["useradd", "--no-create-home", "--home-dir", base / name, "--user-group", name], check=True
    )
    try:
        yield Account(name, base / name)
    finally:
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


@pytest.fixture(scope="module")
def base():
    path = Path("/tmp") / f"kprof-root-{os.getpid()}"
    path.mkdir()
    yield path
    subprocess.run(["rm", "-rf", path], check=True)


@pytest.fixture(scope="module")
def granted(base):
    """A user who may run everything as root, without a password."""
    name = f"kprof-yes-{os.getpid()}"
    rule = Path("/etc/sudoers.d", name)
    with account(base, name) as user:
        # Checked first: a faulty rule would lock everybody out of sudo.
        draft = base / "rule"
        draft.write_text(
            f"Defaults:{name} logfile={user.log}, loglinelen=0, !syslog\n{name} ALL=(root) NOPASSWD: ALL\n"
        )
        subprocess.run(["visudo", "-c", "-q", "-f", draft], check=True)
        draft.chmod(0o440)
        try:
            shutil.copy(draft, rule)
            yield user
        finally:
            rule.unlink(missing_ok=True)


@pytest.fixture
def user(granted):
    """The user, with nothing left of the test before."""
    granted.log.unlink(missing_ok=True)
    yield granted
    for path in granted.work.iterdir():
        path.unlink()


@pytest.fixture
def busy(user):
    process = user.start(*ENDLESS)
    time.sleep(0.3)
    yield process
    process.kill()
    process.wait()


def weights(path):
    lines = [line.rpartition(" ") for line in Path(path).read_text(errors="surrogateescape").splitlines()]
    return {stack: int(weight) for stack, _, weight in lines}


def assert_kernel_is_seen(path):
    assert any(";do_syscall_64;" in stack and ";vfs_" in stack for stack in weights(path))


def assert_clean(user):
    """Everything there is the user's, no raw data is left, and only perf was root."""
    owners = {path: path.lstat().st_uid for path in user.home.rglob("*")}
    assert set(owners.values()) == {user.uid}, owners
    assert not list(user.temporary.iterdir())
    ran = user.ran_as_root()
    assert ("/usr/bin/perf", "record") in ran
    assert {Path(program).name for program, _ in ran} <= {"perf", "cat"}, ran
    assert all(what == "/proc/kallsyms" for program, what in ran if Path(program).name == "cat")


def test_a_command(user):
    done = user.record("--", *COMMAND)
    assert done.returncode == 5, done.stderr
    assert (user.work / "who").read_text() == f"{user.uid}\n"
    assert "user code only" not in done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_a_process(user, busy):
    done = user.record("-p", str(busy.pid), "-d", "1")
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_a_process_of_root(user):
    process = subprocess.Popen(ENDLESS)
    try:
        done = user.record("-p", str(process.pid), "-d", "1")
    finally:
        process.kill()
        process.wait()
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_the_whole_host(user, busy):
    done = user.record("-a", "-d", "1")
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_a_tracepoint(user):
    done = user.record("-e", "syscalls:sys_enter_getppid", "--",
                       sys.executable, "-c", "import os\nfor _ in range(1234): os.getppid()")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sum(weights(user.work / "out.folded").values()) == 1234
    assert_clean(user)


def test_raw_data_is_the_users(user):
    done = user.record("-o", "x.data", "--", *COMMAND)
    assert done.returncode == 5, done.stderr
    assert (user.work / "x.data").read_bytes()[:8] == b"PERFILE2"
    assert_clean(user)
    # Read without root: the recording is theirs to open.
    line = user.command(sys.executable, "-m", "kprof", "fold", "x.data", "-o", "x.folded")
    folded = subprocess.run(line, **user.options, check=False, capture_output=True, text=True, timeout=60)
    assert folded.returncode == 0, folded.stderr
    assert weights(user.work / "x.folded")


def test_a_page_and_the_data_beside_it(user):
    done = user.record("-o", "x.html", "--keep-data", "--", *COMMAND)
    assert done.returncode == 5, done.stderr
    assert (user.work / "x.data").read_bytes()[:8] == b"PERFILE2"
    assert (
        "do_syscall_64" in (user.work / "x.html").read_text()
        or (user.work / "x.html").stat().st_size > 100_000
    )
    assert_clean(user)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_an_elevated_perf(user, busy, number):
    recorder = user.start(
        sys.executable, "-m", "kprof", "record", "--root", "-p", str(busy.pid),
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(3)
    recorder.send_signal(number)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert_kernel_is_seen(user.work / "out.folded")
    assert sum(weights(user.work / "out.folded").values()) > 5e7
    assert_clean(user)
    assert not _perfs_of(user)


def test_a_second_signal_aborts_an_elevated_perf(user, busy, base):
    # A perf that takes its time to finish: there is no other way to be sure that the second signal is in time.
    tools = base / "slow"
    tools.mkdir()
    tool = tools / "perf"
    tool.write_text(f"#!/bin/sh\ntrap '' INT\n{shutil.which('perf')} \"$@\"\nexec sleep 40\n")
    tool.chmod(0o755)
    line = [sys.executable, "-m", "kprof", "record", "--root", "-p", str(busy.pid)]
    recorder = user.start("env", f"PATH={tools}:{os.environ['PATH']}", *line, stderr=subprocess.PIPE)
    begun = time.monotonic()
    for _ in range(2):
        time.sleep(3)
        recorder.send_signal(signal.SIGINT)
    _, errors = recorder.communicate(timeout=60)
    assert time.monotonic() - begun < 20
    assert recorder.returncode == 130, errors
    raw = Path(os.fsdecode(re.search(rb"the raw data, perhaps not whole, is in (\S+)", errors)[1]))
    assert raw.stat().st_uid == user.uid
    assert {Path(program).name for program, _ in user.ran_as_root()} == {"perf", "kill"}
    time.sleep(0.5)
    assert not _perfs_of(user)
    shutil.rmtree(raw.parent)


def _perfs_of(user):
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if "perf record" in line and str(user.temporary) in line]


@pytest.mark.parametrize("target", ["process", "command"])
def test_ctrl_c_in_a_terminal(user, busy, target):
    what = ["-p", str(busy.pid)] if target == "process" else ["--", *ENDLESS]
    code, seen = _in_terminal(user, [sys.executable, "-m", "kprof", "record", "--root", *what], after=3)
    # A command that Ctrl-C ended gives 128 + SIGINT, as in a shell. A shell on a busy machine may be
    # between two children, survive it, and be ended by the SIGTERM that follows.
    assert code in ({0} if target == "process" else {130, 143}), seen
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)
    assert not _perfs_of(user)


def _in_terminal(user, line, *, after):
    """Run in a terminal of its own, type Ctrl-C; return the exit code and what was on the screen."""
    line, options = user.command(*line), user.options
    pid, screen = pty.fork()
    if not pid:
        os.chdir(options["cwd"])
        os.execvpe(line[0], line, options["env"])  # noqa: S606 - a terminal needs the fork
    seen, begun, typed = b"", time.monotonic(), False
    while time.monotonic() < begun + 60:
        if not typed and time.monotonic() > begun + after:
            typed = True
            os.write(screen, b"\x03")
        if select.select([screen], [], [], 0.1)[0]:
            try:
                seen += os.read(screen, 1 << 16)
            except OSError:
                break
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(screen)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


def test_the_end_of_the_time_ends_perf_and_command(user):
    done = user.record("-d", "1", "--", *ENDLESS)
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)
    assert not _perfs_of(user)


def test_without_a_rule_sudo_refuses(base):
    with account(base, f"kprof-no-{os.getpid()}") as user:
        done = user.record("--", *COMMAND)
        assert done.returncode == 3, done.stderr
        said = [line for line in done.stderr.splitlines() if not line.startswith("kprof: recording")]
        assert [line for line in said if "cpu-clock" not in line] == [said[-1]], done.stderr
        assert re.match("kprof: sudo refuses: .*a password is required; run `sudo -v`", said[-1]), done.stderr
        assert "Traceback" not in done.stderr
        # The command was not let go, and nothing is left.
        assert not list(user.work.iterdir())
        assert not list(user.temporary.iterdir())
        done = user.record("-e", "off-cpu", "--", *COMMAND)
        assert done.returncode == 3, done.stderr
        assert re.match(
            "kprof: sudo refuses: .*a password is required; run `sudo -v`", done.stderr.splitlines()[-1]
        ), done.stderr
        assert not list(user.work.iterdir())
        assert not list(user.temporary.iterdir())


def test_the_bpf_recorder_alone_is_root(user):
    """The command, what is left, and what folds it are the user's."""
    done = user.record("-e", "off-cpu", "--", "sh", "-c", "id -u > who; sleep 0.5; exit 5")
    assert done.returncode == 5, done.stderr
    assert (user.work / "who").read_text() == f"{user.uid}\n"
    stacks = weights(user.work / "out.folded")
    assert 5e8 <= sum(w for stack, w in stacks.items() if stack.startswith("sleep;")) < 1.5e9
    assert any(";do_syscall_64;" in stack for stack in stacks)
    assert {path.lstat().st_uid for path in user.home.rglob("*")} == {user.uid}
    assert not list(user.temporary.iterdir())
    ran = user.ran_as_root()
    assert {Path(program).name for program, _ in ran} <= {
        Path(sys.executable).resolve().name,
        Path(sys.executable).name,
        "cat",
    }, ran


def test_a_process_by_the_bpf_recorder_until_a_signal(user, busy):
    recorder = user.start(
        sys.executable, "-m", "kprof", "record", "--root", "--backend", "bpf", "-p", str(busy.pid), "-o", "x.kprof",
        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    time.sleep(5)
    recorder.send_signal(signal.SIGINT)
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert (user.work / "x.kprof").read_bytes()[:8] == b"KPROFBPF"
    done = subprocess.run(
        [sys.executable, "-m", "kprof", "fold", user.work / "x.kprof", "-o", user.work / "x.folded"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "not understood" not in done.stderr
    assert any(stack.startswith(("sh;", "dd;")) for stack in weights(user.work / "x.folded"))


def test_a_bpf_recorder_that_nobody_waits_for_ends(user, busy):
    """It is killed with the one that it works for, and keeps only what reading takes meanwhile."""
    recorder = user.start(
        sys.executable, "-m", "kprof", "record", "--root", "--backend", "bpf", "-p", str(busy.pid),
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    deadline, found = time.monotonic() + 30, None
    while time.monotonic() < deadline and not found:
        time.sleep(0.2)
        found = elevated_recorder()
        if found and not re.search(
            r"^CapPrm:\s+0000000400080004$", Path(f"/proc/{found}/status").read_text(), re.MULTILINE
        ):
            found = None
    assert found, "no helper with three capabilities was seen"
    recorder.kill()
    recorder.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and Path(f"/proc/{found}").exists():
        time.sleep(0.2)
    assert not Path(f"/proc/{found}").exists()
    for path in user.temporary.iterdir():
        shutil.rmtree(path)


def elevated_recorder():
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"python" in words[0] and any(b"recorders.bpf.as_root" in word for word in words):
            return int(path.name)
    return None

"""Users of this machine: one who may run everything as root, one who may not."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import kprof

BUSY = "dd if=/dev/zero of=/dev/null bs=1 count={} 2>/dev/null"
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
def _account(base, name):
    subprocess.run(
        ["useradd", "--no-create-home", "--home-dir", base / name, "--user-group", name], check=True
    )
    try:
        yield Account(name, base / name)
    finally:
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


@pytest.fixture(scope="module")
def base():
    """Where the users live."""
    if why_not := _why_not():
        pytest.skip(why_not)
    path = Path("/tmp") / f"kprof-root-{os.getpid()}"
    path.mkdir()
    yield path
    subprocess.run(["rm", "-rf", path], check=True)


@pytest.fixture(scope="module")
def granted(base):
    """A user who may run everything as root, without a password."""
    name = f"kprof-yes-{os.getpid()}"
    rule = Path("/etc/sudoers.d", name)
    with _account(base, name) as user:
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
def stranger(base):
    """A user who may run nothing as root."""
    with _account(base, f"kprof-no-{os.getpid()}") as user:
        yield user


@pytest.fixture
def command():
    """A command that says who runs it, is busy in the kernel for some time, and exits with 5."""
    return ["sh", "-c", f"id -u > who; {BUSY.format(500_000)}; exit 5"]


@pytest.fixture
def endless():
    """A command that is busy in the kernel until it is killed."""
    return ["sh", "-c", "while :; do " + BUSY.format(10_000) + "; done"]


@pytest.fixture
def busy(user, endless):
    process = user.start(*endless)
    time.sleep(0.3)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def assert_kernel_is_seen(weights):
    def check(path):
        assert any(";do_syscall_64;" in stack and ";vfs_" in stack for stack in weights(path))

    return check


@pytest.fixture
def assert_clean():
    """Everything there is the user's, no raw data is left, and only perf was root."""

    def check(user):
        owners = {path: path.lstat().st_uid for path in user.home.rglob("*")}
        assert set(owners.values()) == {user.uid}, owners
        assert not list(user.temporary.iterdir())
        ran = user.ran_as_root()
        assert ("/usr/bin/perf", "record") in ran
        assert {Path(program).name for program, _ in ran} <= {"perf", "cat"}, ran
        assert all(what == "/proc/kallsyms" for program, what in ran if Path(program).name == "cat")

    return check

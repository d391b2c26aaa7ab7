"""`kprof record --root` with the bpf recorder: it alone is root, and never outlives the one that it works for."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def test_the_bpf_recorder_alone_is_root(weights, user):
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


def test_a_process_by_the_bpf_recorder_until_a_signal(weights, user, busy):
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

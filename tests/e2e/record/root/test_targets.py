"""kprof record --root: only perf runs through sudo, and everything that is left belongs to the user."""

import re
import subprocess
import sys


def test_a_command(command, assert_kernel_is_seen, assert_clean, user):
    done = user.record("--", *command)
    assert done.returncode == 5, done.stderr
    assert (user.work / "who").read_text() == f"{user.uid}\n"
    assert "user code only" not in done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_a_process(assert_kernel_is_seen, assert_clean, user, busy):
    done = user.record("-p", str(busy.pid), "-d", "1")
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_a_process_of_root(endless, assert_kernel_is_seen, assert_clean, user):
    process = subprocess.Popen(endless)
    try:
        done = user.record("-p", str(process.pid), "-d", "1")
    finally:
        process.kill()
        process.wait()
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_the_whole_host(assert_kernel_is_seen, assert_clean, user, busy):
    done = user.record("-a", "-d", "1")
    assert done.returncode == 0, done.stderr
    assert_kernel_is_seen(user.work / "out.folded")
    assert_clean(user)


def test_a_tracepoint(weights, assert_clean, user):
    done = user.record("-e", "syscalls:sys_enter_getppid", "--",
                       sys.executable, "-c", "import os\nfor _ in range(1234): os.getppid()")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sum(weights(user.work / "out.folded").values()) == 1234
    assert_clean(user)


def test_raw_data_is_the_users(command, weights, assert_clean, user):
    done = user.record("-o", "x.data", "--", *command)
    assert done.returncode == 5, done.stderr
    assert (user.work / "x.data").read_bytes()[:8] == b"PERFILE2"
    assert_clean(user)
    # Read without root: the recording is theirs to open.
    line = user.command(sys.executable, "-m", "kprof", "fold", "x.data", "-o", "x.folded")
    folded = subprocess.run(line, **user.options, check=False, capture_output=True, text=True, timeout=60)
    assert folded.returncode == 0, folded.stderr
    assert weights(user.work / "x.folded")


def test_a_page_and_the_data_beside_it(command, assert_clean, user):
    done = user.record("-o", "x.html", "--keep-data", "--", *command)
    assert done.returncode == 5, done.stderr
    assert (user.work / "x.data").read_bytes()[:8] == b"PERFILE2"
    assert (
        "do_syscall_64" in (user.work / "x.html").read_text()
        or (user.work / "x.html").stat().st_size > 100_000
    )
    assert_clean(user)


def test_without_a_rule_sudo_refuses(command, stranger):
    done = stranger.record("--", *command)
    assert done.returncode == 3, done.stderr
    said = [line for line in done.stderr.splitlines() if not line.startswith("kprof: recording")]
    assert [line for line in said if "cpu-clock" not in line] == [said[-1]], done.stderr
    assert re.match("kprof: sudo refuses: .*a password is required; run `sudo -v`", said[-1]), done.stderr
    assert "Traceback" not in done.stderr
    # The command was not let go, and nothing is left.
    assert not list(stranger.work.iterdir())
    assert not list(stranger.temporary.iterdir())
    done = stranger.record("-e", "off-cpu", "--", *command)
    assert done.returncode == 3, done.stderr
    assert re.match(
        "kprof: sudo refuses: .*a password is required; run `sudo -v`", done.stderr.splitlines()[-1]
    ), done.stderr
    assert not list(stranger.work.iterdir())
    assert not list(stranger.temporary.iterdir())

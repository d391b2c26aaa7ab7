"""What goes wrong while programs are loaded or count, done for real."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

KPROF = [sys.executable, "-m", "kprof"]


def bpf_left():
    """Programs that are loaded, by the names of ours."""
    listed = subprocess.run(["bpftool", "prog", "show"], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if re.search(r"name (sample|on_fork|on_free) ", line)]


def test_a_killed_recorder_leaves_what_it_had_and_nothing_in_the_kernel(kprof, weights, tmp_path, running):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-p", str(running.pid)],
        cwd=tmp_path, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip
    time.sleep(4)
    recorder.kill()
    recorder.communicate(timeout=60)
    (path,) = tmp_path.glob("kprof-*/*.kprof")
    done = kprof("fold", str(path), "-o", "out.folded")
    assert done.returncode == 0, done.stderr
    assert "1 line not understood" in done.stderr
    assert any(";one" in stack for stack in weights(tmp_path / "out.folded"))
    if shutil.which("bpftool"):
        deadline = time.monotonic() + 10
        while bpf_left() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not bpf_left()
    assert not list(Path("/sys/fs/bpf").glob("*kprof*"))


def test_without_capabilities_it_says_what_is_missing(tmp_path):
    tmp_path.chmod(0o777)
    command = [
        "setpriv",
        "--bounding-set",
        "-all",
        "--inh-caps",
        "-all",
        *KPROF,
        "record",
        "--backend",
        "bpf",
        "-a",
    ]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    assert "loading BPF programs needs CAP_BPF and CAP_PERFMON" in done.stderr


def in_own_mounts(tmp_path, hidden, *arguments, user=()):
    """Run kprof where a mount of ours hides something; nobody else sees it."""
    line = f'{hidden}; exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-ec", line, "sh", *user, *KPROF, "record", *arguments],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def user_with(capabilities):
    """What is put before a command that an ordinary user runs who has a few capabilities."""
    caps = f"-all,{capabilities}"
    return [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={caps}",
        f"--ambient-caps={caps}", f"--bounding-set={caps}", "env", "HOME=/tmp", "TMPDIR=/tmp",
    ]  # fmt: skip


NO_TRACEFS = "umount -l /sys/kernel/tracing 2>/dev/null || :; umount -l /sys/kernel/debug 2>/dev/null || :"


def test_tracefs_is_mounted_if_it_is_not(tmp_path):
    """By root: in a name space of mounts that is ours alone."""
    hidden = f"{NO_TRACEFS}; test ! -e /sys/kernel/tracing/events"
    arguments = ["--backend", "bpf", "-e", "syscalls:sys_enter_getppid", "--", "sh", "-c", "sleep 0.1"]
    done = in_own_mounts(tmp_path, hidden, *arguments)
    # A shell asks for its parent, or does not.
    assert done.returncode in {0, 1}, done.stderr
    assert "tracefs" not in done.stderr
    assert "no tracepoint" not in done.stderr


@pytest.mark.parametrize("engine", ["bpftrace", "bcc"])
def test_tracefs_is_mounted_for_engines_that_look_there(tmp_path, engine):
    hidden = f"{NO_TRACEFS}; test ! -e /sys/kernel/tracing/events"
    arguments = [
        "--backend",
        "bpf",
        "--engine",
        engine,
        "-e",
        "on-cpu",
        "--",
        "timeout",
        "1",
        "sh",
        "-c",
        "while :; do :; done",
    ]
    done = in_own_mounts(tmp_path, hidden, *arguments)
    assert "read" in done.stderr, done.stderr
    assert "tracepoint" not in done.stderr


@pytest.mark.parametrize("engine", ["bpftrace", "bcc"])
def test_a_program_is_shown_without_tracefs(tmp_path, engine):
    arguments = ["--engine", engine, "-e", "on-cpu", "-p", str(os.getpid()), "--show-program"]
    tmp_path.chmod(0o777)
    done = in_own_mounts(tmp_path, NO_TRACEFS, *arguments, user=user_with("+dac_read_search"))
    assert done.returncode == 0, done.stderr
    assert "task" in done.stdout


def test_without_tracefs_a_user_is_told_and_recipes_work(tmp_path):
    tmp_path.chmod(0o777)
    user = user_with("+bpf,+perfmon,+syslog,+dac_read_search")
    done = in_own_mounts(
        tmp_path, NO_TRACEFS, "--backend", "bpf", "-e", "sched:sched_switch", "-a", "-d", "1", user=user
    )
    assert done.returncode == 3, done.stderr
    assert "tracefs is not mounted" in done.stderr
    assert "sudo mount -t tracefs" in done.stderr
    for event in ("off-cpu", "raw_tp:sched_switch", "off-cpu,lock"):
        done = in_own_mounts(tmp_path, NO_TRACEFS, "-e", event, "-f", "--", "sleep", "0.2", user=user)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("hidden", "says"),
    [
        ("mount -t tmpfs none /sys/kernel/btf", "does not tell its types (no /sys/kernel/btf/vmlinux)"),
        ("for f in /lib/*/libbpf.so.1; do mount --bind /dev/null $f; done", "libbpf.so.1 is not installed"),
    ],
)
def test_what_is_missing_is_named(tmp_path, hidden, says):
    done = in_own_mounts(tmp_path, hidden, "--engine", "libbpf", "-e", "off-cpu", "-a", "-d", "1")
    assert done.returncode == 3, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("event", ["on-cpu", "off-cpu", "malloc"])
def test_a_target_that_is_killed_leaves_a_whole_recording(tmp_path, running, event):
    recorder = subprocess.Popen(
        [*KPROF, "record", "--backend", "bpf", "-e", event, "-p", str(running.pid), "-o", "x.kprof"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    time.sleep(3)
    running.kill()
    running.wait()
    _, errors = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, errors
    assert (tmp_path / "x.kprof").read_bytes()[:8] == b"KPROFBPF"

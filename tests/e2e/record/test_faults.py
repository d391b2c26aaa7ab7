"""What goes wrong while recording: full disks, and what cannot be recorded; one line says it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest


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


def test_a_full_disk_while_recording(record, tmp_path, small_disk, busy):
    environment = {**os.environ, "TMPDIR": str(small_disk)}
    done = record("-g", "dwarf", "-F", "4999", "-p", str(busy.pid), "-d", "2", env=environment)
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert not (tmp_path / "out.folded").exists()


def test_a_full_disk_while_writing_keeps_what_was_recorded(record, tmp_path, small_disk, busy):
    (small_disk / "ballast").write_bytes(bytes(400_000))
    page = small_disk / "page.html"
    done = record("-p", str(busy.pid), "-d", "0.5", "-o", str(page))
    assert done.returncode == 1, done.stderr
    path = re.search(r"the raw data is in ([^;\s]+)", done.stderr)
    assert Path(path[1]).exists()
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    shutil.rmtree(Path(path[1]).parent)


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
def test_one_line_and_the_right_exit_code(record, tmp_path, arguments, code, says):
    done = record(*arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert not list(tmp_path.iterdir())

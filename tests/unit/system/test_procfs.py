"""Tasks, read from a tree that looks like /proc."""

import os

import pytest

from kprof.errors import NotAvailableError, TargetError
from kprof.system import procfs
from kprof.system.cgroups import below_root


@pytest.fixture
def proc(tmp_path):
    def add(task, name="python3", state="S", start=777, group=None):
        folder = tmp_path / str(task)
        folder.mkdir(exist_ok=True)
        rest = " ".join(["0"] * 18)
        (folder / "stat").write_text(f"{task} ({name}) {state} {rest} {start} 1 2 3\n")
        (folder / "comm").write_text(f"{name}\n")
        (folder / "status").write_text(f"Name:\t{name}\nTgid:\t{group or task}\nPid:\t{task}\n")
        return str(tmp_path)

    return add


@pytest.mark.parametrize("name", ["python3", "a b", "x) Z 1 2 (", ")", "é\n"])
def test_a_name_may_hold_anything(proc, name):
    root = proc(5, name)
    assert procfs.start_of(5, root) == 777
    assert procfs.is_alive(5, root)
    assert procfs.name_of(5, root) == name.rstrip("\n")


@pytest.mark.parametrize("state", ["Z", "X", "x"])
def test_a_zombie_has_ended(proc, state):
    root = proc(5, state=state)
    assert not procfs.is_alive(5, root)


def test_a_number_that_is_used_again_is_another_task(proc):
    before = procfs.start_of(5, proc(5, start=100))
    assert procfs.start_of(5, proc(5, start=900)) != before


def test_what_is_gone(tmp_path):
    root = str(tmp_path)
    assert procfs.start_of(5, root) is None
    assert procfs.name_of(5, root) == ""
    assert procfs.process_of(5, root) == 0
    assert procfs.last_descendant(5, root) == 5


def test_a_cut_file_is_no_task(proc, tmp_path):
    proc(5)
    (tmp_path / "5/stat").write_text("5 (x) S 0")
    assert procfs.start_of(5, str(tmp_path)) is None


def test_a_thread_belongs_to_a_process(proc):
    assert procfs.process_of(6, proc(6, group=5)) == 5


def test_the_program_behind_wrappers(tmp_path):
    for parent, children in ((1, "2"), (2, "3 4"), (4, "")):
        folder = tmp_path / f"{parent}/task/{parent}"
        folder.mkdir(parents=True)
        (folder / "children").write_text(children)
    assert procfs.last_descendant(1, str(tmp_path)) == 4


def test_the_real_one():
    assert procfs.is_alive(os.getpid())
    assert procfs.process_of(os.getpid()) == os.getpid()


@pytest.mark.parametrize("name", ["web/one", "/web/one", "{root}/web/one"])
def test_cgroups_by_name_or_by_directory(tmp_path, name):
    root = tmp_path / "cgroup"
    (root / "web/one").mkdir(parents=True)
    (tmp_path / "mounts").write_text(
        f"x /elsewhere cgroup rw,cpu 0 0\ncgroup2 {root} cgroup2 rw,nsdelegate 0 0\n"
    )
    assert below_root(name.format(root=root), str(tmp_path)) == "web/one"
    with pytest.raises(TargetError, match="no cgroup nothing"):
        below_root("nothing", str(tmp_path))


def test_perf_prefers_the_old_hierarchy(tmp_path):
    (tmp_path / "old/web").mkdir(parents=True)
    (tmp_path / "mounts").write_text(
        f"a {tmp_path}/new cgroup2 rw 0 0\nb {tmp_path}/old cgroup rw,perf_event 0 0\n"
    )
    assert below_root("web", str(tmp_path)) == "web"


def test_no_hierarchy(tmp_path):
    with pytest.raises(NotAvailableError):
        below_root("web", str(tmp_path))

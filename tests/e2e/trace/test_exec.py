"""`kprof trace exec`: the same programs on all engines, with all that is asked of them."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from kprof.errors import NotAvailableError
from kprof.recorders import RecordRequest
from kprof.recorders.trace import engines
from kprof.recorders.trace.exec_bpftrace import BpftraceExec
from kprof.recorders.trace.request import TraceRequest

_spec = importlib.util.spec_from_file_location("workload", Path(__file__).with_name("workload.py"))
workload = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(workload)
FIELDS = "time,pid,tid,ppid,uid,gid,comm,pcomm,ret,call,filename,cwd,args,args_bytes,duration"


@pytest.fixture(params=["libbpf", "bpftrace", "bcc"])
def engine(request):
    if request.param == "bpftrace" and not shutil.which("bpftrace"):
        pytest.skip("bpftrace is not installed")
    if (
        request.param == "bcc"
        and subprocess.run(
            ["/usr/bin/python3", "-c", "import bcc"], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("python3-bpfcc is not installed")
    if request.param == "bcc" and not list(Path("/lib/modules").glob("*/build")):
        pytest.skip("no headers of a kernel are installed")
    return request.param


def test_all_that_a_script_executes(engine, rows, tmp_path):
    command = workload.make(tmp_path)
    found = rows("exec", "--engine", engine, "--fields", FIELDS, "--", *command)
    told, expected = workload.told(found), workload.expected(tmp_path)
    # bpftrace reads less than 8 KB of arguments, and says so.
    long = [row for row in found if row["args_bytes"] > 8000]
    if engine == "bpftrace":
        (cut,) = long
        assert cut["cut"] == ["args"]
        whole = next(words for *_, words in expected if len(words) > 1000)
        assert cut["args"][:1000] == whole[:1000]
        told = [each for each in told if len(each[3]) < 1000]
        expected = [each for each in expected if len(each[3]) < 1000]
    else:
        assert long
        assert not any("cut" in row for row in long)
    assert sorted(told) == sorted(expected)
    assert len(told) >= 20
    thread = next(row for row in found if row["args"] == ["true", "from", "a thread"])
    assert thread["tid"] != thread["pid"]
    shell = next(row for row in found if row["args"] == command and row["ret"] == 0)
    children = [row for row in found if row["ppid"] == shell["pid"]]
    assert len(children) >= workload.PROGRAMS
    assert {row["pcomm"] for row in children} == {"sh"}
    assert {row["uid"] for row in found} == {row["gid"] for row in found} == {0}
    assert all(row["duration"] > 0 for row in found)
    failed = next(row for row in found if row["args"][0] == "/no/such/program")
    assert failed["filename"] == "/no/such/program"
    assert failed["ret_name"] == "ENOENT"


def test_the_filter_means_the_same_on_all_engines(engine, rows, tmp_path):
    command = workload.make(tmp_path)
    found = rows(
        "exec",
        "--engine",
        engine,
        "--filter",
        "ret < 0 && args ~ '*word*' || args == 'true by execveat'",
        "--",
        *command,
    )
    assert sorted(row["args"] for row in found) == [
        ["/no/such/program", "with", "words"], ["missing", "word"], ["true", "by", "execveat"],
    ]  # fmt: skip


def test_arguments_of_what_could_not_be_executed_are_cut_and_said_so(rows):
    found = rows("exec", "--filter", "ret < 0", "--", "sh", "-c", "/no/such $(seq 1 3000); exit 7")
    (row,) = [row for row in found if row["filename"] == "/no/such"]
    assert row["cut"] == ["args"]
    assert row["args"][:500] == ["/no/such", *map(str, range(1, 500))]


def test_programs_of_others_are_not_told_with_a_target(rows, tmp_path):
    other = subprocess.Popen(["sh", "-c", "while :; do /bin/true other; done"])
    try:
        found = rows("exec", "--", "sh", "-c", "/bin/true mine; sleep .2; exit 7")
    finally:
        other.kill()
        other.wait()
    assert ["/bin/true", "mine"] in [row["args"] for row in found]
    assert ["/bin/true", "other"] not in [row["args"] for row in found]


def test_what_another_engine_cannot_do_it_says(kprof):
    done = kprof("open", "--engine", "bpftrace", "-d", "1")
    assert done.returncode == 2
    assert "traces exec only" in done.stderr
    done = kprof("exec", "--engine", "bpftrace", "--fields", "cgroup", "-d", "1")
    assert done.returncode == 3
    assert "does not tell cgroup" in done.stderr


def test_without_libbpf_the_next_engine_is_taken_and_it_says_why(monkeypatch):
    """This machine cannot be without libbpf, so that its absence is made up; what is then chosen is real."""
    if not shutil.which("bpftrace"):
        pytest.skip("bpftrace is not installed")

    def missing():
        raise NotAvailableError("libbpf.so.1 is not installed")

    monkeypatch.setattr(engines, "version", missing)
    scope = RecordRequest(all_cpus=True)
    _, engine, title = engines.choose(TraceRequest(["exec"], scope))
    assert isinstance(engine, BpftraceExec)
    assert "bpftrace" in title
    assert "libbpf.so.1 is not installed" in title
    with pytest.raises(NotAvailableError):
        engines.choose(TraceRequest(["open"], scope))

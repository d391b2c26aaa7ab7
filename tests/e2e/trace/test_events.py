"""`kprof trace` of everything but exec and calls of functions, on this kernel: what is told is what was done."""

import csv
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest


def python(text):
    return [sys.executable, "-c", text]


def test_files_that_are_opened_with_flags_modes_and_errors(rows, tmp_path):
    work = (
        "import os, sys\n"
        f"os.close(os.open({str(tmp_path / 'made')!r}, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o640))\n"
        "try: os.open('/no/such/file', os.O_RDONLY)\n"
        "except OSError: pass\n"
        "sys.exit(7)"
    )
    found = {row["filename"]: row for row in rows("open", "--", *python(work)) if row["filename"]}
    made = found[str(tmp_path / "made")]
    assert set(made["flags"].split("|")) == {"O_WRONLY", "O_CREAT", "O_APPEND", "O_CLOEXEC"}
    assert made["mode"] == "0640"
    assert made["ret"] >= 3
    assert made["duration"] > 0
    assert found["/no/such/file"]["ret_name"] == "ENOENT"


def test_files_that_other_calls_open_too(rows, tmp_path):
    work = (
        "import ctypes, os, struct\n"
        "how = ctypes.create_string_buffer(struct.pack('<3Q', os.O_CREAT | os.O_WRONLY, 0o640, 0))\n"
        f"call, start = ctypes.CDLL(None).syscall, {os.fsencode(tmp_path)!r}\n"
        "call(437, -100, start + b'/openat2', how, 24)\n"
        "call(85, start + b'/creat', 0o600)\n"
        "raise SystemExit(7)"
    )
    wanted = f"filename ~ {tmp_path}/*"
    found = rows("open", "--filter", wanted, "--fields", "filename,flags,mode", "--", *python(work))
    shown = {(Path(row["filename"]).name, row.get("flags"), row["mode"]) for row in found}
    assert shown == {("openat2", "O_WRONLY|O_CREAT", "0640"), ("creat", None, "0600")}
    # creat has no flags.
    (one,) = rows("open", "--filter", f"flags & O_CREAT && {wanted}", "--", *python(work))
    assert one["filename"].endswith("/openat2")


def test_processes_that_end(rows):
    found = rows("exit", "--", "sh", "-c", "(exit 3); sh -c 'kill -SEGV $$'; sleep 0.2; exit 7")
    ends = [(row["comm"], row["code"], row["signal"]) for row in found]
    assert ("sh", 3, None) in ends
    assert ("sh", 0, "SIGSEGV") in ends
    assert ("sh", 7, None) in ends
    (slept,) = [row for row in found if row["comm"] == "sleep"]
    assert slept["code"] == 0
    assert slept["age"] > 200_000_000


def test_a_process_ends_once_with_the_code_of_whichever_thread_ended_it(rows):
    work = "import os, threading, time\nfor _ in range(5): threading.Thread(target=time.sleep, args=(9,)).start()\nthreading.Thread(target=lambda: os._exit(7)).start()\ntime.sleep(9)"
    found = rows("exit", "--", *python(work))
    assert [(row["code"], row["signal"]) for row in found] == [(7, None)]


def test_signals(rows):
    target = subprocess.Popen(["sleep", "60"])
    try:
        found = rows(
            "signal",
            "--filter",
            "sig == SIGUSR1 || sig == 9",
            "--",
            "sh",
            "-c",
            f"kill -USR1 {target.pid}; exit 7",
        )
    finally:
        target.kill()
        target.wait()
    (row,) = found
    assert (row["sig"], row["tpid"], row["tcomm"]) == ("SIGUSR1", target.pid, "sleep")
    assert (row["code"], row["result"], row["comm"]) == ("SI_USER", "delivered", "sh")


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_connections_of_tcp(rows, family, address):
    server = socket.socket(family)
    server.bind((address, 0))
    server.listen()
    port = server.getsockname()[1]
    closed = socket.socket(family)
    closed.bind((address, 0))
    shut = closed.getsockname()[1]
    work = (
        "import socket, sys\n"
        f"s = socket.socket({int(family)}); s.connect(({address!r}, {port}))\n"
        f"print(s.getsockname()[1], file=sys.stderr)\n"
        f"t = socket.socket({int(family)})\n"
        f"try: t.connect(({address!r}, {shut}))\n"
        "except ConnectionRefusedError: sys.exit(7)"
    )
    found = rows("tcp-connect", "--filter", f"daddr == {address}", "--", *python(work))
    server.close()
    closed.close()
    made, refused = sorted(found, key=lambda row: -row["ret"])
    assert (made["saddr"], made["daddr"], made["dport"], made["ret"]) == (address, address, port, 0)
    assert made["sport"] > 0
    assert made["duration"] > 0
    assert (refused["dport"], refused["ret_name"]) == (shut, "ECONNREFUSED")
    assert made["pid"] == refused["pid"]


def test_requests_to_block_devices(rows, tmp_path):
    place = tmp_path / "data"
    work = ["dd", "if=/dev/zero", f"of={place}", "bs=64k", "count=4", "oflag=direct"]
    if subprocess.run(work, check=False, capture_output=True).returncode or not _device_of(tmp_path):
        pytest.skip("the file system of the test is on no block device")
    found = rows(
        "block-io",
        "--fields",
        "time,pid,comm,dev,op,sector,bytes,ret,duration",
        "--filter",
        "op == write && bytes > 0",
        "--",
        *work,
    )
    mine = [row for row in found if row["comm"] == "dd"]
    assert sum(row["bytes"] for row in mine) >= 4 * 65536
    assert {row["dev"] for row in mine} == {_device_of(tmp_path)}
    assert all(row["duration"] > 0 and row["ret"] == 0 for row in mine)


def _device_of(path):
    number = Path(path).stat().st_dev
    name = f"{os.major(number)}:{os.minor(number)}"
    return name if Path("/sys/dev/block", name).exists() else ""


def test_a_tracepoint_with_a_filter_whose_truth_is_known(rows):
    """A thread that sleeps 20 times, and writes 30 bytes 10 times."""
    work = "import os, time\nfor i in range(20): time.sleep(0.001)\nfor i in range(10): os.write(2, b'.' * 30)\nos._exit(7)"
    found = rows("syscalls:sys_enter_write", "--filter", "fd == 2 && count == 30", "--", *python(work))
    assert len(found) == 10
    assert {row["count"] for row in found} == {30}
    found = rows("sched:sched_switch", "--filter", "prev_state & 1 && prev_comm ~ 'py*' && !(next_comm == 'nobody')",
                 "--fields", "comm,prev_comm,prev_pid,next_comm,prev_state", "--", *python(work))  # fmt: skip
    assert 20 <= len(found) < 60
    assert all(row["prev_comm"].startswith("py") for row in found)


def test_a_system_call_as_a_pair(rows):
    work = "import time, os\ntime.sleep(0.05)\nos._exit(7)"
    found = rows("syscall:clock_nanosleep", "--min-ns", "40000000", "--stack", "uk", "--", *python(work))
    (row,) = found
    assert 50_000_000 <= row["duration"] < 5_000_000_000
    assert row["ret"] == 0
    assert "do_syscall_64_[k]" in row["stack"]


def test_addresses_of_sockets(rows):
    work = "import socket, os\ns = socket.socket()\ntry: s.connect(('127.0.0.1', 1))\nexcept OSError: os._exit(7)"
    (row,) = rows("syscall:connect", "--filter", "ret == -ECONNREFUSED", "--", *python(work))
    assert row["uservaddr"] == "127.0.0.1:1"


def test_members_of_the_kernels_structures(rows):
    work = "import os, time\ntime.sleep(0.01)\nos._exit(7)"
    found = rows("raw_tp:sched_process_exit", "--fields", "pid,p->tgid,p->comm,p->signal->live.counter,p->real_parent->pid,ppid,cwd",
                 "--filter", "p->signal->live.counter == 0", "--", *python(work), cwd="/usr/share")  # fmt: skip
    (row,) = found
    assert row["pid"] == row["p->tgid"]
    assert row["p->comm"].startswith("python")
    assert row["ppid"] == row["p->real_parent->pid"]
    assert row["cwd"] == "/usr/share"


def test_several_events_at_once_as_text_csv_and_parquet(kprof, tmp_path):
    work = ["sh", "-c", "/bin/true 'a b'; exit 7"]
    done = kprof("exec", "exit", "--", *work)
    assert done.returncode == 7, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.split()[:3] == ["TIME", "EVENT", "PID"]
    assert {line.split()[1] for line in lines} == {"exec", "exit"}
    assert any(line.endswith("/bin/true 'a b'") for line in lines)
    done = kprof("exec", "--csv", "--fields", "time,ret,args", "--", *work)
    table = list(csv.DictReader(io.StringIO(done.stdout)))
    assert table[-1]["args"] == "/bin/true 'a b'"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", table[-1]["time"])
    parquet = pytest.importorskip("pyarrow.parquet")
    done = kprof("exec", "exit", "-o", "out.parquet", "--", *work)
    assert done.returncode == 7, done.stderr
    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    last = [row for row in table if row["event"] == "exec"][-1]
    assert last["args"] == ["/bin/true", "a b"]
    assert abs(last["time"].timestamp() - time.time()) < 600
    done = kprof("exec", "-o", "out.parquet", "--", *work)
    assert done.returncode == 2
    assert "--force" in done.stderr


def test_ctrl_c_keeps_what_came(tmp_path):
    command = [sys.executable, "-m", "kprof", "trace", "exec", "-o", "out.jsonl"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as child:
        assert "tracing exec" in child.stderr.readline()
        subprocess.run(["/bin/true", "seen by all"], check=True)
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        rest = child.stderr.read()
        assert child.wait(60) == 0, rest
    assert "0 lost" in rest
    assert '"seen by all"' in (tmp_path / "out.jsonl").read_text()


def test_a_flood_is_counted_to_the_last(kprof):
    """More than the buffer holds while nobody reads: what is told and what is lost is all there was."""
    work = "import os\nfor i in range(200000): os.getppid()\nos._exit(7)"
    done = kprof("syscalls:sys_enter_getppid", "--fields", "time,pid", "--csv", "--", *python(work))
    assert done.returncode == 7, done.stderr
    told, lost = re.search(r"([\d,]+) events, ([\d,]+) lost", done.stderr).groups()
    told, lost = (int(number.replace(",", "")) for number in (told, lost))
    assert told == len(done.stdout.splitlines()) - 1
    assert told + lost >= 200_000
    assert told + lost < 200_100


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["exec", "--filter", "ret <"], "column 6, at its end: expected a value"),
        (["exec", "--filter", "ret < 0 || || 1"], 'column 12, at "|| 1": expected a field'),
        (["exec", "--filter", "(ret < 0"], "expected )"),
        (["exec", "--filter", "nothing == 1"], 'column 1, at "nothing == 1": exec has no field nothing'),
        (["exec", "--filter", "ret == -ENOSUCH"], "ret is no -ENOSUCH"),
        (["exec", "--filter", "comm > 3"], "comm is text"),
        (["exec", "--filter", "ret ~ 'a*'"], "ret is a number"),
        (["exec", "--fields", "argz"], "do you mean args"),
        (["sched:nothing"], "there is no tracepoint sched:nothing"),
        (["syscall:nothing"], "there is no system call nothing"),
        (["nothing"], "nothing is no event that is traced"),
        ([], "nothing to trace"),
        (["tcp-connect", "--stack", "u"], "its stack says nothing"),
        (["exit", "--min-ns", "5"], "exit has no duration"),
        (["raw_tp:sched_process_exit", "--fields", "p.comm"], "write p->comm"),
        (["raw_tp:sched_process_exit", "--fields", "p->com"], "it has comm"),
        (["exec", "--json", "--csv"], "two forms"),
        (["exec", "-o", "out.txt"], "cannot tell a format"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_ends_in_one_line(kprof, arguments, says):
    done = kprof(*arguments, "-d", "1")
    assert done.returncode in {2, 3}
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""

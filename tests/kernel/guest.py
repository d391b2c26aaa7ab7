"""Runs in the machine, as root: records, and reports what came of it, a JSON line for each run."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import forked

BEGIN, END = "-----BEGIN RESULTS-----", "-----END RESULTS-----"
KPROF = [sys.executable, "-m", "kprof", "record"]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
READING = ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=1 count=30000 2>/dev/null; exit 7"]
SLEEPING = ["sh", "-c", "sleep 0.3; exit 7"]
LINES_KEPT = 400
# What the kernel outside of the machine refuses, and the same programs as there.
BPF_EVENTS = (
    "on-cpu",
    "kprobe:vfs_read",
    "kretprobe:vfs_read",
    "fentry:vfs_read",
    "fexit:vfs_read",
    "off-cpu",
    "malloc",
    "syscall",
    "raw_tp:sys_enter",
)
# A program whose functions and probes are attached to one by one there.
SHOP = """
#include <sys/sdt.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline)) void step_one(void) { STAP_PROBE(shop, sold); }
__attribute__((noinline)) void step_two(void) { free(malloc(100)); }
__attribute__((noinline)) void keeps(void) { for (int i = 0; i < 10; i++) if (!malloc(1000)) abort(); }
int main(void) {
    for (int i = 0; i < 1234; i++) step_one();
    for (int i = 0; i < 321; i++) step_two();
    keeps();
    usleep(300000);
    return 0;
}
"""

# 20 programs and more, all ways in which one may start another, and fail.
EXECUTES = f"""
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do /bin/true "number $i"; done
cd /usr/share
/bin/true $(/usr/bin/seq 1 900)
/no/such/program with words
{sys.executable} -SEc 'import os, threading
threading.Thread(target=os.execv, args=("/bin/true", ["true", "from", "a thread"])).start()
import time
time.sleep(60)'
{sys.executable} -SEc 'import ctypes
words = (ctypes.c_char_p * 4)(b"true", b"by", b"execveat", None)
ctypes.CDLL(None).syscall(322, -100, b"/bin/true", words, (ctypes.c_char_p * 1)(None), 0)'
exit 7
"""
EXECUTED = "pid,tid,ppid,uid,comm,pcomm,ret,call,filename,cwd,args"
NAME = "file->f_path.dentry->d_name.name"
TRACED = (
    (
        "kprobe:vfs_read",
        "--fields",
        f"comm,count,file->f_path,{NAME}",
        "--filter",
        f"{NAME} == debian_version",
    ),
    ("fexit:vfs_read", "--fields", "comm,count,ret,file->f_path", "--filter", f"{NAME} == debian_version"),
    ("call:vfs_read", "--fields", f"comm,{NAME},ret,duration", "--filter", f"{NAME} == debian_version"),
    ("fentry:vfs_read", "--fields", "comm,count", "--filter", f"{NAME} == debian_version"),
    ("kretprobe:vfs_read", "--fields", "comm,ret"),
    ("open", "--fields", "comm,filename,ret", "--filter", "filename == /etc/debian_version"),
    ("exit", "--fields", "comm,code,age"),
    ("call:/lib/x86_64-linux-gnu/libc.so.6:getenv", "--fields", "comm,arg0:str,duration"),
)


def main():
    let_everybody_through(sys.executable, *sys.path)
    hide_modules()
    forked.prepare()
    say(BEGIN)
    report("kernel", release=platform.release(), uptime=uptime())

    sysctl(perf_event_paranoid=3, kptr_restrict=0)
    record("command", "--", *READING)
    record("all-cpus", "-a", "-d", "1")
    record("paranoid-3", "--", *READING, user=NOBODY)
    probe()
    for event in BPF_EVENTS:
        record(f"bpf {event}", "--backend", "bpf", "-e", event, "--", *READING)
    shop = compiled()
    record("shop functions", "-e", f"uprobe:{shop}:step_*", "--", shop)
    record("shop probe", "-e", f"usdt:{shop}:shop:sold", "--", shop)
    record("shop live", "-e", "malloc", "--live", "--", shop)
    record("shop waker", "-e", "off-cpu", "--waker", "--", shop)
    for name, *how in (("fp", "-g", "fp"), ("dwarf", "-g", "dwarf"), ("auto", "--timestamps")):
        record(f"bpf -g {name}", "--backend", "bpf", *how, "--", *READING)
    record("bpf -g dwarf off-cpu", "--backend", "bpf", "-g", "dwarf", "-e", "off-cpu", "--", *SLEEPING)
    for engine in ("libbpf", "bpftrace", "bcc"):
        trace(f"exec {engine}", "exec", "--engine", engine, "--fields", EXECUTED, "--", "sh", "-c", EXECUTES)
    for event, *how in TRACED:
        trace(event, event, *how, "--", "cat", "/etc/debian_version")
    sysctl(perf_event_paranoid=2)
    record("paranoid-2", "--", *READING, user=NOBODY)
    record("paranoid-2-all", "-a", "-d", "1", user=NOBODY)
    sysctl(perf_event_paranoid=1)
    record("paranoid-1", "--", *READING, user=NOBODY)
    record("paranoid-1-all", "-a", "-d", "1", user=NOBODY)
    sysctl(perf_event_paranoid=-1)
    record("paranoid-minus-1-all", "-a", "-d", "1", user=NOBODY)
    record("tracefs-closed", "-e", "sched:sched_switch", "--", *READING, user=NOBODY)
    subprocess.run(["mount", "-o", "remount,mode=755,gid=65534", "/sys/kernel/tracing"], check=True)
    record("tracefs-open", "-e", "sched:sched_switch", "--", *READING, user=NOBODY)
    sysctl(perf_event_paranoid=1, kptr_restrict=1)
    record("kptr-1", "--", *READING, user=NOBODY)
    record("kptr-1-root", "--", *READING)
    sysctl(kptr_restrict=2)
    record("kptr-2", "--", *READING)

    report("end", uptime=uptime())
    say(END)


def let_everybody_through(*paths):
    """Open the directories above: the machine's copies of them, not the host's."""
    for path in paths:
        for folder in (Path(path), *Path(path).parents, *Path(path).resolve().parents):
            if folder.is_dir() and folder.stat().st_mode & 0o5 != 0o5:
                folder.chmod(folder.stat().st_mode | 0o55)


def hide_modules():
    """Spare perf the look at every module file that it takes when it starts: 20 seconds on the shared file system."""
    folder = Path("/lib/modules", platform.release(), "kernel")
    subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)


def compiled():
    """Compile the program: the compiler of the host is there."""
    folder = Path("/tmp/shop")
    folder.mkdir()
    (folder / "shop.c").write_text(SHOP)
    command = ["gcc", "-O0", "-g", "-fno-omit-frame-pointer", "shop.c", "-o", "shop"]
    subprocess.run(command, check=True, cwd=folder)
    return str(folder / "shop")


def sysctl(**settings):
    for name, value in settings.items():
        Path("/proc/sys/kernel", name).write_text(str(value))


def record(name, *arguments, user=(), seconds=120):
    folder = Path("/tmp/guest", name)
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    start = time.monotonic()
    if user:
        done = run([*user, *KPROF, *arguments], cwd=folder, seconds=seconds)
    else:
        done = kprof("record", *arguments, cwd=folder, seconds=seconds)
    output = folder / "out.folded"
    text = output.read_text(errors="replace") if output.exists() else None
    kept = None if text is None else text.splitlines()[:LINES_KEPT]
    samples = re.search(r"(\d[\d,]*) kept", done.stderr)
    report(
        name,
        code=done.returncode, out=done.stdout, err=done.stderr, folded=kept,
        samples=int(samples[1].replace(",", "")) if samples else 0,
        weight=sum(int(line.rpartition(" ")[2]) for line in (text or "").splitlines()),
        owner=output.stat().st_uid if output.exists() else None,
        seconds=round(time.monotonic() - start, 1),
    )  # fmt: skip
    shutil.rmtree(folder)


def trace(name, *arguments):
    start = time.monotonic()
    done = kprof("trace", arguments[0], "--json", *arguments[1:], seconds=500)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    report(
        f"trace {name}",
        code=done.returncode, err=done.stderr[-3000:], rows=list(map(json.loads, lines)),
        seconds=round(time.monotonic() - start, 1),
    )  # fmt: skip


def probe():
    made = run([shutil.which("perf"), "probe", "-q", "--add", "vfs_read"])
    report("perf-probe", code=made.returncode, err=made.stderr)
    record("probe", "-e", "probe:vfs_read", "--", *READING)


def kprof(*arguments, cwd="/", seconds=120):
    return forked.run_kprof(arguments, cwd=cwd, environment=environment(), seconds=seconds)


def environment():
    return {**os.environ, "HOME": "/nonexistent", "TMPDIR": "/tmp"}


def run(command, cwd="/", seconds=120):
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, errors="replace",
        check=False, timeout=seconds, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def report(name, **facts):
    say(json.dumps({"name": name, **facts}))


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def uptime():
    return float(Path("/proc/uptime").read_text().split()[0])


if __name__ == "__main__":
    main()

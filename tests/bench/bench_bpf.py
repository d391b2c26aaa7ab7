"""What recording costs: the bpf backend beside perf record, on a program that does nothing but compute.

    python tests/bench/bench_bpf.py [--seconds 10] [--rounds 5] [--rates 99 999] [--graph fp]

`perf record` and `kprof record --backend bpf` take turns, each from its start to its end by Ctrl-C. Medians, and
what ours is of perf's:

    lost      work that the target does less a second of its own CPU time than right before and after
    start     CPU ms of the recorder before it records steadily
    ms/s      CPU ms a second while it records: its user and system time
    stop      CPU ms from Ctrl-C to its end
    at N s    CPU ms of a recording of that length: start, steady, stop
    copied    KB from the kernel to the recorder; of perf's it is what it wrote of its ring buffers
    file      KB of the file

What the kernel does for either recorder when it samples is the target's time, and shows in what it loses. Needs root.
"""

import argparse
import json
import mmap
import os
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET = """
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
static volatile uint64_t *rounds;
__attribute__((noinline)) static uint64_t work(int depth, uint64_t x) {
    if (depth) return work(depth - 1, x) + 1;
    for (int i = 0; i < 2000; i++) x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}
int main(int count, char **arguments) {
    rounds = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(arguments[1], O_RDWR), 0);
    for (uint64_t x = 1;; *rounds += 1) x = work(*rounds % 30, x);
}
"""
# A recorder has started when it took less than so many seconds of CPU for a while.
START, QUIET, WHILE = 0.9, 0.005, 0.3
COLUMNS = ("lost", "start", "ms/s", "stop", "copied", "file")
LENGTHS = (10, 60)
TALLIES = 5


def start_target(folder, graph):
    source, program, counter = folder / "target.c", folder / "target", folder / "counter"
    source.write_text(TARGET)
    frames = "-fno-omit-frame-pointer" if graph == "fp" else "-fomit-frame-pointer"
    flags = ["-O1", frames, "-fno-optimize-sibling-calls"]
    subprocess.run(["gcc", *flags, source, "-o", program], check=True)
    counter.write_bytes(bytes(4096))
    process = subprocess.Popen(["taskset", "-c", "1", program, counter])
    with counter.open("rb") as file:
        return process, mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ)


def recorder(kind, pid, rate, graph, output):
    if kind == "perf":
        return ["perf", "record", "-q", "--call-graph", graph, "-e", "cpu-clock", "-F", str(rate), "-p", str(pid),
                "-o", output]  # fmt: skip
    return [sys.executable, "-m", "kprof", "record", "-q", "-f", "--backend", "bpf", "-e", "cpu-clock",
            "-g", graph, "-F", str(rate), "-p", str(pid), "-o", output]  # fmt: skip


def cpu_seconds(pid):
    """CPU time of a process so far, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def pace_of(target, counter, seconds):
    """Return the target's rounds a second of its CPU time: others that use the CPU do not change it."""
    start, before = cpu_seconds(target), struct.unpack_from("Q", counter)[0]
    time.sleep(seconds)
    return (struct.unpack_from("Q", counter)[0] - before) / (cpu_seconds(target) - start)


def one(command, target, counter, seconds, output):
    """Run a recorder; return a value for each of COLUMNS."""
    # Where it is set, Python compiles all of its modules at every start, as no user's does.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = pace_of(target, counter, 0.3 * seconds)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    time.sleep(START)
    used = -1.0
    while cpu_seconds(process.pid) - used > QUIET:
        used = cpu_seconds(process.pid)
        time.sleep(WHILE)
    begun, used = time.monotonic(), cpu_seconds(process.pid)
    pace = pace_of(target, counter, seconds)
    steady, elapsed = cpu_seconds(process.pid) - used, time.monotonic() - begun
    os.kill(process.pid, signal.SIGINT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    after = pace_of(target, counter, 0.3 * seconds)
    stop = usage.ru_utime + usage.ru_stime - used - steady
    size = output.stat().st_size
    row = 1 - 2 * pace / (before + after), used * 1e3, steady / elapsed * 1e3, stop * 1e3
    return *row, copied(output) / 1e3, size / 1e3


def copied(output):
    """Return the bytes that came from the kernel."""
    data = output.read_bytes()
    if not data.startswith(b"KPROFBPF"):
        # Head of perf.data: magic, size of the head and of an attribute, sections of attributes and of data.
        return struct.unpack_from("<Q", data, 48)[0]
    at, told = 16, 0
    while at + 16 <= len(data):
        kind, _, size = struct.unpack_from("<IIQ", data, at)
        if kind == TALLIES:
            told = json.loads(data[at + 16 : at + 16 + size])["copied"]
        at += 16 + size + -size % 8
    return told


def measure(target, counter, rate, options, folder):
    results = {"perf": [], "bpf": []}
    for _ in range(options.rounds):
        for kind, rounds in results.items():
            output = folder / f"out.{'data' if kind == 'perf' else 'kprof'}"
            command = recorder(kind, target, rate, options.graph, str(output))
            rounds.append(one(command, target, counter, options.seconds, output))
    return {
        kind: dict(zip(COLUMNS, map(statistics.median, zip(*rounds, strict=True)), strict=True))
        for kind, rounds in results.items()
    }


def show(rate, found):
    for row in found.values():
        row.update({f"at {s} s": row["start"] + row["stop"] + row["ms/s"] * s for s in LENGTHS})
    names = ["start", "ms/s", "stop", *(f"at {s} s" for s in LENGTHS), "copied", "file"]
    print(f"\n{rate} Hz{'lost':>12}" + "".join(f"{name:>10}" for name in names))
    for kind, row in found.items():
        print(f"{kind:6}{row['lost']:>11.2%}" + "".join(f"{row[name]:10.2f}" for name in names))
    ratios = [found["bpf"][name] / found["perf"][name] if found["perf"][name] else 0 for name in names]
    print(f"{'ratio':6}{'':11}" + "".join(f"{ratio:10.2f}" for ratio in ratios), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rates", type=int, nargs="+", default=[99, 999])
    parser.add_argument("--graph", choices=["fp", "dwarf"], default="fp", help="how stacks are captured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, counter = start_target(folder, options.graph)
        try:
            for rate in options.rates:
                show(rate, measure(process.pid, counter, rate, options, folder))
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()

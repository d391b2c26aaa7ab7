"""What recording costs: the bpf backend beside `perf record -g`, on a program that does nothing but compute.

    python tests/bench/bench_bpf.py [--seconds 5] [--rounds 5] [--rates 99 999]

`perf record -g` and `kprof record --backend bpf` take turns. Reported are medians: the target's work lost against
the time right before and after, the recorder's CPU time a second while it records, its CPU time from start to end
(Python's start is most of kprof's), and the size of its file. Needs root.
"""

import argparse
import mmap
import os
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
# Until then, a recorder records.
START = 1.5


def start_target(folder):
    source, program, counter = folder / "target.c", folder / "target", folder / "counter"
    source.write_text(TARGET)
    flags = ["-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"]
    subprocess.run(["gcc", *flags, source, "-o", program], check=True)
    counter.write_bytes(bytes(4096))
    process = subprocess.Popen(["taskset", "-c", "1", program, counter])
    with counter.open("rb") as file:
        return process, mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ)


def recorder(kind, pid, rate, seconds, output):
    if kind == "perf":
        return ["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", str(rate), "-p", str(pid), "-o", output,
                "--", "sleep", str(seconds)]  # fmt: skip
    return [sys.executable, "-m", "kprof", "record", "-q", "-f", "--backend", "bpf", "-e", "cpu-clock",
            "-F", str(rate), "-p", str(pid), "-d", str(seconds), "-o", output]  # fmt: skip


def cpu_seconds(process):
    """CPU time of a process so far, to the nanosecond."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9


def pace_of(counter, seconds, process=None):
    """Return the target's rounds a second, and what the process took of a CPU meanwhile."""
    begun = cpu_seconds(process) if process else 0
    start, before = time.monotonic(), struct.unpack_from("Q", counter)[0]
    time.sleep(seconds)
    elapsed = time.monotonic() - start
    used = cpu_seconds(process) - begun if process else 0
    return (struct.unpack_from("Q", counter)[0] - before) / elapsed, used / elapsed


def one(command, counter, seconds):
    """Run a recorder; return the share of work lost, its CPU while it records and in all."""
    before, _ = pace_of(counter, 0.3 * seconds)
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    time.sleep(START)
    pace, used = pace_of(counter, seconds - START, process)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    after, _ = pace_of(counter, 0.3 * seconds)
    return 1 - 2 * pace / (before + after), used, usage.ru_utime + usage.ru_stime


def measure(pid, counter, rate, options, folder):
    results = {"perf": [], "bpf": []}
    for _ in range(options.rounds):
        for kind, rounds in results.items():
            output = str(folder / f"out.{'data' if kind == 'perf' else 'kprof'}")
            found = one(recorder(kind, pid, rate, options.seconds + 1, output), counter, options.seconds)
            rounds.append((*found, Path(output).stat().st_size))
    return {
        kind: [statistics.median(column) for column in zip(*rounds, strict=True)]
        for kind, rounds in results.items()
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rates", type=int, nargs="+", default=[99, 999])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, counter = start_target(folder)
        try:
            print("rate  recorder  work lost  CPU ms/s  CPU ms in all  KB in all")
            for rate in options.rates:
                found = measure(process.pid, counter, rate, options, folder)
                for kind, (lost, used, whole, size) in found.items():
                    cost = f"{used * 1e3:8.2f}  {whole * 1e3:13.0f}"
                    print(f"{rate:4}  {kind:8}  {lost:9.2%}  {cost}  {size / 1e3:9.1f}")
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()

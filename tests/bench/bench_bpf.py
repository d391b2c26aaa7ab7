"""What recording costs: the bpf backend beside `perf record -g`, on a program that does nothing but compute.

    python tests/bench/bench_bpf.py [--seconds 5] [--rounds 5] [--rates 99 999]

For each rate, rounds without a recorder, with `perf record -g` and with `kprof record --backend bpf` take turns.
Reported are medians: the target's work lost against the round without, the recorder's CPU seconds a second of
recording (without what its start and end take: a recording of twice the time is set against it), and bytes written
a second. Needs root.
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


def one(command, counter, seconds):
    """Run a recorder; return its CPU seconds, and the target's rounds a second while it surely records."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL) if command else None
    time.sleep(0.2 * seconds)
    start, before = time.monotonic(), struct.unpack_from("Q", counter)[0]
    time.sleep(0.6 * seconds)
    pace = (struct.unpack_from("Q", counter)[0] - before) / (time.monotonic() - start)
    if not process:
        return 0.0, pace
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, pace


def measure(pid, counter, rate, options, folder):
    paces, costs, sizes = {"none": [], "perf": [], "bpf": []}, {"perf": [], "bpf": []}, {}
    for _ in range(options.rounds):
        paces["none"].append(one(None, counter, options.seconds)[1])
        for kind, cost in costs.items():
            output = str(folder / f"out.{'data' if kind == 'perf' else 'kprof'}")
            short, pace = one(recorder(kind, pid, rate, options.seconds, output), counter, options.seconds)
            small = Path(output).stat().st_size
            long, _ = one(
                recorder(kind, pid, rate, 2 * options.seconds, output), counter, 2 * options.seconds
            )
            paces[kind].append(pace)
            cost.append((long - short) / options.seconds)
            sizes[kind] = (Path(output).stat().st_size - small) / options.seconds
    idle = statistics.median(paces["none"])
    return {
        kind: (1 - statistics.median(paces[kind]) / idle, statistics.median(costs[kind]), sizes[kind])
        for kind in costs
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
            print("rate  recorder  work lost  CPU ms/s  KB/s")
            for rate in options.rates:
                found = measure(process.pid, counter, rate, options, folder)
                for kind, (lost, cost, size) in found.items():
                    print(f"{rate:4}  {kind:8}  {lost:8.2%}  {cost * 1e3:9.2f}  {size / 1e3:6.1f}")
                ratio = found["bpf"][1] / max(found["perf"][1], 1e-9)
                print(f"      bpf takes {ratio:.2f} of perf's CPU time")
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()

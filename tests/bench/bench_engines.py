"""The engines of the bpf backend and perf, on a program whose truth is known: what each costs, and what each says.

    python tests/bench/bench_engines.py [--seconds 4] [--rounds 5] [--rate 997] [--events on-cpu off-cpu]

Recorders take turns on a program that spends half of its time in `one`, three tenths in `two` and two tenths in
`three`. Reported are medians: seconds until the recorder counts, its CPU seconds (with those of what it starts) on
the way there and a second afterwards, how much less work the program does meanwhile, how many samples there are,
and how far the shares of the three functions are from the truth. Needs root; prints Markdown.
"""

import argparse
import mmap
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECORDERS = ("perf", "libbpf", "bpftrace", "bcc")
TRUTH = {"one": 0.5, "two": 0.3, "three": 0.2}
TARGET = """
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
static volatile uint64_t *rounds, sink;
#define WORK(name, parts) \\
    __attribute__((noinline)) static void name(void) { \\
        uint64_t x = sink; \\
        for (int i = 0; i < parts * 2000; i++) x = x * 6364136223846793005u + 1442695040888963407u; \\
        sink = x; \\
    }
WORK(one, 5)
WORK(two, 3)
WORK(three, 2)
int main(int count, char **arguments) {
    rounds = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(arguments[1], O_RDWR), 0);
    for (;; *rounds += 1) { one(); two(); three(); }
}
"""


def start_target(folder):
    source, program, counter = folder / "target.c", folder / "target", folder / "counter"
    source.write_text(TARGET)
    subprocess.run(["gcc", "-O1", "-fno-omit-frame-pointer", source, "-o", program], check=True)
    counter.write_bytes(bytes(4096))
    process = subprocess.Popen([program, counter])
    with counter.open("rb") as file:
        return process, mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ)


def command(recorder, pid, options, seconds, output):
    chosen = ["--backend", "perf"] if recorder == "perf" else ["--engine", recorder]
    return [sys.executable, "-m", "kprof", "record", "-q", "-f", *chosen, "-g", "fp", "-e", "cpu-clock", "-F",
            str(options.rate), "-p", str(pid), "-d", str(seconds), "-o", output]  # fmt: skip


def run(recorder, pid, options, seconds, folder):
    """Return wall seconds, CPU seconds, and the folded stacks."""
    output = folder / "out.folded"
    start, before = time.monotonic(), os.times()
    subprocess.run(
        command(recorder, pid, options, seconds, str(output)), check=True, stderr=subprocess.DEVNULL
    )
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - start, used, output.read_text()


def cpu_of(process):
    """Return the CPU seconds that the target had so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pace(counter, process, seconds):
    """Return rounds for each second of CPU time: a busy host takes it away from the target, which is not our doing."""
    rounds, used = int.from_bytes(counter[:8], "little"), cpu_of(process)
    time.sleep(seconds)
    return (int.from_bytes(counter[:8], "little") - rounds) / max(cpu_of(process) - used, 0.01)


def one(recorder, process, counter, options, folder):
    """Return the figures of one run: a short one tells what starting takes, a long one the rest."""
    least = 0.2
    short_wall, short_cpu, _ = run(recorder, process.pid, options, least, folder)
    before = pace(counter, process, options.seconds / 2)
    output = folder / "long.folded"
    used = os.times()
    child = subprocess.Popen(
        command(recorder, process.pid, options, options.seconds, str(output)), stderr=subprocess.DEVNULL
    )
    time.sleep(short_wall - least)
    during = pace(counter, process, options.seconds * 0.7)
    child.wait()
    now = os.times()
    cpu = now.children_user + now.children_system - used.children_user - used.children_system
    after = pace(counter, process, options.seconds / 2)
    weights = dict.fromkeys(TRUTH, 0)
    total = 0
    for line in output.read_text().splitlines():
        stack, _, weight = line.rpartition(" ")
        total += int(weight)
        for name in TRUTH:
            weights[name] += int(weight) * (name in stack.split(";"))
    off = max(abs(weights[name] / total - part) for name, part in TRUTH.items())
    return (
        short_wall - least, short_cpu, max(cpu - short_cpu, 0) / (options.seconds - least),
        1 - 2 * during / (before + after), total / 1e9 * options.rate, off,
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=997)
    parser.add_argument("--recorders", nargs="+", default=RECORDERS, choices=RECORDERS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process, counter = start_target(folder)
        try:
            found = {recorder: [] for recorder in options.recorders}
            for _ in range(options.rounds):
                for recorder, rounds in found.items():
                    rounds.append(one(recorder, process, counter, options, folder))
                show(found)
        finally:
            process.kill()
            process.wait()


def show(found):
    """Print the medians so far."""
    names = "start and end, s | their CPU, s | CPU a second, ms | work lost | samples | farthest from truth"
    print(f"\n| recorder | {names} |\n|---|---|---|---|---|---|---|")
    for recorder, rounds in found.items():
        start, cpu, rate, lost, kept, off = map(statistics.median, zip(*rounds, strict=True))
        figures = f"{start:.2f} | {cpu:.2f} | {rate * 1e3:.1f} | {lost:.1%} | {kept:,.0f} | {off:.1%}"
        print(f"| {recorder} | {figures} |", flush=True)


if __name__ == "__main__":
    main()

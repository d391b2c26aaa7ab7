"""perf.data to folded stacks: CPU, wall and memory, beside perf and whatever peers are here, in one run.

    python tests/bench/bench_perf_data.py [--peer NAME=COMMAND]... RECORDING...

A peer's COMMAND reads the text of `perf script` on stdin (stackcollapse-perf.pl, inferno-collapse-perf) or holds
{} where the recording's name goes. All commands run once a round, in an order of chance; the figures are medians.
Nothing is asserted. The table is Markdown.
"""

import argparse
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Cost, medians, run

TEXT_PEERS = ("stackcollapse-perf.pl", "inferno-collapse-perf")


def commands(recording: Path, kprof: str, peers: list[str]) -> dict[str, list[str]]:
    data = shlex.quote(str(recording))
    shells = {
        "kprof fold": f"{kprof} fold -q -o - {data}",
        "kprof fold --no-inline": f"{kprof} fold -q -o - --no-inline {data}",
        "perf script": f"perf script -f -i {data}",
        "perf script --no-inline": f"perf script -f --no-inline -i {data}",
        "perf report -g folded": f"perf report -f --stdio --no-inline -g folded,0,caller,count -i {data}",
    }
    for peer in (*peers, *(f"{name}={name}" for name in TEXT_PEERS if shutil.which(name))):
        name, _, command = peer.partition("=")
        piped = f"perf script -f --no-inline -i {data} | {command}"
        shells[name] = command.format(data) if "{}" in command else piped
    return {name: ["sh", "-c", f"{shell} 2>/dev/null"] for name, shell in shells.items()}


def samples(recording: Path) -> str:
    done = subprocess.run(
        ["perf", "report", "-f", "--stats", "-i", recording], capture_output=True, text=True, check=True
    )
    return next(line.split(":")[1].split()[0] for line in done.stdout.splitlines() if "SAMPLE events" in line)


def table(costs: dict[str, list[Cost]]) -> None:
    base = medians(next(iter(costs.values()))).cpu
    print("| command | CPU s | ratio | wall s | peak MB |\n|---|---|---|---|---|")
    for name, runs in costs.items():
        cost = medians(runs)
        ratio = cost.cpu / base
        print(f"| {name} | {cost.cpu:.2f} | {ratio:.1f} | {cost.wall:.2f} | {cost.rss_mb:.0f} |", flush=True)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--skip", action="append", default=[], metavar="NAME", help="leave a command out")
    parser.add_argument("--kprof", default=str(Path(sys.executable).with_name("kprof")), metavar="COMMAND")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    args = parser.parse_args()
    for recording in args.recordings:
        size = recording.stat().st_size / 1e6
        print(f"\n{recording.name}: {size:.0f} MB, {samples(recording)} samples, medians of {args.runs}, "
              f"{os.cpu_count()} cores\n", flush=True)  # fmt: skip
        todo = commands(recording.resolve(), args.kprof, args.peer)
        costs: dict[str, list[Cost]] = {name: [] for name in todo if name not in args.skip}
        with tempfile.TemporaryDirectory(prefix="kprof-bench-") as scratch:
            for round_ in range(args.runs):
                # In another order each time: what ran before leaves memory and clocks as it pleases.
                for name in random.Random(round_).sample(list(costs), len(costs)):  # noqa: S311 - no secret
                    costs[name].append(run(todo[name], Path(scratch)))
        table(costs)


if __name__ == "__main__":
    main()

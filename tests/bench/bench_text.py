"""`perf script` text to folded stacks: CPU, wall and memory, beside whatever peers are here, in one run.

    python tests/bench/bench_text.py [--size MB] [--peer NAME=COMMAND]... [--kprof COMMAND]

The text comes from make_text.py; it is written under $TMPDIR and removed. Runs of all commands take turns; the figures
are medians. Nothing is asserted: timings are for people to read. Peers on PATH are found; --peer adds others.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Cost, medians, run


def make(path: Path, megabytes: int) -> str:
    """Write the text in a process of its own.

    A child's peak memory starts at its parent's, so this process must stay smaller than what it measures.
    """
    maker = Path(__file__).with_name("make_text.py")
    done = subprocess.run(
        [sys.executable, maker, path, str(megabytes)], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=250, metavar="MB")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kprof", default=str(Path(sys.executable).with_name("kprof")), metavar="COMMAND")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    args = parser.parse_args()
    kprof = shlex.split(args.kprof)
    peers = [peer for peer in ("stackcollapse-perf.pl", "inferno-collapse-perf") if shutil.which(peer)]
    commands = [(name, [name]) for name in peers]
    for peer in args.peer:
        name, _, command = peer.partition("=")
        commands.append((name, shlex.split(command)))
    with tempfile.TemporaryDirectory(prefix="kprof-bench-") as scratch:
        folder = Path(scratch)
        text, quarter = folder / "perf-script.txt", folder / "quarter.txt"
        print(make(text, args.size), flush=True)
        rows: dict[str, tuple[list[str], Path | None]] = {
            "kprof fold --compat flamegraph FILE": (
                [*kprof, "fold", "--compat", "flamegraph", str(text)],
                None,
            ),
            "kprof fold FILE": ([*kprof, "fold", str(text)], None),
            "cat FILE | kprof fold -": ([*kprof, "fold", "-"], text),
            **{f"{name} FILE": ([*command, str(text)], None) for name, command in commands},
        }
        costs: dict[str, list[Cost]] = {name: [] for name in rows}
        for _ in range(args.runs):
            for name, (command, source) in rows.items():
                costs[name].append(run(command, folder, source))
        table(costs)
        print(f"\nmemory, a quarter of the text and all of it (medians of {args.runs})")
        make(quarter, args.size // 4)
        for name, (command, source) in list(rows.items())[:3]:
            small = [str(quarter) if word == str(text) else word for word in command]
            first = medians([run(small, folder, quarter if source else None) for _ in range(args.runs)])
            whole = medians(costs[name])
            print(f"{name:38}{first.rss_mb:9.1f} MB{whole.rss_mb:9.1f} MB{whole.rss_mb / first.rss_mb:7.2f}x")


def table(costs: dict[str, list[Cost]]) -> None:
    runs = len(next(iter(costs.values())))
    print(
        f"\n{f'medians of {runs}, {os.cpu_count()} cores':38}{'CPU s':>9}{'wall s':>9}{'RSS MB':>9}{'CPU ratio':>11}"
    )
    base = medians(next(iter(costs.values()))).cpu
    for name, runs_of in costs.items():
        cost = medians(runs_of)
        print(f"{name:38}{cost.cpu:9.3f}{cost.wall:9.3f}{cost.rss_mb:9.1f}{cost.cpu / base:10.1f}x")


if __name__ == "__main__":
    main()

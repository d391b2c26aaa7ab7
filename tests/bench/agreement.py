"""Do kprof's stacks equal those of perf? Sample by sample, for recordings on this machine.

    python tests/bench/agreement.py RECORDING...

kprof's side is what `--compat perf` reads; perf's is its own text, one field per column, cut here by a regular
expression that shares nothing with kprof's text reader. Samples are matched by time, thread, event and order.
Names are compared as perf prints them, without offsets. Prints a line a recording, and the commonest differences.
"""

import argparse
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from kprof import pipeline
from kprof._native._text import short_name
from kprof.model import Profile
from kprof.readers import ReadOptions

HEAD = re.compile(r"^\s*(-?\d+)\s+(\d+)\.(\d+):\s+(\d+)?\s*(\S+):\s*(.*)$")
FRAME = re.compile(r"^\s*([0-9a-f]+) (.*?) \((?=[/\[]|inlined)(.*)\)$")
Key = tuple[int, int, str]
Stacks = dict[Key, list[tuple[str, ...]]]


def short(name: str) -> str:
    return short_name(name.encode(errors="surrogateescape")).decode(errors="surrogateescape")


def of_perf(path: Path) -> Stacks:
    """Stacks as perf prints them, leaf first."""
    command = [
        "perf",
        "script",
        "-f",
        "--no-inline",
        "--ns",
        "-i",
        path,
        "-F",
        "tid,time,period,event,ip,sym,dso",
    ]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="surrogateescape")
    found: dict[Key, list[list[str]]] = defaultdict(list)
    names: list[str] = []
    for line in text.split("\n"):
        if head := HEAD.match(line):
            tid, seconds, fraction, _, event, rest = head.groups()
            key = (int(seconds) * 10**9 + int(fraction.ljust(9, "0")), int(tid), event)
            names = []
            found[key].append(names)
            line = rest  # noqa: PLW2901 - where there is no chain, the one frame stands here
        if frame := FRAME.match(line):
            names.append(short(frame[2]))
    return {key: [tuple(stack) for stack in stacks] for key, stacks in found.items()}


def of_kprof(path: Path, event: str) -> Stacks:
    choice = pipeline.Choice(ReadOptions(compat="perf", every_sample=True), event)
    profile = pipeline.read([str(path)], choice)
    found: Stacks = defaultdict(list)
    samples = profile.samples
    assert samples.tid is not None
    assert samples.time_ns is not None
    known: dict[int, tuple[str, ...]] = {}
    for stack, tid, time in zip(
        samples.stack.tolist(), samples.tid.tolist(), samples.time_ns.tolist(), strict=True
    ):
        if stack not in known:
            known[stack] = names_of(profile, stack)
        found[time, tid, event].append(known[stack])
    return found


def names_of(profile: Profile, stack: int) -> tuple[str, ...]:
    names = []
    while stack >= 0:
        names.append(profile.frames.name[profile.stacks.frame[stack]])
        stack = int(profile.stacks.parent[stack])
    return tuple(names)


def first_difference(ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            return f"perf {other!r}, kprof {one!r}"
    longer, what = (theirs, "perf") if len(theirs) > len(ours) else (ours, "kprof")
    return f"only in {what}, at the root: {longer[min(len(ours), len(theirs))]!r}"


def compare(path: Path) -> None:
    theirs = of_perf(path)
    events = {key[2] for key in theirs}
    ours: Stacks = {}
    for event in events:
        ours |= of_kprof(path, event)
    total = sum(map(len, theirs.values()))
    present = equal = 0
    differences: Counter[str] = Counter()
    for key, stacks in theirs.items():
        for mine, other in zip(sorted(ours.get(key, [])), sorted(stacks), strict=False):
            present += 1
            equal += mine == other
            if mine != other:
                differences[first_difference(mine, other)] += 1
    extra = sum(map(len, ours.values())) - present
    share = 100 * equal / max(total, 1)
    print(f"| {path.name} | {total:,} | {total - present:,} | {extra:,} | {share:.2f} % |", flush=True)
    for text, times in differences.most_common(4):
        print(f"<!-- {times:6} {text[:150]} -->")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    print("| recording | samples | missing | extra | equal stacks |\n|---|---|---|---|---|")
    for path in parser.parse_args().recordings:
        compare(path)


if __name__ == "__main__":
    main()

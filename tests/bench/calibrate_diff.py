"""How often `kprof diff` is wrong, and what it finds: the figures of docs/explanation/differences.md.

    python tests/bench/calibrate_diff.py [--comparisons N] [--recorded RUNS]

Generated: a program of 40 functions in four phases, a run is 10,000 samples (10 s at 997 Hz), five runs a side. Time
blocks: one run a side, cut into ten stretches that are tested as if they were runs. Recorded (with --recorded): a C
program and a Python program that perf records RUNS times each, compared with themselves in random halves of ten
runs, and the C program with one function that does a twentieth more of the program's work.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from kprof import pipeline
from kprof.analysis.diff import diff
from kprof.analysis.gate import judge_rules, parse_rule
from kprof.model import Filter, Profile, ProfileBuilder
from kprof.readers import ReadOptions

RUN = 10_000
RUNS = 5
BLOCKS = 10
FUNCTIONS, PHASES = 40, 4
SIGMA = 0.15
MIXES = ("steady", "by run", "within a run")
SECONDS, RATE = 3, 997
C_PROGRAM = """
#include <stdint.h>
#define N __attribute__((noinline))
static volatile uint64_t sink;
N static uint64_t mix(uint64_t x, int n) { while (n--) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; } return x; }
N static uint64_t parse(uint64_t x) { return mix(x, 9000); }
N static uint64_t copy(uint64_t x) { return mix(x, 6000) + 1; }
N static uint64_t walk(int depth, uint64_t x) { return depth ? walk(depth - 1, x * 3) + walk(depth - 1, x * 5) : mix(x, 30); }
N static uint64_t sort(uint64_t x) { uint64_t s = 0; for (int i = 0; i < 3000; i++) s += (x + i) % (i + 7); return s; }
N static uint64_t check(uint64_t x) { uint64_t s = 1; for (int i = 0; i < CHECK; i++) s = s * 31 + (x >> (i & 7)); return s; }
int main(void) { for (uint64_t x = 1;; x++) sink += parse(x) + copy(x) + walk(7, x) + sort(x) + check(x); }
"""
PYTHON_PROGRAM = """
import json, re
while True:
    json.loads(json.dumps({"a": list(range(300)), "b": "x" * 100}))
    re.findall(r"w\\w+(\\d)", " ".join(f"word{i}" for i in range(200)))
    sorted((i * 7919) % 1009 for i in range(1000))
"""


class Program:
    """40 functions in four phases, of which each run takes multinomial samples.

    Args:
        seed: Of everything random.
        mix: How the phases' weights vary: not at all, `by run`, or `within a run` from stretch to stretch.
    """

    def __init__(self, seed: int, mix: str = "steady") -> None:
        self.random, self.mix = np.random.default_rng(seed), mix
        self.weight = self.random.dirichlet(np.full(FUNCTIONS, 0.6))
        self.phase = np.arange(FUNCTIONS) % PHASES
        builder = ProfileBuilder()
        for number in range(FUNCTIONS):
            builder.add(["main", f"phase{self.phase[number]}", f"f{number}"], 1)
        self.shape = builder.build()

    def shares(self, grown: int | None = None, by: float = 0.0) -> list[np.ndarray]:
        """Return the distribution of the samples of each of ten stretches of a run."""
        drift = np.zeros(PHASES)
        shift = self.random.normal(0, SIGMA, PHASES) if self.mix == "by run" else drift
        stretches = []
        for _ in range(BLOCKS):
            if self.mix == "within a run":
                # What a stretch does is much like what the one before it did.
                drift = 0.8 * drift + self.random.normal(0, SIGMA * 0.6, PHASES)
            weight = self.weight * np.exp(shift + drift)[self.phase]
            weight /= weight.sum()
            if grown is not None:
                weight[grown] += by
            stretches.append(weight / weight.sum())
        return stretches

    def counted(self, counts: np.ndarray) -> Profile:
        return replace(self.shape, samples=replace(self.shape.samples, weight=counts, count=counts))

    def run(self, grown: int | None = None, by: float = 0.0) -> Profile:
        whole = np.mean(self.shares(grown, by), axis=0)
        return self.counted(self.random.multinomial(RUN, whole))

    def side(self, grown: int | None = None, by: float = 0.0) -> list[Profile]:
        return [self.run(grown, by) for _ in range(RUNS)]

    def blocks(self) -> list[Profile]:
        """Return the stretches of one run as if they were runs."""
        return [self.counted(self.random.multinomial(RUN // BLOCKS, part)) for part in self.shares()]


def flags_anything(before: list[Profile], after: list[Profile]) -> bool:
    return bool(diff(before, after).table.columns["significant"].any())


def is_found(before: list[Profile], after: list[Profile], function: str) -> bool:
    rows = diff(before, after).table.rows()
    return any(row["function"] == function and row["significant"] for row in rows)


def breaks(before: list[Profile], after: list[Profile], rule: str) -> bool:
    return judge_rules([parse_rule(rule)], before, after)[0].fails


def false_alarms(mix: str, comparisons: int, seed: int, make: str = "side") -> float:
    """Return the share of comparisons of a program with itself in which anything is called significant."""
    flagged = 0
    for number in range(comparisons):
        program = Program(seed + number, mix)
        before, after = getattr(program, make)(), getattr(program, make)()
        flagged += flags_anything(before, after)
    return flagged / comparisons


def planted(mix: str, tries: int, rank: int, more: Callable[[float], float], rule: str = "") -> int:
    """Return how often a function that grows is found, by the table or by a rule for it.

    Args:
        mix: As of `Program`.
        tries: How many programs.
        rank: Which function, by its weight; -1 for the heaviest.
        more: What is added to its share.
        rule: Text of a rule, `{}` for the function's name.
    """
    found = 0
    for seed in range(tries):
        program = Program(1000 + seed, mix)
        grown = int(np.argsort(program.weight)[rank])
        before = program.side()
        after = program.side(grown, more(float(program.weight[grown])))
        name = f"f{grown}"
        found += breaks(before, after, rule.format(name)) if rule else is_found(before, after, name)
    return found


def generated(comparisons: int, tries: int) -> None:
    """Print the table of generated programs."""
    print(f"| {comparisons:,} comparisons, {tries} planted changes | {' | '.join(MIXES)} |")
    print("|---|--:|--:|--:|")

    def line(text: str, values: list[str]) -> None:
        print(f"| {text} | {' | '.join(values)} |", flush=True)

    line(
        "compared with itself: anything significant",
        [f"{false_alarms(m, comparisons, 7):.1%}" for m in MIXES],
    )
    heaviest = "`self(it) > +2%`"
    for text, rank, more, rule in (
        ("a middling function grows so that the program takes 5 % longer: found", 20, lambda w: 0.05, ""),
        ("the heaviest takes 5 % more of its own time: found", -1, lambda w: 0.05 * w, ""),
        ("the heaviest takes 10 % more of its own time: found", -1, lambda w: 0.10 * w, ""),
        (f"the heaviest takes 5 % more, gate {heaviest}: fails", -1, lambda w: 0.05 * w, "self({}) > +2%"),
        (f"the heaviest takes 10 % more, gate {heaviest}: fails", -1, lambda w: 0.10 * w, "self({}) > +2%"),
        (f"compared with itself, gate {heaviest}: fails", -1, lambda w: 0.0, "self({}) > +2%"),
    ):
        line(text, [f"{planted(m, tries, rank, more, rule)} of {tries}" for m in MIXES])
    blocks = [f"{false_alarms(m, comparisons // 4, 7, 'blocks'):.1%}" for m in MIXES]
    line("ten blocks of one run as if they were runs, compared with itself: anything significant", blocks)


def record(command: list[str], runs: int, folder: Path) -> list[str]:
    """Record a program several times; return the recordings."""
    names = []
    for number in range(runs):
        name = str(folder / f"{number}.data")
        perf = ["perf", "record", "-q", "-g", "-e", "cpu-clock:u", "-F", str(RATE), "-o", name]
        subprocess.run(
            [*perf, "--", "timeout", str(SECONDS), *command], stderr=subprocess.DEVNULL, check=False
        )
        names.append(name)
    return names


def halves(profiles: list[Profile], splits: int) -> float:
    """Return the share of random five against five runs of one program in which anything is significant."""
    random = np.random.default_rng(3)
    flagged = 0
    for _ in range(splits):
        order = random.permutation(len(profiles))
        before, after = ([profiles[i] for i in part] for part in (order[:RUNS], order[RUNS : 2 * RUNS]))
        flagged += flags_anything(before, after)
    return flagged / splits


def cut(profile: Profile) -> list[Profile]:
    """Return ten stretches of a recording whose samples have times."""
    times = profile.samples.time_ns
    ends = np.linspace(0, (times.max() - times.min()) / 1e9 + 1e-6, BLOCKS + 1)
    return [Filter(start=a, end=b).apply(profile) for a, b in pairwise(ends)]


def by_blocks(names: list[str]) -> float:
    """Return the share of pairs of recordings of one program whose blocks differ significantly."""
    choice = pipeline.Choice(ReadOptions(every_sample=True))
    blocks = [cut(profile) for profile in pipeline.read_each(names, choice)]
    pairs = list(zip(blocks[::2], blocks[1::2], strict=False))
    return sum(flags_anything(before, after) for before, after in pairs) / len(pairs)


def recorded(runs: int, splits: int) -> None:
    """Print what recordings of real programs give."""
    with tempfile.TemporaryDirectory(prefix="kprof-calibrate-") as scratch:
        folder = Path(scratch)
        (folder / "p.c").write_text(C_PROGRAM)
        (folder / "p.py").write_text(PYTHON_PROGRAM)
        for name, work in (("base", 1000), ("head", 3600)):
            build = ["gcc", "-O1", "-g", "-fno-omit-frame-pointer", f"-DCHECK={work}", "-o"]
            (folder / name).mkdir()
            # Of the same name: a function is told by its name and its file's.
            subprocess.run([*build, str(folder / name / "app"), str(folder / "p.c")], check=True)
        programs = {"C": [str(folder / "base/app")], "Python": ["python3", str(folder / "p.py")]}
        taken = {}
        for name, command in programs.items():
            place = folder / name
            place.mkdir()
            names = record(command, runs, place)
            taken[name] = pipeline.read_each(names)
            samples = np.mean([profile.samples.count.sum() for profile in taken[name]])
            share = halves(taken[name], splits)
            print(
                f"{name}, {runs} runs of {samples:,.0f} samples, {splits} random halves: {share:.1%} flag anything"
            )
            print(
                f"{name}, ten blocks a run, {runs // 2} pairs of runs: {by_blocks(names):.1%} flag anything"
            )
        place = folder / "more"
        place.mkdir()
        after = pipeline.read_each(record([str(folder / "head/app")], RUNS, place))
        rows = {row["function"]: row for row in diff(taken["C"][:RUNS], after).table.rows()}
        row = rows["check"]
        print(
            f"check grew from {row['self_before']:.1%} to {row['self_after']:.1%} of the program's time:"
            f" q = {row['self_q']:.2g}, {'found' if row['significant'] else 'missed'}"
        )
        others = [name for name, other in rows.items() if other["significant"]]
        print(f"significant: {', '.join(others)}")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--comparisons", type=int, default=2000)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--recorded", type=int, default=0, metavar="RUNS")
    parser.add_argument("--splits", type=int, default=200)
    args = parser.parse_args()
    if args.comparisons:
        generated(args.comparisons, args.tries)
    if args.recorded:
        recorded(args.recorded, args.splits)


if __name__ == "__main__":
    main()

"""Hold `kprof fold --compat perf` against `perf script --no-inline`, sample by sample and frame by frame.

    python tests/bench/agreement.py [--examples] [--default] RECORDING...

With --default, it is what kprof says without `--compat`, but for inlined functions and marks of truncated stacks.
perf's text is read here with a regular expression, not with kprof's reader of text. Samples are paired by
event, thread and time. Recordings may be packed with gzip. The table is Markdown; what differs is listed below it by class, with an example.
"""

import argparse
import gzip
import re
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kprof import pipeline
from kprof.errors import KprofError
from kprof.model import Profile
from kprof.readers import ReadOptions

FIELDS = "comm,tid,time,period,event,ip,sym,dso"
# A thread's name may hold anything, spaces, digits and slashes too: the rest is matched from the right.
HEAD = re.compile(r"(.*?)\s+(-?\d+)\s+(\d+)\.(\d{9}):\s+(\d+)\s+(\S+):(?:\s+([0-9a-f]+ .*))?\s*")
# Paths may hold parentheses and names, too: a module begins with / or [, as a rule.
FRAME = re.compile(r"\s*[0-9a-f]+ (?:(.*?) \(([/\[].*)\)|(.*) \((.*)\))\s*")
Frame = tuple[str, str]
Key = tuple[str, int, int, int]


@dataclass(slots=True)
class Sample:
    """One sample as either side sees it; the stack is leaf first."""

    comm: str
    period: int
    stack: tuple[Frame, ...]


@dataclass(slots=True)
class Result:
    """What became of one recording."""

    perf: int = 0
    kprof: int = 0
    heads: int = 0
    stacks: int = 0
    modules: int = 0
    weight: int = 0
    weight_equal: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def differ(self, what: str, example: str) -> None:
        self.classes[what] += 1
        self.examples.setdefault(what, example)


def frame(text: str) -> Frame:
    matched = FRAME.fullmatch(text)
    if not matched:
        return text.strip(), ""
    return (matched[1], matched[2]) if matched[2] else (matched[3], matched[4])


def perf_samples(
    recording: Path, text: Path, read: Callable[[str], Frame] = frame
) -> Iterator[tuple[str, int, int, Sample]]:
    """Give event, thread, time and what else perf says of every sample; `read` reads the lines of frames."""
    with text.open("wb") as out:
        command = ["perf", "script", "-f", "--ns", "--no-inline", "-F", FIELDS, "-i", str(recording)]
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, check=False)
    known: dict[tuple[str, ...], tuple[Frame, ...]] = {}
    frames: dict[str, Frame] = {}
    with text.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for line in lines:
            head = HEAD.fullmatch(line.rstrip("\n"))
            if not head:
                continue
            comm, tid, seconds, nanoseconds, period, event, only = head.groups()
            body = [only] if only else []
            while not only and (below := next(lines, "\n").rstrip("\n")):
                body.append(below)
            raw = tuple(body)
            if raw not in known:
                known[raw] = tuple(frames.setdefault(one, read(one)) for one in raw)
            time = int(seconds) * 10**9 + int(nanoseconds)
            yield event, int(tid), time, Sample(comm.strip(), int(period), known[raw])


def stacks_of(profile: Profile) -> list[tuple[Frame, ...]]:
    """Return names and modules of each stack, leaf first."""
    names, paths = profile.frames.name, profile.mappings.path
    frames = [
        (name, paths[mapping] if mapping >= 0 else "[unknown]")
        for name, mapping in zip(names, profile.frames.mapping.tolist(), strict=True)
    ]
    stacks: list[tuple[Frame, ...]] = []
    for parent, leaf in zip(profile.stacks.parent.tolist(), profile.stacks.frame.tolist(), strict=True):
        above = stacks[parent] if parent >= 0 else ()
        stacks.append(above if names[leaf] == "[truncated]" else (frames[leaf], *above))
    return stacks


def kprof_samples(recording: Path, event: str, compat: str) -> Iterator[tuple[int, int, Sample]]:
    """Give thread, time and what else kprof says of every sample of an event."""
    options = ReadOptions(compat=compat, every_sample=True)
    profile = pipeline.read([str(recording)], pipeline.Choice(options, event=event, inline=False))
    stacks, rows = stacks_of(profile), profile.samples
    columns = (rows.stack, rows.weight, rows.comm, rows.tid, rows.time_ns)
    filled = [[-1] * len(rows) if column is None else column.tolist() for column in columns]
    for stack, weight, comm, tid, time in zip(*filled, strict=True):
        name = profile.comms[comm] if comm >= 0 else ""
        yield tid, time, Sample(name.strip(), weight, stacks[stack] if stack >= 0 else ())


def shown(stack: tuple[Frame, ...]) -> str:
    return " < ".join(f"{name} ({module.rpartition('/')[2]})" for name, module in stack[:40]) or "no stack"


def plain(name: str) -> str:
    """Leave out of a C++ name what demanglers spell differently."""
    return re.sub(r"[\s{}]|(?<=\d)[ul]+|\(anonymous namespace\)|^.*? (?=\S*::)", "", name)


def name_class(ours: Frame, theirs: Frame) -> str:
    if theirs[0] == "[unknown]":
        return "name: only kprof has one"
    if ours[0] == "[unknown]":
        return "name: only perf has one"
    return "name: spelling" if plain(ours[0]) == plain(theirs[0]) else "name: another symbol"


def stack_class(ours: tuple[Frame, ...], theirs: tuple[Frame, ...]) -> tuple[str, str]:
    """Say in which way two stacks differ, and show where."""
    mine, perfs = [f[0] for f in ours], [f[0] for f in theirs]
    sides = f"kprof: {shown(ours)}\n    perf:  {shown(theirs)}"
    if not theirs or not ours:
        return f"stack: only {'kprof' if ours else 'perf'} has one", sides
    if len(mine) == len(perfs):
        at = next(i for i, (a, b) in enumerate(zip(mine, perfs, strict=True)) if a != b)
        return name_class(ours[at], theirs[at]), f"kprof: {ours[at]}\n    perf:  {theirs[at]}"
    if mine[: len(perfs)] == perfs:
        return "stack: perf's stops earlier", sides
    if perfs[: len(mine)] == mine:
        return "stack: kprof's stops earlier", sides
    return "stack: frames differ, other length", sides


def compare(result: Result, key: str, ours: Sample, theirs: Sample) -> None:
    same = (ours.comm, ours.period) == (theirs.comm, theirs.period)
    result.heads += same
    if ours.comm != theirs.comm:
        result.differ("comm", f"{key}: kprof: {ours.comm!r}, perf: {theirs.comm!r}")
    if ours.period != theirs.period:
        result.differ("period", f"{key}: kprof: {ours.period}, perf: {theirs.period}")
    result.weight += theirs.period
    if [f[0] for f in ours.stack] != [f[0] for f in theirs.stack]:
        what, example = stack_class(ours.stack, theirs.stack)
        result.differ(what, f"{key}\n    {example}")
        return
    result.stacks += 1
    result.weight_equal += theirs.period
    different = [(a, b) for a, b in zip(ours.stack, theirs.stack, strict=True) if a[1] != b[1]]
    result.modules += not different
    if different:
        result.differ("module", f"{key}: kprof: {different[0][0]}, perf: {different[0][1]}")


def paired(found: Iterator[tuple[int, int, Sample]]) -> dict[tuple[int, int, int], Sample]:
    """Key samples by thread and time; a running number tells those apart that share both."""
    seen: Counter[tuple[int, int]] = Counter()
    samples = {}
    for tid, time, sample in found:
        samples[tid, time, seen[tid, time]] = sample
        seen[tid, time] += 1
    return samples


def agreement(recording: Path, compat: str) -> Result:
    result = Result()
    events: dict[str, list[tuple[int, int, Sample]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="kprof-agreement-") as scratch:
        if recording.suffix == ".gz":
            packed, recording = recording, Path(scratch, recording.stem)
            recording.write_bytes(gzip.decompress(packed.read_bytes()))
        for event, *rest in perf_samples(recording, Path(scratch) / "text"):
            events[event].append(tuple(rest))
        compare_all(result, recording, events, compat)
    return result


def compare_all(
    result: Result, recording: Path, events: dict[str, list[tuple[int, int, Sample]]], compat: str
) -> None:
    """Hold what kprof says of every event against what perf said."""
    for event, found in events.items():
        theirs = paired(iter(found))
        try:
            ours = paired(kprof_samples(recording, event, compat))
        except KprofError as error:
            ours = {}
            result.differ("error", str(error))
        result.perf += len(theirs)
        result.kprof += len(ours)
        for key in theirs.keys() - ours.keys():
            result.differ("sample: only perf has it", f"{event} {key}: {theirs[key].comm}")
        for key in ours.keys() - theirs.keys():
            result.differ("sample: only kprof has it", f"{event} {key}: {ours[key].comm}")
        for key in sorted(theirs.keys() & ours.keys()):
            compare(result, f"{event} tid {key[0]} time {key[1]}", ours[key], theirs[key])


def percent(part: int, whole: int) -> str:
    """Never rounds up to 100."""
    if not whole:
        return "-"
    return "100" if part == whole else f"{int(10000 * part / whole) / 100:.2f}"


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    parser.add_argument("--examples", action="store_true", help="show an example of each difference")
    parser.add_argument("--default", action="store_true", help="hold what kprof says without --compat")
    args = parser.parse_args()
    print(
        "| recording | samples | kprof has | heads equal % | stacks equal % | their weight % | modules too % |"
    )
    print("|---|---|---|---|---|---|---|")
    results = {}
    for recording in args.recordings:
        one = results[recording.name] = agreement(recording, "" if args.default else "perf")
        n = one.perf
        shares = (percent(one.heads, n), percent(one.stacks, n), percent(one.weight_equal, one.weight),
                  percent(one.modules, n))  # fmt: skip
        print(f"| {recording.name} | {one.perf} | {one.kprof} | {' | '.join(shares)} |", flush=True)
    n, equal = (sum(getattr(one, of) for one in results.values()) for of in ("perf", "stacks"))
    print(f"| all | {n} | {sum(one.kprof for one in results.values())} | | {percent(equal, n)} | | |")
    for name, one in results.items():
        for what, count in one.classes.most_common():
            print(f"\n{name}: {count} x {what}" if args.examples else f"{name}: {count} x {what}")
            if args.examples:
                print(f"    {one.examples[what]}".encode(errors="replace").decode())


if __name__ == "__main__":
    main()

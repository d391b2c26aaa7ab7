"""Hold kprof against the recordings of other projects, and the texts that they expect of them.

    python tests/bench/corpora.py FOLDER...

Each FOLDER is a checkout, or a part of one: google/perf_data_converter, KDAB/perfparser, KDAB/hotspot,
mstange/linux-perf-data, simpleperf of Android. Every file that begins like perf.data, packed or not, is read.
Those that lie beside an expected text are compared sample by sample: event, process, thread, time, CPU, period,
name of the thread, and the stack: files and offsets in them, or, where the binaries are there, names.
"""

import argparse
import bz2
import gzip
import lzma
import subprocess
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import corpora_texts as texts
import zstandard
from corpora_texts import Sample

from kprof.elf.search import FileFinder
from kprof.errors import KprofError
from kprof.model import Profile
from kprof.readers import ReadOptions, Source, find_format
from kprof.symbols import SymbolOptions, symbolise

MAGICS = (b"PERFILE2", b"2ELIFREP", b"PERFFILE")
PACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZ": bz2.open,
    b"\xfd7": lzma.open,
    b"\x28\xb5": zstandard.open,
}
PROTOBUF = (".pb_text", ".pr.out.pb_text", ".pb_data", ".pr.out.pb_data")
BIT_63 = 1 << 63
Key = tuple[object, ...]


@dataclass(slots=True)
class Result:
    """What became of one recording."""

    state: str = "crashed"
    samples: int = 0
    expected: int = -1
    pairs: int = 0
    heads: int = 0
    stacks: int = 0
    classes: Counter[str] = field(default_factory=Counter)

    @property
    def agrees(self) -> bool:
        return self.expected == self.samples == self.pairs == self.heads == self.stacks


def is_recording(path: Path) -> bool:
    """Say whether a file begins like perf.data, looking into what is packed."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if unpack := PACKERS.get(head[:2]):
            with unpack(path, "rb") as file:
                head = file.read(8)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no recording
        return False
    return head in MAGICS


def without_zlib(folder: Path, scratch: Path) -> Iterator[Path]:
    """Give the folder, and copies of those within it that hold what Qt packed, as git has it."""
    yield folder
    for number, inner in enumerate(sorted({path.parent for path in folder.rglob("*.zlib")})):
        packed = [path for path in inner.glob("*.zlib") if not path.with_suffix("").exists()]
        copy = scratch / f"{folder.name}-{number}"
        copy.mkdir()
        for path in packed:
            (copy / path.stem).write_bytes(zlib.decompress(path.read_bytes()[4:]))
        for path in inner.glob("*.expected.txt") if packed else ():
            if not (copy / path.name).exists():
                (copy / path.name).symlink_to(path)
        yield copy


def read(path: Path, files: FileFinder | None = None) -> Profile:
    """Read all events of a recording, without names."""
    options = ReadOptions(every_sample=True, addresses=True, files=files or FileFinder(symfs="/nowhere"))
    with path.open("rb") as file:
        source = Source(file, path.name)
        packed = PACKERS.get(source.head[:2])
        if packed:
            source = Source(packed(path, "rb"), path.name)
        return find_format(source).read(source, options)


def read_named(path: Path, scratch: str) -> Profile:
    """Read a recording with the binaries that lie beside it, and no others."""
    for recorded in read(path).mappings.path:
        binary, link = path.parent / Path(recorded).name, Path(scratch, recorded.lstrip("/"))
        if recorded.startswith("/") and binary.is_file() and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(binary.resolve())
    files = FileFinder(symfs=scratch, debug_dirs=(), perf_cache=Path(scratch))
    options = SymbolOptions(names="full", kallsyms="/dev/null", cache=False)
    return symbolise(read(path, files), options, files)


def frames_of(profile: Profile, *, named: bool) -> list[texts.Frame | str | None]:
    """Return name, or file and offset, of each frame; None where that is not compared."""
    frames: list[texts.Frame | str | None] = []
    rows = zip(
        profile.frames.name, profile.frames.mapping.tolist(), profile.frames.address.tolist(), strict=True
    )
    for name, mapping, address in rows:
        path = profile.mappings.path[mapping] if mapping >= 0 else ""
        path = "anonymous" if path.startswith(texts.ANONYMOUS) else path
        if named or name == "[truncated]":
            frames.append(None if name.startswith("[") else name)
        else:
            frames.append((path, address))
    return frames


def samples_of(profile: Profile, *, named: bool) -> Iterator[Sample]:
    """Give the samples that kprof sees. Events are names if frames are."""
    frames = frames_of(profile, named=named)
    stacks: list[texts.Stack] = []
    for parent, leaf in zip(profile.stacks.parent.tolist(), profile.stacks.frame.tolist(), strict=True):
        above, frame = stacks[parent] if parent >= 0 else (), frames[leaf]
        stacks.append(above if frame is None else (frame, *above))
    rows = profile.samples
    columns = (rows.event, rows.pid, rows.tid, rows.time_ns, rows.cpu, rows.weight, rows.comm, rows.stack)
    filled = [[-1] * len(rows) if column is None else column.tolist() for column in columns]
    for event, pid, tid, time, cpu, weight, comm, stack in zip(*filled, strict=True):
        what = profile.meta.events[event].name if named else event
        name = profile.comms[comm] if comm >= 0 else ""
        yield Sample(what, pid, tid, max(time, 0), cpu, weight, name, stacks[stack] if stack >= 0 else ())


def expected_of(path: Path) -> tuple[str, Iterator[Sample]]:
    """Return the kind of text that lies beside a recording, and the samples that it tells of."""
    for suffix in PROTOBUF:
        text = path.with_name(path.name + suffix)
        if suffix.endswith("text") and text.is_file():
            return "quipper", texts.Twin(texts.from_text(text.read_text(errors="surrogateescape"))).samples()
        if suffix.endswith("data") and text.is_file():
            return "quipper", texts.Twin(texts.from_bytes(text.read_bytes())).samples()
    text = path.with_name(path.name.replace(".perf.data", ".perf_data.pb"))
    if text != path and text.is_file():
        return "quipper", texts.Twin(texts.from_bytes(text.read_bytes())).samples()
    text = path.with_name(path.name + ".expected.txt")
    if text.is_file():
        return "perfparser", texts.perfparser(text.read_text())
    text = path.with_name(path.name.removesuffix(".data") + ".perf-script")
    return ("simpleperf", texts.simpleperf(text.read_text())) if text.is_file() else ("", iter(()))


def aliases_of(folder: Path) -> dict[str, str]:
    """Return one name for all that a binary has for an address; which is shown is a matter of taste."""
    by_address: dict[tuple[Path, str], list[str]] = {}
    for path in folder.iterdir():
        if path.is_file() and path.open("rb").read(4) == b"\x7fELF":
            listed = subprocess.run(["nm", str(path)], capture_output=True, text=True, check=False).stdout
            for address, _, name in (line.split() for line in listed.splitlines() if line[0] != " "):
                by_address.setdefault((path, address), []).append(name)
    return {name: min(names) for names in by_address.values() for name in names}


def paired(samples: Iterable[Sample], aliases: dict[str, str], *, micros: bool) -> dict[Key, Sample]:
    """Key samples by event, thread and time; what is spelled in more than one way is made equal."""
    seen: Counter[Key] = Counter()
    found: dict[Key, Sample] = {}
    for sample in samples:
        time = sample.time // 1000 if micros else sample.time
        stack = sample.stack and tuple(plain(frame, aliases) for frame in sample.stack)
        key = (sample.event, sample.tid, time)
        found[*key, seen[key]] = sample._replace(time=time, stack=stack)
        seen[key] += 1
    return found


def plain(frame: str | texts.Frame, aliases: dict[str, str]) -> str | texts.Frame:
    if isinstance(frame, tuple):
        # An older quipper set the highest bit of addresses that lie in no mapping; in the file it is not set.
        return frame if frame[0] else ("", frame[1] & ~BIT_63)
    return aliases.get(frame, frame)


def compare(result: Result, ours: Sample, theirs: Sample) -> None:
    told = zip(Sample._fields[:-1], ours, theirs, strict=False)
    parts = [name for name, our, their in told if our != their and their is not None]
    result.heads += not parts
    result.classes.update(parts)
    our, their = ours.stack or (), theirs.stack or ()
    if theirs.stack is None or our == their:
        result.stacks += 1
    elif our[: len(their)] == their:
        result.classes["stack: kprof's goes on"] += 1
    else:
        alike = len(our) == len(their)
        result.classes["stack: a name" if alike else "stack: frames"] += 1


def examine(path: Path) -> Result:
    result = Result()
    kind, expected = expected_of(path)
    named = kind in ("perfparser", "simpleperf")
    try:
        with tempfile.TemporaryDirectory(prefix="kprof-corpora-") as scratch:
            profile = read_named(path, scratch) if named else read(path)
    except KprofError as error:
        result.state = "refused" + f": {error}".partition("\n")[0].replace(path.name, "it")
        return result
    result.state, result.samples = "opens", int(profile.samples.count.sum())
    if not kind:
        return result
    aliases = aliases_of(path.parent) if kind == "perfparser" else {}
    theirs = paired(expected, aliases, micros=False)
    ours = paired(samples_of(profile, named=named), aliases, micros=kind == "simpleperf")
    result.expected = len(theirs)
    for key in theirs.keys() & ours.keys():
        result.pairs += 1
        compare(result, ours[key], theirs[key])
    return result


def results_of(paths: list[Path]) -> Iterator[tuple[Path, Result]]:
    """Examine each recording in another process, which may die of it."""
    pool = ProcessPoolExecutor(1)
    for path in paths:
        try:
            yield path, pool.submit(examine, path).result()
        except BrokenProcessPool:
            pool = ProcessPoolExecutor(1)
            yield path, Result()
        except Exception as error:  # noqa: BLE001 - any error but a KprofError is a fault of kprof's
            yield path, Result(state=f"crashed: {error!r}"[:100])
    pool.shutdown()


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    print("| recording | result | samples | expected | heads equal | stacks equal | differences |")
    print("|---|---|---|---|---|---|---|")
    results = []
    with tempfile.TemporaryDirectory(prefix="kprof-corpora-") as scratch:
        folders = [
            inner for folder in args.folders for inner in without_zlib(folder.resolve(), Path(scratch))
        ]
        paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
        for path, one in results_of([path for path in paths if is_recording(path)]):
            results.append(one)
            cells = [path.name[:60], one.state, one.samples]
            known = one.expected >= 0
            cells += [one.expected, one.heads, one.stacks] if known else ["", "", ""]
            cells.append(", ".join(f"{count} x {what}" for what, count in one.classes.items()))
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    states = Counter(one.state.partition(":")[0] for one in results)
    compared = [one for one in results if one.expected >= 0]
    print(f"\n{states['opens']} of {len(results)} open, {states['refused']} are refused in one line,"
          f" {states['crashed']} crash; {sum(one.agrees for one in compared)} of {len(compared)} agree")  # fmt: skip


if __name__ == "__main__":
    main()

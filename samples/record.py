"""Record the samples of this folder again: all of them, or those that are named.

    python samples/record.py              # all
    python samples/record.py NAME...      # some
    python samples/record.py --list

manifest.toml says for each sample what it shows and how it is made; this script runs that and writes the
facts that tests hold readers to back into the manifest. To add a sample, add a table with `shows`,
`commands` and `script`. The facts come from `perf script` printing one field alone and from
`perf report --stats`, never from parsing the text that tests parse.

Needs root (or perf_event_paranoid -1), perf, g++, python3.11 and node; `rust` needs rustc.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MANIFEST = HERE / "manifest.toml"
WORK = Path("/tmp/kprof-samples")  # a fixed path, because it is part of what is recorded
HEAD = """\
# What each sample shows, how it is made, and facts about it that tests hold readers to.
# By hand: shows, commands, script, comms, frames (the last two must be found in the text). The rest is
# record.py's. `commands` are bash, run in a work folder with OUT (perf.data) and SRC (a copy of
# samples/workloads) set; `text` is what `script` then printed.
# samples, lost: over all events. tasks: distinct pid/tid pairs. periods: the sum, for each event.
"""
WIDTH = 110


def bash(command: str, out: Path) -> bytes:
    env = {**os.environ, "OUT": str(out), "SRC": str(WORK / "workloads"), "LC_ALL": "C"}
    done = subprocess.run(["bash", "-euc", command], cwd=WORK, env=env, check=False, capture_output=True)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def pack(content: bytes, name: str) -> str:
    (HERE / name).write_bytes(gzip.compress(content, 9, mtime=0))
    return name


def facts(out: Path) -> dict[str, Any]:
    """Count what is in the recording, one field at a time."""
    events: Counter[str] = Counter()
    periods: Counter[str] = Counter()
    for line in bash('perf script -f -i "$OUT" -G -F event,period', out).decode().splitlines():
        if found := re.fullmatch(r"\s*(\d+)\s+(\S+):\s*", line):
            events[found[2]] += 1
            periods[found[2]] += int(found[1])
    stats = bash('perf report -f -i "$OUT" --stats', out).decode()
    counted = re.search(r"SAMPLE events:\s+(\d+)", stats)  # the first block of the report adds all events up
    samples = int(counted[1]) if counted else 0
    if samples != sum(events.values()):
        sys.exit(f"{out}: perf report counts {samples} samples, perf script {sum(events.values())}")
    losses = bash('perf script -f -i "$OUT" -G -F comm --show-lost-events', out)
    return {
        "samples": samples,
        "lost": sum(int(n) for n in re.findall(rb"PERF_RECORD_LOST lost (\d+)", losses)),
        "tasks": len(set(bash('perf script -f -i "$OUT" -G -F pid,tid', out).split())),
        "events": [{"name": name, "samples": n, "periods": periods[name]} for name, n in events.items()],
    }


def record(name: str, entry: dict[str, Any]) -> None:
    """Record one sample, write its files and bring its entry in the manifest up to date."""
    out = WORK / f"{name}.perf.data"
    for command in entry["commands"]:
        bash(command, out)
    text = bash(entry["script"], out)
    entry["data"] = pack(out.read_bytes(), f"{name}.perf.data.gz")
    entry["text"] = pack(text, f"{name}.perf-script.txt.gz")
    for other in entry.get("also", []):
        pack(bash(other["script"], out), other["text"])
    if "map" in entry:
        pids = set(bash('perf script -f -i "$OUT" -G -F pid', out).decode().split())
        (path,) = (path for pid in pids if (path := Path(f"/tmp/perf-{pid}.map")).exists())
        pack(path.read_bytes(), entry["map"])
        path.unlink()
    entry["perf"] = bash("perf --version", out).decode().split()[-1]
    entry["kernel"] = platform.release()
    entry.update(facts(out))
    for wanted in (*entry.get("comms", []), *entry.get("frames", [])):
        if wanted.encode() not in text:
            print(f"  {name}: not in the text: {wanted}")


def toml(value: object) -> str:
    if isinstance(value, str):
        plain = value.isprintable() and "'" not in value and '"' in value
        return f"'{value}'" if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        line = "[" + ", ".join(toml(item) for item in value) + "]"
        return line if len(line) < WIDTH else "[\n" + "".join(f"    {toml(item)},\n" for item in value) + "]"
    return str(value)


def write_manifest(entries: dict[str, dict[str, Any]]) -> None:
    blocks = [HEAD]
    for name, entry in entries.items():
        blocks.append(f"\n[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in entry.items()))
    MANIFEST.write_text("".join(blocks))


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    args = parser.parse_args()
    entries = tomllib.loads(MANIFEST.read_text())
    if args.list:
        for name, entry in entries.items():
            print(f"{name:20} {entry['shows']}")
        return
    if unknown := set(args.names) - set(entries):
        sys.exit(f"no such sample: {', '.join(sorted(unknown))}; --list says what there is")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    # Paths of sources are recorded, too: those of the machine at hand must not be.
    shutil.copytree(HERE / "workloads", WORK / "workloads")
    for name in args.names or entries:
        print(name, flush=True)
        record(name, entries[name])
        write_manifest(entries)


if __name__ == "__main__":
    main()

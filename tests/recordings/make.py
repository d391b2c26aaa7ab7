"""Make the recordings of recordings.toml on this machine: all, or those that are named.

    python tests/recordings/make.py [--of LIST] [--into FOLDER] [NAME...]

Each gets a folder with its binaries, so that it stays possible to name its frames. Needs root (or
perf_event_paranoid -1), perf and g++. tests/bench/agreement.py compares what comes out.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "samples" / "workloads"
LIMIT = 600


def make(name: str, entry: dict[str, list[str]], into: Path) -> str:
    missing = [program for program in entry.get("needs", []) if not shutil.which(program)]
    if missing:
        return f"left out: {', '.join(missing)} not found"
    folder = into / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    out = folder / f"{name}.data"
    environment = {**os.environ, "OUT": str(out), "SRC": str(into / "workloads"), "LC_ALL": "C"}
    for command in entry["commands"]:
        done = subprocess.run(
            ["bash", "-uc", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
            timeout=LIMIT,
        )
        if done.returncode and not out.exists() and command == entry["commands"][-1]:
            return f"failed: {done.stderr.decode(errors='replace').strip()[-300:]}"
    if not out.exists():
        return "failed: nothing was recorded"
    size = sum(file.stat().st_size for file in ([out] if out.is_file() else out.iterdir()))
    return f"{size / 1e6:.1f} MB"


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--of", default="recordings.toml", metavar="LIST", help="a file beside this one")
    parser.add_argument("--into", type=Path, default=Path("/tmp/kprof-recordings"), metavar="FOLDER")
    args = parser.parse_args()
    entries = tomllib.loads((HERE / args.of).read_text())
    if unknown := set(args.names) - set(entries):
        sys.exit(f"no such recording: {', '.join(sorted(unknown))}; there are {', '.join(entries)}")
    # Paths of sources are recorded, too: those of the machine at hand need not be.
    shutil.copytree(SOURCES, args.into / "workloads", dirs_exist_ok=True)
    for name in args.names or entries:
        print(f"{name:20} {make(name, entries[name], args.into)}", flush=True)


if __name__ == "__main__":
    main()

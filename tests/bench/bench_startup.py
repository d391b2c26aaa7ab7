"""What a user waits for before anything happens: `kprof --help`, and `kprof fold` of a small file.

    python tests/bench/bench_startup.py [--runs N] [--kprof COMMAND]

Budgets (DESIGN section 6): --help under 0.25 s, fold under 0.4 s. Medians are printed, nothing is asserted.
"""

import argparse
import gzip
import shlex
import sys
import tempfile
from pathlib import Path

from measure import medians, run

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "threads.perf-script.txt.gz"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kprof", default=str(Path(sys.executable).with_name("kprof")), metavar="COMMAND")
    args = parser.parse_args()
    kprof = shlex.split(args.kprof)
    with tempfile.TemporaryDirectory(prefix="kprof-bench-") as scratch:
        folder = Path(scratch)
        small = folder / "small.txt"
        small.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "kprof --help": [*kprof, "--help"],
            f"kprof fold ({small.stat().st_size // 1024} KB)": [*kprof, "fold", str(small)],
            "kprof fold --compat flamegraph": [*kprof, "fold", "--compat", "flamegraph", str(small)],
        }
        print(f"{f'medians of {args.runs}':38}{'CPU s':>9}{'wall s':>9}{'RSS MB':>9}")
        for name, command in rows.items():
            run(command, folder)  # warm: byte code and page cache
            cost = medians([run(command, folder) for _ in range(args.runs)])
            print(f"{name:38}{cost.cpu:9.3f}{cost.wall:9.3f}{cost.rss_mb:9.1f}")


if __name__ == "__main__":
    main()

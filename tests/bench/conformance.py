r"""Hold `kprof fold --compat` against the real tools, on any perf script texts.

Nothing of the peers is in this repository: give their programs and their test texts, for example

    python tests/bench/conformance.py --flamegraph FlameGraph/stackcollapse-perf.pl \
        --inferno target/release/inferno-collapse-perf FlameGraph/test/*.txt inferno/tests/data/collapse-perf/*.txt
"""

import argparse
import difflib
import subprocess
import sys
from pathlib import Path

OPTIONS = ((), ("--pid",), ("--tid",), ("--kernel",), ("--jit",), ("--all",), ("--addrs",))


def output(command: list[str], path: Path) -> bytes:
    """Return what a folding program prints for a text on its standard input."""
    with path.open("rb") as text:
        return subprocess.run(command, stdin=text, capture_output=True, check=False).stdout


def first_difference(ours: bytes, theirs: bytes) -> str:
    lines = difflib.unified_diff(
        theirs.decode(errors="replace").splitlines(),
        ours.decode(errors="replace").splitlines(),
        "theirs",
        "ours",
        n=0,
    )
    return "\n".join(line[:200] for line, _ in zip(lines, range(6), strict=False))


def compare(tool: str, program: str, texts: list[Path]) -> bool:
    equal = total = 0
    for path in texts:
        for options in OPTIONS:
            theirs = output([program, *options], path)
            ours = output(
                [sys.executable, "-m", "kprof", "fold", "-q", "--compat", tool, *options, "-"], path
            )
            total += 1
            equal += ours == theirs
            if ours != theirs:
                print(f"MISS {path} {' '.join(options)}\n{first_difference(ours, theirs)}")
    print(f"{tool}: {equal} of {total} equal to the byte")
    return equal == total


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--flamegraph", help="stackcollapse-perf.pl")
    parser.add_argument("--inferno", help="inferno-collapse-perf")
    parser.add_argument("texts", nargs="+", type=Path)
    given = parser.parse_args()
    programs = {"flamegraph": given.flamegraph, "inferno": given.inferno}
    results = [compare(tool, program, given.texts) for tool, program in programs.items() if program]
    sys.exit(0 if results and all(results) else 1)


main()

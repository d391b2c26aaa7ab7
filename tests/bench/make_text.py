"""Write a `perf script` text of any size that looks like a long real recording.

    python tests/bench/make_text.py FILE MB

It is made from this repository's recordings: their samples over and over, with timestamps that go on, pids and tids that
vary, and leaf addresses that vary so that about one sample in twenty has a stack body of its own. The same arguments
give the same bytes.
"""

import gzip
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
SOURCES = ("cpp-inlines", "python", "kernel-io", "jit-node", "rust", "fork-exec", "system-wide")
HEADER = re.compile(rb"(.+?) +(\d+)/(\d+)( +\[\d+\]) +\d+\.\d+:( .*)")
LEAF = re.compile(rb"\t *([0-9a-f]+) (.*)\+0x([0-9a-f]+) (\(.*\))")
OWN_BODIES = (
    0.055  # distinct bodies a sample: 20,816 in 382,157 in the recording that DESIGN's budgets come from
)
MB = 1 << 20


def recorded() -> list[tuple[re.Match[bytes], bytes]]:
    """Every sample of the recordings that has a stack: its header taken apart, and its body."""
    found = []
    for name in SOURCES:
        text = gzip.decompress((SAMPLES / f"{name}.perf-script.txt.gz").read_bytes())
        for block in text.split(b"\n\n"):
            head, _, body = block.partition(b"\n")
            header = HEADER.fullmatch(head)
            if header and body.startswith(b"\t"):
                found.append((header, body))
    return found


def shifted(body: bytes, by: int) -> bytes:
    """Return the same stack with the leaf `by` bytes further on, its address and its offset alike."""
    first, newline, rest = body.partition(b"\n")
    leaf = LEAF.fullmatch(first)
    if not leaf or not by:
        return body
    address, name, offset, module = leaf.groups()
    line = b"\t%16x %s+0x%x %s" % (int(address, 16) + by, name, int(offset, 16) + by, module)
    return line + newline + rest


def blocks(size: int, seed: int = 1) -> Iterator[bytes]:
    """Yield samples until `size` bytes of text are out."""
    rng = random.Random(seed)  # noqa: S311
    sources = recorded()
    mean = sum(len(head[0]) + len(body) + 3 for head, body in sources) / len(sources)
    variants = max(1, round(size / mean * OWN_BODIES / len({body for _, body in sources})))
    made: dict[tuple[bytes, int], bytes] = {}
    written, clock = 0, 1_000_000
    while written < size:
        pid = rng.randrange(300, 60_000)
        for head, body in sources:
            comm, _, _, cpu, rest = head.groups()
            clock += rng.randrange(1, 2_000)
            key = (body, rng.randrange(variants))
            if key not in made:
                made[key] = shifted(*key)
            tid = pid + rng.randrange(8)
            stamp = b"%5d.%06d" % divmod(clock, 1_000_000)
            block = b"%s %5d/%-5d%s %s:%s\n%s\n\n" % (comm, pid, tid, cpu, stamp, rest, made[key])
            written += len(block)
            yield block
            if written >= size:
                return


def write(path: Path, size: int) -> str:
    """Write the text and say what is in it."""
    count, bodies, lines = 0, set(), set()
    with path.open("wb") as out:
        for block in blocks(size):
            out.write(block)
            count += 1
            body = block.partition(b"\n")[2]
            if hash(body) not in bodies:
                bodies.add(hash(body))
                lines.update(map(hash, body.splitlines()))
    return f"{path.stat().st_size / MB:.0f} MB, {count:,} samples, {len(bodies):,} bodies, {len(lines):,} frame lines"


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(sys.argv[2]) * MB))

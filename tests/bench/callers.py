"""Who is right where kprof's default mode and `perf script` name a frame differently?

    python tests/bench/callers.py RECORDING...

For stacks of equal length, each frame of a file whose names differ is shown to objdump (does a call end at
this address?) and, one byte lower for callers, to eu-addr2line and llvm-symbolizer. Needs all three, and perf.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import agreement
import numpy as np

from kprof.elf import ElfFile
from kprof.symbols.names import Namer

# The longest call of x86-64 has 8 bytes: prefixes, opcode, ModRM, SIB and a displacement.
LONGEST_CALL = 8
INNER_ARGUMENTS = re.compile(r"\((?!anonymous)[^()]*\)|(?<=\)) (const|volatile|&&?)")
namer = Namer()


def with_address(line: str) -> agreement.Frame:
    name, path = agreement.frame(line)
    return name, f"{path}\0{line.split(maxsplit=1)[0]}"


def differing(recording: Path) -> tuple[Counter[tuple[str, int, bool, str, str]], int]:
    """Count the frames that are named differently, and give the number of frames that were compared."""
    found: Counter[tuple[str, int, bool, str, str]] = Counter()
    frames = 0
    events: dict[str, list[tuple[int, int, agreement.Sample]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        for event, *rest in agreement.perf_samples(recording, Path(scratch, "text"), with_address):
            events[event].append(tuple(rest))
    for event, samples in events.items():
        theirs = agreement.paired(iter(samples))
        ours = agreement.paired(agreement.kprof_samples(recording, event, ""))
        for key in theirs.keys() & ours.keys():
            mine, other = ours[key].stack, theirs[key].stack
            if len(mine) != len(other):
                continue
            frames += len(mine)
            for i, ((name, _), (their_name, place)) in enumerate(zip(mine, other, strict=True)):
                path, _, address = place.partition("\0")
                if name != their_name:
                    found[path, int(address, 16), not i, name, their_name] += 1
    return found, frames


def told(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout


def ends_a_call(path: str, address: int) -> bool:
    """Say whether bytes before the address can be read as one call instruction."""
    for size in range(2, LONGEST_CALL + 1):
        window = [f"--start-address={address - size}", f"--stop-address={address}"]
        lines = told(["objdump", "-d", "--no-show-raw-insn", *window, path]).splitlines()
        code = [line for line in lines if re.match(r"\s+[0-9a-f]+:\t", line)]
        if len(code) == 1 and re.search(r":\t(notrack |bnd |data16 |rex\.W )*call", code[0]):
            return True
    return False


def names_of(path: str, address: int) -> set[str]:
    """Return what eu-addr2line and llvm-symbolizer call the function at an address."""
    eu = told(["eu-addr2line", "-S", "-e", path, hex(address)]).splitlines()
    llvm = told(
        ["llvm-symbolizer", "--no-inlines", "--no-demangle", f"--obj={path}", hex(address)]
    ).splitlines()
    raw = {re.sub(r"\+0x[0-9a-f]+.*", "", line) for line in (*eu[:1], *llvm[:1])}
    return {namer(one.encode()).partition("@@")[0] for one in raw if one and not one.startswith(("?", "("))}


def slot_of(path: str, address: int) -> str:
    """Return what objdump calls the slot of a procedure linkage table at an address, "" if none is there."""
    window = [f"--start-address={address - address % 8}", f"--stop-address={address + 1}"]
    names = re.findall(
        r"^[0-9a-f]+ <([^>]+)@plt[^>]*>:", told(["objdump", "-d", *window, path]), re.MULTILINE
    )
    return namer(names[-1].encode()) + "@plt" if names else ""


def judged(said: set[str], ours: str, theirs: str) -> str:
    """Say who agrees with all of those that were asked and knew a name."""
    plain = {name.partition("@@")[0] for name in said}
    right = [who for who, name in (("kprof", ours), ("perf", theirs)) if plain == {name.partition("@@")[0]}]
    return f"{right[0] if right else 'nobody'} is right"


def verdict(path: str, offset: int, innermost: bool, ours: str, theirs: str) -> str:
    """Say what kind of difference it is, and who is right."""
    without = [INNER_ARGUMENTS.sub("", INNER_ARGUMENTS.sub("", name)) for name in (ours, theirs)]
    if without[0] == without[1]:
        return "argument lists within a name"
    if not Path(path).is_file():
        return "not of a file"
    address = int(ElfFile.open(path).offsets_to_addresses(np.array([offset], np.uint64))[0][0])
    if innermost:
        slot = slot_of(path, address)
        return f"slot of a PLT: {judged({slot}, ours, theirs)}" if slot else "innermost, of no slot"
    if ends_a_call(path, address):
        return f"return address: {judged(names_of(path, address - 1), ours, theirs)}"
    # perf shows addresses of what it unwound one lower.
    if ours != "[unknown]" and ours in names_of(path, address) | names_of(path, address + 1):
        return "where a signal handler returns to: kprof is right"
    return "no call ends there: it is no return address"


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    print("| recording | frames | named differently | of these |\n|---|---|---|---|")
    for recording in parser.parse_args().recordings:
        found, frames = differing(recording)
        verdicts: Counter[str] = Counter()
        places: Counter[str] = Counter()
        for (path, offset, innermost, ours, theirs), count in found.items():
            said = verdict(path, offset, innermost, ours, theirs)
            verdicts[said] += count
            places[said] += 1
        shown = "; ".join(
            f"{count} at {places[said]} addresses: {said}" for said, count in verdicts.most_common()
        )
        print(f"| {recording.name} | {frames} | {found.total()} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

"""Runs in the machine, as root: what `kprof events` and `kprof doctor` say, held against what can be attached."""

import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path

from kprof.errors import KprofError
from kprof.recorders.bpf.attempt import attempt
from kprof.recorders.bpf.engine import PROGRAMS
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.sources import Kprobe
from kprof.survey.catalog import Catalog
from kprof.survey.other_engines import OtherEngines

KPROBES, FENTRIES, TRACEPOINTS = 200, 40, 10


def main():
    guest = load("guest")
    guest.hide_modules()
    guest.say(guest.BEGIN)
    guest.sysctl(perf_event_paranoid=1, kptr_restrict=0)
    # What bpftrace and BCC reach is not looked at here: each takes minutes to start under emulation.
    catalog = Catalog(others=OtherEngines(lambda *_: None))
    kinds = {"kprobe": [], "fentry": [], "tracepoint": []}
    for event in catalog.matching(""):
        kind = event.kind if event.kind == "tracepoint" else event.name.partition(":")[0]
        kinds.get(kind, []).append(event)
    chance = random.Random(7)  # noqa: S311 - the same events each time
    drawn = {
        "kprobe": draw(chance, kinds["kprobe"], KPROBES),
        "fentry": draw(chance, kinds["fentry"], FENTRIES),
        "tracepoint": chance.sample(kinds["tracepoint"], TRACEPOINTS),
    }
    for kind, events in drawn.items():
        works = kprobes(events) if kind == "kprobe" else [attached(event.name) for event in events]
        verdicts = [event.reach["libbpf"] for event in events]
        wrong = [
            [event.name, verdict.reason, why]
            for event, verdict, why in zip(events, verdicts, works, strict=True)
            if verdict.reached == bool(why)
        ]
        guest.report(
            kind,
            known=len(kinds[kind]),
            tried=len(events),
            reached=sum(v.reached for v in verdicts),
            wrong=wrong,
        )
    done = subprocess.run(
        [sys.executable, "-m", "kprof", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=700,
    )
    guest.report("doctor", code=done.returncode, err=done.stderr, found=json.loads(done.stdout or "{}"))
    guest.say(guest.END)


def draw(chance, events, count):
    """Draw half from those that are reached, and half from the others."""
    parts = [[e for e in events if e.reach["libbpf"].reached is reached] for reached in (True, False)]
    return [event for part in parts for event in chance.sample(part, min(count // 2, len(part)))]


def kprobes(events):
    """Say why each could not be attached, with one program for all."""
    found = []
    with BpfObject((PROGRAMS / "kernel.bpf.o").read_bytes(), ["kprobe_function"]) as loaded:
        loaded.load()
        for event in events:
            try:
                loaded.attach_to_kernel_function("kprobe_function", Kprobe(event.name.partition(":")[2]))
                found.append("")
            except LibbpfError as error:
                found.append(str(error))
            loaded.detach()
    return found


def attached(name):
    try:
        attempt(name)
    except KprofError as error:
        return str(error)
    return ""


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()

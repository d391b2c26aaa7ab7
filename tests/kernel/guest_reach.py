"""Runs in the machine, as root: what `kprof events` and `kprof doctor` say, held against what can be attached."""

import importlib.util
import json
import random
import tempfile
import time
from pathlib import Path

from kprof.errors import KprofError
from kprof.recorders.bpf.attempt import attempt
from kprof.recorders.bpf.bcc.child import Bcc, BccError
from kprof.recorders.bpf.bcc.program import program
from kprof.recorders.bpf.bpftrace.child import Bpftrace
from kprof.recorders.bpf.engine import PROGRAMS
from kprof.recorders.bpf.libbpf import LibbpfError
from kprof.recorders.bpf.loader import BpfObject
from kprof.recorders.bpf.plan import plan
from kprof.recorders.bpf.scope import Job, Scope
from kprof.recorders.bpf.sources import Kprobe
from kprof.recorders.request import RecordRequest
from kprof.survey.catalog import Catalog
from kprof.survey.other_engines import OtherEngines
from kprof.system.headers import find_headers
from kprof.system.tools import find_bcc, find_bpftrace

KPROBES, FENTRIES, TRACEPOINTS = 120, 24, 10
# bpftrace takes a program for each probe, and a minute to start.
BY_BPFTRACE = 20
SECONDS = 500


def main():
    guest = load("guest")
    guest.hide_modules()
    guest.forked.prepare()
    guest.say(guest.BEGIN)
    guest.report("kernel", uptime=guest.uptime())
    guest.sysctl(perf_event_paranoid=1, kptr_restrict=0)
    # Whether bpftrace and BCC load anything is tried below, once.
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
            uptime=guest.uptime(),
        )
    with tempfile.TemporaryDirectory() as folder:
        guest.report("bcc", **by_bcc(drawn["kprobe"] + drawn["tracepoint"], folder))
        guest.report("bpftrace", **by_bpftrace(drawn["kprobe"] + drawn["tracepoint"], folder))
    for engine in ("bpftrace", "bcc"):
        options = ("--engine", engine, "-e", "kprobe:vfs_read")
        guest.record(f"{engine} records", *options, "--", *guest.READING, seconds=SECONDS)
    done = guest.kprof("doctor", "--json", seconds=700)
    guest.report("end", uptime=guest.uptime())
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


def by_bcc(events, folder):
    """Attach each with BCC, to one program of each kind; say which were not as they were said to be."""
    planned = plan(
        RecordRequest(all_cpus=True, events=("kprobe:vfs_read", "sched:sched_switch")),
        hardware=False,
        fastest=1000,
    )
    made = program(Job(RecordRequest(), planned, Scope()), 0)
    start, wrong = time.monotonic(), []
    with Bcc(find_bcc(), folder, find_headers(folder).variables) as child:
        child.ask("load", text=made.text, functions=made.functions)
        loaded = time.monotonic()
        for event in events:
            kind, _, name = event.name.partition(":")
            hook = {"to": "kprobe", "event": name, "fn_name": made.functions[0][0]}
            if kind != "kprobe":
                hook = {"to": "tracepoint", "tp": event.name, "fn_name": made.functions[1][0]}
            why = refused(child, hook)
            child.ask("detach")
            if event.reach["bcc"].reached == bool(why):
                wrong.append([event.name, event.reach["bcc"].reason, why])
    return {
        "tried": len(events),
        "wrong": wrong,
        "reached": sum(e.reach["bcc"].reached for e in events),
        "load": loaded - start,
        "attach": time.monotonic() - loaded,
    }


def refused(child, hook):
    try:
        child.ask("attach", hook=hook)
    except BccError as error:
        return error.said
    return ""


def by_bpftrace(events, folder):
    """Attach those that are reached with one program of bpftrace, and let it try one that is not."""
    parts = [[e for e in events if e.reach["bpftrace"].reached is reached] for reached in (True, False)]
    reached = parts[0][:: max(len(parts[0]) // BY_BPFTRACE, 1)]
    start = time.monotonic()
    return {
        "tried": len(reached),
        "why": runs([e.name for e in reached], folder),
        "refused": runs([parts[1][0].name], folder),
        "seconds": time.monotonic() - start,
    }


def runs(names, folder):
    """Say why bpftrace cannot attach to all of these; nothing if it can."""
    where = [name if name.startswith("kprobe:") else f"tracepoint:{name}" for name in names]
    text = (
        "".join(f"{each} {{ @ = count(); }}\n" for each in where)
        + 'interval:ms:10 { printf("ready\\n"); exit(); }'
    )
    try:
        with Bpftrace(find_bpftrace(), text, folder) as child:
            child.wait_for("ready", seconds=SECONDS)
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

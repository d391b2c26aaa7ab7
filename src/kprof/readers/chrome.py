"""Reader of Chrome's trace events, and of V8's `.cpuprofile`.

Source: the Trace Event Format of the Chromium project. Samples are V8's (`ProfileChunk` events) or those of
the trace (`samples`, which point at `stackFrames`); a trace without samples has spans (`B` and `E`, `X`),
which are stacks that lasted so long. An array of events may lack its end, as the format allows.
"""

from __future__ import annotations

import json
from typing import Any

from kprof.errors import FormatError
from kprof.model import Event, Frame, Mappings, Profile, Quality
from kprof.readers.beside import Beside
from kprof.readers.interning import Interner, Row
from kprof.readers.json_input import ShapeError, array, index, member, text, whole
from kprof.readers.names import kind_of_name
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source
from kprof.readers.spans import by_thread, frame_of_span, open_spans
from kprof.readers.v8_profile import IDLE, Call, V8Profile, frame_of_call

_CHUNK = 1 << 20
_US = 1000
_LARGEST_ID = (1 << 31) - 1
_SAMPLES, _TIME = Event("samples", "samples"), Event("time", "ns")
Who = tuple[int, int]
Key = tuple[int, str]


def sniff(head: bytes) -> bool:
    """Say whether it is JSON of trace events, or V8's profile."""
    start = head.lstrip()
    if start[:1] == b"{":
        return b'"traceEvents"' in head or (b'"callFrame"' in head and b'"nodes"' in head)
    return start[:1] == b"[" and b'"ph"' in head and b'"ts"' in head


def read(source: Source, _options: ReadOptions) -> Profile:
    """Read a trace.

    Raises:
        FormatError: It is damaged, or holds neither samples nor spans.
    """
    try:
        return _profile(_load(source))
    except (ShapeError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged Chrome trace: {error}") from None


def _load(source: Source) -> dict[str, Any]:
    parts = []
    while part := source.read(_CHUNK):
        parts.append(part)
    whole_text = b"".join(parts).strip()
    if whole_text[:1] == b"[" and whole_text[-1:] != b"]":
        whole_text = whole_text.rstrip(b", \r\n\t") + b"]"
    try:
        found = json.loads(whole_text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ShapeError(f"no whole JSON: {reason}") from None
    if isinstance(found, list):
        return {"traceEvents": found}
    if not isinstance(found, dict):
        raise ShapeError("it is no object")
    return found


def _profile(document: dict[str, Any]) -> Profile:
    interner = Interner()
    if "traceEvents" not in document:
        v8 = V8Profile(whole(document.get("startTime", 0), 1, "a time"))
        v8.add(document, array(document, "timeDeltas"))
        return _of_v8({(-1, ""): v8}, {}, interner)
    events = [event for event in array(document, "traceEvents") if isinstance(event, dict)]
    profiles, names = _v8_profiles(events), _names(events)
    found = document.get("kprof")
    if isinstance(found, dict):
        return _restored(found, list(profiles.values()), interner)
    if any(profile.samples for profile in profiles.values()):
        return _of_v8(profiles, names, interner)
    if isinstance(document.get("samples"), list) and document["samples"]:
        return _of_samples(document, names, interner)
    return _of_spans(events, names, interner)


def _restored(found: dict[str, Any], profiles: list[V8Profile], interner: Interner) -> Profile:
    """Return the profile that kprof wrote: what V8's form has no place for stands beside it.

    The number of a script is that of a frame.
    """
    beside = Beside(found, interner, len(profiles))
    sources = [str(source) for source in array(member(found, "frames"), "source")]
    names = [""] * len(sources)
    for profile in profiles:
        for call in profile.calls.values():
            if 0 <= call.script < len(names):
                names[call.script] = call.name
    frames = beside.frames(list(zip(names, sources, strict=True)))

    def frame_of(call: Call) -> int:
        return frames[index(call.script, len(frames), "a frame")]

    for number, profile in enumerate(profiles):
        beside.samples(number, [stack for _, stack in profile.stacks(frame_of, interner)])
    return interner.build(beside.mappings, beside.events, beside.facts, beside.quality)


def _v8_profiles(events: list[dict[str, Any]]) -> dict[Key, V8Profile]:
    """Put together the pieces of each profile, in the order in which they stand.

    A piece may come from another thread than the one that it is about.
    """
    found: dict[Key, V8Profile] = {}
    for event in events:
        if event.get("name") not in {"Profile", "ProfileChunk"} or event.get("ph") != "P":
            continue
        data = member(member(event, "args"), "data")
        start = whole(data.get("startTime", event.get("ts", 0)) if isinstance(data, dict) else 0, 1, "a time")
        key = (_id(event.get("pid")), str(event.get("id")))
        profile = found.setdefault(key, V8Profile(start, _id(event.get("tid"))))
        if event["name"] == "ProfileChunk" and isinstance(data, dict):
            profile.add(data.get("cpuProfile", {}), data.get("timeDeltas", []))
    return found


def _id(value: Any) -> int:
    """Return a process or thread id, -1 if it is none that the kernel gives."""
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_ID
    return value if known else -1


def _names(events: list[dict[str, Any]]) -> dict[Who, str]:
    """Return what processes (of thread -1) and threads are called."""
    found: dict[Who, str] = {}
    for event in events:
        if event.get("ph") == "M" and event.get("name") in {"process_name", "thread_name"}:
            tid = -1 if event["name"] == "process_name" else _id(event.get("tid"))
            found[_id(event.get("pid")), tid] = text(event.get("args"), "name")
    return found


def _who(pid: int, tid: int, names: dict[Who, str]) -> dict[str, Any]:
    return {"pid": pid, "tid": tid, "comm": names.get((pid, tid)) or names.get((pid, -1)) or None}


def _of_v8(profiles: dict[Key, V8Profile], names: dict[Who, str], interner: Interner) -> Profile:
    """Return the samples of V8; those when a thread was idle are left out, and counted."""
    idle = taken = 0
    for (pid, _), profile in profiles.items():
        who = _who(pid, profile.tid, names)

        def frame_of(call: Call) -> int:
            return interner.frame(frame_of_call(call), -1)

        for (name, stack), time in zip(profile.stacks(frame_of, interner), profile.times(), strict=True):
            taken += 1
            if name == IDLE:
                idle += 1
            else:
                interner.sample(Row(stack, 0, 1, 1, time_ns=time, **who))
    made = interner.build(Mappings(), (_SAMPLES,), {})
    quality = Quality(
        taken, without_stack=made.samples.without_stack, filtered={"idle": idle} if idle else {}
    )
    return interner.build(Mappings(), (_SAMPLES,), {}, quality)


def _of_samples(document: dict[str, Any], names: dict[Who, str], interner: Interner) -> Profile:
    """Return the samples of a trace, which point at stack frames that point at their parents."""
    frames, stacks = document.get("stackFrames"), dict[str, int]()
    if not isinstance(frames, dict):
        raise ShapeError("stackFrames is missing")
    events: dict[str, int] = {}
    pids = {tid: pid for pid, tid in names if tid >= 0}
    for sample in array(document, "samples"):
        leaf = member(sample, "sf")
        stack = _stack_of_frames(str(leaf), frames, stacks, interner)
        event = events.setdefault(text(sample, "name", "samples") or "samples", len(events))
        tid, cpu = _id(sample.get("tid")), _id(sample.get("cpu"))
        weight = whole(sample.get("weight", 1))
        time = whole(sample.get("ts", 0), _US, "a time")
        who = _who(pids.get(tid, -1), tid, names)
        interner.sample(Row(stack, event, weight, 1, cpu=cpu, time_ns=time, **who))
    return interner.build(Mappings(), tuple(Event(name, "events") for name in events), {})


def _stack_of_frames(leaf: str, frames: dict[str, Any], stacks: dict[str, int], interner: Interner) -> int:
    path: list[str] = []
    at: str | None = leaf
    while at is not None and at not in stacks:
        if at not in frames or len(path) > len(frames):
            raise ShapeError(f"a frame is not there: {at:.40}")
        path.append(at)
        above = frames[at].get("parent") if isinstance(frames[at], dict) else None
        at = None if above is None else str(above)
    stack = -1 if at is None else stacks[at]
    for step in reversed(path):
        name = text(frames[step], "name", "(anonymous)")
        stack = stacks[step] = interner.grow(stack, interner.frame(Frame(name, "", kind_of_name(name)), -1))
    return stack


def _of_spans(events: list[dict[str, Any]], names: dict[Who, str], interner: Interner) -> Profile:
    """Return what was open on each thread, and for how long."""
    count = 0
    for (pid, tid), spans in by_thread(events).items():
        who = _who(_id(pid), _id(tid), names)
        for stack, begin, lasts in open_spans(spans):
            frames = [interner.frame(frame_of_span(event), -1) for event in stack]
            interner.sample(Row(interner.stack(frames), 0, lasts, 1, time_ns=begin, **who))
            count += 1
    if not count:
        raise ShapeError("it holds neither samples nor spans")
    return interner.build(Mappings(), (_TIME,), {})

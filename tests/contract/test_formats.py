"""What every format that is both written and read owes: what it can hold comes back, and damage ends in one error.

What a format cannot hold is stated here, in `LOSSES`, and nowhere loses more.
"""

import csv
import io
import random
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kprof import pipeline
from kprof.errors import KprofError
from kprof.exporters import chrome, firefox, otlp, pprof, speedscope, tables
from kprof.exporters.registry import OUTPUTS
from kprof.exporters.suffixes import SUFFIXES
from kprof.model import Event, Frame, Kind, Mappings, ProfileBuilder, Quality, compact, merge


@dataclass(frozen=True)
class Held:
    """A format: how it is written, unpacked so that damage reaches it, and what it loses of `FACETS`."""

    write: object
    losses: frozenset = frozenset()


FACETS = frozenset({"module", "build_id", "kind", "address", "source", "count", "event", "unit", "pid", "tid",
                    "comm", "cpu", "cgroup", "time_ns", "facts", "quality"})  # fmt: skip
HELD = {
    "pprof": Held(pprof.encode, frozenset({"kind"})),
    "speedscope": Held(speedscope.render),
    "firefox": Held(firefox.render),
    "chrome": Held(chrome.render),
    "otlp": Held(otlp.render),
    "kprof": Held(tables.render),
    "json": Held(tables.render_json),
}
# The files of "parquet" are those within "kprof".
ONE_WAY = {"html", "csv", "parquet"}
# Its weights alone come back, and the name of a thread as the root: see test_readers.py.
WEIGHTS_ONLY = {"folded"}


@pytest.fixture(params=HELD)
def form(request):
    return request.param


def canonical(profile, losses=frozenset()):
    """Rows in an order of their own, frames spelt out, without what is lost."""
    frames = [
        {
            "name": frames_name, "module": profile.mappings.path[m] if m >= 0 else "",
            "build_id": profile.mappings.build_id[m] if m >= 0 and profile.mappings.build_id else "",
            "kind": Kind(kind).name, "address": address, "source": source,
        }
        for frames_name, m, kind, address, source in zip(
            profile.frames.name, profile.frames.mapping.tolist(), profile.frames.kind.tolist(),
            profile.frames.address.tolist(), profile.frames.source or [""] * len(profile.frames), strict=True,
        )
    ]  # fmt: skip
    # Names that are not UTF-8 cannot be in text formats: each such byte becomes a question mark.
    for frame in frames:
        frame["name"] = frame["name"].encode(errors="replace").decode()
    texts = {"comm": [c.encode(errors="replace").decode() for c in profile.comms], "cgroup": profile.cgroups}
    rows = []
    for i in range(len(profile.samples)):
        path, at = [], int(profile.samples.stack[i])
        while at >= 0:
            frame = frames[profile.stacks.frame[at]]
            path.append(tuple(sorted((k, v) for k, v in frame.items() if k not in losses)))
            at = int(profile.stacks.parent[at])
        event = profile.meta.events[profile.samples.event[i]]
        row = {
            "stack": path,
            "weight": int(profile.samples.weight[i]),
            "count": int(profile.samples.count[i]),
        }
        row |= {"event": event.name, "unit": event.unit}
        for name in ("pid", "tid", "comm", "cpu", "cgroup", "time_ns"):
            column = getattr(profile.samples, name)
            value = -1 if column is None else int(column[i])
            row[name] = texts[name][value] if name in texts and value >= 0 else value
        rows.append({k: v for k, v in row.items() if k not in losses})
    return sorted(rows, key=repr)


def rich():
    """One of everything."""
    clock, faults = Event("cpu-clock", "ns"), Event("page-faults", "events")
    start, main = (
        Frame("_start", "/bin/app", Kind.USER, 0x1040),
        Frame("main", "/bin/app", Kind.USER, 0x1200, "a.c:7"),
    )
    inlined = Frame("std::vector<int, x>::push(int) const", "/bin/app", Kind.INLINED, 0x1200, "/usr/vec.h:30")
    read_ = Frame("vfs_read", "[kernel.kallsyms]", Kind.KERNEL, 0xFFFFFFFF81234560)
    module = Frame("nf_hook", "[nf_tables]", Kind.MODULE, 0xFFFFFFFFC0234560)
    clock_frame = Frame("__vdso_clock_gettime", "[vdso]", Kind.VDSO, 0x6D0)
    jit = Frame("f a.js:1:2", "/tmp/perf-77.map", Kind.JS, 0x7F0000001000)
    python = Frame("f (f.py)", "", Kind.PYTHON, 0, "f.py:3")
    lost = Frame("[unknown]", "/lib/libc.so.6", Kind.USER, 0x27B25)
    nowhere = Frame("[unknown]", "", Kind.UNKNOWN, 0x41)
    builder = ProfileBuilder()
    who = {"pid": 77, "tid": 78, "comm": "two; words", "cgroup": "/system.slice"}
    for event in (clock, faults):
        builder.add([start, main, inlined], 250_000, event=event, count=3, cpu=0, time_ns=5, **who)
        builder.add([start, main], 7, event=event, cpu=1, time_ns=6, **who)
    builder.add(
        [start, lost, read_, module], 1 << 40, event=clock, count=9, pid=0, tid=0, comm="swapper/0", cpu=1
    )
    builder.add([jit, python, python, clock_frame], 11, event=clock, time_ns=1 << 50)
    builder.add([nowhere], 1, event=clock, pid=3, tid=4, comm="")
    builder.add([], 2, event=clock, pid=3, tid=4, comm="#x", count=2)
    quality = Quality(
        read=30, lost={"full map": 3, "ring: buffer": 4}, without_stack=2, truncated=1, filtered={"time": 5}
    )
    profile = builder.build(
        facts={"host": "example", "kernel": "6.1", "command": "a --b: c"}, quality=quality
    )
    ids = [f"{i:040x}" if path.startswith("/") else "" for i, path in enumerate(profile.mappings.path)]
    return replace(profile, mappings=Mappings(profile.mappings.path, ids))


def test_every_format_is_here():
    assert {output.name for output in OUTPUTS} == set(SUFFIXES)
    assert {output.name for output in OUTPUTS} == {*HELD, *ONE_WAY, *WEIGHTS_ONLY}


def test_everything_comes_back_but_what_is_stated(read, form):
    profile, held = rich(), HELD[form]
    back = read(held.write(profile))
    assert canonical(back, held.losses) == canonical(profile, held.losses)
    assert back.meta.events == profile.meta.events
    if "facts" not in held.losses:
        assert back.meta.facts == profile.meta.facts
    if "quality" not in held.losses:
        assert back.meta.quality == profile.meta.quality


def test_kinds_come_back_where_files_tell_them(read):
    profile = rich()
    back = read(pprof.encode(profile))
    kinds = {name: Kind(kind) for name, kind in zip(back.frames.name, back.frames.kind.tolist(), strict=True)}
    for name, kind in zip(profile.frames.name, profile.frames.kind.tolist(), strict=True):
        assert kinds[name] == kind or name in {"f (f.py)", "f a.js:1:2", "[unknown]"}


def test_written_again_it_is_the_same(read, form):
    held = HELD[form]
    once = held.write(read(held.write(rich())))
    assert held.write(read(once)) == once


def test_what_is_recorded_comes_back(read, form, sample, sample_text):
    """Every sample, with all its events."""
    profile, held = read(sample_text(sample), every_sample=True), HELD[form]
    back = read(held.write(profile))
    assert canonical(back, held.losses) == canonical(profile, held.losses)
    assert back.meta.quality == profile.meta.quality


def test_a_weight_never_becomes_a_number_of_samples(read, form):
    builder = ProfileBuilder()
    builder.add(["a"], 250_000, event=Event("cycles", "events"))
    back = read(HELD[form].write(builder.build()))
    assert (back.samples.weight.tolist(), back.samples.count.tolist()) == ([250_000], [1])


def test_compacted_it_is_the_same_and_smaller():
    profile = merge([rich(), rich()])
    small = compact(profile).check()
    assert canonical(small) == canonical(profile)
    assert len(small.mappings) == len(rich().mappings)
    assert len(small.frames) == len(rich().frames)
    assert len(small.stacks) == len(rich().stacks)


def test_events_without_samples_are_not_written():
    """Go's pprof shows the last one, which would be perf's dummy."""
    profile = rich()
    dummies = (Event("dummy:u", "events"), *profile.meta.events, Event("dummy:HG", "events"))
    samples = replace(profile.samples, event=profile.samples.event + 1)
    with_dummies = replace(profile, samples=samples, meta=replace(profile.meta, events=dummies)).check()
    small = compact(with_dummies).check()
    assert small.meta.events == profile.meta.events
    assert canonical(small) == canonical(profile)


def test_several_profiles_merged_come_back(read, form):
    profile, held = merge([rich(), rich()]), HELD[form]
    assert canonical(read(held.write(profile)), held.losses) == canonical(profile, held.losses)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
FRAMES = st.builds(
    Frame, NAMES, st.sampled_from(["", "/a", "/b"]), st.just(Kind.USER), st.integers(0, 1 << 40),
    st.sampled_from(["", "x.c:1", "y:z.c:20", "q"]),
)  # fmt: skip
ROWS = st.lists(
    st.tuples(
        st.lists(FRAMES, max_size=4), st.integers(1, (1 << 62) - 1), st.integers(1, 9),
        st.sampled_from(["cycles", "ns x"]), NAMES, st.integers(-1, 9),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@pytest.mark.parametrize("name", HELD)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_whatever_is_built_comes_back(read, name, rows):
    builder = ProfileBuilder()
    for stack, weight, count, event, comm, cpu in rows:
        builder.add(
            [f._replace(name=f.name or "x") for f in stack], weight, count=count,
            event=Event(event, "events"), comm=comm, cpu=cpu,
        )  # fmt: skip
    profile, held = builder.build(), HELD[name]
    assert canonical(compact(profile)) == canonical(profile)
    assert canonical(read(held.write(profile)), held.losses) == canonical(profile, held.losses)


def test_cut_off_anywhere_it_ends_in_one_error(read, form):
    data = HELD[form].write(rich())
    for end in range(0, len(data), max(len(data) // 600, 1)):
        with suppress(KprofError):
            read(data[:end])


def test_damaged_anywhere_it_ends_in_one_error(read, form):
    data, chance = HELD[form].write(rich()), random.Random(8)  # noqa: S311
    for _ in range(600):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 2, 8))):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.choice((0, 1, 4))] = chance.randbytes(chance.choice((0, 1, 4)))
        with suppress(KprofError):
            read(bytes(damaged))


def test_a_folder_of_parquet_comes_back(tmp_path):
    profile, folder = rich(), tmp_path / "out.parquet"
    folder.mkdir()
    for name, data in tables.members(profile).items():
        (folder / name).write_bytes(data)
    for name in (folder, folder / "kprof.json"):
        back = pipeline.read([str(name)], pipeline.Choice(every_event=True))
        assert canonical(back) == canonical(profile)
    (folder / "stacks.parquet").write_bytes(b"PAR1")
    with pytest.raises(KprofError, match="damaged tables: stacks"):
        pipeline.read([str(folder)])
    (folder / "stacks.parquet").unlink()
    with pytest.raises(KprofError, match="cannot read"):
        pipeline.read([str(folder)])


def test_csv_has_a_line_a_sample():
    rows = list(csv.DictReader(io.StringIO(tables.render_csv(rich()).decode())))
    assert len(rows) == 8
    assert rows[0] == {
        "stack": "_start;main;std::vector<int, x>::push(int) const", "event": "cpu-clock", "unit": "ns",
        "weight": "250000", "count": "3", "pid": "77", "tid": "78", "cpu": "0", "time_ns": "5",
        "comm": "two; words", "cgroup": "/system.slice",
    }  # fmt: skip
    assert rows[-1]["cpu"] == ""

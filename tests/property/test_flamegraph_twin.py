"""The flamegraph dialect in C against a plain twin, on texts that are nearly right."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kprof._native._text import TextReader, fold

_spec = importlib.util.spec_from_file_location(
    "flamegraph_twin", Path(__file__).with_name("flamegraph_twin.py")
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Twin = _module.Twin

OPTIONS = st.fixed_dictionaries(
    {name: st.booleans() for name in ("pid", "tid", "addresses", "kernel", "jit")}
)
COMMS = st.sampled_from(
    [b"app", b"java", b"java thread", b"x", b"a 1/2 b", b"V8 Worker 3", b" lead", b"#c", b"a;b"]
)
IDS = st.sampled_from([b"1", b"12/34", b"0/0", b"5/0", b"7//8", b"-1", b"3/"])
TIMES = st.sampled_from([b"[000] 1.5:", b"2.25:", b"[001]  77.000001:", b"", b"1.0"])
EVENTS = st.sampled_from(
    [b"cycles:", b"7 cycles:", b"0 cycles:", b"   31 cpu-clock:u:", b"c: x", b"", b"9 c:  ", b"12:"]
)
NAMES = st.sampled_from(
    [b"main", b"main+0x1f", b"f(int)", b"(proc)", b"[unknown]", b"a->b", b"->", b"a->", b"->b", b"x->->y+0x0", b"",
     b"operator->", b"net/http.(*C).Do", b"(anonymous namespace)::g(x)", b"La/b;.c(I)V", b"q\"'q", b" ", b"L/x_[i]",
     b"[unknown]->[unknown]", b"a (b) c", b"d_[j]", b"a+0x1+0x2", b"~f (x)"]
)  # fmt: skip
MODULES = st.sampled_from(
    [b"/bin/app", b"[kernel.kallsyms]", b"[unknown]", b"/tmp/perf-12.map", b"/x/vmlinux", b"", b"/a b/c (deleted)",
     b"inlined", b"[nf_unknown]", b"/tmp/perf-x.map"]
)  # fmt: skip
PLAIN = st.builds(
    lambda n, m, p: p + n + b" (" + m + b")",
    NAMES,
    MODULES,
    st.sampled_from([b"\t    55d0 ", b"  ff ", b"ffff ", b"\tab", b"\t zz! ", b"\t 1  "]),
)
LINES = st.one_of(
    PLAIN,
    PLAIN,
    PLAIN,
    PLAIN,
    st.sampled_from([b"# note", b"  ", b"\r", b"junk", b"\tjunk (", b"12 34 56", b") ("]),
)
BLOCKS = st.builds(
    lambda comm, ids, time, event, lines, gap: (
        b" ".join([comm, ids, time, event]) + b"\n" + b"".join(line + b"\n" for line in lines) + gap
    ),
    COMMS,
    IDS,
    TIMES,
    EVENTS,
    st.lists(LINES, max_size=5),
    st.sampled_from([b"\n", b"\n", b"\n", b"\n\n", b"", b" \n"]),
)
TEXTS = st.lists(BLOCKS, min_size=1, max_size=3).flatmap(
    lambda blocks: st.lists(st.sampled_from(blocks), min_size=1, max_size=8).map(b"".join)
)


def core(text, piece, **options):
    reader = TextReader("flamegraph", **options)
    for at in range(0, len(text), piece):
        part = text[at : at + piece]
        reader.room(len(part))[:] = part
        reader.commit(len(part))
    reader.room(1)
    reader.commit(0, last=True)
    tables = reader.tables()
    rows = tables["rows"]
    return fold(
        tables["names"] + tables["comms"],
        tables["frames"]["name"].astype(np.int32),
        tables["parent"],
        tables["leaf"],
        (rows["comm"] + len(tables["names"])).astype(np.int32),
        np.ascontiguousarray(rows["stack"]),
        np.ascontiguousarray(rows["weight"]),
    )[0]


@settings(max_examples=600, deadline=None)
@given(TEXTS, OPTIONS, st.integers(1, 200))
def test_text_by_text(text, options, piece):
    assert core(text, piece, **options) == Twin(**options).read(text)


@pytest.mark.parametrize("options", [{}, {"tid": True, "kernel": True, "jit": True, "addresses": True}])
def test_sample_by_sample(sample, sample_text, options):
    text = sample_text(sample)
    assert core(text, 1 << 18, **options) == Twin(**options).read(text)

"""Symbol tables: kallsyms, perf maps, jitdump, and aliases."""

import random
import struct

import numpy as np
import pytest

from kprof._native._symbols import SymbolTable


def addresses(*values):
    return np.array(values, np.uint64)


def names(table, *values):
    return [table.name(row).decode() if row >= 0 else None for row in table.find(addresses(*values)).tolist()]


def kallsyms(text, *, as_perf=True):
    table = SymbolTable()
    table.add_kallsyms(text)
    table.finish(as_perf=as_perf)
    return table


def perf_map(text):
    table = SymbolTable()
    table.add_perf_map(text)
    table.overlay()
    return table


KALLSYMS = b"""ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 t one
ffffffff81000180 R some_data
ffffffff81000200 D data
nonsense
ffffffff81000300 W weak
ffffffffc0201000 t in_module\t[fuse]
ffffffffc0201080 t last_of_module\t[fuse]
ffffffffc0300000 t bpf_prog_1\t[bpf]"""


def test_kallsyms():
    table = kallsyms(KALLSYMS)
    assert table.skipped == 1
    assert names(table, 0xFFFFFFFF81000000, 0xFFFFFFFF81000150, 0xFFFFFFFF810001FF) == ["_text", "one", "one"]
    assert names(table, 0xFFFFFFFFC0201010, 0xFFFFFFFFC0300010) == ["in_module", "bpf_prog_1"]
    assert names(table, 0xFFFFFFFF80000000, 0xFFFFFFFFC0305000) == [None, None]
    row = int(table.find(addresses(0xFFFFFFFFC0201010))[0])
    assert table.module(row) == b"[fuse]"


def test_the_last_symbol_of_the_kernel_ends_with_its_page():
    assert names(kallsyms(KALLSYMS), 0xFFFFFFFF81001000 - 1, 0xFFFFFFFF81003000) == ["weak", None]


def test_a_symbol_does_not_reach_into_another_module():
    assert names(kallsyms(KALLSYMS, as_perf=False), 0xFFFFFFFFC0204000) == [None]


def test_hidden_addresses_leave_one_symbol():
    assert len(kallsyms(b"0000000000000000 T a\n0000000000000000 t b\n")) <= 1


def test_perf_map_with_and_without_0x():
    table = perf_map(
        b"0x1000 0x10 first\n2000 20 LazyCompile:*f /a b.js:1\n\nbroken\n3000 0 empty\n3000 10 \n"
    )
    assert names(table, 0x1000, 0x100F, 0x1010, 0x201F) == [
        "first",
        "first",
        None,
        "LazyCompile:*f /a b.js:1",
    ]
    assert table.skipped == 3


def test_later_code_hides_earlier_code():
    table = perf_map(b"1000 100 old\n1040 20 new\n10f0 40 newer\n")
    assert names(table, 0x1000, 0x1040, 0x1060, 0x10F0, 0x112F) == ["old", "new", "old", "newer", "newer"]


def test_overlay_is_what_painting_over_gives():
    draw = random.Random(3)  # noqa: S311 - to be the same every time
    for _ in range(50):
        entries = [(draw.randrange(200), draw.randrange(1, 60)) for _ in range(draw.randrange(1, 40))]
        canvas = [None] * 300
        for number, (start, size) in enumerate(entries):
            canvas[start : start + size] = [f"f{number}"] * size
        text = "".join(f"{start:x} {size:x} f{n}\n" for n, (start, size) in enumerate(entries))
        assert names(perf_map(text.encode()), *range(300)) == canvas


def test_numbers_that_overflow():
    table = perf_map(b"ffffffffffffffff 10 a\nfffffffffffffff0 f b\nfffffffffffffffff 1 c\n1000 10 d\n")
    assert names(table, 0xFFFFFFFFFFFFFFF3, 0x1000) == ["b", "d"]
    assert table.skipped == 2


def columns(*rows):
    """Add symbols of known size."""
    blob = b"".join(name for _, _, name in rows)
    sizes = np.array([len(name) for _, _, name in rows], np.uint32)
    offsets = (np.cumsum(sizes) - sizes).astype(np.uint64)
    table = SymbolTable()
    table.add(addresses(*(s for s, _, _ in rows)), addresses(*(e for _, e, _ in rows)), blob, offsets, sizes)
    table.finish()
    return table


def test_nested_symbols():
    table = columns((0x100, 0x200, b"outer"), (0x140, 0x150, b"inner"))
    assert names(table, 0x100, 0x140, 0x150, 0x1FF, 0x200) == ["outer", "inner", "outer", "outer", None]


def test_aliases():
    table = columns((0x100, 0x200, b"__x"), (0x100, 0x200, b"x"), (0x100, 0x200, b"longer"))
    assert names(table, 0x180) == ["longer"]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 5000])
def test_sorting(count):
    draw = random.Random(count)  # noqa: S311 - as above
    starts = draw.sample(range(0, 1 << 48, 1 << 20), count)
    table = columns(*((s, s + 16, b"%x" % s) for s in starts))
    assert names(table, *starts) == [f"{s:x}" for s in starts]


def jitdump(order, *records):
    header = struct.pack(order + "IIIIIIQQ", 0x4A695444, 1, 40, 62, 0, 7, 0, 0)
    for kind, body in records:
        header += struct.pack(order + "IIQ", kind, 16 + len(body), 0) + body
    return header


@pytest.mark.parametrize("order", ["<", ">"])
def test_jitdump(order):
    load = struct.pack(order + "IIQQQQ", 7, 7, 0, 0x1000, 0x100, 1) + b"Java.run\0" + bytes(0x100)
    move = struct.pack(order + "IIQQQQQ", 7, 7, 0, 0x1000, 0x5000, 0x100, 1)
    dump = jitdump(order, (0, load), (2, b"lines"), (1, move), (3, b""))
    for cut in (0, 5):
        table = SymbolTable()
        table.add_jitdump(dump[: len(dump) - cut])
        table.overlay()
        assert names(table, 0x1010, 0x50FF, 0x2000) == ["Java.run", "Java.run", None]
    for size in range(len(dump)):
        table = SymbolTable()
        table.add_jitdump(dump[:size])
        table.overlay()

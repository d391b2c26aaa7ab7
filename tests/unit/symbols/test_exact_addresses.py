"""Callers at addresses that no call is before: each frame was recorded as one less than its address."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from kprof.elf import ElfFile
from kprof.elf.search import FileFinder
from kprof.model import Event, Frames, Kind, Mappings, Meta, Profile, Samples, Stacks
from kprof.symbols import SymbolOptions, symbolise

PLAIN = SymbolOptions(inline=False)


@pytest.fixture
def finder(tmp_path):
    return FileFinder(debug_dirs=[str(tmp_path / "debug")], perf_cache=tmp_path / "perf")


def profile_of(places, path, kind=Kind.USER):
    """One root frame an address, in one mapping."""
    rows = np.arange(len(places), dtype=np.int32)
    ones = np.ones(len(rows), np.int64)
    zeros = np.zeros(len(rows), np.int32)
    frames = Frames(
        ["[unknown]"] * len(rows), zeros, np.array(places, np.uint64), zeros.astype(np.uint8) + kind
    )
    samples = Samples(rows, zeros, ones, ones)
    return Profile(
        Mappings([path], [""], [-1]), frames, Stacks(zeros - 1, rows), samples, meta=Meta((Event("cycles"),))
    )


def test_where_handlers_of_signals_return_to(finder, tmp_path):
    """A frame is looked up in the call before its return address, but here there is none."""
    source = """
        .globl f
        .type f, @function
    f:  ret
        .size f, .-f
        .balign 16
        .globl __restore_rt
        .type __restore_rt, @function
    __restore_rt: ret
        .size __restore_rt, .-__restore_rt
        .balign 16
        .globl g
    g:  ret
        .type g, @function
        .size g, .-g
    """
    (tmp_path / "a.s").write_text(source)
    subprocess.run(["gcc", "-shared", "-nostdlib", "-o", "a.so", "a.s"], cwd=tmp_path, check=True)
    elf = ElfFile.open(str(tmp_path / "a.so"))
    start = elf.section_address(".text")
    places = [start + offset for offset in (0, 15, 16, 31)]
    for options, names in (
        (PLAIN, ["f", "__restore_rt", "__restore_rt", "[unknown]"]),
        (SymbolOptions(inline=False, compat=True), ["f", "[unknown]", "__restore_rt", "[unknown]"]),
    ):
        named = symbolise(profile_of(places, str(tmp_path / "a.so")), options, finder)
        assert list(named.frames.name) == names


@pytest.mark.parametrize("compat", [False, True])
def test_where_the_kernel_was_interrupted_no_call_is_before(finder, tmp_path, compat):
    base = 0xFFFFFFFF81000000
    names = {0: "_text", 0x10: "caller", 0x20: "before", 0x30: "first", 0x40: "__pfx_next", 0x50: "next"}
    names[0x60] = "asm_exc_page_fault"
    (tmp_path / "kallsyms").write_text("".join(f"{base + at:x} t {name}\n" for at, name in names.items()))
    options = replace(PLAIN, kallsyms=str(tmp_path / "kallsyms"), compat=compat)
    # Root first: one chain through the exception, one without.
    places = [base + at for at in (0x15, 0x2F, 0x61, 0x4F, 0x4E)]
    profile = profile_of(places, "[kernel.kallsyms]", Kind.KERNEL)
    chain = Stacks(np.array([-1, 0, 1, -1, -1], np.int32), np.arange(5, dtype=np.int32))
    named = symbolise(replace(profile, stacks=chain), options, finder).frames.name
    next_one = "__pfx_next" if compat else "next"
    assert list(named[:3]) == ["caller", "before" if compat else "first", "asm_exc_page_fault"]
    assert list(named[3:]) == [next_one, "__pfx_next"]
    assert symbolise(profile, options, finder).frames.name[1] == "before"

"""The pass over a profile: every source of names, against nm and by hand."""

import subprocess
import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from kprof.elf import ElfFile
from kprof.elf.search import FileFinder
from kprof.model import Event, Frames, Kind, Mappings, Meta, Profile, Samples, Stacks
from kprof.symbols import SymbolOptions, kernel, symbolise
from kprof.symbols.archive import archive
from kprof.symbols.frame_table import FrameTable
from kprof.symbols.tidy import tidy

SOURCE = """
#include <cstdio>
namespace app {
template <class T> __attribute__((noinline)) T twice(T x) { return x * 2; }
struct Box { int n; __attribute__((noinline)) int get() const; };
int Box::get() const { return twice<int>(n); }
}
int main(int argc, char **argv) { app::Box b{argc}; puts("x"); return b.get(); }
"""
PLAIN = SymbolOptions(inline=False)


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("symbols")
    (folder / "a.cpp").write_text(SOURCE)
    command = ["g++", "-O1", "-fcf-protection=none", "-Wl,-z,lazy", "-Wl,--build-id", "a.cpp", "-o", "app"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder / "app"


@pytest.fixture
def finder(tmp_path):
    return FileFinder(debug_dirs=[str(tmp_path / "debug")], perf_cache=tmp_path / "perf")


def profile_of(places, *, path="/x", kind=Kind.USER, build_id="", pid=-1):
    """One root frame an address, in one mapping."""
    count = len(places)
    rows = np.arange(count, dtype=np.int32)
    ones = np.ones(count, np.int64)
    return Profile(
        Mappings([path], [build_id], [pid]),
        Frames(
            ["[unknown]"] * count,
            np.zeros(count, np.int32),
            np.array(places, np.uint64),
            np.full(count, kind, np.uint8),
        ),
        Stacks(np.full(count, -1, np.int32), rows),
        Samples(rows, np.zeros(count, np.int32), ones, ones),
        meta=Meta((Event("cycles"),)),
    ).check()


def functions(program):
    """Offset in the file and size of every function, by name, as nm says."""
    elf = ElfFile.open(program)
    segment = next(s for s in elf.segments if s.flags & 1)
    table = subprocess.run(["nm", "-S", program], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in table.splitlines()]
    return {
        row[3]: (int(row[0], 16) - segment.vaddr + segment.offset, int(row[1], 16))
        for row in rows if len(row) == 4 and row[2] in "TtWw"
    }  # fmt: skip


@pytest.mark.parametrize("compat", [False, True])
def test_functions_of_a_program(program, finder, compat):
    table = functions(program)
    wanted = {
        "main": "main",
        "_ZNK3app3Box3getEv": "app::Box::get",
        "_ZN3app5twiceIiEET_S1_": "app::twice<int>",
    }
    places = [at + part for name in wanted for at, size in [table[name]] for part in (0, size - 1)]
    profile = profile_of(places, path=str(program))
    named = symbolise(profile, replace(PLAIN, compat=compat), finder).check()
    assert named.frames.name == [name for name in wanted.values() for _ in range(2)]
    assert profile.frames.name[0] == "[unknown]"


def test_full_names(program, finder):
    at, _ = functions(program)["_ZNK3app3Box3getEv"]
    named = symbolise(profile_of([at], path=str(program)), replace(PLAIN, names="full"), finder)
    assert named.frames.name == ["app::Box::get() const"]


@pytest.mark.parametrize("compat", [False, True])
def test_procedure_linkage_table(program, finder, compat):
    plt = ElfFile.open(program).section_header(".plt")
    places = [plt.offset + 16 * i + 3 for i in range(1, plt.size // 16)]
    named = symbolise(profile_of(places, path=str(program)), replace(PLAIN, compat=compat), finder)
    assert "puts@plt" in named.frames.name
    assert all(name.endswith("@plt") for name in named.frames.name)


def test_stripped_with_a_debug_file(program, finder, tmp_path):
    at, _ = functions(program)["_ZNK3app3Box3getEv"]
    for command in (
        ["objcopy", "--only-keep-debug", program, "app.debug"],
        ["objcopy", "--strip-all", "--add-gnu-debuglink=app.debug", program, "app"],
    ):
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    profile = profile_of([at], path=str(tmp_path / "app"))
    assert symbolise(profile, PLAIN, finder).frames.name == ["app::Box::get"]
    (tmp_path / "app.debug").unlink()
    other = FileFinder(debug_dirs=[], perf_cache=tmp_path / "perf")
    assert symbolise(profile, PLAIN, other).frames.name == ["[unknown]"]


def test_a_wrong_build_gives_no_names_and_says_so(program, finder):
    at, _ = functions(program)["main"]
    named = symbolise(profile_of([at], path=str(program), build_id="ab" * 20), PLAIN, finder)
    assert named.frames.name == ["[unknown]"]
    assert named.meta.facts["without symbols"] == "app: it was replaced by another build since"


def test_addresses_out_of_everything(program, finder):
    named = symbolise(profile_of([1 << 63, (1 << 64) - 1, 1], path=str(program)), PLAIN, finder).check()
    assert named.frames.name == ["[unknown]"] * 3


def test_kernel_and_modules(finder, tmp_path):
    (tmp_path / "kallsyms").write_text(
        "ffffffff81000000 T _text\nffffffff81000100 T vfs_read\nffffffff81000200 t end\n"
        "ffffffffc0001000 t fuse_read\t[fuse]\nffffffffc0002000 t bpf_prog_12_count\t[bpf]\n"
    )
    options = replace(PLAIN, kallsyms=str(tmp_path / "kallsyms"))
    profile = profile_of([0xFFFFFFFF81000150, 0xFFFFFFFFC0002010], path="[kernel.kallsyms]", kind=Kind.KERNEL)
    named = symbolise(profile, options, finder)
    assert named.frames.name == ["vfs_read", "bpf_prog_12_count"]
    assert named.frames.kind.tolist() == [Kind.KERNEL] * 2
    module = profile_of([0xFFFFFFFFC0001010], path="[fuse]", kind=Kind.MODULE)
    assert symbolise(module, options, finder).frames.name == ["fuse_read"]
    # The same kernel, started anew, lies elsewhere.
    moved = replace(options, kernel_text=0xFFFFFFFF91000000)
    profile = profile_of([0xFFFFFFFF91000150], path="[kernel.kallsyms]", kind=Kind.KERNEL)
    assert symbolise(profile, moved, finder).frames.name == ["vfs_read"]
    assert symbolise(module, moved, finder).frames.name == ["[unknown]"]


def test_hidden_kernel_addresses(finder, tmp_path):
    (tmp_path / "kallsyms").write_text("0000000000000000 T _text\n0000000000000000 T vfs_read\n")
    profile = profile_of([0xFFFFFFFF81000150], path="[kernel.kallsyms]", kind=Kind.KERNEL)
    named = symbolise(profile, replace(PLAIN, kallsyms=str(tmp_path / "kallsyms")), finder)
    assert "kptr_restrict" in named.meta.facts["without symbols"]


def test_what_a_copy_of_another_boot_said_is_not_kept(finder, tmp_path, monkeypatch):
    here, copy, build_id = tmp_path / "kallsyms", tmp_path / "copy", "ab" * 20
    here.write_text("0000000000000000 T _text\n0000000000000000 T vfs_read\n")
    copy.write_text("ffffffff81000000 T _text\nffffffff81000100 T another\nffffffff81000200 t end\n")
    monkeypatch.setenv("KPROF_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(kernel, "KALLSYMS", str(here))
    monkeypatch.setattr(kernel, "running_build_id", lambda *_: build_id)
    monkeypatch.setattr(type(finder), "kept_places", lambda *_: [str(copy)])
    options = replace(PLAIN, kallsyms=str(here), cache=True)
    profile = profile_of([0xFFFFFFFF81000150], path="[kernel.kallsyms]", kind=Kind.KERNEL, build_id=build_id)
    assert symbolise(profile, options, finder).frames.name == ["another"]
    here.write_text("ffffffff81000000 T _text\nffffffff81000100 T vfs_read\nffffffff81000200 t end\n")
    assert symbolise(profile, options, finder).frames.name == ["vfs_read"]
    here.unlink()
    assert symbolise(profile, options, finder).frames.name == ["vfs_read"]


def test_another_kernel(finder):
    profile = profile_of([0xFFFFFFFF81000150], path="[kernel.kallsyms]", kind=Kind.KERNEL, build_id="ab" * 20)
    named = symbolise(profile, PLAIN, finder)
    assert named.frames.name == ["[unknown]"]
    assert "another kernel" in named.meta.facts["without symbols"]


def test_perf_map_with_python_functions(finder, tmp_path):
    (tmp_path / "perf-7.map").write_text("1000 100 py::run:/a b.py\n2000 100 LazyCompile:*go /c.js:3\n")
    profile = profile_of([0x1010, 0x2010, 0x3000], path=str(tmp_path / "perf-7.map"), kind=Kind.JIT, pid=7)
    named = symbolise(profile, PLAIN, finder)
    assert named.frames.name == ["py::run:/a b.py", "LazyCompile:*go /c.js:3", "[unknown]"]
    assert named.frames.kind.tolist() == [Kind.JIT, Kind.JIT, Kind.JIT]
    readable = tidy(named)
    assert readable.frames.name == ["run (a b.py)", "go c.js:3", "[unknown]"]
    assert readable.frames.kind.tolist() == [Kind.PYTHON, Kind.JS, Kind.JIT]


def test_the_vdso(finder):
    vdso = finder.find("[vdso]")
    if vdso is None:
        pytest.skip("no vdso here")
    text = vdso.section_header(".text")
    profile = profile_of(
        [text.offset + text.size // 2], path="[vdso]", kind=Kind.VDSO, build_id=vdso.build_id
    )
    assert "vdso" in symbolise(profile, PLAIN, finder).frames.name[0]


def test_inlined_functions_become_frames(program, finder, monkeypatch):
    """What reads debug information is a stand-in here; that it is asked rightly is the point."""
    table = functions(program)
    asked = []

    def chains(elf, alt, addresses):
        asked.append(addresses.tolist())
        return [
            [(b"outer", False, "a.c:1"), (b"_ZN3app5innerEv", True, "a.c:2")] if i else []
            for i, _ in enumerate(addresses)
        ]

    monkeypatch.setitem(sys.modules, "kprof.symbols.inlines", types.SimpleNamespace(chains=chains))
    monkeypatch.setattr(ElfFile, "has_debug_information", True)
    places = [table["main"][0], table["_ZNK3app3Box3getEv"][0]]
    profile = profile_of(places[::-1], path=str(program))
    named = symbolise(profile, SymbolOptions(source_lines=True, cache=False), finder).check()
    assert asked == [sorted(asked[0])]
    first, second = (named.frames.name[i] for i in range(2))
    assert {first, second} == {"main", "app::Box::get"}
    assert named.frames.name[2:] == ["app::inner"]
    assert named.frames.kind.tolist().count(Kind.INLINED) == 1
    assert named.frames.source[2] == "a.c:2"
    assert len(named.stacks) == 3


def branched():
    """a;b;b, nothing, a;c."""
    profile = profile_of([1, 2, 3])
    return replace(
        profile,
        stacks=Stacks(np.array([-1, 0, 0, 1], np.int32), np.array([0, 1, 2, 1], np.int32)),
        samples=replace(profile.samples, stack=np.array([3, -1, 2], np.int32)),
        frames=replace(profile.frames, name=["a", "b", "c"]),
    )


def stacks_of(profile):
    found = []
    for node in profile.samples.stack.tolist():
        names, at = [], node
        while at >= 0:
            names.append(profile.frames.name[profile.stacks.frame[at]])
            at = int(profile.stacks.parent[at])
        found.append(names[::-1])
    return found


@pytest.mark.parametrize("places", [True, False])
def test_inlined_functions_in_a_tree(places):
    profile = branched()
    table = FrameTable(profile.frames, sources=False)
    for frame, names in ((1, ["b1", "b2"]), (0, ["a1"])):
        table.add_inlined(np.full(len(names), frame), table.numbers(names), np.zeros(len(names), np.int64))
    wide = table.finish(profile, places=places).check()
    assert stacks_of(wide) == [["a", "a1", "b", "b1", "b2", "b", "b1", "b2"], [], ["a", "a1", "c"]]


def test_places_in_one_function_become_one_frame():
    profile = branched()
    table = FrameTable(profile.frames, sources=False)
    table.name[2] = table.name[1]
    apart = table.finish(profile, places=True).check()
    assert (len(apart.frames), len(apart.stacks)) == (3, 4)
    joined = table.finish(profile, places=False).check()
    assert (len(joined.frames), len(joined.stacks)) == (2, 3)
    assert stacks_of(joined) == stacks_of(apart) == [["a", "b", "b"], [], ["a", "b"]]
    assert joined.frames.address.tolist() == [1, 2]


def test_lines_keep_places_apart():
    profile = branched()
    table = FrameTable(profile.frames, sources=True)
    table.name[2] = table.name[1]
    table.source[:] = table.numbers(["a.c:1", "b.c:1", "b.c:2"])
    lines = table.finish(profile, places=False).check()
    assert lines.frames.source == ["a.c:1", "b.c:1", "b.c:2"]


def test_archive(program, finder, tmp_path):
    build_id = ElfFile.open(program).build_id
    at, _ = functions(program)["main"]
    profile = profile_of([at], path=str(program), build_id=build_id)
    assert archive(profile, finder, tmp_path / "out.archive") == 1
    assert archive(profile, finder, tmp_path / "out.archive") == 0
    elsewhere = replace(profile, mappings=Mappings(["/gone"], [build_id], [-1]))
    other = FileFinder(archive=tmp_path / "out.archive", debug_dirs=[], perf_cache=tmp_path / "none")
    assert symbolise(elsewhere, PLAIN, other).frames.name == ["main"]


def test_an_empty_profile(finder):
    empty = profile_of([])
    assert symbolise(empty, SymbolOptions(), finder).check().frames.name == []

"""Chains of inlined functions, against programs whose chains are known and against other readers of DWARF."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from kprof.elf import ElfFile
from kprof.elf.search import FileFinder
from kprof.symbols.inlines import chains

C = """\
static inline __attribute__((always_inline)) int leaf(int x) {
    volatile int y = x;                                         // in leaf
    return y * 3;
}
static inline __attribute__((always_inline)) int middle(int x) {
    return leaf(x + 1) + 1;                                     // calls leaf
}
__attribute__((noinline)) int work(int n) {
    return middle(n) - 1;                                       // calls middle
}
int main(int count, char **words) {
    __attribute__((noinline)) int within(int x) { return leaf(x) + count; }   // nested
    return work(count) + within(count);
}
"""
CPP = """\
#include <algorithm>
#include <cstdlib>
#include <vector>
namespace shop { namespace {
struct Till {
    long sum = 0;
    __attribute__((always_inline)) void add(long x) { volatile long y = x; sum += y * 3; }
};
template <class T> __attribute__((always_inline)) inline T twice(T x) { Till till; till.add(x); till.add(x); return till.sum; }
} }
extern "C" __attribute__((noinline)) long entry(int n) {
    std::vector<long> all;
    for (int i = 0; i < n; i++) all.push_back(shop::twice<long>(i));
    std::sort(all.begin(), all.end(), [](long a, long b) { return a > b; });
    if (__builtin_expect(n > 1000, 0)) abort();
    return all[0];
}
int main(int count, char **) { return entry(count + 20); }
"""
VARIANTS = [
    "-gdwarf-2",
    "-gdwarf-3",
    "-gdwarf-4",
    "-gdwarf-5",
    "-g -gz",
    "-g -gdwarf64",
    "-g -gstrict-dwarf",
    "-gdwarf-4 -flto",
]


def build(folder, text, *options):
    """Compile a program; the name of its source is the same for all."""
    source = folder / ("a.c" if text is C else "a.cpp")
    source.write_text(text)
    target = folder / "program"
    compiler = "gcc" if text is C else "g++"
    subprocess.run([compiler, "-O2", "-w", *" ".join(options).split(), source, "-o", target], check=True)
    return target


def code(elf):
    header = elf.section_header(".text")
    return np.arange(header.address, header.address + header.size, dtype=np.uint64)


def read(path):
    elf = ElfFile.open(path)
    return chains(elf, FileFinder().find_alt(elf), code(elf))


def line_of(text, marker):
    return next(number for number, line in enumerate(text.splitlines(), 1) if marker in line)


def asked(tool, path, addresses):
    """What addr2line or eu-addr2line say, outermost first."""
    done = subprocess.run(
        [tool, "-a", "-i", "-f", "-e", path],
        input="".join(f"{a:#x}\n" for a in addresses.tolist()),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = []
    lines = iter(done.stdout.splitlines())
    for line in lines:
        if re.fullmatch("0x[0-9a-f]+", line):
            answers.append([])
            continue
        source = re.sub(r"( \(discriminator.*|:\?)$", "", next(lines))
        if tool == "eu-addr2line":
            source = re.sub(r"^(.*:\d+):\d+$", r"\1", source)
        answers[-1].insert(0, (line.split(" inlined at ")[0], source))
    return answers


def same(ours, theirs):
    """Other tools print names without the scopes that lie around them."""
    name = ours.decode()
    return name == theirs or name.endswith(f"::{theirs}")


def same_names(ours, theirs):
    return len(ours) == len(theirs) and all(same(f[0], g[0]) for f, g in zip(ours, theirs, strict=True))


def same_lines(ours, theirs):
    return [f[2] for f in ours] == [f[1] for f in theirs]


@pytest.mark.parametrize("options", VARIANTS)
def test_chains_of_c(tmp_path, options):
    found = {tuple(chain) for chain in read(build(tmp_path, C, options))}
    source = str(tmp_path / "a.c")

    def at(name, marker):
        return (name, False, f"{source}:{line_of(C, marker)}")

    assert (at(b"work", "calls middle"), at(b"middle", "calls leaf"), at(b"leaf", "in leaf")) in found
    assert any(
        chain[0] == at(b"within", "nested") and chain[1][0] == b"leaf" for chain in found if len(chain) > 1
    )


def compared(tool, path):
    """Chains of what is known beside those of another tool."""
    elf = ElfFile.open(path)
    addresses = code(elf)
    pairs = zip(chains(elf, None, addresses), asked(tool, path, addresses), strict=True)
    return [(ours, theirs) for ours, theirs in pairs if ours and ours[0][0] != b"[unknown]"]


@pytest.mark.parametrize("options", VARIANTS)
def test_the_same_as_addr2line(tmp_path, options):
    pairs = compared("addr2line", build(tmp_path, CPP, options))
    assert len(pairs) > 500
    # That of binutils 2.40 reads little of 64-bit DWARF, and for DWARF 5 takes files from the wrong place.
    if options == "-g -gdwarf64":
        return
    # It takes the outermost name from the symbol table, and by mistake those of some calls, too.
    assert np.mean([same_names(ours[1:], theirs[1:]) for ours, theirs in pairs]) > 0.98
    if options in ("-gdwarf-2", "-gdwarf-3", "-gdwarf-4"):
        assert all(same_lines(ours, theirs) for ours, theirs in pairs)


@pytest.mark.parametrize("options", ["-gdwarf-4", "-gdwarf-5", "-g -gdwarf64"])
def test_the_same_as_eu_addr2line(tmp_path, options):
    pairs = compared("eu-addr2line", build(tmp_path, CPP, options))
    # Where inlined functions overlap, eu-addr2line mixes them.
    assert np.mean([same_names(*pair) and same_lines(*pair) for pair in pairs]) > 0.97


def test_names_of_cpp(tmp_path):
    functions = {function[:2] for chain in read(build(tmp_path, CPP, "-gdwarf-5")) for function in chain}
    assert (b"entry", False) in functions
    assert (b"shop::(anonymous namespace)::Till::add", False) in functions
    assert any(mangled and name.startswith(b"_ZNSt6vectorIlSaIlEE") for name, mangled in functions)
    # Templates over a lambda have no linkage name, but lie in a namespace.
    assert any(
        not mangled and name.startswith(b"std::") and b"<lambda" in name for name, mangled in functions
    )


def test_the_cold_part_belongs_to_its_function(tmp_path):
    path = build(tmp_path, CPP, "-gdwarf-5")
    symbols = subprocess.run(["nm", "-S", path], capture_output=True, text=True, check=True).stdout
    start, size = re.search(r"^(\w+) (\w+) . entry\.cold$", symbols, re.MULTILINE).groups()
    addresses = np.arange(int(start, 16), int(start, 16) + int(size, 16), dtype=np.uint64)
    found = chains(ElfFile.open(path), None, addresses)
    assert {chain[0][0] for chain in found} == {b"entry"}


@pytest.mark.parametrize("version", ["-gdwarf-4", "-gdwarf-5"])
def test_what_dwz_moved_is_found(tmp_path, version):
    plain_paths, packed = [], []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        plain_paths.append(build(tmp_path / name, CPP, version))
        packed.append(plain_paths[-1].with_name("packed"))
        packed[-1].write_bytes(plain_paths[-1].read_bytes())
    subprocess.run(["dwz", "-m", tmp_path / "common", "-h", *packed], check=True)
    for before, after in zip(plain_paths, packed, strict=True):
        assert ElfFile.open(after).debugaltlink
        assert read(after) == read(before)


def test_addresses_in_any_order(tmp_path):
    elf = ElfFile.open(build(tmp_path, C, "-g"))
    addresses = code(elf)
    order = np.random.default_rng(1).permutation(np.concatenate([addresses, addresses]))
    known = dict(zip(addresses.tolist(), chains(elf, None, addresses), strict=True))
    assert chains(elf, None, order) == [known[a] for a in order.tolist()]
    assert chains(elf, None, np.array([0, 1, 2**64 - 1], np.uint64)) == [[], [], []]
    assert chains(elf, None, np.empty(0, np.uint64)) == []


def test_a_file_without_debug_information(tmp_path):
    elf = ElfFile.open(build(tmp_path, C, "-s"))
    assert not any(chains(elf, None, code(elf)))


def test_the_other_byte_order_is_no_crash(tmp_path):
    path = build(tmp_path, C, "-g")
    elf = ElfFile.open(path)
    elf.byteorder = "big"
    assert not any(chains(elf, None, code(elf)))


def test_assembler_has_lines_without_functions(tmp_path):
    source = Path(tmp_path, "a.s")
    source.write_text(".globl main\n.text\nmain:\n xor %eax, %eax\n ret\n")
    subprocess.run(["gcc", "-g", source, "-o", tmp_path / "program"], check=True)
    found = read(tmp_path / "program")
    assert [(b"[unknown]", False, f"{source}:4")] in found


@pytest.mark.parametrize("version", ["-gdwarf-4", "-gdwarf-5"])
def test_split_units(tmp_path, version):
    whole = build(tmp_path, CPP, version)
    expected = read(whole)
    split = build(tmp_path, CPP, version, "-gsplit-dwarf")
    (part,) = tmp_path.glob("*.dwo")
    assert read(split) == expected
    # Next to the program, wherever both went.
    (tmp_path / "elsewhere").mkdir()
    moved = split.rename(tmp_path / "elsewhere/program")
    part.rename(tmp_path / "elsewhere" / part.name)
    assert read(moved) == expected
    (tmp_path / "elsewhere" / part.name).unlink()
    # Without it, lines are known, but no functions.
    assert {function[0] for chain in read(moved) for function in chain} == {b"[unknown]"}


def test_a_split_unit_of_another_build_is_not_used(tmp_path):
    split = build(tmp_path, CPP, "-g", "-gsplit-dwarf")
    (part,) = tmp_path.glob("*.dwo")
    kept = split.rename(tmp_path / "kept")
    build(tmp_path, CPP.replace("entry", "other"), "-g", "-gsplit-dwarf")
    assert part.exists()
    assert {function[0] for chain in read(kept) for function in chain} == {b"[unknown]"}


def test_a_package_of_split_units(tmp_path):
    # That of binutils 2.40 knows DWARF 4 only.
    split = build(tmp_path, CPP, "-gdwarf-4", "-gsplit-dwarf")
    expected = read(split)
    subprocess.run(["dwp", "-e", split, "-o", f"{split}.dwp"], check=True)
    for part in tmp_path.glob("*.dwo"):
        part.unlink()
    assert read(split) == expected
    package = Path(f"{split}.dwp")
    content = bytearray(package.read_bytes())
    for at in range(0, len(content), 97):
        content[at] ^= 0x55
    package.write_bytes(content)
    assert len(read(split)) == len(expected)

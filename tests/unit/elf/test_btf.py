"""Types and prototypes, from an object that is checked in and from the kernel that runs."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from kprof.elf import ElfFile
from kprof.elf.btf import Btf
from kprof.errors import FormatError

PROGRAMS = Path(__file__).parents[3] / "src/kprof/recorders/bpf/programs"
KERNEL = Path("/sys/kernel/btf/vmlinux")
SOURCE = """
struct pair { long a, b; };
enum colour { red };
typedef int (*compare_t)(const void *, const void *);
typedef unsigned long word_t;
union either { int i; char c[12]; };
int plain(int first, const char *second) { return first; }
void nothing(void) { }
void pointers(char **a, const char *const *b, volatile int *c, struct pair *d, void *e) { }
int callback(int (*call)(void *, long), compare_t compare) { return 0; }
word_t types(word_t a, enum colour b, _Bool c, short d, struct missing *f) { return a; }
"""
SPELLED = {
    "plain": "int plain(int first, const char *second)",
    "nothing": "void nothing(void)",
    "pointers": "void pointers(char **a, const char *const *b, volatile int *c, struct pair *d, void *e)",
    "callback": "int callback(int (*call)(void *, long), compare_t compare)",
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    if not shutil.which("clang"):
        pytest.skip("needs clang")
    folder = tmp_path_factory.mktemp("btf")
    (folder / "x.c").write_text(SOURCE)
    command = ["clang", "-g", "-O2", "-w", "-target", "bpf", "-c", "-o", "x.o", "x.c"]
    subprocess.run(command, check=True, cwd=folder)
    return Btf(bytes(ElfFile.open(folder / "x.o").section(".BTF")))


@pytest.mark.parametrize("name", SPELLED)
def test_declarations_are_spelled_as_c_writes_them(compiled, name):
    assert compiled.prototype(compiled.functions[name]).spelled(name) == SPELLED[name]


def test_sizes(compiled):
    arguments = compiled.prototype(compiled.functions["types"]).arguments
    assert [each.size for each in arguments] == [8, 4, 1, 2, 8]
    assert [each.type for each in arguments[:3]] == ["word_t", "enum colour", "_Bool"]
    assert arguments[4].type == "struct missing *"
    assert compiled.prototype(compiled.functions["nothing"]).result.size == 0


def test_an_object_that_is_checked_in():
    data = bytes(ElfFile.open(PROGRAMS / "sample.bpf.o").section(".BTF"))
    found = Btf(data)
    assert {"sample", "tracepoint", "function"} <= set(found.functions)
    for name, number in found.functions.items():
        assert name in found.prototype(number).spelled(name)


def test_damage_is_told():
    data = bytes(ElfFile.open(PROGRAMS / "sample.bpf.o").section(".BTF"))
    for size in range(0, len(data), 7):
        with pytest.raises(FormatError):
            Btf(data[:size])
    for at in range(0, len(data) - 1, 11):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        try:
            found = Btf(bytes(changed))
            for name, number in found.functions.items():
                found.prototype(number).spelled(name)
        except FormatError:
            pass


def test_a_type_that_holds_itself_ends():
    # One pointer to itself, and a function that is of this type.
    types = struct.pack("=III", 0, 2 << 24, 1) + struct.pack("=III", 1, 12 << 24, 1)
    header = struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), 3)
    found = Btf(header + types + b"\0f\0")
    with pytest.raises(FormatError, match="no function"):
        found.prototype(found.functions["f"])
    assert found.spelled(1).startswith("void *")


@pytest.mark.skipif(not KERNEL.exists(), reason="this kernel does not tell its types")
def test_the_kernel_that_runs():
    kernel = Btf(KERNEL.read_bytes())
    read = kernel.prototype(kernel.functions["vfs_read"])
    assert (
        read.spelled("vfs_read")
        == "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)"
    )
    assert [each.size for each in read.arguments] == [8] * 4
    printed = kernel.prototype(kernel.functions["_printk"])
    assert printed.is_variadic
    assert printed.spelled("_printk").endswith("(const char *fmt, ...)")
    assert "sched_switch" in kernel.raw_tracepoints
    for name, number in list(kernel.functions.items())[::50]:
        kernel.prototype(number).spelled(name)


@pytest.mark.skipif(not (KERNEL.exists() and shutil.which("bpftool")), reason="needs bpftool and BTF")
def test_declarations_agree_with_bpftool():
    """Another tool writes what is called for raw tracepoints as C; all of them are compared."""
    command = ["bpftool", "btf", "dump", "file", str(KERNEL), "format", "c"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    theirs = dict(re.findall(r"^typedef void \(\*btf_trace_(\w+)\)\((.*)\);$", text, re.MULTILINE))
    if not theirs:
        pytest.skip("this bpftool does not print types")
    kernel = Btf(KERNEL.read_bytes())
    ours = {
        name: ", ".join(each.type for each in kernel.prototype(number).arguments)
        for name, number in kernel.raw_tracepoints.items()
    }
    plain = {name: text for name, text in theirs.items() if "(" not in text and "{" not in text}
    assert len(plain) > 100
    assert {name: _tidied(ours[name]) for name in plain} == {
        name: _tidied(text) for name, text in plain.items()
    }


def _tidied(text):
    return re.sub(r"\blong int\b", "long", text).replace("* const", "*const")

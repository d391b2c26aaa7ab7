"""USDT probes and functions of a program that a compiler makes, held against binutils."""

import re
import shutil
import subprocess

import pytest

from kprof.elf import ElfFile
from kprof.elf.functions import functions_of
from kprof.elf.usdt import Probe, probes_of

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
# What sys/sdt.h makes of DTRACE_PROBE2(shop, sold, a, b).
SOURCE = r"""
static int twice(int a) { return 2 * a; }
int global(int a) { return twice(a) + 1; }
int main(void) {
    __asm__ volatile(
        "990: nop\n"
        ".pushsection .note.stapsdt,\"\",\"note\"\n"
        ".balign 4\n.4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"
        "993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte 0\n"
        ".asciz \"shop\"\n.asciz \"sold\"\n.asciz \"-4@$7 8@%rdi\"\n994: .balign 4\n.popsection\n"
        ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
        ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n_.stapsdt.base: .space 1\n"
        ".size _.stapsdt.base,1\n.popsection\n");
    return global(3);
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probes")
    (folder / "x.c").write_text(SOURCE)
    subprocess.run(["gcc", "-O0", "-no-pie", "-o", "x", "x.c"], check=True, cwd=folder)
    return folder / "x"


def test_probes(program):
    (found,) = probes_of(ElfFile.open(program))
    shown = subprocess.run(["readelf", "-n", program], capture_output=True, text=True, check=True).stdout
    address = int(re.search(r"Location: (0x[0-9a-f]+)", shown)[1], 16)
    assert found == Probe("shop", "sold", address, ("-4@$7", "8@%rdi"))


def test_functions(program):
    ours = {(each.name, each.address) for each in functions_of(ElfFile.open(program))}
    listed = subprocess.run(["readelf", "-sW", program], capture_output=True, text=True, check=True).stdout
    theirs = {
        (words[7].partition("@")[0], int(words[1], 16))
        for words in map(str.split, listed.splitlines())
        if len(words) > 7 and words[3] == "FUNC" and words[6] != "UND"
    }
    assert ours == theirs
    assert {"twice", "global", "main"} <= {name for name, _ in ours}


def test_files_without_either(tmp_path, program):
    bare = tmp_path / "bare"
    subprocess.run(["strip", "-R", ".note.stapsdt", "-o", bare, program], check=True)
    elf = ElfFile.open(bare)
    assert not list(probes_of(elf))
    assert "main" not in {each.name for each in functions_of(elf)}

"""Frame pointers and symbols of binaries that a compiler makes."""

import os
import platform
import shutil
import subprocess

import pytest

from kprof.elf import ElfFile
from kprof.errors import TargetError, UsageError
from kprof.survey.binaries import binaries_of, binary_findings, own_libc
from kprof.survey.findings import State
from kprof.unwind.frame_pointers import share_with_frame_pointers

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
FUNCTION = (
    "int f{0}(int a) {{ int s = 0; for (int i = 0; i < a; i++) s += x(i) + x(s) * x(a); return s + {0}; }}\n"
)
SOURCE = (
    "int x(int);\n"
    + "".join(FUNCTION.format(i) for i in range(40))
    + "int x(int a) { return a; } int main() { return f1(2); }"
)


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("binaries")

    def build(name, *flags):
        (folder / "x.c").write_text(SOURCE)
        path = folder / name
        subprocess.run(
            ["gcc", "-O2", "-fno-inline", "-fno-ipa-icf", *flags, "-o", path, folder / "x.c"], check=True
        )
        return str(path)

    return build


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other machines keep them anyhow")
def test_frame_pointers(build):
    kept = build("kept", "-fno-omit-frame-pointer")
    left_out = build("left-out", "-fomit-frame-pointer")
    assert share_with_frame_pointers(ElfFile.open(kept)) > 0.9
    assert share_with_frame_pointers(ElfFile.open(left_out)) < 0.1
    assert next(binary_findings(kept)).state is State.GOOD
    found = next(binary_findings(left_out))
    assert found.state is State.LIMITED
    assert "-g dwarf" in found.mend


def test_without_call_frame_information_it_is_not_told(build):
    path = build("bare", "-fno-asynchronous-unwind-tables", "-nostartfiles", "-Wl,-emain")
    assert share_with_frame_pointers(ElfFile.open(path)) is None
    assert next(binary_findings(path)).state is State.UNKNOWN


def names(path):
    return list(binary_findings(path))[1]


def test_symbols(build):
    assert names(build("debug", "-g")).value == "debug information within it"
    plain = names(build("plain"))
    assert (plain.value, plain.state) == ("a symbol table", State.GOOD)
    stripped = names(build("stripped", "-s"))
    assert stripped.state is State.LIMITED
    assert stripped.value == "exported functions only"


def test_what_is_no_binary(tmp_path):
    with pytest.raises(UsageError, match="not an ELF file"):
        list(binary_findings(__file__))
    with pytest.raises(UsageError, match="cannot read"):
        list(binary_findings(str(tmp_path / "gone")))


def test_binaries_of_a_process():
    found = binaries_of(os.getpid())
    assert any("libc" in path or "musl" in path for path in found)
    assert own_libc() in found
    with pytest.raises(TargetError, match="there is no process"):
        binaries_of(2**22 + 1)

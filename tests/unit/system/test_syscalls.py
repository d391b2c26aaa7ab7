"""Numbers of system calls, held against the headers of this machine."""

import re
from pathlib import Path

import pytest

from kprof.system.syscalls import syscall_names

HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}


@pytest.mark.parametrize("machine", HEADERS)
def test_names_are_those_of_the_headers(machine):
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    defined = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", header.read_text(), re.MULTILINE)
    theirs = {
        int(number): name for name, number in defined if name not in {"arch_specific_syscall", "syscalls"}
    }
    ours = syscall_names(machine)
    # The generic header has one name for both widths.
    different = {
        number: name for number, name in theirs.items() if ours.get(number) not in {name, f"new{name}"}
    }
    assert not different
    assert len(set(ours.values())) == len(ours)


def test_a_machine_that_is_not_known_has_none():
    assert syscall_names("pdp11") == {}

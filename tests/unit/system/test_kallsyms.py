"""Where functions of the kernel lie."""

import pytest

from kprof.system.kallsyms import ranges_of

TEXT = b"""ffffffff81000000 T _text
ffffffff81000100 T trace_run1
ffffffff81000180 T trace_run2
ffffffff810001c0 t other
ffffffff81000200 d trace_run3
ffffffff81000300 T trace_run4_not
ffffffffc0002000 t tramp_1\t[bpf]
ffffffffc0001000 t tramp_2\t[bpf]
"""


@pytest.fixture
def kallsyms(tmp_path):
    (tmp_path / "kallsyms").write_bytes(TEXT)
    return str(tmp_path / "kallsyms")


def test_functions_that_follow_each_other_and_the_last(kallsyms):
    assert ranges_of(rb"trace_run\d", kallsyms) == [
        (0xFFFFFFFF81000100, 0xFFFFFFFF81000180),
        (0xFFFFFFFF81000180, 0xFFFFFFFF810001C0),
    ]
    assert ranges_of(rb"tramp_\w+\t\[bpf\]", kallsyms) == [
        (0xFFFFFFFFC0002000, 0xFFFFFFFFC0003000),
        (0xFFFFFFFFC0001000, 0xFFFFFFFFC0002000),
    ]


def test_hidden_addresses_are_none(tmp_path):
    (tmp_path / "kallsyms").write_bytes(b"0000000000000000 T trace_run1\n0000000000000000 T trace_run2\n")
    assert ranges_of(rb"trace_run\d", str(tmp_path / "kallsyms")) == []
    assert ranges_of(b"x", "/no/such/file") == []

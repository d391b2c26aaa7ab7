"""The stack of a process, walked here and by the unwinder of GCC."""

import pytest

from kprof.unwind import unwind

X86_64, ALL = 62, 0xFF0000 | 0x1FF
FLAGS = [
    ("-O0",),
    ("-O2",),
    ("-O2", "-fomit-frame-pointer"),
    ("-O2", "-fno-omit-frame-pointer"),
    ("-Os", "-static"),
]
HOW = ["plain", "callback", "dynamic", "deep", "signal", "thread"]


def copy_of(shown):
    return shown.packed, shown.stack, shown.maps()


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
@pytest.mark.parametrize("how", HOW)
def test_as_backtrace(capture, flags, how):
    shown = capture(how, *flags)
    frames, end = unwind(X86_64, ALL, *copy_of(shown))
    assert end == "whole"
    found = [address for address, _ in frames]
    assert found[1:] == shown.frames[1:]
    exact = [address for address, is_return in frames if not is_return]
    assert len(exact) == (2 if how == "signal" else 1)
    assert exact[0] == shown.registers[8]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_a_call_to_nowhere_is_left_for_its_caller(capture, flags):
    shown = capture("wild", *flags)
    frames, end = unwind(X86_64, ALL, *copy_of(shown))
    plain, _ = unwind(X86_64, ALL, *copy_of(capture("plain", *flags)))
    assert end == "whole"
    at = frames.index((16, False))
    assert at >= 3
    assert len(frames) - at - 1 == len(plain) - 1

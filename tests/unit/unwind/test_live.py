"""The stack of a process, walked here and by the unwinder of GCC."""

import shutil
from typing import NamedTuple

import pytest

from kprof.unwind import unwind

HOW = ["plain", "callback", "dynamic", "deep", "signal", "bare", "thread"]
EM_X86_64, EM_AARCH64 = 62, 183


class Platform(NamedTuple):
    machine: int
    mask: int
    counter: int  # which of the registers it is
    compiler: str = "gcc"
    flags: tuple = ()
    runner: tuple = ()
    is_32bit: bool = False


X86_64 = Platform(EM_X86_64, 0xFF0000 | 0x1FF, 8)
I386 = Platform(EM_X86_64, 0x1FF, 8, flags=("-m32",), is_32bit=True)
AARCH64 = Platform(
    EM_AARCH64,
    (1 << 33) - 1,
    32,
    "aarch64-linux-gnu-gcc",
    runner=("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"),
)
FLAGS = [
    ("-O0",),
    ("-O2",),
    ("-O2", "-fomit-frame-pointer"),
    ("-O2", "-fno-omit-frame-pointer"),
    ("-Os", "-static"),
]


@pytest.fixture(params=[X86_64, I386, AARCH64], ids=["x86_64", "i386", "aarch64"])
def platform(request, compiles):
    chosen = request.param
    if chosen.runner and not shutil.which(chosen.runner[0]):
        pytest.skip(f"no {chosen.runner[0]}")
    if not compiles(chosen.compiler, *chosen.flags):
        pytest.skip(f"{chosen.compiler} cannot compile for it")
    return chosen


def walk(platform, shown, **options):
    return unwind(
        platform.machine,
        platform.mask,
        shown.packed,
        shown.stack,
        shown.maps(),
        is_32bit=platform.is_32bit,
        **options,
    )


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
@pytest.mark.parametrize("how", HOW)
def test_as_backtrace(capture, platform, flags, how):
    shown = capture(how, *platform.flags, *flags, runner=platform.runner, compiler=platform.compiler)
    frames, end = walk(platform, shown)
    assert end == "whole"
    assert [address for address, _ in frames][1:] == shown.frames[1:]
    exact = [address for address, is_return in frames if not is_return]
    assert len(exact) == (2 if how in ("signal", "bare") else 1)
    assert exact[0] == shown.registers[platform.counter]


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_a_call_to_nowhere_is_left_for_its_caller(capture, platform, flags):
    options = {"runner": platform.runner, "compiler": platform.compiler}
    frames, end = walk(platform, capture("wild", *platform.flags, *flags, **options))
    plain, _ = walk(platform, capture("plain", *platform.flags, *flags, **options))
    assert end == "whole"
    at = frames.index((16, False))
    assert at >= 3
    assert len(frames) - at - 1 == len(plain) - 1

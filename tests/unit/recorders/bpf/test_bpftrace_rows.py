"""What bpftrace prints, read: keys with stacks and names of any kind, and maps that are printed twice."""

import pytest

from kprof.errors import KprofError
from kprof.recorders.bpf.bpftrace.child import translate
from kprof.recorders.bpf.bpftrace.rows import KeyForm, Stacks, rows_of
from kprof.wire import bpf_events as layout

USER = "\n\t7f01 0x7f01 ([unknown])\n\t401000 0x401000 ([unknown])\n"
KERNEL = "\n\tffffffff81000010 operator<<(int, char)+4\n"
BOTH = layout.USER | layout.KERNEL


def read(text, sides=BOTH, **how):
    stacks = Stacks()
    form = KeyForm(sides, apart=how.get("apart", False), called=how.get("called", False))
    keys, rows = rows_of([(text, [3, 7, 1_000])], 2, form, stacks, 100)
    return keys[0], rows[0], stacks.take()


@pytest.mark.parametrize("comm", ["a", "", "a,b", "two words", "new\nline", "caf\udce9"])
def test_a_row_with_both_stacks_and_any_name(comm):
    key, row, (hashes, stacks) = read(f"12,34,5,{USER},{KERNEL},{comm}")
    assert (key["tgid"], key["tid"], key["detail"], key["event"]) == (12, 34, 5, 2)
    assert key["comm"] == comm.encode("utf-8", "surrogateescape")
    assert tuple(row) == (3, 7, 900)
    assert set(hashes) == {key["user_stack"], key["kernel_stack"]}
    by_hash = dict(zip(hashes.tolist(), stacks, strict=True))
    user = by_hash[int(key["user_stack"])]
    assert user["address"][: user["length"]].tolist() == [0x7F01, 0x401000]


def test_stacks_that_are_not_there():
    key, _, (hashes, _) = read("1,1,0,,,x")
    assert key["user_stack"] == key["kernel_stack"] == layout.NO_STACK
    assert not len(hashes)
    assert read(f"1,1,0,{KERNEL},x", layout.KERNEL)[0]["user_stack"] == layout.NO_STACK


def test_a_caller_whom_frame_pointers_lead_past():
    def addresses(caller):
        _, _, (_, stacks) = read(f"1,1,0,{caller},{USER},x", layout.USER, called=True)
        return stacks[0]["address"][: stacks[0]["length"]].tolist()

    assert addresses(0x500) == [0x7F01, 0x500, 0x401000]
    assert addresses(0x401000) == addresses(0) == [0x7F01, 0x401000]


def test_times_keep_rows_apart_and_stay_out_of_the_key():
    key, _, _ = read(f"1,2,0,7,123456789,{USER},{KERNEL},x", apart=True)
    assert (key["cpu"], key["unused"], key["tid"]) == (7, 0, 2)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,x,,,y", f"1,2,3,{USER}y"])
def test_what_is_no_key(text):
    with pytest.raises(KprofError, match="not understood"):
        read(text)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("ERROR: bpftrace currently only supports running as the root user.", "needs root"),
        (
            "ERROR: couldn't set RLIMIT_MEMLOCK\nError attaching probe: 'kprobe:x'",
            "Error attaching probe: 'kprobe:x'",
        ),
        ("x.bt:1:1-2: ERROR: kfunc/kretfunc not available for your kernel version.", "no such hook"),
        ("", "it ended with 1"),
    ],
)
def test_refusals_are_told_in_a_line(said, meaning):
    error = translate(said, 1)
    assert meaning in str(error)
    assert "\n" not in str(error)
    assert "RLIMIT" not in str(error)
    assert error.help_text

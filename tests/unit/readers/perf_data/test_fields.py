"""Fields of tracepoints, on formats and recordings built by hand."""

import importlib.util
import io
import struct
from pathlib import Path

import numpy as np
import pytest

from kprof.errors import FormatError, UsageError
from kprof.readers import Source
from kprof.readers.perf_data import read_fields
from kprof.readers.perf_data.tracing_data import formats_of, head_of, long_bytes
from kprof.system.event_formats import Field, fields_of

_spec = importlib.util.spec_from_file_location("records", Path(__file__).with_name("records.py"))
r = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(r)
BASE = r.IP | r.TID | r.TIME | r.RAW
TRACEPOINT = 2
HEAD = "name: {}\nID: {}\nformat:\n"
COMMON = ("unsigned short common_type", 0, 2, 0), ("int common_pid", 4, 4, 1)


def described(*fields, name="wake", number=7):
    lines = [
        f"\tfield:{text};\toffset:{at};\tsize:{size};\tsigned:{sign};\n" for text, at, size, sign in fields
    ]
    return (
        HEAD.format(name, number) + "".join(lines) + '\nprint fmt: "\n\tfield:int no;\toffset:0;\tsize:4;"'
    ).encode()


def tracing(*formats, order="<", long=8, systems=1):
    def sized(text):
        return struct.pack(f"{order}Q", len(text)) + text

    parts = [b"\x17\x08\x44tracing0.6\0", bytes([order == ">", long]), struct.pack(f"{order}I", 4096)]
    parts += [b"header_page\0", sized(b"page"), b"header_event\0", sized(b"event")]
    parts += [struct.pack(f"{order}I", 1), sized(b"an ftrace format"), struct.pack(f"{order}I", systems)]
    parts += [b"sched\0", struct.pack(f"{order}I", len(formats)), *map(sized, formats)]
    return b"".join(parts) + struct.pack(f"{order}IIQ", 0, 0, 0)


def recorded(formats, *raw, order="<", sample_type=BASE, **event):
    """A recording as it comes from a pipe."""
    made = r.Recording(order).event(sample_type, kind=TRACEPOINT, config=7, **event)
    if formats is not None:
        data = tracing(*formats, order=order)
        made.record(66, made.ints(len(data)))
        made.parts.append(data + b"\0" * (-len(data) % 8))
    made.comm(9, b"app")
    for number, part in enumerate(raw):
        sample(made, part, number)
    return made


def sample(made, raw, time):
    padded = raw + b"\0" * (-(len(raw) + 4) % 8)
    return made.sample(9, None, after=made.words(time) + made.ints(len(padded)) + padded)


def read(made, event=None):
    data = made if isinstance(made, bytes) else made.bytes()
    return read_fields(Source(io.BytesIO(data), "made"), event)


@pytest.mark.parametrize(
    ("declared", "size", "sign", "wanted"),
    [
        ("pid_t pid", 4, 1, Field("pid", 8, 4, signed=True, width=4)),
        ("const char * name", 8, 0, Field("name", 8, 8, width=8)),
        ("char comm[16]", 16, 0, Field("comm", 8, 16, is_array=True, is_text=True)),
        ("char comm[TASK_COMM_LEN]", 16, 0, Field("comm", 8, 16, is_array=True, is_text=True)),
        ("unsigned char mac[6]", 6, 0, Field("mac", 8, 6, is_array=True)),
        ("unsigned long args[6]", 48, 0, Field("args", 8, 48, width=8, is_array=True)),
        ("u32 table[N]", 16, 0, Field("table", 8, 16, width=4, is_array=True)),
        ("u16 grid[2][3]", 12, 0, Field("grid", 8, 12, width=2, is_array=True)),
        ("struct in6_addr addr", 16, 0, Field("addr", 8, 16, is_array=True)),
        ("__data_loc char[] file", 4, 0, Field("file", 8, 4, is_array=True, is_text=True, location="data")),
        ("__rel_loc char[] file", 4, 0, Field("file", 8, 4, is_array=True, is_text=True, location="rel")),
        ("__data_loc u64[] v", 4, 0, Field("v", 8, 4, width=8, is_array=True, location="data")),
        ("__data_loc unsigned long[] v", 4, 0, Field("v", 8, 4, width=8, is_array=True, location="data")),
        ("__data_loc unsigned short[] v", 4, 0, Field("v", 8, 4, width=2, is_array=True, location="data")),
        ("__data_loc struct x[] v", 4, 0, Field("v", 8, 4, is_array=True, location="data")),
        ("int (*call)(void)", 8, 0, Field("offset_8", 8, 8, width=8)),
    ],
)  # fmt: skip
def test_declarations(declared, size, sign, wanted):
    assert fields_of(described((declared, 8, size, sign))) == (wanted,)


def test_formats_of_older_kernels_and_of_32_bit():
    text = b"name: a\nID: 1\nformat:\n\tfield special:int a;\toffset:0;\tsize:4;\n\tfield:__data_loc long[] b;\toffset:4;\tsize:4;\tsigned:1;\n"
    assert fields_of(text, 4) == (
        Field("a", 0, 4, width=4),
        Field("b", 4, 4, signed=True, width=4, is_array=True, location="data"),
    )


def test_fields_without_bytes_are_left_out_and_overlapping_ones_refused():
    assert fields_of(described(("char buf[]", 8, 0, 0))) == ()
    with pytest.raises(ValueError, match="a and b overlap"):
        fields_of(described(("int a", 0, 4, 0), ("int b", 2, 4, 0)))


def test_damaged_formats_give_what_is_whole():
    data = tracing(described(name="a", number=1), described(name="b", number=2))
    assert [head_of(text) for _, text in formats_of(data)] == [("a", 1), ("b", 2)]
    for end in range(len(data)):
        heads = [head_of(text) for _, text in formats_of(data[:end])]
        assert heads == [("a", 1), ("b", 2)][: len(heads)]
    # A count and a size that no data has.
    assert len(list(formats_of(tracing(described(), systems=2**32 - 1)))) == 1
    at = data.index(b"name: a") - 8
    assert list(formats_of(data[:at] + b"\xff" * 8 + data[at + 8 :])) == []
    assert list(formats_of(b"something else")) == []


def test_bytes_of_a_long():
    assert [long_bytes(tracing(long=n)) for n in (4, 8, 77)] == [4, 8, 8]
    assert [long_bytes(data) for data in (b"", tracing()[:12])] == [8, 8]


@pytest.mark.parametrize("order", ["<", ">"])
def test_values_in_either_byte_order(order):
    text = described(
        *COMMON, ("int a", 8, 4, 1), ("u16 b[2]", 12, 4, 0), ("char c[4]", 16, 4, 0),
        ("__data_loc char[] d", 20, 4, 0), ("__rel_loc char[] e", 24, 4, 0), ("__data_loc u32[] f", 28, 4, 0),
    )  # fmt: skip
    located = (40 | 5 << 16), (45 - 28 | 4 << 16), (49 | 8 << 16)
    fixed = struct.pack(f"{order}HxxiiHH4sIII", 7, 9, -2, 3, 65535, b"o\0zz", *located).ljust(40, b"\0")
    raw = fixed + b"name\0" + b"\xffab\0" + struct.pack(f"{order}II", 1, 2**32 - 1)
    found = read(recorded([text], raw, raw, order=order))
    assert found.event == "sched:wake"
    assert list(found.columns) == [
        "time_ns", "cpu", "pid", "tid", "comm", "a", "b", "c", "d", "e", "f", "common_type", "common_pid",
    ]  # fmt: skip
    assert found["time_ns"].tolist() == [0, 1]
    assert found["comm"] == ["app"] * 2
    assert found["cpu"].tolist() == [-1] * 2
    assert found["a"].tolist() == [-2] * 2
    assert found["a"].dtype == np.int32
    assert found["b"].tolist() == [[3, 65535]] * 2
    assert found["c"] == ["o"] * 2
    assert found["d"] == ["name"] * 2
    assert found["e"] == ["\udcffab"] * 2
    assert [v.tolist() for v in found["f"]] == [[1, 2**32 - 1]] * 2
    assert found["common_type"].dtype == np.uint16
    table = found.to_pandas()
    assert table.shape == (2, 13)
    assert table["e"].tolist() == ["\\xffab"] * 2
    assert [v.tolist() for v in table["b"]] == [[3, 65535]] * 2
    assert (len(found), found.skipped, found.lost) == (2, 0, 0)


def test_a_field_that_is_called_like_a_column():
    found = read(
        recorded([described(("int pid", 8, 4, 1), ("int field_pid", 12, 4, 1))], bytes(12) + b"\1\0\0\0")
    )
    assert found["pid"].tolist() == [9]
    assert found["field_pid"].tolist() == [0]
    assert found["field_field_pid"].tolist() == [1]


def test_samples_that_are_too_short_are_left_out_and_counted():
    text = described(("__data_loc char[] d", 8, 4, 0), ("__data_loc char[] e", 12, 4, 0))

    def raw(*words):
        return struct.pack("<QII", 0, *words) + b"texttext"

    good, empty, cut = raw(16 | 4 << 16, 20 | 4 << 16), raw(9999, 9999), raw(16 | 99 << 16, 0)
    same = raw(0 | 24 << 16, 0 | 24 << 16)  # twice what is there
    found = read(recorded([text], good, empty, cut, same, b"", bytes(4)))
    assert found["d"] == ["text", ""]
    assert found["time_ns"].tolist() == [0, 1]
    assert found.skipped == 4


def test_a_recording_without_samples_has_all_columns():
    text = described(("int a", 8, 4, 1), ("char b[4]", 12, 4, 0), ("__data_loc u8[] c", 16, 4, 0))
    found = read(recorded([text]))
    assert {len(column) for column in found.columns.values()} == {0}
    assert found.to_pandas().shape == (0, 8)


def test_sizes_that_no_sample_has_take_no_memory():
    found = read(recorded([described(("char a[999999999]", 0, 999_999_999, 0))], bytes(20)))
    assert (len(found), found.skipped) == (0, 1)


def test_a_file_has_formats_in_a_section():
    made = recorded(None, bytes(8) + b"\5\0\0\0")
    found = read(made.file(f1=tracing(described(("int a", 8, 4, 1)))))
    assert found["a"].tolist() == [5]


def test_which_tracepoint():
    made = recorded(
        [described(number=7), described(name="sleep", number=8)], ids=[1], sample_type=BASE | r.IDENTIFIER
    )
    made.event(BASE | r.IDENTIFIER, [2], kind=TRACEPOINT, config=8)
    for number in (1, 2, 2):
        made.sample(9, None, before=[number], after=made.words(number) + made.ints(4, 0))
    assert len(read(made, "sched:sleep")) == 2
    assert len(read(made, "sched:wake")) == 1
    with pytest.raises(UsageError, match="2 tracepoints") as caught:
        read(made)
    assert caught.value.help_text == "name one of sched:sleep, sched:wake"
    with pytest.raises(UsageError, match="no tracepoint sched:nap"):
        read(made, "sched:nap")


def test_what_has_no_fields():
    with pytest.raises(UsageError, match="holds no tracepoints"):
        read(r.Recording().event(r.IP))
    with pytest.raises(FormatError, match="lacks the format of tracepoint 7"):
        read(recorded(None, bytes(12)))
    with pytest.raises(FormatError, match="overlap"):
        read(recorded([described(("int a", 0, 4, 0), ("int b", 2, 4, 0))], bytes(12)))
    with pytest.raises(FormatError, match="is not perf"):
        read(b"main;f 3\n")

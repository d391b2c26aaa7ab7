"""The language of filters, their tables, and values as they are shown."""

import errno
import socket
from fnmatch import fnmatchcase

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprof.errors import UsageError
from kprof.recorders.trace import names
from kprof.recorders.trace.compile import Table
from kprof.recorders.trace.evaluate import passes
from kprof.recorders.trace.events import Program, TracedEvent
from kprof.recorders.trace.fields import Field, Place, cast
from kprof.recorders.trace.filters import Comparison, Joined, Not, parse
from kprof.recorders.trace.members import find_field
from kprof.recorders.trace.tracepoints import symbols_of
from kprof.recorders.trace.values import value_of
from kprof.wire import trace_events as wire

TEXT = Place(kind=wire.IS_TEXT)
EVENT = TracedEvent(
    "test", "trace", [Program("tracepoint")],
    {
        "ret": Field("ret", Place(flags=wire.SIGNED), "errno"),
        "size": Field("size", Place(offset=8)),
        "name": Field("name", TEXT, "text"),
        "words": Field("words", Place(kind=wire.IS_WORDS), "words"),
        "sig": Field("sig", Place(offset=16, size=4), "signal", names.SIGNALS),
        "flags": Field("flags", Place(offset=24), "open flags", names.OPEN_FLAGS),
        "addr": Field("addr", Place(kind=wire.IS_BYTES, size=16), "ip"),
    },
    ("ret",), has_duration=True,
)  # fmt: skip


def meets(text, **raw):
    table = Table(EVENT, lambda event, name: find_field(event, name, None))
    table.limit(parse(text), text)
    slots = [None] * wire.MAX_FIELDS
    for name, number in table.numbers.items():
        slots[number] = raw.get(name)
    return passes(table.build(), slots)


def plain(condition):
    if isinstance(condition, Comparison):
        return f"{condition.field}{condition.operator}{condition.value}"
    if isinstance(condition, Not):
        return f"!{plain(condition.inner)}"
    assert isinstance(condition, Joined)
    return f"({plain(condition.left)} {condition.operator} {plain(condition.right)})"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("a == 1", "a==1"),
        ("a", "a"),
        ("a == 1 || b != 2 && c < 3", "(a==1 || (b!=2 && c<3))"),
        ("(a == 1 || b) && !c", "((a==1 || b) && !c)"),
        ("a&&b||c", "((a && b) || c)"),
        ("flags & O_CREAT && x", "(flags&O_CREAT && x)"),
        ("comm ~ 'py*' && p->mm.x:hex >= 0x10", "(comm~py* && p->mm.x:hex>=0x10)"),
        ('a == "b \\"c\\" && d"', 'a==b "c" && d'),
        ("daddr == ::1 && dport==443", "(daddr==::1 && dport==443)"),
        ("ret == -ENOENT", "ret==-ENOENT"),
        ("a = 1 && b =~ x*", "(a==1 && b~x*)"),
    ],
)
def test_how_filters_are_read(text, means):
    assert plain(parse(text)) == means


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a ==", 5),
        ("", 1),
        ("a == 1 b", 8),
        ("(a", 3),
        ("a == 'b", 6),
        ("&& a", 1),
        ("a == 1)", 7),
        ("1 == a", 1),
    ],
)
def test_errors_point_at_their_place(text, column):
    with pytest.raises(UsageError, match=f"column {column},"):
        parse(text)


def test_comparisons_mean_what_they_say():
    low = -5 & (1 << 64) - 1
    assert meets("ret < 0", ret=low)
    assert not meets("size < 10", size=low)
    assert meets("ret == -ENOENT", ret=-errno.ENOENT & (1 << 64) - 1)
    assert meets("sig == SIGKILL && sig == KILL && sig == 9", sig=9)
    assert meets("flags & O_CREAT && !(flags & O_EXCL)", flags=0o100)
    assert meets("name == 'a b' && name ~ 'a*' && name !~ '?'", name=b"a b\0")
    assert not meets("name == 'a*'", name=b"abc\0")
    assert not meets("name == 'sh '", name=b"sh".ljust(16, b"\0"))
    assert not meets("name != 'a'", name=None)
    assert meets("words == 'ls -l' && words ~ '*-l'", words=b"ls\0-l\0")
    assert meets("addr == 1.2.3.4", addr=bytes(10) + b"\xff\xff\1\2\3\4")
    assert meets("duration > 1.5ms", duration=1_500_001)
    assert not meets("duration > 1.5ms", duration=1_500_000)


def test_a_filter_that_is_too_long_says_so():
    with pytest.raises(UsageError, match="too long"):
        meets(" && ".join(["size == 1"] * 20))
    with pytest.raises(UsageError, match="too many texts"):
        meets(" || ".join(f"name == a{i}" for i in range(9)))


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_are_those_of_shells(pattern, text):
    quoted = f"name ~ '{pattern}'"
    assert meets(quoted, name=text.encode() + b"\0") == fnmatchcase(text, pattern)


def test_values_are_shown_by_their_names():
    def shown(form, raw, names=(), **place):
        return value_of(Field("x", Place(**place), form, dict(names)), raw)

    assert shown("number", (1 << 64) - 2, flags=wire.SIGNED) == -2
    assert shown("number", (1 << 64) - 2) == (1 << 64) - 2
    assert shown("text", b"ab\0cd") == "ab"
    assert shown("text", b"\xff\0") == "\ufffd"
    assert shown("path", b"bin\0usr\0") == "/usr/bin"
    assert shown("path", b"") == "/"
    assert shown("ip", bytes([127, 0, 0, 1])) == "127.0.0.1"
    assert shown("ip", bytes(15) + b"\1") == "::1"
    assert shown("sockaddr", b"\2\0\0\x50\1\2\3\4" + bytes(8)) == "1.2.3.4:80"
    assert shown("sockaddr", bytes([socket.AF_UNIX, 0]) + b"/run/x\0") == "/run/x"
    assert shown("sockaddr", bytes([socket.AF_UNIX, 0]) + b"\0bus\0") == "@bus"
    assert shown("open flags", 0o2101, names.OPEN_FLAGS) in {
        "O_WRONLY|O_CREAT|O_APPEND",
        "O_WRONLY|O_APPEND|O_CREAT",
    }
    assert shown("flags", 5, {1: "a", 2: "b"}) == "a|0x4"
    assert shown("symbol", 7, {1: "a"}) == 7
    assert shown("device", 254 << 20 | 3) == "254:3"
    assert shown("signal", 0) is None
    assert value_of(Field("x", TEXT, "text"), None) is None


def test_names_in_formats_of_tracepoints():
    text = (
        b'print fmt: "a=%s b=%s", __print_symbolic(REC->a, { 2, "TWO" }, { -1, "NONE" }),'
        b' __print_flags(REC->b, "|", { 0x1, "X" }, { (unsigned long)(2), "Y" }, { 4UL, "Z" })'
    )
    assert symbols_of(text) == {
        "a": ("symbol", {2: "TWO", -1: "NONE"}),
        "b": ("flags", {1: "X", 2: "Y", 4: "Z"}),
    }


def test_a_pointer_can_be_what_it_points_to():
    pointer = Field("arg0", Place(offset=112), "hex")
    text = cast(pointer, "str")
    assert (text.place.kind, text.place.steps, text.form) == (wire.IS_TEXT, (0,), "text")
    assert cast(pointer, "u16").place.size == 2
    with pytest.raises(UsageError, match="no such form"):
        cast(pointer, "float")


def test_tables_are_as_wide_as_the_wire():
    assert np.zeros(1, wire.TRACE)["field"].shape == (1, wire.MAX_FIELDS)

"""Stack lines: names, modules, kinds."""

import pytest

from kprof._native._text import TextReader, short_name
from kprof.model import Kind


def frames(*lines, **options):
    text = b"a 1/1 [0] 1.000000: 1 c:\n" + b"".join(line + b"\n" for line in lines) + b"\n"
    reader = TextReader(**options)
    reader.room(len(text))[:] = text
    reader.commit(len(text), last=True)
    t = reader.tables()
    return [
        (t["names"][f["name"]], t["modules"][f["module"]] if f["module"] >= 0 else b"", Kind(int(f["kind"])))
        for f in t["frames"]
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"\t 55d0 main+0x1f (/usr/bin/app)", (b"main", b"/usr/bin/app", Kind.USER)),
        (b"\t 55d0 main+0x1f (/usr/bin/app (deleted))", (b"main", b"/usr/bin/app (deleted)", Kind.USER)),
        (b"\t 55d0 main (/my dir (1)/an app)", (b"main", b"/my dir (1)/an app", Kind.USER)),
        (b"\t 55d0 main (/odd)path)", (b"main", b"/odd)path", Kind.USER)),
        (b"\t 55d0 [unknown] ([unknown])", (b"[unknown]", b"", Kind.UNKNOWN)),
        (b"\t 55d0 [unknown] (/lib/libc.so.6)", (b"[unknown]", b"/lib/libc.so.6", Kind.USER)),
        (b"\t 55d0  (/lib/libc.so.6)", (b"[unknown]", b"/lib/libc.so.6", Kind.USER)),
        (b"\tffffffff81 do_syscall_64+0x1 ([kernel.kallsyms])", (b"do_syscall_64", b"[kernel.kallsyms]", Kind.KERNEL)),
        (b"\tffffffff81 tcp ([nf_conntrack])", (b"tcp", b"[nf_conntrack]", Kind.MODULE)),
        (b"\tffffffff81 xfs (/lib/modules/6.1/xfs.ko.xz)", (b"xfs", b"/lib/modules/6.1/xfs.ko.xz", Kind.MODULE)),
        (b"\t7ffc clock_gettime ([vdso])", (b"clock_gettime", b"[vdso]", Kind.VDSO)),
        (b"\t7f LazyCompile:~f (x) /a.js:1:2 (/tmp/perf-12.map)",
         (b"LazyCompile:~f (x) /a.js:1:2", b"/tmp/perf-12.map", Kind.JIT)),
        (b"\t7f py::f:/a.py (/tmp/perf-12.map)", (b"py::f:/a.py", b"/tmp/perf-12.map", Kind.PYTHON)),
        (b"\t55 std::sort<int*>(int*, int*) (inlined)", (b"std::sort<int*>", b"", Kind.INLINED)),
        (b"\t55 a::operator->() const+0x3 (/a)", (b"a::operator->", b"/a", Kind.USER)),
        (b"\t55 <fn() -> u8 as core::ops::Fn>::call (/a)", (b"<fn() -> u8 as core::ops::Fn>::call", b"/a", Kind.USER)),
        (b"\t7f RegExp:^ ([a-z]+) x (/tmp/perf-12.map)", (b"RegExp:^ ([a-z]+) x", b"/tmp/perf-12.map", Kind.JIT)),
        (b"\t7f RegExp:x (/b|c)d+0x3 (/tmp/perf-12.map)", (b"RegExp:x (/b|c)d", b"/tmp/perf-12.map", Kind.JIT)),
        (b"\t7f f+0x1 (/tmp/x ([y)/z)", (b"f", b"/tmp/x ([y)/z", Kind.USER)),
        (b"\t7f [unknown] (/tmp/x (/y)/z)", (b"[unknown]", b"/tmp/x (/y)/z", Kind.USER)),
        (b"\t7f f (memfd:a (deleted))", (b"f", b"memfd:a (deleted)", Kind.USER)),
        (b"\t7f f (memfd:a(b)", (b"f", b"memfd:a(b", Kind.USER)),
        (b"\t55 (anonymous namespace)::work(int)", (b"(anonymous namespace)::work", b"", Kind.USER)),
        (b"\t55 std::function<void (int)>::operator()(int)", (b"std::function<void (int)>::operator()", b"", Kind.USER)),
        (b"\t55 )", (b")", b"", Kind.USER)),
        (b"\t      4005", (b"[unknown]", b"", Kind.UNKNOWN)),
        (b"    55 main (/usr/bin/app)", (b"main", b"/usr/bin/app", Kind.USER)),
        (b"\t55 main (/usr/bin/app)  ", (b"main", b"/usr/bin/app", Kind.USER)),
    ],
)  # fmt: skip
def test_stack_line(line, expected):
    assert frames(line) == [expected]


def test_jit_maps_unfold_inlined_java():
    got = frames(b"\t7f LA;.outer(I)V->LB;.inner()I (/tmp/perf-9.map)")
    assert [(n, k) for n, _, k in got] == [(b"LB;.inner", Kind.INLINED), (b"LA;.outer", Kind.JIT)]


def test_source_lines_belong_to_the_frame_above():
    reader = TextReader()
    text = b"a 1/1 [0] 1.000000: 1 c:\n\t55 f (/a)\n  dir/a.c:12\n\t56 g (/a)\n  a[56]\n\n"
    reader.room(len(text))[:] = text
    reader.commit(len(text), last=True)
    tables = reader.tables()
    assert tables["sources"] == [b"dir/a.c:12"]
    assert tables["counts"]["skipped_lines"] == 0


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("main", "main"),
        ("f(int, char const*)", "f"),
        ("ns::(anonymous namespace)::f(int)", "ns::(anonymous namespace)::f"),
        ("a::operator()(int) const", "a::operator()"),
        ("a::operator->() const", "a::operator->"),
        ("a::operator<<(b&)", "a::operator<<"),
        ("bool operator< <char>(x, y)", "bool operator< <char>"),
        ("std::function<void (int)>::operator()(int) const", "std::function<void (int)>::operator()"),
        ("f(int)::{lambda(int)#1}::operator()(int) const", "f::{lambda(int)#1}::operator()"),
        ("void f<int (*)(char)>(int) [clone .isra.0]", "void f<int (*)(char)> [clone .isra.0]"),
        ("net/http.(*Client).Do", "net/http.(*Client).Do"),
        ("<T as Into<fn(u8) -> u16>>::into", "<T as Into<fn(u8) -> u16>>::into"),
        ("my_operator(int)", "my_operator"),
        ("Lorg/x/A;.run([BI)[B", "Lorg/x/A;.run"),
        ("cut off(int, ch", "cut off"),
        ("", ""),
        ("(", "("),
        ("RegExp:[&<>\"']", "RegExp:[&<>\"']"),
        ("RegExp:a(b|c) (d)", "RegExp:a(b|c) (d)"),
        ("py::f:/a(b)/c.py", "py::f:/a(b)/c.py"),
    ],
)
def test_short_name(name, short):
    assert short_name(name.encode()) == short.encode()


def test_full_names_on_request():
    assert frames(b"\t55 f(int) (/a)", keep_arguments=True)[0][0] == b"f(int)"


def test_lines_without_a_module():
    assert frames(b"\t      55d0 main+0x1f", b"\t 6 [unknown]") == [
        (b"main", b"", Kind.USER),
        (b"[unknown]", b"", Kind.UNKNOWN),
    ]


def test_inlined_frames_of_texts_with_source_lines():
    text = b"a 1/1 [0] 1.000000: 1 c:\n\t55 g+0x1\n  d/a.h:61 (inlined)\n\t55 f (/a)\n  a.c:12\n\n"
    reader = TextReader()
    reader.room(len(text))[:] = text
    reader.commit(len(text), last=True)
    tables = reader.tables()
    assert tables["counts"]["skipped_lines"] == 0
    stacks = {(tables["names"][f["name"]], Kind(int(f["kind"]))) for f in tables["frames"][tables["leaf"]]}
    assert stacks == {(b"g", Kind.INLINED), (b"f", Kind.USER)}

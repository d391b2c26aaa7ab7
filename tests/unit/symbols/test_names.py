"""Demangling, against names that c++filt and rustc-demangle agree on."""

import shutil
import subprocess

import pytest

from kprof._native._symbols import CPP, NOT_MANGLED, RUST, demangle
from kprof.model import Kind
from kprof.readers.names import kind_of_name
from kprof.symbols import languages
from kprof.symbols.names import Namer
from kprof.symbols.runtimes import runtime_name
from kprof.symbols.templates import collapsed

CASES = {
    "main": "main",
    "foo.constprop.0": "foo.constprop.0",
    "memcpy@@GLIBC_2.14": "memcpy@@GLIBC_2.14",
    "_ZN3app1W3runEi": "app::W::run",
    "_ZNK3app1W3runEi": "app::W::run",
    "_ZN3app3mixIlEET_S1_S1_": "app::mix<long>",
    "_ZN3app3mixIlEET_S1_S1_.part.0": "app::mix<long>",
    "_ZZNK3app1W3runEiENKUliE_clEi": "app::W::run::{lambda(int)#1}::operator()",
    "_ZN12_GLOBAL__N_11fEv": "(anonymous namespace)::f",
    "_ZNK1AcvmEv": "A::operator unsigned long",
    "_ZN1AnwEm": "A::operator new",
    "_ZlsRSoRK1A": "operator<<",
    "_ZltIiEbRK1AIT_ES4_": "operator< <int>",
    "_ZThn16_N1A1fEv": "non-virtual thunk to A::f",
    "_ZGVZ4mainE1x": "guard variable for main::x",
    "_ZNKSt8functionIFiiEEclEi": "std::function<int (int)>::operator()",
    "_Znwm@plt": "operator new@plt",
    "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE": "core::fmt::Formatter::write_str",
    "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE.llvm.7":
        "<alloc::string::String as core::fmt::Debug>::fmt",
    "_RNvC6_123foo3bar": "123foo::bar",
    "_RINvNtC3std3mem8align_ofNtNtC3std3mem12DiscriminantE": "std::mem::align_of::<std::mem::Discriminant>",
    "_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_": "cc::spawn::{closure#0}::{closure#0}",
    "_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate": "<std::path::PathBuf>::new",
    "_RNvXsZ_NtC4core3fmtINtNtC3std3vec3VecpENtB5_5Debug3fmt": None,
    "_RNvC1au6na_Bka": None,
    "_R": "_R",
    "_Z": "_Z",
    "_ZN": "_ZN",
    "": "",
}  # fmt: skip


@pytest.mark.parametrize("raw", [raw for raw, name in CASES.items() if name is not None])
def test_names(raw):
    assert Namer()(raw.encode()) == CASES[raw]


def test_full_names():
    namer = Namer("full")
    assert namer(b"_ZN3app3mixIlEET_S1_S1_") == "long app::mix<long>(long, long)"
    assert namer(b"_ZNK3app1W3runEi") == "app::W::run(int) const"


AS_PERF = {
    "main": "main",
    "_ZNK3app1W3runEi": "app::W::run",
    "_ZN3app3mixIlEET_S1_S1_.part.0": "app::mix<long>",
    "_ZZNK3app1W3runEiENKUliE_clEi": "app::W::run(int) const::{lambda(int)#1}::operator()",
    "_ZZNKR3app1W3runEiE1x": "app::W::run(int) const &::x",
    "_ZThn16_N1A1fEi": "non-virtual thunk to A::f(int)",
    "_ZNK1AclEv": "A::operator()",
    "_ZN12_GLOBAL__N_11fEPFivE": "(anonymous namespace)::f",
    "_ZNKSt8functionIFiiEEclEi": "std::function<int (int)>::operator()",
}  # fmt: skip


@pytest.mark.parametrize("raw", AS_PERF)
def test_names_as_perf_writes_them(raw):
    assert Namer(as_perf=True)(raw.encode()) == AS_PERF[raw]


OTHERS = {
    "camlStdlib__List__map_12": ("Stdlib.List.map", "Stdlib.List.map_12"),
    "camlStdlib__List.map_410": ("Stdlib.List.map", "Stdlib.List.map_410"),
    "camlT__$2b$25_83": ("T.+%", "T.+%_83"),
    "camlT__fun_166": ("T.fun_166", "T.fun_166"),
    "caml_main": ("caml_main", "caml_main"),
    "_D3app4work1C3runMFiAyaZi": ("app.work.C.run", "app.work.C.run(int, immutable(char)[])"),
    "$s4main1CC3runyS2iF": ("C.run(_:)", "main.C.run(Swift.Int) -> Swift.Int"),
    "_DYNAMIC": ("_DYNAMIC", "_DYNAMIC"),
}  # fmt: skip


@pytest.mark.parametrize("raw", OTHERS)
def test_other_languages(raw):
    assert (Namer()(raw.encode()), Namer("full")(raw.encode())) == OTHERS[raw]
    assert Namer("raw")(raw.encode()) == raw


def test_names_of_d_and_swift_stay_without_the_library(monkeypatch):
    monkeypatch.setattr(languages, "_demangler", lambda: None)
    namer = Namer()
    assert namer(b"_D3app4work1C3runMFiAyaZi") == "_D3app4work1C3runMFiAyaZi"
    assert namer(b"main") == "main"
    assert namer.mangled == 1


def test_raw_names_are_those_of_the_symbol_table():
    for raw in CASES:
        assert Namer("raw")(raw.encode()) == raw


SHORT = {
    "std::vector<int, std::allocator<int> >::push_back": "std::vector<…>::push_back",
    "operator< <int>": "operator< <…>",
    "A<(E)1>::operator<=><B<C>>": "A<…>::operator<=><…>",
    "A::operator->": "A::operator->",
    "my_operator<int>": "my_operator<…>",
    "std::function<int (int)>::operator()": "std::function<…>::operator()",
    "app::W::run(int)::{lambda(int)#1}::operator()": "app::W::run::{lambda(int)#1}::operator()",
    "<alloc::vec::Vec<T> as core::iter::FromIterator<T>>::from_iter":
        "<alloc::vec::Vec<…> as core::iter::FromIterator<…>>::from_iter",
    "std::mem::align_of::<std::mem::D<u8>>": "std::mem::align_of::<…>",
    "foo::<impl Bar<T> for Baz>::f": "foo::<impl Bar<…> for Baz>::f",
    "app.work.V!(int).V.twice!().twice": "app.work.V!(…).V.twice!(…).twice",
    "net.(*conn).Read": "net.(*conn).Read",
    "a<b": "a<b",
    "clock_gettime@@GLIBC_2.17": "clock_gettime",
    "malloc@plt": "malloc@plt",
}  # fmt: skip


@pytest.mark.parametrize("name", SHORT)
def test_short_names(name):
    assert collapsed(name) == SHORT[name]
    assert collapsed(SHORT[name]) == SHORT[name]


RUNTIMES = {
    "py::Job.run:/usr/lib/python3.12/json/decoder.py": (Kind.PYTHON, "Job.run (json/decoder.py)"),
    "py::<module>:/home/me/work.py": (Kind.PYTHON, "<module> (work.py)"),
    "py::f:<string>": (Kind.PYTHON, "f (<string>)"),
    "JS:*round /app/busy.js:16:15": (Kind.JS, "round busy.js:16:15"),
    "JS:~round /app/busy.js:16:15": (Kind.JS, "round busy.js:16:15"),
    "LazyCompile:~ node:internal/fs:1:1": (Kind.JS, "(anonymous) node:internal/fs:1:1"),
    "LazyCompile:*go /c.js:3": (Kind.JS, "go c.js:3"),
    "Eval:~ /app/a b.js:1:1": (Kind.JS, "(anonymous) a b.js:1:1"),
    "Builtin:ArrayMap": (Kind.JS, "Builtin:ArrayMap"),
    "Lcom/example/Job$Inner;::run": (Kind.JAVA, "com.example.Job$Inner.run"),
    "LSpin;.mix(I)V": (Kind.JAVA, "Spin.mix"),
    "void com.example.Job.run(int, java.lang.String)": (Kind.JAVA, "com.example.Job.run"),
    "long Spin$In.mix": (Kind.JAVA, "Spin$In.mix"),
    "java.lang.Object A$$Lambda$14/0x0000000800c03000.apply(java.lang.Object)":
        (Kind.JAVA, "A$$Lambda$14.apply"),
    "I2C/C2I adapters": (Kind.JIT, "I2C/C2I adapters"),
    "StubRoutines (1)": (Kind.JIT, "StubRoutines (1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNTIMES)
def test_names_that_runtimes_write(name):
    kind, readable = RUNTIMES[name]
    assert runtime_name(name) == (kind, readable)
    if kind in (Kind.PYTHON, Kind.JS) and " " in readable:
        # Folded text has nothing else to tell the kind by.
        assert kind_of_name(readable) == kind


def test_punycode():
    assert demangle(b"_RNvC1au8gdel_5qa")[0].decode() == "a::gödel"


def test_bytes_that_are_no_text_are_kept():
    assert Namer()(b"f\xff").encode("utf-8", "surrogateescape") == b"f\xff"


def test_a_name_that_grows_without_end_stays_as_it_is():
    # Every level holds the one before it twice.
    levels = "".join(f"S{i}_S{i}_E" if i >= 0 else "S_S_E" for i in range(-1, 9))
    bomb = b"_Z1f" + b"1aI" * 400 + b"i" + b"E" * 400
    demangle(bomb)
    demangle(b"_Z1f" + b"1pI" * 10 + b"ii" + levels.encode())
    deep = b"_RNvC1aINtB1_1bE" + b"TB_B_E" * 200
    assert demangle(deep)[1] == NOT_MANGLED
    doubling = "_RIC1aTuuE" + "".join(f"TB{chr(97 + i)}_B{chr(97 + i)}_E" for i in range(20)) + "E"
    assert len(demangle(doubling.encode())[0]) < 1 << 17


def test_languages():
    assert demangle(b"_ZN1a1bEv")[1] == CPP
    assert demangle(b"_ZN1a1b17h0123456789abcdefE")[1] == RUST
    assert demangle(b"$s4main3fooyyF")[1] == NOT_MANGLED


@pytest.mark.slow
def test_as_cxxfilt_says():
    """All C++ names of the C++ runtime itself."""
    if shutil.which("c++filt") is None:
        pytest.skip("binutils are not installed")
    library = subprocess.run(
        ["gcc", "-print-file-name=libstdc++.so.6"], capture_output=True, text=True, check=True
    ).stdout.strip()
    table = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, check=True).stdout
    names = sorted({line.split()[-1].partition(b"@")[0] for line in table.splitlines()})
    names = [name for name in names if name.startswith(b"_Z")]
    told = subprocess.run(["c++filt"], input=b"\n".join(names), capture_output=True, check=True).stdout
    wrong = [
        name
        for name, want in zip(names, told.split(b"\n"), strict=True)
        if demangle(name)[1] != CPP and want != name
    ]
    assert not wrong
    namer = Namer(as_perf=True)
    told = subprocess.run(["c++filt", "-p", "-i"], input=b"\n".join(names), capture_output=True, check=True)
    pairs = zip(names, told.stdout.split(b"\n"), strict=True)
    assert not [name for name, want in pairs if namer(name).encode() != want]

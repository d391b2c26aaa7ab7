"""What the name of a function tells about where its code comes from, in formats that have names alone."""

import re

from kprof.model import Kind

# Of async-profiler, of stackcollapse-perf.pl --all, and of gProfiler.
_MARKS = {
    "k": Kind.KERNEL, "j": Kind.JIT, "i": Kind.INLINED, "0": Kind.JAVA, "1": Kind.JAVA, "p": Kind.PYTHON,
    "pe": Kind.PYTHON, "pn": Kind.USER, "php": Kind.JIT, "rb": Kind.JIT, "net": Kind.JIT,
}  # fmt: skip
_MARK = re.compile(r"_\[(\w{1,3})\](?:_\[s\])?$")
_STARTS = (
    ("[", Kind.UNKNOWN),
    ("py::", Kind.PYTHON),
    ("JS:", Kind.JS),
    ("LazyCompile:", Kind.JS),
    ("Builtin:", Kind.JS),
    ("BytecodeHandler:", Kind.JS),
    ("Interpreter:", Kind.JIT),
)
# `work (jobs.py)` and `round busy.js:16:15`, as kprof writes them.
_PYTHON = re.compile(r".* \(([^\s()]*\.pyx?|<[^()]+>)\)")
_JS = re.compile(r".* (\S+\.[cm]?[jt]sx?|node:\S+?)(:\d+){1,2}")
# `java/lang/Thread.run`, as async-profiler and perf-map-agent write methods of Java.
_JAVA = re.compile(r"(?:[a-z_][\w$]*/)+[A-Z_$][\w$/.+]*\.[\w$<>]+$")
# `java.lang.Thread.run`: elsewhere, dots are those of D, OCaml or Python as well.
_JDK = re.compile(r"(?:java|javax|jdk|sun|com|org|io|net)\.(?:[\w$]+\.)*[A-Z][\w$]*\.[\w$<>]+$")
# Where the kernel is entered; what stands above is kernel code. Names of x86-64, i386 and arm64.
_KERNEL_ENTRY = re.compile(
    r"entry_(SYSCALL|INT80|SYSENTER)|asm_(sysvec|exc|common|load)|do_syscall_64$|ret_from_fork|"
    r"secondary_startup_64|common_startup_64|x86_64_start|el[01][th]?_|el[01]_(sync|irq|svc)|__switch_to_asm$"
)


def kind_of_name(name: str) -> Kind:
    """Return the kind that the field's marks or the shape of a name tell; `USER` if nothing does."""
    found = _MARK.search(name)
    if found and found[1] in _MARKS:
        return _MARKS[found[1]]
    for start, kind in _STARTS:
        if name.startswith(start):
            return kind
    if name.endswith(")"):
        return Kind.PYTHON if _PYTHON.fullmatch(name) else Kind.USER
    if name[-1:].isdigit() and _JS.fullmatch(name):
        return Kind.JS
    return Kind.JAVA if _JAVA.match(name) or _JDK.match(name) else Kind.USER


def enters_kernel(name: str) -> bool:
    """Say whether a function is where the kernel is entered."""
    return _KERNEL_ENTRY.match(name) is not None

"""Names as people write them."""

from kprof._native._symbols import CPP, demangle, without_return_type
from kprof._native._text import short_name

# Of these, what stands before the name ("vtable for") is not a return type.
_SPECIAL = (b"_ZT", b"_ZG")
_PYTHON = b"py::"
_QUALIFIERS = (b" const", b" volatile", b" &&", b" &")


class Namer:
    """Makes names readable, each once.

    Args:
        full: Keep the argument lists of C++ functions, and the return types of templates.
        as_perf: Keep those that stand within a name, as in "f(int)::{lambda()#1}::operator()".
    """

    def __init__(self, *, full: bool = False, as_perf: bool = False) -> None:
        self._full = full
        self._as_perf = as_perf
        self._known: dict[bytes, str] = {}

    def __call__(self, raw: bytes) -> str:
        """Return the readable form of a name as it stands in a symbol table."""
        name = self._known.get(raw)
        if name is None:
            name = self._known[raw] = self._make(raw).decode("utf-8", "surrogateescape")
        return name

    def _make(self, raw: bytes) -> bytes:
        # GNU ld writes "name@VERSION" into some symbol tables; "name@plt" is ours.
        plain, at, version = raw.partition(b"@")
        name, language = demangle(plain)
        if language == CPP and not self._full:
            name = self._short(name, is_special=plain.startswith(_SPECIAL))
        return name + at + version

    def _short(self, name: bytes, *, is_special: bool) -> bytes:
        if self._as_perf:
            return name if is_special else without_return_type(_without_last_arguments(name))
        name = short_name(name) or name
        return name if is_special else without_return_type(name) or name


def _without_last_arguments(name: bytes) -> bytes:
    """Return "f(int)::g" of "f(int)::g(char) const"."""
    start = name
    while end := next((one for one in _QUALIFIERS if start.endswith(one)), b""):
        start = start.removesuffix(end)
    if not start.endswith(b")"):
        return name
    depth = 0
    for at in range(len(start) - 1, 0, -1):
        depth += (start[at] == ord(")")) - (start[at] == ord("("))
        if not depth:
            return start[:at]
    return name


def is_python(raw: bytes) -> bool:
    """Say whether Python wrote this entry of a perf map (`-X perf`, Python 3.12 and later)."""
    return raw.startswith(_PYTHON)

"""Names as people write them."""

from kprof._native._symbols import CPP, NOT_MANGLED, demangle, without_return_type
from kprof._native._text import short_name
from kprof.symbols.languages import needs_library, ocaml, other_language

# Of these, what stands before the name ("vtable for") is not a return type.
_SPECIAL = (b"_ZT", b"_ZG")
_QUALIFIERS = (b" const", b" volatile", b" &&", b" &")


class Namer:
    """Makes names readable, each once.

    Args:
        form: `raw` leaves them as they are. `full` keeps the argument lists of C++ functions, and the return
            types of templates; any other form does not.
        as_perf: Keep those that stand within a name, as in "f(int)::{lambda()#1}::operator()".

    Attributes:
        mangled: How many names stayed mangled for want of the library that knows them.
    """

    def __init__(self, form: str = "plain", *, as_perf: bool = False) -> None:
        self._full = form == "full"
        self._raw = form == "raw"
        self._as_perf = as_perf
        self._known: dict[bytes, str] = {}
        self.mangled = 0

    def __call__(self, raw: bytes) -> str:
        """Return the readable form of a name as it stands in a symbol table."""
        name = self._known.get(raw)
        if name is None:
            made = raw if self._raw else self._make(raw)
            name = self._known[raw] = made.decode("utf-8", "surrogateescape")
        return name

    def _make(self, raw: bytes) -> bytes:
        # GNU ld writes "name@VERSION" into some symbol tables; "name@plt" is ours.
        plain, at, version = raw.partition(b"@")
        name, language = demangle(plain)
        if language == NOT_MANGLED:
            # perf knows OCaml, and keeps its numbers.
            name = ocaml(plain, full=True) if self._as_perf else other_language(plain, full=self._full)
            self.mangled += name == plain and needs_library(plain)
        elif language == CPP and not self._full:
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

"""Names as people write them."""

from kprof._native._symbols import CPP, demangle, without_return_type
from kprof._native._text import short_name

# Of these, what stands before the name ("vtable for") is not a return type.
_SPECIAL = (b"_ZT", b"_ZG")
_PYTHON = b"py::"


class Namer:
    """Makes names readable, each once.

    Args:
        full: Keep the argument lists of C++ functions, and the return types of templates.
    """

    def __init__(self, *, full: bool = False) -> None:
        self._full = full
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
            name = short_name(name) or name
            if not plain.startswith(_SPECIAL):
                name = without_return_type(name) or name
        return name + at + version


def is_python(raw: bytes) -> bool:
    """Say whether Python wrote this entry of a perf map (`-X perf`, Python 3.12 and later)."""
    return raw.startswith(_PYTHON)

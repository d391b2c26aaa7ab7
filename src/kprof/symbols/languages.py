"""Mangled names of languages that the native code does not know: OCaml, D and Swift.

OCaml's scheme is in its `asmcomp/compilenv.ml` and `asmcomp/emitaux.ml`. D and Swift are demangled by the
library `multi-demangle`, if it is installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

_OCAML = re.compile(r"caml([A-Z]\w*(?:__|\.)\D.*)", re.ASCII)
_OCAML_ESCAPE = re.compile(r"\$([0-9a-f]{2})")
_OCAML_STAMP = re.compile(r"_\d+(?:_\d+)?$")
# Functions without a name, which only their number tells apart.
_OCAML_NO_NAME = re.compile(r".*\.(?:fun|anon_fn\[.*\])_\d+(?:_\d+)?")
_OTHERS = re.compile(r"_D\d|_?\$[sSe]|_T0|_Tt?[CFMW]")
LIBRARY = "pip install 'kprof[names]' brings the names of D and Swift"


def other_language(raw: bytes, *, full: bool = False) -> bytes:
    """Return the readable name; the name itself if it is of none of these languages.

    Args:
        raw: As it stands in a symbol table.
        full: With argument lists, and with the numbers that OCaml gives its functions.
    """
    if needs_library(raw) and (demangle := _demangler()):
        with suppress(UnicodeError):
            return demangle(raw.decode(), full).encode()
    return ocaml(raw, full=full)


def needs_library(raw: bytes) -> bool:
    """Say whether this looks like a mangled name of D or Swift."""
    return bool(_OTHERS.match(raw.decode("latin-1")))


def has_library() -> bool:
    """Say whether names of D and Swift can be demangled."""
    return _demangler() is not None


def ocaml(raw: bytes, *, full: bool = False) -> bytes:
    """`camlStdlib__List__map_12` -> `Stdlib.List.map`; arguments as of `other_language`."""
    if not raw.startswith(b"caml"):
        return raw
    found = _OCAML.fullmatch(raw.decode("utf-8", "surrogateescape"))
    if not found:
        return raw
    name = _OCAML_ESCAPE.sub(lambda code: chr(int(code[1], 16)), found[1].replace("__", "."))
    if not full and not _OCAML_NO_NAME.fullmatch(name):
        name = _OCAML_STAMP.sub("", name)
    return name.encode("utf-8", "surrogateescape")


@cache
def _demangler() -> Callable[[str, bool], str] | None:
    try:
        import multi_demangle  # noqa: PLC0415 - not everybody has it
    except ImportError:
        return None
    library: Any = multi_demangle
    options = {True: library.DemangleOptions.complete(), False: library.DemangleOptions.name_only()}
    return lambda name, full: str(library.demangle_symbol(name, options[full]))

"""Names without their template arguments."""

import re

from kprof._native._text import short_name

_SIGN = re.compile(r"(?<!\w)operator ?(?:<=>|<<=?|>>=?|->\*?|<=?|>=?|\(\))|->|=>|!\(|[<>()]")
_CLOSED_BY = {"<": ">", "(": ")", "!(": ")"}
# "name@plt" is ours; "name@@GLIBC_2.17" is what the linker writes.
_VERSION = re.compile(r"@@?(?!plt$)[A-Za-z][\w.]*$")
_MORE = "…"


def collapsed(name: str) -> str:
    """Return a name without template arguments, argument lists and the versions of symbols.

    `std::vector<…>::push_back` and, of D, `sort!(…)`. The outer brackets of Rust's `<T as Trait>::f` and
    `<impl Trait for T>` are the name itself, and stay. A name whose brackets do not match stays as it is.
    """
    if "@" in name:
        name = _VERSION.sub("", name) or name
    if "(" in name and "!(" not in name:
        name = short_name(name.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape") or name
    return _without_templates(name) if "<" in name or "!(" in name else name


def _without_templates(name: str) -> str:
    shown: list[str] = []
    open_ones: list[tuple[str, bool]] = []
    at = hidden = behind_operator = 0
    for sign in _SIGN.finditer(name):
        token = sign.group()
        if token.startswith("operator"):
            behind_operator = sign.end()
        elif token in _CLOSED_BY:
            hides = token == "!(" or (token == "<" and _holds_arguments(name, sign.start(), behind_operator))  # noqa: S105
            if hides and not hidden:
                shown.append(name[at : sign.end()] + _MORE)
            hidden += hides
            open_ones.append((_CLOSED_BY[token], hides))
        elif open_ones and open_ones[-1][0] == token and open_ones.pop()[1]:
            hidden -= 1
            if not hidden:
                at = sign.start()
    return name if open_ones else "".join(shown) + name[at:]


def _holds_arguments(name: str, at: int, behind_operator: int) -> bool:
    """Say whether the bracket opens template arguments, rather than a type that a path begins with."""
    if at - behind_operator <= 1 and behind_operator:
        return True
    before = name[at - 1 : at]
    return (before.isalnum() or before in {"_", ":"}) and not name.startswith("<impl ", at)

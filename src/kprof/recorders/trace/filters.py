"""The language of `--filter`: comparisons of fields, joined by `&&` and `||`, turned by `!`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kprof.errors import UsageError

# A field, a value in quotes, or a value as it stands; operators before them, the longer ones first.
_TOKEN = re.compile(
    r"\s*(?:(?P<join>&&|\|\|)|(?P<operator>==|!=|<=|>=|!~|=~|<|>|~|&|=)|(?P<mark>[()!])"
    r"|(?P<quoted>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<word>(?:->|[^\s()&|!=<>~\"'])+))"
)
_FIELD = re.compile(r"[A-Za-z_]\w*(?:(?:->|\.)\w+)*(?::[a-z]\w*)?$")
_SAME = {"=": "==", "=~": "~"}
_OPERATORS = "==, !=, <, <=, >, >=, &, ~ or !~"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of a field with a value.

    Attributes:
        field: The field, as it is written.
        operator: One of `==`, `!=`, `<`, `<=`, `>`, `>=`, `&`, `~`, `!~`; empty if the field stands alone.
        value: The value, without quotes.
        is_quoted: Whether it had some: then `*` and `?` stand for themselves, unless it is a pattern.
        at: Where the field stands in the filter.
        value_at: Where the value does.
    """

    field: str
    operator: str
    value: str
    is_quoted: bool
    at: int
    value_at: int


@dataclass(frozen=True, slots=True)
class Joined:
    """Two conditions, joined by `&&` or `||`."""

    operator: str
    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a condition."""

    inner: "Condition"


Condition = Comparison | Joined | Not


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def complain(text: str, at: int, what: str, advice: str = "") -> UsageError:
    """Return an error that points at a place of a filter."""
    where = f'at "{text[at : at + 24]}"' if text[at:].strip() else "at its end"
    return UsageError(f"--filter, column {at + 1}, {where}: {what}", advice)


def parse(text: str) -> Condition:
    """Return what a filter says.

    Raises:
        UsageError: It is not written so; the message points at the place.
    """
    parser = _Parser(text)
    found = parser.either()
    if token := parser.next:
        raise complain(text, token.at, "expected && or ||")
    return found


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if not match or not match.lastgroup:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            what = "a quote is not closed" if text[start] in "\"'" else "not understood"
            raise complain(text, start, what)
        yield _Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
        at = match.end()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._rest = list(_tokens(text))[::-1]

    @property
    def next(self) -> _Token | None:
        """What comes next; None at the end."""
        return self._rest[-1] if self._rest else None

    def _takes(self, text: str) -> bool:
        if self.next and self.next.text == text and self.next.kind in {"join", "mark"}:
            self._rest.pop()
            return True
        return False

    def _fail(self, what: str, advice: str = "") -> UsageError:
        return complain(self._text, self.next.at if self.next else len(self._text), what, advice)

    def either(self) -> Condition:
        """Take conditions that `||` joins."""
        found = self._all()
        while self._takes("||"):
            found = Joined("||", found, self._all())
        return found

    def _all(self) -> Condition:
        found = self._one()
        while self._takes("&&"):
            found = Joined("&&", found, self._one())
        return found

    def _one(self) -> Condition:
        if self._takes("!"):
            return Not(self._one())
        if self._takes("("):
            found = self.either()
            if not self._takes(")"):
                raise self._fail("expected )")
            return found
        return self._comparison()

    def _comparison(self) -> Comparison:
        field = self.next
        if field is None or field.kind != "word" or not _FIELD.match(field.text):
            raise self._fail("expected a field, ! or (", "as in: ret < 0 && comm ~ 'nginx*'")
        self._rest.pop()
        operator = self.next
        if operator is None or operator.kind != "operator":
            if operator is not None and operator.kind in {"word", "quoted"}:
                raise self._fail(f"expected one of {_OPERATORS}")
            return Comparison(field.text, "", "", is_quoted=False, at=field.at, value_at=field.at)
        self._rest.pop()
        value = self.next
        if value is None or value.kind not in {"word", "quoted"}:
            raise self._fail("expected a value", "a number, a name, or text in quotes")
        self._rest.pop()
        quoted = value.kind == "quoted"
        plain = (
            re.sub(r"\\(.)", r"\1", value.text[1:-1])
            if quoted and operator.text not in {"~", "!~"}
            else value.text
        )
        plain = value.text[1:-1] if quoted and operator.text in {"~", "!~"} else plain
        return Comparison(
            field.text, _SAME.get(operator.text, operator.text), plain, quoted, field.at, value.at
        )

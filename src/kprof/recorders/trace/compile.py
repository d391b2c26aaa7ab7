"""Fields and a filter as the tables that the programs read."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kprof.errors import UsageError
from kprof.recorders.trace import names
from kprof.recorders.trace.events import TracedEvent
from kprof.recorders.trace.fields import Field
from kprof.recorders.trace.filters import Comparison, Condition, Joined, Not, complain
from kprof.wire import trace_events as wire

_COMPARE = {
    "==": wire.EQUAL, "!=": wire.UNEQUAL, "<": wire.LESS, "<=": wire.AT_MOST, ">": wire.MORE,
    ">=": wire.AT_LEAST, "&": wire.HAS_BITS, "~": wire.LIKE, "!~": wire.UNLIKE,
}  # fmt: skip
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s)?$")
_UNITS = {None: 1, "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9}
_NUMBER = re.compile(r"-?(0x[0-9a-fA-F]+|0o?[0-7]+|\d+)$")
# Parts of every record: no field needs to be read for them, unless the filter compares them.
_IN_RECORD = frozenset(
    {
        wire.FROM_PID, wire.FROM_TID, wire.FROM_PPID, wire.FROM_UID, wire.FROM_GID, wire.FROM_CPU,
        wire.FROM_COMM, wire.FROM_DURATION,
    }
)  # fmt: skip

_NAMES_OF_FORMS: Mapping[str, Mapping[int, str]] = {
    "errno": names.ERRNO, "signal": names.SIGNALS, "open flags": names.ACCESS,
}  # fmt: skip

FindField = Callable[[TracedEvent, str], Field]


@dataclass
class Table:
    """The table of an event, while it is made.

    Attributes:
        event: The event.
        find: Returns a field by what somebody wrote.
        numbers: Where in the records the values of fields are.
    """

    event: TracedEvent
    find: FindField
    numbers: dict[str, int] = field(default_factory=dict)
    _fields: list[Field] = field(default_factory=list)
    _tests: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    _patterns: list[list[int]] = field(default_factory=list)

    def show(self, found: Field) -> None:
        """Have a field read, unless it is part of every record."""
        if found.place.origin not in _IN_RECORD:
            self._number(found)

    def _number(self, found: Field) -> int:
        if found.name not in self.numbers:
            if len(self._fields) == wire.MAX_FIELDS:
                raise UsageError(
                    f"{self.event.name}: too many fields", f"up to {wire.MAX_FIELDS} are read of an event"
                )
            self.numbers[found.name] = len(self._fields)
            self._fields.append(found)
        return self.numbers[found.name]

    def limit(self, condition: Condition, text: str) -> None:
        """Let only those pass that meet a condition.

        Args:
            condition: It.
            text: As it was written.

        Raises:
            UsageError: A field is not there, or cannot be compared so.
        """
        if isinstance(condition, Joined):
            self.limit(condition.left, text)
            self.limit(condition.right, text)
            self._add(wire.AND if condition.operator == "&&" else wire.OR, text=text)
        elif isinstance(condition, Not):
            self.limit(condition.inner, text)
            self._add(wire.NOT, text=text)
        else:
            self._compare(condition, text)

    def _add(
        self, what: int, compare: int = 0, number: int = 0, pattern: int = 0, value: int = 0, *, text: str
    ) -> None:
        if len(self._tests) == wire.MAX_TESTS:
            raise complain(text, 0, f"too long: up to {wire.MAX_TESTS} comparisons and joints fit")
        self._tests.append((what, compare, number, pattern, value & (1 << 64) - 1))

    def _compare(self, wanted: Comparison, text: str) -> None:
        try:
            found = self.find(self.event, wanted.field)
        except UsageError as error:
            raise complain(text, wanted.at, str(error), error.help_text) from None
        if wanted.field in {"time", "event"}:
            raise complain(text, wanted.at, f"{wanted.field} is not compared", "-d limits the time")
        number = self._number(found)
        if found.is_text:
            if wanted.operator not in {"==", "!=", "~", "!~"}:
                raise complain(text, wanted.at, f"{found.name} is text", "compare it with ==, !=, ~ or !~")
            compare = wire.LIKE if wanted.operator in {"==", "~"} else wire.UNLIKE
            self._add(wire.COMPARE, compare, number, self._pattern(found, wanted, text), text=text)
        elif wanted.operator in {"~", "!~"}:
            raise complain(text, wanted.at, f"{found.name} is a number", "~ is for text: use == or <")
        elif not wanted.operator:
            self._add(wire.COMPARE, wire.UNEQUAL, number, text=text)
        else:
            value = number_of(found, wanted, text)
            self._add(wire.COMPARE, _COMPARE[wanted.operator], number, value=value, text=text)

    def _pattern(self, found: Field, wanted: Comparison, text: str) -> int:
        codes = pattern_of(found, wanted, text)
        if len(codes) > wire.PATTERN:
            raise complain(text, wanted.value_at, f"too long: up to {wire.PATTERN} bytes are compared")
        if len(self._patterns) == wire.MAX_PATTERNS:
            raise complain(text, wanted.at, f"too many texts: up to {wire.MAX_PATTERNS} are compared")
        self._patterns.append(codes)
        return len(self._patterns) - 1

    def build(self, *, stacks: int = 0, least: int = 0) -> np.ndarray[Any, Any]:
        """Return one `trace_events.TRACE`."""
        made = np.zeros(1, wire.TRACE)
        made["fields"], made["tests"], made["stacks"] = len(self._fields), len(self._tests), stacks
        made["arguments"], made["result"], made["least"] = len(self.event.arguments), self.event.result, least
        made["argument"][0, : len(self.event.arguments)] = self.event.arguments
        for number, each in enumerate(self._fields):
            place = each.place
            made["field"][0, number] = (
                place.origin, place.kind, place.flags, place.offset, place.size, place.shift, place.bits,
                len(place.steps), (*place.steps, *[0] * (wire.MAX_STEPS - len(place.steps))), 0,
            )  # fmt: skip
        for number, test in enumerate(self._tests):
            made["test"][0, number] = test
        for number, codes in enumerate(self._patterns):
            made["pattern"][0, number]["length"] = len(codes)
            made["pattern"][0, number]["code"][: len(codes)] = codes
        return made


def number_of(found: Field, wanted: Comparison, text: str) -> int:
    """Return a value as a number: a plain one, a name of the field's values, a time with its unit."""
    word = wanted.value
    if not wanted.is_quoted and _NUMBER.match(word):
        digits = word.lstrip("-")
        base = 8 if re.match(r"0[0-7]", digits) else 0
        return int(digits, base) * (-1 if word.startswith("-") else 1)
    if found.form == "ns" and (match := _TIME.match(word)):
        return round(float(match[1]) * _UNITS[match[2]])
    sign, name = (-1, word[1:]) if word.startswith("-") else (1, word)
    for table in (found.names, _NAMES_OF_FORMS.get(found.form, {})):
        for value, known in table.items():
            if name in {known, known.removeprefix("SIG")}:
                return int(value) * sign
    known_names = ", ".join(list(found.names.values())[:8])
    advice = f"it is one of {known_names}" if known_names else "a number, such as 12, -1 or 0x1f"
    raise complain(text, wanted.value_at, f"{found.name} is no {word}", advice)


def pattern_of(found: Field, wanted: Comparison, text: str) -> list[int]:
    """Return the codes that a text must fit: `*` is any run of bytes and `?` any one."""
    if found.form == "ip":
        try:
            address = ipaddress.ip_address(wanted.value)
        except ValueError:
            raise complain(text, wanted.value_at, f"{wanted.value} is no IP address") from None
        packed = address.packed
        if found.place.size == 16 and address.version == 4:  # noqa: PLR2004 - bytes of IPv6
            packed = bytes(10) + b"\xff\xff" + packed
        return list(packed)
    if found.form in {"path", "sockaddr", "bytes"}:
        raise complain(text, wanted.at, f"{found.name} cannot be compared", "compare another field")
    if not wanted.operator:
        raise complain(text, wanted.at, f"{found.name} is text", "compare it with ==, !=, ~ or !~")
    codes: list[int] = []
    wild = wanted.operator in {"~", "!~"}
    escaped = False
    for byte in wanted.value.encode(errors="surrogateescape"):
        if wild and not escaped and byte == ord("\\"):
            escaped = True
            continue
        special = {ord("*"): wire.ANY_RUN, ord("?"): wire.ANY_ONE}.get(byte) if wild and not escaped else None
        if byte == ord(" ") and found.form == "words":
            special = wire.ANY_BLANK
        codes.append(byte if special is None else special)
        escaped = False
    if found.form == "words":
        return codes if codes[-1:] == [wire.ANY_RUN] else [*codes, 0]
    # What is read ends with a zero, and arrays with several.
    return [*codes, 0, wire.ANY_RUN]

"""What may be read of an event, and how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kprof.errors import UsageError
from kprof.wire import trace_events as wire


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, as the programs read it.

    Attributes:
        origin: One of the `FROM_` numbers of the wire.
        kind: One of its `IS_` numbers.
        offset: Of the event's data, in bytes.
        size: Bytes of a number, or the most bytes of bytes.
        flags: `SIGNED`, `USERS`, `EITHER`.
        shift: Bits below a bit field.
        bits: Bits of a bit field; 0 if it is none.
        steps: Each reads a pointer, and goes so many bytes on from what it points to.
    """

    origin: int = wire.FROM_DATA
    kind: int = wire.IS_NUMBER
    offset: int = 0
    size: int = 8
    flags: int = 0
    shift: int = 0
    bits: int = 0
    steps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A field.

    Attributes:
        name: As it is asked for.
        place: Where its value stands.
        form: How it is shown: `number`, `hex`, `octal`, `errno`, `ns`, `signal`, `text`, `words`, `path`,
            `ip`, `sockaddr`, `bytes`, `symbol`, `flags`, `open flags`, `descriptor`, `device`.
        names: Names of its values, for the forms `symbol` and `flags`.
        type: Its type, as C writes it; empty if that is not known.
        btf: The number of its type among the kernel's; 0 if it has none.
    """

    name: str
    place: Place
    form: str = "number"
    names: Mapping[int, str] = field(default_factory=dict, compare=False)
    type: str = ""
    btf: int = 0

    @property
    def is_text(self) -> bool:
        """Whether it is compared by patterns, and not as a number."""
        return self.place.kind != wire.IS_NUMBER or self.place.origin in {wire.FROM_COMM, wire.FROM_CWD}

    @property
    def is_signed(self) -> bool:
        """Whether its numbers have a sign."""
        return bool(self.place.flags & wire.SIGNED)


# What may stand behind a colon, and what it makes of a value.
CASTS = {
    "int": ("number", wire.SIGNED, 8), "uint": ("number", 0, 8), "hex": ("hex", 0, 8),
    "i32": ("number", wire.SIGNED, 4), "u32": ("number", 0, 4), "u16": ("number", 0, 2),
    "u8": ("number", 0, 1), "bool": ("number", 0, 1), "errno": ("errno", wire.SIGNED, 8),
    "ns": ("ns", 0, 8), "signal": ("signal", 0, 4), "octal": ("octal", 0, 8),
    "str": ("text", wire.EITHER, 0), "ustr": ("text", wire.USERS, 0), "kstr": ("text", 0, 0),
    "sockaddr": ("sockaddr", wire.EITHER, 110), "ipv4": ("ip", 0, 4), "ipv6": ("ip", 0, 16),
}  # fmt: skip
_OF_BYTES = {"sockaddr", "ip"}


def cast(found: Field, text: str) -> Field:
    """Return a field as something else: `arg0` as `arg0:str`.

    Raises:
        UsageError: There is no such form.
    """
    if text not in CASTS:
        raise UsageError(f"{found.name}:{text}: no such form", f"there is {', '.join(CASTS)}")
    form, flags, size = CASTS[text]
    name, place = f"{found.name}:{text}", found.place
    if form == "text" or form in _OF_BYTES:
        # A number that was found is the pointer; an array is the text itself.
        steps = (
            (*place.steps, 0) if place.kind == wire.IS_NUMBER and place.size == wire.POINTER else place.steps
        )
        kind = wire.IS_TEXT if form == "text" else wire.IS_BYTES
        if place.flags & wire.USERS:
            flags = wire.USERS
        return replace(
            found, name=name, form=form, names={},
            place=Place(wire.FROM_DATA, kind, place.offset, size or wire.TEXT, flags, steps=steps),
        )  # fmt: skip
    kept = place.flags & (wire.USERS | wire.EITHER)
    return replace(
        found, name=name, form=form, names={},
        place=replace(place, kind=wire.IS_NUMBER, size=min(size, place.size or size), flags=flags | kept),
    )  # fmt: skip


def _builtin(name: str, origin: int, form: str = "number", kind: int = wire.IS_NUMBER) -> Field:
    return Field(name, Place(origin, kind), form)


# What every event has. Those that are part of each record take no room of the fields, unless a filter asks.
BUILT_IN = {
    each.name: each
    for each in (
        _builtin("pid", wire.FROM_PID),
        _builtin("tid", wire.FROM_TID),
        _builtin("ppid", wire.FROM_PPID),
        _builtin("uid", wire.FROM_UID),
        _builtin("gid", wire.FROM_GID),
        _builtin("cpu", wire.FROM_CPU),
        _builtin("comm", wire.FROM_COMM, "text", wire.IS_TEXT),
    )
}
# What is read of the task at hand, which is not always that of the event.
OF_TASK = {
    each.name: each
    for each in (
        _builtin("cwd", wire.FROM_CWD, "path", wire.IS_PATH),
        _builtin("cgroup", wire.FROM_CGROUP),
    )
}
DURATION = _builtin("duration", wire.FROM_DURATION, "ns")

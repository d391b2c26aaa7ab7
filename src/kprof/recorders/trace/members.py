"""Fields behind fields: `file->f_path.dentry->d_name.name`."""

import difflib
import re

from kprof.elf.btf import PTR, Btf
from kprof.elf.btf_members import Member, members_of, shape_of
from kprof.errors import UsageError
from kprof.recorders.trace.events import TracedEvent
from kprof.recorders.trace.fields import Field, Place, cast
from kprof.recorders.trace.functions import typed
from kprof.wire import trace_events as wire

_PART = re.compile(r"(->|\.)(\w+)")
_LIKE, _BITS = 3, 8


def find_field(event: TracedEvent, text: str, btf: Btf | None) -> Field:
    """Return a field of an event as somebody asks for it.

    Args:
        event: The event.
        text: Its name; behind it members of structures with `->` or `.`, and a form, as in `:str`.
        btf: The kernel's types; without them no members are found.

    Raises:
        UsageError: There is no such field.
    """
    head, _, form = text.partition(":")
    fields = event.fields
    name = head if head in fields else _longest(head)
    found = fields.get(name) or fields.get(name.removeprefix("args.")) or fields.get(f"args.{name}")
    if found is None or (head != name and not found.btf):
        raise UsageError(f"{event.name} has no field {head}", _advice(head, fields))
    for how, member in _PART.findall(head[len(name) :]):
        found = _member(found, how, member, btf)
    found = Field(head, found.place, found.form, found.names, found.type, found.btf)
    return cast(found, form) if form else found


def _longest(head: str) -> str:
    """Return what of a text is the name of a field."""
    name = re.match(r"(?:args\.)?\w*", head)
    return name[0] if name else head


def _advice(head: str, fields: dict[str, Field]) -> str:
    known = ["time", "event", *fields]
    near = difflib.get_close_matches(head, known, _LIKE)
    return f"do you mean {' or '.join(near)}?" if near else f"it has {', '.join(known)}"


def _member(owner: Field, how: str, name: str, btf: Btf | None) -> Field:
    if btf is None:
        raise UsageError(
            f"{owner.name} has no members that are known", "this kernel does not tell its types (BTF)"
        )
    shape = shape_of(btf, owner.btf)
    is_pointer = shape.kind == PTR
    if is_pointer != (how == "->"):
        right = "->" if is_pointer else "."
        raise UsageError(
            f"{owner.name} is {owner.type or 'no structure'}", f"write {owner.name}{right}{name}"
        )
    members = {each.name: each for each in members_of(btf, shape.inner if is_pointer else shape.number)}
    if name not in members:
        near = difflib.get_close_matches(name, members, _LIKE) or list(members)
        raise UsageError(
            f"{owner.type or owner.name} has no member {name}", f"it has {', '.join(near)}" if near else ""
        )
    return _inside(owner, members[name], f"{owner.name}{how}{name}", is_pointer, btf)


def _inside(owner: Field, member: Member, name: str, is_pointer: bool, btf: Btf) -> Field:
    place, at = owner.place, member.offset // _BITS
    steps = list(place.steps)
    # Texts and paths end in a step to what they point to, which members do not take.
    if is_pointer and not (place.kind in {wire.IS_TEXT, wire.IS_PATH} and steps):
        steps.append(0)
    offset = place.offset
    if steps:
        steps[-1] += at
    else:
        offset += at
    if len(steps) > wire.MAX_STEPS:
        raise UsageError(f"{name} is too far away", f"up to {wire.MAX_STEPS} pointers are followed")
    flags = place.flags & wire.USERS
    inner = Place(
        wire.FROM_DATA, offset=offset, flags=flags, steps=tuple(steps),
        shift=member.offset % _BITS if member.bits else 0, bits=member.bits,
    )  # fmt: skip
    return typed(name, member.type, inner, btf)

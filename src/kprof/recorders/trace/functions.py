"""Functions of the kernel and of programs, and raw tracepoints, as events that are traced."""

import platform
import re
from collections.abc import Sequence

from kprof.elf.btf import PTR, STRUCT, UNION, Argument, Btf, Prototype
from kprof.elf.btf_members import names_of, shape_of
from kprof.elf.kernel_types import KernelTypes
from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf.functions import function_source
from kprof.recorders.bpf.sources import Hook, Kprobe, RawTracepoint
from kprof.recorders.request import RecordRequest
from kprof.recorders.trace.events import Program, TracedEvent
from kprof.recorders.trace.fields import BUILT_IN, DURATION, OF_TASK, Field, Place
from kprof.wire import trace_events as wire

_USER = re.compile(r"^(uprobe|uretprobe|call):(.+:[^:]+)$")
_WAYS = ("uprobe", "uretprobe")
_KERNEL = re.compile(r"^(kprobe|kretprobe|fentry|fexit|call|raw_tp):([\w.]+)(?:\+(0x[0-9a-fA-F]+|\d+))?$")
# Of struct pt_regs: where the arguments are, and the result; see the psABI of each.
_REGISTERS = {
    "x86_64": ((112, 104, 96, 88, 72, 64), 80),
    "aarch64": ((0, 8, 16, 24, 32, 40), 0),
}
_TAKEN = {*BUILT_IN, *OF_TASK, DURATION.name, "time", "event"}
_RESULT = "ret"
_UNSIGNED_TEXT = re.compile(r"(const )?unsigned char( \*|\[)")


def user_function(text: str, request: RecordRequest) -> TracedEvent | None:
    """Return `uprobe:PATH:FUNCTION`, `uretprobe:` or `call:`; None if it is written otherwise.

    Raises:
        UsageError: There is no such file, or no such function.
    """
    match = _USER.match(text)
    if not match:
        return None
    kind, place = match.groups()
    arguments, result = _registers()
    found = {way: function_source(f"{way}:{place}", request).hooks for way in _WAYS if kind in {way, "call"}}
    own = {}
    if kind != "uretprobe":
        starts = _in_pair() if kind == "call" else arguments
        own = {f"arg{i}": Field(f"arg{i}", Place(offset=at), "hex") for i, at in enumerate(starts)}
    if kind != "uprobe":
        own[_RESULT] = Field(_RESULT, Place(offset=0 if kind == "call" else result, flags=wire.SIGNED))
    if kind == "call":
        return _pair(text, found["uprobe"], found["uretprobe"], own)
    program = Program("kprobe_function", found[kind])
    return TracedEvent(text, "trace", (program,), own, ("time", "pid", "comm", *own))


def kernel_function(text: str, types: KernelTypes, module: str = "") -> TracedEvent | None:
    """Return `kprobe:FUNCTION` and its like, `call:FUNCTION` or `raw_tp:NAME`; None if it is none of these.

    Args:
        text: The event.
        types: The kernel's.
        module: The module that holds the function; empty for the kernel itself.

    Raises:
        UsageError: There is no such raw tracepoint.
    """
    match = _KERNEL.match(text)
    if not match:
        return None
    kind, symbol, offset = match.groups()
    btf = types.of(module or "vmlinux")
    if kind == "raw_tp":
        return _raw_tracepoint(text, symbol, types, btf)
    prototype = types.prototype(symbol, module)
    arguments, result = _registers()
    number = int(offset, 0) if offset else 0
    enters, returns = (Kprobe(symbol, number, returns=back) for back in (False, True))
    if kind in {"fentry", "fexit"}:
        return _by_trampoline(text, kind, symbol, prototype, btf)
    if kind == "kretprobe":
        own = _results(prototype, result, btf)
    elif number:
        own = {}
    else:
        own = _arguments(prototype, _in_pair() if kind == "call" else arguments, btf)
    if kind == "call":
        return _pair(text, [enters], [returns], {**own, **_results(prototype, 0, btf)})
    program = Program("kprobe_function", [returns if kind == "kretprobe" else enters])
    return TracedEvent(text, "trace", (program,), own, ("time", "pid", "comm", *own))


def _pair(text: str, enters: Sequence[Hook], returns: Sequence[Hook], own: dict[str, Field]) -> TracedEvent:
    arguments, result = _registers()
    programs = (Program("function_enters", enters), Program("function_returns", returns))
    return TracedEvent(
        text, "trace", programs, own, ("time", "pid", "comm", *own, "duration"),
        arguments=arguments, result=result, has_duration=True,
    )  # fmt: skip


def _by_trampoline(
    text: str, kind: str, symbol: str, prototype: Prototype | None, btf: Btf | None
) -> TracedEvent:
    """Return an event whose data is an array of the arguments, and of the result behind them."""
    if prototype is None:
        raise UsageError(f"the kernel does not tell how {symbol} is called", f"use kprobe:{symbol}")
    places = [8 * number for number in range(len(prototype.arguments))]
    own = _arguments(prototype, places, btf)
    if kind == "fexit":
        own |= _results(prototype, 8 * len(places), btf)
    program = Program(f"{kind}_function")
    return TracedEvent(text, "trace", (program,), own, ("time", "pid", "comm", *own), target=symbol)


def _raw_tracepoint(text: str, name: str, types: KernelTypes, btf: Btf | None) -> TracedEvent:
    prototype = types.raw_prototype(name)
    if prototype is None:
        raise UsageError(
            f"there is no raw tracepoint {name}", f"kprof events 'raw_tp:*{name}*' looks for one"
        )
    own = _arguments(prototype, [8 * number for number in range(len(prototype.arguments))], btf)
    program = Program("raw_tracepoint", [RawTracepoint(name)])
    return TracedEvent(text, "trace", (program,), own, ("time", "pid", "comm", *own))


def _registers() -> tuple[Sequence[int], int]:
    found = _REGISTERS.get(platform.machine())
    if found is None:
        raise NotAvailableError(
            f"where {platform.machine()} keeps arguments of functions is not known",
            "trace a tracepoint instead",
        )
    return found


def _in_pair() -> list[int]:
    return [wire.PAIR_ARGUMENTS + 8 * number for number in range(wire.ARGUMENTS)]


def _arguments(prototype: Prototype | None, places: Sequence[int], btf: Btf | None) -> dict[str, Field]:
    if prototype is None or btf is None:
        return {f"arg{i}": Field(f"arg{i}", Place(offset=at), "hex") for i, at in enumerate(places)}
    found: dict[str, Field] = {}
    for number, (argument, at) in enumerate(zip(prototype.arguments, places, strict=False)):
        # What is no number and no pointer takes several registers, or none: those behind it cannot be told.
        if argument.is_structure:
            break
        name = argument.name or f"arg{number}"
        name = f"args.{name}" if name in _TAKEN else name
        found[name] = typed(name, argument.number, Place(offset=at), btf)
    return found


def _results(prototype: Prototype | None, at: int, btf: Btf | None) -> dict[str, Field]:
    if prototype is None or btf is None:
        return {_RESULT: Field(_RESULT, Place(offset=at, flags=wire.SIGNED))}
    result: Argument = prototype.result
    if result.type == "void" or result.is_structure:
        return {}
    found = typed(_RESULT, result.number, Place(offset=at), btf)
    if found.form == "number" and found.place.flags & wire.SIGNED:
        found = Field(_RESULT, found.place, "errno", type=found.type, btf=found.btf)
    return {_RESULT: found}


def typed(name: str, number: int, place: Place, btf: Btf) -> Field:
    """Return a field of a type.

    Args:
        name: Its name.
        number: Of its type.
        place: Where its value stands; size and sign are set here.
        btf: The types.
    """
    shape, spelled = shape_of(btf, number), btf.spelled(number)
    inner = shape_of(btf, shape.inner) if shape.inner else None
    # The names of directory entries are unsigned characters; numbers of one byte are called u8.
    holds_text = bool(inner and inner.is_character) or bool(_UNSIGNED_TEXT.match(spelled))
    known: dict[int, str] = {}
    kind, size, flags, steps = wire.IS_NUMBER, shape.size or 8, place.flags, place.steps
    if shape.kind == PTR and holds_text:
        kind, form, flags, steps = wire.IS_TEXT, "text", wire.EITHER, (*steps, 0)
    elif spelled.removeprefix("const ") == "struct path *":
        kind, form, steps = wire.IS_PATH, "path", (*steps, 0)
    elif spelled == "struct path":
        kind, form = wire.IS_PATH, "path"
    elif shape.kind == PTR:
        form = "hex"
    elif shape.inner:
        kind, form = (wire.IS_TEXT, "text") if holds_text else (wire.IS_BYTES, "bytes")
    elif shape.kind in {STRUCT, UNION}:
        kind, form = wire.IS_BYTES, "bytes"
    else:
        known = names_of(btf, number)
        form = "symbol" if known else "number"
        flags |= wire.SIGNED if shape.is_signed else 0
        # A bit field is looked for in the eight bytes from where it begins.
        size = 8 if place.bits else size
    stands = Place(wire.FROM_DATA, kind, place.offset, size, flags, place.shift, place.bits, steps)
    return Field(name, stands, form, known, spelled, number)

"""Events that are made of several programs: each begins and ends an interval, or weighs what happens."""

from collections.abc import Callable
from dataclasses import replace

from kprof.errors import NotAvailableError, UsageError
from kprof.recorders.bpf.sources import Source
from kprof.recorders.request import RecordRequest
from kprof.wire import bpf_events as layout

_WEIGHTS = {"ns": layout.WEIGH_TIME, "bytes": layout.WEIGH_BYTES, "count": layout.WEIGH_ONE}
_UNITS = {layout.WEIGH_TIME: "ns", layout.WEIGH_BYTES: "bytes", layout.WEIGH_ONE: "events"}


def _off_cpu(_request: RecordRequest) -> Source:
    return Source("off-cpu", "ns", "off_cpu", ("off_cpu",), weight=layout.WEIGH_TIME)


_BUILDERS: dict[str, Callable[[RecordRequest], Source]] = {
    "off-cpu": _off_cpu,
}
# Those whose intervals move bytes.
_WITH_BYTES: frozenset[str] = frozenset()
RECIPES = tuple(_BUILDERS)


def recipe(name: str, sides: int, request: RecordRequest) -> Source:
    """Return the source of a recipe, with the weight and the sides of the stack that are asked for.

    Raises:
        UsageError: It has no such weight.
        NotAvailableError: This kernel, or the target, lacks what it needs.
    """
    source = _BUILDERS[name](request)
    source = replace(source, sides=sides & source.sides)
    if not source.sides:
        raise NotAvailableError(f"{name} has no stacks of that side", f"leave the modifier of {name} out")
    if not request.weight:
        return source
    weight = _WEIGHTS[request.weight]
    if source.weight is None or (weight == layout.WEIGH_BYTES and name not in _WITH_BYTES):
        raise UsageError(f"{name} cannot be weighed by {request.weight}", f"it is weighed by {source.unit}")
    return replace(source, weight=weight, unit=_UNITS[weight])

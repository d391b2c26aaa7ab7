"""A profile as plain relations, for Parquet, JSON and SQL, and back.

`samples` point at `stacks`, which point at their parents and at `frames`, which point at `mappings`; `events`
name what samples count. Rows are numbered from 0 and -1 is none, as in `Profile`; a text that is not known is
None.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kprof.model.check import ProfileInvalidError
from kprof.model.profile import Profile
from kprof.model.tables import Event, Frames, Mappings, Meta, Quality, Samples, Stacks

Relation = Mapping[str, npt.NDArray[Any]]
_NUMBERS = {
    "stack": np.int32, "event": np.int32, "weight": np.int64, "count": np.int64, "pid": np.int32,
    "tid": np.int32, "cpu": np.int32, "time_ns": np.int64,
}  # fmt: skip
_NEEDED = ("stack", "event", "weight", "count")


def relations(profile: Profile) -> dict[str, Relation]:
    """Return the relations of a profile.

    Names that are not UTF-8 have question marks in place of such bytes.

    Returns:
        `samples`: `stack`, `event`, `weight`, `count`, and `pid`, `tid`, `comm`, `cpu`, `cgroup`, `time_ns`
        as far as they are known. `stacks`: `stack`, `parent`, `frame`. `frames`: `frame`, `name`, `mapping`,
        `address`, `kind`, `source`. `mappings`: `mapping`, `path`, `build_id`. `events`: `event`, `name`,
        `unit`.
    """
    samples, frames, mappings = profile.samples, profile.frames, profile.mappings
    columns: dict[str, npt.NDArray[Any]] = {}
    for name in _NUMBERS:
        if (column := getattr(samples, name)) is not None:
            columns[name] = np.ascontiguousarray(column)
    for name, texts in (("comm", profile.comms), ("cgroup", profile.cgroups)):
        if (column := getattr(samples, name)) is not None:
            columns[name] = _texts([*texts, None])[column]
    events = profile.meta.events
    return {
        "samples": columns,
        "stacks": {
            "stack": _rows(len(profile.stacks)),
            "parent": np.ascontiguousarray(profile.stacks.parent),
            "frame": np.ascontiguousarray(profile.stacks.frame),
        },
        "frames": {
            "frame": _rows(len(frames)),
            "name": _texts(frames.name),
            "mapping": frames.mapping,
            "address": frames.address,
            "kind": frames.kind,
            "source": _texts(frames.source or [""] * len(frames)),
        },
        "mappings": {
            "mapping": _rows(len(mappings)),
            "path": _texts(mappings.path),
            "build_id": _texts(mappings.build_id or [""] * len(mappings)),
        },
        "events": {
            "event": _rows(len(events)),
            "name": _texts([event.name for event in events]),
            "unit": _texts([event.unit for event in events]),
        },
    }


def _rows(size: int) -> npt.NDArray[np.int32]:
    return np.arange(size, dtype=np.int32)


def _texts(values: Sequence[str | None]) -> npt.NDArray[Any]:
    column = np.empty(len(values), object)
    column[:] = [None if value is None else value.encode(errors="replace").decode() for value in values]
    return column


def from_relations(
    tables: Mapping[str, Relation], *, facts: Mapping[str, str], quality: Quality | None = None
) -> Profile:
    """Return the profile of relations, checked.

    Args:
        tables: As `relations` gives them; columns may be of any type that fits.
        facts: For `Meta`.
        quality: For `Meta`; None to count what is there.

    Raises:
        ProfileInvalidError: A relation or a column is missing, of another type, or contradicts another.
    """
    frames, stacks, mappings, events = (
        _relation(tables, name) for name in ("frames", "stacks", "mappings", "events")
    )
    given = _relation(tables, "samples")
    columns = {n: _numbers(given, n, kind) for n, kind in _NUMBERS.items() if n in given or n in _NEEDED}
    names: dict[str, list[str]] = {}
    for name in ("comm", "cgroup"):
        names[name] = []
        if name in given:
            columns[name], names[name] = _numbered(_strings(given, name, missing=None))
    samples = Samples(**columns)
    known = [
        Event(str(name), str(unit))
        for name, unit in zip(_strings(events, "name"), _strings(events, "unit"), strict=True)
    ]
    counted = Quality(read=int(samples.count.sum()), without_stack=samples.without_stack)
    sources = [str(source) for source in _strings(frames, "source")]
    return Profile(
        Mappings(
            [str(p) for p in _strings(mappings, "path")], [str(i) for i in _strings(mappings, "build_id")]
        ),
        Frames(
            [str(name) for name in _strings(frames, "name")],
            _numbers(frames, "mapping", np.int32),
            _numbers(frames, "address", np.uint64),
            _numbers(frames, "kind", np.uint8),
            sources if any(sources) else (),
        ),
        Stacks(_numbers(stacks, "parent", np.int32), _numbers(stacks, "frame", np.int32)),
        samples,
        names["comm"],
        Meta(tuple(known), quality or counted, dict(facts)),
        names["cgroup"],
    ).check()


def _relation(tables: Mapping[str, Relation], name: str) -> Relation:
    found = tables.get(name)
    if found is None:
        raise ProfileInvalidError(f"the table {name} is missing")
    if len({len(column) for column in found.values()}) > 1:
        raise ProfileInvalidError(f"the columns of {name} differ in length")
    return found


def _numbers(table: Relation, name: str, kind: Any) -> npt.NDArray[Any]:
    """Return a column of whole numbers, which must fit its type."""
    if name not in table:
        raise ProfileInvalidError(f"the column {name} is missing")
    column = table[name]
    if column.dtype.kind not in "iu" and len(column):
        raise ProfileInvalidError(f"{name} is no column of whole numbers")
    limits = np.iinfo(kind)
    if len(column) and (int(column.min()) < limits.min or int(column.max()) > limits.max):
        raise ProfileInvalidError(f"{name}: a value is out of range")
    return np.ascontiguousarray(column.astype(kind))


def _strings(table: Relation, name: str, missing: str | None = "") -> list[str | None]:
    if name not in table:
        raise ProfileInvalidError(f"the column {name} is missing")
    found = table[name].tolist()
    if not all(value is None or isinstance(value, str) for value in found):
        raise ProfileInvalidError(f"{name} is no column of texts")
    return [missing if value is None else value for value in found]


def _numbered(values: list[str | None]) -> tuple[npt.NDArray[np.int32], list[str]]:
    names: dict[str, int] = {}
    rows = [-1 if value is None else names.setdefault(value, len(names)) for value in values]
    return np.array(rows, np.int32), list(names)

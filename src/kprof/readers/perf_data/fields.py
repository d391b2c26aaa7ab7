"""What tracepoints give with their samples, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kprof.errors import FormatError, UsageError
from kprof.readers.addresses import text
from kprof.readers.options import ReadOptions
from kprof.readers.perf_data.field_values import Column, RawData
from kprof.readers.perf_data.read import Recording, load, sniff
from kprof.readers.perf_data.tracing_data import formats_of, head_of, long_bytes
from kprof.system.event_formats import Field, fields_of
from kprof.wire import perf_file as wire

if TYPE_CHECKING:
    import pandas as pd

    from kprof.readers.source import Source

_SAMPLE_COLUMNS = {"time_ns": "time", "cpu": "cpu", "pid": "pid", "tid": "tid"}


@dataclass(frozen=True, slots=True)
class EventFields:
    """The samples of a tracepoint, with their fields.

    Attributes:
        event: Name of the tracepoint.
        columns: In this order: `time_ns` (int64, on the recorder's clock), `cpu`, `pid`, `tid` (int32; -1
            where the recording does not tell), `comm`; then the fields by their names, in the order of
            the format, those that all tracepoints have (`common_*`) last. A field that is called like
            one of these columns has `field_` before its name. A number is an array of shape (n,), as
            wide and as signed as the format says; an array of k numbers has the shape (n, k), and is a
            list of n arrays where k differs. A text is a list of n str, up to its first zero byte.
        skipped: Samples whose data is shorter than the format says, which are left out.
        lost: Samples of all events that the recorder reports as lost.
    """

    event: str
    columns: Mapping[str, Column]
    skipped: int = 0
    lost: int = 0

    def __len__(self) -> int:
        return len(self.columns["time_ns"])

    def __getitem__(self, name: str) -> Column:
        """Return a column.

        Raises:
            KeyError: There is none of this name.
        """
        return self.columns[name]

    def to_pandas(self) -> pd.DataFrame:
        r"""Return one row a sample; an array of numbers is one value.

        Bytes of texts that are not UTF-8 are written as `\xff`.
        """
        from kprof.model.pandas_edge import frame_of  # noqa: PLC0415 - pandas takes 0.3 s to import

        return frame_of(self.columns)


def read_fields(source: Source, event: str | None = None) -> EventFields:
    """Read the fields that a tracepoint gives with each of its samples.

    They are decoded by the formats within the recording, which the kernel of that time wrote.

    Args:
        source: A recording.
        event: Name of a tracepoint, such as `sched:sched_switch`. May be None if only one has samples.

    Raises:
        FormatError: It is no perf.data, damaged, or lacks the format of the tracepoint.
        UsageError: It holds no such tracepoint, or several and none is named.
    """
    if not sniff(source.head):
        raise FormatError(f"{source.name} is not perf.data: only that holds fields")
    # No symbols and no files: where the samples were is not asked for.
    recording = load(source, ReadOptions(every_sample=True), keep_raw=True)
    tables = recording.reader.tables()
    rows = tables["rows"]
    name, number, events = _choose(source.name, recording, rows, event)
    mine = np.isin(rows["event"], events)
    data, places = recording.reader.raw()
    at = places[mine]
    raw = RawData(
        data, at["offset"].astype(np.int64), at["size"].astype(np.int64), recording.features.order
    )  # fmt: skip
    fields = _format(source.name, recording.features.tracing, name, number)
    whole = raw.whole(fields)
    columns = _sample_columns(rows[mine][whole], [text(comm) for comm in tables["comms"]])
    raw = raw.take(whole)
    for field in sorted(fields, key=lambda field: field.name.startswith("common_")):
        columns[_free_name(columns, field.name)] = raw.column(field)
    counts = recording.reader.counts()
    skipped = len(whole) - int(whole.sum())
    return EventFields(name, columns, skipped, max(counts["lost"], counts["lost_samples"]))


def _choose(
    title: str, recording: Recording, rows: np.ndarray[Any, Any], wanted: str | None
) -> tuple[str, int, list[int]]:
    """Return name and number of a tracepoint, and the events of the recording that are of it."""
    types = recording.reader.event_types()
    used = set(np.unique(rows["event"]).tolist())
    known: dict[int, set[str]] = {}
    numbers: dict[int, list[int]] = {}
    for i, (kind, config) in enumerate(types):
        if kind == wire.TYPE_TRACEPOINT:
            own = recording.features.name_of(kind, config)
            known.setdefault(config, set()).update({own, recording.names.get(i) or own})
            numbers.setdefault(config, []).append(i)
    if wanted:
        found = [config for config, names in known.items() if wanted in names]
    else:
        found = [config for config in known if used & set(numbers[config])] or list(known)
    if len(found) != 1:
        listed = ", ".join(sorted(recording.features.name_of(wire.TYPE_TRACEPOINT, c) for c in known))
        if not known:
            raise UsageError(f"{title} holds no tracepoints", "perf record -e sched:sched_switch has some")
        if wanted:
            raise UsageError(f"{title} holds no tracepoint {wanted}", f"it holds {listed}")
        raise UsageError(f"{title} holds {len(found)} tracepoints", f"name one of {listed}")
    name = wanted or recording.features.name_of(wire.TYPE_TRACEPOINT, found[0])
    return name, found[0], numbers[found[0]]


def _format(title: str, tracing: bytes, name: str, number: int) -> tuple[Field, ...]:
    for _, described in formats_of(tracing):
        head = head_of(described)
        if head and head[1] == number:
            try:
                return fields_of(described, long_bytes(tracing))
            except ValueError as error:
                raise FormatError(f"{title}: the format of {name} is damaged: {error}") from None
    raise FormatError(f"{title} lacks the format of {name}", "perf writes it; was the recording cut off?")


def _sample_columns(rows: np.ndarray[Any, Any], comms: list[str]) -> dict[str, Column]:
    columns: dict[str, Column] = {
        name: np.ascontiguousarray(rows[column]) for name, column in _SAMPLE_COLUMNS.items()
    }
    names = [*comms, ""]
    columns["comm"] = [names[i] for i in rows["comm"].tolist()]
    return columns


def _free_name(columns: Mapping[str, Column], name: str) -> str:
    """Return a name that no column has yet."""
    while name in columns:
        name = f"field_{name}"
    return name

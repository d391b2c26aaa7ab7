"""Exporters of tables: Parquet, the container `.kprof`, JSON and CSV.

The container is a ZIP file whose members are stored, not packed, because Parquet packs itself: `kprof.json`
first, by which it is known, then one Parquet file a relation. See `kprof.model.relations` for these.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

import numpy as np

from kprof.errors import NotAvailableError
from kprof.model import Profile
from kprof.model.labels import stack_texts
from kprof.model.relations import Relation, relations
from kprof.wire.tables import HEAD, VERSION

_EPOCH = (1980, 1, 1, 0, 0, 0)


def members(profile: Profile) -> dict[str, bytes]:
    """Return the files of the Parquet set: `kprof.json` and one a relation.

    Raises:
        NotAvailableError: pyarrow is not installed.
    """
    found = {HEAD: json.dumps(_head(profile), ensure_ascii=False).encode(errors="replace")}
    for name, table in relations(profile).items():
        found[f"{name}.parquet"] = _parquet(table)
    return found


def render(profile: Profile) -> bytes:
    """Return the Parquet set in one file, `.kprof`.

    Raises:
        NotAvailableError: pyarrow is not installed.
    """
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as container:
        for name, content in members(profile).items():
            # No time of writing: equal profiles are equal files.
            container.writestr(zipfile.ZipInfo(name, _EPOCH), content)
    return data.getvalue()


def _head(profile: Profile) -> dict[str, Any]:
    return {
        "format": "kprof",
        "version": VERSION,
        "facts": profile.meta.facts,
        "quality": asdict(profile.meta.quality),
    }


def _parquet(table: Relation) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415 - takes 0.2 s to import, and need not be installed
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise NotAvailableError("Parquet needs pyarrow", "install it: pip install 'kprof[tables]'") from None
    columns = {
        name: pa.array(column, pa.string()) if column.dtype == object else pa.array(column)
        for name, column in table.items()
    }
    data = io.BytesIO()
    parquet.write_table(pa.table(columns), data, compression="zstd")
    return data.getvalue()


def render_json(profile: Profile) -> bytes:
    """Return head and relations as one JSON object, a list a column."""
    tables = {
        name: {column: values.tolist() for column, values in table.items()}
        for name, table in relations(profile).items()
    }
    text = json.dumps({"kprof": _head(profile), **tables}, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def render_csv(profile: Profile) -> bytes:
    """Return one line a sample, or a group of equal ones: the stack as folded text, then what is known of it.

    What is not known is empty. Facts, quality, files, addresses and kinds are not in it.
    """
    samples, events = profile.samples, profile.meta.events
    used = np.unique(samples.stack[samples.stack >= 0]).tolist()
    texts = dict(zip(used, stack_texts(profile.mappings, profile.frames, profile.stacks, used), strict=True))
    table = relations(profile)["samples"]
    columns: dict[str, list[Any]] = {
        "stack": [texts.get(stack, "") for stack in samples.stack.tolist()],
        "event": [events[event].name for event in samples.event.tolist()],
        "unit": [events[event].unit for event in samples.event.tolist()],
    }
    for name, values in table.items():
        if name not in {"stack", "event"}:
            columns[name] = ["" if value in {None, -1} else value for value in values.tolist()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode(errors="replace")

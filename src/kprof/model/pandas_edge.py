"""Where a profile becomes a pandas DataFrame."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kprof.model.labels import stack_texts
from kprof.model.tables import Frames, Int32, Mappings, Meta, Samples, Stacks


def to_pandas(
    mappings: Mappings,
    frames: Frames,
    stacks: Stacks,
    samples: Samples,
    *,
    names: Mapping[str, Sequence[str]],
    meta: Meta,
) -> pd.DataFrame:
    """Return one row a sample; see `Profile.to_pandas`."""
    used = np.unique(samples.stack[samples.stack >= 0])
    texts = dict(zip(used.tolist(), stack_texts(mappings, frames, stacks, used.tolist()), strict=True))
    columns: dict[str, object] = {
        "stack": valid_text([texts.get(i, "") for i in samples.stack.tolist()]),
        "weight": samples.weight,
        "count": samples.count,
        "event": _names(samples.event, [e.name for e in meta.events]),
    }
    for name in ("pid", "tid", "cpu", "time_ns"):
        if (values := getattr(samples, name)) is not None:
            columns[name] = values
    for name, values in names.items():
        if (codes := getattr(samples, name)) is not None:
            columns[name] = _names(codes, values)
    return pd.DataFrame(columns)


def frame_of(columns: Mapping[str, np.ndarray | Sequence[Any]]) -> pd.DataFrame:
    """Return columns as they are, arrays of more than one dimension as a column of arrays."""
    plain: dict[str, object] = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            plain[name] = column if column.ndim == 1 else list(column)
        else:
            plain[name] = valid_text(column) if column and isinstance(column[0], str) else column
    return pd.DataFrame(plain)


def _names(codes: Int32, names: Sequence[str]) -> pd.Categorical:
    # Names may have become equal.
    distinct: dict[str, int] = {}
    rows = np.array([*(distinct.setdefault(n, len(distinct)) for n in valid_text(names)), -1], np.int32)
    return pd.Categorical.from_codes(rows[codes], pd.Index(list(distinct), dtype="str"))


def valid_text(texts: Sequence[str]) -> list[str]:
    r"""Return text that pandas takes: with pyarrow, only UTF-8. Other bytes become `\xff`."""
    escape = "surrogateescape"
    return [
        text if text.isascii() else text.encode(errors=escape).decode(errors="backslashreplace")
        for text in texts
    ]

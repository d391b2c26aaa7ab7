"""Readers of the tables that kprof writes: Parquet in a folder or in the container `.kprof`, and JSON.

Source: `kprof.exporters.tables`.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kprof.errors import FormatError, NotAvailableError
from kprof.model import Profile, ProfileInvalidError
from kprof.model.relations import Relation, from_relations
from kprof.readers.json_input import ShapeError, array, load, member
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source
from kprof.readers.statements import quality_of
from kprof.wire.tables import HEAD, RELATIONS, VERSION

_LOCALHEADER = 30  # bytes of a ZIP file before the name of its first member
_CHUNK = 1 << 20
_LARGEST = 1 << 33


def sniff_container(head: bytes) -> bool:
    """Say whether it is a ZIP file that begins with `kprof.json`."""
    return head.startswith(b"PK\3\4") and head[_LOCALHEADER:].startswith(HEAD.encode())


def sniff_json(head: bytes) -> bool:
    """Say whether it is the JSON that kprof writes."""
    return head.startswith(b'{"kprof":{"format":"kprof"')


def sniff_folder(head: bytes) -> bool:
    """Say whether it is the `kprof.json` of a folder of Parquet files."""
    return head.startswith(b'{"format": "kprof"')


def read_folder(source: Source, _options: ReadOptions) -> Profile:
    """Read a folder of Parquet files, given as the folder or its `kprof.json`.

    Raises:
        FormatError: It is damaged, of a later version, or comes as a stream.
        NotAvailableError: pyarrow is not installed.
    """
    if not source.path:
        raise FormatError(f"{source.name} is a part of a folder of Parquet files", "give the folder")
    place = Path(source.path)
    folder = place if place.is_dir() else place.parent
    try:
        head = load(source)
        tables = {name: _parquet((folder / f"{name}.parquet").read_bytes(), name) for name in RELATIONS}
        return _profile(head, tables)
    except OSError as error:
        raise FormatError(f"{source.name}: cannot read {error.filename}: {error.strerror}") from None
    except (ShapeError, ProfileInvalidError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged tables: {error}") from None


def read_container(source: Source, _options: ReadOptions) -> Profile:
    """Read a container.

    Raises:
        FormatError: It is damaged, or of a later version.
        NotAvailableError: pyarrow is not installed.
    """
    parts = []
    while part := source.read(_CHUNK):
        parts.append(part)
    try:
        with zipfile.ZipFile(io.BytesIO(b"".join(parts))) as container:
            head = json.loads(_stored(container, HEAD))
            tables = {name: _parquet(_stored(container, f"{name}.parquet"), name) for name in RELATIONS}
        return _profile(head, tables)
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, NotImplementedError, OSError) as error:
        raise FormatError(f"{source.name}: damaged .kprof file: {_line(error)}") from None
    except (ProfileInvalidError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged .kprof file: {error}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _stored(container: zipfile.ZipFile, name: str) -> bytes:
    info = container.getinfo(name)
    # What is packed could unpack to anything; Parquet packs itself.
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ShapeError(f"{name} is packed")
    return container.read(info)


def _parquet(data: bytes, name: str) -> Relation:
    try:
        import pyarrow as pa  # noqa: PLC0415 - takes 0.2 s to import, and need not be installed
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise NotAvailableError("Parquet needs pyarrow", "install it: pip install 'kprof[tables]'") from None
    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        rows = file.metadata
        if sum(rows.row_group(i).total_byte_size for i in range(rows.num_row_groups)) > _LARGEST:
            raise ShapeError(f"{name} is larger than 8 GiB")
        table = file.read()
        return {c: table.column(c).to_numpy(zero_copy_only=False) for c in table.column_names}
    except pa.ArrowException as error:
        raise ShapeError(f"{name}: {_line(error)}") from None


def read_json(source: Source, _options: ReadOptions) -> Profile:
    """Read the JSON that kprof writes.

    Raises:
        FormatError: It is damaged, or of a later version.
    """
    try:
        document = load(source)
        tables = {name: _table(member(document, name), name) for name in RELATIONS}
        return _profile(member(document, "kprof"), tables)
    except (ShapeError, ProfileInvalidError, OverflowError) as error:
        raise FormatError(f"{source.name}: damaged tables: {error}") from None


def _table(table: Any, name: str) -> Relation:
    if not isinstance(table, dict):
        raise ShapeError(f"{name} is no table")
    return {column: _column(table, column) for column in table}


def _column(table: dict[str, Any], name: str) -> np.ndarray:
    values = array(table, name)
    if values and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        kind = np.uint64 if min(values) >= 0 else np.int64
        return np.array(values, kind)
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _profile(head: Any, tables: Mapping[str, Relation]) -> Profile:
    if member(head, "version") != VERSION:
        raise ShapeError(f"version {head['version']!r:.20} of this format is not known; update kprof")
    facts = member(head, "facts")
    if not isinstance(facts, dict):
        raise ShapeError("facts is no object")
    known = {str(key): str(value) for key, value in facts.items()}
    return from_relations(tables, facts=known, quality=quality_of(member(head, "quality")))

"""Files of normal forms that one run keeps for the next: read if the same code made them, written whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lib.normal_forms import NormalForm

MADE_BY = b"made_by"
PRIVATE = 0o600


def code_hash(modules: Iterable[Path], libraries: Iterable[str]) -> bytes:
    """Hash of the code and of the libraries' versions, which decide a normal form beside the value."""
    digest = hashlib.sha256()
    for module in modules:
        digest.update(module.read_bytes())
    for library in libraries:
        digest.update(f"{library}={version(library)};".encode())
    return digest.hexdigest().encode()


def known_forms(
    target: Path, keys: Sequence[str], *, made_by: bytes
) -> dict[tuple[Any, ...], NormalForm]:
    """What an earlier run's file says by its key columns; nothing where other code made it, or it is damaged."""
    try:
        if (pq.read_schema(target).metadata or {}).get(MADE_BY) != made_by:
            return {}
        columns = pq.read_table(target).to_pydict()
    except (OSError, pa.ArrowInvalid):
        return {}
    forms = map(NormalForm, columns["normalised"], columns["problem"])
    return dict(zip(zip(*(columns[key] for key in keys), strict=True), forms, strict=True))


def write_forms(
    rows: Sequence[Sequence[Any]], target: Path, *, schema: pa.Schema, made_by: bytes
) -> None:
    """Writes rows in the order of the schema's fields, whole or not at all, for the user alone: some are people's."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    table = pa.Table.from_arrays(
        [pa.array(column, type=part.type) for column, part in zip(columns, schema, strict=True)],
        schema=schema.with_metadata({MADE_BY: made_by}),
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        unfinished.chmod(PRIVATE)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)

"""A hash of what a table says, whatever engine, file format or number of threads wrote it.

SHA-256 over a header (the columns' names) and the text of each row in key order. In a row each
value ends with `|`: null is `-`, a text is its length in bytes, `:` and itself, so that no two
different rows read alike. Amounts keep their scale, timestamps have six decimals, doubles
the twelve at which shares are published.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.lib.extracts.quoting import identifier, literal

BATCH_ROWS = 100_000
DOUBLE_AS = "decimal(38, 12)"


def content_sha256(connection: duckdb.DuckDBPyConnection, parquet: Path) -> tuple[int, str]:
    """Rows and content hash of a Parquet file that lies in key order.

    The connection must preserve insertion order. Rows stream through in batches: memory does not
    grow with the file.
    """
    source = f"read_parquet({literal(parquet)})"
    described = connection.execute(f"describe select * from {source}").fetchall()
    digest = hashlib.sha256(("|".join(str(name) for name, *_ in described) + "\n").encode())
    values = ", ".join(_value_text(str(name), str(kind)) for name, kind, *_ in described)
    # One call for all columns: a chain of `||` would copy the growing row at each of them.
    text = f"concat_ws('|', {values}, '')"
    rows = 0
    relation = connection.sql(f"select {text} as row_text from {source}")
    for batch in relation.to_arrow_reader(BATCH_ROWS):
        rows += batch.num_rows
        digest.update(_bytes_of(batch.column(0)))
    return rows, digest.hexdigest()


def _value_text(column: str, kind: str) -> str:
    name = identifier(column)
    if kind == "VARCHAR":
        return f"coalesce(strlen({name}) || ':' || {name}, '-')"
    if kind in ("DOUBLE", "FLOAT"):
        # Engines write doubles differently (1e-05, 1.0E-5); as decimals they read alike.
        shown = f"coalesce(try_cast({name} as {DOUBLE_AS})::varchar, {name}::varchar)"
    elif kind == "TIMESTAMP":
        shown = f"strftime({name}, '%Y-%m-%d %H:%M:%S.%f')"
    else:
        shown = f"{name}::varchar"
    return f"coalesce({shown}, '-')"


def _bytes_of(texts: pa.Array) -> memoryview:
    """The characters of all texts one after the other, without a Python object per row."""
    if not len(texts):
        return memoryview(b"")
    texts = texts.cast(pa.large_string())
    _, offsets, characters = texts.buffers()
    ends = memoryview(offsets).cast("q")
    return memoryview(characters)[ends[texts.offset] : ends[texts.offset + len(texts)]]

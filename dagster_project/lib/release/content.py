"""A hash of what a table says, whatever engine, file format or number of threads wrote it.

SHA-256 over a header and, column by column, over the SHA-256 of what the rows say there in key
order. The header names each column with the way in which it is said, `name|way` and a line feed:

    text         per row the length in bytes, of 4 bytes, -1 for null; then all characters
    whole        per row a byte, 0 for null and 1 for the rest; then per row 8 bytes
    decimal.4    the same with 16 bytes: the amount in units of the last of its 4 decimals
    double       the same with 8 bytes: IEEE 754, rounded to the twelve decimals at which shares
                 are published, zero without a sign
    date         the same with 8 bytes: days since 1970-01-01
    timestamp    the same with 8 bytes: microseconds since 1970-01-01

A column's hash is over two: of what comes before `then`, and of what comes after. Numbers are
little-endian and signed, those under a null 0; true is 1 and false 0; other types are their text.

A mart in parts (`meta.parts`) has SHA-256 over the same header and, per part in order, the text of
the part's value (null is `-`, a text is its length in bytes, `:` and itself), `|`, its rows, `:`,
the SHA-256 over its columns' hashes, and a line feed: what did not change is not read again, and a
first load comes to the same hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.lib.extracts.quoting import identifier, literal

BATCH_ROWS = 100_000
SHARE_UNITS = 1e12
MOST_UNITS = 2.0**53
# By DuckDB's type; decimals apart, and all others as text.
WAYS = {
    "VARCHAR": "text",
    **dict.fromkeys(["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"], "whole"),
    **dict.fromkeys(["FLOAT", "DOUBLE"], "double"),
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}
READ_AS = {"text": "varchar", "whole": "bigint", "double": "double"}

Column = tuple[str, str]
"""Name and DuckDB's type."""


def content_sha256(connection: duckdb.DuckDBPyConnection, parquet: Path) -> tuple[int, str]:
    """Rows and content hash of a Parquet file that lies in key order.

    The connection must preserve insertion order. Rows stream through in batches: memory does not
    grow with the file.
    """
    columns = columns_of(connection, f"read_parquet({literal(parquet)})")
    rows, digest = 0, _RowsDigest(columns)
    for batch in _batches(connection, parquet, columns):
        rows += len(batch)
        digest.update(batch)
    return rows, hashlib.sha256(_header(columns) + digest.said()).hexdigest()


def runs_sha256(
    connection: duckdb.DuckDBPyConnection, parquet: Path, runs: Sequence[int]
) -> list[str]:
    """The hashes of a file's runs of so many rows one after the other, without the header."""
    columns = columns_of(connection, f"read_parquet({literal(parquet)})")
    hashes: list[str] = []
    digest, left = _RowsDigest(columns), runs[0] if runs else 0
    for batch in _batches(connection, parquet, columns):
        at = 0
        while at < len(batch):
            step = min(left, len(batch) - at)
            digest.update(batch.slice(at, step))
            at, left = at + step, left - step
            if not left:
                hashes.append(hashlib.sha256(digest.said()).hexdigest())
                digest, left = _RowsDigest(columns), [*runs, 0][len(hashes)]
    return hashes


def parts_sha256(columns: Sequence[Column], parts: Iterable[tuple[str, int, str]]) -> str:
    """Content hash of a mart in parts: (text of the value, rows, `runs_sha256`) in key order."""
    digest = hashlib.sha256(_header(columns))
    for value, rows, sha256 in parts:
        digest.update(f"{value}|{rows}:{sha256}\n".encode())
    return digest.hexdigest()


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> list[Column]:
    """Name and type of each column of a relation, in its order."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    return [(str(name), str(kind)) for name, kind, *_ in described]


def value_text(column: Column) -> str:
    """SQL for the text of one value of a column by which a mart is written in parts."""
    name, kind = identifier(column[0]), column[1]
    if kind == "VARCHAR":
        return f"coalesce(strlen({name}) || ':' || {name}, '-')"
    return f"coalesce({name}::varchar, '-')"


class _RowsDigest:
    """What rows say, column by column; in how many batches they come makes no difference."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [(_way(kind), hashlib.sha256(), hashlib.sha256()) for _, kind in columns]

    def update(self, batch: pa.RecordBatch) -> None:
        """Adds rows whose columns are of the types of `_batches`."""
        if not len(batch):
            return
        for (way, first, then), values in zip(self._columns, batch.columns, strict=True):
            if way == "text":
                lengths = pc.fill_null(pc.binary_length(values), -1)
                first.update(_fixed(lengths.cast(pa.int32())))
                then.update(_characters(values))
            else:
                first.update(_fixed(pc.is_valid(values).cast(pa.uint8())))
                then.update(_fixed(_numbers(values, way)))

    def said(self) -> bytes:
        """The hashes of all columns one after the other."""
        pairs = (first.digest() + then.digest() for _, first, then in self._columns)
        return b"".join(hashlib.sha256(pair).digest() for pair in pairs)


def _way(kind: str) -> str:
    decimals = re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", kind)
    return f"decimal.{decimals[1]}" if decimals else WAYS.get(kind, "text")


def _header(columns: Sequence[Column]) -> bytes:
    return "".join(f"{name}|{_way(kind)}\n" for name, kind in columns).encode()


def _batches(
    connection: duckdb.DuckDBPyConnection, parquet: Path, columns: Sequence[Column]
) -> Iterator[pa.RecordBatch]:
    read = [
        f"{identifier(name)}::{READ_AS.get(_way(kind), kind)} as {identifier(name)}"
        for name, kind in columns
    ]
    relation = connection.sql(f"select {', '.join(read)} from read_parquet({literal(parquet)})")
    yield from relation.to_arrow_reader(BATCH_ROWS)


def _numbers(values: pa.Array, way: str) -> pa.Array:
    """Numbers of a fixed width, 0 under a null."""
    if way == "date":
        values = values.view(pa.int32()).cast(pa.int64())
    elif way == "timestamp":
        values = values.view(pa.int64())
    if values.null_count:
        values = pc.fill_null(values, pa.scalar(0, values.type))
    if way != "double":
        return values
    with np.errstate(over="ignore", invalid="ignore"):
        # what is added takes the sign off a zero
        plain = values.to_numpy()
        units = np.rint(plain * SHARE_UNITS)
        # a double beyond 2^53 units has no twelfth decimal to round at
        rounded = np.where(np.abs(units) < MOST_UNITS, units / SHARE_UNITS, plain) + 0.0
    rounded[np.isnan(rounded)] = np.nan
    return pa.array(rounded)


def _fixed(values: pa.Array) -> memoryview:
    """The bytes of values of a fixed width."""
    width = values.type.bit_width // 8
    begin = values.offset * width
    return memoryview(values.buffers()[1])[begin : begin + len(values) * width]


def _characters(texts: pa.Array) -> memoryview:
    """The characters of all texts one after the other, without a Python object per row."""
    texts = texts.cast(pa.large_string())
    _, offsets, characters = texts.buffers()
    ends = memoryview(offsets).cast("q")
    return memoryview(characters)[ends[texts.offset] : ends[texts.offset + len(texts)]]

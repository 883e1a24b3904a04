"""A hash of what a table says, whatever engine, file format or number of threads wrote it.

SHA-256 over a header (the columns' names) and the text of each row in key order. In a row each
value ends with `|`: null is `-`, a text is its length in bytes, `:` and itself, so that no two
different rows read alike. Amounts keep their scale, timestamps have six decimals, doubles
the twelve at which shares are published.

A mart in parts (`meta.parts`) has SHA-256 over the same header and, per part in order, the part's
value as above, its rows, `:`, and the SHA-256 of its rows' texts, `\n`: what did not change is not
read again, and a first load comes to the same hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.lib.extracts.quoting import identifier, literal

BATCH_ROWS = 100_000
# Below a million the short decimal has the same text at a seventh of the time.
DOUBLE_AS = ("decimal(18, 12)", "decimal(38, 12)")

Column = tuple[str, str]
"""Name and DuckDB's type."""


def content_sha256(connection: duckdb.DuckDBPyConnection, parquet: Path) -> tuple[int, str]:
    """Rows and content hash of a Parquet file that lies in key order.

    The connection must preserve insertion order. Rows stream through in batches: memory does not
    grow with the file.
    """
    columns = columns_of(connection, f"read_parquet({literal(parquet)})")
    digest, rows = hashlib.sha256(_header(columns)), 0
    for texts in _texts(connection, parquet, columns):
        rows += len(texts)
        digest.update(_bytes_of(texts))
    return rows, digest.hexdigest()


def runs_sha256(
    connection: duckdb.DuckDBPyConnection, parquet: Path, runs: Sequence[int]
) -> list[str]:
    """The hashes of a file's runs of so many rows one after the other, without the header."""
    columns = columns_of(connection, f"read_parquet({literal(parquet)})")
    hashes: list[str] = []
    digest, left = hashlib.sha256(), runs[0] if runs else 0
    for texts in _texts(connection, parquet, columns):
        at = 0
        while at < len(texts):
            step = min(left, len(texts) - at)
            digest.update(_bytes_of(texts.slice(at, step)))
            at, left = at + step, left - step
            if not left:
                hashes.append(digest.hexdigest())
                digest, left = hashlib.sha256(), [*runs, 0][len(hashes)]
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
    """SQL for the text of one value of this column."""
    name, kind = identifier(column[0]), column[1]
    if kind == "VARCHAR":
        return f"coalesce(strlen({name}) || ':' || {name}, '-')"
    if kind in ("DOUBLE", "FLOAT"):
        # Engines write doubles differently (1e-05, 1.0E-5); as decimals they read alike.
        decimals = ", ".join(f"try_cast({name} as {kind})::varchar" for kind in DOUBLE_AS)
        shown = f"{decimals}, {name}::varchar"
    elif kind == "TIMESTAMP":
        shown = f"strftime({name}, '%Y-%m-%d %H:%M:%S.%f')"
    else:
        shown = f"{name}::varchar"
    return f"coalesce({shown}, '-')"


def _header(columns: Sequence[Column]) -> bytes:
    return ("|".join(name for name, _ in columns) + "\n").encode()


def _texts(
    connection: duckdb.DuckDBPyConnection, parquet: Path, columns: Sequence[Column]
) -> Iterator[pa.Array]:
    # One call for all columns: a chain of `||` would copy the growing row at each of them.
    text = f"concat_ws('|', {', '.join(map(value_text, columns))}, '')"
    relation = connection.sql(f"select {text} as row_text from read_parquet({literal(parquet)})")
    for batch in relation.to_arrow_reader(BATCH_ROWS):
        yield batch.column(0)


def _bytes_of(texts: pa.Array) -> memoryview:
    """The characters of all texts one after the other, without a Python object per row."""
    if not len(texts):
        return memoryview(b"")
    texts = texts.cast(pa.large_string())
    _, offsets, characters = texts.buffers()
    ends = memoryview(offsets).cast("q")
    return memoryview(characters)[ends[texts.offset] : ends[texts.offset + len(texts)]]

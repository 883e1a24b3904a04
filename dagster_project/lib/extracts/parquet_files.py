"""Reads Parquet files of any physical types into the canonical ones."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.extracts.delimited import TextTable
from dagster_project.lib.extracts.entities import Column
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.header import Header, match_header
from dagster_project.lib.extracts.job import Job, Outcome, settle
from dagster_project.lib.extracts.limits import MAX_FIELD_CHARACTERS
from dagster_project.lib.extracts.profile import Layout
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.typed_sql import (
    SourceColumn,
    TypedQuery,
    text_alias,
    typed_query,
    value_alias,
)
from dagster_project.lib.extracts.values import Failure, failures, trimmed, typed
from dagster_project.lib.extracts.writing import write_marked

_WHOLE = frozenset(
    [
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
    ]
)
_FLOATS = frozenset(["FLOAT", "DOUBLE"])
_DECIMAL_COLUMNS = frozenset(["amount", "quantity", "rate", "share"])
_NOT_THE_FILES_FAULT = (
    duckdb.OutOfMemoryException,
    duckdb.BinderException,
    duckdb.ParserException,
    duckdb.ConversionException,
    duckdb.InternalException,
)
# Above 2^53 a double no longer holds each whole number: two ids would become one.
_EXACT_UP_TO = 2**53


def land_parquet(job: Job, content: Path, layout: Layout) -> Outcome:
    """Types the file's rows into job.marked or job.loaded and its bad ones into job.rejected.

    Raises:
        ExtractError: the file is damaged or no Parquet, or its columns are not the entity's.
    """
    assert job.entity is not None
    file = job.origin.file
    names, kinds = _schema(job.connection, content, file)
    header = match_header(names, layout, what=job.entity.name, file=file)
    query = _query(job, content, header=header, kinds=kinds)
    try:
        rows, failed = write_marked(job.connection, query, job.marked)
    except _NOT_THE_FILES_FAULT:
        raise
    except duckdb.Error as error:
        raise _damaged(file, error) from error
    typed_file, reasons = settle(job, query, failed=failed, has_lines=False, rejected_lines=None)
    return Outcome(
        rows,
        typed_file,
        reasons,
        header,
        absent=tuple(name for name in job.entity.columns if name not in header.positions),
        encoding="parquet",
        dialect="parquet",
    )


def open_parquet(
    connection: duckdb.DuckDBPyConnection, content: Path, *, decimal: str, file: str
) -> TextTable:
    """The file's rows as text under the decimal mark of a dialect, for a profile that maps them.

    Raises:
        ExtractError: the file is damaged or no Parquet.
    """
    names, kinds = _schema(connection, content, file)
    texts = [f"{_plain_text(f's{i}', kind, decimal)} as s{i + 1}" for i, kind in enumerate(kinds)]
    try:
        counted = connection.execute(f"select count(*) from {_relation(content)}").fetchone()
    except duckdb.Error as error:
        raise _damaged(file, error) from error
    assert counted is not None
    return TextTable(
        relation=f"(select {', '.join(texts)} from {_relation(content, len(names))})",
        names=tuple(names),
        has_line=False,
        line_offset=1,
        rows=int(counted[0]),
        is_careful=True,
        rejects=None,
        encoding="parquet",
        dialect="parquet",
        has_native_values=True,
    )


def _plain_text(source: str, kind: str, decimal: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {source})::varchar"
    if kind in _FLOATS or kind.startswith("DECIMAL"):
        return f"replace({source}::varchar, '.', {literal(decimal)})"
    return f"{source}::varchar"


def _schema(
    connection: duckdb.DuckDBPyConnection, content: Path, file: str
) -> tuple[list[str], list[str]]:
    """Column names as the file has them (DuckDB makes twins unique), and DuckDB's types."""
    # pyarrow takes 0.2 s to import, and only Parquet needs it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = list(pq.read_schema(content).names)
        described = connection.execute(f"describe select * from {_relation(content)}").fetchall()
    except (pa.ArrowException, OSError, duckdb.Error) as error:
        raise _damaged(file, error) from error
    return names, [str(row[1]) for row in described]


def _relation(content: Path, width: int | None = None) -> str:
    relation = f"read_parquet({literal(content)}, binary_as_string = true)"
    if width is None:
        return relation
    return f"{relation} as source ({', '.join(f's{position}' for position in range(width))})"


def _query(job: Job, content: Path, *, header: Header, kinds: list[str]) -> TypedQuery:
    assert job.entity is not None
    columns = {}
    for index, column in enumerate(job.entity.columns.values()):
        if column.name in header.positions:
            position = header.positions[column.name]
            _refuse_nested(kinds[position], column, job.origin.file)
            columns[column.name] = _source_column(column, index, position, kinds[position])
    extra = ", ".join(f"{literal(name)}, s{position}" for name, position in header.extra)
    return typed_query(
        job.entity,
        columns,
        relation=_relation(content, header.width),
        line=None,
        extra=f"json_object({extra})::varchar" if extra else None,
        system=job.origin.system,
        delivery_id=job.origin.delivery_id,
        line_offset=job.origin.line_offset,
    )


def _source_column(column: Column, index: int, position: int, kind: str) -> SourceColumn:
    source = f"s{position}"
    text, value = text_alias(index), value_alias(index)
    if kind == "TIMESTAMP WITH TIME ZONE":
        source, kind = f"timezone('UTC', {source})", "TIMESTAMP"
    native = _native_value(column, kind, text)
    rules = failures(column, text=text, value=value, is_native=native is not None)
    if kind == "VARCHAR":
        rules = [*rules, *_text_faults(text)]
    elif kind in _FLOATS and column.type in ("id", "text"):
        rules.append(Failure(f"abs(try_cast({text} as double)) > {_EXACT_UP_TO}", "out_of_range"))
    return SourceColumn(
        column=column,
        text=source if native is not None else _as_text(source, kind, column),
        value=native if native is not None else typed(column, text),
        raw=source,
        failures=tuple(rules),
    )


def _native_value(column: Column, kind: str, text: str) -> str | None:
    """SQL of the canonical value where the physical type says enough, else None: by way of text."""
    is_exact = kind in _WHOLE or kind.startswith("DECIMAL")
    if column.type in _DECIMAL_COLUMNS and is_exact:
        return f"try_cast({text} as {column.duckdb_type})"
    if column.type == "integer" and kind in _WHOLE:
        return f"try_cast({text} as bigint)"
    if column.type == "boolean" and kind == "BOOLEAN":
        return text
    in_range = f"year({text}) between 1900 and 9999"
    is_moment = kind == "DATE" or kind.startswith("TIMESTAMP")
    if column.type == "date" and kind == "DATE":
        return f"case when {in_range} then {text} end"
    if column.type == "date" and is_moment:
        is_midnight = f"{text}::date::timestamp = {text}::timestamp"
        return f"case when {in_range} and {is_midnight} then {text}::date end"
    if column.type == "timestamp" and is_moment:
        return f"case when {in_range} then {text}::timestamp end"
    return None


def _as_text(source: str, kind: str, column: Column) -> str:
    if kind == "VARCHAR":
        return trimmed(source)
    is_fractional = kind in _FLOATS or kind.startswith("DECIMAL")
    if is_fractional and column.type not in _DECIMAL_COLUMNS:
        whole = f"case when isfinite({source}::double) and {source} = trunc({source})"
        exact = f" and abs({source}) <= {_EXACT_UP_TO}" if kind in _FLOATS else ""
        return f"{whole}{exact} then {source}::hugeint::varchar else {source}::varchar end"
    return f"{source}::varchar"


def _text_faults(text: str) -> list[Failure]:
    return [
        Failure(f"contains({text}, chr(0))", "nul_byte"),
        Failure(f"strlen({text}) > {MAX_FIELD_CHARACTERS}", "field_too_long"),
    ]


def _refuse_nested(kind: str, column: Column, file: str) -> None:
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        raise ExtractError(
            file,
            "the column is nested (a list or a struct) and has no single value",
            column=column.name,
            remedy="Export one plain value per row in this column.",
        )


def _damaged(file: str, error: Exception) -> ExtractError:
    return ExtractError(
        file,
        f"the file is damaged or no Parquet file ({type(error).__name__})",
        remedy="Export or copy the file again; the transfer may have been interrupted.",
    )

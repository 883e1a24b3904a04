"""Writes the raw zone: typed rows, rejected rows, by temporary file and rename."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.entities import Entity, load_entities
from dagster_project.lib.extracts.limits import MAX_RAW_TEXT_CHARACTERS
from dagster_project.lib.extracts.quoting import identifier, literal
from dagster_project.lib.extracts.typed_sql import TypedQuery

EXTRA_FIELDS = {
    "extra_columns": "VARCHAR",
    "source_system": "VARCHAR",
    "delivery_id": "BIGINT",
    "line_number": "BIGINT",
    "line_offset": "INTEGER",
}
REJECTED_FIELDS = {
    "entity": "VARCHAR",
    "source_system": "VARCHAR",
    "source_file": "VARCHAR",
    "delivery_id": "BIGINT",
    "line_number": "BIGINT",
    "column_name": "VARCHAR",
    "raw_value": "VARCHAR",
    "rule": "VARCHAR",
    "raw_line": "VARCHAR",
    # what the row says of its date and money, where it can be read (entities.yml, dated_by, measured_by)
    "row_date": "DATE",
    "row_amount": "DECIMAL(18,4)",
    "row_currency": "VARCHAR",
}
# The second version of Parquet packs numbers and lengths by their differences; a column with more than some
# thousand values in a row group is not worth a dictionary that is given up when it is full.
RAW_FORMAT = "format parquet, parquet_version v2, dictionary_size_limit 8000"
# entity -> bytes of its file without rows, made once in a process
_EMPTY_FILES: dict[str, bytes] = {}


@dataclass(frozen=True)
class Origin:
    """Where rows come from: the constants of their rejected rows."""

    entity: str
    system: str
    file: str
    delivery_id: int
    line_offset: int


def write_marked(
    connection: duckdb.DuckDBPyConnection, query: TypedQuery, target: Path
) -> tuple[int, int]:
    """Runs the query into `target`; returns (rows, rows marked as failed)."""
    connection.execute(f"copy ({query.sql}) to {literal(target)} ({RAW_FORMAT})")
    row = connection.execute(
        "select count(*), count(*) filter (where line_number < 0)"
        f" from read_parquet({literal(target)})"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def split_marked(
    connection: duckdb.DuckDBPyConnection,
    marked: Path,
    *,
    query: TypedQuery,
    origin: Origin,
    has_lines: bool,
    loaded: Path,
) -> None:
    """Writes the good rows of `marked` to `loaded`, the failed ones to the table rejected_row."""
    rows = f"read_parquet({literal(marked)}, file_row_number = true)"
    place = f"file_row_number + {origin.line_offset}"
    line = "abs(line_number)" if has_lines else place
    connection.execute(
        "copy (select * exclude (file_row_number)"
        f" replace ({line}::bigint as line_number) from {rows}"
        f" where line_number is null or line_number >= 0) to {literal(loaded)} ({RAW_FORMAT})"
    )
    codes = ", ".join(
        f"({code}, {literal(column)}, {literal(rule)})"
        for code, (column, rule) in query.rules.items()
    )
    text = "substr(failed.extra_columns, instr(failed.extra_columns, ':') + 1)"
    connection.execute(
        f"insert into rejected_row select {_constants(origin)}, failed.line_number,"
        f" failure_code.column_name, nullif(left({text}, {MAX_RAW_TEXT_CHARACTERS}), ''),"
        " failure_code.rule, null, row_date, row_amount, row_currency"
        f" from (select extra_columns, {line} as line_number, {_placed(origin.entity)} from {rows}"
        " where line_number < 0) as failed"
        f" inner join (values {codes}) as failure_code (code, column_name, rule)"
        " on failure_code.code = split_part(failed.extra_columns, ':', 1)::integer"
    )


def create_rejected_table(connection: duckdb.DuckDBPyConnection) -> None:
    """The table in which a file's rejected rows gather."""
    columns = ", ".join(f"{name} {kind}" for name, kind in REJECTED_FIELDS.items())
    connection.execute(f"create temp table rejected_row ({columns})")


def add_rejected_lines(connection: duckdb.DuckDBPyConnection, lines: Path, origin: Origin) -> None:
    """Adds the lines that the careful path set apart."""
    connection.execute(
        f"insert into rejected_row select {_constants(origin)},"
        " line_number, null, null, rule, raw_line, null, null, null"
        f" from read_json({literal(lines)}, format = 'newline_delimited',"
        " columns = {line_number: 'BIGINT', rule: 'VARCHAR', raw_line: 'VARCHAR'})"
    )


def write_rejected(connection: duckdb.DuckDBPyConnection, target: Path) -> dict[str, int]:
    """Writes the rejected rows in the order of their lines; returns rows by rule."""
    reasons = connection.execute(
        "select rule, count(*) from rejected_row group by rule order by count(*) desc, rule"
    ).fetchall()
    if reasons:
        connection.execute(
            "copy (select * from rejected_row order by line_number)"
            f" to {literal(target)} ({RAW_FORMAT})"
        )
    return {str(rule): int(count) for rule, count in reasons}


def empty_parquet(entity: Entity, raw: Path) -> Path:
    """Writes raw/<entity>/_empty.parquet (no rows, exact schema) unless it is there."""
    path = raw / entity.name / "_empty.parquet"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    if not _EMPTY_FILES:
        _EMPTY_FILES.update(_made_empty(part))
    part.write_bytes(_EMPTY_FILES[entity.name])
    os.replace(part, path)
    return path


def _made_empty(part: Path) -> dict[str, bytes]:
    """The content of each entity's file without rows, all by one connection: it costs more than the files."""
    found = {}
    # without the readers' vocabularies, which take longer than the writing
    with duckdb.connect(config={"threads": 1}) as connection:
        for entity in load_entities().values():
            kinds = {column.name: column.duckdb_type for column in entity.columns.values()}
            columns = ", ".join(
                f"null::{kind} as {identifier(name)}"
                for name, kind in (kinds | EXTRA_FIELDS).items()
            )
            connection.execute(f"copy (select {columns} limit 0) to {literal(part)} ({RAW_FORMAT})")
            found[entity.name] = part.read_bytes()
    return found


def rows_by_month(
    connection: duckdb.DuckDBPyConnection, typed: Path, dated_by: str | None
) -> dict[date, int]:
    """Rows of a typed file by the first day of the month of its date; nothing where it has none."""
    if dated_by is None:
        return {}
    counted = connection.execute(
        f"select date_trunc('month', {identifier(dated_by)})::date as month, count(*)"
        f" from read_parquet({literal(typed)}) group by month order by month"
    )
    return dict(counted.fetchall())


def part_of(path: Path) -> Path:
    """The name of a file until it is whole: hidden from `*.parquet`, beside its final place."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _placed(name: str) -> str:
    """SQL of a rejected row's date, amount and currency, over the typed columns of its entity."""
    entity = load_entities().get(name)
    dated_by = entity.dated_by if entity else None
    amount, currency = (entity.measured_by if entity else None) or (None, None)
    columns = (("row_date", dated_by), ("row_amount", amount), ("row_currency", currency))
    return ", ".join(f"{identifier(of) if of else 'null'} as {alias}" for alias, of in columns)


def _constants(origin: Origin) -> str:
    return (
        f"{literal(origin.entity)}, {literal(origin.system)}, {literal(origin.file)},"
        f" {origin.delivery_id}::bigint"
    )

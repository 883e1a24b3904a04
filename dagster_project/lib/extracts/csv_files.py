"""Lands delimited text under the dialect of the profile `generic`."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.lib.extracts.delimited import TextTable, open_delimited
from dagster_project.lib.extracts.dialect import Dialect
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.lib.extracts.header import Header, match_header
from dagster_project.lib.extracts.job import Job, Outcome, settle
from dagster_project.lib.extracts.probe import Probe
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.typed_sql import (
    SourceColumn,
    TypedQuery,
    text_alias,
    typed_query,
    value_alias,
)
from dagster_project.lib.extracts.values import failures, trimmed, typed
from dagster_project.lib.extracts.writing import write_marked

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def land_csv(job: Job, content: Path, *, probe: Probe, delimiter: str) -> Outcome:
    """Types the file's rows into job.marked or job.loaded and its bad ones into job.rejected.

    Raises:
        ExtractError: the bytes are no text in UTF-8, or the header is not the entity's.
    """
    if probe.head.startswith(_WIDE_MARKS):
        raise ExtractError(
            job.origin.file,
            "the file is encoded in UTF-16 or UTF-32",
            remedy="Save it as CSV in UTF-8 (in Excel: 'CSV UTF-8').",
        )
    table = _open(job, content, probe=probe, delimiter=delimiter, careful=False)
    header = match_header(table.names, job.entity, file=job.origin.file)
    done = _land_fast(job, table, header) if not table.is_careful else None
    if done is None:
        if not table.is_careful:
            table = _open(job, content, probe=probe, delimiter=delimiter, careful=True)
        done = _land_careful(job, table, header)
    rows_read, typed_file, reasons = done
    return Outcome(
        rows_read=rows_read,
        typed=typed_file,
        reasons=reasons,
        header=header,
        encoding=table.encoding,
        dialect=table.dialect,
    )


def _open(job: Job, content: Path, *, probe: Probe, delimiter: str, careful: bool) -> TextTable:
    return open_delimited(
        content,
        scratch=job.scratch,
        dialect=Dialect(delimiters=(delimiter,)),
        file=job.origin.file,
        suffix=".csv",
        known=lambda names: sum(name.strip().lower() in job.entity.columns for name in names),
        probe=probe,
        careful=careful,
        wanted=[column.name for column in job.entity.columns.values() if column.required],
    )


def _land_fast(
    job: Job, table: TextTable, header: Header
) -> tuple[int, Path, dict[str, int]] | None:
    """Lets DuckDB read the file itself; None where the result cannot be trusted line by line."""
    query = _query(job, table, header)
    try:
        rows, failed = write_marked(job.connection, query, job.marked)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return None
    if rows != table.rows:
        return None
    typed_file, reasons = settle(job, query, failed=failed, has_lines=False, rejected_lines=None)
    return rows, typed_file, reasons


def _land_careful(job: Job, table: TextTable, header: Header) -> tuple[int, Path, dict[str, int]]:
    query = _query(job, table, header)
    rows, failed = write_marked(job.connection, query, job.marked)
    if rows != table.rows:
        raise AssertionError(f"{job.origin.file}: {table.rows} clean records, {rows} read back")
    typed_file, reasons = settle(
        job, query, failed=failed, has_lines=True, rejected_lines=table.rejects
    )
    return rows + table.reasons.total(), typed_file, reasons


def _query(job: Job, table: TextTable, header: Header) -> TypedQuery:
    columns = {}
    for index, column in enumerate(job.entity.columns.values()):
        if column.name not in header.positions:
            continue
        source = f"s{header.positions[column.name] + 1}"
        text, value = text_alias(index), value_alias(index)
        columns[column.name] = SourceColumn(
            column=column,
            text=trimmed(source) if table.may_need_trim else source,
            value=typed(column, text),
            raw=source,
            failures=tuple(failures(column, text=text, value=value)),
        )
    extra = ", ".join(f"{literal(name)}, s{position + 1}" for name, position in header.extra)
    return typed_query(
        job.entity,
        columns,
        relation=table.relation,
        line="s0::bigint" if table.has_line else None,
        extra=f"json_object({extra})::varchar" if extra else None,
        system=job.origin.system,
        delivery_id=job.origin.delivery_id,
        line_offset=job.origin.line_offset,
    )

"""Reads delimited text: DuckDB on a clean file as it is, on a clean copy of any other."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.careful import write_clean_copy
from dagster_project.lib.extracts.csv_header import read_header, refuse_binary
from dagster_project.lib.extracts.header import Header, match_header
from dagster_project.lib.extracts.job import Job, Outcome, settle
from dagster_project.lib.extracts.limits import MAX_FAST_LINE_BYTES, MAX_LINE_BYTES
from dagster_project.lib.extracts.probe import Probe
from dagster_project.lib.extracts.quoting import literal
from dagster_project.lib.extracts.records import Record
from dagster_project.lib.extracts.typed_sql import (
    SourceColumn,
    TypedQuery,
    text_alias,
    typed_query,
    value_alias,
)
from dagster_project.lib.extracts.values import failures, trimmed, typed
from dagster_project.lib.extracts.writing import write_marked

_DIALECTS = {",": "comma", "\t": "tab"}


def land_csv(job: Job, content: Path, *, probe: Probe, delimiter: str) -> Outcome:
    """Types the file's rows into job.marked or job.loaded and its bad ones into job.rejected.

    Raises:
        ExtractError: the bytes are no text in UTF-8, or the header is not the entity's.
    """
    file = job.origin.file
    refuse_binary(probe, file)
    terminator = b"\r" if probe.has_lone_cr and not probe.has_line_feed else b"\n"
    names, header_line = read_header(content, delimiter, terminator=terminator, file=file)
    header = match_header(names, job.entity, file=file)
    done = None
    if _looks_clean(probe, header, header_line, delimiter=delimiter):
        done = _land_fast(job, content, header=header, probe=probe, delimiter=delimiter)
    if done is None:
        done = _land_careful(
            job, content, header=header, delimiter=delimiter, terminator=terminator
        )
    rows_read, typed_file, reasons = done
    return Outcome(
        rows_read=rows_read,
        typed=typed_file,
        reasons=reasons,
        header=header,
        encoding="utf-8 with byte-order mark" if probe.has_bom else "utf-8",
        dialect=f"csv, {_DIALECTS[delimiter]}, {_line_end(probe)}",
    )


def _line_end(probe: Probe) -> str:
    if probe.has_crlf:
        return "crlf"
    return "lf" if probe.has_line_feed or not probe.has_lone_cr else "cr"


def _land_fast(
    job: Job, content: Path, *, header: Header, probe: Probe, delimiter: str
) -> tuple[int, Path, dict[str, int]] | None:
    """Lets DuckDB read the file itself; None where the result cannot be trusted line by line."""
    new_line = "\\r\\n" if probe.has_crlf else "\\n"
    options = f"skip = 1, new_line = {literal(new_line)}, max_line_size = {MAX_FAST_LINE_BYTES}"
    relation = _relation(
        content, header.width, delimiter=delimiter, options=options, has_line=False
    )
    query = _query(job, relation, header=header, trim=probe.may_need_trim, has_line=False)
    try:
        rows, failed = write_marked(job.connection, query, job.marked)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return None
    if rows != probe.lines - 1:
        return None
    typed_file, reasons = settle(job, query, failed=failed, has_lines=False, rejected_lines=None)
    return rows, typed_file, reasons


def _land_careful(
    job: Job, content: Path, *, header: Header, delimiter: str, terminator: bytes
) -> tuple[int, Path, dict[str, int]]:
    copy = write_clean_copy(content, job.scratch, delimiter=delimiter, terminator=terminator)
    options = (
        f"new_line = '\\n', max_line_size = {2 * MAX_LINE_BYTES},"
        f" parallel = {not copy.has_multiline}"
    )
    relation = _relation(
        copy.path, header.width + 1, delimiter=delimiter, options=options, has_line=True
    )
    query = _query(job, relation, header=header, trim=True, has_line=True)
    rows, failed = write_marked(job.connection, query, job.marked)
    if rows != copy.rows:
        raise AssertionError(f"{job.origin.file}: {copy.rows} clean records, {rows} read back")
    lines = copy.rejects if copy.reasons else None
    typed_file, reasons = settle(job, query, failed=failed, has_lines=True, rejected_lines=lines)
    return rows + copy.reasons.total(), typed_file, reasons


def _relation(content: Path, width: int, *, delimiter: str, options: str, has_line: bool) -> str:
    first = 0 if has_line else 1
    columns = ", ".join(f"'s{index}': 'VARCHAR'" for index in range(first, width + first))
    return (
        f"read_csv({literal(content)}, auto_detect = false, header = false,"
        f" delim = {literal(delimiter)}, quote = '\"', escape = '\"', strict_mode = true,"
        f" null_padding = false, {options}, columns = {{{columns}}})"
    )


def _query(job: Job, relation: str, *, header: Header, trim: bool, has_line: bool) -> TypedQuery:
    columns = {}
    for index, column in enumerate(job.entity.columns.values()):
        if column.name not in header.positions:
            continue
        source = f"s{header.positions[column.name] + 1}"
        text, value = text_alias(index), value_alias(index)
        columns[column.name] = SourceColumn(
            column=column,
            text=trimmed(source) if trim else source,
            value=typed(column, text),
            raw=source,
            failures=tuple(failures(column, text=text, value=value)),
        )
    extra = ", ".join(f"{literal(name)}, s{position + 1}" for name, position in header.extra)
    return typed_query(
        job.entity,
        columns,
        relation=relation,
        line="s0::bigint" if has_line else None,
        extra=f"json_object({extra})::varchar" if extra else None,
        system=job.origin.system,
        delivery_id=job.origin.delivery_id,
        line_offset=job.origin.line_offset,
    )


def _looks_clean(probe: Probe, header: Header, header_line: Record, *, delimiter: str) -> bool:
    """Whether each physical line after the first can be one record.

    A file of one column is left to the careful path: DuckDB takes an empty line of it for a row.
    """
    odd = probe.has_nul or probe.has_lone_cr or probe.has_mixed_ends or not probe.is_utf8
    simple_header = header_line.line == 1 and not header_line.is_multiline
    return (
        not odd
        and simple_header
        and header.width > 1
        and _ends_whole(probe, header.width, delimiter)
    )


def _ends_whole(probe: Probe, width: int, delimiter: str) -> bool:
    """Whether the last line has all its fields: DuckDB fills up a cut one without a word."""
    last = probe.tail.rpartition(b"\n")[2].removesuffix(b"\r")
    try:
        fields = next(csv.reader([last.decode()], delimiter=delimiter, strict=True), [])
    except (csv.Error, UnicodeDecodeError):
        return False
    return len(fields) == width

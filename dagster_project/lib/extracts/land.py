"""Lands one delivered file for one entity: typed rows, rejected rows, and the ledger last."""

from __future__ import annotations

import dataclasses
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.connection import Database
from dagster_project.lib.extracts.delimited import TextTable, open_delimited
from dagster_project.lib.extracts.dialect_sql import macros
from dagster_project.lib.extracts.discover import DeliveredFile, sha256_of
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.errors import ExtractError, FileChangedError
from dagster_project.lib.extracts.excel_files import open_workbook
from dagster_project.lib.extracts.gzip_files import unpack
from dagster_project.lib.extracts.header import known_labels, match_header, required_labels
from dagster_project.lib.extracts.job import Job, Outcome, settle
from dagster_project.lib.extracts.ledger import (
    LedgerEntry,
    content_of,
    delivery_id_of,
    delivery_name,
    hash_file,
    read_entry,
    write_entry,
)
from dagster_project.lib.extracts.mapped import (
    Mapped,
    TextRows,
    create_layout_view,
    create_macros,
    lay_out,
    map_laid_out,
    map_plain,
    write_layout,
)
from dagster_project.lib.extracts.parquet_files import land_parquet, open_parquet
from dagster_project.lib.extracts.probe import Probe, probe_file
from dagster_project.lib.extracts.profile import GENERIC
from dagster_project.lib.extracts.typed_sql import TypedQuery, typed_query
from dagster_project.lib.extracts.writing import Origin, part_of, rows_by_month, write_marked
from dagster_project.lib.extracts.zip_files import unpack_member
from dagster_project.lib.forgetting.landed import without_forgotten
from dagster_project.lib.forgetting.matcher import Matcher

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Means:
    """What a landing works with.

    Attributes:
        raw: the raw zone.
        scratch: folder for temporary files, on a disk with room for the unpacked file.
        database: what reads the files, shared by them.
        forgotten: takes out of each file what was forgotten, also of one that was landed before.
        looks: what was seen of each file of this landing: one that feeds several entities, or an archive of
            several members, is hashed once.
        known: ids of the deliveries that were landed before, so that nothing of them was read again.
    """

    raw: Path
    scratch: Path
    database: Database
    forgotten: Matcher | None = None
    looks: dict[Path, tuple[str, Probe | None]] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)


def land(
    delivered: DeliveredFile, means: Means, *, joined: Sequence[LedgerEntry] = ()
) -> LedgerEntry:
    """Lands the file unless its content is landed already; then the entry of that time is returned.

    Args:
        delivered: from find_deliveries.
        means: folders and limits.
        joined: entries of the system's files whose rows the profile joins this file's with, in their order.

    Raises:
        ExtractError: the extract as a whole cannot be read; nothing of it is loaded.
        FileChangedError: the file vanished or changed while it was read.
    """
    try:
        _check_unchanged(delivered)
        entry = _land(delivered, means, joined)
        if means.forgotten is not None:
            entry = without_forgotten(entry, means.raw, means.forgotten)
    except (ExtractError, OSError, duckdb.Error, AssertionError):
        _check_unchanged(delivered)
        raise
    log.debug(
        "%s: %d rows read, %d loaded, %d rejected",
        delivered.relative_path,
        entry.rows_read,
        entry.rows_loaded,
        entry.rows_rejected,
    )
    return entry


def _land(delivered: DeliveredFile, means: Means, joined: Sequence[LedgerEntry]) -> LedgerEntry:
    if delivered.size == 0:
        raise ExtractError(
            delivered.relative_path,
            "the file is empty (0 bytes)",
            remedy="Export it again, with its header line.",
        )
    if delivered.path not in means.looks:
        means.looks[delivered.path] = _look(delivered)
    of_path, probe = means.looks[delivered.path]
    sha256 = sha256_of(delivered, {delivered.path: of_path})
    content = content_of(sha256, [entry.sha256 for entry in joined])
    delivery_id = delivery_id_of(
        system=delivered.system,
        entity=delivered.entity,
        profile=delivered.profile,
        content=content,
    )
    if entry := read_entry(means.raw, delivery_id):
        means.known.add(delivery_id)
        return entry
    means.scratch.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=means.scratch, prefix="land_") as name,
        means.database.connection() as connection,
    ):
        job = _job(delivered, delivery_id, means, scratch=Path(name), connection=connection)
        _show_joined(job, delivered, means, joined)
        try:
            outcome = _read(job, delivered, probe)
            _check_unchanged(delivered)
            return _publish(job, delivered, outcome, sha256=sha256, content=content, raw=means.raw)
        finally:
            for part in (job.marked, job.loaded, job.rejected):
                part.unlink(missing_ok=True)


def _show_joined(
    job: Job, delivered: DeliveredFile, means: Means, joined: Sequence[LedgerEntry]
) -> None:
    """Views of the layouts that the file's rows are joined with."""
    profile = delivered.source_profile
    for name in profile.joined(delivered.mapping) if delivered.mapping else ():
        entity = f"{profile.name}.{name}"
        files = [means.raw / entity / e.landed for e in joined if e.entity == entity]
        create_layout_view(job.connection, name, profile.layouts[name], files)


def _read(job: Job, delivered: DeliveredFile, probe: Probe | None) -> Outcome:
    name = delivered.name.lower()
    content = job.scratch / "content"
    packed = ""
    if delivered.member is not None:
        unpack_member(delivered.path, delivered.member, content, file=delivered.relative_path)
        packed = "zip"
    elif name.endswith(".gz"):
        unpack(delivered.path, content, file=delivered.relative_path)
        name, packed = name.removesuffix(".gz"), "gzip"
    else:
        # DuckDB takes [, * and ? in a path for a pattern: users_[1].csv is read by a name without.
        content.symlink_to(delivered.path.resolve())
    outcome = _read_plain(job, delivered, content, name, probe=probe)
    if packed:
        outcome = dataclasses.replace(outcome, dialect=f"{outcome.dialect}, {packed}")
    return outcome


def _read_plain(
    job: Job, delivered: DeliveredFile, content: Path, name: str, *, probe: Probe | None
) -> Outcome:
    layout, dialect = delivered.kind, delivered.dialect
    if name.endswith(".parquet"):
        if delivered.source_profile.name == GENERIC:
            return land_parquet(job, content, layout)
        table = open_parquet(
            job.connection,
            content,
            decimal=dialect.decimal,
            file=delivered.relative_path,
        )
        done = _land_table(job, delivered, table)
    elif name.endswith(".xlsx"):
        table = open_workbook(
            content,
            scratch=job.scratch,
            dialect=dialect,
            file=delivered.relative_path,
            sheet=layout.sheet,
            known=known_labels(layout),
            wanted=required_labels(layout),
        )
        done = _land_table(job, delivered, table)
    else:
        done = None
        for careful in (False, True):
            table = open_delimited(
                content,
                scratch=job.scratch,
                dialect=dialect,
                file=delivered.relative_path,
                suffix=Path(name).suffix,
                known=known_labels(layout),
                probe=probe,
                careful=careful,
                wanted=required_labels(layout),
            )
            done = _land_table(job, delivered, table)
            if done is not None or table.is_careful:
                break
    if done is None:
        raise AssertionError(f"{delivered.relative_path}: other rows than were counted")
    return done


def _land_table(job: Job, delivered: DeliveredFile, table: TextTable) -> Outcome | None:
    """Types the rows; None where DuckDB does not find the rows that the file was seen to have.

    Raises:
        ExtractError: the header is not the layout's, or the profile's SQL fails.
    """
    profile = delivered.source_profile
    what = job.entity.name if job.entity else f"the layout {delivered.layout}"
    header = match_header(table.names, delivered.kind, what=what, file=delivered.relative_path)
    rows = TextRows(
        table.relation,
        header,
        has_line=table.has_line,
        line_offset=table.line_offset,
        may_need_trim=table.may_need_trim,
        rejects=table.rejects if table.reasons else None,
    )
    job = dataclasses.replace(
        job, origin=dataclasses.replace(job.origin, line_offset=table.line_offset)
    )
    if profile.name != GENERIC:
        for statement in macros(delivered.dialect, is_native=table.has_native_values):
            job.connection.execute(statement)
        create_macros(job.connection, profile.macros, file=delivered.relative_path)
    try:
        found = _typed(job, delivered, rows, expected=table.rows)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        if table.is_careful:
            raise
        return None
    if found is None:
        return None
    mapped, query, failed, count = found
    # rows of a query over the file are none of its lines
    is_selected = delivered.mapping is not None and delivered.mapping.from_select is not None
    lines = table.rejects if table.reasons and not is_selected else None
    typed_file, reasons = settle(
        job,
        query,
        failed=failed,
        has_lines=mapped is None or mapped.line is not None,
        rejected_lines=lines,
    )
    return Outcome(
        rows_read=count + (table.reasons.total() if lines else 0),
        typed=typed_file,
        reasons=reasons,
        header=header,
        absent=mapped.absent if mapped else (),
        encoding=table.encoding,
        dialect=table.dialect,
        left_out=mapped.left_out if mapped else {},
        lines_skipped=table.lines_skipped,
    )


def _typed(
    job: Job, delivered: DeliveredFile, rows: TextRows, *, expected: int
) -> tuple[Mapped | None, TypedQuery, int, int] | None:
    """(mapping, query, failed rows, rows) with job.marked written; None where rows are missing."""
    profile, mapping = delivered.source_profile, delivered.mapping
    layout, dialect = delivered.kind, delivered.dialect
    if job.entity is None or mapping is None:
        if lay_out(job.connection, layout, rows, dialect=dialect) != expected:
            return None
        write_layout(job.connection, layout, job.marked)
        return None, TypedQuery(""), 0, expected
    if mapping.reads_in_place(rows.header.positions) and not layout.fill_down:
        mapped = map_plain(job.entity, mapping, rows, dialect=dialect, profile=profile.name)
        query = _query(job, mapped)
        count, failed = write_marked(job.connection, query, job.marked)
        return (mapped, query, failed, count) if count == expected else None
    if lay_out(job.connection, layout, rows, dialect=dialect) != expected:
        return None
    mapped = map_laid_out(
        job.connection,
        job.entity,
        mapping,
        rows,
        profile=profile.name,
        file=delivered.relative_path,
    )
    query = _query(job, mapped)
    count, failed = write_marked(job.connection, query, job.marked)
    return mapped, query, failed, count


def _query(job: Job, mapped: Mapped) -> TypedQuery:
    assert job.entity is not None
    return typed_query(
        job.entity,
        mapped.columns,
        relation=mapped.relation,
        line=mapped.line,
        extra=mapped.extra,
        system=job.origin.system,
        delivery_id=job.origin.delivery_id,
        line_offset=job.origin.line_offset,
    )


def _publish(
    job: Job, delivered: DeliveredFile, outcome: Outcome, *, sha256: str, content: str, raw: Path
) -> LedgerEntry:
    name = f"{delivery_name(job.origin.delivery_id)}.parquet"
    rejected = sum(outcome.reasons.values())
    if rejected:
        os.replace(job.rejected, raw / "rejected" / name)
    dated_by = job.entity.dated_by if job.entity else None
    months = rows_by_month(job.connection, outcome.typed, dated_by)
    os.replace(outcome.typed, raw / delivered.entity / name)
    entry = LedgerEntry(
        file=delivered.relative_path,
        sha256=sha256,
        size=delivered.size,
        system=delivered.system,
        entity=delivered.entity,
        profile=delivered.profile,
        delivery_id=job.origin.delivery_id,
        rows_read=outcome.rows_read,
        rows_loaded=outcome.rows_read - rejected,
        rows_rejected=rejected,
        encoding=outcome.encoding,
        dialect=outcome.dialect,
        extra_columns=tuple(name for name, _ in outcome.header.extra),
        absent_columns=outcome.absent,
        found_columns=tuple(outcome.header.positions),
        landed=name,
        rejected=name if rejected else None,
        rejected_reasons=outcome.reasons,
        rows_by_month=months,
        content=content,
        rows_left_out=outcome.left_out,
        lines_skipped=outcome.lines_skipped,
        layout=delivered.layout,
        extract=delivered.extract,
        scope=delivered.scope,
    )
    write_entry(entry, raw)
    return entry


def _job(
    delivered: DeliveredFile,
    delivery_id: int,
    means: Means,
    *,
    scratch: Path,
    connection: duckdb.DuckDBPyConnection,
) -> Job:
    name = f"{delivery_name(delivery_id)}.parquet"
    loaded = means.raw / delivered.entity / name
    rejected = means.raw / "rejected" / name
    for path in (loaded, rejected):
        path.parent.mkdir(parents=True, exist_ok=True)
    origin = Origin(
        entity=delivered.entity,
        system=delivered.system,
        file=delivered.relative_path,
        delivery_id=delivery_id,
        line_offset=1,
    )
    return Job(
        connection=connection,
        entity=load_entities().get(delivered.entity),
        origin=origin,
        scratch=scratch,
        marked=part_of(loaded.with_name(f"marked.{name}")),
        loaded=part_of(loaded),
        rejected=part_of(rejected),
    )


def _look(delivered: DeliveredFile) -> tuple[str, Probe | None]:
    """Hash of the bytes at its path, and what the same pass says about a plain text file."""
    name = delivered.path.name.lower()
    if name.endswith((".gz", ".zip", ".parquet", ".xlsx")):
        return hash_file(delivered.path), None
    probe = probe_file(delivered.path, delivered.dialect.delimiters_for(Path(name).suffix))
    return probe.sha256, probe


def _check_unchanged(delivered: DeliveredFile) -> None:
    try:
        now = delivered.path.stat()
    except OSError as error:
        raise FileChangedError(delivered.relative_path) from error
    if (now.st_size, now.st_mtime_ns) != (delivered.size, delivered.mtime_ns):
        raise FileChangedError(delivered.relative_path)

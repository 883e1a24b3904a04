"""Lands one delivered file: typed rows, rejected rows, and the ledger last."""

from __future__ import annotations

import dataclasses
import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.connection import connect
from dagster_project.lib.extracts.csv_files import land_csv
from dagster_project.lib.extracts.discover import DeliveredFile
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.extracts.errors import ExtractError, FileChangedError
from dagster_project.lib.extracts.gzip_files import unpack
from dagster_project.lib.extracts.job import Job, Outcome
from dagster_project.lib.extracts.ledger import (
    LedgerEntry,
    delivery_id_of,
    delivery_name,
    hash_file,
    read_entry,
    write_entry,
)
from dagster_project.lib.extracts.parquet_files import land_parquet
from dagster_project.lib.extracts.probe import Probe, probe_file
from dagster_project.lib.extracts.writing import Origin, part_of, rows_by_month

log = logging.getLogger(__name__)


def land(
    delivered: DeliveredFile, *, raw: Path, scratch: Path, memory_limit: str, threads: int
) -> LedgerEntry:
    """Lands the file unless its content is landed already; then the entry of that time is returned.

    Args:
        delivered: from find_deliveries.
        raw: the raw zone.
        scratch: folder for temporary files, on a disk with room for the unpacked file.
        memory_limit: DuckDB's, e.g. `1GB`.
        threads: DuckDB's.

    Raises:
        ExtractError: the extract as a whole cannot be read; nothing of it is loaded.
        FileChangedError: the file vanished or changed while it was read.
    """
    means = _Means(raw=raw, scratch=scratch, memory_limit=memory_limit, threads=threads)
    try:
        _check_unchanged(delivered)
        entry = _land(delivered, means)
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


@dataclass(frozen=True)
class _Means:
    raw: Path
    scratch: Path
    memory_limit: str
    threads: int


def _land(delivered: DeliveredFile, means: _Means) -> LedgerEntry:
    if delivered.size == 0:
        raise ExtractError(
            delivered.relative_path,
            "the file is empty (0 bytes)",
            remedy="Export it again, with its header line.",
        )
    sha256, probe = _look(delivered)
    delivery_id = delivery_id_of(
        system=delivered.system,
        entity=delivered.entity,
        profile=delivered.profile,
        sha256=sha256,
    )
    if entry := read_entry(means.raw, delivery_id):
        log.debug("%s: the content was landed before", delivered.relative_path)
        return entry
    means.scratch.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=means.scratch, prefix="land_") as name,
        connect(Path(name), memory_limit=means.memory_limit, threads=means.threads) as connection,
    ):
        job = _job(delivered, delivery_id, raw=means.raw, scratch=Path(name), connection=connection)
        try:
            outcome = _read(job, delivered, probe)
            _check_unchanged(delivered)
            return _publish(job, delivered, outcome, sha256=sha256, raw=means.raw)
        finally:
            for part in (job.marked, job.loaded, job.rejected):
                part.unlink(missing_ok=True)


def _read(job: Job, delivered: DeliveredFile, probe: Probe | None) -> Outcome:
    name = delivered.path.name.lower()
    content = job.scratch / "content"
    if not name.endswith(".gz"):
        # DuckDB takes [, * and ? in a path for a pattern: users_[1].csv is read by a name without.
        content.symlink_to(delivered.path.resolve())
        return _read_plain(job, content, name, probe=probe)
    unpack(delivered.path, content, file=delivered.relative_path)
    outcome = _read_plain(job, content, name.removesuffix(".gz"), probe=None)
    return dataclasses.replace(outcome, dialect=f"{outcome.dialect}, gzip")


def _read_plain(job: Job, content: Path, name: str, *, probe: Probe | None) -> Outcome:
    if name.endswith(".parquet"):
        return land_parquet(job, content)
    delimiter = _delimiter(name)
    return land_csv(
        job, content, probe=probe or probe_file(content, delimiter), delimiter=delimiter
    )


def _publish(
    job: Job, delivered: DeliveredFile, outcome: Outcome, *, sha256: str, raw: Path
) -> LedgerEntry:
    name = f"{delivery_name(job.origin.delivery_id)}.parquet"
    rejected = sum(outcome.reasons.values())
    if rejected:
        os.replace(job.rejected, raw / "rejected" / name)
    months = rows_by_month(job.connection, outcome.typed, job.entity.dated_by)
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
        absent_columns=outcome.header.absent,
        landed=name,
        rejected=name if rejected else None,
        rejected_reasons=outcome.reasons,
        rows_by_month=months,
    )
    write_entry(entry, raw)
    return entry


def _job(
    delivered: DeliveredFile,
    delivery_id: int,
    *,
    raw: Path,
    scratch: Path,
    connection: duckdb.DuckDBPyConnection,
) -> Job:
    name = f"{delivery_name(delivery_id)}.parquet"
    loaded = raw / delivered.entity / name
    rejected = raw / "rejected" / name
    for path in (loaded, rejected):
        path.parent.mkdir(parents=True, exist_ok=True)
    is_parquet = delivered.path.name.lower().removesuffix(".gz").endswith(".parquet")
    origin = Origin(
        entity=delivered.entity,
        system=delivered.system,
        file=delivered.relative_path,
        delivery_id=delivery_id,
        line_offset=1 if is_parquet else 2,
    )
    return Job(
        connection=connection,
        entity=load_entities()[delivered.entity],
        origin=origin,
        scratch=scratch,
        marked=part_of(loaded.with_name(f"marked.{name}")),
        loaded=part_of(loaded),
        rejected=part_of(rejected),
    )


def _look(delivered: DeliveredFile) -> tuple[str, Probe | None]:
    """Hash of the delivered bytes, and what the same pass says about a plain text file."""
    name = delivered.path.name.lower()
    if name.endswith((".gz", ".parquet")):
        return hash_file(delivered.path), None
    probe = probe_file(delivered.path, _delimiter(name))
    return probe.sha256, probe


def _delimiter(name: str) -> str:
    return "\t" if name.endswith(".tsv") else ","


def _check_unchanged(delivered: DeliveredFile) -> None:
    try:
        now = delivered.path.stat()
    except OSError as error:
        raise FileChangedError(delivered.relative_path) from error
    if (now.st_size, now.st_mtime_ns) != (delivered.size, delivered.mtime_ns):
        raise FileChangedError(delivered.relative_path)

"""What the readers of one delivered file share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.lib.extracts.entities import Entity
from dagster_project.lib.extracts.header import Header
from dagster_project.lib.extracts.typed_sql import TypedQuery
from dagster_project.lib.extracts.writing import (
    Origin,
    add_rejected_lines,
    create_rejected_table,
    split_marked,
    write_rejected,
)


@dataclass(frozen=True)
class Job:
    """One landing: where rows come from and the temporary files that they go to.

    `entity` is None for rows of a layout that other files are joined with.
    """

    connection: duckdb.DuckDBPyConnection
    entity: Entity | None
    origin: Origin
    scratch: Path
    marked: Path
    loaded: Path
    rejected: Path


@dataclass(frozen=True)
class Outcome:
    """What was read; `typed` is the file of the good rows, `reasons` rejected rows by rule."""

    rows_read: int
    typed: Path
    reasons: dict[str, int]
    header: Header
    absent: tuple[str, ...]
    encoding: str
    dialect: str
    left_out: dict[str, int] = field(default_factory=dict)
    lines_skipped: int = 0


def settle(
    job: Job, query: TypedQuery, *, failed: int, has_lines: bool, rejected_lines: Path | None
) -> tuple[Path, dict[str, int]]:
    """Sets rejected rows apart; returns the file of the good ones, and the reasons."""
    if not failed and rejected_lines is None:
        return job.marked, {}
    create_rejected_table(job.connection)
    if rejected_lines is not None:
        add_rejected_lines(job.connection, rejected_lines, job.origin)
    typed = job.marked
    if failed:
        typed = job.loaded
        split_marked(
            job.connection,
            job.marked,
            query=query,
            origin=job.origin,
            has_lines=has_lines,
            loaded=typed,
        )
    return typed, write_rejected(job.connection, job.rejected)

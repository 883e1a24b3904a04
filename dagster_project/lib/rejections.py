"""The most frequent reasons for which rows were rejected, with an example of each."""

from __future__ import annotations

from pathlib import Path

import duckdb
from pydantic import BaseModel

from dagster_project.lib.extracts.full_extracts import places_of
from dagster_project.lib.landing import LandingReport
from dagster_project.lib.warehouse.raw_zone import published_raw_value

REASONS_SHOWN = 10


class Reason(BaseModel):
    """A rule that rows of one column broke; `example` is file:line and the value, without personal data."""

    entity: str
    rule: str
    column: str | None
    rows: int
    example: str


def frequent_reasons(report: LandingReport, raw: Path) -> list[Reason]:
    """Of the rows that the readers rejected in files that count, the most frequent first."""
    entries = [file.entry for file in report.files]
    files = [
        raw / "rejected" / entry.rejected
        for entry, place in zip(entries, places_of(entries), strict=True)
        if entry.rejected and not place.is_replaced
    ]
    if not files:
        return []
    with duckdb.connect() as connection:
        rejected = connection.from_parquet([str(path) for path in files])
        value = f"coalesce(left({published_raw_value('rejected')}, 80), '(no value)')"
        where = "rejected.source_file || ':' || rejected.line_number"
        rows = rejected.query(
            "rejected",
            "select entity, rule, column_name, count(*) as row_count, "
            f"min_by({where} || ' ' || {value}, (source_file, line_number)) "
            f"from rejected group by all order by row_count desc, 1, 2, 3 limit {REASONS_SHOWN}",
        ).fetchall()
    names = list(Reason.model_fields)
    return [Reason.model_validate(dict(zip(names, row, strict=True))) for row in rows]

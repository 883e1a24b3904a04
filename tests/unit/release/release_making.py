"""Makes drafts of releases from a small warehouse, for tests here and in processes of their own."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.manifest import (
    Manifest,
    content_id,
    mart_records,
    read_totals,
    versions,
)
from dagster_project.lib.release.marts import Mart
from dagster_project.lib.release.parquet import write_marts
from dagster_project.lib.release.publish import Draft, begin_release

MART = Mart("account_tiers", ("account_key",), description="One row per account.")
RUN_AT = datetime(2026, 11, 24, 15, 22, 33, tzinfo=UTC)

Drafted = tuple[Draft, Manifest]


def drafted(published: Path, revenue: int) -> Drafted:
    """A draft with every file of a release, ready to be published."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.account_tiers as select 'crm:accounts:1' as account_key, "
            f"{revenue}::decimal(18, 4) as revenue, null::decimal(18, 4) as gross_margin, "
            "false as is_excluded, 'A' as final_tier, null::date as inactive_since"
        )
        draft = begin_release(published, run_at=RUN_AT)
        files = write_marts(connection, marts=[MART], folder=draft.marts)
    write_database(marts=[MART], folder=draft.marts, target=draft.database)
    as_of, policy = date(2026, 11, 1), "0" * 64
    manifest = Manifest(
        release_id=draft.release_id(content_id(as_of=as_of, policy_sha256=policy, files=files)),
        previous_release_id=draft.previous.release_id if draft.previous else None,
        as_of=as_of,
        run_at=RUN_AT,
        reporting_currency="EUR",
        policy_sha256=policy,
        inputs=(),
        totals=read_totals(draft.marts / "account_tiers.parquet"),
        checks=(),
        marts=mart_records([MART], files),
        versions=versions(),
    )
    return draft, manifest

"""From the warehouse to a release: marts, database, audiences, manifest, swap."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.lib.audiences.destinations import (
    chosen_destinations,
    with_list_ids,
    with_minimums,
)
from dagster_project.lib.audiences.write import write_audiences
from dagster_project.lib.checks import CheckResult
from dagster_project.lib.forgetting.record import read_record
from dagster_project.lib.release.database import write_database
from dagster_project.lib.release.live import LiveRelease
from dagster_project.lib.release.manifest import (
    InputFile,
    Manifest,
    PolicyRecord,
    check_outcomes,
    content_id,
    mart_records,
    read_totals,
    versions,
)
from dagster_project.lib.release.marts import read_marts
from dagster_project.lib.release.parquet import write_marts
from dagster_project.lib.release.publish import begin_release, publish
from dagster_project.lib.warehouse.dbt_project import parsed_folder
from dagster_project.lib.warehouse.run_inputs import run_moment
from dagster_project.policy import Policy
from dagster_project.settings import Settings

logger = logging.getLogger(__name__)

PARTS = "parts"
WRITTEN_BY = ("account-tiering", "duckdb")


def publish_release(
    connection: duckdb.DuckDBPyConnection,
    *,
    settings: Settings,
    policy: Policy,
    checks: Sequence[CheckResult],
) -> LiveRelease:
    """Writes everything aside and makes it live; a failure before the last step changes nothing."""
    marts = read_marts(parsed_folder() / "manifest.json")
    run_at, as_of = run_moment(connection), _as_of(connection)
    with begin_release(settings.published, run_at=run_at) as draft:
        files = write_marts(
            connection,
            marts=marts,
            folder=draft.marts,
            parts=settings.warehouse.with_name(PARTS),
        )
        with connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as beside:
            audiences = beside.submit(
                write_audiences,
                cursor,
                folder=draft.audiences,
                previous=draft.previous.audiences if draft.previous else None,
                destinations=with_list_ids(
                    with_minimums(chosen_destinations(), policy.audiences.minimum_rows()),
                    settings.list_ids,
                ),
            )
            try:
                write_database(
                    marts=marts,
                    folder=draft.marts,
                    target=draft.database,
                    like=connection,
                    previous=_database_of(draft.previous),
                    parts={file.name: file.slices for file in files if file.slices},
                )
            finally:
                audiences.result()
        policy_sha256 = policy.sha256()
        content = content_id(as_of=as_of, policy_sha256=policy_sha256, files=files)
        manifest = Manifest(
            release_id=draft.release_id(content),
            previous_release_id=draft.previous.release_id if draft.previous else None,
            as_of=as_of,
            run_at=run_at,
            reporting_currency=policy.reporting_currency,
            policy_sha256=policy_sha256,
            policy=_policy_record(settings.policy, policy),
            inputs=_inputs(connection),
            totals=read_totals(draft.marts / "account_tiers.parquet"),
            checks=check_outcomes(checks),
            marts=mart_records(marts, files),
            versions=versions(),
            forgotten=read_record(settings.raw).fingerprint,
        )
        _write_report(LiveRelease(draft.folder, manifest))
        return publish(draft, manifest, keep_releases=policy.publication.keep_releases)


def _write_report(draft: LiveRelease) -> None:
    """The report shows what the marts hold: one that cannot be drawn is said, and withholds no tiers."""
    # Babel and Jinja are only needed here
    from dagster_project.lib.report.write import write_report

    try:
        write_report(draft)
    except Exception as error:
        draft.report.unlink(missing_ok=True)
        logger.warning(
            "report.html could not be made (%s: %s): the release is without it; its marts are whole",
            type(error).__name__,
            error,
        )


def _policy_record(file: Path | None, policy: Policy) -> PolicyRecord:
    """What a reader of the release asks of its policy; the file by its name, its folder is of the machine."""
    scheme = policy.primary
    return PolicyRecord(
        file=file.name if file else None,
        primary_scheme=policy.primary_scheme,
        rule=scheme.rule,
        cut_points={
            tier: None if cut is None else format(cut.normalize(), "f")
            for tier, cut in scheme.cut_points.items()
        },
        lowest_tier=scheme.lowest_tier,
        window_months=policy.window_months,
    )


def _database_of(release: LiveRelease | None) -> Path | None:
    """The release's database, if this version of the engine and of the project wrote it."""
    if release is None:
        return None
    said, own = release.manifest.versions, versions()
    is_ours = all(said.get(name) == own.get(name) for name in WRITTEN_BY)
    return release.database if is_ours else None


def _as_of(connection: duckdb.DuckDBPyConnection) -> date:
    row = connection.execute("select as_of from raw.policy_parameters").fetchone()
    assert row is not None
    day: date = row[0]
    return day


def _inputs(connection: duckdb.DuckDBPyConnection) -> tuple[InputFile, ...]:
    columns = (
        "source_file as file, sha256, source_system as system, entity, profile, "
        "rows_read, rows_loaded, rows_superseded, rows_rejected, rows_left_out, lines_skipped"
    )
    rows = connection.execute(
        f"select {columns} from intermediate.int_deliveries_counted"
        " inner join (select delivery_order, rows_left_out, lines_skipped from raw.deliveries) as read"
        " using (delivery_order) order by delivery_order"
    )
    names = [column[0] for column in rows.description]
    return tuple(
        InputFile.model_validate(dict(zip(names, row, strict=True))) for row in rows.fetchall()
    )

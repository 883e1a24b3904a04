"""Prepares the warehouse for a run: raw views, identifiers, phone numbers, policy, `as_of`, the live release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from dagster_project.lib.identifiers import normalise_identifiers
from dagster_project.lib.landing import LandingReport
from dagster_project.lib.phones import normalise_phones
from dagster_project.lib.release.live import LiveRelease, read_live
from dagster_project.lib.warehouse import raw_zone
from dagster_project.lib.warehouse.as_of import day_after_last_invoiced_month
from dagster_project.policy import Policy
from dagster_project.settings import Settings

# Orders are invoiced some months ahead now and then; a year ahead is a mistyped year.
FUTURE_DAYS = 366


class NothingInvoicedError(Exception):
    """No invoice line gives the run its date, or only a mistyped one would."""


@dataclass(frozen=True)
class RunInputs:
    """What the run works on."""

    as_of: date
    live_release_id: str | None


def prepare_raw_schema(
    settings: Settings, policy: Policy, *, report: LandingReport, run_at: datetime
) -> RunInputs:
    """(Re)creates the schema `raw`; `as_of` is the setting, else the first day after the last invoiced month.

    Raises:
        NothingInvoicedError: no `as_of` is set, and no invoice line was accepted or the last is dated
            more than a year after the run.
    """
    deliveries = raw_zone.ordered_deliveries((file.file, file.entry) for file in report.files)
    live = read_live(settings.published)
    identifiers = settings.raw / "identifiers.parquet"
    normalise_identifiers(
        settings.raw,
        raw_zone.entity_files(deliveries, settings.raw, "accounts"),
        raw_zone.entity_files(deliveries, settings.raw, "customers"),
        identifiers,
        contacts_files=raw_zone.entity_files(deliveries, settings.raw, "contacts"),
        suppressions_files=raw_zone.entity_files(deliveries, settings.raw, "suppressions"),
    )
    phones = settings.raw / "phones.parquet"
    normalise_phones(
        settings.raw,
        raw_zone.entity_files(deliveries, settings.raw, "contacts"),
        raw_zone.entity_files(deliveries, settings.raw, "accounts"),
        phones,
    )
    as_of = settings.as_of or day_after_last_invoiced_month(
        delivery.entry for delivery in deliveries if delivery.counts
    )
    if as_of is None:
        raise NothingInvoicedError(
            "no invoice line was accepted, so there is no last invoiced month; "
            "look at the rejected rows, or give --as-of"
        )
    if settings.as_of is None and as_of > (run_at + timedelta(days=FUTURE_DAYS)).date():
        raise NothingInvoicedError(
            f"the last invoice line would make this run one for {as_of}, more than a year from now\n"
            "Correct its date (kam check reads the files), or give --as-of."
        )
    with open_warehouse(settings) as connection:
        raw_zone.create_raw_schema(
            connection,
            raw=settings.raw,
            deliveries=deliveries,
            identifiers=identifiers,
            live=live,
            phones=phones,
        )
        write_policy(connection, policy, as_of=as_of, run_at=run_at, live=live)
    return RunInputs(as_of=as_of, live_release_id=live.release_id if live else None)


def open_warehouse(settings: Settings, *, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to dbt's work file, which has one writer at a time.

    Temporary files go into `spill`, a folder that is swept with its run, or beside the file.
    """
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    return duckdb.connect(
        str(settings.warehouse),
        config={
            "threads": settings.threads,
            "memory_limit": settings.memory_limit,
            "temp_directory": str(spill or settings.warehouse.parent / "scratch"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def run_moment(connection: duckdb.DuckDBPyConnection) -> datetime:
    """When the run began that the warehouse holds, UTC."""
    row = connection.execute("select run_at from raw.policy_parameters").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def write_policy(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    *,
    as_of: date,
    run_at: datetime,
    live: LiveRelease | None,
) -> None:
    """(Re)creates the tables of the policy in the schema `raw`."""
    parameters = policy.parameters(as_of) | {"run_at": run_at, "has_live_release": live is not None}
    for name, schema, rows in [
        ("policy_parameters", raw_zone.PARAMETERS, [parameters]),
        ("policy_schemes", raw_zone.SCHEMES, policy.scheme_rows()),
        ("policy_cut_points", raw_zone.CUT_POINTS, policy.cut_point_rows()),
        ("policy_caps", raw_zone.CAPS, policy.cap_rows()),
        ("override_budgets", raw_zone.OVERRIDE_BUDGETS, policy.override_budget_rows()),
    ]:
        raw_zone.write_table(connection, name, schema, rows)

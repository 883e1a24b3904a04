"""Sources: one asset per entity of the landing folder, and what a run is given besides.

Belongs here: finding, reading and landing extracts. Business rules do not.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from dagster_project.defs.resources import Workspace
from dagster_project.lib import run_folder
from dagster_project.lib.extracts.entities import load_entities
from dagster_project.lib.landing import LandingReport, land_everything
from dagster_project.lib.warehouse import engine
from dagster_project.lib.warehouse.run_inputs import NothingInvoicedError, prepare_raw_schema

GROUP = "sources"


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=[GROUP, entity.name],
            group_name=GROUP,
            kinds={"parquet"},
            description=f"Typed rows of the {entity.domain} extracts `{entity.name}`, one Parquet file per "
            "delivered file, and the rows that were rejected.",
            owners=["team:data"],
        )
        for entity in load_entities().values()
    ],
    pool="warehouse",
)
def extracts(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> Iterator[dg.MaterializeResult[None]]:
    """Lands the extracts; fails with every file that cannot be read, named."""
    folder = workspace.run_folder(context.run.run_id)
    run_folder.sweep(workspace.settings.runs)
    report = land_everything(workspace.settings, scratch=folder / run_folder.SCRATCH)
    run_folder.write_landing(folder, report)
    if report.errors:
        raise dg.Failure("extracts unreadable:\n" + "\n".join(report.errors), allow_retries=False)
    for entity in load_entities():
        yield _materialized(entity, report)


@dg.asset(
    key=[GROUP, "run_inputs"],
    group_name=GROUP,
    kinds={"duckdb"},
    deps=[[GROUP, entity] for entity in load_entities()],
    owners=["team:data"],
    pool="warehouse",
)
def run_inputs(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> dg.MaterializeResult[None]:
    """The warehouse's `raw` schema: the landed files of today, identifiers, the policy, `as_of`, the live release."""
    folder = workspace.run_folder(context.run.run_id)
    report = _landing(folder)
    try:
        inputs = prepare_raw_schema(
            workspace.settings,
            workspace.policy,
            report=report,
            run_at=datetime.now(UTC).replace(tzinfo=None),
        )
    except NothingInvoicedError as error:
        report.errors.append(str(error))
        run_folder.write_landing(folder, report)
        raise dg.Failure(str(error), allow_retries=False) from None
    engine.hand_in(workspace.settings)
    return dg.MaterializeResult(
        metadata={
            "as_of": inputs.as_of.isoformat(),
            "policy_sha256": workspace.policy.sha256(),
            "live_release": inputs.live_release_id or "none",
        }
    )


def _materialized(entity: str, report: LandingReport) -> dg.MaterializeResult[None]:
    entries = [file.entry for file in report.files if file.entry.entity == entity]
    return dg.MaterializeResult(
        asset_key=[GROUP, entity],
        metadata={
            "files": len(entries),
            "rows_read": sum(entry.rows_read for entry in entries),
            "rows_rejected": sum(entry.rows_rejected for entry in entries),
        },
    )


def _landing(folder: Path) -> LandingReport:
    report = run_folder.read_landing(folder)
    if report is None:
        raise dg.Failure("this run has not landed extracts; run the whole job `refresh`")
    return report

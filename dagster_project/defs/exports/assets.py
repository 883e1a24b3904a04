"""Exports: the release. Belongs here: publishing what passed the gate. No figure is computed here."""

import dagster as dg

from dagster_project.defs.resources import Workspace
from dagster_project.defs.warehouse.translator import FloorsTranslator
from dagster_project.lib import run_folder
from dagster_project.lib.warehouse.dbt_project import manifest
from dagster_project.lib.warehouse.release import publish_release
from dagster_project.lib.warehouse.run_inputs import open_warehouse


def published_keys() -> list[dg.AssetKey]:
    """Every mart and every export table: the release needs all of them."""
    translator = FloorsTranslator()
    keys = [
        translator.get_asset_key(node)
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model"
    ]
    return sorted((key for key in keys if key.path[0] in ("marts", "exports")), key=str)


@dg.asset(
    key=["exports", "release"],
    group_name="exports",
    kinds={"parquet", "duckdb"},
    deps=[dg.AssetKey(["quality", "gate"]), *published_keys()],
    owners=["team:data"],
    pool="warehouse",
)
def release(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[None]:
    """Marts, audiences and manifest as one release, made live by one swap."""
    folder = workspace.run_folder(context.run.run_id)
    checks = run_folder.read_checks(folder)
    with open_warehouse(workspace.settings, spill=folder / run_folder.SCRATCH) as connection:
        live = publish_release(
            connection, settings=workspace.settings, policy=workspace.policy, checks=checks
        )
    totals = live.manifest.totals
    return dg.MaterializeResult(
        metadata={
            "release_id": live.release_id,
            "as_of": live.manifest.as_of.isoformat(),
            "accounts": totals.accounts,
            "revenue": f"{totals.revenue} {live.manifest.reporting_currency}",
        }
    )

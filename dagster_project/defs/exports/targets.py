"""Exports: the targets that the settings name, each an asset behind the release. No figure is computed here.

A target that fails takes nothing back: the release is live, the run has failed at this step, and the next
refresh brings the target up, be there anything else to do or not.
"""

import dagster as dg

from dagster_project.defs.resources import Workspace
from dagster_project.lib.release.live import LiveRelease, read_live
from dagster_project.lib.targets.errors import TargetError
from dagster_project.settings import current_environment, load_settings

JOB = "targets"


def _live(workspace: Workspace) -> LiveRelease:
    live = read_live(workspace.settings.published)
    if live is None:
        raise dg.Failure(description="no release is live; run kam refresh")
    return live


@dg.asset(
    key=["exports", "postgres"],
    group_name="exports",
    kinds={"postgres"},
    deps=[dg.AssetKey(["exports", "release"])],
    owners=["team:data"],
)
def postgres(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[None]:
    """The marts of the live release as a schema of PostgreSQL, changed in one transaction."""
    # psycopg comes with an extra, and the rest of the graph does without
    from dagster_project.lib.targets.postgres import publish_to_postgres

    live, target = _live(workspace), workspace.settings.targets.postgres
    assert target is not None
    try:
        written = publish_to_postgres(
            live,
            target,
            current_environment().get(target.url_variable, ""),
            full=workspace.settings.full,
        )
    except TargetError as error:
        raise dg.Failure(description=str(error)) from None
    for note in written.notes:
        context.log.warning(note)
    return dg.MaterializeResult(
        metadata={
            "release_id": live.release_id,
            "schema": target.schema_name,
            "marts_written": len(written.written),
            "marts_unchanged": len(written.unchanged),
            **({"note": " ".join(written.notes)} if written.notes else {}),
        }
    )


@dg.asset(
    key=["exports", "object_store"],
    group_name="exports",
    kinds={"parquet"},
    deps=[dg.AssetKey(["exports", "release"])],
    owners=["team:data"],
)
def object_store(workspace: Workspace) -> dg.MaterializeResult[None]:
    """The marts, report and manifest of the live release in an object store; no audience files."""
    from dagster_project.lib.targets.object_store import publish_to_object_store

    live, target = _live(workspace), workspace.settings.targets.object_store
    assert target is not None
    try:
        sent = publish_to_object_store(
            live,
            target,
            keep_releases=workspace.policy.publication.keep_releases,
            full=workspace.settings.full,
        )
    except TargetError as error:
        raise dg.Failure(description=str(error)) from None
    return dg.MaterializeResult(
        metadata={"release_id": live.release_id, "url": target.url, "marts_sent": len(sent)}
    )


@dg.definitions
def targets() -> dg.Definitions:
    """The assets of the targets that are set, and the job that brings them up when nothing else is to do."""
    assets = {"postgres": postgres, "object_store": object_store}
    named = [assets[name] for name in load_settings().targets.names]
    if not named:
        return dg.Definitions()
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*named),
        description="Brings targets to the live release; computes and publishes nothing.",
    )
    return dg.Definitions(assets=named, jobs=[job])

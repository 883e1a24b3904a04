"""Notices: what the release says anew, sent to people. Present only where the settings `notices` ask for it."""

import dagster as dg

from dagster_project.defs.resources import Workspace
from dagster_project.lib import run_folder
from dagster_project.lib.release.live import read_live
from dagster_project.notices import is_set, tell_release
from dagster_project.settings import load_settings


@dg.definitions
def notices() -> dg.Definitions:
    """The asset `exports/notices`, or nothing."""
    return dg.Definitions(assets=[told] if is_set(load_settings()) else [])


@dg.asset(
    key=["exports", "notices"],
    group_name="exports",
    deps=[dg.AssetKey(["exports", "release"])],
    owners=["team:data"],
)
def told(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[None]:
    """Who moved into the best tier, who left it, what is at risk: one message for each release."""
    live = read_live(workspace.settings.published)
    if live is None:
        raise dg.Failure("no release is live; run the job `refresh`", allow_retries=False)
    sent = tell_release(workspace.settings, live)
    run_folder.write_notices(workspace.run_folder(context.run.run_id), sent.warnings)
    for warning in sent.warnings:
        context.log.warning(warning)
    return dg.MaterializeResult(
        metadata={
            "release_id": live.release_id,
            "status": sent.status,
            "delivered": sent.delivered,
            "warnings": list(sent.warnings),
        }
    )

"""Quality: Great Expectations, the drift against the live release and the recomputed tiers, as blocking checks.

Belongs here: judging. Nothing here changes data; keys, references and enumerations are dbt's tests.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from dagster_project.defs.resources import Workspace
from dagster_project.lib import run_folder
from dagster_project.lib.checks import CheckResult
from dagster_project.lib.expectations.suites import load_suites
from dagster_project.lib.release.live import read_live
from dagster_project.lib.warehouse import engine, raw_zone
from dagster_project.lib.warehouse.run_inputs import open_warehouse, run_moment
from dagster_project.policy import load_policy
from dagster_project.settings import load_settings

log = logging.getLogger(__name__)

RECOMPUTED = "account_tiers_{}_recomputed"


def gate_specs() -> list[dg.AssetCheckSpec]:
    """One spec per property of the suites, per scheme of the policy recomputed, and for the final tiers."""
    named = [
        (suite.asset, check.name, check.severity, check.reason)
        for suite in load_suites()
        for check in suite.checks
    ]
    schemes = load_policy(load_settings().policy).checked_schemes
    named += [
        (
            "account_tiers",
            RECOMPUTED.format(tier),
            "error",
            "An independent implementation of the rules comes to the same tiers.",
        )
        for tier in (*schemes, "raw_tier", "final_tier", "posture")
    ]
    return [
        dg.AssetCheckSpec(
            name=name,
            asset=dg.AssetKey(["marts", asset]),
            description=reason,
            blocking=severity == "error",
        )
        for asset, name, severity, reason in named
    ]


@dg.multi_asset_check(specs=gate_specs(), pool="warehouse")
def gate(
    context: dg.AssetCheckExecutionContext, workspace: Workspace
) -> Iterator[dg.AssetCheckResult]:
    """Judges the marts of this run; an error that fails keeps the release from being published."""
    # Great Expectations takes a second to import, so only where the gate runs.
    from dagster_project.lib.expectations.gate import run_gate

    log.info("holding the marts against the gate")
    settings = workspace.settings
    folder = workspace.run_folder(context.run.run_id)
    live = read_live(settings.published)
    with open_warehouse(settings, spill=folder / run_folder.SCRATCH) as connection:
        results = run_gate(
            connection,
            policy=workspace.policy,
            live_manifest=live.manifest.model_dump(mode="json") if live else None,
            run_at=run_moment(connection),
        )
    run_folder.write_checks(folder, run_folder.CHECKS[1], results)
    for result in results:
        yield dg.AssetCheckResult(
            asset_key=dg.AssetKey(["marts", result.asset]),
            check_name=result.check_name,
            passed=result.passed,
            severity=dg.AssetCheckSeverity.WARN
            if result.severity == "warn"
            else dg.AssetCheckSeverity.ERROR,
            description=result.observed,
            metadata={"remedy": result.remedy},
        )


@dg.asset(
    key=["quality", "gate"],
    group_name="quality",
    kinds={"duckdb"},
    deps=[dg.AssetKey(["marts", suite.asset]) for suite in load_suites()],
    owners=["team:data"],
    pool="warehouse",
)
def gate_results(
    context: dg.AssetExecutionContext, workspace: Workspace
) -> dg.MaterializeResult[None]:
    """Every check of the run in one table; made only when all of them were made and none stops the publication."""
    results = run_folder.read_checks(workspace.run_folder(context.run.run_id))
    assert_complete(results, workspace.run_folder(context.run.run_id))
    with open_warehouse(workspace.settings) as connection:
        raw_zone.write_table(
            connection,
            "quality_results",
            raw_zone.QUALITY_RESULTS,
            [result.row() for result in results],
        )
    engine.hand_in(workspace.settings, "quality_results")
    return dg.MaterializeResult(
        metadata={"checks": len(results), "warnings": sum(not check.passed for check in results)}
    )


def assert_complete(results: list[CheckResult], folder: Path) -> None:
    """A run asserts its own completeness: a half of the gate that left no result has not passed.

    Raises:
        dg.Failure: a half is absent, or a check that stops the publication has failed.
    """
    absent = [name for name in run_folder.CHECKS if not (folder / name).is_file()]
    if absent:
        raise dg.Failure(
            f"the gate is incomplete ({', '.join(absent)} absent); run the job `refresh`"
        )
    stopping = [check.check_name for check in results if check.stops]
    if stopping:
        raise dg.Failure(f"checks failed: {', '.join(stopping)}")

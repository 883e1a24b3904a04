"""Staging, intermediate and marts: the dbt project, built in this process, its tests as asset checks.

dagster-dbt's own resource would start dbt's command line for each build (about 8 s more); it gives the
assets, and the results are mapped here.
"""

import logging
from collections.abc import Iterator, Sequence

import dagster as dg
from dagster_dbt import dbt_assets

from dagster_project.defs.resources import Workspace
from dagster_project.defs.warehouse.translator import FloorsTranslator
from dagster_project.lib import run_folder
from dagster_project.lib.checks import CheckResult
from dagster_project.lib.warehouse import built_by, dbt_project, engine
from dagster_project.lib.warehouse.dbt_checks import check_results, checked_node, severity_of

log = logging.getLogger(__name__)

AFTER_THE_GATE = "tag:after_the_gate"
UNIT_TESTS = "resource_type:unit_test"
Event = dg.MaterializeResult[None] | dg.AssetCheckResult


@dbt_assets(
    manifest=dbt_project.manifest(),
    exclude=AFTER_THE_GATE,
    name="transform",
    dagster_dbt_translator=FloorsTranslator(),
    pool="warehouse",
)
def transform(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Event]:
    """Builds and tests everything up to the marts."""
    log.info("computing the marts and testing them")
    warehouse = workspace.settings.warehouse
    full = workspace.settings.full or not built_by.is_of_this_project(warehouse)
    if full:
        built_by.forget(warehouse)
    results = run_dbt(
        ["--exclude", AFTER_THE_GATE, UNIT_TESTS],
        context=context,
        workspace=workspace,
        full=full,
    )
    if all(result.status != "skipped" for result in results if not result.is_test):
        built_by.record(warehouse)
    checks = checked(results, workspace)
    folder = workspace.run_folder(context.run.run_id)
    run_folder.write_checks(folder, run_folder.CHECKS[0], checks)
    yield from events(results)
    assert_complete(results, checks)


@dbt_assets(
    manifest=dbt_project.manifest(),
    select=AFTER_THE_GATE,
    name="exports",
    dagster_dbt_translator=FloorsTranslator(),
    pool="warehouse",
)
def exports(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[Event]:
    """Builds what is made only from marts that passed the gate."""
    log.info("exporting what passed the gate")
    results = run_dbt(
        ["--select", AFTER_THE_GATE, "--exclude", UNIT_TESTS], context=context, workspace=workspace
    )
    yield from events(results)
    assert_complete(results, checked(results, workspace))


def assert_complete(results: Sequence[dbt_project.NodeResult], checks: list[CheckResult]) -> None:
    """Fails the step when a check stops the publication or a node was skipped.

    A step that succeeds without all of its outputs would leave Dagster 1.13's in-process executor waiting
    forever for a step that is to be skipped once another was abandoned.

    Raises:
        dg.Failure: names the failed checks or the nodes that were not built.
    """
    stopping = [check.check_name for check in checks if check.stops]
    if stopping:
        raise dg.Failure(f"checks failed: {', '.join(stopping)}", allow_retries=False)
    absent = [result.unique_id for result in results if result.status == "skipped"]
    if absent:
        raise dg.Failure(f"dbt skipped: {', '.join(absent)}", allow_retries=False)


def run_dbt(
    selection: Sequence[str],
    *,
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    full: bool = False,
) -> list[dbt_project.NodeResult]:
    """One `dbt build` on the run's warehouse."""
    return engine.build(
        selection,
        settings=workspace.settings,
        run_folder=workspace.run_folder(context.run.run_id).resolve(),
        full=full,
    )


def checked(results: Sequence[dbt_project.NodeResult], workspace: Workspace) -> list[CheckResult]:
    """The results of dbt's tests, failing rows looked up in the warehouse."""
    with engine.queries(workspace.settings) as connection:
        return check_results(results, dbt_project.manifest(), connection)


def events(results: Sequence[dbt_project.NodeResult]) -> Iterator[Event]:
    """Dagster's events for what dbt did: models first, then checks, of which one that fails may block."""
    nodes = dbt_project.manifest()["nodes"]
    translator = FloorsTranslator()
    for result in results:
        if not result.is_test and result.status == "success":
            yield dg.MaterializeResult(
                asset_key=translator.get_asset_key(nodes[result.unique_id]),
                metadata={"seconds": round(result.seconds, 3)},
            )
    for result in results:
        test = nodes.get(result.unique_id)
        node = checked_node(test, nodes) if test and result.is_test else None
        if test is None or node is None or result.status == "skipped":
            continue
        yield dg.AssetCheckResult(
            asset_key=translator.get_asset_key(nodes[node]),
            check_name=test["name"],
            passed=result.status == "pass",
            severity=dg.AssetCheckSeverity.WARN
            if severity_of(test) == "warn"
            else dg.AssetCheckSeverity.ERROR,
            metadata={"failing_rows": result.failures},
        )

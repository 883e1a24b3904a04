"""Tells of runs of the web UI that failed. Present only where the settings `notices` ask for it.

`kam refresh` tells of its own failed runs; what is told is told once, whoever sees it first.
"""

import dagster as dg

from dagster_project.defs.automation.refresh import refresh
from dagster_project.notices import RELEASE_STEP, failure_of, is_set, tell_failure
from dagster_project.settings import load_settings


@dg.definitions
def notices() -> dg.Definitions:
    """The sensor, or nothing."""
    return dg.Definitions(sensors=[failure_notices] if is_set(load_settings()) else [])


@dg.run_failure_sensor(
    monitored_jobs=[refresh],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def failure_notices(context: dg.RunFailureSensorContext) -> None:
    """Sends why a run did not publish, or which step behind the release failed."""
    settings = load_settings()
    run_id = context.dagster_run.run_id
    done = context.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SUCCESS)
    released = any(entry.step_key == RELEASE_STEP for entry in done)
    failed = context.get_step_failure_events()
    sent = tell_failure(
        settings,
        failure_of(
            settings,
            run_id,
            error=_said(failed[0]) if failed else context.failure_event.message or "",
            released=released,
        ),
    )
    for warning in sent.warnings:
        context.log.warning(warning)


def _said(event: dg.DagsterEvent) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error.cause or failure.error if failure.error else None
    return error.message.strip() if error else event.message or ""

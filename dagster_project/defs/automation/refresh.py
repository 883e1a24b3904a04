"""When the graph runs: one job, a daily schedule, and a sensor on the landing folder."""

import json

import dagster as dg

from dagster_project.lib.extracts.discover import find_deliveries
from dagster_project.lib.extracts.errors import ExtractError
from dagster_project.settings import load_settings

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="Lands the extracts, computes the marts, passes the gate, publishes one release.",
)

daily_refresh = dg.ScheduleDefinition(
    name="daily_refresh",
    job=refresh,
    cron_schedule=load_settings().schedule,
    execution_timezone=load_settings().timezone,
)


@dg.sensor(job=refresh, minimum_interval_seconds=60)
def landing_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Asks for a run when the complete files of the landing folder have changed since the last one asked for.

    The cursor is the list of files with size and time, so that a look costs no reading.
    """
    settings = load_settings()
    try:
        found = find_deliveries(
            settings.landing, profiles=settings.profiles, own_profiles=settings.own_profiles
        )
    except ExtractError as error:
        return dg.SkipReason(str(error))
    if found.left:
        return dg.SkipReason(f"still being written: {', '.join(found.left)}")
    cursor = json.dumps([(file.relative_path, file.size, file.mtime_ns) for file in found.files])
    if cursor == context.cursor:
        return dg.SkipReason("nothing new in the landing folder")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=cursor)

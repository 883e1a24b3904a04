"""The last runs as `kam status` shows them: those of `kam`, and those of the web UI.

A run of `kam` leaves a record of its end. One without it is at work, was killed, or is the web UI's: then
Dagster's own record says how it ended, and only then is Dagster imported.
"""

from __future__ import annotations

from pathlib import Path

from dagster_project.lib import run_folder
from dagster_project.lib.run_folder import RunRecord
from dagster_project.settings import Settings, disable_telemetry


def last_runs(settings: Settings, count: int) -> list[RunRecord]:
    """The newest first."""
    records = run_folder.last_runs(settings.runs, count)
    unknown = [record.run_id for record in records if record.status == run_folder.KILLED]
    if not unknown or not settings.dagster_home.is_dir():
        return records
    ended = _ended_by_dagster(settings, unknown)
    return [ended.get(record.run_id, record) for record in records]


def _ended_by_dagster(settings: Settings, run_ids: list[str]) -> dict[str, RunRecord]:
    """Records of the runs whose end Dagster knows; a run that was killed stays `STARTED` there."""
    disable_telemetry(settings.dagster_home)
    import dagster as dg

    ended: dict[str, RunRecord] = {}
    with dg.DagsterInstance.from_config(str(settings.dagster_home.resolve())) as instance:
        for run_id in run_ids:
            run = instance.get_run_record_by_id(run_id)
            if run is None or not run.dagster_run.is_finished:
                continue
            status, failed = _how(settings.runs / run_id, run.dagster_run.status.value)
            times = run.start_time, run.end_time
            ended[run_id] = RunRecord(
                run_id=run_id,
                began=run_folder.began(settings.runs / run_id),
                status=status,
                seconds=round(times[1] - times[0], 1) if times[0] and times[1] else None,
                failed=failed,
            )
    return ended


def _how(folder: Path, status: str) -> tuple[str, str]:
    """The words of `kam refresh` for Dagster's, and what failed."""
    if status != "FAILURE":
        return {"SUCCESS": "published"}.get(status, status.lower()), ""
    landing = run_folder.read_landing(folder)
    if landing is not None and landing.errors:
        return "unreadable", landing.errors[0].partition("\n")[0]
    stopping = [check.check_name for check in run_folder.read_checks(folder) if check.stops]
    return ("gate_failed", ", ".join(stopping)) if stopping else ("failed", "see the web UI")

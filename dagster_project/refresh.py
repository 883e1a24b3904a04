"""Runs the graph's job in this process and says how it ended. `kam` and the tests start runs here.

Belongs here: starting a run and reading its outcome. What the run does lies in `defs/` and `lib/`.
"""

from __future__ import annotations

import gc
import logging
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from dagster_project.lib import run_folder
from dagster_project.lib.checks import CheckResult
from dagster_project.lib.extracts.discover import find_deliveries
from dagster_project.lib.forgetting.everywhere import finish
from dagster_project.lib.landing import LandingReport
from dagster_project.lib.nothing_to_do import is_up_to_date
from dagster_project.lib.release.live import LiveRelease, read_live
from dagster_project.lib.targets.state import target_states
from dagster_project.output_folder import make_folders
from dagster_project.policy import Policy
from dagster_project.settings import (
    Settings,
    SettingsError,
    current_environment,
    disable_telemetry,
    share_settings,
)

Status = Literal[
    "published", "nothing_to_do", "target_behind", "gate_failed", "unreadable", "failed"
]
# Imports, the graph and dbt's manifest are some million objects that stay: Python's own limit of 700 new ones
# walks them again and again (1.5 of 10 s of CPU before the first step).
GC_OBJECTS = 50_000

log = logging.getLogger(__name__)


class RunInProgressError(Exception):
    """Another run works in the same output folder."""


@dataclass(frozen=True)
class Outcome:
    """How a refresh ended.

    `status`: published, nothing_to_do, target_behind (the release is live, but did not reach a target; the
    reasons in `error`), gate_failed, unreadable (extracts) or failed (anything else, with `error`). `release`
    is the live release afterwards, None before the first. `steps`: seconds of each step that succeeded.
    `caught_up`: targets that were behind and have the live release now, where nothing else was to do.
    """

    status: Status
    release: LiveRelease | None
    run_folder: Path | None = None
    landing: LandingReport | None = None
    checks: list[CheckResult] = field(default_factory=list)
    error: str = ""
    seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    caught_up: tuple[str, ...] = ()

    @property
    def failed_checks(self) -> list[CheckResult]:
        """The checks that stopped the publication."""
        return [check for check in self.checks if check.stops]


def refresh(settings: Settings, policy: Policy) -> Outcome:
    """Lands, computes, checks and publishes; nothing where the live release is of the same inputs.

    Raises:
        RunInProgressError: another run holds the output folder.
        LiveReleaseError: what is published is damaged.
        ExtractError: the landing folder is missing or holds no extract.
        SettingsError: the output folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    started = time.monotonic()
    _find_engine(settings)
    make_folders(settings)
    lock = FileLock(settings.out / ".lock")
    try:
        with lock.acquire(timeout=0):
            finish(settings)
            live = read_live(settings.published)
            if live is not None and not settings.full and is_up_to_date(live, settings, policy):
                if behind := _targets_behind(settings, live):
                    return _run(settings, started, targets=behind)
                return Outcome("nothing_to_do", live, seconds=time.monotonic() - started)
            find_deliveries(
                settings.landing, profiles=settings.profiles, own_profiles=settings.own_profiles
            )
            gc.set_threshold(GC_OBJECTS)
            return _run(settings, started)
    except Timeout:
        raise RunInProgressError(
            f"another run works in {settings.out}; wait for it to end, or give another --out"
        ) from None


def _find_engine(settings: Settings) -> None:
    if settings.on_spark and not (find_spec("pyspark") and find_spec("dbt.adapters.spark")):
        raise SettingsError(
            f"engine {settings.engine}: pyspark and dbt-spark are not installed; "
            "install the project's extra `spark`, or use the engine duckdb"
        )


def _targets_behind(settings: Settings, live: LiveRelease) -> tuple[str, ...]:
    states = target_states(
        settings.targets, live=live.release_id, environment=current_environment()
    )
    return tuple(state.name for state in states if state.is_behind)


def _run(settings: Settings, started: float, *, targets: tuple[str, ...] = ()) -> Outcome:
    """One run of the whole graph, or of these targets alone."""
    share_settings(settings)
    disable_telemetry(settings.dagster_home)
    import dagster as dg

    from dagster_project.definitions import defs

    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    run_id = str(uuid.uuid4())
    folder = settings.runs / run_id
    run_folder.begin(folder)
    try:
        log.info("loading the graph")
        job = defs().resolve_job_def("targets" if targets else "refresh")
        with dg.DagsterInstance.from_config(str(settings.dagster_home.resolve())) as instance:
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(["exports", name]) for name in targets] or None,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
                run_id=run_id,
            )
        outcome = _outcome(settings, folder, result, seconds=time.monotonic() - started)
        if targets and outcome.status == "published":
            outcome = replace(outcome, status="nothing_to_do", caught_up=targets)
        _keep_record(folder, outcome)
    finally:
        run_folder.remove_scratch(folder)
        run_folder.end(folder)
    return outcome


def _outcome(settings: Settings, folder: Path, result: object, *, seconds: float) -> Outcome:
    landing = run_folder.read_landing(folder)
    checks = run_folder.read_checks(folder)
    error = "" if result.success else _first_error(result)  # type: ignore[attr-defined]
    status: Status = "failed"
    if result.success:  # type: ignore[attr-defined]
        status = "published"
    elif landing is not None and landing.errors:
        status, error = "unreadable", "\n".join(landing.errors)
    elif any(check.stops for check in checks):
        status = "gate_failed"
    elif missed := _missed_targets(settings, result):
        status, error = "target_behind", "\n".join(missed)
    return Outcome(
        status=status,
        release=read_live(settings.published),
        run_folder=folder,
        landing=landing,
        checks=checks,
        error=error,
        seconds=seconds,
        steps=_step_seconds(result),
    )


def _keep_record(folder: Path, outcome: Outcome) -> None:
    failed = ", ".join(check.check_name for check in outcome.failed_checks)
    began = datetime.now(UTC) - timedelta(seconds=outcome.seconds)
    folder.mkdir(parents=True, exist_ok=True)
    run_folder.write_record(
        folder,
        run_folder.RunRecord(
            run_id=folder.name,
            began=began.strftime(run_folder.MOMENT),
            status=outcome.status,
            seconds=round(outcome.seconds, 1),
            failed=failed or outcome.error.partition("\n")[0],
            steps=outcome.steps,
        ),
    )


def _step_seconds(result: object) -> dict[str, float]:
    """Seconds of each step that succeeded, in the order of their ends."""
    return {
        event.step_key: round(event.step_success_data.duration_ms / 1_000, 3)
        for event in result.all_events  # type: ignore[attr-defined]
        if event.is_step_success
    }


def _missed_targets(settings: Settings, result: object) -> list[str]:
    """What each target that failed says, where nothing else failed: then the release is live."""
    steps = {f"exports__{name}" for name in settings.targets.names}
    failed = {
        event.step_key: _error_of(event)
        for event in result.all_events  # type: ignore[attr-defined]
        if event.is_step_failure
    }
    return list(failed.values()) if failed.keys() <= steps else []


def _first_error(result: object) -> str:
    for event in result.all_events:  # type: ignore[attr-defined]
        if event.is_step_failure:
            return _error_of(event)
    return "the run failed before its first step"


def _error_of(event: Any) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    error = failure.error.cause or failure.error
    return str(error.message).strip()

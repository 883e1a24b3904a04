"""Notices in the graph: there where they are set, and a failed run of the web UI is told once."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.definitions import defs
from dagster_project.lib import run_folder
from dagster_project.lib.checks import CheckResult
from tests.unit.notices.servers import web_server

NOTICES = dg.AssetKey(["exports", "notices"])


def sensors(definitions: dg.Definitions) -> set[str]:
    return {sensor.name for sensor in definitions.get_repository_def().sensor_defs}


def test_only_there_where_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAM_NOTICE_URLS", raising=False)
    without = defs()
    assert NOTICES not in without.resolve_job_def("refresh").asset_layer.selected_asset_keys
    assert "failure_notices" not in sensors(without)
    monkeypatch.setenv("KAM_NOTICE_URLS", "json://127.0.0.1/")
    with_them = defs()
    dg.Definitions.validate_loadable(with_them)
    job = with_them.resolve_job_def("refresh")
    assert NOTICES in job.asset_layer.selected_asset_keys
    behind = job.asset_layer.get(NOTICES).parent_keys
    assert behind == {dg.AssetKey(["exports", "release"])}
    sensor = with_them.resolve_sensor_def("failure_notices")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


def test_failed_run_of_the_web_ui_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.op
    def gate() -> None:
        raise dg.Failure("checks failed: names_are_unique")

    @dg.job(name="refresh")
    def job() -> None:
        gate()

    with web_server() as web, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("KAM_OUT", str(tmp_path))
        monkeypatch.setenv("KAM_NOTICE_URLS", f"json://{web.host}/hook")
        sensor = defs().resolve_sensor_def("failure_notices")
        run = job.execute_in_process(instance=instance, raise_on_error=False)

        def look() -> None:
            context = dg.build_run_status_sensor_context(
                sensor_name="failure_notices",
                dagster_instance=instance,
                dagster_run=run.dagster_run,
                dagster_event=run.get_run_failure_event(),
            ).for_run_failure()
            sensor(context)

        folder = tmp_path / "runs" / run.run_id
        folder.mkdir(parents=True)
        run_folder.write_checks(
            folder,
            run_folder.CHECKS[0],
            [
                CheckResult(
                    "names_are_unique", "account_tiers", "error", False, "2 twice", "mend it"
                )
            ],
        )
        look()
        look()
    [(_, said)] = web.posts
    assert said["type"] == "failure"
    assert said["title"] == "Account tiers: nothing published, checks failed"
    assert "- account_tiers: names_are_unique: 2 twice\n  mend it" in said["message"]
    assert "No release is live yet." in said["message"]


def test_step_behind_the_release_does_not_say_that_nothing_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.op(name="exports__release")
    def release() -> int:
        return 1

    @dg.op
    def target(released: int) -> None:
        raise dg.Failure("postgres: no connection")

    @dg.job(name="refresh")
    def job() -> None:
        target(release())

    with web_server() as web, dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setenv("KAM_OUT", str(tmp_path))
        monkeypatch.setenv("KAM_NOTICE_URLS", f"json://{web.host}/hook")
        sensor = defs().resolve_sensor_def("failure_notices")
        run = job.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="failure_notices",
            dagster_instance=instance,
            dagster_run=run.dagster_run,
            dagster_event=run.get_run_failure_event(),
        ).for_run_failure()
        sensor(context)
    [(_, said)] = web.posts
    assert said["title"] == "Account tiers: published, but a step after it failed"
    assert "- postgres: no connection" in said["message"]

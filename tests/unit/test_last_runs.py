"""What `kam status` says of a run that left no record of its end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg

from dagster_project.last_runs import last_runs
from dagster_project.lib import run_folder
from dagster_project.output_folder import make_folders
from dagster_project.settings import Settings, disable_telemetry, load_settings

HOLD = """
import sys, time
from pathlib import Path
from dagster_project.lib import run_folder
run_folder.begin(Path(sys.argv[1]))
print("begun", flush=True)
time.sleep(60)
"""


def settings_of(tmp_path: Path) -> Settings:
    settings = load_settings(None, {"out": tmp_path}, environment={})
    make_folders(settings)
    return settings


def test_run_is_running_until_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "run-1"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None and run.stdout.readline() == "begun\n"
        [told] = run_folder.last_runs(tmp_path / "runs", 5)
        assert (told.status, told.seconds, told.failed) == ("running", None, "")
        run.send_signal(signal.SIGKILL)
    [told] = run_folder.last_runs(tmp_path / "runs", 5)
    assert (told.status, told.failed) == ("killed", "before anything was landed")
    run_folder.write_checks(folder, run_folder.CHECKS[0], [])
    [told] = run_folder.last_runs(tmp_path / "runs", 5)
    assert told.failed == "after the models"


def test_record_is_believed_and_a_half_written_one_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "run-1"
    run_folder.begin(folder)
    run_folder.begin(folder)
    assert run_folder.is_running(folder)
    record = run_folder.RunRecord(
        run_id="run-1", began="2026-01-01 06:00:00", status="published", seconds=1, failed=""
    )
    run_folder.write_record(folder, record)
    run_folder.end(folder)
    run_folder.end(folder)
    assert not run_folder.is_running(folder)
    assert run_folder.last_runs(tmp_path, 5) == [record]
    (folder / run_folder.RECORD).write_text("{", encoding="utf-8")
    [told] = run_folder.last_runs(tmp_path, 5)
    assert told.status == "killed"


def test_how_a_run_of_the_web_ui_ended_is_asked_of_dagster(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    disable_telemetry(settings.dagster_home)

    @dg.op
    def fails() -> None:
        raise ValueError("no")

    @dg.op
    def works() -> None:
        pass

    @dg.job
    def failing() -> None:
        fails()

    @dg.job
    def working() -> None:
        works()

    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        ended = [
            job.execute_in_process(instance=instance, raise_on_error=False).run_id
            for job in (working, failing)
        ]
    for run_id in (*ended, "killed-run"):
        run_folder.begin(settings.runs / run_id)
        run_folder.end(settings.runs / run_id)
    found = {record.run_id: record.status for record in last_runs(settings, 5)}
    assert found == {ended[0]: "published", ended[1]: "failed", "killed-run": "killed"}


def test_only_the_owner_opens_what_may_hold_personal_data(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir(mode=0o755)
    settings = settings_of(tmp_path)
    for name in ("raw", "warehouse", "runs", "dagster"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700, name
    assert settings.published not in tmp_path.iterdir()

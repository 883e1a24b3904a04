"""What a run leaves behind comes back as it was, and what it did not reach is absent, not empty."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dagster_project.lib import run_folder
from dagster_project.lib.checks import CheckResult
from dagster_project.lib.landing import LandingReport
from dagster_project.output_folder import make_folders
from dagster_project.settings import Settings, SettingsError


def check(name: str, asset: str, *, passed: bool = True, severity: str = "error") -> CheckResult:
    return CheckResult(name, asset, severity, passed, "found", "mend it")  # type: ignore[arg-type]


def test_landing_report_comes_back(tmp_path: Path) -> None:
    assert run_folder.read_landing(tmp_path) is None
    report = LandingReport(files=[], left=["crm/a.csv"], ignored=["x: why"], errors=["no"])
    run_folder.write_landing(tmp_path, report)
    assert run_folder.read_landing(tmp_path) == report
    assert (report.rows_read, report.rows_rejected) == (0, 0)


def test_both_halves_of_the_gate_come_back_in_order(tmp_path: Path) -> None:
    assert run_folder.read_checks(tmp_path) == []
    dbt, expectations = run_folder.CHECKS
    run_folder.write_checks(tmp_path, expectations, [check("b", "marts"), check("a", "marts")])
    run_folder.write_checks(tmp_path, dbt, [check("z", "accounts")])
    found = [(result.asset, result.check_name) for result in run_folder.read_checks(tmp_path)]
    assert found == [("accounts", "z"), ("marts", "a"), ("marts", "b")]


@pytest.mark.parametrize(
    ("passed", "severity", "stops"),
    [(True, "error", False), (False, "error", True), (True, "warn", False), (False, "warn", False)],
)
def test_only_a_failed_error_stops(passed: bool, severity: str, stops: bool) -> None:
    assert check("a", "marts", passed=passed, severity=severity).stops == stops


def test_last_runs_are_the_newest(tmp_path: Path) -> None:
    for day in (1, 3, 2):
        folder = tmp_path / str(day)
        folder.mkdir()
        run_folder.write_record(
            folder,
            run_folder.RunRecord(
                run_id=str(day), began=f"2026-01-0{day}", status="published", seconds=1, failed=""
            ),
        )
    (tmp_path / "killed").mkdir()
    assert [record.run_id for record in run_folder.last_runs(tmp_path, 2)] == ["3", "2"]
    assert run_folder.last_runs(tmp_path / "absent", 2) == []


def test_seconds_of_the_steps_come_back_and_older_records_have_none(tmp_path: Path) -> None:
    record = run_folder.RunRecord(
        run_id="1",
        began="2026-01-01",
        status="published",
        seconds=3,
        failed="",
        steps={"extracts": 1.5, "transform": 0.25},
    )
    (tmp_path / "1").mkdir()
    run_folder.write_record(tmp_path / "1", record)
    (tmp_path / "0").mkdir()
    older = record.model_dump(exclude={"steps"}) | {"run_id": "0", "began": "2025-01-01"}
    (tmp_path / "0" / run_folder.RECORD).write_text(json.dumps(older), encoding="utf-8")
    newest, oldest = run_folder.last_runs(tmp_path, 2)
    assert newest.steps == {"extracts": 1.5, "transform": 0.25}
    assert oldest.steps == {}


@pytest.mark.parametrize("directory", [None, "fast"])
def test_old_run_folders_go_and_scratch_of_all(tmp_path: Path, directory: str | None) -> None:
    other = tmp_path / "fast" / "of somebody else"
    other.mkdir(parents=True)
    runs = tmp_path / "runs"
    for age in range(33):
        run = runs / f"{age:02}"
        run.mkdir(parents=True)
        made = run_folder.make_scratch(run, tmp_path / directory if directory else None)
        assert made == run_folder.make_scratch(run, None), "it stays where it was begun"
        assert made.stat().st_mode & 0o077 == 0
        (made / "spilt").touch()
        if age == 7:
            run_folder.begin(run)
        os.utime(run, (2e9 - age, 2e9 - age))
    assert len(list((tmp_path / (directory or "runs")).rglob("spilt"))) == 33
    run_folder.sweep(runs)
    assert sorted(path.name for path in runs.iterdir()) == [f"{age:02}" for age in range(30)]
    assert [path.name for path in runs.glob("*/scratch")] == ["scratch"], "of the run at work"
    assert (runs / "07" / "scratch" / "spilt").exists()
    run_folder.end(runs / "07")
    run_folder.sweep(runs)
    assert not list(runs.glob("*/scratch"))
    assert [path.name for path in (tmp_path / "fast").iterdir()] == [other.name]
    run_folder.sweep(tmp_path / "absent")


def test_a_temporary_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(out=tmp_path / "out", temporary_directory=tmp_path / "file")
    with pytest.raises(SettingsError, match=r"temporary_directory .*file: .*; give a folder that"):
        make_folders(settings)
    absent = Settings(out=tmp_path / "out", temporary_directory=tmp_path / "disk" / "kam")
    with pytest.raises(SettingsError, match=r"disk/kam: No such file or directory; give a folder"):
        make_folders(absent)
    (tmp_path / "disk").mkdir()
    make_folders(absent)
    assert (tmp_path / "disk" / "kam").is_dir()

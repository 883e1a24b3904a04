"""A duration that cannot be read rejects its row: it does not fail the file, nor is it nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.landing import land_everything
from dagster_project.settings import load_settings

HUBSPOT_CALLS = (
    "Record ID,Activity date,Call status,Call duration,Associated Company IDs\n"
    "1,2026-10-12,COMPLETED,60000,7\n2,2026-10-12,COMPLETED,{},7\n"
)
HUBSPOT_MEETINGS = (
    "Record ID,Activity date,Meeting start time,Meeting end time,Meeting outcome,Associated Company IDs\n"
    "1,2026-10-12,2026-10-12 09:00,2026-10-12 09:01,Completed,7\n"
    "2,2026-10-12,{},2026-10-12 10:30,Completed,7\n"
)
PIPEDRIVE = (
    "ID,Done,Type,Due date,Duration,Organization ID\n"
    "1,Done,Call,2026-10-12,00:01,7\n2,Done,Call,2026-10-12,{},7\n"
)
SALESFORCE = (
    "Id,AccountId,ActivityDate,Status,TaskSubtype,IsClosed,CallDurationInSeconds\n"
    "00T5g00000Tt1xYEAR,0015g00000Kx1aBAAR,2026-10-12,Completed,Call,1,60\n"
    "00T5g00000Tt1xZEAR,0015g00000Kx1aBAAR,2026-10-12,Completed,Call,1,{}\n"
)
HUGE = "9" * 40


@pytest.fixture(autouse=True)
def _files_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dagster_project.lib.extracts.stillness.LOOK_AGAIN_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("profile", "name", "text", "value", "minutes"),
    [
        ("hubspot", "calls.csv", HUBSPOT_CALLS, "00:06:01", "7"),
        ("hubspot", "calls.csv", HUBSPOT_CALLS, "361000.0", "7"),
        ("hubspot", "calls.csv", HUBSPOT_CALLS, "", None),
        ("hubspot", "calls.csv", HUBSPOT_CALLS, HUGE, "rejected"),
        ("hubspot", "calls.csv", HUBSPOT_CALLS, HUGE + ":00:00", "rejected"),
        ("hubspot", "calls.csv", HUBSPOT_CALLS, "9223372036854775807", "rejected"),
        ("hubspot", "calls.csv", HUBSPOT_CALLS, "a while", "rejected"),
        ("hubspot", "meetings.csv", HUBSPOT_MEETINGS, "2026-10-12 09:00", "90"),
        ("hubspot", "meetings.csv", HUBSPOT_MEETINGS, "2026-10-12T09:00:00Z", "90"),
        ("hubspot", "meetings.csv", HUBSPOT_MEETINGS, "", None),
        ("hubspot", "meetings.csv", HUBSPOT_MEETINGS, "12/10/2026 9 h", "rejected"),
        ("pipedrive", "activities.csv", PIPEDRIVE, "01:30", "90"),
        ("pipedrive", "activities.csv", PIPEDRIVE, "90", "90"),
        ("pipedrive", "activities.csv", PIPEDRIVE, "", None),
        ("pipedrive", "activities.csv", PIPEDRIVE, HUGE + ":30", "rejected"),
        ("pipedrive", "activities.csv", PIPEDRIVE, HUGE, "rejected"),
        ("salesforce", "Task.csv", SALESFORCE, "361", "7"),
        ("salesforce", "Task.csv", SALESFORCE, "361.0", "7"),
        ("salesforce", "Task.csv", SALESFORCE, "", None),
        ("salesforce", "Task.csv", SALESFORCE, HUGE, "rejected"),
        ("salesforce", "Task.csv", SALESFORCE, "9223372036854775807", "rejected"),
        ("salesforce", "Task.csv", SALESFORCE, "-5", "rejected"),
    ],
)
def test_a_duration_is_read_or_rejects_its_row(
    tmp_path: Path, profile: str, name: str, text: str, value: str, minutes: str | None
) -> None:
    flags = {
        "landing": tmp_path / "landing",
        "out": tmp_path / "out",
        "profiles": {"crm": profile},
    }
    settings = load_settings(None, flags, environment={})
    (tmp_path / "landing" / "crm").mkdir(parents=True)
    (tmp_path / "landing" / "crm" / name).write_text(text.format(value), encoding="utf-8")
    report = land_everything(settings, scratch=tmp_path / "scratch")
    (entry,) = [file.entry for file in report.files if file.entry.entity == "activities"]
    found = duckdb.execute(
        "select duration_minutes::varchar from read_parquet(?) order by activity_id",
        [str(settings.raw / "activities" / entry.landed)],
    ).fetchall()
    if minutes == "rejected":
        assert found == [("1",)]
        assert entry.rows_rejected == 1
    else:
        assert found == [("1",), (minutes,)]
        assert entry.rows_rejected == 0

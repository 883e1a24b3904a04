"""What the steps of one run leave for each other and for who started it: small JSON files in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, Field

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.landing import LandingReport

LANDING = "landing.json"
RECORD = "outcome.json"
SCRATCH = "scratch"
CHECKS = ("checks_dbt.json", "checks_gate.json")


def write_landing(folder: Path, report: LandingReport) -> None:
    """Keeps the landing report for the steps after it."""
    (folder / LANDING).write_text(report.model_dump_json(), encoding="utf-8")


def read_landing(folder: Path) -> LandingReport | None:
    """The landing report of the run, if it came that far."""
    path = folder / LANDING
    if not path.is_file():
        return None
    return LandingReport.model_validate_json(path.read_bytes())


def write_checks(folder: Path, name: str, results: Iterable[CheckResult]) -> None:
    """Keeps the results of one of the gate's halves (a name of CHECKS)."""
    rows = [result.row() for result in results]
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")


def read_checks(folder: Path) -> list[CheckResult]:
    """All results that the run has so far, by asset and name."""
    results = [
        CheckResult(**row)
        for name in CHECKS
        if (folder / name).is_file()
        for row in json.loads((folder / name).read_bytes())
    ]
    return sorted(results, key=lambda result: (result.asset, result.check_name))


class RunRecord(BaseModel):
    """How a run ended; `failed` names the checks that stopped it, or the error's first line.

    `steps`: seconds of each Dagster step that succeeded; what `seconds` holds beyond them is start-up.
    """

    run_id: str
    began: str
    status: str
    seconds: float
    failed: str
    steps: dict[str, float] = Field(default_factory=dict)


def write_record(folder: Path, record: RunRecord) -> None:
    """Keeps the outcome of the run."""
    (folder / RECORD).write_text(record.model_dump_json(indent=2), encoding="utf-8")


def last_runs(runs: Path, count: int) -> list[RunRecord]:
    """The outcomes of the last runs, the newest first."""
    records = [
        RunRecord.model_validate_json(path.read_bytes()) for path in runs.glob(f"*/{RECORD}")
    ]
    return sorted(records, key=lambda record: record.began, reverse=True)[:count]

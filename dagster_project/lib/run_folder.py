"""What the steps of one run leave for each other and for who started it: small JSON files in its folder."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.landing import LandingReport

LANDING = "landing.json"
RECORD = "outcome.json"
NOTICES = "notices.json"
BEGAN = "began"
SCRATCH = "scratch"
KEPT_RUN_FOLDERS = 30
CHECKS = ("checks_dbt.json", "checks_gate.json")
KILLED = "killed"
MOMENT = "%Y-%m-%d %H:%M:%S"

# Descriptors of the runs of this process; the system lets go of them when it ends, however it ends.
_held: dict[Path, int] = {}


def begin(folder: Path) -> None:
    """Makes the folder and holds it as that of a run at work; may be called again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = (folder / BEGAN).resolve()
    if path in _held:
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # a step in a process of its own
        os.close(descriptor)
        return
    if not os.fstat(descriptor).st_size:
        os.write(descriptor, datetime.now(UTC).strftime(MOMENT).encode())
    _held[path] = descriptor


def end(folder: Path) -> None:
    """Lets go of the folder."""
    descriptor = _held.pop((folder / BEGAN).resolve(), None)
    if descriptor is not None:
        os.close(descriptor)


def make_scratch(folder: Path, temporary_directory: Path | None) -> Path:
    """Where a run puts what does not fit into memory, and files taken apart; open to its owner alone.

    It is in the run's folder, or in the temporary directory with a link from the run's folder: whoever takes it
    away follows the link, whatever the setting is by then.
    """
    scratch = folder / SCRATCH
    if not scratch.is_symlink() and not scratch.exists() and temporary_directory is not None:
        scratch.symlink_to(temporary_directory.resolve() / f"account-tiering-{folder.name}")
    found = scratch.resolve()
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def remove_scratch(folder: Path) -> None:
    """Takes away what `make_scratch` made and what lies in it."""
    scratch = folder / SCRATCH
    shutil.rmtree(scratch.resolve(), ignore_errors=True)
    if scratch.is_symlink():
        scratch.unlink()


def sweep(runs: Path) -> None:
    """Takes away old runs' folders, and what runs that are no longer at work have left in their scratch."""
    if not runs.is_dir():
        return
    folders = sorted(runs.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for age, folder in enumerate(folders):
        # one of the web UI may be at work
        if is_running(folder):
            continue
        remove_scratch(folder)
        if age >= KEPT_RUN_FOLDERS:
            shutil.rmtree(folder, ignore_errors=True)


def is_running(folder: Path) -> bool:
    """Whether a living process holds the folder."""
    path = folder / BEGAN
    if path.resolve() in _held:
        return True
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_notices(folder: Path, warnings: Iterable[str]) -> None:
    """Keeps what went wrong with the run's notices."""
    (folder / NOTICES).write_text(json.dumps(list(warnings)), encoding="utf-8")


def read_notices(folder: Path) -> list[str]:
    """What went wrong with the run's notices."""
    path = folder / NOTICES
    found: list[str] = json.loads(path.read_bytes()) if path.is_file() else []
    return found


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
    A run without a record of its end is `running` or `killed`, and has no seconds.
    """

    run_id: str
    began: str
    status: str
    seconds: float | None
    failed: str
    steps: dict[str, float] = Field(default_factory=dict)


def write_record(folder: Path, record: RunRecord) -> None:
    """Keeps the outcome of the run."""
    (folder / RECORD).write_text(record.model_dump_json(indent=2), encoding="utf-8")


def last_runs(runs: Path, count: int) -> list[RunRecord]:
    """The last runs, the newest first; one that left no record is running, or was killed."""
    found = [_record(folder) for folder in runs.glob("*") if folder.is_dir()]
    return sorted(
        (record for record in found if record), key=lambda record: record.began, reverse=True
    )[:count]


def _record(folder: Path) -> RunRecord | None:
    try:
        return RunRecord.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        # the run was killed before it, or while writing it
        return _unrecorded(folder)


def _unrecorded(folder: Path) -> RunRecord | None:
    """What is known of a run without a record; None where the folder is of no run."""
    path = folder / BEGAN
    if not path.is_file():
        return None
    running = is_running(folder)
    return RunRecord(
        run_id=folder.name,
        began=began(folder),
        status="running" if running else KILLED,
        seconds=None,
        failed="" if running else _reached(folder),
    )


def began(folder: Path) -> str:
    """When the run began; UTC."""
    return (folder / BEGAN).read_text(encoding="utf-8")


def _reached(folder: Path) -> str:
    """How far a killed run came, by the files that its steps leave."""
    names = [name for name in (LANDING, *CHECKS) if (folder / name).is_file()]
    said = {LANDING: "after landing", CHECKS[0]: "after the models", CHECKS[1]: "after the gate"}
    return said[names[-1]] if names else "before anything was landed"

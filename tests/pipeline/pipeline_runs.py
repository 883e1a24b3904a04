"""Runs refreshes for tests, in this process or by `kam`, and reads what they published."""

from __future__ import annotations

import csv
import logging
import os
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.lib.release.live import LiveRelease, read_live
from dagster_project.policy import load_policy
from dagster_project.refresh import Outcome, refresh
from dagster_project.settings import load_settings

REPOSITORY = Path(__file__).parents[2]
ADVENTUREWORKS = REPOSITORY.parent / "shared" / "data" / "adventureworks"
GOLDEN = REPOSITORY / "tests" / "fixtures" / "golden"
GOLDEN_AS_OF = "2026-01-01"
REFRESH_SECONDS = 240  # a refresh takes 10 to 25; a run that never ends must not hold the tests
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Refreshed:
    """A landing folder and the output folder that it was refreshed into."""

    landing: Path
    out: Path

    @property
    def live(self) -> LiveRelease:
        """The live release."""
        live = read_live(self.out / "published")
        assert live is not None, f"nothing is published in {self.out}"
        return live

    def rows(self, query: str) -> Rows:
        """What a query finds in the published marts."""
        return rows_of(self.out / "published" / "marts.duckdb", query)

    def warehouse_rows(self, query: str) -> Rows:
        """What a query finds in the warehouse of the run."""
        return rows_of(self.out / "warehouse" / "warehouse.duckdb", query)

    def accounts(self) -> dict[str, dict[str, Any]]:
        """The rows of `account_tiers` by account key."""
        return {row["account_key"]: row for row in self.rows("select * from account_tiers")}

    def audience_rows(self, file: str) -> list[dict[str, str]]:
        """A file of the live release's audiences; one that is not there has no rows."""
        path = self.live.audiences / file
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    def copy(self, folder: Path) -> Refreshed:
        """The same in another place, to be changed."""
        shutil.copytree(self.landing, folder / "landing")
        shutil.copytree(self.out, folder / "out")
        return Refreshed(folder / "landing", folder / "out")


def rows_of(database: Path, query: str) -> Rows:
    """What a query finds in a DuckDB file."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def _bounded(seconds: int) -> Iterator[None]:
    """Ends what takes longer: a run that waits forever for a step would hold the tests forever."""

    def stop(*_: object) -> None:
        raise TimeoutError(
            f"a refresh took more than {seconds} s; look for a step that never starts"
        )

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def own_environment() -> Iterator[None]:
    """Takes back the variables by which a refresh tells its settings to Dagster's graph and to dbt."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def refreshed(
    landing: Path,
    out: Path,
    *,
    as_of: str = "",
    policy: str = "",
    threads: int = 2,
    full: bool = False,
) -> Outcome:
    """Refreshes in this process; `policy` is the text of a policy file."""
    flags: dict[str, Any] = {"landing": landing, "out": out, "as_of": as_of, "threads": threads}
    flags["full"] = full
    if policy:
        flags["policy"] = out.parent / f"{out.name}_policy.yml"
        flags["policy"].parent.mkdir(parents=True, exist_ok=True)
        flags["policy"].write_text(policy, encoding="utf-8")
    settings = load_settings(None, flags, environment={})
    with own_environment(), _bounded(REFRESH_SECONDS):
        return refresh(settings, load_policy(settings.policy))


def kam(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs `kam` in this process: one of its own takes seconds to import what is here already."""
    told = list(map(str, arguments))
    # warnings and the log's last resort are the process's, and `kam` silences both
    last_resort = logging.lastResort
    with (
        own_environment(),
        chdir(REPOSITORY),
        warnings.catch_warnings(),
        _bounded(REFRESH_SECONDS),
    ):
        for name in [name for name in os.environ if name.startswith("KAM_")]:
            del os.environ[name]
        try:
            run = CliRunner().invoke(app, told)
        finally:
            logging.lastResort = last_resort
    if run.exception is not None and not isinstance(run.exception, SystemExit):
        raise run.exception
    return subprocess.CompletedProcess(told, run.exit_code, run.stdout, run.stderr)


def kam_process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs `kam` as users do, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KAM_")}
    return subprocess.run(
        [sys.executable, "-c", "from dagster_project.cli import app; app()", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=REFRESH_SECONDS,
        env=environment,
        cwd=REPOSITORY,
        check=False,
    )


def published(outcome: Outcome) -> Outcome:
    """The outcome, which must be a publication."""
    failed = [f"{check.check_name}: {check.observed}" for check in outcome.failed_checks]
    assert outcome.status == "published", (outcome.status, outcome.error, failed)
    assert outcome.release is not None
    assert outcome.release.report.is_file(), (
        "the release has no report: see what write_report raised"
    )
    return outcome


def snapshot(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def content_hashes(company: Refreshed, *, but: Sequence[str] = ()) -> dict[str, str]:
    """The content hash of each published mart."""
    return {m.name: m.sha256 for m in company.live.manifest.marts if m.name not in but}


# When a run said it, not what it said.
MOMENTS = {
    "account_tiers": "updated_at",
    "published_tiers": "published_at",
    "tier_moves": "moved_at",
}


def published_rows(company: Refreshed) -> dict[str, Rows]:
    """All rows of every mart, but for what a run says of itself and of the release before it."""
    marts = [m.name for m in company.live.manifest.marts]
    left_out = {"account_changes", "quality_results"}
    return {
        name: company.rows(
            f"select * exclude ({MOMENTS[name]}) from {name} order by all"
            if name in MOMENTS
            else f"select * from {name} order by all"
        )
        for name in marts
        if name not in left_out
    }


def replace_line(path: Path, number: int, old: str, new: str) -> None:
    """Changes one text in one line of a file; the header is line 1."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert old in lines[number - 1], lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new, 1)
    path.write_text("".join(lines), encoding="utf-8")

"""Refreshes on an engine by `kam`, and what two releases say that differs.

A release that Spark computed is the one that DuckDB computed: every mart, row by row, every value. A first release
of equal inputs names no run, so no column of it is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from dagster_project.lib.release.live import LiveRelease
from tests.pipeline.pipeline_runs import REPOSITORY, Refreshed
from tests.spark.servers import SHORT_LIVED

REFRESH_SECONDS = 1500
# Small tables: more partitions would be more tasks that do nothing.
SMALL = {
    "KAM_THREADS": "4",
    "KAM_SPARK_SHUFFLE_PARTITIONS": "2",
}


def refreshed_on(
    engine: str, landing: Path, out: Path, *, as_of: str = "", variables: Mapping[str, str]
) -> Refreshed:
    """Refreshes in a process of its own, as a scheduler would; the run must publish."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KAM_")}
    arguments = ["refresh", "--landing", str(landing), "--out", str(out), "--engine", engine]
    run = subprocess.run(
        [sys.executable, "-c", "from dagster_project.cli import app; app()", *arguments]
        + (["--as-of", as_of] if as_of else []),
        capture_output=True,
        text=True,
        timeout=REFRESH_SECONDS,
        env=environment | dict(variables),
        cwd=REPOSITORY,
        check=False,
    )
    assert run.returncode == 0, f"{engine}: exit code {run.returncode}\n{run.stdout}\n{run.stderr}"
    return Refreshed(landing, out)


def session_on(master: str) -> dict[str, str]:
    """The variables of a run on a standalone cluster of two workers with one core and 1 GB each.

    Spark plans and compiles as it does for users.
    """
    options = {
        "spark.executor.memory": "640m",
        "spark.executor.extraJavaOptions": SHORT_LIVED,
        "spark.driver.extraJavaOptions": SHORT_LIVED,
        "spark.cores.max": "2",
    }
    return SMALL | {"KAM_SPARK_MASTER": master, "KAM_SPARK_CONF": json.dumps(options)}


def differences(
    expected: LiveRelease, found: LiveRelease, *, but: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Marts that differ, each with how, compared row by row and value by value, but for some columns."""
    marts = {mart.name for mart in expected.manifest.marts}
    assert marts == {mart.name for mart in found.manifest.marts}
    told = {name: _difference(expected.mart(name), found.mart(name), but) for name in sorted(marts)}
    return {name: text for name, text in told.items() if text}


def _difference(expected: Path, found: Path, but: frozenset[str]) -> str:
    with duckdb.connect() as connection:
        for name, path in (("expected", expected), ("found", found)):
            file = f"read_parquet('{path}')"
            columns = [row[0] for row in connection.execute(f"describe from {file}").fetchall()]
            kept = ", ".join(column for column in columns if column not in but)
            connection.execute(f"create view {name} as select {kept} from {file}")
        described = [
            [row[:2] for row in connection.execute(f"describe {name}").fetchall()]
            for name in ("expected", "found")
        ]
        if described[0] != described[1]:
            return f"columns {described[0]}, found {described[1]}"
        counts = [
            connection.execute(query).fetchone()
            for query in (
                "select count(*) from (from expected except all from found)",
                "select count(*) from (from found except all from expected)",
            )
        ]
        if counts == [(0,), (0,)]:
            return ""
        example = connection.execute(
            "from (from expected except all from found) order by all limit 1"
        ).fetchone()
    return f"{counts[0]} rows only in expected, {counts[1]} only in found, such as {example}"

"""What lies outside of the output folder, or is at work in it, is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

from dagster_project.lib.forgetting.delivered import is_held, not_reached
from dagster_project.settings import Settings


def test_a_run_of_the_web_ui_holds_the_warehouse(tmp_path: Path) -> None:
    """It takes no lock of the output folder; DuckDB's own tells of it."""
    warehouse = tmp_path / "warehouse.duckdb"
    assert not is_held(warehouse)
    duckdb.connect(str(warehouse)).close()
    assert not is_held(warehouse)
    script = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "open\n"
        assert is_held(warehouse)
        run.communicate("\n")
    assert not is_held(warehouse)


def test_tables_on_a_cluster_are_named() -> None:
    assert not_reached(Settings()) == []
    (text,) = not_reached(Settings(engine="spark_thrift"))
    assert "kam refresh" in text


def test_what_was_sent_to_targets_is_named() -> None:
    targets = {"postgres": {}, "object_store": {"url": "s3://bucket/tiers"}}
    database, store = not_reached(Settings.model_validate({"targets": targets}))
    assert "PostgreSQL" in database
    assert "s3://bucket/tiers" in store

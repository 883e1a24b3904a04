"""dbt's unit tests (`_*__unit_tests.yml`), which a refresh leaves out, on the relations of a built warehouse."""

import os
import shutil
from pathlib import Path

import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.warehouse.dbt_project import PROJECT, parsed_manifest
from tests.pipeline.pipeline_runs import Refreshed


def test_every_unit_test_of_dbt_passes(
    demo: tuple[Refreshed, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dbt.cli.main import dbtRunner

    # views name their database, which is named for its file
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(demo[0].out / "warehouse" / "warehouse.duckdb", warehouse)
    for name, value in {"KAM_WAREHOUSE": warehouse, "KAM_SCRATCH": tmp_path}.items():
        monkeypatch.setitem(os.environ, name, str(value))
    arguments = ["test", "--select", "test_type:unit", "--quiet"]
    arguments += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    arguments += ["--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path)]
    outcome = dbtRunner(manifest=parsed_manifest()).invoke(arguments)
    assert outcome.exception is None
    results = {
        result.node.name: (str(result.status), result.message) for result in outcome.result.results
    }
    assert len(results) >= 15
    assert {name: said for name, said in results.items() if said[0] != "pass"} == {}

"""A table that is filled span by span (`meta.spans`) is the one that is built at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.warehouse.dbt_project import build, manifest
from tests.pipeline.pipeline_runs import Refreshed, rows_of

ROWS = "KAM_SPAN_ROWS"


def models_in_spans() -> list[dict[str, Any]]:
    nodes = manifest()["nodes"].values()
    return [node for node in nodes if node["config"].get("meta", {}).get("spans")]


def spans_of(
    model: dict[str, Any], warehouse: Path, run: Path, *, most_rows: int, full: bool
) -> int:
    """Builds the model, and says by how many statements its table was filled (of a kept one: unknown)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROWS, str(most_rows))
        build(
            ["--select", model["name"], "--indirect-selection", "empty"],
            warehouse=warehouse,
            run_folder=run,
            memory_limit="1GB",
            threads=1,
            full=full,
        )
    (written,) = (run / "dbt" / "run").rglob(f"{model['name']}.sql")
    return written.read_text(encoding="utf-8").count("set variable span_first =")


@pytest.mark.parametrize("wanted", ["a part each", "some parts each", "all in one"])
def test_spans_come_to_the_whole(golden: Refreshed, tmp_path: Path, wanted: str) -> None:
    models = models_in_spans()
    assert {"int_customer_currency_months", "int_account_scheme_tiers"} < {
        model["name"] for model in models
    }
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(golden.out / "warehouse" / "warehouse.duckdb", warehouse)
    for model in models:
        table = f"{model['schema']}.{model['name']}"
        part, parts = model["config"]["unique_key"], model["config"]["meta"]["parts"]
        everything = f"select * exclude (input_fingerprint) from {table} order by all"
        before = rows_of(warehouse, everything)
        sized = rows_of(
            warehouse, f"select {part}, part_rows from intermediate.{parts} order by all"
        )
        sizes = [row["part_rows"] for row in sized]
        count, rows, first = len(sizes), sum(sizes), sized[0][part]
        assert count > 2
        assert max(sizes) < rows // 2

        most_rows = {"a part each": 1, "some parts each": rows // 2, "all in one": rows}[wanted]
        spans = spans_of(model, warehouse, tmp_path / "full", most_rows=most_rows, full=True)
        assert rows_of(warehouse, everything) == before
        assert {
            "a part each": spans == count,
            "some parts each": 1 < spans < count,
            "all in one": spans == 1,
        }[wanted], (model["name"], spans)

        # another fingerprint of all parts but the first: those are built again, and take the old ones' place
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(
                f"update intermediate.{parts} set input_fingerprint = 1 where {part} > {first}"
            )
        spans_of(model, warehouse, tmp_path / "kept", most_rows=most_rows, full=False)
        assert rows_of(warehouse, everything) == before
        kept = rows_of(warehouse, f"select {part} from {table} where input_fingerprint <> 1")
        assert kept == rows_of(warehouse, f"select {part} from {table} where {part} = {first}")

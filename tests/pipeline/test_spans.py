"""A table that is filled span by span (`meta.spans`) is the one that is built at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.warehouse import dbt_project
from tests.pipeline.pipeline_runs import Refreshed, rows_of

ROWS = "KAM_SPAN_ROWS"


def models_in_spans() -> list[dict[str, Any]]:
    nodes = dbt_project.manifest()["nodes"].values()
    return [node for node in nodes if node["config"].get("meta", {}).get("spans")]


def spans_of(
    model: dict[str, Any],
    warehouse: Path,
    run: Path,
    *,
    most_rows: int | str,
    full: bool,
    memory_limit: str = "1GB",
) -> int:
    """Builds the model, and says by how many statements it was filled: those that dbt's log shows."""
    said = dbt_project._common_arguments(run / "dbt", "duckdb")
    said[said.index("--log-level-file") + 1] = "debug"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROWS, str(most_rows))
        patch.setattr(dbt_project, "_common_arguments", lambda *_: said)
        dbt_project.build(
            ["--select", model["name"], "--indirect-selection", "empty"],
            warehouse=warehouse,
            run_folder=run,
            memory_limit=memory_limit,
            threads=1,
            full=full,
        )
    log = run / "dbt" / "logs" / "dbt.log"
    return log.read_text(encoding="utf-8").count("set variable span_first =")


def as_wanted(wanted: str, spans: int, *, parts: int) -> bool:
    return {
        "a part each": spans == parts,
        "some parts each": 1 < spans < parts,
        "all in one": spans == 1,
    }[wanted]


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
        spans = spans_of(
            model, warehouse, tmp_path / f"{model['name']}_full", most_rows=most_rows, full=True
        )
        assert rows_of(warehouse, everything) == before
        assert as_wanted(wanted, spans, parts=count), (model["name"], spans)

        # another fingerprint of all parts but the first: those are built again, and take the old ones' place
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(
                f"update intermediate.{parts} set input_fingerprint = input_fingerprint // 2 "
                f"where {part} > {first}"
            )
        spans = spans_of(
            model, warehouse, tmp_path / f"{model['name']}_kept", most_rows=most_rows, full=False
        )
        assert rows_of(warehouse, everything) == before
        assert as_wanted(wanted, spans, parts=count - 1), (model["name"], spans)
        of_parts = f"select distinct {part}, input_fingerprint from {{}} order by all"
        assert rows_of(warehouse, of_parts.format(table)) == rows_of(
            warehouse, of_parts.format(f"intermediate.{parts} where part_rows > 0")
        )


@pytest.mark.parametrize(
    ("setting", "memory_limit", "said"),
    [
        ("2GB", "1GB", "KAM_SPAN_ROWS is no number of rows"),
        ("1000", "2MB", "memory_limit 2MB is too little; raise it in kam.yml or KAM_MEMORY_LIMIT"),
    ],
)
def test_what_bounds_memory_says_what_is_wrong_with_it(
    golden: Refreshed, tmp_path: Path, setting: str, memory_limit: str, said: str
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(golden.out / "warehouse" / "warehouse.duckdb", warehouse)
    with pytest.raises(dbt_project.DbtError, match=said):
        spans_of(
            models_in_spans()[0],
            warehouse,
            tmp_path / "run",
            most_rows=setting,
            memory_limit=memory_limit,
            full=True,
        )

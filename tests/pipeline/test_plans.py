"""No model compares all rows of one table with all rows of another: what small companies never show.

DuckDB joins row by row where a left join has a condition on one side alone, or one that mixes both sides
(99 of 228 s of CPU of a month's refresh of 10 million lines). The plan says so at any size.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from tests.pipeline.pipeline_runs import Refreshed

# joined with a table of a few rows that users edit: plans by tier, size bands
SMALL = {"int_account_service_plans", "int_accounts"}


def joined_row_by_row(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The conditions of the left, right and full joins that DuckDB runs as nested loops."""
    plan = connection.execute(f"explain (format json) {query}").fetchall()[0][1]
    found: list[str] = []
    left = json.loads(plan)
    while left:
        node: dict[str, Any] = left.pop()
        left += node["children"]
        if node["name"] in ("BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN"):
            said = node["extra_info"]
            if said.get("Join Type") != "INNER":
                found.append(str(said.get("Condition", said.get("Conditions"))))
    return found


def compiled_models(out: Path) -> dict[str, str]:
    """The SQL of the models of the only run, by name."""
    files = out.glob("runs/*/dbt/compiled/account_tiering/models/**/*.sql")
    return {file.stem: file.read_text(encoding="utf-8") for file in files}


def test_no_model_joins_row_by_row(golden: Refreshed) -> None:
    models = compiled_models(golden.out)
    assert "account_tiers" in models
    with duckdb.connect() as connection:
        warehouse = golden.out / "warehouse" / "warehouse.duckdb"
        connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        found = {
            name: conditions
            for name, query in models.items()
            if name not in SMALL and (conditions := joined_row_by_row(connection, query))
        }
    assert found == {}, (
        "put the condition into the key (case when .. then key end), or compare as is"
    )


def test_a_condition_on_one_side_is_found() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table a as select range as k, range % 2 = 0 as f from range(9)")
        query = "select * from a as x left join a as y on x.k = y.k and not x.f"
        assert joined_row_by_row(connection, query)
        assert not joined_row_by_row(connection, "select * from a as x left join a as y using (k)")

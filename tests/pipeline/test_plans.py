"""What small companies never show, read from DuckDB's plans.

DuckDB joins row by row where a left join has a condition on one side alone, or one that mixes both sides
(99 of 228 s of CPU of a month's refresh of 10 million lines). The plan says so at any size.

DuckDB 1.5 evaluates a filter that computes, once pushed into the scan of a table, on rows that were deleted as well,
whose values are arbitrary: what can fail does then ("Date out of range: 0-0-1", in a release after late credit
notes). Only tables that are kept between runs have deleted rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.lib.release.marts import read_marts
from dagster_project.lib.warehouse.dbt_project import manifest, parsed_folder
from tests.pipeline.pipeline_runs import Refreshed

# joined with a table of a few rows that users edit: plans by tier, size bands
SMALL = {"int_account_service_plans", "int_accounts"}
# a function, an operator or a cast in a filter, beside comparisons with literals
LITERAL = re.compile(r"'[^']*'(::\w+)?")
COMPUTES = re.compile(r"\w\(|\s[-+*/%|&]+\s|::")


def nodes(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[dict[str, Any]]:
    """The operators of a query's plan."""
    left = json.loads(connection.execute(f"explain (format json) {query}").fetchall()[0][1])
    while left:
        node: dict[str, Any] = left.pop()
        left += node["children"]
        yield node


def filters_that_can_fail(
    connection: duckdb.DuckDBPyConnection, query: str, tables: Collection[str]
) -> list[str]:
    """Filters on scans of these tables that compute something."""
    return [
        f"{node['extra_info']['Table']}: {said}"
        for node in nodes(connection, query)
        if node["extra_info"].get("Table", "").split(".")[-1] in tables
        and COMPUTES.search(LITERAL.sub("", said := str(node["extra_info"].get("Filters"))))
    ]


def joined_row_by_row(connection: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The conditions of the left, right and full joins that DuckDB runs as nested loops."""
    found: list[str] = []
    for node in nodes(connection, query):
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


def test_no_filter_on_a_kept_table_can_fail(golden: Refreshed) -> None:
    models = manifest()["nodes"].values()
    kept = {node["name"] for node in models if node["config"]["materialized"] == "incremental"}
    assert "int_account_months" in kept
    queries = compiled_models(golden.out)
    queries |= {
        f"a part of {mart.name}": f"select * from warehouse.marts.{mart.name} "
        f"where {mart.parts} = date '2024-06-01'"
        for mart in read_marts(parsed_folder() / "manifest.json")
        if mart.parts
    }
    with duckdb.connect() as connection:
        warehouse = golden.out / "warehouse" / "warehouse.duckdb"
        connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        found = {
            name: filters
            for name, query in queries.items()
            if (filters := filters_that_can_fail(connection, query, kept))
        }
    assert found == {}, "keep what is computed as a column"


def test_a_filter_that_can_fail_is_found() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table kept as select range as month_index from range(9)")
        query = "select * from kept where make_date(month_index, 1, 1) = date '2024-01-01'"
        assert filters_that_can_fail(connection, query, {"kept"})
        product = "select * from kept where month_index * 1000000 > 3"
        assert filters_that_can_fail(connection, product, {"kept"})
        assert not filters_that_can_fail(connection, query, {"other"})
        assert not filters_that_can_fail(connection, "from kept where month_index = 3", {"kept"})

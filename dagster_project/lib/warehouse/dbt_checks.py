"""dbt's tests as checks of the gate: which asset a test speaks of, and what its result says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Protocol

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.warehouse.dbt_project import NodeResult

ROWS_SHOWN = 3
# A test over several models speaks of the one that lies furthest down the way of the data.
FLOORS = ("seeds", "staging", "intermediate", "marts", "exports")


class Queries(Protocol):
    """Where failing rows are looked up: DuckDB's connection, or Spark's."""

    def execute(self, query: str, /) -> Any:
        """The cursor of a query, with `description` and `fetchall`."""


def floor_of(node: Mapping[str, Any]) -> str:
    """The floor on which a seed or model lives."""
    return "seeds" if node["resource_type"] == "seed" else str(node["fqn"][1])


def checked_node(test: Mapping[str, Any], nodes: Mapping[str, Any]) -> str | None:
    """unique_id of the model or seed that a test is a check of; None where it tests only sources."""
    attached = test.get("attached_node")
    if attached in nodes:
        return str(attached)
    parents = [node for node in test["depends_on"]["nodes"] if node in nodes]
    return max(parents, key=lambda node: FLOORS.index(floor_of(nodes[node])), default=None)


def severity_of(test: Mapping[str, Any]) -> Literal["error", "warn"]:
    """`warn` only where the test says so."""
    return "warn" if str(test["config"].get("severity", "error")).lower() == "warn" else "error"


def check_results(
    results: Iterable[NodeResult],
    manifest: Mapping[str, Any],
    connection: Queries,
) -> list[CheckResult]:
    """The results of the data tests that ran; one that was skipped has a failed one before it.

    `connection` is to the warehouse that dbt tested: failing rows are shown from it.
    """
    nodes = manifest["nodes"]
    checks = []
    for result in results:
        test = nodes.get(result.unique_id)
        if test is None or test["resource_type"] != "test" or result.status == "skipped":
            continue
        node = checked_node(test, nodes)
        if node is None:
            continue
        passed = result.status == "pass"
        checks.append(
            CheckResult(
                check_name=test["name"],
                asset=nodes[node]["name"],
                severity=severity_of(test),
                passed=passed,
                observed="no failing row" if passed else _observed(result, test, connection),
                remedy=_remedy(test),
            )
        )
    return checks


def _observed(result: NodeResult, test: Mapping[str, Any], connection: Queries) -> str:
    """How many rows fail, and the first of them where the test names its own columns.

    A generic test returns the rows of its model, which may hold personal data: those are only counted.
    """
    counted = f"{result.failures:,} failing row{'' if result.failures == 1 else 's'}"
    if test.get("test_metadata") or not result.query:
        return counted
    shown = connection.execute(
        f"select * from ({result.query}) as failing order by all limit {ROWS_SHOWN}"
    )
    names = [column[0] for column in shown.description]
    rows = [_said(dict(zip(names, row, strict=True))) for row in shown.fetchall()]
    return f"{counted}: {'; '.join(rows)}" + ("; ..." if result.failures > len(rows) else "")


def _said(row: Mapping[str, Any]) -> str:
    """The row's own sentence, its column `observed`; else its columns."""
    if "observed" in row:
        return str(row["observed"])
    return ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)


def _remedy(test: Mapping[str, Any]) -> str:
    meta = test["config"].get("meta") or {}
    return str(
        meta.get("remedy") or test.get("description") or f"look at the rows of {test['name']}"
    )

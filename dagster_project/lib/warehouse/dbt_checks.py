"""dbt's tests as checks of the gate: which asset a test speaks of, and what its result says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.warehouse.dbt_project import NodeResult

# A test over several models speaks of the one that lies furthest down the way of the data.
FLOORS = ("seeds", "staging", "intermediate", "marts", "exports")


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


def check_results(results: Iterable[NodeResult], manifest: Mapping[str, Any]) -> list[CheckResult]:
    """The results of the data tests that ran; one that was skipped has a failed one before it."""
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
                observed="no failing row" if passed else f"{result.failures} failing rows",
                remedy=_remedy(test),
            )
        )
    return checks


def _remedy(test: Mapping[str, Any]) -> str:
    meta = test["config"].get("meta") or {}
    return str(meta.get("remedy") or test.get("description") or f"look at the rows of {test['name']}")

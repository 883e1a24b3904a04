"""Each data test of dbt is a check of the asset that it speaks of."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from dagster_project.lib.warehouse.dbt_checks import check_results, checked_node, severity_of
from dagster_project.lib.warehouse.dbt_project import NodeResult

NODES: dict[str, dict[str, Any]] = {
    "seed.s": {"resource_type": "seed", "name": "s", "fqn": ["project", "s"]},
    "model.stg": {"resource_type": "model", "name": "stg", "fqn": ["project", "staging", "stg"]},
    "model.int": {
        "resource_type": "model",
        "name": "int",
        "fqn": ["project", "intermediate", "int"],
    },
    "model.mart": {"resource_type": "model", "name": "mart", "fqn": ["project", "marts", "mart"]},
}


def made_test(
    *parents: str, severity: str = "error", attached: str | None = None
) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "name": "assert_it",
        "attached_node": attached,
        "depends_on": {"nodes": list(parents)},
        "config": {"severity": severity, "meta": {"remedy": "mend it"}},
    }


@pytest.mark.parametrize(
    ("test", "node"),
    [
        (made_test("model.mart", "model.stg", attached="model.stg"), "model.stg"),
        (made_test("model.stg", "model.mart", "model.int"), "model.mart"),
        (made_test("seed.s", "model.stg"), "model.stg"),
        (made_test("source.raw.accounts"), None),
        (made_test(), None),
    ],
)
def test_check_is_of_the_node_it_is_attached_to_or_of_the_furthest(
    test: dict[str, Any], node: str | None
) -> None:
    assert checked_node(test, NODES) == node


@pytest.mark.parametrize(
    ("written", "severity"), [("ERROR", "error"), ("WARN", "warn"), ("warn", "warn")]
)
def test_severity_is_dbts(written: str, severity: str) -> None:
    assert severity_of(made_test(severity=written)) == severity
    assert severity_of({"config": {}}) == "error"


def test_results_are_checks_and_what_was_skipped_is_none() -> None:
    nodes = NODES | {
        "test.good": made_test("model.mart"),
        "test.bad": made_test("model.mart", severity="warn"),
        "test.skipped": made_test("model.mart"),
        "test.source": made_test("source.raw.accounts"),
    }
    ran = {
        "good": ("pass", 0),
        "bad": ("warn", 2),
        "skipped": ("skipped", 0),
        "source": ("pass", 0),
    }
    results = [
        NodeResult(f"test.{name}", status, 0.1, failures, "", "select 1 as id union all select 2")
        for name, (status, failures) in ran.items()
    ]
    results.append(NodeResult("model.mart", "success", 0.1, 0, ""))
    with duckdb.connect() as connection:
        good, bad = check_results(results, {"nodes": nodes}, connection)
    assert (good.asset, good.severity, good.passed) == ("mart", "error", True)
    assert (bad.severity, bad.passed, bad.stops, bad.remedy) == ("warn", False, False, "mend it")
    assert bad.observed.startswith("2 failing rows")

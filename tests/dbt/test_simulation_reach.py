"""What another policy reaches in the project's own graph."""

from __future__ import annotations

import re

import pytest

from dagster_project.lib.simulation.reach import Graph
from dagster_project.lib.warehouse import dbt_project

POLICY_TABLES = ("policy_parameters", "policy_schemes", "policy_cut_points", "override_budgets")
DERIVED = ("as_of_month_index", "line_scale", "line_step")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(dbt_project.manifest())


def names(unique_ids: frozenset[str]) -> set[str]:
    return {name.split(".")[-1] for name in unique_ids}


def test_cut_points_reach_tiers_and_no_window(graph: Graph) -> None:
    reach = graph.reach(POLICY_TABLES, [], DERIVED)
    built, kept = names(reach.built), names(reach.kept)
    assert {"account_tiers", "int_account_final_tiers", "tier_matrix"} <= built
    assert {"int_account_windows", "int_accounts"} <= kept
    assert not built & kept


def test_patience_reaches_windows_and_no_account(graph: Graph) -> None:
    reach = graph.reach(POLICY_TABLES, ["demotion_patience_months"], DERIVED)
    assert "int_account_windows" in names(reach.built)
    assert {"int_accounts", "int_account_months"} <= names(reach.kept)


def test_models_are_built_after_their_parents(graph: Graph) -> None:
    built = graph.reach(POLICY_TABLES, ["demotion_patience_months"], DERIVED).built
    order = graph.in_order(built)
    assert sorted(order) == sorted(built)
    for name in order:
        above = [order.index(parent) for parent in graph.parents.get(name, []) if parent in built]
        assert all(place < order.index(name) for place in above), name


@pytest.mark.parametrize(
    "name", ["reporting_currency", "line_decimals", "max_rate_age_days", "window_months"]
)
def test_what_is_applied_to_lines_reads_them_again(graph: Graph, name: str) -> None:
    assert graph.reads_lines_again(graph.affected(graph.readers([name], DERIVED)))


@pytest.mark.parametrize(
    "name",
    ["exclude_one_time", "demotion_patience_months", "min_cost_coverage"],
)
def test_what_is_applied_to_sums_does_not(graph: Graph, name: str) -> None:
    readers = graph.readers([name], DERIVED)
    assert readers
    assert not graph.reads_lines_again(graph.affected(readers))


def test_no_model_hands_all_parameters_on(graph: Graph) -> None:
    for name in graph.needed:
        node = graph.nodes.get(name)
        if node and node["name"] != "stg_run__parameters":
            assert not re.search(r"\bparameters\.\*", node.get("raw_code") or ""), (
                f"{name}: name the columns; kam simulate finds readers of a parameter by its name"
            )

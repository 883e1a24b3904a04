"""The gate as a whole: it passes on a sound warehouse, and each tampering is found by name."""

import datetime
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.expectations.gate import Judge, run_gate
from dagster_project.lib.expectations.suites import load_suites, suite_of
from dagster_project.policy import Policy

RUN_AT = datetime.datetime(2024, 1, 3, 5, 0)
LIVE: dict[str, Any] = {
    "inputs": [
        {"entity": "invoice_lines", "rows_loaded": 55},
        {"entity": "invoice_lines", "rows_loaded": 43},
        {"entity": "accounts", "rows_loaded": 6},
        {"entity": "tier_overrides", "rows_loaded": 3},
    ],
    "totals": {"revenue": "950.0000", "accounts": 7},
}

Drift = Callable[..., dict[str, CheckResult]]
DRIFT = ("drift_rows", "drift_few_rows", "drift_revenue")


def named(results: list[CheckResult]) -> dict[str, CheckResult]:
    by_name = {result.check_name: result for result in results}
    assert len(by_name) == len(results), "two checks share a name"
    return by_name


def judged(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    *frames: str,
    live: dict[str, Any] | None = LIVE,
    run_at: datetime.datetime = RUN_AT,
) -> dict[str, CheckResult]:
    """The suites on these frames alone: a whole gate takes half a second."""
    judge = Judge(connection, policy, live_manifest=live, run_at=run_at)
    return named([result for frame in frames for result in judge.judge(suite_of(frame))])


@pytest.fixture
def drift(warehouse: duckdb.DuckDBPyConnection, policy: Policy) -> Drift:
    """The warehouse against a live release, LIVE unless told."""

    def against(
        live: dict[str, Any] | None = LIVE, policy: Policy = policy
    ) -> dict[str, CheckResult]:
        return judged(warehouse, policy, *DRIFT, live=live)

    return against


def failed(results: dict[str, CheckResult]) -> set[str]:
    return {name for name, result in results.items() if not result.passed}


def with_inputs(**rows: int) -> dict[str, Any]:
    inputs = [{"entity": entity, "rows_loaded": count} for entity, count in rows.items()]
    return {**LIVE, "inputs": inputs}


def test_a_sound_warehouse_passes_every_check(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    whole = run_gate(warehouse, policy=policy, live_manifest=LIVE, run_at=RUN_AT)
    results = named(whole)
    assert failed(results) == set(), [results[name] for name in failed(results)]
    assert all(result.observed and result.remedy for result in results.values())


def test_results_come_in_the_same_order_each_time(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    first = run_gate(warehouse, policy=policy, live_manifest=LIVE, run_at=RUN_AT)
    assert first == run_gate(warehouse, policy=policy, live_manifest=LIVE, run_at=RUN_AT)
    declared = [check.name for suite in load_suites() for check in suite.checks]
    assert [result.check_name for result in first][: len(declared)] == declared


def test_the_first_release_has_no_drift_and_says_so(drift: Drift) -> None:
    results = drift(None)
    for name in ("row_counts_near_live", "short_lists_near_live", "revenue_near_live"):
        assert results[f"account_tiers_{name}"].passed
        assert "first release" in results[f"account_tiers_{name}"].observed


def test_drift_that_passes_shows_its_figures(drift: Drift) -> None:
    observed = drift()["account_tiers_row_counts_near_live"].observed
    assert "invoice_lines rows 100 against 98 in the live release (+2.0%)" in observed


def test_half_of_the_lines_missing_stops_and_names_entity_figures_and_remedy(
    drift: Drift,
) -> None:
    live = with_inputs(invoice_lines=200, accounts=6, tier_overrides=3)
    results = drift(live)
    assert failed(results) == {"account_tiers_row_counts_near_live"}
    result = results["account_tiers_row_counts_near_live"]
    assert result.stops
    assert "invoice_lines rows 100 against 200 in the live release (-50.0%)" in result.observed
    assert "accounts" not in result.observed
    assert "gate.max_row_count_drop" in result.remedy


@pytest.mark.parametrize(
    ("entity", "before", "name", "stops"),
    [
        ("contacts", 40, "account_tiers_row_counts_near_live", True),  # gone altogether
        ("suppressions", 1, "account_tiers_row_counts_near_live", True),  # a list gone empty
        ("tier_overrides", 5, "account_tiers_short_lists_near_live", False),
    ],
)
def test_an_optional_extract_that_shrinks(
    drift: Drift, policy: Policy, entity: str, before: int, name: str, stops: bool
) -> None:
    live = with_inputs(**{"invoice_lines": 100, "accounts": 6, entity: before})
    policy = policy.model_copy(
        update={"gate": policy.gate.model_copy(update={"min_population": 6})}
    )
    results = drift(live, policy)
    assert name in failed(results)
    assert entity in results[name].observed
    assert results[name].stops is stops


@pytest.mark.parametrize("revenue", ["400.0000", "2100.0000"])
def test_revenue_beyond_the_tolerance_stops(drift: Drift, revenue: str) -> None:
    live = {**LIVE, "totals": {"revenue": revenue, "accounts": 7}}
    results = drift(live)
    assert failed(results) == {"account_tiers_revenue_near_live"}
    assert (
        "window revenue 1,030.0000 against" in results["account_tiers_revenue_near_live"].observed
    )


def test_rows_that_others_were_joined_with_may_go_with_their_profile(drift: Drift) -> None:
    inputs = [*LIVE["inputs"], {"entity": "sap_sd.billing_headers", "rows_loaded": 5_000}]
    assert failed(drift({**LIVE, "inputs": inputs})) == set()


def test_a_live_revenue_of_0_is_no_measure(drift: Drift) -> None:
    live = {**LIVE, "totals": {"revenue": "0", "accounts": 7}}
    assert failed(drift(live)) == set()


def test_accounts_that_vanish_stop_though_their_rows_stay(
    drift: Drift, warehouse: duckdb.DuckDBPyConnection
) -> None:
    warehouse.execute(
        "update marts.account_tiers set inactive_since = as_of where account_key in ('e', 'f', 'g')"
    )
    warehouse.execute("delete from marts.pareto_curve where account_key = 'f'")
    result = drift()["account_tiers_row_counts_near_live"]
    assert not result.passed
    assert "accounts in account_tiers 4 against 7" in result.observed


def test_a_manifest_without_totals_is_refused(drift: Drift) -> None:
    with pytest.raises(ValueError, match=r"manifest\.json of the live release has no totals"):
        drift({"inputs": []})


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("delete from marts.account_tiers", "account_tiers_not_empty"),
        (
            "alter table marts.account_tiers rename column posture to stance",
            "account_tiers_columns_in_order",
        ),
        (
            "update marts.account_tiers set gross_margin_rate = 'nan' where account_key = 'a'",
            "account_tiers_numbers_finite",
        ),
        (
            "update marts.pareto_curve set share = 'inf' where account_key = 'a'",
            "pareto_curve_numbers_finite",
        ),
        (
            "update marts.account_tiers set revenue_share = 1.2 where account_key = 'a'",
            "account_tiers_shares_within_0_and_1",
        ),
        (
            "update marts.account_tiers set gross_margin_rate = 1.5 where account_key = 'a'",
            "account_tiers_gross_margin_rate_at_most_1",
        ),
        (
            "update marts.account_tiers set last_invoice_date = as_of where account_key = 'a'",
            "account_tiers_invoices_before_as_of",
        ),
        (
            "update marts.account_tiers set updated_at = '2024-01-03 05:00:01' "
            "where account_key = 'a'",
            "account_tiers_updated_not_after_run",
        ),
        (
            "update marts.account_tiers set previous_tier = 'Z' where account_key = 'a'",
            "account_tiers_previous_tier_known",
        ),
        (
            "update intermediate.int_account_windows set costed_turnover = 500 where account_sk = 1",
            "account_tiers_cost_coverage_large",
        ),
        (
            "update marts.pareto_curve set cumulative_share = 0.999999999999 "
            "where account_key = 'd'",
            "pareto_curve_cumulative_share_ends_at_1",
        ),
        (
            "update marts.pareto_curve set tier = 'B' where account_key = 'a'",
            "pareto_curve_best_tier_occupied",
        ),
        (
            "update marts.pareto_curve set tier = 'A'",
            "pareto_curve_best_tier_share_plausible",
        ),
        (
            "delete from marts.account_tier_history "
            "where as_of = '2023-10-01' and account_key = 'b'",
            "account_tier_history_months_consecutive",
        ),
        (
            "delete from marts.account_tier_history where account_key = 'e'",
            "account_tier_history_months_within_history",
        ),
        (
            "delete from marts.account_tier_history "
            "where as_of < '2023-08-01' and account_key = 'b'",
            "account_tier_history_starts_with_first_invoice",
        ),
        (
            "insert into marts.account_monthly values ('a', '2024-01-01', 'EUR', 1)",
            "account_monthly_months_before_as_of",
        ),
        (
            "delete from marts.account_monthly where month = '2023-12-01'",
            "account_monthly_months_without_gap",
        ),
        (
            "update marts.account_monthly set currencies = 'EUR;CHF' where account_key = 'a'",
            "account_monthly_currencies_listed",
        ),
        (
            "update marts.portfolio_concentration set top_5_percent_of_all_share = 0.9",
            "portfolio_concentration_top_shares_monotone",
        ),
        (
            "update marts.account_coverage set actual_hours = 4001 where account_key = 'a'",
            "account_coverage_hours_plausible",
        ),
        (
            "update marts.owner_capacity set available_hours = 2500",
            "owner_capacity_available_hours_plausible",
        ),
    ],
)
def test_a_tampered_mart_is_found(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy, tampering: str, found: str
) -> None:
    warehouse.execute(tampering)
    suite = next(
        suite for suite in load_suites() if found in {check.name for check in suite.checks}
    )
    results = judged(warehouse, policy, suite.frame)
    assert found in failed(results), results[found]


def test_a_portfolio_without_positive_values_has_no_curve_to_judge(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    warehouse.execute("delete from marts.pareto_curve where value > 0")
    assert failed(judged(warehouse, policy, "curves")) == set()


def test_a_month_ahead_of_the_clock_is_no_late_update(
    warehouse: duckdb.DuckDBPyConnection, policy: Policy
) -> None:
    early = datetime.datetime(2023, 12, 20)
    results = judged(warehouse, policy, "account_tiers", run_at=early)
    assert failed(results) == set()

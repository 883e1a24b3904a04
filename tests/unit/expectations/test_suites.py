"""Each check of `suites.yml` with a frame that passes and one that fails."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from dagster_project.lib.checks import CheckResult
from dagster_project.lib.expectations.gate import contracted_columns, suite_parameters
from dagster_project.lib.expectations.suites import Check, Suite, load_suites
from dagster_project.lib.expectations.validation import validate
from dagster_project.policy import Policy

DAY = pd.Timestamp("2024-01-01")
CONTRACT = contracted_columns()

Rows = dict[str, list[Any]]

# check -> (frame that passes, frame that fails); columns that name a row are filled in
CASES: dict[str, tuple[Rows, Rows]] = {
    "account_tiers_columns_in_order": (
        {name: [] for name in CONTRACT},
        {name: [] for name in reversed(CONTRACT)},
    ),
    "account_tiers_not_empty": ({"account_key": ["a"]}, {"account_key": []}),
    "account_tiers_revenue_plausible": (
        {name: [1e9, -5.0, None] for name in ("revenue", "revenue_previous", "gross_margin")},
        {
            "revenue": [1.0],
            "revenue_previous": [2e13],
            "gross_margin": [1.0],
        },
    ),
    "account_tiers_gross_margin_rate_at_most_1": (
        {"gross_margin_rate_of_sellers": [1.0, -3.0, None]},
        {"gross_margin_rate_of_sellers": [1.0001, 0.5]},
    ),
    "account_tiers_invoices_before_as_of": (
        {"as_of": [DAY, DAY], "last_invoice_date": [DAY - pd.Timedelta(days=1), None]},
        {"as_of": [DAY], "last_invoice_date": [DAY]},
    ),
    "account_tiers_updated_not_after_run": (
        {"latest_update": [DAY], "updated_at": [DAY]},
        {"latest_update": [DAY], "updated_at": [DAY + pd.Timedelta(seconds=1)]},
    ),
    "account_tiers_previous_tier_known": (
        {"previous_tier": ["A", None]},
        {"previous_tier": ["A", "gold"]},
    ),
    "account_tiers_cost_coverage_large": ({"cost_coverage": [None]}, {"cost_coverage": [0.5]}),
    "pareto_curve_cumulative_share_ends_at_1": (
        {"last_cumulative_share": [1.0, None]},
        {"last_cumulative_share": [1.0 - 1e-12]},
    ),
    "pareto_curve_best_tier_occupied": (
        {"best_tier_count_of_include": [1.0, None]},
        {"best_tier_count_of_include": [0.0]},
    ),
    "pareto_curve_best_tier_share_plausible": (
        {"best_tier_share": [0.5, None]},
        {"best_tier_share": [0.51]},
    ),
    "account_tier_history_months_within_history": (
        {"month_count": [1, 8]},
        {"month_count": [0, 9]},
    ),
    "account_tier_history_months_consecutive": (
        {"month_count": [8, 1], "month_span": [8, 1]},
        {"month_count": [7], "month_span": [8]},
    ),
    "account_tier_history_starts_with_first_invoice": (
        {"month_count": [8], "month_count_with_invoices": [8]},
        {"month_count": [7], "month_count_with_invoices": [8]},
    ),
    "account_monthly_months_before_as_of": (
        {"month": [pd.Timestamp("2023-12-01")], "as_of": [DAY]},
        {"month": [DAY], "as_of": [DAY]},
    ),
    "account_monthly_months_without_gap": ({"row_count": [1, 9]}, {"row_count": [4, 0]}),
    "account_monthly_currencies_listed": (
        {"currencies": ["EUR", "CHF,EUR,USD"]},
        {"currencies": ["EUR", "EUR, USD"]},
    ),
    "portfolio_concentration_gini_within_0_and_1": ({"gini": [0.0, 1.0]}, {"gini": [-0.1]}),
    "portfolio_concentration_hhi_within_0_and_1": ({"hhi": [0.25]}, {"hhi": [2500.0]}),
    "portfolio_concentration_effective_count_at_least_1": (
        {"effective_count": [1.0]},
        {"effective_count": [0.99]},
    ),
    "portfolio_concentration_active_among_all": (
        {"account_count": [6], "active_count": [6], "accounts_making_80_count": [1]},
        {"account_count": [6], "active_count": [7], "accounts_making_80_count": [1]},
    ),
    "portfolio_concentration_top_shares_monotone": (
        {"larger_group_share": [0.4, None], "smaller_group_share": [0.4, None]},
        {"larger_group_share": [0.3], "smaller_group_share": [0.4]},
    ),
    "account_coverage_hours_plausible": (
        {"hours_per_year": [4000.0, None]},
        {"hours_per_year": [4000.1]},
    ),
    "owner_capacity_available_hours_plausible": (
        {"available_hours_per_year": [0.0, 2496.0, None]},
        {"available_hours_per_year": [2497.0]},
    ),
    "account_tiers_row_counts_near_live": ({"change": [-0.3, 4.0, None]}, {"change": [-0.31]}),
    "account_tiers_short_lists_near_live": ({"change": [-0.3]}, {"change": [-0.5]}),
    "account_tiers_revenue_near_live": ({"change": [-0.5, 0.5]}, {"change": [0.51]}),
}
for _mart in (
    "account_tiers",
    "pareto_curve",
    "account_tier_history",
    "account_monthly",
    "portfolio_concentration",
):
    CASES[f"{_mart}_numbers_finite"] = ({"not_finite_count": [0]}, {"not_finite_count": [0, 2]})
    CASES[f"{_mart}_shares_within_0_and_1"] = (
        {"lowest_share": [0.0, None], "highest_share": [1.0, None]},
        {"lowest_share": [-1e-12], "highest_share": [1.0]},
    )

DECLARED = [(suite, check) for suite in load_suites() for check in suite.checks]


def judged(suite: Suite, check: Check, rows: Rows, policy: Policy) -> CheckResult:
    frame = pd.DataFrame(rows)
    for name in suite.name_by:
        if name not in frame:
            frame[name] = [f"{name} {place}" for place in range(len(frame))]
    (result,) = validate(
        frame,
        replace(suite, checks=(check,)),
        parameters=suite_parameters(policy),
    )
    return result


def test_every_check_has_its_two_frames() -> None:
    names = [check.name for _, check in DECLARED]
    assert sorted(names) == sorted(CASES), "give a new check its passing and its failing frame"


@pytest.mark.parametrize(("suite", "check"), DECLARED, ids=[check.name for _, check in DECLARED])
def test_a_check_tells_right_from_wrong(suite: Suite, check: Check, policy: Policy) -> None:
    right, wrong = CASES[check.name]
    passed = judged(suite, check, right, policy)
    assert passed.passed, passed.observed
    stopped = judged(suite, check, wrong, policy)
    assert not stopped.passed, stopped.observed
    assert "could not be evaluated" not in stopped.observed
    assert (stopped.check_name, stopped.severity) == (check.name, check.severity)


def test_a_failure_names_the_account_and_its_figure(policy: Policy) -> None:
    suite, check = next(item for item in DECLARED if item[1].name.endswith("revenue_plausible"))
    rows: Rows = {
        "account_key": ["crm:accounts:1", "crm:accounts:2"],
        "revenue": [5.0, 7e13],
        "revenue_previous": [0.0, 0.0],
        "gross_margin": [0.0, 0.0],
    }
    observed = judged(suite, check, rows, policy).observed
    assert observed == "1 of 2 rows: crm:accounts:2 (revenue 7e+13)"


def test_an_expectation_that_cannot_be_evaluated_has_failed(policy: Policy) -> None:
    suite, check = next(item for item in DECLARED if item[1].name.endswith("tier_occupied"))
    result = judged(suite, check, {"scheme": ["revenue"]}, policy)
    assert not result.passed
    assert "could not be evaluated" in result.observed
    assert "best_tier_count" in result.observed


def test_every_check_says_why_and_what_to_do() -> None:
    for _, check in DECLARED:
        assert check.reason.endswith(".") and check.remedy.endswith("."), check.name

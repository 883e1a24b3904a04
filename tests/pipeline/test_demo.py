"""The demo company, refreshed, says what its truth says: every file, account, link and amount."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from dagster_project.lib.demo.truth import Truth
from tests.pipeline.pipeline_runs import Refreshed

Demo = tuple[Refreshed, Truth]
WITHHELD = "(withheld: personal data)"
LOWEST_TIER = "C"


@pytest.fixture(scope="module")
def accounts(demo: Demo) -> dict[str, dict[str, Any]]:
    """`account_tiers` by key."""
    return demo[0].accounts()


def told(demo: Demo, name: str) -> dict[str, Any]:
    """One property of every account, as the truth tells it."""
    return {key: getattr(account, name) for key, account in demo[1].accounts.items()}


def found(accounts: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    """One column of `account_tiers` by account."""
    return {key: row[name] for key, row in accounts.items()}


def as_days(values: dict[str, Any]) -> dict[str, str | None]:
    return {key: str(value) if value else None for key, value in values.items()}


def test_rows_read_are_loaded_superseded_or_rejected_as_planted(demo: Demo) -> None:
    company, truth = demo
    counted = {
        i.file: (i.rows_read, i.rows_loaded, i.rows_superseded, i.rows_rejected)
        for i in company.live.manifest.inputs
    }
    assert counted == {
        name: (f.rows_read, f.rows_loaded, f.rows_superseded, f.rows_rejected)
        for name, f in truth.files.items()
    }
    assert all(read == sum(fates) for read, *fates in counted.values())


def test_each_planted_fault_is_rejected_by_file_line_rule_and_column(demo: Demo) -> None:
    company, truth = demo
    planted = {(f.file, f.line_number, f.rule, f.column_name): f.raw_value for f in truth.faults}
    rejected = {
        (r["source_file"], r["line_number"], r["rule"], r["column_name"]): r["raw_value"]
        for r in company.rows("select * from rejected_rows where rule <> 'no_exchange_rate'")
    }
    assert rejected.keys() == planted.keys()
    for place, value in planted.items():
        if place[3] is not None and rejected[place] != WITHHELD:
            assert (rejected[place] or "") == value, place
    by_rule = {
        (name, rule): count
        for name, file in truth.files.items()
        for rule, count in file.rejected_by_rule.items()
    }
    counted = "select source_file, rule, count(*) as n from rejected_rows group by all"
    assert {(r["source_file"], r["rule"]): r["n"] for r in company.rows(counted)} == by_rule


def test_lines_without_a_rate_are_rejected_with_their_own_currency(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows("select raw_value from rejected_rows where rule = 'no_exchange_rate'")
    values: dict[str, Decimal] = {}
    for row in rows:
        amount, currency = row["raw_value"].split()[:2]
        values[currency] = values.get(currency, Decimal(0)) + Decimal(amount)
    assert values == {currency: Decimal(value) for currency, value in truth.unconverted.items()}


def test_spine_has_each_account_once(demo: Demo, accounts: dict[str, dict[str, Any]]) -> None:
    company, truth = demo
    assert company.live.manifest.totals.accounts == len(accounts) == truth.totals["accounts"]
    assert accounts.keys() == truth.accounts.keys()
    assert all(row["final_tier"] for row in accounts.values())


def test_members_are_those_planted(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows("select * from account_members where match_rule <> 'placeholder'")
    members = {
        f"{r['source_system']}:{r['source_entity']}:{r['source_id']}": r["account_key"]
        for r in rows
    }
    assert len(members) == len(rows)
    assert members == {m: key for key, a in truth.accounts.items() for m in a.members}
    survivors = [
        f"{r['source_system']}:{r['source_entity']}:{r['source_id']}"
        for r in rows
        if r["is_survivor"]
    ]
    assert Counter(survivors) == Counter(key for key, a in truth.accounts.items() if a.members)


def test_links_are_those_planted_each_by_its_rule(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows(
        "select * from account_members where source_entity = 'customers' "
        "and match_rule not in ('unmatched', 'placeholder')"
    )
    links = {(r["source_id"], r["account_key"]): r["match_rule"] for r in rows}
    assert links == {
        (link.erp_customer_id, f"crm:accounts:{link.crm_account_id}"): link.rule
        for link in truth.links
    }


def test_equal_candidates_are_reviewed_and_not_guessed(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows("select * from identity_review where reason = 'ambiguous'")
    reviewed = {(r["erp_customer_id"], r["crm_account_id"], r["match_rule"]) for r in rows}
    assert reviewed == {
        (case.erp_customer_id, account, case.reason)
        for case in truth.review
        for account in case.crm_account_ids
    }
    dangling = company.rows("select * from identity_review where reason = 'reference_to_nothing'")
    assert {r["match_rule"] for r in dangling} == {"cross_reference"}
    assert all(r["reference"] for r in dangling)


def test_what_looks_alike_but_is_not_stays_apart(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows("select * from account_members where source_entity = 'customers'")
    rules = {r["source_id"]: (r["match_rule"], r["account_key"]) for r in rows}
    for case in [*truth.review, *truth.no_links]:
        own = f"erp:customers:{case.erp_customer_id}"
        assert rules[case.erp_customer_id] == ("unmatched", own), case


def test_merged_accounts_lie_with_their_survivor(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows("select * from account_members where match_rule = 'merged'")
    keys = {row["source_id"]: row["account_key"] for row in rows}
    assert keys.keys() == truth.merged.keys()
    for account, into in truth.merged.items():
        while into in truth.merged:
            into = truth.merged[into]
        assert keys[account] == f"crm:accounts:{into}", account


def test_deleted_accounts_are_inactive_and_keep_their_row(
    demo: Demo, accounts: dict[str, dict[str, Any]]
) -> None:
    inactive = {key for key, row in accounts.items() if not row["is_active"]}
    assert inactive == {f"crm:accounts:{account}" for account in demo[1].deleted}
    assert any(accounts[key]["revenue"] > 0 for key in inactive)


def test_placeholders_and_exclusions(demo: Demo, accounts: dict[str, dict[str, Any]]) -> None:
    truth = demo[1]
    assert {k for k, row in accounts.items() if row["is_placeholder"]} == set(truth.placeholders)
    assert all(accounts[key]["revenue"] for key in truth.placeholders)
    reasons = {k: row["excluded_reason"] for k, row in accounts.items() if row["is_excluded"]}
    assert reasons == truth.excluded
    for key in truth.excluded:
        row = accounts[key]
        assert (row["revenue_rank"], row["revenue_tier"], row["value_tier"]) == (None, None, None)
        assert row["final_tier"] == LOWEST_TIER


def test_parents_are_kept_and_broken_links_cut(
    demo: Demo, accounts: dict[str, dict[str, Any]]
) -> None:
    company, truth = demo
    parents = {k: p for k, p in found(accounts, "parent_account_key").items() if p}
    assert parents == truth.parents
    for key, row in accounts.items():
        top = key
        while top in parents:
            top = parents[top]
        assert row["ultimate_parent_account_key"] == top, key
    cut = company.warehouse_rows(
        "select account_key, link_problem from intermediate.int_account_hierarchies "
        "inner join intermediate.int_accounts using (account_sk) where link_problem is not null"
    )
    assert {r["account_key"]: r["link_problem"] for r in cut} == truth.cut_parents


def test_lines_left_out_are_counted_by_reason(demo: Demo) -> None:
    company, truth = demo
    counted = company.warehouse_rows(
        "select left_out_reason, sum(line_count)::int as n from intermediate.int_invoice_lines_counted "
        "where left_out_reason is not null group by all"
    )
    told = {
        reason.removesuffix("_without_reversal"): count
        for reason, count in truth.left_out_lines.items()
    }
    assert {r["left_out_reason"]: r["n"] for r in counted} == told


@pytest.mark.parametrize("column", ["revenue", "revenue_previous", "gross_margin"])
def test_money_of_each_account_is_exact(
    demo: Demo, accounts: dict[str, dict[str, Any]], column: str
) -> None:
    amounts = {key: None if v is None else Decimal(v) for key, v in told(demo, column).items()}
    assert found(accounts, column) == amounts


def test_cost_coverage_of_each_account(demo: Demo, accounts: dict[str, dict[str, Any]]) -> None:
    for key, account in demo[1].accounts.items():
        turnover, costed = Decimal(account.turnover), Decimal(account.costed_turnover)
        coverage = accounts[key]["cost_coverage"]
        if turnover == 0:
            assert coverage is None, key
        else:
            assert coverage == pytest.approx(float(costed / turnover), abs=1e-12), key


def test_totals_are_exact(demo: Demo) -> None:
    company, truth = demo
    totals = company.live.manifest.totals
    assert totals.revenue == Decimal(truth.totals["revenue"])
    assert totals.gross_margin == Decimal(truth.totals["gross_margin"])
    assert totals.excluded_value == Decimal(truth.totals["excluded_value"])
    booked = company.rows(
        "select sum(line_count)::int as n from account_monthly where month >= date "
        f"'{truth.window_start}'"
    )
    assert booked[0]["n"] == truth.totals["booked_lines"]


def test_each_month_has_its_revenue(demo: Demo) -> None:
    company, truth = demo
    rows = company.rows("select month, sum(revenue) as revenue from account_monthly group by month")
    assert {f"{r['month']:%Y-%m}": r["revenue"] for r in rows} == {
        month: Decimal(value) for month, value in truth.monthly_revenue.items()
    }


@pytest.mark.parametrize("column", ["relationship", "revenue_tier"])
def test_words_of_each_account(
    demo: Demo, accounts: dict[str, dict[str, Any]], column: str
) -> None:
    assert found(accounts, column) == told(demo, column)


@pytest.mark.parametrize("column", ["first_invoice_date", "last_invoice_date"])
def test_invoice_dates_of_each_account(
    demo: Demo, accounts: dict[str, dict[str, Any]], column: str
) -> None:
    assert as_days(found(accounts, column)) == told(demo, column)


def test_counts_by_tier_and_relationship(demo: Demo, accounts: dict[str, dict[str, Any]]) -> None:
    totals = demo[1].totals
    tiers = Counter(row["revenue_tier"] for row in accounts.values() if row["revenue_tier"])
    assert tiers == totals["accounts_by_revenue_tier"]
    assert Counter(found(accounts, "relationship").values()) == totals["accounts_by_relationship"]


def test_overrides_apply_or_not_as_planted(demo: Demo, accounts: dict[str, dict[str, Any]]) -> None:
    truth = demo[1]
    applied = {o.account_key: o.tier for o in truth.overrides if o.applies}
    overridden = {k: t for k, t in found(accounts, "override_tier").items() if t}
    assert overridden == applied
    assert all(accounts[key]["final_tier"] == tier for key, tier in applied.items())
    expired = next(o.account_key for o in truth.overrides if o.case == "expired")
    assert accounts[expired]["final_tier"] != "A"


@pytest.mark.parametrize(
    ("case", "check"),
    [
        ("expired", "assert_overrides_are_in_force"),
        ("orphan", "assert_overrides_apply"),
        ("overlapping", "assert_overrides_do_not_overlap"),
        ("over_long", "assert_overrides_end_in_time"),
    ],
)
def test_each_wrong_override_is_reported(demo: Demo, case: str, check: str) -> None:
    company, truth = demo
    assert any(o.case == case for o in truth.overrides)
    rows = company.rows(f"select * from quality_results where check_name = '{check}'")
    assert [(r["passed"], r["severity"]) for r in rows] == [(False, "warn")]
    assert rows[0]["observed"].startswith("1 failing row"), rows[0]["observed"]


def test_each_redundant_override_is_reported(
    demo: Demo, accounts: dict[str, dict[str, Any]]
) -> None:
    company, truth = demo
    planted = {o.account_key for o in truth.overrides if o.case == "redundant"}
    # potential may lift an account to where an override was to bring it
    redundant = {
        key
        for key, row in accounts.items()
        if row["override_tier"] and row["override_tier"] == row["stable_tier"]
    }
    assert planted
    assert planted <= redundant
    check = "assert_overrides_change_something"
    rows = company.rows(f"select * from quality_results where check_name = '{check}'")
    assert [(r["passed"], r["severity"]) for r in rows] == [(False, "warn")]
    observed = rows[0]["observed"]
    assert observed.startswith(f"{len(redundant)} failing row"), observed
    assert {key for key in redundant if key in observed} == redundant, observed


def test_strategic_account_is_there_without_sales(
    demo: Demo, accounts: dict[str, dict[str, Any]]
) -> None:
    row = accounts[demo[1].strategic_account]
    assert (row["relationship"], row["revenue"], row["final_tier"]) == ("prospect", 0, "A")
    assert (row["revenue_tier"], row["revenue_rank"]) == (LOWEST_TIER, None)
    assert row["override_tier"] == "A"
    assert row["tier_reason"]


def test_unknown_cost_is_never_zero(demo: Demo, accounts: dict[str, dict[str, Any]]) -> None:
    row = accounts[demo[1].cost_missing_account]
    assert row["revenue"] > 0
    assert (row["gross_margin"], row["gross_margin_rate"], row["cost_coverage"]) == (None, None, 0)
    assert (row["gross_margin_tier"], row["gross_margin_rank"]) == (LOWEST_TIER, None)


def test_negative_margins_are_shown_and_large_ones_are_to_be_fixed(
    demo: Demo, accounts: dict[str, dict[str, Any]]
) -> None:
    truth = demo[1]
    negative = {k for k, m in found(accounts, "gross_margin").items() if m is not None and m < 0}
    assert negative == set(truth.negative_margin_accounts)
    assert accounts[truth.negative_margin_large_account]["posture"] == "fix"
    small = {k for k in negative if accounts[k]["value_tier"] == LOWEST_TIER}
    assert all(accounts[key]["posture"] != "fix" for key in small)


def test_nothing_stops_the_release_and_every_warning_is_planted(demo: Demo) -> None:
    company, _ = demo
    failed = company.rows("select check_name, severity from quality_results where not passed")
    assert {r["severity"] for r in failed} == {"warn"}
    assert {r["check_name"] for r in failed} == {
        "assert_every_invoiced_customer_is_known",
        "assert_every_line_has_a_rate",
        "assert_no_line_is_left_out",
        "assert_overrides_apply",
        "assert_overrides_are_in_force",
        "assert_overrides_change_something",
        "assert_overrides_do_not_overlap",
        "assert_overrides_end_in_time",
        "assert_parent_links_resolve",
        # the potential of its prospects foretells nothing
        "assert_potential_predicts_revenue",
    }
    checks = {(c.asset, c.name) for c in company.live.manifest.checks}
    assert len(checks) == company.rows("select count(*) as n from quality_results")[0]["n"]

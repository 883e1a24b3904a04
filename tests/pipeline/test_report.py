"""The report's figures are those of the marts, recomputed here from the Parquet files by plain pandas."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.report.accounts import read_moves, read_risk, read_time
from dagster_project.lib.report.portfolio import read_concentration, read_curve, read_totals
from dagster_project.lib.report.reading import marts_of
from dagster_project.lib.report.said import CHECKS_FILE
from dagster_project.lib.report.trust import read_backtest, read_quality
from dagster_project.lib.report.write import write_report
from tests.pipeline.pipeline_runs import GOLDEN, Refreshed
from tests.pipeline.report_variants import SAID_OF, VARIANTS, variant

Demo = tuple[Refreshed, Truth]
PERSON = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE)


def mart(company: Refreshed, name: str) -> pd.DataFrame:
    return pd.read_parquet(company.live.mart(name))


def test_totals_are_those_of_the_marts(demo: Demo, tmp_path: Path) -> None:
    company, _ = demo
    accounts, months = mart(company, "account_tiers"), mart(company, "account_monthly")
    with marts_of(company.live, spill=tmp_path) as marts:
        totals = read_totals(marts)
    assert totals.headline.revenue == sum(accounts.revenue.dropna())
    assert totals.gross_margin == sum(accounts.gross_margin.dropna())
    assert totals.revenue_previous == sum(accounts.revenue_previous.dropna())
    assert totals.relationships == accounts.relationship.value_counts().to_dict()
    window = months[months.month >= totals.window_start]
    costed, margin = sum(window.costed_revenue.dropna()), sum(window.gross_margin.dropna())
    assert totals.cost_coverage == pytest.approx(float(costed / sum(window.revenue)))
    assert totals.gross_margin_rate == pytest.approx(float(margin / costed))
    assert sum(window.revenue) == totals.headline.revenue, "the window is the one of the tiers"


@pytest.mark.parametrize("scheme", ["revenue", "gross_margin"])
def test_curves_are_sampled_without_losing_their_ends_tiers_and_peak(
    demo: Demo, tmp_path: Path, scheme: str
) -> None:
    company, _ = demo
    full = mart(company, "pareto_curve").query("scheme == @scheme").sort_values("curve_rank")
    with marts_of(company.live, spill=tmp_path) as marts:
        curve = read_curve(marts, scheme)
    assert curve is not None and len(curve.points) < len(full) == curve.account_count
    drawn = pd.DataFrame(curve.points)
    of_rank = full.set_index("curve_rank").loc[drawn.curve_rank]
    assert (drawn.cumulative_share_net.to_numpy() == of_rank.cumulative_share_net.to_numpy()).all()
    assert {1, len(full)} <= set(drawn.curve_rank)
    assert drawn.cumulative_share_net.max() == full.cumulative_share_net.max()
    positive = full[full.value > 0]
    for row in curve.line:
        of_tier = positive[positive.tier == row["tier"]]
        assert (row["accounts"], row["value"]) == (len(of_tier), sum(of_tier.value))
        assert row["last_rank"] in set(drawn.curve_rank)
    losing = full[full.value < 0]
    assert (curve.losing_count, curve.losing_value) == (len(losing), sum(losing.value))
    # no gap between drawn points is wider than a step of either axis
    assert drawn.curve_rank.diff().max() <= len(full) / 150 + 1
    assert [row["curve_rank"] for row in curve.largest] == list(range(1, 11))


def test_moves_and_migration_are_those_of_the_last_month(demo: Demo, tmp_path: Path) -> None:
    company, _ = demo
    as_of = company.live.manifest.as_of
    found, migration = mart(company, "tier_moves"), mart(company, "tier_migration")
    found = found[(found.as_of == as_of) & (found.move_kind == "monthly")]
    migration = migration[migration.as_of == as_of]
    with marts_of(company.live, spill=tmp_path) as marts:
        moves = read_moves(marts)
    directions = found.direction.value_counts()
    assert (moves.promoted, moves.demoted) == (directions["promoted"], directions["demoted"])
    assert {row["move_cause"]: row["moves"] for row in moves.causes} == (
        found.move_cause.value_counts().to_dict()
    )
    assert {(r["from_tier"], r["to_tier"]): r["account_count"] for r in moves.migration} == (
        migration.set_index(["from_tier", "to_tier"]).account_count.to_dict()
    )
    largest = found[["from_value", "to_value"]].fillna(Decimal(0)).max(axis=1).max()
    assert max(moves.shown[0]["from_value"] or 0, moves.shown[0]["to_value"] or 0) == largest


def test_risk_counts_an_account_once_and_keeps_lack_of_time_apart(
    demo: Demo, tmp_path: Path
) -> None:
    company, _ = demo
    rows = mart(company, "base_at_risk")
    behaving = rows[rows.reason != "coverage"].drop_duplicates("account_key")
    everybody = rows.drop_duplicates("account_key")
    with marts_of(company.live, spill=tmp_path) as marts:
        risk = read_risk(marts)
    assert (risk.account_count, risk.value) == (len(everybody), sum(everybody.value_at_risk))
    assert risk.behaving_count == len(behaving)
    assert risk.behaving_value == sum(behaving.value_at_risk)
    by_reason = rows.drop_duplicates(["account_key", "reason"]).groupby("reason")
    assert {row["reason"]: row["accounts"] for row in risk.reasons} == by_reason.size().to_dict()
    shown = {row["account_key"] for row in risk.shown}
    assert shown <= set(behaving.account_key)
    assert risk.shown[0]["value"] == behaving.value_at_risk.max()


def test_time_is_that_of_account_coverage(demo: Demo, tmp_path: Path) -> None:
    company, _ = demo
    coverage = mart(company, "account_coverage")
    owners = mart(company, "owner_capacity").query("is_known and is_active and available_hours > 0")
    with marts_of(company.live, spill=tmp_path) as marts:
        time = read_time(marts)
    for row in time.tiers:
        of_tier = coverage[coverage.final_tier == row["final_tier"]]
        assert row["planned"] == sum(of_tier.planned_hours.dropna())
        assert row["given"] == sum(of_tier.actual_hours.dropna())
        assert row["under_served"] == (of_tier.coverage_status == "under_served").sum()
        assert row["over_served"] == (of_tier.coverage_status == "over_served").sum()
    over = coverage[coverage.coverage_status == "over_served"].reallocatable_hours.max()
    assert time.over_served[0]["hours_gap"] == over
    assert time.owners["overloaded"] == owners.is_overloaded.sum()
    assert time.owners["needed"] == sum(owners.needed_hours)


def test_quality_counts_rows_matches_and_warnings(demo: Demo, tmp_path: Path) -> None:
    company, truth = demo
    members, rejected = mart(company, "account_members"), mart(company, "rejected_rows")
    accounts = mart(company, "account_tiers")
    with marts_of(company.live, spill=tmp_path) as marts:
        quality, backtest = read_quality(marts), read_backtest(marts)
        months = read_concentration(marts, "revenue")
    in_crm = set(members[members.source_entity == "accounts"].account_key)
    customers = members[members.source_entity == "customers"]
    assert (quality.customers, quality.matched) == (
        len(customers),
        customers.account_key.isin(in_crm).sum(),
    )
    known = sum(accounts[accounts.account_key.isin(in_crm)].revenue.dropna())
    assert quality.matched_revenue_share == pytest.approx(
        float(known / sum(accounts.revenue.dropna()))
    )
    assert {row["rule"]: row["n"] for row in quality.rejected} == (
        rejected.rule.value_counts().to_dict()
    )
    assert sum(row["read"] for row in quality.extracts) == sum(
        file.rows_read for file in truth.files.values()
    )
    checks = mart(company, "quality_results")
    assert {row["check_name"] for row in quality.failed} == set(checks[~checks.passed].check_name)
    assert backtest.figures[("lift_over_random", "prospects")]["is_met"] is False
    assert months[-1]["making_80"] == 197


def test_what_can_warn_is_said_in_french(demo: Demo) -> None:
    company, _ = demo
    checks = mart(company, "quality_results").query("severity == 'warn'")
    french = yaml.safe_load(CHECKS_FILE.read_text(encoding="utf-8"))
    names = {name.removeprefix("assert_").replace("_", " ") for name in checks.check_name}
    assert names == set(french["names"])
    assert set(checks.remedy) == set(french["remedies"])


def test_the_report_is_whole_and_the_same_again(demo: Demo) -> None:
    company, _ = demo
    page = company.live.report.read_text(encoding="utf-8")
    assert len(page.encode()) < 600_000
    for language in ("en", "fr"):
        assert page.count(f'<section id="{language}-') == 9
    # a poor figure is said, in both languages
    assert "Last year’s revenue told more than potential" in page
    assert "a mieux annoncé la suite que le potentiel" in page
    assert page.count("<svg") == 8
    assert "http:" not in page and "https:" not in page
    assert not any(company.live.folder.glob(".report*"))
    again = write_report(company.live).read_text(encoding="utf-8")
    assert again == page


def test_the_report_names_no_person(demo: Demo) -> None:
    company, _ = demo
    page = company.live.report.read_text(encoding="utf-8")
    users = pd.read_csv(next(company.landing.glob("crm/users.csv*")), dtype=str)
    contacts = pd.read_csv(next(company.landing.glob("crm/contacts.csv*")), dtype=str)
    overrides = pd.read_csv(next(company.landing.glob("*/tier_overrides.csv*")), dtype=str)
    text = re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not PERSON.search(text)
    names = set(overrides.owner.dropna()) | set(users.filter(like="name").stack())
    assert names and not [name for name in names if len(name) > 3 and name in text]
    assert not [user for user in users.user_id if re.search(rf"\b{user}\b", text)]
    emails = contacts.filter(like="email").stack().dropna().astype(str)
    assert not [email for email in emails if "@" in email and email in text]


def test_the_golden_company_worked_out_by_hand(golden: Refreshed, tmp_path: Path) -> None:
    with marts_of(golden.live, spill=tmp_path) as marts:
        totals, curve = read_totals(marts), read_curve(marts, "revenue")
    expected = pd.read_csv(GOLDEN / "expected/totals.csv", dtype=str, keep_default_na=False)
    said = dict(zip(expected.iloc[:, 0], expected.iloc[:, 1], strict=True))
    assert totals.headline.revenue == Decimal(said["revenue"])
    assert totals.headline.excluded_value == Decimal(said["excluded_value"])
    assert totals.gross_margin == Decimal(said["gross_margin"])
    assert totals.headline.accounts == int(said["accounts"])
    known = Decimal(said["known_cost_revenue"]) / Decimal(said["revenue"])
    assert totals.cost_coverage == pytest.approx(float(known))
    assert curve is not None
    assert sum(row["value"] for row in curve.line) == Decimal(said["ranked_revenue"])
    assert golden.live.report.is_file()


@pytest.mark.parametrize("name", [*VARIANTS])
def test_companies_that_lack_something_are_told_so(demo: Demo, tmp_path: Path, name: str) -> None:
    company, _ = demo
    page = variant(company.live, tmp_path / name, name).read_text(encoding="utf-8")
    for sentence in SAID_OF[name]:
        assert sentence in page, sentence
    assert "None" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert "nan" not in re.findall(r"[a-z]+", page)


def test_names_that_are_markup_stay_text(demo: Demo, tmp_path: Path) -> None:
    company, _ = demo
    page = variant(company.live, tmp_path / "five", "five").read_text(encoding="utf-8")
    assert page.count("<script") == 1 and "<img" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<bdi>\u202eגורם \u200fSarl</bdi>" in page
    assert "\x00" not in page and "\x1b" not in page

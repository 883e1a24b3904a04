"""The published backtest of potential against the same in pandas, and what `kam backtest` shows of it."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.demo.truth import Truth
from dagster_project.lib.reference_backtest import backtest
from tests.pipeline.pipeline_runs import Refreshed, kam

ROUNDED = 2e-12  # published with 12 decimals from doubles
METRICS = {
    "rank_correlation",
    "rank_correlation_last_year",
    "top_decile_share",
    "lift_over_random",
    "lift_over_last_year",
    "covered_revenue_share",
}


@pytest.mark.parametrize("company", ["demo", "adventureworks", "golden"])
def test_figures_are_those_of_the_reference(request: pytest.FixtureRequest, company: str) -> None:
    made = request.getfixturevalue(company)
    refreshed: Refreshed = made[0] if company == "demo" else made
    warehouse = str(refreshed.out / "warehouse/warehouse.duckdb")
    with duckdb.connect(warehouse, read_only=True) as connection:
        accounts = connection.execute(
            "select relationship, potential_basis, potential, revenue_before, revenue_since "
            "from intermediate.int_potentials_backtested"
        ).to_arrow_table()
    expected = backtest(accounts.to_pandas())
    published = refreshed.rows("select * from potential_backtest")
    assert {row["metric"] for row in published} == METRICS
    for row in published:
        figure, count = expected.get((row["metric"], row["population"]), (None, 0))
        assert row["account_count"] == count, row
        if figure is None:
            assert (row["figure"], row["is_met"]) == (None, None), row
            continue
        assert row["figure"] == pytest.approx(figure, abs=ROUNDED, rel=ROUNDED), row
        met = None if row["minimum"] is None else row["figure"] >= float(row["minimum"])
        if count < (row["min_accounts"] or 0):
            met = None
        assert row["is_met"] == met, row


def test_only_what_was_known_then_places_an_account(demo: tuple[Refreshed, Truth]) -> None:
    company, _ = demo
    wrong = company.warehouse_rows(
        "select backtested.account_sk from intermediate.int_potentials_backtested as backtested "
        "inner join intermediate.int_account_windows as windows using (account_sk) "
        "where windows.as_of = backtested.potential_as_of "
        "and (windows.invoice_count > 0) <> (backtested.relationship = 'customers')"
    )
    assert not wrong
    (span,) = company.rows(
        "select distinct as_of, potential_as_of, potential_as_of + interval 12 month as until "
        "from potential_backtest"
    )
    assert span["as_of"] == span["until"].date()


def test_poor_figures_are_shown_and_warned_of(demo: tuple[Refreshed, Truth]) -> None:
    company, _ = demo
    run = kam("backtest", "--out", company.out, "--json")
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)["figures"]
    assert len(figures) == len(company.rows("select * from potential_backtest"))
    missed = [row for row in figures if row["is_met"] is False]
    (check,) = company.rows(
        "select * from quality_results where check_name = 'assert_potential_predicts_revenue'"
    )
    assert (check["severity"], check["passed"]) == ("warn", not missed)
    shown = kam("backtest", "--out", company.out).stdout
    assert "rank correlation" in shown
    assert ("miss what the company asks for" in shown) == bool(missed)
    assert "a declared potential is the CRM's of today" in shown


def test_too_few_accounts_are_neither_a_yes_nor_a_no(golden: Refreshed) -> None:
    judged = golden.rows("select * from potential_backtest where minimum is not null")
    assert judged and all(row["account_count"] < row["min_accounts"] for row in judged)
    assert {row["is_met"] for row in judged} == {None}
    shown = kam("backtest", "--out", golden.out).stdout
    assert "too few accounts (" in shown and "< 30)" in shown


def test_nothing_published_is_said(tmp_path: Path) -> None:
    run = kam("backtest", "--out", tmp_path)
    assert (run.returncode, "no release is live" in run.stderr) == (2, True)

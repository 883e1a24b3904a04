"""AdventureWorks at the end of 2013 against figures computed elsewhere from the same extracts."""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import Any

import pytest

from tests.pipeline.pipeline_runs import ADVENTUREWORKS, Refreshed

WITH_SALES = 489
WITHOUT_SALES = 212
SHARE_PLACES = Decimal("0.00000001")


@pytest.fixture(scope="module")
def truth(adventureworks: Refreshed) -> dict[str, dict[str, str]]:
    """The figures of 2013 by customer id."""
    with (ADVENTUREWORKS / "truth_2013.csv").open(encoding="utf-8", newline="") as lines:
        return {row["customer_id"]: row for row in csv.DictReader(lines)}


@pytest.fixture(scope="module")
def rows(adventureworks: Refreshed) -> dict[str, dict[str, Any]]:
    """`account_tiers` by the customer id of each account's member in the ERP."""
    found = adventureworks.rows(
        "select members.source_id, tiers.* from account_tiers as tiers "
        "inner join account_members as members using (account_key) "
        "where members.source_entity = 'customers'"
    )
    return {row["source_id"]: row for row in found}


def with_sales(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {key: row for key, row in rows.items() if row["revenue"] != 0}


def test_accounts_with_sales_are_those_of_the_truth(
    rows: dict[str, dict[str, Any]], truth: dict[str, dict[str, str]]
) -> None:
    assert len(truth) == WITH_SALES
    assert with_sales(rows).keys() == truth.keys()


@pytest.mark.parametrize("column", ["revenue", "gross_margin"])
def test_money_is_exact_to_the_fourth_decimal(
    rows: dict[str, dict[str, Any]], truth: dict[str, dict[str, str]], column: str
) -> None:
    assert {key: row[column] for key, row in with_sales(rows).items()} == {
        key: Decimal(row[column]) for key, row in truth.items()
    }


def test_share_before_is_equal_to_eight_decimals(
    rows: dict[str, dict[str, Any]], truth: dict[str, dict[str, str]]
) -> None:
    for key, row in truth.items():
        published = Decimal(rows[key]["revenue_share_before"]).quantize(SHARE_PLACES)
        assert published == Decimal(row["share_before"]).quantize(SHARE_PLACES), key


def test_tiers_are_equal(rows: dict[str, dict[str, Any]], truth: dict[str, dict[str, str]]) -> None:
    assert {key: row["revenue_tier"] for key, row in with_sales(rows).items()} == {
        key: row["revenue_tier"] for key, row in truth.items()
    }


def test_accounts_without_sales_have_a_row_and_the_lowest_tier(
    rows: dict[str, dict[str, Any]], adventureworks: Refreshed
) -> None:
    idle = [row for row in adventureworks.accounts().values() if row["revenue"] == 0]
    assert len(idle) == WITHOUT_SALES
    assert len(adventureworks.accounts()) == WITH_SALES + WITHOUT_SALES
    assert {(row["revenue_tier"], row["revenue_rank"]) for row in idle} == {("C", None)}


def test_total_is_the_sum_of_the_truth(
    adventureworks: Refreshed, truth: dict[str, dict[str, str]]
) -> None:
    totals = adventureworks.live.manifest.totals
    assert totals.revenue == sum(Decimal(row["revenue"]) for row in truth.values())
    assert totals.gross_margin == sum(Decimal(row["gross_margin"]) for row in truth.values())
    assert adventureworks.live.manifest.reporting_currency == "USD"

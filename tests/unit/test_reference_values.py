"""The reference of window values: small cases, and the published sample company, exactly."""

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from dagster_project.lib.reference import SchemeRule, tier_accounts
from dagster_project.lib.reference_values import account_values, make_converter, read_extract

ADVENTUREWORKS = Path(__file__).parents[2].parent / "shared" / "data" / "adventureworks"
WINDOW = (date(2025, 1, 1), date(2026, 1, 1))


def frame(text: str) -> pd.DataFrame:
    """A CSV in text as an extract."""
    rows = "\n".join(line.strip() for line in text.strip().splitlines())
    return pd.read_csv(StringIO(rows), dtype=str, keep_default_na=False, na_values=[""])


def values(lines: str, *, rates: str | None = None, costs: str | None = None) -> pd.DataFrame:
    """Window values of the year 2025 in EUR, by customer."""
    converter = make_converter(None if rates is None else frame(rates), "EUR")
    result = account_values(
        frame(lines),
        converter,
        start=WINDOW[0],
        end=WINDOW[1],
        product_costs=None if costs is None else frame(costs),
    )
    return result.set_index("customer_id")


def test_window_is_half_open_and_pro_forma_is_left_out() -> None:
    result = values(
        """invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency
        1,1,c,2024-12-31,invoice,1,EUR
        2,1,c,2025-01-01,invoice,10,EUR
        3,1,c,2025-12-31,invoice,100,EUR
        4,1,c,2026-01-01,invoice,1000,EUR
        5,1,c,2025-05-05,pro_forma,10000,EUR"""
    )
    assert result.loc["c", "revenue"] == 110
    assert result.loc["c", "line_count"] == 2


def test_credit_notes_are_negative_whatever_sign_the_source_uses() -> None:
    result = values(
        """invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency,cost_amount
        1,1,c,2025-02-01,invoice,100,EUR,60
        2,1,c,2025-03-01,credit_note,30,EUR,18
        2,2,c,2025-03-01,credit_note,-5,EUR,
        3,1,c,2025-04-01,credit_note,-10,EUR,-6"""
    )
    assert result.loc["c", "revenue"] == 100 - 30 + 5 - 10
    assert result.loc["c", "gross_margin"] == 40 - 12 - 4


def test_a_cancelled_pair_is_booked_and_a_lone_cancelled_invoice_left_out() -> None:
    head = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency,"
    result = values(
        head
        + """reverses_invoice_id,is_cancelled
        1,1,c,2025-02-01,invoice,70,EUR,,true
        2,1,c,2025-03-01,cancellation,-70,EUR,1,
        3,1,c,2025-04-01,invoice,50,EUR,,true
        4,1,c,2025-04-01,invoice,20,EUR,,false"""
    )
    assert result.loc["c", "revenue"] == 20
    assert result.loc["c", "line_count"] == 3


def test_a_cancellation_written_like_its_invoice_is_turned_and_never_left_out() -> None:
    head = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency,"
    result = values(
        head
        + """reverses_invoice_id,is_cancelled
        1,1,c,2025-02-01,invoice,70,EUR,,true
        2,1,c,2025-03-01,cancellation,70,EUR,1,true
        3,1,c,2025-04-01,credit_note,30,EUR,,true
        4,1,c,2025-05-01,cancellation,30,EUR,3,"""
    )
    assert result.loc["c", "revenue"] == 0
    assert result.loc["c", "line_count"] == 4


def test_rates_divide_multiply_pivot_age_and_round_half_away_from_zero() -> None:
    head = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency"
    result = values(
        head
        + """
        1,1,divided,2025-03-09,invoice,125,USD
        2,1,half,2025-03-07,invoice,-0.0125,USD
        3,1,pivot,2025-03-07,invoice,10,GBP
        4,1,hundred,2025-03-07,invoice,1000,JPY
        5,1,old,2025-03-15,invoice,125,USD
        6,1,exact,2025-03-07,invoice,0.1234,EUR""",
        rates="""rate_date,from_currency,to_currency,rate,units
        2025-03-07,EUR,USD,1.25,
        2025-03-07,GBP,USD,1.5,
        2025-03-07,JPY,EUR,0.65,100""",
    )
    assert result["revenue"].to_dict() == {
        "divided": Decimal(100),
        "half": Decimal("-0.01"),
        "pivot": Decimal(12),
        "hundred": Decimal("6.5"),
        "exact": Decimal("0.1234"),
    }


def test_cost_is_own_then_standard_then_unknown() -> None:
    head = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency,"
    result = values(
        head
        + """cost_amount,product_id,quantity
        1,1,c,2025-02-01,invoice,100,EUR,60,p,10
        2,1,c,2025-02-01,invoice,100,EUR,,p,10
        3,1,c,2025-08-01,invoice,100,EUR,,p,10
        4,1,c,2025-08-01,credit_note,100,EUR,,p,10
        5,1,c,2025-08-01,invoice,200,EUR,,,""",
        costs="""product_id,valid_from,valid_to,unit_cost,currency
        p,2025-01-01,2025-06-30,5,EUR
        p,2025-07-01,,7,EUR""",
    )
    assert result.loc["c", "revenue"] == 400
    assert result.loc["c", "gross_margin"] == 40 + 50 + 30 - 30
    assert result.loc["c", "cost_coverage"] == 0.666666666667  # 400 of 600, without signs


def test_returned_units_go_the_way_of_the_amount_and_free_goods_cost_what_they_cost() -> None:
    head = "invoice_id,line_id,customer_id,invoice_date,document_type,net_amount,currency,"
    result = values(
        head
        + """cost_amount,product_id,quantity,reverses_invoice_id
        1,1,back,2025-02-01,invoice,100,EUR,,p,10,
        2,1,back,2025-03-01,cancellation,-100,EUR,,p,10,1
        3,1,free,2025-03-01,invoice,0,EUR,50,,,""",
        costs="""product_id,valid_from,valid_to,unit_cost,currency
        p,2025-01-01,,5,EUR""",
    )
    assert result.loc["back", "gross_margin"] == 0
    assert result.loc["free", "gross_margin"] == -50
    assert result.loc["free", "cost_coverage"] is None


@pytest.mark.skipif(not ADVENTUREWORKS.exists(), reason="the shared sample data is not beside")
def test_the_published_sample_company_is_reproduced_exactly() -> None:
    computed = account_values(
        read_extract(ADVENTUREWORKS / "erp" / "invoice_lines.csv"),
        make_converter(read_extract(ADVENTUREWORKS / "erp" / "exchange_rates.csv"), "USD"),
        start=date(2013, 1, 1),
        end=date(2014, 1, 1),
    ).set_index("customer_id")
    tiers = tier_accounts(
        computed.reset_index().rename(columns={"customer_id": "account_key", "revenue": "value"}),
        SchemeRule((("A", Decimal("0.80")), ("B", Decimal("0.95"))), "C"),
    ).set_index("account_key")
    truth = read_extract(ADVENTUREWORKS / "truth_2013.csv").set_index("customer_id").sort_index()

    assert list(computed.index) == list(truth.index)
    assert list(computed["revenue"]) == [Decimal(text) for text in truth["revenue"]]
    assert list(computed["gross_margin"]) == [Decimal(text) for text in truth["gross_margin"]]
    assert list(tiers["tier"]) == list(truth["revenue_tier"])
    assert tiers["tier"].value_counts().to_dict() == {"A": 139, "B": 87, "C": 263}
    assert computed["revenue"].sum() == Decimal("32134277.7787")
    assert computed["gross_margin"].sum() == Decimal("-1932426.3851")
    apart = (tiers["share_before"] - truth["share_before"].astype(float)).abs()
    assert apart.max() <= 5e-9  # the truth file is rounded to 8 decimals

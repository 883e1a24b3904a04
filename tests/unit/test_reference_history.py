"""Stability, overrides and concentration of the reference, on cases to be checked in one's head."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from dagster_project.lib.reference_history import concentration, final_tiers

TIERS = ("A", "B", "C")
MONTHS = [date(2025, month, 1) for month in range(7, 13)] + [date(2026, 1, 1)]


def finals(
    raw: str,
    *,
    first_invoice: date | None = date(2020, 1, 1),
    overrides: pd.DataFrame | None = None,
) -> str:
    """Final tiers of one account over the last months; a blank is a month without a raw tier."""
    history = pd.DataFrame(
        {
            "account_key": ["k"] * len(raw),
            "as_of": MONTHS[-len(raw) :],
            "raw_tier": pd.Series([None if tier == " " else tier for tier in raw], dtype=object),
        }
    )
    result = final_tiers(
        history,
        tiers=TIERS,
        patience=3,
        new_customer_months=6,
        first_invoices={} if first_invoice is None else {"k": first_invoice},
        overrides=overrides,
    )
    return "".join(result["final_tier"])


def override(tier: str, valid_from: date, valid_to: date) -> dict[str, object]:
    """One row of the overrides."""
    return {"account_key": "k", "tier": tier, "valid_from": valid_from, "valid_to": valid_to}


def test_promotion_is_at_once_and_demotion_needs_three_months_in_a_row() -> None:
    assert finals("CCACCCC") == "CCAAACC"
    assert finals("ABCBCCC") == "AAABBBC"


def test_the_first_months_of_the_history_use_what_is_there() -> None:
    assert finals("BC") == "BB"


def test_a_new_customer_keeps_its_best_tier_since_its_first_invoice() -> None:
    assert finals("CCACCCC", first_invoice=date(2025, 8, 15)) == "CCAAAAA"
    assert finals("CCACCCC", first_invoice=date(2025, 7, 1)) == "CCAAAAC"


def test_an_account_without_raw_tier_is_lowest() -> None:
    assert finals("A ") == "AC"


def test_an_override_counts_on_both_its_days_and_wins() -> None:
    rows = pd.DataFrame([override("B", date(2025, 12, 1), date(2026, 1, 1))])
    assert finals("AAA", overrides=rows) == "ABB"
    rows = pd.DataFrame([override("B", date(2025, 12, 2), date(2025, 12, 31))])
    assert finals("AAA", overrides=rows) == "AAA"


def test_of_overlapping_overrides_the_latest_start_wins() -> None:
    rows = pd.DataFrame(
        [
            override("C", date(2025, 12, 1), date(2026, 6, 1)),
            override("B", date(2025, 11, 1), date(2026, 12, 31)),
        ]
    )
    assert finals("AAA", overrides=rows) == "BCC"


def test_concentration_of_four_accounts() -> None:
    result = concentration([Decimal(4), Decimal(3), Decimal(2), Decimal(1), Decimal(-9), None])
    # gini (-3*1 - 1*2 + 1*3 + 3*4) / (4 * 10); hhi (16 + 9 + 4 + 1) / 100
    assert result["account_count"] == 4
    assert result["gini"] == 0.25
    assert result["hhi"] == 0.3
    assert result["effective_number"] == pytest.approx(10 / 3, abs=1e-12)
    assert result["top_1_share"] == result["top_20_share"] == 0.4
    assert result["accounts_80_count"] == 3
    assert result["accounts_80_share"] == 0.75


def test_concentration_reaches_80_percent_exactly_on_the_line() -> None:
    assert concentration([Decimal(80), Decimal(20)])["accounts_80_count"] == 1


def test_concentration_of_equal_accounts_and_of_none() -> None:
    assert concentration([Decimal(5)] * 10)["gini"] == 0
    assert concentration([Decimal(5)] * 10)["effective_number"] == 10
    empty = concentration([None, Decimal(0)])
    assert empty["account_count"] == 0
    assert {value for name, value in empty.items() if name != "account_count"} == {None}

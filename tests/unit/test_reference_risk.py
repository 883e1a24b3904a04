"""The reference's recurrence and risks against figures worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dagster_project.lib.reference_risk import recurrence, risk_reasons

AS_OF = date(2026, 1, 1)
RULES = [
    ("recency", "recency", "above", "2", "4"),
    ("recency_without_cadence", "recency", "above", "180", "365"),
    ("trend", "trend", "above", "0.2", "0.5"),
    ("margin_slide", "margin_slide", "above", "0.05", "0.15"),
    ("satisfaction_nps", "satisfaction", "at_most", "6", "3"),
    ("satisfaction_csat", "satisfaction", "at_most", "2", "1"),
    ("coverage_hours", "coverage", "below", "", "0.5"),
    ("coverage_overdue", "coverage", "above", "1", "3"),
]
COLUMNS = ("rule", "reason", "comparison", "threshold", "high_threshold")
TOLD = [dict(zip(COLUMNS, row, strict=True)) for row in RULES]
QUIET: dict[str, Any] = {
    "buying_cadence_days": 30.0,
    "days_since_last_invoice": 60,
    "revenue": Decimal(80),
    "revenue_previous": Decimal(100),
    "margin": (Decimal("0.75"), Decimal(1)),
    "margin_previous": (Decimal("0.80"), Decimal(1)),
    "nps": Decimal(7),
    "csat": Decimal(3),
    "tolerance_percent": 25,
    "actual_hours": Decimal("7.5"),
    "planned_hours": Decimal(10),
    "is_overdue": False,
    "days_waited": 30,
    "cadence_days": 30,
}


def reasons(**changed: Any) -> dict[str, tuple[str, str]]:
    found = risk_reasons(QUIET | changed, TOLD)
    return {reason: (row["rule"], row["severity"]) for reason, row in found.items()}


def test_on_each_threshold_an_account_is_not_at_risk() -> None:
    assert reasons() == {}


@pytest.mark.parametrize(
    ("changed", "reason", "rule", "severity"),
    [
        ({"days_since_last_invoice": 61}, "recency", "recency", "medium"),
        ({"days_since_last_invoice": 121}, "recency", "recency", "high"),
        (
            {"buying_cadence_days": None, "days_since_last_invoice": 181},
            "recency",
            "recency_without_cadence",
            "medium",
        ),
        ({"revenue": Decimal("79.9999")}, "trend", "trend", "medium"),
        ({"revenue": Decimal(0)}, "trend", "trend", "high"),
        ({"margin": (Decimal("0.7499"), Decimal(1))}, "margin_slide", "margin_slide", "medium"),
        ({"nps": Decimal(6)}, "satisfaction", "satisfaction_nps", "medium"),
        ({"nps": Decimal(6), "csat": Decimal(1)}, "satisfaction", "satisfaction_csat", "high"),
        ({"actual_hours": Decimal("7.4999")}, "coverage", "coverage_hours", "medium"),
        ({"is_overdue": True, "days_waited": 31}, "coverage", "coverage_overdue", "medium"),
        (
            {"actual_hours": Decimal("7.4"), "is_overdue": True, "days_waited": 91},
            "coverage",
            "coverage_overdue",
            "high",
        ),
    ],
)
def test_beyond_it_one_reason_is_given(
    changed: dict[str, Any], reason: str, rule: str, severity: str
) -> None:
    assert reasons(**changed) == {reason: (rule, severity)}


def test_what_is_unknown_is_no_risk() -> None:
    unknown = dict.fromkeys(
        ("margin", "margin_previous", "nps", "csat", "actual_hours", "planned_hours", "is_overdue")
    )
    assert reasons(**unknown, revenue_previous=Decimal(0), revenue=Decimal(-5)) == {}


def test_monthly_buyer_is_regular() -> None:
    days = [date(2025, month, 15) for month in range(1, 13)]
    told = recurrence([*days, *days, date(2026, 1, 1)], as_of=AS_OF, window_months=12)
    gaps = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]
    mean = sum(gaps) / 11
    spread = (sum((gap - mean) ** 2 for gap in gaps) / 11) ** 0.5
    assert told["regularity"] == pytest.approx(1 - spread / mean, abs=1e-12)
    assert (told["active_months"], told["observed_months"]) == (12, 12)
    assert (told["buying_cadence_days"], told["days_since_last_invoice"]) == (31.0, 17)


@pytest.mark.parametrize(
    ("days", "cadence", "regularity"),
    [
        ([], None, None),
        ([date(2025, 3, 1)], None, None),
        ([date(2025, 3, 1), date(2025, 3, 31), date(2025, 4, 30)], None, None),
        ([date(2025, 1, 1), date(2025, 2, 1), date(2025, 11, 1)], 152.0, 0.20394736842105265),
        # 3 and 90 days within two windows: the deviation is nearly the mean
        ([date(2025, 1, 29), date(2025, 2, 1), date(2025, 5, 2)], 46.5, 0.06451612903225806),
        ([date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 3)], 31.0, 1.0),
    ],
)
def test_cadence_needs_two_intervals_within_two_windows(
    days: list[date], cadence: float | None, regularity: float | None
) -> None:
    told = recurrence(days, as_of=AS_OF, window_months=12)
    assert told["buying_cadence_days"] == cadence
    assert told["regularity"] == (None if regularity is None else pytest.approx(regularity))


def test_a_new_customer_is_measured_over_its_own_months() -> None:
    told = recurrence([date(2025, 10, 3), date(2025, 12, 1)], as_of=AS_OF, window_months=12)
    assert (told["active_months"], told["observed_months"]) == (2, 3)
    assert told["share_of_months_with_invoices"] == pytest.approx(2 / 3, abs=1e-12)


def test_figures_are_compared_as_they_are_published() -> None:
    # a third is 0.333333333333 in the mart, which is not above a line of the same digits
    told = [rule | {"threshold": "0.333333333333"} for rule in TOLD if rule["rule"] == "trend"]
    third = QUIET | {"revenue": Decimal(200), "revenue_previous": Decimal(300)}
    assert risk_reasons(third, told) == {}
    more = risk_reasons(third | {"revenue": Decimal("199.9999999")}, told)
    assert more["trend"]["observed"] == 0.333333333667
    # rates are rounded before one is taken from the other
    rates = {"margin_previous": (Decimal(2), Decimal(3)), "margin": (Decimal(1), Decimal(3))}
    slide = [
        rule | {"threshold": "0.333333333333"} for rule in TOLD if rule["rule"] == "margin_slide"
    ]
    assert risk_reasons(QUIET | rates, slide)["margin_slide"]["observed"] == 0.333333333334

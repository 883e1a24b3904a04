"""The reference's coverage against figures worked out by hand, and what must hold for any activities."""

import random
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib.reference_time import (
    ServiceTables,
    as_published,
    coverage,
    hours_needed,
    window_start,
)

AS_OF = date(2026, 1, 1)
MODEL = [
    ("A", "any", "1", "12", "12", "30", "25"),
    ("A", "former", "1", "6", "6", "60", "25"),
    ("C", "any", "2", "1", "2", "", "100"),
]
COLUMNS = ("tier", "relationship", "tier_place", "hours_per_year", "touches_per_year")
TABLES = ServiceTables(
    [dict(zip((*COLUMNS, "cadence_days", "tolerance_percent"), row, strict=True)) for row in MODEL],
    [
        {"activity_type": "call", "default_minutes": "20", "is_two_way": "true"},
        {"activity_type": "email", "default_minutes": "10", "is_two_way": "false"},
        {"activity_type": "other", "default_minutes": "30", "is_two_way": "false"},
    ],
    [
        {"direction": "outbound", "is_ours": "true", "is_theirs": "false"},
        {"direction": "inbound", "is_ours": "false", "is_theirs": "true"},
        {"direction": "internal", "is_ours": "false", "is_theirs": "false"},
        {"direction": "none", "is_ours": "true", "is_theirs": "false"},
    ],
    ("A", "C"),
)


def account(tier: str = "A", **changed: Any) -> dict[str, Any]:
    row = {"account_key": "k", "final_tier": tier, "relationship": "customer", "created_date": None}
    return row | changed


def activity(
    minutes: int | None = 60,
    kind: str | None = "call",
    direction: str | None = "outbound",
    day: date = date(2025, 6, 1),
    key: str | None = "k",
) -> dict[str, Any]:
    return {
        "account_key": key,
        "activity_type": kind,
        "direction": direction,
        "activity_date": day,
        "duration_minutes": minutes,
    }


def covered(*activities: dict[str, Any], of: dict[str, Any] | None = None) -> dict[str, Any]:
    told = coverage([of or account()], activities, TABLES, as_of=AS_OF, window_months=12)
    return told["k"]


@pytest.mark.parametrize(
    ("minutes", "status"),
    [
        (539, "under_served"),
        (540, "on_plan"),
        (720, "on_plan"),
        (900, "on_plan"),
        (901, "over_served"),
    ],
)
def test_edges_of_the_tolerance_are_on_plan(minutes: int, status: str) -> None:
    assert covered(activity(minutes))["coverage_status"] == status


def test_hours_are_those_of_the_window_and_last_contact_that_of_all_time() -> None:
    row = covered(
        activity(day=date(2024, 12, 31)),
        activity(600, key="other"),
        activity(day=date(2026, 1, 1)),
    )
    assert (row["actual_hours"], row["actual_touches"]) == (Decimal(0), 0)
    assert (row["last_touch_date"], row["days_since_last_touch"]) == (date(2024, 12, 31), 366)
    assert (row["coverage_status"], row["needed_hours"]) == ("under_served", Decimal(12))
    assert row["is_overdue"] is True


def test_without_any_activity_nothing_is_said_of_time() -> None:
    row = covered(activity(day=date(2024, 12, 31)))
    assert row["coverage_status"] == "no_activity_data"
    assert (row["actual_hours"], row["hours_gap"], row["is_overdue"]) == (None, None, None)
    assert row["planned_hours"] == 12


@pytest.mark.parametrize(
    ("kind", "direction", "touches", "two_way"),
    [
        ("email", "outbound", 1, 0),
        ("email", "Inbound ", 0, 1),
        ("call", "inbound", 1, 1),
        ("call", None, 1, 1),
        ("call", "internal", 0, 0),
        ("call", "sideways", 0, 0),
        (None, "", 1, 0),
    ],
)
def test_a_touch_is_a_two_way_or_outbound_contact(
    kind: str | None, direction: str | None, touches: int, two_way: int
) -> None:
    row = covered(activity(kind=kind, direction=direction))
    assert (row["actual_touches"], row["two_way_count"]) == (touches, two_way)


@pytest.mark.parametrize("minutes", [None, 0, -5])
def test_a_missing_duration_counts_as_the_type_says(minutes: int | None) -> None:
    assert covered(activity(minutes, kind="email"))["actual_hours"] == Decimal("0.1667")


@pytest.mark.parametrize(
    ("created", "overdue"),
    [
        (None, True),
        (date(2025, 12, 2), False),
        (date(2025, 12, 1), True),
        (date(2026, 3, 1), False),
    ],
)
def test_who_was_never_reached_waits_since_creation(created: date | None, overdue: bool) -> None:
    row = covered(activity(kind="email", direction="inbound"), of=account(created_date=created))
    assert row["is_overdue"] is overdue


def test_plans_go_by_relationship_then_any_then_place() -> None:
    assert covered(of=account(relationship="former"))["planned_hours"] == 6
    tables = ServiceTables(
        TABLES.service_model, TABLES.durations, TABLES.directions, ("Gold", "Tin", "Rust")
    )
    plans = [tables.plan_of(tier, "customer") for tier in (*tables.tiers, "Unknown")]
    assert [plan and plan["tier"] for plan in plans] == ["A", "C", None, None]


def test_hours_to_give_and_to_take() -> None:
    rows = coverage(
        [account(account_key="best"), account("C", account_key="last")],
        [activity(60, key="best"), activity(150, key="last")],
        TABLES,
        as_of=AS_OF,
        window_months=12,
    )
    assert (rows["best"]["needed_hours"], rows["best"]["reallocatable_hours"]) == (11, 0)
    assert (rows["last"]["needed_hours"], rows["last"]["reallocatable_hours"]) == (
        0,
        Decimal("1.5"),
    )
    needed = hours_needed(rows, {"best": "ada", "last": None})
    assert needed == {"ada": (1, Decimal(12)), None: (1, Decimal(1))}


def test_windows_are_whole_months() -> None:
    assert window_start(date(2026, 1, 1), 12) == date(2025, 1, 1)
    assert window_start(date(2026, 3, 1), 5) == date(2025, 10, 1)
    row = coverage([account()], [], TABLES, as_of=date(2026, 3, 1), window_months=5)["k"]
    assert row["planned_hours"] == 5


drawn = st.builds(
    activity,
    minutes=st.integers(0, 500) | st.none(),
    kind=st.sampled_from(["call", "email", None]),
    direction=st.sampled_from(["outbound", "inbound", None, "internal"]),
    day=st.integers(-400, 5).map(lambda days: AS_OF + timedelta(days=days)),
    key=st.sampled_from(["k", "l", None]),
)


@settings(deadline=None)
@given(st.lists(drawn, max_size=30), st.randoms(use_true_random=False))
def test_order_of_activities_moves_nothing_and_hours_add_up(
    activities: list[dict[str, Any]], shuffler: random.Random
) -> None:
    accounts = [account(), account("C", account_key="l")]
    told = coverage(accounts, activities, TABLES, as_of=AS_OF, window_months=12)
    shuffler.shuffle(activities)
    assert coverage(accounts, activities, TABLES, as_of=AS_OF, window_months=12) == told
    for row in told.values():
        if row["actual_hours"] is None:
            continue
        assert row["hours_gap"] == row["actual_hours"] - row["planned_hours"]
        assert row["actual_touches"] <= row["activity_count"]
        assert (row["needed_hours"] > 0) == (row["coverage_status"] == "under_served")


def test_hours_are_rounded_half_up() -> None:
    assert as_published(Fraction(1, 60)) == Decimal("0.0167")
    assert as_published(Fraction(1, 20_000)) == Decimal("0.0001")

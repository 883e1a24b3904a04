"""Time planned and time spent a second time, apart from the warehouse: coverage and capacity.

As `lib/reference.py` has the tiers: for tests that must not share a line with the SQL they judge.
Everything is counted in fractions, and rounded once, where it is published.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]
HOUR_UNITS = 10_000  # hours and touches are published with four decimals
BREAKING = {"under_served": -1, "over_served": 1}


@dataclass(frozen=True)
class ServiceTables:
    """The tables that users edit, as rows of text, and the tiers of the policy, best first."""

    service_model: Sequence[Row]
    durations: Sequence[Row]
    directions: Sequence[Row]
    tiers: Sequence[str]

    def plan_of(self, tier: str, relationship: str) -> Row | None:
        """The row of a tier: by its name, else by its place; that of the relationship first."""
        named = tier
        if all(row["tier"] != tier for row in self.service_model):
            place = self.tiers.index(tier) + 1 if tier in self.tiers else 0
            places = {int(row["tier_place"]): row["tier"] for row in self.service_model}
            named = places.get(place, "")
        found = {row["relationship"]: row for row in self.service_model if row["tier"] == named}
        return found.get(relationship) or found.get("any")


def window_start(as_of: date, months: int) -> date:
    """First day of a window of whole months that ends before the month of as_of."""
    first = as_of.year * 12 + as_of.month - 1 - months
    return date(first // 12, first % 12 + 1, 1)


def coverage(
    accounts: Iterable[Row],
    activities: Iterable[Row],
    tables: ServiceTables,
    *,
    as_of: date,
    window_months: int,
) -> dict[str, dict[str, Any]]:
    """Hold the time that accounts got against the plan of their tier.

    Args:
        accounts: account_key, final_tier, relationship, created_date (or None); those that are
            active and ranked.
        activities: account_key (None: of no account), activity_type, direction, activity_date,
            duration_minutes; one row per activity.
        tables: the tables that users edit.
        as_of: first day of a month; activities of that day and later do not count.
        window_months: whole months before as_of.

    Returns:
        By account_key the columns of the mart account_coverage that are computed.
    """
    start = window_start(as_of, window_months)
    minutes: dict[str, int] = defaultdict(int)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    last: dict[tuple[str, str], date] = {}
    for activity in activities:
        key, day = activity["account_key"], activity["activity_date"]
        if key is None or day >= as_of:
            continue
        kinds = ["activity", *_kinds(activity, tables)]
        for kind in kinds:
            last[key, kind] = max(day, last.get((key, kind), day))
            counts[key, kind] += day >= start
        if day >= start:
            minutes[key] += _minutes(activity, tables)
    has_activities = any(count for (_, kind), count in counts.items() if kind == "activity")
    return {
        account["account_key"]: _covered(
            account,
            plan=tables.plan_of(account["final_tier"], account["relationship"]),
            is_best=account["final_tier"] == tables.tiers[0],
            share_of_year=Fraction(window_months, 12),
            spent=Fraction(minutes[account["account_key"]], 60) if has_activities else None,
            touches=counts[account["account_key"], "touch"],
            last_touch=last.get((account["account_key"], "touch")),
            as_of=as_of,
        )
        | {
            "activity_count": counts[account["account_key"], "activity"]
            if has_activities
            else None,
            "two_way_count": counts[account["account_key"], "two_way"] if has_activities else None,
            "last_activity_date": last.get((account["account_key"], "activity")),
        }
        for account in accounts
    }


def hours_needed(
    covered: Mapping[str, Row], owners: Mapping[str, str | None]
) -> dict[str | None, tuple[int, Decimal]]:
    """Number of accounts and planned hours by owner; None owns what nobody does.

    Args:
        covered: what `coverage` returned.
        owners: account_key -> owner.
    """
    result: dict[str | None, tuple[int, Decimal]] = {}
    for key, row in covered.items():
        count, hours = result.get(owners[key], (0, Decimal(0)))
        result[owners[key]] = (count + 1, hours + (row["planned_hours"] or 0))
    return result


def as_published(value: Fraction) -> Decimal:
    """Four decimals, rounded half up."""
    return Decimal((2 * value * HOUR_UNITS + 1) // 2).scaleb(-4)


def _covered(
    account: Row,
    *,
    plan: Row | None,
    is_best: bool,
    share_of_year: Fraction,
    spent: Fraction | None,
    touches: int,
    last_touch: date | None,
    as_of: date,
) -> dict[str, Any]:
    hours = Fraction(plan["hours_per_year"]) * share_of_year if plan else None
    planned_touches = Fraction(plan["touches_per_year"]) * share_of_year if plan else None
    cadence = int(plan["cadence_days"]) if plan and plan["cadence_days"] else None
    status = _status(spent, hours, int(plan["tolerance_percent"]) if plan else 0)
    row: dict[str, Any] = {
        "planned_hours": None if hours is None else as_published(hours),
        "planned_touches": None if planned_touches is None else as_published(planned_touches),
        "actual_hours": None if spent is None else as_published(spent),
        "actual_touches": None if spent is None else touches,
        "last_touch_date": last_touch,
        "days_since_last_touch": (as_of - last_touch).days if last_touch else None,
        "cadence_days": cadence,
        "coverage_status": status,
    }
    known = row["planned_hours"] is not None and spent is not None
    gap = row["actual_hours"] - row["planned_hours"] if known else None
    sign = BREAKING.get(status, 0)
    idle = None if spent is None else Decimal(0)
    row["hours_gap"] = gap
    row["reallocatable_hours"] = gap if sign > 0 and not is_best else idle
    row["needed_hours"] = -gap if sign < 0 and gap is not None else idle
    since = last_touch or account["created_date"]
    if cadence is None or spent is None:
        row["is_overdue"] = None
    else:
        row["is_overdue"] = since is None or (as_of - since).days > cadence
    return row


def _status(spent: Fraction | None, planned: Fraction | None, tolerance: int) -> str:
    if spent is None:
        return "no_activity_data"
    if planned is None:
        return "no_plan"
    if spent < planned * Fraction(100 - tolerance, 100):
        return "under_served"
    return "over_served" if spent > planned * Fraction(100 + tolerance, 100) else "on_plan"


def _minutes(activity: Row, tables: ServiceTables) -> int:
    told = activity["duration_minutes"]
    if told is not None and told > 0:
        return int(told)
    kind = activity["activity_type"] or "other"
    return next(
        (int(r["default_minutes"]) for r in tables.durations if r["activity_type"] == kind), 0
    )


def _kinds(activity: Row, tables: ServiceTables) -> list[str]:
    """Whether it is a touch, and whether both sides spoke."""
    word = (activity["direction"] or "").strip().lower() or "none"
    known = next((row for row in tables.directions if row["direction"] == word), None)
    if known is None:
        return []
    kind = activity["activity_type"] or "other"
    talks = any(r["activity_type"] == kind and r["is_two_way"] == "true" for r in tables.durations)
    ours, theirs = known["is_ours"] == "true", known["is_theirs"] == "true"
    touch = ["touch"] if ours or (theirs and talks) else []
    return touch + (["two_way"] if theirs or (ours and talks) else [])
